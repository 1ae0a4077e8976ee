"""Labelled pairs: what a person says of two articles, read from JSONL and looked up.

One pair a line:

    {"left": "88231", "right": "0117", "kind": "wire", "label": "same"}

- `left`, `right` (also `id_a`, `id_b` or `left_id`, `right_id`): the source's own id, an
  article_id or a URL; where several sources use one id, `{"source_id": …, "native_id": …}`.
- `label`: `same` or `different`, true or false, or a word of SAME or DIFFERENT, in any case.
- `kind`: what the results are grouped by; without it the label as written. Without a label the
  kind counts as one where it is such a word, else the pair is left out and counted.

Other keys are ignored.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from pipeline.errors import UnechoError
from pipeline.report.published import rows

if TYPE_CHECKING:
    import duckdb

_SAME_WORDS = ("same", "true", "yes", "1", "dup", "duplicate", "copy", "repeat", "revision")
SAME = frozenset({*_SAME_WORDS, "exact", "near", "update"})
"""Labels that say: one story. The words of the relations, and of the sets we have met."""

_DIFFERENT_WORDS = ("different", "false", "no", "0", "diff", "event", "part", "contain", "template")
DIFFERENT = frozenset({*_DIFFERENT_WORDS, "contained", "series", "related"})
"""Labels that say: two stories. `contained` is one: a longer article is no copy of a caption."""

_SIDES = (("left", "right"), ("id_a", "id_b"), ("left_id", "right_id"))

LEFT_OUT = ("no_label", "unknown_id", "ambiguous_id", "one_article", "repeated")
"""Why a pair does not count: no label; an article that is not there; an id that several articles
have; both names mean one article; the same pair, kind and label as an earlier line."""


class PairsError(UnechoError):
    """The file of labelled pairs cannot be read as such."""


@dataclass(frozen=True)
class Name:
    """How a line names an article; `source_id` where it says so."""

    name: str
    source_id: str | None = None

    def __str__(self) -> str:
        """Return the name as messages show it."""
        return f"{self.source_id}/{self.name}" if self.source_id else self.name


@dataclass(frozen=True)
class LabelledPair:
    """One line; `is_same` is None where it has no label."""

    line: int
    left: Name
    right: Name
    kind: str
    is_same: bool | None


@dataclass(frozen=True)
class Found:
    """An article that a name leads to."""

    article_id: str
    source_id: str
    story_id: str | None


@dataclass(frozen=True)
class KnownPair:
    """A labelled pair whose articles are in the warehouse, `left_id < right_id`."""

    pair: LabelledPair
    left_id: str
    right_id: str
    is_one_story: bool

    @property
    def ends(self) -> tuple[str, str]:
        """Return both ids."""
        return self.left_id, self.right_id

    @property
    def is_same(self) -> bool:
        """Return the label."""
        return bool(self.pair.is_same)


@dataclass(frozen=True)
class KnownPairs:
    """The pairs that count, and those that do not, by reason (LEFT_OUT)."""

    known: list[KnownPair]
    left_out: dict[str, list[LabelledPair]]
    unknown: list[str]
    """Names that no article has, sorted."""


def read_pairs(lines: Iterable[str], place: str) -> list[LabelledPair]:
    """Return the labelled pairs of a JSONL file, empty lines left out.

    Raises:
        PairsError: names the first line that is no pair, and what is wrong with it.
    """
    return [
        _pair_of(line, number, f"{place}:{number}")
        for number, line in enumerate(lines, start=1)
        if line.strip()
    ]


def _pair_of(line: str, number: int, place: str) -> LabelledPair:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise PairsError(
            f"{place}: no JSON: {error}", next_step="write one object a line"
        ) from None
    if not isinstance(row, dict):
        raise PairsError(f"{place}: no JSON object", next_step="write one object a line")
    sides = next((s for s in _SIDES if all(row.get(side) is not None for side in s)), None)
    if sides is None:
        raise PairsError(f"{place}: no left and right", next_step="name both articles of the pair")
    left, right = (_name_of(row[side], f"{place}: {side}") for side in sides)
    label, kind = row.get("label"), row.get("kind")
    is_same = _is_same(label) if label is not None else _is_same(kind)
    if is_same is None and label is not None:
        raise PairsError(
            f"{place}: {label!r} is no label", next_step="write same or different (or a relation)"
        )
    group = kind if kind not in (None, "") else label
    return LabelledPair(number, left, right, "none" if group is None else _word(group), is_same)


def _name_of(value: object, place: str) -> Name:
    if isinstance(value, Mapping):
        native_id, source_id = value.get("native_id"), value.get("source_id")
        if native_id is None:
            raise PairsError(f"{place}: no native_id", next_step="name it, or write the id alone")
        return Name(str(native_id).strip(), None if source_id is None else str(source_id))
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise PairsError(f"{place}: {value!r} is no id", next_step="write an id or a URL")
    return Name(str(value).strip())


def _word(value: object) -> str:
    return str(value).strip().lower() if isinstance(value, bool) else str(value).strip()


def _is_same(value: object) -> bool | None:
    word = str(value).strip().lower()
    if word in SAME:
        return True
    return False if word in DIFFERENT else None


def look_up(connection: duckdb.DuckDBPyConnection, pairs: Iterable[LabelledPair]) -> KnownPairs:
    """Return the pairs with the articles of the published warehouse that they name."""
    pairs = list(pairs)
    named = _articles_named(connection, {n.name for p in pairs for n in (p.left, p.right)})
    left_out: dict[str, list[LabelledPair]] = {reason: [] for reason in LEFT_OUT}
    known: list[KnownPair] = []
    seen: set[tuple[str, str, str, bool]] = set()
    unknown: set[str] = set()
    for pair in pairs:
        sides = [_of_source(named[n.name], n.source_id) for n in (pair.left, pair.right)]
        unknown |= {str(n) for n, s in zip((pair.left, pair.right), sides, strict=True) if not s}
        if reason := _reason(pair, *sides):
            left_out[reason].append(pair)
            continue
        one, other = sorted((s[0] for s in sides), key=lambda found: found.article_id)
        is_one = one.story_id is not None and one.story_id == other.story_id
        key = (pair.kind, one.article_id, other.article_id, bool(pair.is_same))
        if key in seen:
            left_out["repeated"].append(pair)
            continue
        seen.add(key)
        known.append(KnownPair(pair, one.article_id, other.article_id, is_one))
    return KnownPairs(known, {r: p for r, p in left_out.items() if p}, sorted(unknown))


def _reason(pair: LabelledPair, left: list[Found], right: list[Found]) -> str | None:
    """Return why a pair cannot count, None where it can."""
    if not left or not right:
        return "unknown_id"
    if pair.is_same is None:
        return "no_label"
    if len(left) > 1 or len(right) > 1:
        return "ambiguous_id"
    return "one_article" if left[0].article_id == right[0].article_id else None


def _of_source(found: list[Found], source_id: str | None) -> list[Found]:
    return [f for f in found if source_id is None or f.source_id == source_id]


# http or https, www or not, a slash at the end or not: as `unecho explain` compares addresses.
_BARE = r"regexp_replace({}, '^https?://(www\.)?|/$', '', 'g')"

# The first way that leads anywhere counts: an id of ours is never taken for somebody's own.
_LOOK_UP = f"""
    WITH wanted AS (SELECT DISTINCT unnest($1::VARCHAR[]) AS name)
    SELECT name, 0 AS way, article_id, source_id, story_id
    FROM wanted JOIN articles_all ON article_id = TRY_CAST(name AS UUID)
    UNION ALL
    SELECT name, 1, article_id, source_id, story_id
    FROM wanted JOIN articles_all ON native_id = name
    UNION ALL
    SELECT name, 2, article_id, source_id, story_id
    FROM wanted JOIN articles_all ON url = name
    UNION ALL
    SELECT name, 3, article_id, source_id, story_id
    FROM wanted JOIN articles_all
    ON {_BARE.format("url")} = {_BARE.format("name")} AND contains(name, '/')
    ORDER BY ALL
