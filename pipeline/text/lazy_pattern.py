"""Regular expressions that are compiled when they are first used, not when they are defined."""

from __future__ import annotations

import re
from typing import Any


class LazyPattern:
    """A pattern whose methods are those of `re.Pattern`.

    For patterns of many thousand characters, which Python takes 0.1 to 0.3 s each to compile: a
    command that meets no text for them does not pay. The first use of a method puts the compiled
    pattern's own in its place, so later ones cost nothing more.
    """

    def __init__(self, regex: str, flags: re.RegexFlag = re.NOFLAG) -> None:
        """Keep the regex; nothing is checked yet."""
        self.regex = regex
        self.flags = flags

    def __getattr__(self, name: str) -> Any:
        """Return a method of the compiled pattern."""
        method = getattr(re.compile(self.regex, self.flags), name)
        setattr(self, name, method)
        return method
