"""A compiled kernel as an image: bytes that run from any place once a few addresses are filled in.

A linker loads object files too, but llvmlite's is all of LLVM: 30 ms of CPU to load it and 25 ms to
leave a process that has, for what is a copy and some tens of additions. `object_files` makes the
images when a kernel is compiled; where it cannot, llvmlite links as before.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

OF_THE_SYSTEM = ("malloc", "free", "memset", "memcpy", "memmove")
"""The functions of libc that a kernel may call."""

_ADDRESS = struct.Struct("<q")


@dataclass(frozen=True)
class Fixups:
    """What an image needs to run: places are bytes from its start, each of an address of 8."""

    entry: int
    """Where the kernel begins."""
    own: Sequence[Sequence[int]]
    """Pairs: a place, and what it refers to in the image itself."""
    calls: Mapping[str, Sequence[int]]
    """By function of the system the places that take its address."""


class Loaded:
    """An image in memory that may be run and not written; it lives as long as this object."""

    def __init__(self, code: bytes, fixups: Fixups) -> None:
        """Lay the image out.

        Raises:
            OSError: the system gives no memory that can be run.
        """
        self._memory = mmap.mmap(-1, len(code), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        self._memory.write(code)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        for place, to in fixups.own:
            _ADDRESS.pack_into(self._memory, place, start + to)
        for name, places in fixups.calls.items():
            for place in places:
                _ADDRESS.pack_into(self._memory, place, _address_of(name))
        if _libc().mprotect(start, len(code), mmap.PROT_READ | mmap.PROT_EXEC):
            raise OSError(ctypes.get_errno(), "memory cannot be made to run")
        self.address = start + fixups.entry


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return libc


@cache
def _address_of(name: str) -> int:
    if name not in OF_THE_SYSTEM:
        raise ValueError(f"no kernel calls {name}")
    return int(ctypes.cast(getattr(_libc(), name), ctypes.c_void_p).value or 0)
