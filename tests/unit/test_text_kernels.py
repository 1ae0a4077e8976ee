"""Kernels that set-up compiled: found again, refused when stale, never called with the wrong."""

import ctypes
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("numba")

from pipeline.text import kernel_builds, kernel_images, kernels, object_files

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
from pipeline.text import kernels
load_kernels(1_000_000)
assert kernels.any_loaded()
loaded = {"llvmlite", "numba", "scipy"} & sys.modules.keys()
sys.exit(" ".join(loaded))
"""
HAS_IMAGES = sys.platform == "linux" and platform.machine() == "x86_64"


def test_kept_kernels_are_loaded_without_what_made_them():
    from pipeline.dedup.batch import load_kernels

    load_kernels(1_000_000)
    ended = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True)
    assert ended.stderr.split() == ([] if HAS_IMAGES else ["llvmlite"])


@pytest.mark.skipif(
    not HAS_IMAGES, reason="object files of other processors are linked by llvmlite"
)
def test_every_kernel_is_an_image():
    found = [kernels.kernel(*of) for of in kernel_builds.all_kernels(kernels.ROOT)]
    assert len(found) > 12
    assert all(isinstance(of._owner, kernel_images.Loaded) for of in found)


def test_where_there_is_no_image_the_linker_loads_the_object_file(place, monkeypatch):
    def refused(code, symbol):
        raise object_files.CannotStandAlone("another processor")

    monkeypatch.setattr(kernel_builds, "image_of", refused)
    assert shared() == [2, 3]
    assert json.loads(place.read_bytes().partition(b"\n")[0])["fixups"] is None
    forget(monkeypatch)
    monkeypatch.setattr(kernels, "_compiled", no_compiler)
    assert shared() == [2, 3]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (b"MZ" + bytes(100), "no ELF file of 64 bits"),
        (b"\x7fELF\x02\x01" + bytes(10) + b"\x03\x00\xb7\x00" + bytes(100), "no object file"),
    ],
)
def test_object_files_of_other_machines_make_no_image(code, why):
    with pytest.raises(object_files.CannotStandAlone, match=why):
        object_files.image_of(code, "kernel")


@pytest.mark.skipif(not HAS_IMAGES, reason="the assembly is of x86-64")
@pytest.mark.parametrize(
    ("assembly", "why"),
    [
        (".text\nother: ret", "kernel is not in it"),
        (".text\nkernel: movabs $strlen, %rax\nret", "relocation 1 to 'strlen'"),
        (".text\nkernel: ret\n.data\n.quad 1", "writes to memory of its own"),
    ],
)
def test_code_that_needs_more_than_libc_makes_no_image(assembly, why):
    with pytest.raises(object_files.CannotStandAlone, match=why):
        object_files.image_of(assembled(assembly), "kernel")


def assembled(assembly: str) -> bytes:
    from llvmlite import binding

    kernels.linker()
    binding.initialize_native_asmparser()
    escaped = assembly.replace("\n", "\\0A")
    target = binding.Target.from_triple(binding.get_process_triple())
    machine = target.create_target_machine(codemodel="jitdefault", jit=True)
    return machine.emit_object(binding.parse_assembly(f'module asm "{escaped}"'))


@pytest.mark.skipif(not HAS_IMAGES, reason="the assembly is of x86-64")
def test_distances_and_addresses_are_filled_in():
    code = assembled(
        ".text\nother: mov there(%rip), %rax\nret\nkernel: movabs $other, %rax\ncall *%rax\nret"
        "\n.section .rodata\n.p2align 4\n.quad 1\nthere: .quad 42"
    )
    loaded = kernel_images.Loaded(*object_files.image_of(code, "kernel"))
    assert ctypes.CFUNCTYPE(ctypes.c_int64)(loaded.address)() == 42


def test_memory_that_runs_cannot_be_written_to():
    fixups = kernel_images.Fixups(0, [], {})
    loaded = kernel_images.Loaded(b"\xc3", fixups)
    maps = Path("/proc/self/maps").read_text("utf-8").splitlines()
    rights = [
        line.split()[1]
        for line in maps
        for start, end in [(int(of, 16) for of in line.split()[0].split("-"))]
        if start <= loaded.address < end
    ]
    assert rights == ["r-xp"]


def test_an_image_calls_nothing_but_libc():
    with pytest.raises(ValueError, match="no kernel calls system"):
        kernel_images.Loaded(bytes(8), kernel_images.Fixups(0, [], {"system": [0]}))


def test_set_up_finds_every_kernel_that_the_pipeline_calls():
    root = Path(kernels.__file__).parents[2]
    called = set()
    for path in root.glob("pipeline/**/*.py"):
        called |= set(re.findall(r"kernel\(\s*\S+, \"(\w+)\"\)", path.read_text("utf-8")))
    found = [name for _, name in kernel_builds.all_kernels(root)]
    assert called <= set(found)
    assert len(called) >= 12
