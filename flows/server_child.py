"""The Prefect server as our child process: `python -m flows.server_child SOCKET ROOT`.

What Prefect's own start command does not give: the child ends with its parent, connects to
nobody outside this machine, lets the browser do the same, and says which warehouse it is for.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from flows.children import end_with_parent
from flows.server import WAREHOUSE_HEADER, warehouse_mark

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Callable[[], Awaitable[Message]], Send], Awaitable[None]]

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

# Prefect's second UI asks amplitude.com for its settings on every page even with analytics off
# (seen in a browser, 3.8.8 and 3.9.1; no setting turns it off). A browser that is told to
# connect to this server alone does not. 'unsafe-eval': the graph of a run is drawn by PixiJS,
# which compiles its shaders' code and leaves the graph empty without it.
_BROWSER_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; "
    "connect-src 'self' {origins}; frame-ancestors 'self'; form-action 'self'"
)


def main(descriptor: int, root: str) -> None:
    """Serve Prefect's API and UI on the listening socket `descriptor` for the warehouse `root`."""
    end_with_parent()
    refuse_outbound()
    import uvicorn
    from prefect.server.api.server import create_app

    listening = socket.socket(fileno=descriptor)
    port = listening.getsockname()[1]
    # loop="asyncio": uvloop, where installed, connects without the audit events that we refuse by.
    # timeout_graceful_shutdown: an open browser tab must not keep a stopped server alive.
    config = uvicorn.Config(
        marked(create_app(final=True), root, port),
        loop="asyncio",
        log_level="warning",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listening])


def refuse_outbound() -> None:
    """Refuse every connection and name look-up of this process that leaves the machine.

    Prefect's server fetches its catalogue of integrations from the internet when a page that
    lists them is opened, and falls back to a copy of its own when it cannot.
    """
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect":
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None  # a Unix socket has a path
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    else:
        return
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host is not None and host not in _LOOPBACK:
        raise PermissionError(f"the Prefect server of unecho does not connect to {host}")


def marked(application: Any, root: str, port: int) -> Application:
    """Return the application with our headers on every answer.

    They name the warehouse and, for pages, the addresses that a browser may connect to.
    """
    hosts = [f"{h}:{port}" for h in ("127.0.0.1", "localhost")]
    origins = " ".join(f"http://{h} ws://{h}" for h in hosts)
    mark = (WAREHOUSE_HEADER.encode(), warehouse_mark(root).encode())
    policy = (b"content-security-policy", _BROWSER_POLICY.format(origins=origins).encode())

    async def answer(scope: Message, receive: Any, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                is_page = any(
                    k == b"content-type" and v.startswith(b"text/html") for k, v in headers
                )
                message["headers"] = [*headers, mark, *([policy] if is_page else [])]
            await send(message)

        await application(scope, receive, send_marked)

    return answer


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
