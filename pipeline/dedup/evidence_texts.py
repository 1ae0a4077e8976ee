"""The evidence of many pairs as JSON: the rule that decided, and the numbers that it looked at.

```text
{"n_changed_slots": 1, "n_equal_slots": 9,              only where one changed
 "n_numbers_only_left": 12, "n_numbers_only_right": 9,  only where not all are listed
 "n_shared_numbers": 7,
 "numbers_only_left": ["3%", "41142kg"], "numbers_only_right": ["5"],   only where there are some
 "rule": "near_long",
 "versions": [0, 1]}                                    only where one headline claims two
```

The keys are sorted, so that what the numbers of a pair say is one passage. It is written once for
each pair of kinds of numbers, and the others once for each value.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.dedup.judging import Evidence
from pipeline.dedup.number_pairs import NumberPairs, OwnNumbers

Numbers = NDArray[np.int64]

_MAX_LISTED_NUMBERS = 8
_ESCAPED = r'["\\\x00-\x1f]'
"""What JSON does not hold as it is."""


def evidence_texts(evidence: Evidence, rows: Numbers, rules: pa.StringArray) -> pa.StringArray:
    """Return the evidence of the pairs `rows`, whose rules these are."""
    numbers = _number_texts(evidence.numbers).take(pa.array(evidence.numbers.place[rows]))
    passages = _slot_texts(evidence, rows), numbers, _version_texts(evidence, rows)
    slots, numbers, versions = passages
    return pc.binary_join_element_wise(
        "{", slots, numbers, ', "rule": "', rules, '"', versions, "}", ""
    )


def _slot_texts(evidence: Evidence, rows: Numbers) -> pa.StringArray:
    n_equal, n_changed = (column[rows] for column in evidence.numbers.slots)
    n = int(n_equal.max(initial=0)) + 1

    def text(code: int) -> str:
        changed, equal = divmod(code, n)
        return f'"n_changed_slots": {changed}, "n_equal_slots": {equal}, ' if changed else ""

    return _written_once(np.where(n_changed > 0, n_changed * n + n_equal, 0), text)


def _version_texts(evidence: Evidence, rows: Numbers) -> pa.StringArray:
    left, right = evidence.versions[rows].T
    least = int(evidence.versions.min(initial=0))
    n = int(evidence.versions.max(initial=0)) - least + 1
    is_marked = (evidence.shared_title_chars[rows] > 0) & (left != right)

    def text(code: int) -> str:
        one, other = divmod(code, n)
        return f', "versions": [{one + least}, {other + least}]' if one != other else ""

    return _written_once(np.where(is_marked, (left - least) * n + right - least, 0), text)


def _written_once(codes: Numbers, text: Callable[[int], str]) -> pa.StringArray:
    """Return the text of each code; few codes are distinct."""
    coded = pa.array(codes).dictionary_encode()
    texts = [text(code) for code in coded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(coded.indices)


def _number_texts(numbers: NumberPairs) -> pa.StringArray:
    """Return what the numbers of each pair of kinds say."""
    quoted = _quoted(numbers.kinds.texts)
    left, right = numbers.own_of_kinds
    return pc.binary_join_element_wise(
        _unlisted("left", left),
        _unlisted("right", right),
        '"n_shared_numbers": ',
        pa.array(numbers.n_shared_of_kinds).cast(pa.string()),
        _listed("left", left, quoted),
        _listed("right", right, quoted),
        "",
    )


def _quoted(texts: pa.StringArray) -> pa.StringArray:
    if pc.any(pc.match_substring_regex(texts, _ESCAPED)).as_py():
        found = [json.dumps(text, ensure_ascii=False) for text in texts.to_pylist()]
        return pa.array(found, pa.string())
    return pc.binary_join_element_wise('"', texts, '"', "")


def _unlisted(side: str, own: OwnNumbers) -> pa.StringArray:
    """Return how many numbers one side has alone, where they are not all listed."""

    def text(n_own: int) -> str:
        return f'"n_numbers_only_{side}": {n_own}, ' if n_own else ""

    sizes = np.diff(own.bounds)
    return _written_once(np.where(sizes > _MAX_LISTED_NUMBERS, sizes, 0), text)


def _listed(side: str, own: OwnNumbers, quoted: pa.StringArray) -> pa.StringArray:
    """Return the first of the numbers that one side has alone, nothing where it has none."""
    sizes = np.diff(own.bounds)
    ends = np.cumsum(np.minimum(sizes, _MAX_LISTED_NUMBERS))
    within = np.arange(own.codes.size) - np.repeat(own.bounds[:-1], sizes)
    listed = quoted.take(pa.array(own.codes[within < _MAX_LISTED_NUMBERS]))
    offsets = pa.array(np.append(0, ends).astype(np.int32))
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, listed), ", ")
    whole = pc.binary_join_element_wise(f', "numbers_only_{side}": [', joined, "]", "")
    return pc.if_else(pa.array(sizes > 0), whole, "")
