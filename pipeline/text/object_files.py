"""Images of compiled kernels, made of what LLVM emits: ELF object files of x86-64 processors.

What is read here: the sections that a process needs, laid out one behind the other, and the
relocations, each either done at once (a distance) or left to be filled in (an address). Sources:
System V ABI, chapters 4 and 5, and its supplement for AMD64, table 4.9.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from pipeline.text.kernel_images import OF_THE_SYSTEM, Fixups

_MAGIC = b"\x7fELF\x02\x01"
"""64 bits, little-endian."""
_RELOCATABLE_X86_64 = (1, 62)
_HEADER = struct.Struct("<16x2H20xQ10x3H")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")

_SYMBOLS, _RELOCATIONS, _WITHOUT_BYTES, _UNWIND = 2, 4, 8, 0x70000001
_WRITTEN, _IN_MEMORY = 1, 2
_UNWIND_NAME = b".eh_frame"
"""How exceptions leave a function: kernels raise none."""

_ADDRESS_64 = 1
_DISTANCES = {2: struct.Struct("<i"), 4: struct.Struct("<i"), 24: struct.Struct("<q")}
"""By relocation type how wide the distance is: PC32, PLT32, PC64."""


class CannotStandAlone(Exception):
    """The code cannot be made to run by itself."""


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    n_bytes: int
    link: int
    of: int
    align: int
    entry_bytes: int


def image_of(code: bytes, symbol: str) -> tuple[bytes, Fixups]:
    """Return an object file as an image and what is to be filled in.

    Raises:
        CannotStandAlone: another processor or format, memory to be written to, or something that
            libc does not have.
    """
    if not code.startswith(_MAGIC):
        raise CannotStandAlone("no ELF file of 64 bits")
    *what, table, _, n_sections, names_at = _HEADER.unpack_from(code)
    if tuple(what) != _RELOCATABLE_X86_64:
        raise CannotStandAlone("no object file of x86-64")
    ends = range(table, table + n_sections * _SECTION.size, _SECTION.size)
    sections = [_Section._make(_SECTION.unpack_from(code, at)) for at in ends]
    image, starts = _laid_out(code, sections, sections[names_at])
    (symbols,) = (section for section in sections if section.kind == _SYMBOLS)
    own: list[list[int]] = []
    calls: dict[str, list[int]] = {}
    entry = None
    found = []
    for name, _, _, of, value, _ in _records(_SYMBOL, code, symbols):
        called = _text(code, sections[symbols.link], name)
        place = starts[of] + value if of in starts else None
        found.append((called, place))
        if called == symbol.encode():
            entry = place
    if entry is None:
        raise CannotStandAlone(f"{symbol} is not in it")
    for section in sections:
        if section.kind != _RELOCATIONS or section.of not in starts:
            continue
        for offset, told, addend in _records(_RELOCATION, code, section):
            kind, (called, target) = told & 0xFFFFFFFF, found[told >> 32]
            place = starts[section.of] + offset
            if kind == _ADDRESS_64 and target is not None:
                own.append([place, target + addend])
            elif kind == _ADDRESS_64 and called.decode() in OF_THE_SYSTEM and not addend:
                calls.setdefault(called.decode(), []).append(place)
            elif kind in _DISTANCES and target is not None:
                _DISTANCES[kind].pack_into(image, place, target + addend - place)
            else:
                raise CannotStandAlone(f"relocation {kind} to {called.decode()!r}")
    return bytes(image), Fixups(entry, own, calls)


def _laid_out(
    code: bytes, sections: list[_Section], names: _Section
) -> tuple[bytearray, dict[int, int]]:
    """Return the sections that a process needs, and by number of a section where it starts."""
    image, starts = bytearray(), {}
    for number, section in enumerate(sections):
        is_unwind = section.kind == _UNWIND or _text(code, names, section.name) == _UNWIND_NAME
        if not section.flags & _IN_MEMORY or not section.n_bytes or is_unwind:
            continue
        if section.flags & _WRITTEN or section.kind == _WITHOUT_BYTES:
            raise CannotStandAlone("it writes to memory of its own")
        image += bytes(-len(image) % max(section.align, 1))
        starts[number] = len(image)
        image += code[section.offset : section.offset + section.n_bytes]
    return image, starts


def _records(layout: struct.Struct, code: bytes, section: _Section) -> Iterator[tuple[int, ...]]:
    return layout.iter_unpack(code[section.offset : section.offset + section.n_bytes])


def _text(code: bytes, names: _Section, at: int) -> bytes:
    start = names.offset + at
    return code[start : code.index(b"\0", start)]
