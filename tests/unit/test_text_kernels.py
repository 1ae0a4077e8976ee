"""Kernels that set-up compiled: found again, refused when stale, never called with the wrong."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from pipeline.text import kernel_builds, kernels

MODULE, NAME = "pipeline.dedup.set_overlaps_compiled", "count_shared"
HASHES, BOUNDS = np.array([1, 2, 3, 2, 3, 4, 9], np.uint64), np.array([0, 3, 7])
PAIRS = np.array([[0, 1], [0, 0]])


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for one kernel, and nothing loaded before."""
    file = tmp_path / "made" / "one.kernel"
    monkeypatch.setattr(kernels, "_places", lambda module, name: [Path("/dev/null/no"), file])
    monkeypatch.setattr(kernels, "_found", {})
    return file


def shared() -> list[int]:
    counts = np.empty(2, np.int64)
    kernels.kernel(MODULE, NAME)(HASHES, BOUNDS, PAIRS, counts)
    return counts.tolist()


def forget(monkeypatch) -> None:
    monkeypatch.setattr(kernels, "_found", {})


def no_compiler(*_) -> None:
    raise AssertionError("compiled again")


def test_a_kernel_is_compiled_once(place, monkeypatch):
    assert shared() == [2, 3]
    assert place.exists()
    forget(monkeypatch)
    monkeypatch.setattr(kernels, "_compiled", no_compiler)
    assert shared() == [2, 3]


@pytest.mark.parametrize("damage", ["cut", "changed", "source", "head"])
def test_what_does_not_fit_is_compiled_again(place, monkeypatch, damage):
    assert shared() == [2, 3]
    head, _, code = place.read_bytes().partition(b"\n")
    told = json.loads(head)
    if damage == "cut":
        code = code[:-100]
    elif damage == "changed":
        code = code[:200] + bytes([code[200] ^ 1]) + code[201:]
    elif damage == "source":
        told["sources"]["pipeline/text/shingles.py"] = "another"
    else:
        del told["takes"]
    place.write_bytes(json.dumps(told).encode() + b"\n" + code)
    forget(monkeypatch)
    assert shared() == [2, 3]
    forget(monkeypatch)
    monkeypatch.setattr(kernels, "_compiled", no_compiler)
    assert shared() == [2, 3]


def test_the_sources_of_a_kernel_are_its_module_and_what_that_imports(place):
    shared()
    told = json.loads(place.read_bytes().partition(b"\n")[0])
    assert {
        "pipeline/dedup/set_overlaps_compiled.py",
        "pipeline/text/shingles_compiled.py",
        "pipeline/text/utf8_compiled.py",
        "pipeline/text/shingles.py",
    } <= set(told["sources"])


def frozen(array: np.ndarray) -> np.ndarray:
    array.setflags(write=False)
    return array


@pytest.mark.parametrize(
    ("position", "wrong"),
    [
        (0, HASHES.astype(np.int64)),
        (0, np.repeat(HASHES, 2)[::2]),
        (1, BOUNDS.tolist()),
        (2, PAIRS.reshape(-1)),
        (2, np.asfortranarray(PAIRS)),
        (3, frozen(np.empty(2, np.int64))),
    ],
)
def test_wrong_arrays_are_refused(position, wrong):
    given = [HASHES, BOUNDS, PAIRS, np.empty(2, np.int64)]
    given[position] = wrong
    with pytest.raises(TypeError, match="the kernel takes"):
        kernels.kernel(MODULE, NAME)(*given)


LOADED = """
import sys
from pipeline.dedup.batch import load_kernels
load_kernels(1_000_000)
assert "llvmlite" in sys.modules
assert "numba" not in sys.modules
assert "scipy" not in sys.modules
"""


def test_neither_numba_nor_scipy_is_loaded_for_kept_kernels():
    from pipeline.dedup.batch import load_kernels

    load_kernels(1_000_000)
    subprocess.run([sys.executable, "-c", LOADED], check=True)


def test_set_up_finds_every_kernel_that_the_pipeline_calls():
    root = Path(kernels.__file__).parents[2]
    called = set()
    for path in root.glob("pipeline/**/*.py"):
        called |= set(re.findall(r"kernel\(\s*\S+, \"(\w+)\"\)", path.read_text("utf-8")))
    found = [name for _, name in kernel_builds.all_kernels(root)]
    assert called <= set(found)
    assert len(called) >= 12
