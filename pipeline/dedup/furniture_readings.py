"""What the furniture of one paragraph says, wherever the paragraph stands.

Footers and bylines are printed again and again: what follows from their words alone is found once
a batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pipeline.dedup.furniture_cuts import (
    Cut,
    FurnitureRules,
    PatternTable,
    find_cuts,
    is_all_cut,
    place_of,
)
from pipeline.dedup.line_kinds import is_caption

_AGENCY_NAMES = {"reuter": "Reuters", "reuters": "Reuters", "news1": "뉴스1"}

_SHOWS = ("고 있다", "는 모습", "은 모습", "된 모습", "한 모습", "장면", "전경", "모습이다")
"""The last words of Korean captions: "... is doing", "a view of ..."."""

Action = tuple[str, str, int, int, str]
"""Action, reason, start, end and evidence."""


class Signed(NamedTuple):
    """What a byline, dateline or sign-off names."""

    named: tuple[tuple[str, str], ...]
    """Dateline and agency."""
    byline: str | None
    is_of_picture: bool | None
    """Whether it belongs to a caption; None where the paragraph before tells it."""


class Reading(NamedTuple):
    """The furniture of a paragraph."""

    actions: tuple[Action, ...]
    is_whole: bool
    """Whether nothing else is left of the paragraph."""
    notices: tuple[str, ...]
    """Rights notices, in the order of the text; those that touch are one."""
    signed: tuple[Signed, ...]


NOTHING = Reading((), False, (), ())


class Readings:
    """What the paragraphs of a batch say; a text that stands in like places is read once."""

    def __init__(self, rules: FurnitureRules, table: PatternTable) -> None:
        """Look where the rules say, for what the patterns know."""
        self._rules, self._table = rules, table
        self._known: dict[tuple[str, int, int, bool], Reading] = {}

    def of(self, text: str, index: int, from_end: int, may_hold_rights: bool) -> Reading:
        """Return the reading of a paragraph by its place in the article, counted from both ends."""
        rules = self._rules
        index, from_end = place_of(index, from_end, rules)
        own = text, index, from_end, may_hold_rights
        if own not in self._known:
            n_paragraphs = index + 1 + from_end
            cuts = find_cuts(
                text, index, n_paragraphs, rules, self._table, may_hold_rights=may_hold_rights
            )
            self._known[own] = _read(text, cuts) if cuts else NOTHING
        return self._known[own]


def _read(text: str, cuts: Sequence[Cut]) -> Reading:
    """Return what the cuts of a paragraph say."""
    is_whole = is_all_cut(text, cuts)
    signed = (_signed(text, cut) for cut in cuts if cut.pattern.kind != "rights" and cut.fields)
    actions = _actions(text, cuts, is_whole)
    return Reading(tuple(actions), is_whole, tuple(_notices(text, cuts)), tuple(signed))


def _notices(text: str, cuts: Sequence[Cut]) -> Iterator[str]:
    """Yield the rights notices of a paragraph."""
    notices: list[list[int]] = []
    for cut in cuts:
        if cut.pattern.kind != "rights":
            continue
        if notices and notices[-1][1] == cut.start:
            notices[-1][1] = cut.end
        else:
            notices.append([cut.start, cut.end])
    for start, end in notices:
        yield text[start:end].strip()


def _signed(text: str, cut: Cut) -> Signed:
    """Return what a byline, dateline or sign-off names."""
    named = tuple(
        (name, _AGENCY_NAMES.get(value.lower(), value))
        for name in ("dateline", "agency")
        if (value := cut.fields.get(name))
    )
    before, behind = text[: cut.start], text[cut.end :]
    is_of_picture: bool | None = bool(behind and is_caption(behind)) or is_picture(before)
    if not is_of_picture and not before and cut.pattern.place == "last":
        is_of_picture = None
    return Signed(named, cut.fields.get("byline"), is_of_picture)


def _actions(text: str, cuts: Sequence[Cut], is_whole: bool) -> Iterator[Action]:
    """Yield what is done with one paragraph, or its spans."""
    if is_whole:
        kinds = {cut.pattern.kind for cut in cuts}
        kind = "rights" if "rights" in kinds else cuts[0].pattern.kind
        names = ", ".join(cut.pattern.name for cut in cuts)
        yield "drop_paragraph", f"furniture_{kind}", 0, len(text), f"pattern {names}"
        return
    for cut in cuts:
        reason, name = f"furniture_{cut.pattern.kind}", cut.pattern.name
        yield "drop_span", reason, cut.start, cut.end, f"pattern {name}"


def is_picture(text: str) -> bool:
    """Return whether a paragraph tells what a picture shows."""
    end = len(text)
    while end and not (text[end - 1].isalnum() or text[end - 1] == "_"):
        end -= 1
    return bool(text) and (text.endswith(_SHOWS, 0, end) or is_caption(text))
