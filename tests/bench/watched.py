"""One program run to its end: what it cost by the system's account, within limits of memory, time.

A limit of address space would stop programs that only reserve memory (databases, compilers): what
the process and its descendants really hold is looked at instead.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

LOOK_EVERY_SECONDS = 0.005
LOOKS_A_MEMORY_LOOK = 20
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Cost(NamedTuple):
    """What a program took: user and system time of it and all it started, its largest process."""

    wall_seconds: float
    cpu_seconds: float
    peak_rss_bytes: int


class Ended(Exception):
    """The program failed or was ended; the message says why."""


def run(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    limit_seconds: float,
    limit_bytes: int,
) -> Cost:
    """Run a program in a session of its own.

    It is started by a process that holds little: the system counts as the peak of a program what
    its parent held when it was started.

    Raises:
        Ended: it failed, took too long or held too much.
    """
    wanted = [list(command), dict(environment), limit_seconds, limit_bytes]
    watcher = [sys.executable, "-I", "-S", __file__]
    said = subprocess.run(watcher, input=json.dumps(wanted), text=True, stdout=subprocess.PIPE)
    if said.returncode:
        raise Ended("its watcher failed")
    why, cost = json.loads(said.stdout)
    if why:
        raise Ended(why)
    return Cost(*cost)


def watch(
    command: Sequence[str], environment: Mapping[str, str], limit_seconds: float, limit_bytes: int
) -> tuple[str, Cost]:
    """Run a program; return why it did not end well, or "", and what it took."""
    with tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        try:
            why, status, usage = _ended(process.pid, limit_seconds, limit_bytes)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # whoever interrupts us means it too
            raise
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
    if process.returncode and not why:
        why = f"failed ({process.returncode}): {' '.join(last)}"
    return why, Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _ended(
    pid: int, limit_seconds: float, limit_bytes: int
) -> tuple[str, int, resource.struct_rusage]:
    """Wait for the leader of a session; return why it was ended, its status and its account."""
    why, looks, last, parent = "", 0, time.perf_counter() + limit_seconds, os.getppid()
    while True:
        time.sleep(LOOK_EVERY_SECONDS)
        looks += 1
        found, status, usage = os.wait4(pid, os.WNOHANG)
        if found:
            return why, status, usage
        if time.perf_counter() > last:
            why = f"ended after {limit_seconds:,.0f} s"
        elif looks % LOOKS_A_MEMORY_LOOK == 0 and held(pid) > limit_bytes:
            why = f"ended: held more than {limit_bytes / 2**30:.1f} GB"
        elif os.getppid() != parent:
            why = "ended: nobody waits for it"
        if why:
            os.killpg(pid, signal.SIGKILL)


def held(session: int) -> int:
    """Return the resident bytes of all processes of a session; 0 where there is no /proc."""
    total = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if os.getsid(int(folder.name)) == session:
                total += int((folder / "statm").read_text().split()[1]) * PAGE_BYTES
        except (OSError, ValueError):
            continue
    return total


if __name__ == "__main__":
    json.dump(watch(*json.load(sys.stdin)), sys.stdout)
