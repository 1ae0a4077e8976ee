"""Compiled kernels without their compiler: machine code kept by set-up, loaded by itself.

Loading numba and its copies of our kernels takes a process 0.6 s of CPU, every time anew. What it
makes of a kernel is plain machine code that needs neither numba nor Python: it is written beside
the sources once (`flows.warm`, or whoever comes first), and read in a millisecond or two.

What was made of other sources, by another numba or for another processor is never found. Where
anything is missing, numba compiles as it always did; the kernel is the same function either way.
"""

from __future__ import annotations

import ctypes
import json
import os
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.text.kept_files import ROOT, digest, keep, places, read_each
from pipeline.text.kernel_images import Fixups, Loaded

FORMAT = 2
_ENDING = ".kernel"
_SETTINGS = ("CPU_NAME", "CPU_FEATURES", "ENABLE_AVX", "OPT", "LOOP_VECTORIZE", "SLP_VECTORIZE")
"""Variables `NUMBA_…` that change the code."""
_ENDED_WELL = (0, -2)
"""What a function compiled by numba returns beside its result; anything else is an exception."""
_OF_THE_PROCESSOR = frozenset(
    {
        *("vendor_id", "cpu family", "model", "model name", "flags"),
        *("CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features"),
    }
)
"""Lines of /proc/cpuinfo that tell what code may run."""
_MOST_OF_A_PROCESSOR = 1 << 14
"""Characters: that file has as many parts as there are processors."""

_loading = threading.RLock()
_found: dict[tuple[str, str], Callable[..., Any]] = {}


@dataclass(frozen=True)
class Parameter:
    """A number (no dimensions), or an array in C order."""

    dtype: str
    n_dimensions: int = 0
    is_written: bool = False


@dataclass(frozen=True)
class Shape:
    """How a kernel is called: its name in the machine code, what it takes and gives."""

    symbol: str
    takes: tuple[Parameter, ...]
    gives: str | None


def kernel(module: str, name: str) -> Callable[..., Any]:
    """Return a kernel of a `*_compiled` module, which is imported only where it must be compiled.

    A kernel is a numba function with one explicit signature, and without numba's own cache, which
    does not see changes of what a kernel imports. It takes numbers and arrays in C order, returns
    one number or nothing and holds no lock of the interpreter. Other arrays raise TypeError.
    """
    with _loading:
        if (module, name) not in _found:
            _found[module, name] = _kept(module, name) or _compiled(module, name)
        return _found[module, name]


def load_all() -> int:
    """Load every kernel, compiling what was not kept; return how many there are."""
    from pipeline.text import kernel_builds

    return len([kernel(*names) for names in kernel_builds.all_kernels(ROOT)])


def any_loaded() -> bool:
    """Return whether this process has paid for the loading of kernels."""
    return bool(_found)


@cache
def any_kept() -> bool:
    """Return whether set-up has compiled kernels, or somebody since."""
    return any((ROOT / "pipeline" / "text" / "__pycache__").glob(f"*{_ENDING}"))


class Native:
    """Machine code as a function of arrays and numbers."""

    def __init__(self, address: int, shape: Shape, owner: object = None) -> None:
        """Call what lies at an address of this process, as long as its owner lives."""
        self._takes, self._gives, self._owner = shape.takes, shape.gives, owner
        flat = [of for parameter in shape.takes for of in _c_types(parameter)]
        prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, *flat)
        self._call = prototype(address)

    def __call__(self, *given: Any) -> Any:
        """Return what the kernel returns; a kernel that raises has run out of memory."""
        flat: list[Any] = []
        for value, parameter in zip(given, self._takes, strict=True):
            if parameter.n_dimensions:
                _lay_out(value, parameter, flat)
            else:
                flat.append(float(value) if parameter.dtype == "float64" else int(value))
        result = np.zeros(1, self._gives or np.int64)
        raised = ctypes.c_void_p()
        status = self._call(result.ctypes.data, ctypes.addressof(raised), *flat)
        if status not in _ENDED_WELL:
            raise MemoryError(f"a compiled kernel ended with status {status}")
        return result[0] if self._gives else None


def _c_types(parameter: Parameter) -> list[Any]:
    """Return how numba passes a parameter: of an array its owners, sizes, place and strides."""
    if parameter.n_dimensions:
        sizes = [ctypes.c_int64] * 2
        extents = [ctypes.c_int64] * (2 * parameter.n_dimensions)
        return [ctypes.c_void_p, ctypes.c_void_p, *sizes, ctypes.c_void_p, *extents]
    return [ctypes.c_double if parameter.dtype == "float64" else ctypes.c_int64]


