"""Spans that two articles have in common, as offsets into their original texts."""

from __future__ import annotations

import random
from itertools import pairwise

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import ID
from pipeline.dedup.aligned_keys import align, pieces
from pipeline.dedup.common_runs import GUARANTEED_CHARS, common_runs
from pipeline.dedup.containment import SpanRules, find_spans
from pipeline.text.normalise import key_hash, make_key
from pipeline.text.paragraphs import paragraph_spans
from tests.unit.articles_factory import article_id, story

LEAD = (
    "강변 공원에 새 다리가 놓여 주민 삼천여 명이 개통식을 지켜봤고 시장은 산책로를 잇겠다고 말했다."
)
EDITED = LEAD.replace("개통식을", "개통 행사를")
QUOTE = (
    "“다리를 건너는 데 걸리는 시간이 절반으로 줄었다”고 강 건너 마을에 사는 어부가 웃으며 말했다."
)
ENGLISH = "The new bridge cuts the ride across the river to ten minutes, said the harbour master."

PARAGRAPHS = pa.schema(
    [
        ("article_id", ID),
        ("seq", pa.int32()),
        ("start_char", pa.int32()),
        ("end_char", pa.int32()),
        ("text", pa.large_string()),
        ("n_chars", pa.int32()),
        ("key_hash", ID),
        ("status", pa.string()),
    ]
)


def paragraphs(bodies, dropped=()):
    rows = []
    for name, body in bodies.items():
        for seq, (start, end) in enumerate(paragraph_spans(body)):
            text = body[start:end]
            status = "dropped" if (name, seq) in dropped else "kept"
            rows.append(
                {
                    "article_id": article_id(name),
                    "seq": seq,
                    "start_char": start,
                    "end_char": end,
                    "text": text,
                    "n_chars": end - start,
                    "key_hash": key_hash(make_key(text)),
                    "status": status,
                }
            )
    return pa.Table.from_pylist(rows, PARAGRAPHS)


def edge(one, other, relation="contained"):
    left, right = sorted((article_id(one), article_id(other)))
    return pa.table(
        {
            "left_id": pa.array([left], ID),
            "right_id": pa.array([right], ID),
            "relation": pa.array([relation]),
        }
    )


def shared_texts(one, other, *, rules=None, dropped=()):
    """Return what the spans of two bodies cut out: (text of one, text of other, kind)."""
    bodies = {"one": one, "other": other}
    found = find_spans(edge("one", "other"), paragraphs(bodies, dropped), rules or SpanRules())
    sides = ("left", "right") if article_id("one") < article_id("other") else ("right", "left")
    cut = []
    for row in found.to_pylist():
        texts = [
            body[row[f"{side}_start_char"] : row[f"{side}_end_char"]]
            for body, side in zip((one, other), sides, strict=True)
        ]
        cut.append((*texts, row["kind"]))
    return sorted(cut)


def test_equal_paragraphs_are_joined_wherever_they_stand():
    one = f"{LEAD}\n\n{QUOTE}"
    other = f"{story(1, 60)}\n\n{QUOTE}\n{story(2, 60)}\n\n{LEAD}"
    assert shared_texts(one, other) == sorted(
        [(LEAD, LEAD, "paragraph"), (QUOTE, QUOTE, "paragraph")]
    )


def test_an_equal_key_is_an_equal_paragraph():
    spaced = LEAD.replace("강변 공원", "강변공원")
    assert shared_texts(LEAD, f"{spaced}\n{QUOTE}") == [(LEAD, spaced, "paragraph")]


def test_an_edited_paragraph_is_one_span_around_the_edit():
    body = f"{story(1, 60)}\n\n{EDITED}\n\n{story(2, 60)}"
    assert shared_texts(LEAD, body) == [(LEAD, EDITED, "edited")]


