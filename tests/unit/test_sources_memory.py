"""Size is no limit: a file of 200 MB streams through in the memory of a few batches."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest

N_BYTES = 200_000_000
TEXT = "정부는 2일 새 정책을 발표했다. 이번 조치는 내년 3월부터 시행된다.\n" * 20

# Peak memory of the process. Measured: 82 MiB for the imports alone, 176 to 187 with the readings
# below (batches of 8 MiB); a file held whole would add 190.
BOUND_MIB = 250

READ = """
import sys
from pathlib import Path
from pipeline.sources.files import ReadOptions, read_batches
from pipeline.sources.parse import parse
options = ReadOptions(batch_bytes=8 * 1024 * 1024)
n_read = 0
for batch in read_batches([Path(sys.argv[1])], options):
    n_read += len(batch)
    parsed, unread = parse(batch.slice(0, 10))
    assert len(unread) == 0
status = Path("/proc/self/status").read_text()
print(n_read, int(status.split("VmHWM:")[1].split()[0]) // 1024)
"""


def write(path: Path) -> int:
    """Write records until the file has 200 MB (before compression); return how many."""
    kind = path.suffixes[0]
    record = json.dumps({"id": 1, "title": "제목", "text": TEXT}, ensure_ascii=False)
    row = f'1,제목,"{TEXT}"\n' if kind == ".csv" else record + "\n"
    separator = ",\n" if kind == ".json" else ""
    block = (separator.join([row] * 500) + separator).encode()
    n_blocks = N_BYTES // len(block)
    opener = gzip.GzipFile(path, "wb", compresslevel=1) if path.suffix == ".gz" else path.open("wb")
    with opener as file:
        file.write({".csv": b"id,title,text\n", ".json": b"["}.get(kind, b""))
        for _ in range(n_blocks):
            file.write(block)
        file.write(row.encode() + b"]" if kind == ".json" else b"")
    return n_blocks * 500 + (kind == ".json")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads VmHWM of Linux' /proc")
@pytest.mark.parametrize("name", ["day.jsonl", "day.json", "day.csv", "day.jsonl.gz"])
def test_a_large_file_streams(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    n_documents = write(path)
    found = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True
    )
    path.unlink()
    n_read, peak = map(int, found.stdout.split())
    assert n_read == n_documents
    assert peak < BOUND_MIB
