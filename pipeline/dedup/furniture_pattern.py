"""The form of a reviewed furniture pattern."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from pipeline.text.lazy_pattern import lazy

Kind = Literal["rights", "byline", "source", "caption"]
Place = Literal["line", "last", "head", "tail", "end"]

SIGN = r"(?:[ⓒ©Ⓒ]|\(c\)|（c）)"
HOLDER = r"(?:[^.!?。ⓒ©Ⓒ\n]|\.(?=\S))"
"""One character of a holder's name: points stand inside it (㈜, A.P.), no sentence ends in it."""

EMAIL = r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)*"

# A tail begins the paragraph, follows the end of a sentence, or opens with a sign of its own.
_AFTER = (
    r"(?:^|(?<=[.!?。！？…।؟\"'”’»」』)\]】〉》>])|(?<=다)(?=\s)"
    r"|\s(?=[\[(<【〈*※]))\s*(?:[-–—|/▶※*·ㅣ]\s*)*"
)
_END = r"[\s.,!。·|\])>】〉》〕-]*$"


@dataclass(frozen=True, slots=True)
class FurniturePattern:
    """A pattern of one paragraph, with an example that it was written for.

    `place` says where it may stand:

    - `line`: the whole paragraph;
    - `last`: the whole paragraph, one of the very last;
    - `head`: its beginning (what follows is body text and stays);
    - `tail`: its end, after the end of a sentence (what stands before is body text and stays);
    - `end`: its end, after anything.

    Our own are of kind `rights` and `byline`; `source` and `caption` are whole lines at any place,
    for patterns of one source.

    Groups named `byline`, `dateline` and `agency` (also with `_` and more after it, as names must
    differ within a pattern) are lifted into fields.
    """

    name: str
    language: str
    kind: Kind
    place: Place
    regex: re.Pattern[str]
    example: str
    sieve: str = ""
    """Found wherever the pattern matches, "" where nothing is known: a cheap look, also for RE2,
    which Arrow runs over whole columns. So its words are literal, and no look-around is in it."""


def pattern(
    name: str, language: str, kind: Kind, place: Place, regex: str, example: str, sieve: str = ""
) -> FurniturePattern:
    """Return the pattern, written for its place."""
    if place in ("line", "last"):
        regex = rf"^[\s\[(<【〈（]*(?:{regex}){_END}"
    elif place == "tail":
        regex = rf"{_AFTER}(?:{regex}){_END}"
    elif place == "end":
        regex = rf"\s*(?:{regex}){_END}"
    else:
        regex = rf"^(?:{regex})"
    # Case matters to names and places; notices are printed in any case.
    flags = re.IGNORECASE if kind == "rights" else re.NOFLAG
    return FurniturePattern(name, language, kind, place, lazy(regex, flags), example, sieve)
