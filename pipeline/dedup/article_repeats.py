"""Which paragraphs of one article repeat others of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.dedup import line_kinds
from pipeline.dedup.article_layout import MIN_SPEAKERS, Article
from pipeline.dedup.near_repeats import Overlap, Shingles, compare
from pipeline.dedup.photo_credits import caption_core
from pipeline.dedup.repeat_blocks import Copy, are_beside, carried, find_runs, is_contiguous
from pipeline.dedup.repeat_rules import RepeatRules
from pipeline.text.normalise import make_key
from pipeline.text.numbers import extract_numbers
from pipeline.text.shingles import PARAGRAPH, shingle_hashes

_WHOLE_SHARE = 0.8
"""Share of all lines before it that a run of short lines must repeat to be a second printing."""


EQUAL = Overlap(1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Finding:
    """One paragraph that repeats `matched`; indices into the article's paragraphs."""

    index: int
    matched: int
    reason: str
    evidence: str
    overlap: Overlap = EQUAL


def equal_paragraphs(article: Article) -> list[Finding]:
    """Return the paragraphs that stood before: runs, then single ones."""
    findings = []
    for run in find_runs([article.keys[i] for i in article.filled]):
        indices = [article.filled[copy.at] for copy in run]
        goes = _run_goes(article, run, indices)
        members = [
            (i, copy) for i, copy, is_going in zip(indices, run, goes, strict=True) if is_going
        ]
        n_distinct = len({article.keys[i] for i, _ in members})
        is_block = n_distinct > 1 or _is_stutter(article, [i for i, _ in members])
        for i, copy in members:
            matched = article.filled[copy.first]
            if is_block:
                evidence = f"equal keys, run of {len(members)} paragraphs"
                findings.append(Finding(i, matched, "repeat_block", evidence))
            else:
                evidence = f"equal keys, {len(article.keys[i])} characters"
                findings.append(Finding(i, matched, "repeat_single", evidence))
    return findings


def _is_stutter(article: Article, going: Sequence[int]) -> bool:
    """Return whether one long paragraph is printed three times or more within a run."""
    return len(going) > 1 and all(
        len(article.keys[i]) >= article.rules.min_near_chars for i in going
    )


def _run_goes(article: Article, run: Sequence[Copy], indices: Sequence[int]) -> list[bool]:
    """Return which members of a run are removed."""

    def is_solid(place: int) -> bool:
        i = indices[place]
        return article.is_solid(i) and not article.is_section_head(
            i, article.filled[run[place].first]
        )

    # Where all stand beside each other one of them carries the others: mostly the longest does.
    if are_beside(run):
        longest_first = sorted(
            range(len(run)), key=lambda place: -len(article.keys[indices[place]])
        )
        if any(map(is_solid, longest_first)):
            return [True] * len(run)
    else:
        solid = [is_solid(place) for place in range(len(run))]
        if any(solid):
            return carried(run, solid)
    is_again = _is_second_printing(article, run, indices) or _is_short_prose(article, run, indices)
    return [is_again] * len(run)


def _is_unbroken(run: Sequence[Copy]) -> bool:
    return all(is_contiguous(left, right) for left, right in pairwise(run))


def _n_block_chars(article: Article, indices: Sequence[int]) -> int:
    """Return the characters of the distinct keys of a run, 0 when it is one key again and again."""
    keys = {article.keys[i] for i in indices}
    return sum(map(len, keys)) if len(keys) > 1 else 0


def _is_second_printing(article: Article, run: Sequence[Copy], indices: Sequence[int]) -> bool:
    """Return whether short lines alone repeat nearly all that stands before them."""
    is_whole = len(run) >= max(MIN_SPEAKERS, _WHOLE_SHARE * run[0].at)
    is_long = _n_block_chars(article, indices) >= article.rules.min_block_chars
    return is_whole and is_long and _is_unbroken(run)


