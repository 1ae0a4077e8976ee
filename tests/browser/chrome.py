"""A headless Chromium spoken to over its DevTools protocol: open a page, wait, click, picture.

No browser library is needed for that: one WebSocket and JSON. It also lists every host that a
page asks for, which is what the check of "the browser calls nobody" looks at.
"""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.sync.client import ClientConnection, connect

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    # The graph of a run is drawn with WebGL: in software.
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
)
_START_SECONDS = 30.0


class Page:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        self.hosts: set[str] = set()
        self.refused: set[str] = set()
        self.errors: list[str] = []
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Call a DevTools method and return its result."""
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv(timeout=60))
            self._note(message)
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return dict(message["result"])

    def open(self, address: str, *, ready: str, width: int = 1280, height: int = 860) -> None:
        """Open the address and wait until its text contains `ready`."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.send("Page.navigate", url=address)
        self.wait_for(ready)

    def wait_for(self, text: str, seconds: float = 20.0) -> None:
        """Wait until the page shows `text`."""
        deadline = time.monotonic() + seconds
        while text not in self.text():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{text!r} did not appear; the page says: {self.text()[:500]!r}")
            time.sleep(0.2)

    def text(self) -> str:
        """Return what a reader sees."""
        return str(self.run("document.body ? document.body.innerText : ''") or "")

    def run(self, script: str) -> Any:
        """Return the value of a script."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        return answer["result"].get("value")

    def click(self, text: str) -> None:
        """Click the first link, button or tab that reads `text`."""
        found = self.run(
            "(() => { const e = [...document.querySelectorAll('a,button,[role=tab],.p-tab,span')]"
            f".find(e => e.innerText && e.innerText.trim() === {json.dumps(text)});"
            "if (e) e.click(); return !!e })()"
        )
        if not found:
            raise LookupError(f"nothing to click reads {text!r}")

    def picture(self, path: Path, *, settle_seconds: float = 1.5) -> None:
        """Write what is visible as PNG, after animations have ended."""
        time.sleep(settle_seconds)
        shot = self.send("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(shot["data"]))

    def _note(self, message: dict[str, Any]) -> None:
        if message.get("method") == "Network.requestWillBeSent":
            address = urlsplit(message["params"]["request"]["url"])
            if address.hostname:
                self.hosts.add(address.hostname)
        if message.get("method") == "Network.webSocketCreated":
            self.hosts.add(urlsplit(message["params"]["url"]).hostname or "")
        if message.get("method") == "Runtime.exceptionThrown":
            details = message["params"]["exceptionDetails"]
            self.errors.append(str(details.get("exception", {}).get("description", details))[:300])
        if message.get("method") == "Log.entryAdded":
            text = str(message["params"]["entry"].get("text", ""))
            if "Content Security Policy" in text:
                self.refused.add(text)


def program() -> str | None:
    """Return the path of a Chromium; None without one."""
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


@contextlib.contextmanager
def browser() -> Iterator[Page]:
    """Start Chromium with a new profile and yield one tab; end it after the block."""
    chromium = program()
    if chromium is None:
        raise FileNotFoundError("no Chromium: `make browser` installs it")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [chromium, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            port = _debugging_port(Path(profile), process)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
                tabs = json.load(answer)
            address = next(t["webSocketDebuggerUrl"] for t in tabs if t["type"] == "page")
            with connect(address, max_size=None) as socket:
                yield Page(socket)
        finally:
            process.terminate()
            process.wait(10)


def _debugging_port(profile: Path, process: subprocess.Popen[bytes]) -> int:
    written = profile / "DevToolsActivePort"
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if written.exists() and (lines := written.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.1)
    raise TimeoutError("Chromium did not start")