"""


def _articles_named(
    connection: duckdb.DuckDBPyConnection, names: set[str]
) -> Mapping[str, list[Found]]:
    """Return the articles that each name leads to; nothing for a name that none has."""
    ways: dict[str, int] = {}
    found: defaultdict[str, list[Found]] = defaultdict(list)
    for row in rows(connection, _LOOK_UP, [sorted(names)]):
        if ways.setdefault(row["name"], row["way"]) == row["way"]:
            found[row["name"]].append(Found(row["article_id"], row["source_id"], row["story_id"]))
    return found


def left_out_line(found: KnownPairs) -> str | None:
    """Return one line that says how many pairs do not count and why; None when all count."""
    if not found.left_out:
        return None
    n_left_out = sum(map(len, found.left_out.values()))
    counted = ", ".join(f"{len(pairs)} {reason}" for reason, pairs in found.left_out.items())
    names = f"; not there: {', '.join(found.unknown[:3])}" if found.unknown else ""
    more = f" and {len(found.unknown) - 3} more" if len(found.unknown) > 3 else ""
    total = n_left_out + len(found.known)
    return f"{n_left_out} of {total} pairs are left out: {counted}{names}{more}"


def left_out_rows(found: KnownPairs) -> Iterator[dict[str, Any]]:
    """Yield what does not count, one row a pair, by reason and line."""
    for reason, pairs in found.left_out.items():
        for pair in pairs:
            ends = {"left": str(pair.left), "right": str(pair.right)}
            yield {"line": pair.line, **ends, "kind": pair.kind, "reason": reason}