def _is_short_prose(article: Article, run: Sequence[Copy], indices: Sequence[int]) -> bool:
    """Return whether a run of short sentences is no dialogue and no verse."""
    is_prose = all(line_kinds.is_sentence(article.texts[i]) for i in indices)
    is_long = _n_block_chars(article, indices) >= article.rules.min_block_chars
    if not (is_prose and is_long and _is_unbroken(run)):
        return False
    return not (article.is_script or all(map(article.is_listed, indices)))


def alike_paragraphs(
    article: Article, sets: Mapping[int, Shingles], covered: Mapping[int, float]
) -> list[Finding]:
    """Return blobs and near copies among paragraphs with distinct keys.

    `sets` holds the shingles of the paragraphs compared, in order; `covered` at least the share of
    each that the others of them hold.
    """
    rules = article.rules
    findings = _blobs(article, sets, covered)
    gone = {f.index for f in findings}
    kept: list[int] = []
    kept_covered: list[int] = []
    for j in sets:
        if j in gone or len(article.keys[j]) < rules.min_near_chars:
            continue
        # One of a near pair at least is held by others to `long_jaccard`.
        others = kept if covered[j] >= rules.long_jaccard else kept_covered
        pairs = [i for i in others if _may_be_near(i, j, sets, covered, rules)]
        found = [f for i in pairs if (f := _near(article, i, j, sets)) is not None]
        later = [f for f in found if f.index == j]
        if later:
            findings.append(max(later, key=lambda f: (f.overlap.jaccard, -f.matched)))
            continue
        findings += found
        gone_now = {f.index for f in found}
        kept = [i for i in kept if i not in gone_now] + [j]
        kept_covered = [i for i in kept if covered[i] >= rules.long_jaccard]
    return findings


def _may_be_near(
    i: int,
    j: int,
    sets: Mapping[int, Shingles],
    covered: Mapping[int, float],
    rules: RepeatRules,
) -> bool:
    """Return whether bounds on Jaccard and containment allow the pair to be near."""
    n_left, n_right = sets[i].size, sets[j].size
    is_inside = (n_right <= n_left and covered[j] >= rules.long_containment) or (
        n_left <= n_right and covered[i] >= rules.long_containment
    )
    bound = min(covered[i], covered[j], n_left / n_right, n_right / n_left)
    return is_inside or bound >= rules.long_jaccard


def _blobs(
    article: Article, sets: Mapping[int, Shingles], covered: Mapping[int, float]
) -> list[Finding]:
    """Return the paragraphs that are others of the article put together."""
    rules = article.rules
    findings = []
    for i in sets:
        # Windows across the joints are in no piece: four pieces of 30 characters cover 0.949.
        if covered[i] < rules.long_jaccard or len(article.keys[i]) < rules.min_long_chars:
            continue
        pieces = [
            j
            for j in sets
            if covered[j] >= rules.blob_piece_containment
            and len(article.keys[j]) * rules.blob_length_ratio <= len(article.keys[i])
            and compare(sets[j], sets[i]).left_containment >= rules.blob_piece_containment
        ]
        if len(pieces) < 2:
            continue
        joined = "\n".join(article.texts[j] for j in pieces)
        overlap = compare(shingle_hashes(make_key(joined), PARAGRAPH), sets[i])
        is_covered = overlap.right_containment >= rules.blob_coverage
        if is_covered and _numbers_inside(article.texts[i], joined):
            evidence = f"made of {len(pieces)} other paragraphs"
            findings.append(Finding(i, pieces[0], "repeat_blob", evidence, overlap))
    return findings


