"""Machine code of a numba kernel that runs without numba and without Python.

numba compiles a kernel into a function with a C interface, and wraps that for the interpreter. Here
the wrapper is left out, and what its runtime would do (memory for `np.empty`) is a few lines that
call `malloc`; nothing else may be missing in the code, or it is not kept.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from llvmlite import binding  # type: ignore[import-untyped]

from pipeline.text.kernel_images import OF_THE_SYSTEM, Fixups
from pipeline.text.kernels import Parameter, Shape, linker
from pipeline.text.object_files import CannotStandAlone, image_of

# What numba's runtime offers kernels. Memory is counted by its users: the head of 48 bytes holds
# the count, two fields for a destructor, the place of the memory and its size. A count of zero
# calls `NRT_MemInfo_call_dtor`; that and the count itself are code of the kernel.
_RUNTIME = """
declare ptr @malloc(i64)
declare void @free(ptr)

define ptr @NRT_Allocate(i64 %size) {
  %memory = call ptr @malloc(i64 %size)
  ret ptr %memory
}

define void @NRT_Free(ptr %memory) {
  call void @free(ptr %memory)
  ret void
}

define ptr @NRT_MemInfo_alloc_aligned(i64 %size, i32 %align) {
  %wide = zext i32 %align to i64
  %before = add i64 %wide, 48
  %all = add i64 %before, %size
  %head = call ptr @malloc(i64 %all)
  %failed = icmp eq ptr %head, null
  br i1 %failed, label %end, label %fill
fill:
  %from = ptrtoint ptr %head to i64
  %last = sub i64 %before, 1
  %past = add i64 %from, %last
  %mask = sub i64 0, %wide
  %place = and i64 %past, %mask
  store i64 1, ptr %head
  %fields = getelementptr i64, ptr %head, i64 1
  store i64 0, ptr %fields
  %second = getelementptr i64, ptr %head, i64 2
  store i64 0, ptr %second
  %third = getelementptr i64, ptr %head, i64 3
  store i64 %place, ptr %third
  %fourth = getelementptr i64, ptr %head, i64 4
  store i64 %size, ptr %fourth
  %fifth = getelementptr i64, ptr %head, i64 5
  store i64 0, ptr %fifth
  br label %end
end:
  ret ptr %head
}

define void @NRT_MemInfo_call_dtor(ptr %head) {
  call void @free(ptr %head)
  ret void
}
"""


class Built(NamedTuple):
    """A kernel as an image, or as an object file, which has no fixups."""

    code: bytes
    shape: Shape
    fixups: Fixups | None


def build(module: str, name: str) -> Built | Callable[..., Any]:
    """Compile a kernel; return numba's own function where its code cannot stand alone."""
    dispatcher: Any = getattr(import_module(module), name)
    (result,) = dispatcher.overloads.values()
    try:
        takes = tuple(map(_parameter, result.signature.args))
        gives = _given(result.signature.return_type)
        shape = Shape(result.fndesc.llvm_func_name, takes, gives)
        code = _object_file(result.library, shape.symbol)
    except (CannotStandAlone, AttributeError, TypeError, RuntimeError):
        # Names inside numba and llvmlite may change: then numba runs the kernel as it always can.
        return dispatcher  # type: ignore[no-any-return]
    try:
        image, fixups = image_of(code, shape.symbol)
    except CannotStandAlone:
        return Built(code, shape, None)
    return Built(image, shape, fixups)


def all_kernels(root: Path) -> Iterator[tuple[str, str]]:
    """Yield module and name of each kernel under a folder: what has an explicit signature.

    They are found in the sources: importing a module would compile what is kept already.
    """
    for path in sorted(root.glob("pipeline/**/*_compiled.py")):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        for statement in ast.parse(path.read_text("utf-8")).body:
            if isinstance(statement, ast.FunctionDef) and any(
                isinstance(call, ast.Call) and call.args for call in statement.decorator_list
            ):
                yield module, statement.name


def _parameter(numba_type: Any) -> Parameter:
    from numba import types
    from numba.np.numpy_support import as_dtype

    if isinstance(numba_type, types.Array) and numba_type.layout == "C" and numba_type.aligned:
        dtype = as_dtype(numba_type.dtype).name
        return Parameter(dtype, numba_type.ndim, numba_type.mutable)
    if numba_type in (types.int64, types.uint64, types.float64):
        return Parameter(str(numba_type))
    raise CannotStandAlone(str(numba_type))


def _given(numba_type: Any) -> str | None:
    from numba import types

    if numba_type not in (types.none, types.int64, types.uint64, types.float64):
        raise CannotStandAlone(str(numba_type))
    return None if numba_type == types.none else str(numba_type)


def _object_file(library: Any, symbol: str) -> bytes:
    """Return the machine code of one function and of what it calls."""
    from numba.core.registry import cpu_target

    module = binding.parse_assembly(library.get_llvm_str())
    module.link_in(binding.parse_assembly(_RUNTIME))
    for part in (*module.functions, *module.global_variables):
        if not part.is_declaration and part.name != symbol:
            part.linkage = binding.Linkage.internal
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()[:3]
    target = binding.Target.from_triple(triple)
    machine = target.create_target_machine(
        cpu=name, features=features, opt=3, codemodel="jitdefault", jit=True
    )
    passes = binding.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, binding.create_pass_builder(machine, binding.PipelineTuningOptions()))
    declared = {of.name for of in module.functions if of.is_declaration}
    declared |= {of.name for of in module.global_variables if of.is_declaration}
    linker()  # makes the symbols of this process known
    here = {of for of in OF_THE_SYSTEM if binding.address_of_symbol(of)}
    missing = {of for of in declared - here if not of.startswith("llvm.")}
    if missing:
        raise CannotStandAlone(", ".join(sorted(missing)))
    return bytes(machine.emit_object(module))


def sources(module: str, root: Path) -> list[str]:
    """Return the files of a module and of all modules of ours it imports when it is loaded."""
    found: dict[str, None] = {}
    waiting = [module]
    while waiting:
        path = Path(*waiting.pop().split(".")).with_suffix(".py")
        if path.as_posix() not in found and (root / path).exists():
            found[path.as_posix()] = None
            waiting += _imported(ast.parse((root / path).read_text("utf-8")))
    return sorted(found)


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield the modules of ours that a module imports, lazily or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pipeline."):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
