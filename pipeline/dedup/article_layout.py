"""What the layout of one article says of its lines: scripts, lists, verse, headings, captions."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cached_property
from itertools import pairwise

from pipeline.dedup import line_kinds
from pipeline.dedup.repeat_rules import RepeatRules

_STRETCH = 4
"""So many short lines in a row are a list, a table or verse: their equal lines are meant."""

_BULLET_STRETCH = 3
"""So many of them when each has a bullet or a number: the choices of a quiz."""

_VERSE_STRETCH = 6
"""So many when they end as sentences do: verse with full stops, a dialogue without labels."""

_VERSE_SHARE = 2 / 3
"""Of `min_near_chars`: 40 columns, wider than most verse; Japanese news has sentences of 58."""

_INNER_END = re.compile(r"[.!?。！？]\s")

MIN_SPEAKERS = 3
"""Label lines from which an article is taken for a script, where short answers repeat."""

_MIN_CAPTION_CHARS = 6
"""Marked captions ("▲ 나래호수 전경") and page chrome repeat by themselves from here on."""


class Article:
    """Paragraph texts and keys of one article, with what its layout says, found when asked."""

    def __init__(self, texts: Sequence[str], keys: Sequence[str], rules: RepeatRules) -> None:
        """Take texts and keys of the same length; empty keys (rules, stars) take no part."""
        # Patterns name composed Hangul.
        self.texts = [unicodedata.normalize("NFC", text) for text in texts]
        self.keys = keys
        self.rules = rules
        self.filled = [i for i, key in enumerate(keys) if key]
        self._sizes: dict[int, int] = {}
        self._short_lines: dict[int, bool] = {}
        # By the least number of lines, which is another for each kind.
        self._stretches: dict[int, dict[int, bool]] = {}

    @cached_property
    def is_script(self) -> bool:
        """Whether it is a broadcast script, an interview or a dialogue."""
        n_labels = sum(map(line_kinds.is_speaker_label, self.texts))
        n_turns = sum(map(line_kinds.is_turn, self.texts))
        n_questions = sum(map(line_kinds.is_question, self.texts))
        n_dashes = sum(map(line_kinds.is_dashed, self.texts))
        speakers = Counter(filter(None, map(line_kinds.speaker_of, self.texts)))
        n_named = sum(n for n in speakers.values() if n > 1)
        n_most = max(n_labels, n_turns, n_questions, n_dashes, n_named, len(self.alternating))
        return n_most >= MIN_SPEAKERS

    @cached_property
    def counts(self) -> Counter[str]:
        """How often each key stands in the article."""
        return Counter(self.keys)

    @cached_property
    def _places(self) -> dict[int, int]:
        """Where each paragraph stands in `filled`."""
        return {i: place for place, i in enumerate(self.filled)}

    def is_listed(self, i: int) -> bool:
        """Return whether a paragraph with a key is a line of a list, a table or verse."""
        return (
            self._is_in_stretch(i, self._is_short_line, _STRETCH)
            or self._is_in_stretch(i, self._is_bullet_line, _BULLET_STRETCH)
            or self._is_in_stretch(i, self._is_verse_line, _VERSE_STRETCH)
        )

    def _is_in_stretch(self, i: int, is_in: Callable[[int], bool], n_least: int) -> bool:
        """Return whether a line is one of such lines in a row, `n_least` and more different ones.

        Only the lines around it are looked at, and each row once.
        """
        known = self._stretches.setdefault(n_least, {})
        if i not in known:
            row = self._row_around(i, is_in)
            known[i] = False
            known.update(dict.fromkeys(row, len({self.keys[j] for j in row}) >= n_least))
        return known[i]

    def _row_around(self, i: int, is_in: Callable[[int], bool]) -> list[int]:
        """Return the lines of a kind that stand in a row with one of them, none around another."""
        if not is_in(i):
            return []
        first, end = self._places[i], self._places[i] + 1
        while first > 0 and is_in(self.filled[first - 1]):
            first -= 1
        while end < len(self.filled) and is_in(self.filled[end]):
            end += 1
        return self.filled[first:end]

    @cached_property
    def alternating(self) -> set[int]:
        """Indices of short lines that take turns, each with text after it: bare speaker labels."""
        stands: dict[str, list[int]] = {}
        for place, i in enumerate(self.filled):
            if self.counts[self.keys[i]] > 1 and self._is_label_like(i):
                stands.setdefault(self.keys[i], []).append(place)
        labels = {key for key, places in stands.items() if len(places) > 1}
        order = [(p, key) for key in labels for p in stands[key]]
        order.sort()
        followed = [p for p, _ in order if self._opens_text(p, labels)]
        n_switches = sum(left[1] != right[1] for left, right in pairwise(order))
        is_turning = n_switches >= MIN_SPEAKERS and 2 * n_switches >= len(order)
        if not is_turning or len(followed) < len(order):
            return set()
        return {self.filled[p] for p, _ in order}

    def _opens_text(self, place: int, labels: set[str]) -> bool:
        """Return whether a line that is no label follows the line at this place."""
        following = self.filled[place + 1 : place + 2]
        return bool(following) and self.keys[following[0]] not in labels

    def _is_label_like(self, i: int) -> bool:
        return (
            self._is_short_line(i)
            and not line_kinds.is_caption(self.texts[i])
            and not line_kinds.is_row(self.texts[i])
        )

    def is_short(self, i: int) -> bool:
        """Return whether a paragraph is shorter than `min_near_chars` wide characters."""
        return self._is_below(i, self.rules.min_near_chars)

    def _is_below(self, i: int, n_wide: int) -> bool:
        """Return whether a paragraph is shorter than so many wide characters."""
        # A wide size is at least half the length: most paragraphs need no more.
        return len(self.keys[i]) < 2 * n_wide and self.size(i) < n_wide

    def size(self, i: int) -> int:
        """Return the length of a paragraph's key in wide characters."""
        if (size := self._sizes.get(i)) is None:
            size = self._sizes[i] = line_kinds.wide_size(self.keys[i])
        return size

    def _is_short(self, i: int) -> bool:
        text = self.texts[i]
        return self.is_short(i) and not (line_kinds.is_credit(text) or line_kinds.is_chrome(text))

    def _is_bullet_line(self, i: int) -> bool:
        return self._is_short_line(i) and line_kinds.is_bullet(self.texts[i])

    def _is_verse_line(self, i: int) -> bool:
        if not self.is_short(i) or _INNER_END.search(self.texts[i]):
            return False
        return self.size(i) < _VERSE_SHARE * self.rules.min_near_chars and self._is_short(i)

    def _is_short_line(self, i: int) -> bool:
        if (found := self._short_lines.get(i)) is None:
            is_title = self.is_short(i) and not line_kinds.is_sentence(self.texts[i])
            found = self._short_lines[i] = is_title and self._is_short(i)
        return found

    def is_guarded(self, i: int) -> bool:
        """Return whether a line repeats on purpose: label, turn, short answer, list, row, score."""
        text = self.texts[i]
        if line_kinds.is_speaker_label(text):
            return True
        # Only short lines are listed or take turns: a long one need not look at all the others.
        if self.is_short(i) and (self.is_listed(i) or i in self.alternating):
            return True
        if self._is_below(i, self.rules.min_long_chars):
            if line_kinds.is_turn(text) or line_kinds.is_row(text):
                return True
            is_spoken = line_kinds.is_question(text) or line_kinds.is_dashed(text)
            if (is_spoken or line_kinds.speaker_of(text)) and self.is_script:
                return True
        return self.is_short(i) and line_kinds.is_sentence(text) and self.is_script

    def is_solid(self, i: int) -> bool:
        """Return whether a paragraph can be a repeat on its own."""
        text, n_chars = self.texts[i], len(self.keys[i])
        if line_kinds.is_chrome(text) or _is_marked_caption(text):
            return n_chars >= min(_MIN_CAPTION_CHARS, self.rules.min_single_chars)
        if n_chars < self.rules.min_single_chars or self.is_guarded(i):
            return False
        # Two words of Latin letters are a heading or an answer, not a sentence printed twice.
        is_short = self._is_below(i, self.rules.min_single_chars)
        return not is_short or line_kinds.is_credit(text)

    def is_section_head(self, i: int, first: int) -> bool:
        """Return whether a line heads a section, and its first stand announced it or heads another.

        What stands at the top as a contents list or a deck heads its own text further down; a
        marked heading ("◇장점") may stand over the text of each section.
        """
        text = self.texts[i]
        if not self._is_below(i, self.rules.min_long_chars) or line_kinds.is_sentence(text):
            return False
        if line_kinds.is_credit(text) or line_kinds.is_caption(text):
            return False
        place, first_place = self._places[i], self._places[first]
        beside = [p for p in (first_place - 1, first_place + 1) if 0 <= p < place]
        decks = [self.filled[p] for p in beside if self._is_deck(self.filled[p], first)]
        if any(self._returns(j) for j in decks) and not any(
            self._returns(self.filled[p])
            for p in (place - 1, place + 1)
            if first_place < p < len(self.filled)
        ):
            return True
        if not self._heads_prose(place):
            return False
        if line_kinds.is_marked_heading(text) and self._heads_prose(first_place):
            return self.keys[self.filled[place + 1]] != self.keys[self.filled[first_place + 1]]
        return bool(decks)

    def _returns(self, i: int) -> bool:
        """Return whether the key of a paragraph stands more than once."""
        return self.counts[self.keys[i]] > 1

    def _heads_prose(self, place: int) -> bool:
        """Return whether a paragraph of body text follows the line at this place."""
        following = self.filled[place + 1 : place + 3]
        if line_kinds.is_marked_heading(self.texts[self.filled[place]]):
            # A picture may stand between a marked heading and its text.
            following = [i for i in following if not line_kinds.is_caption(self.texts[i])]
        for i in following[:1]:
            text = self.texts[i]
            is_long = len(self.keys[i]) >= self.rules.min_near_chars
            return is_long and not line_kinds.is_caption(text) and _ends_prose(text)
        return False

    def _is_deck(self, i: int, other: int) -> bool:
        """Return whether a line is a deck like the other: short, no sentence, no credit."""
        text = self.texts[i]
        return (
            self.keys[i] != self.keys[other]
            and self._is_below(i, self.rules.min_long_chars)
            and not line_kinds.is_sentence(text)
            and not line_kinds.is_credit(text)
            and not line_kinds.is_caption(text)
        )


def _is_marked_caption(text: str) -> bool:
    return text[:1] in "▲△▼▽" and len(text) > 1


def _ends_prose(text: str) -> bool:
    return line_kinds.is_sentence(text) or text.endswith(("다", ":", "："))
