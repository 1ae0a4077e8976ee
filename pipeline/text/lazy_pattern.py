"""Regular expressions that are compiled when they are first used, not when they are defined.

Python takes 0.1 to 260 ms to compile one of ours, 0.9 s for all: a command that meets no text for
them does not pay, and long ones are compiled once a machine. A test compiles them all.
"""

from __future__ import annotations

import re
from typing import Any, cast

from pipeline.text.kept_patterns import compiled


class LazyPattern:
    """A pattern whose methods are those of `re.Pattern`.

    The first use of a method puts the compiled pattern's own in its place, so later ones cost
    nothing more.
    """

    def __init__(self, pattern: str, flags: int = re.NOFLAG) -> None:
        """Keep the expression; nothing is checked yet."""
        self.pattern = pattern
        self.flags = flags

    def __getattr__(self, name: str) -> Any:
        """Return a method of the compiled pattern."""
        method = getattr(compiled(self.pattern, self.flags), name)
        setattr(self, name, method)
        return method

    def __reduce__(self) -> tuple[type[LazyPattern], tuple[str, int]]:
        """Travel to another process as compiled patterns do: as the expression alone."""
        return LazyPattern, (self.pattern, self.flags)


def lazy(pattern: str, flags: int = re.NOFLAG) -> re.Pattern[str]:
    r"""Return a pattern that is compiled when it is first used.

    >>> lazy(r"(\d+) articles").match("12 articles")[1]
    '12'
    """
    return cast("re.Pattern[str]", LazyPattern(pattern, flags))
