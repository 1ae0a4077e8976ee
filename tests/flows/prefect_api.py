"""What the tests ask a Prefect server: plain HTTP, so that no test imports Prefect."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit


class Api:
    """The API of one server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._parts = urlsplit(url)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """Return status, headers and body of the answer; `path` begins below the API's."""
        connection = http.client.HTTPConnection(
            str(self._parts.hostname), self._parts.port, timeout=30
        )
        try:
            content = None if body is None else json.dumps(body)
            sent = {"content-type": "application/json"} | (headers or {})
            connection.request(method, f"{self._parts.path}{path}", content, sent)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def post(self, path: str, body: Any) -> Any:
        """Return the JSON of a POST; a cold server answers 503 for moments."""
        for _ in range(20):
            status, _, content = self.ask("POST", path, body)
            if status != http.HTTPStatus.SERVICE_UNAVAILABLE:
                break
            time.sleep(0.5)
        assert status in (http.HTTPStatus.OK, http.HTTPStatus.CREATED), content
        return json.loads(content)

    def get(self, path: str) -> Any:
        """Return the JSON of a GET."""
        status, _, content = self.ask("GET", path)
        assert status == http.HTTPStatus.OK, content
        return json.loads(content)

    def runs(self, *, is_scheduled: bool = False) -> list[dict[str, Any]]:
        """Return the flow runs, newest first; those that wait for their time only on request."""
        chosen = {"state": {"type": {"not_any_": [] if is_scheduled else ["SCHEDULED"]}}}
        body = {"flow_runs": chosen, "sort": "EXPECTED_START_TIME_DESC", "limit": 200}
        return list(self.post("/flow_runs/filter", body))

    def of_run(self, kind: str, run_id: str) -> list[dict[str, Any]]:
        """Return the `task_runs` or `artifacts` of a flow run."""
        return list(
            self.post(f"/{kind}/filter", {"flow_runs": {"id": {"any_": [run_id]}}, "limit": 200})
        )

    def log_of(self, run_id: str) -> str:
        """Return the log of a flow run."""
        body = {"logs": {"flow_run_id": {"any_": [run_id]}}, "sort": "TIMESTAMP_ASC"}
        return "\n".join(line["message"] for line in self.post("/logs/filter", body))
