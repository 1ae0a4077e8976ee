"""Processes that we start end with us, however we end: Ctrl-C, SIGTERM or `kill -9`.

A child arms itself as its first act (`end_with_parent`). On Linux the kernel then kills it when
its parent dies; everywhere a thread looks once in a while whether the parent is still the one
that started it. Both are needed: the thread cannot run while C code holds the interpreter lock,
and the kernel's signal exists on Linux alone.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

PARENT = "UNECHO_PARENT_PID"
"""Environment variable by which a child knows the process that it ends with."""

_WATCH_SECONDS = 0.5
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_WATCH_ONLY = ":watch"


def parent_environment() -> dict[str, str]:
    """Return the environment variable that ties a child to this process.

    Linux sends the signal when the *thread* that started the child ends (prctl(2)), so a child
    started outside the main thread is told to rely on the watching thread alone.
    """
    is_main = threading.current_thread() is threading.main_thread()
    return {PARENT: f"{os.getpid()}{'' if is_main else _WATCH_ONLY}"}


def end_with_parent() -> None:
    """Make this process end when the one named in its environment does; without one do nothing."""
    tie = os.environ.get(PARENT, "")
    parent = tie.removesuffix(_WATCH_ONLY)
    if not parent.isdigit():
        return
    if sys.platform == "linux" and not tie.endswith(_WATCH_ONLY):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have died between starting us and the call above.
    end_with(int(parent))


def end_with(parent: int) -> None:
    """Make this process end soon after the process `parent`, its parent, has ended."""
    _end_if_orphaned(parent)
    threading.Thread(target=_watch, args=(parent,), name="parent-watch", daemon=True).start()


def spawn(
    module: str,
    arguments: Sequence[str],
    environment: dict[str, str],
    *,
    cwd: Path,
    log: Path,
    keep: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start `python -m module` tied to this process, output to `log`, and return it.

    It inherits no file descriptor but those in `keep` (so never the lock of the warehouse) and
    lives in a session of its own: Ctrl-C reaches only us, and we stop it when our work is done.
    `cwd` is where it looks for modules first: a folder of ours, not the caller's.
    """
    with log.open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            env=environment | parent_environment(),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=tuple(keep),
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """Ask the process to end, and kill it when it has not after `grace_seconds`."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(grace_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _watch(parent: int) -> None:
    while True:
        time.sleep(_WATCH_SECONDS)
        _end_if_orphaned(parent)


def _end_if_orphaned(parent: int) -> None:
    """Kill this process when another than `parent` has adopted it."""
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
