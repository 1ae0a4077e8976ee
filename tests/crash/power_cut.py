"""Cut the power under a writer, again and again: what was acknowledged has to be there.

Run by hand as root on Linux with ext4; it mounts a file of its own:

    python -m tests.crash.power_cut [--cuts 50] [--without-fsync]

FS_IOC_SHUTDOWN drops everything that was not flushed, as a power cut does with an honest disk.
It does not model drives that lie about their caches, bit rot, or other file systems.
With --without-fsync nothing is synced by us: cuts must then do damage, or the test shows nothing.
"""

from __future__ import annotations

import argparse
import fcntl
import multiprocessing
import os
import random
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from pipeline.errors import UnechoError
from pipeline.store import durable
from pipeline.store.doctor import doctor
from pipeline.store.snapshot import connect_published
from pipeline.store.warehouse import open_warehouse
from tests.crash import workload
from tests.crash.state import torn
from tests.crash.writer import write_on

FS_IOC_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
DISK_MB = 512


@dataclass
class Tally:
    """What the cuts did."""

    n_cuts: int = 0
    n_acknowledged: int = 0
    n_damaged: int = 0
    n_lost: int = 0


def write_until_cut(root: Path, pipe: Connection, *, is_synced: bool) -> None:
    """Write batches and acknowledge them until the disk is gone."""
    if not is_synced:
        durable.os = _WithoutFsync()  # type: ignore[assignment]
    with suppress(UnechoError, OSError):
        write_on(root, pipe.send)


class _WithoutFsync:
    """The module os, with an fsync that does nothing."""

    def __getattr__(self, name: str) -> object:
        return (lambda descriptor: None) if name == "fsync" else getattr(os, name)


def cut(mount: Path) -> None:
    """Drop everything on the file system that is not on disk."""
    descriptor = os.open(mount, os.O_RDONLY)
    try:
        fcntl.ioctl(descriptor, FS_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    finally:
        os.close(descriptor)


def one_round(image: Path, mount: Path, seconds: float, *, is_synced: bool) -> int:
    """Mount, write for a while, cut, unmount; return the last batch acknowledged."""
    subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True)
    here, there = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context("spawn")
    child = context.Process(
        target=write_until_cut, args=(mount / "warehouse", there), kwargs={"is_synced": is_synced}
    )
    child.start()
    there.close()
    if not here.poll(60):
        raise TimeoutError("the writer never opened the warehouse")
    time.sleep(seconds)
    cut(mount)
    child.kill()
    child.join()
    last = -1
    with suppress(EOFError):
        while here.poll():
            last = here.recv()
    subprocess.run(["umount", str(mount)], check=True)
    return last


def look(image: Path, mount: Path, acknowledged: int, tally: Tally) -> bool:
    """Mount again, open the warehouse and compare; return whether it is whole."""
    subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True)
    root = mount / "warehouse"
    try:
        with open_warehouse(root) as warehouse:
            workload.take_pending(warehouse, "pending")
            n_batches = workload.next_batch(warehouse)
            warehouse.history(workload.rebuild)
        findings = [f"{finding.check}: {finding.message}" for finding in doctor(root, deep=True)]
        connection = connect_published(root)
        findings += torn(connection)
        connection.close()
    except Exception as error:  # any failure at all is the finding
        n_batches, findings = 0, [f"{type(error).__name__}: {error}"]
    finally:
        subprocess.run(["umount", str(mount)], check=True)
    is_lost = n_batches <= acknowledged
    tally.n_damaged += bool(findings)
    tally.n_lost += is_lost
    for finding in findings[:3]:
        print("  ", finding)  # noqa: T201
    return not findings and not is_lost


def make_image(image: Path) -> None:
    """Make an empty ext4."""
    with image.open("wb") as file:
        file.truncate(DISK_MB << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)


def main() -> int:
    """Cut the power as often as asked; exit 0 when the outcome is the expected one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=50)
    parser.add_argument("--without-fsync", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance, tally = random.Random(arguments.seed), Tally()
    with tempfile.TemporaryDirectory() as folder:
        image, mount = Path(folder) / "image", Path(folder) / "mount"
        mount.mkdir()
        make_image(image)
        acknowledged = -1
        for _ in range(arguments.cuts):
            before = acknowledged
            is_synced = not arguments.without_fsync
            acknowledged = one_round(image, mount, chance.uniform(0.0, 1.5), is_synced=is_synced)
            tally.n_cuts += 1
            tally.n_acknowledged += max(0, acknowledged - before)
            if not look(image, mount, acknowledged, tally):
                make_image(image)
                acknowledged = -1
    print(tally)  # noqa: T201
    is_whole = tally.n_damaged == tally.n_lost == 0
    return 0 if is_whole != arguments.without_fsync else 1


if __name__ == "__main__":
    sys.exit(main())