def _lay_out(array: Any, parameter: Parameter, flat: list[Any]) -> None:
    """Append what numba passes of an array that belongs to someone else."""
    fits = (
        isinstance(array, np.ndarray)
        and array.dtype == parameter.dtype
        and array.ndim == parameter.n_dimensions
        and array.flags.c_contiguous
        and array.flags.aligned
        and (array.flags.writeable or not parameter.is_written)
    )
    if not fits:
        raise TypeError(f"the kernel takes {parameter}, not {array!r:.200}")
    place = array.__array_interface__["data"][0]
    flat += (None, None, array.size, array.itemsize, place, *array.shape, *array.strides)


def _kept(module: str, name: str) -> Native | None:
    """Return a kernel that was compiled before, of these very sources for this very machine."""
    for kept in read_each(_places(module, name)):
        head, _, code = kept.partition(b"\n")
        try:
            told = json.loads(head)
            is_whole = told["code"] == digest(code)
            if is_whole and all(_source(of) == told["sources"][of] for of in told["sources"]):
                takes = tuple(Parameter(*parameter.values()) for parameter in told["takes"])
                fixups = Fixups(**told["fixups"]) if told["fixups"] else None
                return _linked(code, Shape(told["symbol"], takes, told["gives"]), fixups)
        except (ValueError, KeyError, TypeError, OSError):
            continue
    return None


def _compiled(module: str, name: str) -> Callable[..., Any]:
    """Return a kernel compiled by numba, and keep it for other processes where that can be."""
    from pipeline.text import kernel_builds

    made = kernel_builds.build(module, name)
    if isinstance(made, kernel_builds.Built):
        sources = {of: _source(of) for of in kernel_builds.sources(module, ROOT)}
        takes = [asdict(parameter) for parameter in made.shape.takes]
        told = {
            "symbol": made.shape.symbol,
            "takes": takes,
            "gives": made.shape.gives,
            "fixups": asdict(made.fixups) if made.fixups else None,
            "sources": sources,
            "code": digest(made.code),
        }
        keep(_places(module, name), json.dumps(told).encode() + b"\n" + made.code)
        return _linked(made.code, made.shape, made.fixups)
    return made


def _places(module: str, name: str) -> list[Path]:
    return places(module, f"{module}.{name}.{_machine()}{_ENDING}")


@cache
def _machine() -> str:
    """Return the name of all that decides what code is made beside the sources."""
    of = [str(FORMAT), *(_version(package) for package in ("llvmlite", "numba")), *_processor()]
    of += [os.environ.get(f"NUMBA_{name}", "") for name in _SETTINGS]
    return digest(json.dumps(of).encode())[:16]


def _version(package: str) -> str:
    """Return what a package says of its version; to import it takes a hundred times as long."""
    found = find_spec(package)
    try:
        return Path(str(found and found.origin)).with_name("_version.py").read_text("utf-8")
    except OSError:
        return "none"


def _processor() -> list[str]:
    """Return what the processor is and can do."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as listed:
            first, _, _ = listed.read(_MOST_OF_A_PROCESSOR).partition("\n\n")
    except OSError:
        from llvmlite import binding  # type: ignore[import-untyped]

        features = binding.get_host_cpu_features().flatten()
        return [binding.get_process_triple(), binding.get_host_cpu_name(), features]
    told = [line for line in first.splitlines() if line.split("\t")[0] in _OF_THE_PROCESSOR]
    return [os.uname().sysname, os.uname().machine, *told]


@cache
def _source(of: str) -> str:
    """Return the digest of a source file, named from the root of the project."""
    try:
        return digest((ROOT / of).read_bytes())
    except OSError:
        return "missing"


def _linked(code: bytes, shape: Shape, fixups: Fixups | None) -> Native:
    """Return machine code as a function of this process."""
    if fixups:
        image = Loaded(code, fixups)
        return Native(image.address, shape, image)
    from llvmlite import binding

    engine = linker()
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    return Native(engine.get_function_address(shape.symbol), shape)


@cache
def linker() -> Any:
    """Return llvmlite's linker, for what is no image; the code lives as long as it does."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_triple(binding.get_process_triple())
    machine = target.create_target_machine(codemodel="jitdefault", jit=True)
    return binding.create_mcjit_compiler(binding.parse_assembly(""), machine)
