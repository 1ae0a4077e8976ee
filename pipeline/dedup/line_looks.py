"""Which lines nothing but their repetition tells from a body: looks at a whole column.

What `line_classes` asks of one line after the other is asked here of all: a line in which none of
its patterns can match is plain, and none of the body. Half of the lines of a day's news are.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.furniture_sieve import MAY_COMPOSE
from pipeline.dedup.line_classes import HOUSE_WORDS, LEADING_SIGNS, MAX_PLAIN_CHARS, SIEVE, WORDS
from pipeline.dedup.line_masks import MASKED
from pipeline.dedup.line_masks import SIGNS as MASK_SIGNS
from pipeline.text.text_sieve import found_among

Flags = NDArray[np.bool_]

_CLOSERS = "[\"'”’»」』》〉）)\\]】]"
_MARKS = "[.\"”’']"

# RE2, which Arrow runs over a column; each finds at least what the pattern finds for which it
# stands. Of white space and letters outside ASCII it has another idea than Python: none is asked.
_SENTENCE_END = f"[.!?。！？…؟।]{_CLOSERS}{{0,7}}$"
"""`is_sentence` of the last eight characters, to the letter."""
_UNCLEAR = f"(?s)^[{LEADING_SIGNS}]|^[\\[(【].*=|{MASKED.pattern}"
"""A leading sign, the head of a caption, what looks like a mask."""
_OF_PROSE = f"[:：>»]|[?？؟]{_CLOSERS}{{0,7}}$|(?:^|[^니])다{_MARKS}{{0,6}}$|다{_MARKS}{{7}}$"
"""A speaker, a question, a report."""
_OF_LABELS = r"^\(|[:：)>\].\-–대\t|/]|  |^[^가-힣0-9A-Za-z_]*[가-힣]{2,3}[^가-힣0-9A-Za-z_]*$"
"""A mark of a script, a label, a turn, a row, a person."""


class Looks(NamedTuple):
    """What each text may hold, bool [n]: something to mask, words that tell, appeals."""

    may_mask: Flags
    may_tell: Flags
    may_appeal: Flags


def composed(texts: pa.LargeStringArray) -> pa.LargeStringArray:
    """Return NFC, in which patterns are written, of each text."""
    is_doubtful = found_among(texts, MAY_COMPOSE, np.ones(len(texts), np.bool_))
    if not is_doubtful.any():
        return texts
    few = [unicodedata.normalize("NFC", t) for t in texts.filter(pa.array(is_doubtful)).to_pylist()]
    return pc.replace_with_mask(texts, pa.array(is_doubtful), pa.array(few, pa.large_string()))


def look_at(texts: pa.LargeStringArray) -> Looks:
    """Return what each composed text may hold: most hold nothing that the patterns look for."""
    seen = SIEVE.look(texts)
    may_mask, may_tell, may_appeal = map(seen.may_hold, ("masked", "telling", "appealing"))
    may_tell = may_tell | may_appeal
    if not seen.is_sieved:
        may_mask, may_tell = (found_among(texts, r, may_tell) for r in (MASK_SIGNS, WORDS))
        may_appeal = found_among(texts, HOUSE_WORDS, may_tell)
    return Looks(may_mask, may_tell, may_appeal)


def are_plain(texts: pa.LargeStringArray, looks: Looks) -> Flags:
    """Return which composed texts are surely plain lines of kind `source`, and not marked."""
    found = ~(looks.may_mask | looks.may_tell | looks.may_appeal)
    found &= ~found_among(texts, _UNCLEAR, found)
    is_prose = pc.greater(pc.utf8_length(texts), MAX_PLAIN_CHARS).to_numpy(zero_copy_only=False)
    is_prose = is_prose | found_among(texts, _SENTENCE_END, found & ~is_prose)
    found &= ~found_among(texts, _OF_PROSE, found & is_prose)
    found &= ~found_among(texts, _OF_LABELS, found & ~is_prose)
    return found