def _near(article: Article, i: int, j: int, sets: Mapping[int, Shingles]) -> Finding | None:
    """Return which of two paragraphs, `i` before `j`, repeats the other, if any.

    Of a caption and the paragraph that says the same, the paragraph stays.
    """
    rules, left, right = article.rules, article.texts[i], article.texts[j]
    overlap = compare(sets[i], sets[j])
    if max(overlap.left_containment, overlap.right_containment) < rules.long_jaccard:
        return None
    is_left_caption, is_right_caption = map(line_kinds.is_caption, (left, right))
    if is_left_caption != is_right_caption:
        caption, other = (i, j) if is_left_caption else (j, i)
        if (found := _caption_repeat(article, caption, other, sets)) is not None:
            return found
    if not all(
        is_caption or line_kinds.is_sentence(text)
        for text, is_caption in ((left, is_left_caption), (right, is_right_caption))
    ):
        return None
    n_left, n_right = len(article.keys[i]), len(article.keys[j])
    is_long = min(n_left, n_right) >= rules.min_long_chars
    enough = rules.long_jaccard if is_long else rules.near_jaccard
    if is_left_caption and is_right_caption:
        enough = rules.caption_jaccard
    if overlap.jaccard >= enough and _are_numbers_equal(left, right):
        evidence = f"Jaccard {overlap.jaccard:.2f}, equal numbers"
        if is_left_caption and not is_right_caption:
            return Finding(i, j, "repeat_near", f"caption, {evidence}", overlap.turned())
        return Finding(j, i, "repeat_near", evidence, overlap)
    enough = rules.caption_jaccard if is_left_caption else rules.long_containment
    # A whole paragraph, word for word, is enough from `min_near_chars` on.
    is_quoted = not is_left_caption and article.keys[j] in article.keys[i]
    is_inside = n_right <= n_left and overlap.right_containment >= enough
    is_inside = is_inside and (is_long or is_quoted)
    # A caption holds the lead and more: the lead stays.
    if is_inside and is_left_caption <= is_right_caption and _numbers_inside(right, left):
        evidence = f"{overlap.right_containment:.2f} inside a longer paragraph, numbers too"
        return Finding(j, i, "repeat_near", evidence, overlap)
    return None


def _caption_repeat(
    article: Article, caption: int, other: int, sets: Mapping[int, Shingles]
) -> Finding | None:
    """Return that a caption says, but for its credit, what a paragraph says."""
    rules = article.rules
    core = caption_core(article.texts[caption])
    core_key = make_key(core)
    if core == article.texts[caption] or len(core_key) < rules.min_near_chars:
        return None
    overlap = compare(sets[other], shingle_hashes(core_key, PARAGRAPH))
    is_long = min(len(core_key), len(article.keys[other])) >= rules.min_long_chars
    enough = rules.long_jaccard if is_long else rules.near_jaccard
    is_held = overlap.right_containment >= rules.caption_jaccard
    if overlap.jaccard < enough and not (is_held and line_kinds.is_sentence(core)):
        return None
    if not _numbers_inside(core, article.texts[other]):
        return None
    evidence = f"caption, Jaccard {overlap.jaccard:.2f} without its credit"
    return Finding(caption, other, "repeat_near", evidence, overlap)


def _are_numbers_equal(left: str, right: str) -> bool:
    """Return whether two texts hold the same quantities, and one's dates are among the other's."""
    left_dates, left_rest = _parted_numbers(left)
    right_dates, right_rest = _parted_numbers(right)
    are_dates_inside = left_dates <= right_dates or right_dates <= left_dates
    return left_rest == right_rest and are_dates_inside


def _numbers_inside(inner: str, outer: str) -> bool:
    """Return whether every quantity and date of `inner` stands in `outer` too."""
    inner_dates, inner_rest = _parted_numbers(inner)
    outer_dates, outer_rest = _parted_numbers(outer)
    return inner_dates <= outer_dates and set(inner_rest) <= set(outer_rest)


def _parted_numbers(text: str) -> tuple[set[str], Counter[str]]:
    """Return dates and times, and the quantities with how often each occurs."""
    dates, quantities = set(), Counter[str]()
    for number in extract_numbers(text):
        if number.startswith(("d:", "t:")):
            dates.add(number)
        else:
            quantities[number] += 1
    return dates, quantities