def test_an_edit_that_is_too_long_parts_the_span():
    inserted = "이날 행사에는 이웃 도시의 시장과 다리를 설계한 기술자들도 함께 나와"
    body = LEAD.replace("개통식을", f"개통식을 {inserted}")
    whole = shared_texts(LEAD, body, rules=SpanRules(max_edit_chars=60))
    assert whole == [(LEAD, body, "edited")]
    apart = shared_texts(LEAD, body)
    assert 0 < len(apart) <= 2
    assert all(inserted not in other for _, other, _ in apart)


def test_a_sentence_is_cut_out_of_a_longer_paragraph():
    body = f"{story(3, 40)} {LEAD} {story(4, 40)}"
    assert shared_texts(f"{LEAD}\n\n{QUOTE}", body) == [(LEAD, LEAD, "edited")]


def test_words_of_latin_and_characters_of_han_are_cut_exactly():
    body = f"Traffic was light on Sunday. {ENGLISH} Fares stay."
    assert shared_texts(ENGLISH, body) == [(ENGLISH, ENGLISH, "edited")]
    japanese = "川にかかる新しい橋が開通し、市長は来年の春に遊歩道をつなぐと述べた"
    body = f"週末の人出は少なかったが{japanese}という"
    assert shared_texts(japanese, body) == [(japanese, japanese, "edited")]


def test_dropped_paragraphs_do_not_count():
    both = f"{LEAD}\n\n{QUOTE}"
    found = shared_texts(both, both, dropped={("one", 1), ("other", 1)})
    assert found == [(LEAD, LEAD, "paragraph")]


def test_nothing_in_common_is_no_span():
    assert shared_texts(story(1, 80), story(2, 80) + ENGLISH) == []
    assert shared_texts("· · ·", f"{LEAD}\n· · ·") == []


def test_a_paragraph_printed_twice_is_joined_once():
    assert shared_texts(f"{LEAD}\n{QUOTE}", f"{LEAD}\n{LEAD}") == [(LEAD, LEAD, "paragraph")]


def test_only_the_relations_asked_for_get_spans():
    table = paragraphs({"one": LEAD, "other": LEAD})
    near = edge("one", "other", "near")
    assert find_spans(near, table, SpanRules()).num_rows == 0
    assert find_spans(near, table, SpanRules(relations=("near",))).num_rows == 1
    assert find_spans(near.slice(0, 0), table, SpanRules()).num_rows == 0


text = st.text(st.sampled_from("ab 가나다漢ไทย.,'\n\u0301１ﬁ"), max_size=60)


@given(text)
def test_pieces_cover_everything_but_white_space_in_order(sample):
    spans = list(pieces(sample))
    assert all(start < end for start, end in spans)
    assert "".join(sample[start:end] for start, end in spans) == "".join(sample.split())
    assert spans == sorted(spans)


@given(st.lists(text, min_size=1, max_size=3))
def test_every_key_character_knows_its_piece(samples):
    (aligned,) = align([(samples, [100 * n for n in range(len(samples))])], "\0")
    assert len(aligned.key) == aligned.piece.size
    assert [c == "\0" for c in aligned.key] == [p == -1 for p in aligned.piece.tolist()]
    for character, piece in zip(aligned.key, aligned.piece.tolist(), strict=True):
        if character != "\0":
            start, end = aligned.spans[piece].tolist()
            part = samples[start // 100][start % 100 : end - start // 100 * 100]
            assert character in make_key(part)


@settings(max_examples=60)
@given(st.integers(0, 10_000))
def test_runs_are_common_disjoint_and_complete(seed):
    rng = random.Random(seed)
    words = [chr(0xAC00 + n) * 2 for n in range(40)]
    shared = "".join(rng.choice(words) for _ in range(GUARANTEED_CHARS))
    left = "".join(rng.choice(words) for _ in range(30)) + shared
    right = shared + "".join(rng.choice(words) for _ in range(30)) + shared[:30]
    runs = common_runs(left, right)
    for run in runs:
        one = left[run.left : run.left + run.length]
        assert one == right[run.right : run.right + run.length]
    for side in (0, 1):
        taken = sorted((run[side], run[side] + run.length) for run in runs)
        assert all(end <= start for (_, end), (start, _) in pairwise(taken))
    assert max(run.length for run in runs) >= len(shared)
