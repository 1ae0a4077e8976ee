"""Looks at the Prefect UI of `unecho serve` in a real browser, and takes the README's pictures.

    python tests/browser/shoot.py [--pictures FOLDER]

Two drop folders are filled with the seeds and served as an operator would. Exit 1 when a page
lacks what it must show, a script of the UI fails, or the browser asks for another host than ours.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(REPOSITORY / "tests" / "flows")]

from chrome import Page, browser, program  # noqa: E402
from prefect_api import Api  # noqa: E402

UNECHO = str(Path(sys.executable).with_name("unecho"))
PACKAGES = ("chromium", "fonts-noto-cjk")
CONFIG = """\
warehouse = "{folder}/warehouse"
server_port = {port}
settle_seconds = 0
batch_documents = 40

[[source]]
id = "city-desk"
path = "city-desk"
schedule = "10m"
timezone = "Asia/Seoul"

[[source]]
id = "correspondents"
path = "correspondents"
schedule = "0 */4 * * *"
timezone = "Asia/Seoul"
"""
LARGEST_PICTURE_BYTES = 200_000


def main(pictures: Path) -> int:
    """Serve, look at every page, and say what is wrong."""
    install_browser()
    pictures.mkdir(parents=True, exist_ok=True)
    faults: list[str] = []
    with served() as api:
        run = longest_run(api)
        for ui in ("", "/v2"):
            with browser() as page:
                look(page, api, ui, run, pictures)
                faults += faults_of(page, ui)
    for picture in sorted(pictures.glob("*.png")):
        size = picture.stat().st_size
        say(f"{picture} {size:,} bytes")
        if size > LARGEST_PICTURE_BYTES:
            faults.append(f"{picture} is larger than {LARGEST_PICTURE_BYTES:,} bytes")
    for fault in faults:
        say(f"fault: {fault}")
    return 1 if faults else 0


def look(page: Page, api: Api, ui: str, run: dict[str, Any], pictures: Path) -> None:
    """Open the pages that an operator uses; pictures are kept of the first UI."""

    def keep(name: str) -> None:
        if not ui:
            page.picture(pictures / f"{name}.png")

    base = f"{api.url.removesuffix('/api')}{ui}"
    page.open(f"{base}/runs/flow-run/{run['id']}", ready="Completed", height=720)
    page.wait_for("batch 1 published")
    time.sleep(3)  # the graph moves to its place
    keep("prefect-run")
    artifacts = {a["key"]: a["id"] for a in api.of_run("artifacts", run["id"])}
    page.open(
        f"{base}/artifacts/artifact/{artifacts['ingest-report']}",
        ready="Articles dropped as copies",
        height=1300,
    )
    page.wait_for("furniture_rights")
    keep("prefect-report")
    page.open(
        f"{base}/artifacts/artifact/{artifacts['largest-stories']}", ready="story_id", height=620
    )
    page.wait_for("해나루")  # Korean headlines are headlines
    keep("prefect-stories")
    page.open(f"{base}/deployments", ready="correspondents", height=520)
    page.wait_for("city-desk")
    keep("prefect-deployments")
    page.open(f"{base}/deployments/deployment/{run['deployment_id']}", ready="city-desk")
    page.wait_for("10 minutes")


def faults_of(page: Page, ui: str) -> list[str]:
    """Return what went wrong in a tab; the second UI asks amplitude.com and is refused."""
    name = "second UI" if ui else "first UI"
    faults = [f"{name}: script failed: {e}" for e in page.errors]
    faults += [f"{name}: asked for {h}" for h in sorted(page.hosts - {"127.0.0.1", "localhost"})]
    if not ui:
        faults += [f"{name}: {r}" for r in sorted(page.refused)]
    say(f"{name}: asked for {', '.join(sorted(page.hosts))}; {len(page.refused)} requests refused")
    return faults


@contextlib.contextmanager
def served() -> Iterator[Api]:
    """Run `unecho serve` on two drop folders filled with the seeds; yield its API."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for source in ("city-desk", "correspondents"):
            (folder / source).mkdir()
        for path in (REPOSITORY / "seeds" / "articles").iterdir():
            is_plain = path.suffix == ".txt"
            shutil.copy(path, folder / ("correspondents" if is_plain else "city-desk"))
        port = free_port()
        config = folder / "unecho.toml"
        config.write_text(CONFIG.format(folder=folder, port=port))
        process = subprocess.Popen(
            [UNECHO, "serve"], cwd=folder, env=os.environ | {"UNECHO_CONFIG": str(config)}
        )
        try:
            api = Api(f"http://127.0.0.1:{port}/api")
            run_all_now(api)
            yield api
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def run_all_now(api: Api) -> None:
    """Start one run of each source, as the button of its page does."""
    deadline = time.monotonic() + 90
    names: set[str] = set()
    while len(names) < len(("city-desk", "correspondents")):
        if time.monotonic() > deadline:
            raise TimeoutError("unecho serve did not start")
        time.sleep(1)
        with contextlib.suppress(OSError):
            found = api.post("/deployments/filter", {})
            names = {d["name"] for d in found}
    for deployment in found:
        api.post(f"/deployments/{deployment['id']}/create_flow_run", {})


def longest_run(api: Api) -> dict[str, Any]:
    """Return the run of most batches, once both sources are taken."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        time.sleep(1)
        done = [r for r in api.runs() if r["state_type"] == "COMPLETED"]
        if len({r["deployment_id"] for r in done}) == len(("city-desk", "correspondents")):
            time.sleep(3)  # until the server has written the task runs
            return max(done, key=lambda r: len(api.of_run("task_runs", r["id"])))
    raise TimeoutError("the runs were not done within two minutes")


def install_browser() -> None:
    """Install Chromium and Korean fonts where that can be done without asking."""
    if program() is not None:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(f"no Chromium here: install {' and '.join(PACKAGES)}, then run make browser again")
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES],
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.DEVNULL,
        check=True,
    )


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def say(line: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pictures", type=Path, default=Path(tempfile.gettempdir()) / "unecho-ui")
    sys.exit(main(parser.parse_args().pictures))
