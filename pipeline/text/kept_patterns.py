"""Long regular expressions as their compiled code, kept by whoever compiled them first.

The patterns of photo credits are 13,000 to 49,000 characters each: Python takes 40 to 260 ms to
compile one, 0.8 s for all, in every process that meets Korean news. Their code is loaded in 6 ms.

`re` has no way to keep it: its own `re._compiler` calls `_sre.compile` with what is kept here, and
`_sre` checks the code that it is given. What another Python made is never found, and where these
names are missing or say no, `re.compile` does what it always does.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from array import array
from importlib import import_module
from typing import Any

from pipeline.text.kept_files import digest, keep, places, read_each

LONG_CHARS = 1_000
"""Shorter patterns take at most 5 ms."""
_ENDING = ".pattern"


def compiled(pattern: str, flags: int) -> re.Pattern[str]:
    """Return `re.compile(pattern, flags)`, which a long pattern waits for only once a machine."""
    if len(pattern) < LONG_CHARS or sys.implementation.name != "cpython":
        return re.compile(pattern, flags)
    try:
        return _read(pattern, flags) or _made(pattern, flags)
    except (ImportError, AttributeError, TypeError, RuntimeError):
        # Names inside `re` may change.
        return re.compile(pattern, flags)


def _file(pattern: str, flags: int) -> str:
    """Return a name of all that decides the code."""
    of = [sys.version, unicodedata.unidata_version, array("I").itemsize, pattern, flags]
    return f"{__name__}.{digest(json.dumps(of).encode())[:24]}{_ENDING}"


def _read(pattern: str, flags: int) -> re.Pattern[str] | None:
    """Return a pattern that was compiled before."""
    for kept in read_each(places(__name__, _file(pattern, flags))):
        head, _, code = kept.partition(b"\n")
        try:
            told = json.loads(head)
            if told["code"] == digest(code):
                words = array("I", code).tolist()
                return _pattern(pattern, told["flags"], words, told["groups"], told["names"])
        except (ValueError, KeyError):
            continue
    return None


def _made(pattern: str, flags: int) -> re.Pattern[str]:
    """Compile a pattern as `re._compiler.compile` does, and keep its code."""
    parsed = import_module("re._parser").parse(pattern, flags)
    words = import_module("re._compiler")._code(parsed, flags)
    state, code = parsed.state, array("I", words).tobytes()
    told = {
        "flags": int(flags | state.flags),
        "groups": state.groups,
        "names": state.groupdict,
        "code": digest(code),
    }
    keep(places(__name__, _file(pattern, flags)), json.dumps(told).encode() + b"\n" + code)
    return _pattern(pattern, told["flags"], words, told["groups"], told["names"])


def _pattern(
    pattern: str, flags: int, code: list[int], n_groups: int, names: dict[str, int]
) -> re.Pattern[str]:
    """Return a pattern of its code; group 0 is the whole match."""
    named: list[str | None] = [None] * n_groups
    for name, group in names.items():
        named[group] = name
    sre: Any = import_module("_sre")
    made: re.Pattern[str] = sre.compile(pattern, flags, code, n_groups - 1, names, tuple(named))
    return made
