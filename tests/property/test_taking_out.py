"""What removals leave of many articles at once is what they leave of each, read one by one."""

import re
from importlib.util import find_spec

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.dedup.taking_out import KEPT, PRECEDENCE, what_is_left, without_span, without_spans
from pipeline.interim import REMOVALS, SPANS
from pipeline.text.engine import choose_engine, chosen_engine
from pipeline.text.joined_keys import join_key_array, key_hashes
from pipeline.text.normalise import key_hash, make_keys
from pipeline.text.paragraphs import join_keys

WORD = re.compile(r"\w")
ACTIONS = ["drop_paragraph", "drop_span", "keep_paragraph"]

texts = st.lists(st.sampled_from(["* * *", "가나 다라", "one two three", "㎏ ½", "a"]), min_size=1)
removals = st.tuples(
    st.integers(0, 9),
    st.sampled_from(ACTIONS),
    st.sampled_from(PRECEDENCE),
    st.integers(0, 6),
    st.integers(0, 14),
)
articles = st.lists(
    st.tuples(texts.map(lambda t: t[:6]), st.lists(removals, max_size=6)), max_size=5
)


def identifier(number):
    return number.to_bytes(16, "big")


def tables(articles):
    spans, rows = [], []
    for number, (own, asked) in enumerate(articles):
        names = {"article_id": identifier(number), "revision_id": identifier(number)}
        for seq, text in enumerate(own):
            at = {"seq": seq, "start_char": 100 * seq, "end_char": 100 * seq + len(text)}
            spans.append(names | at | {"text": text, "key": text})
        for seq, action, reason, start, n_chars in asked:
            if seq < len(own):
                start = min(start, len(own[seq]))
                place = {
                    "paragraph_seq": seq,
                    "start_char": 100 * seq + start,
                    "end_char": 100 * seq + min(start + n_chars, len(own[seq])),
                }
                rows.append(names | place | {"action": action, "reason": reason})
    return (
        pa.Table.from_pylist(spans, schema=SPANS.schema),
        pa.Table.from_pylist(rows, schema=REMOVALS.schema),
    )


def plainly_left(own, rows):
    """Return the texts that stay, the reason of each that goes and the rows in effect, or None."""
    drops, cuts = {}, {}
    for place, row in sorted(rows, key=lambda pair: PRECEDENCE.index(pair[1]["reason"])):
        seq = row["paragraph_seq"]
        if row["action"] == "drop_paragraph":
            drops.setdefault(seq, place)
        elif row["action"] == "drop_span" and not any(
            other["start_char"] <= row["start_char"] and row["end_char"] <= other["end_char"]
            for _, other in cuts.get(seq, ())
        ):
            cuts.setdefault(seq, []).append((place, row))
    reasons = dict(rows)
    gone = {seq: reasons[place]["reason"] for seq, place in drops.items()}
    stay = {}
    for seq, text in enumerate(own):
        if seq in drops:
            continue
        start = 100 * seq
        taken = [(r["start_char"] - start, r["end_char"] - start) for _, r in cuts.get(seq, ())]
        left = without_spans(text, taken) if taken else text
        if left:
            stay[seq] = left
        else:
            gone[seq] = cuts[seq][0][1]["reason"]
    if not any(map(WORD.search, stay.values())):
        return None
    in_effect = set(drops.values())
    in_effect |= {place for seq in cuts.keys() - drops.keys() for place, _ in cuts[seq]}
    in_effect |= {
        place
        for place, row in rows
        if row["action"] == "keep_paragraph" and row["paragraph_seq"] not in gone
    }
    return stay, gone, in_effect, set()


def plainly(own, rows):
    if not rows:
        return dict(enumerate(own)), {}, set(), set()
    found = plainly_left(own, rows)
    credits = {place for place, row in rows if row["reason"] == "furniture_caption"}
    others = [(place, row) for place, row in rows if place not in credits]
    if found is None and credits and others:
        found = plainly_left(own, others)
        found = found and (*found[:3], credits)
    return found or (dict(enumerate(own)), {}, set(), {place for place, _ in rows})


@given(articles)
@settings(max_examples=500, deadline=None)
def test_many_articles_lose_what_each_one_loses(articles):
    spans, rows = tables(articles)
    left = what_is_left(spans, rows)
    named = list(enumerate(rows.to_pylist()))
    in_effect, given_up = set(), set()
    for number, (own, _) in enumerate(articles):
        asked = [(p, row) for p, row in named if row["revision_id"] == identifier(number)]
        stay, gone, effective, up = plainly(own, asked)
        first, last = left.firsts[number : number + 2].tolist()
        codes = left.reasons[first:last].tolist()
        assert {i: PRECEDENCE[c] for i, c in enumerate(codes) if c != KEPT} == gone
        kept = {i: left.cut_texts.get(first + i, own[i]) for i, c in enumerate(codes) if c == KEPT}
        assert kept == stay
        assert left.is_given_up[number] == (bool(up) and up == {p for p, _ in asked})
        in_effect |= effective
        given_up |= up
    assert set(np.flatnonzero(left.in_effect).tolist()) == in_effect
    assert set(np.flatnonzero(left.given_up).tolist()) == given_up


parts = st.lists(
    st.one_of(
        st.text(st.sampled_from("가나 ab1.-−%é\u0301ᅡᆨ𠀋ก\u3099か²"), max_size=6),
        st.text(max_size=4),
    ).filter(lambda t: not any(0xD800 <= ord(c) < 0xE000 for c in t)),
    max_size=6,
)


@given(st.lists(parts, max_size=5))
@settings(max_examples=500, deadline=None)
def test_keys_join_in_a_batch_as_one_by_one(texts):
    keys = [make_keys(own) for own in texts]
    flat = pa.array([key for own in keys for key in own], pa.large_string())
    bounds = np.cumsum([0, *map(len, keys)])
    joined = join_key_array(flat, bounds)
    assert joined.to_pylist() == [join_keys(own) for own in keys]
    engine = chosen_engine()
    for each in ("numpy", "compiled") if find_spec("numba") else ():
        choose_engine(each)
        assert join_key_array(flat, bounds).equals(joined)
    choose_engine(engine)
    assert key_hashes(joined).to_pylist() == [key_hash(key) for key in joined.to_pylist()]


@given(st.text("a \u3000\n가", max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_one_span_is_taken_out_as_several_are(text, begin, end):
    begin, end = sorted((min(begin, len(text)), min(end, len(text))))
    assert without_span(text, begin, end) == without_spans(text, [(begin, end)])
