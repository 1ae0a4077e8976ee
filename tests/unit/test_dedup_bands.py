from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from articles_factory import NOON, article, article_id, keys, names_of, story

from pipeline.dedup.bands import BandRules, find_candidates, search
from pipeline.dedup.bucket_pairs import CentreRule, Needed, displaced_pairs, grouped, new_pairs
from pipeline.dedup.mapped import ValueSet, id_words, ids_of, is_among, words_of
from pipeline.dedup.thinning import needed_entries
from pipeline.interim import HASHES

RULES = BandRules()
FEW = BandRules(centres=CentreRule(8, 2, 64))
FLASH = "시내버스 요금 내달 1일부터 150원 올라"


def found(batch, history=(), rules=RULES, names=()):
    return names_of(find_candidates(batch, list(history), rules), names)


def test_copies_meet_in_a_batch_and_across_the_history():
    original, copy = article("a", story(1)), article("b", story(1) + " 끝", source="other")
    stranger = article("c", story(2))
    assert found(keys(original, copy, stranger), names="abc") == [("a", "b")]
    assert found(keys(copy, stranger), [keys(original)], names="abc") == [("a", "b")]


def test_an_article_never_meets_itself():
    table = keys(article("a", story(1)), article("s", FLASH))
    assert find_candidates(table, [table], RULES).num_rows == 0


def test_a_stale_row_of_the_history_is_ignored():
    before = keys(article("a", story(1)), article("b", story(2)))
    revised = keys(article("a", story(2)))
    assert found(revised, [before], names="ab") == [("a", "b")]
    newcomer = article("c", story(1))
    assert found(keys(article("a", story(3)), newcomer), [before], names="abc") == []
    assert found(keys(newcomer), [before], names="abc") == [("a", "c")]


def test_equal_short_texts_meet_whatever_their_source_and_date():
    one = article("a", FLASH)
    other = article("b", FLASH, source="other", at=NOON + timedelta(days=300))
    pairs = find_candidates(keys(one, other), [], RULES)
    assert pairs["found_by"].to_pylist() == ["key"]
    assert found(keys(other), [keys(one)], names="ab") == [("a", "b")]


@pytest.mark.parametrize(
    ("changes", "meets"),
    [
        ({}, True),
        ({"at": NOON + timedelta(hours=30)}, True),
        ({"at": NOON - timedelta(hours=30)}, True),
        ({"at": NOON + timedelta(hours=49)}, False),
        ({"source": "other"}, False),
        ({"at": None}, False),
    ],
)
def test_near_short_texts_meet_within_a_source_and_a_day(changes, meets):
    one = article("a", FLASH + " 시민 불편 커질 듯", title="요금 인상")
    other = article("b", "[속보] " + FLASH + " 시민 불편 커질 듯", **{"title": "요금"} | changes)
    expected = [("a", "b")] if meets else []
    assert found(keys(one, other), names="ab") == expected
    assert found(keys(other), [keys(one)], names="ab") == expected
    assert found(keys(one), [keys(other)], names="ab") == expected


def test_undated_short_texts_meet_each_other():
    one = article("a", FLASH + " 시민 불편 커질 듯", at=None)
    other = article("b", "속보 " + FLASH + " 시민 불편 커질 듯", at=None)
    assert found(keys(other), [keys(one)], names="ab") == [("a", "b")]


@pytest.mark.parametrize(
    ("changes", "meets"),
    [
        ({}, True),
        ({"at": NOON + timedelta(hours=30)}, True),
        ({"at": NOON + timedelta(hours=49)}, False),
        ({"source": "other"}, False),
        ({"at": None}, False),
        ({"title": "예산안 부결"}, False),
        ({"title": None}, False),
    ],
)
def test_articles_of_one_headline_meet_though_they_share_nothing(changes, meets):
    one = article("a", "국회 본회의 통과", title="[속보] 예산안 처리")
    other = article("b", story(7), **{"title": "예산안 처리(종합)"} | changes)
    expected = [("a", "b")] if meets else []
    assert found(keys(one, other), names="ab") == expected
    assert found(keys(other), [keys(one)], names="ab") == expected
    assert found(keys(one), [keys(other)], names="ab") == expected
    kinds = find_candidates(keys(one, other), [], RULES)["found_by"].to_pylist()
    assert kinds == (["title"] if meets else [])


def with_passages(table, **passages):
    """Return KEYS with the passages of the named articles."""
    by_id = {article_id(name): words for name, words in passages.items()}
    lists = [by_id.get(i, []) for i in table["article_id"].to_pylist()]
    place = table.schema.get_field_index("passages")
    return table.set_column(place, table.schema.field(place), pa.array(lists, HASHES))


def test_articles_that_share_a_passage_meet():
    whole = with_passages(keys(article("a", story(1))), a=[2, 40, 71])
    parts = keys(article("b", story(2), source="other"), article("c", story(3), at=None))
    parts = with_passages(parts, b=[40, 900], c=[901])
    assert find_candidates(pa.concat_tables([whole, parts]), [], RULES)["found_by"].to_pylist() == [
        "passage"
    ]
    assert found(parts, [whole], names="abc") == [("a", "b")]
    assert found(whole, [parts.slice(0, 1), parts.slice(1)], names="abc") == [("a", "b")]


def test_empty_keys_meet_nothing():
    table = keys(article("a", "…"), article("b", ""), article("c", "!!"))
    assert find_candidates(table, [], RULES).num_rows == 0


def test_no_articles_and_no_history():
    nothing = keys()
    assert find_candidates(nothing, [], RULES).num_rows == 0
    assert find_candidates(nothing, [keys(article("a", story(1)))], RULES).num_rows == 0


def test_a_history_of_several_chunks_is_searched_whole():
    parts = [keys(article(n, story(n))) for n in range(4)]
    chunked = pa.concat_tables(parts)
    names = [*range(4), "copy"]
    batch = keys(article("copy", story(2)))
    by_id = {article_id(name): str(name) for name in names}
    (pair,) = find_candidates(batch, [chunked.slice(0, 1), chunked.slice(1)], RULES).to_pylist()
    assert {by_id[pair["left_id"]], by_id[pair["right_id"]]} == {"2", "copy"}


def reports(count, start=0):
    """Return weather reports of one template, each with a number of its own."""
    template = story("weather", 200)
    return [
        article(f"w{n}", f"{template} 기온은 {n}도, 습도는 {n + 3}퍼센트", source=f"s{n % 7}")
        for n in range(start, start + count)
    ]


def test_a_hot_bucket_is_reported_and_compared_in_part():
    table = keys(*reports(400))
    result = search(table, [], RULES)
    assert 400 < result.pairs.num_rows < 400 * 399 // 2 / 2
    sizes = [bucket.n_articles for bucket in result.hot_buckets]
    assert sizes[0] > 300
    assert sizes == sorted(sizes, reverse=True)
    assert {bucket.kind for bucket in result.hot_buckets} == {"band"}
    assert result.hot_buckets[0].example_id in table["article_id"].to_pylist()
    assert search(table, [], BandRules(hot_bucket=400)).hot_buckets == ()


def test_pairs_of_a_hot_bucket_grow_linearly():
    counts = [find_candidates(keys(*reports(n)), [], FEW).num_rows for n in (200, 800)]
    assert counts[1] < counts[0] * 4 * 1.5


def test_two_copies_meet_inside_a_hot_bucket_by_their_numbers():
    # So long a template that a report's own number reaches hardly any minimum of its signature.
    template = story("market", 1500)
    texts = [f"{template} {1000 + n}" for n in range(80)]
    originals = [article(f"m{n}", text) for n, text in enumerate(texts)]
    copies = [article(f"copy{n}", f"{texts[n]} 끝") for n in range(0, 80, 8)]
    pairs = find_candidates(keys(*originals, *copies), [], FEW)
    ends = set(zip(pairs["left_id"].to_pylist(), pairs["right_id"].to_pylist(), strict=True))
    for n in range(0, 80, 8):
        assert tuple(sorted((article_id(f"m{n}"), article_id(f"copy{n}")))) in ends


def test_pairs_lapse_when_their_bucket_grows():
    rules = BandRules(centres=CentreRule(30, 1, 900))
    names = [f"w{n}" for n in range(90)]
    first, second = keys(*reports(30)), keys(*reports(60, start=30))
    early = find_candidates(first, [], rules)
    assert early.num_rows == 30 * 29 // 2
    later = search(second, [first], rules)
    lapsed = set(names_of(later.lapsed, names))
    everything = set(names_of(early, names)) | set(names_of(later.pairs, names))
    final = set(names_of(find_candidates(keys(*reports(90)), [], rules), names))
    assert lapsed
    assert everything - lapsed == final


def test_the_number_of_centres_never_grows_with_the_bucket():
    rule = CentreRule()
    centres = rule.of(np.arange(1, 5000))
    assert (np.diff(centres) <= 0).all()
    assert rule.of(np.array([10, 64, 65, 128, 512, 100_000])).tolist() == [32, 32, 7, 4, 2, 2]


def bucket(n_stored, n_new):
    """Return one bucket in which the new articles have the smallest and the largest priority."""
    ranks = np.arange(n_stored + n_new, dtype=np.int32)
    is_new = np.zeros(n_stored + n_new, np.bool_)
    is_new[: n_new // 2] = is_new[n_stored + n_new // 2 :] = True
    zeros = np.zeros_like(ranks)
    own, stored = (zeros[is_new], ranks[is_new]), (zeros[~is_new], ranks[~is_new])
    return grouped(needed_entries(own, [stored], 1, ranks.size, CentreRule()), is_new)


def expanded(parts):
    return {
        (min(pair), max(pair))
        for one, other in parts
        for pair in zip(one.tolist(), other.tolist(), strict=True)
    }


@pytest.mark.parametrize("n_entries", [0, 1, 2, 60, 3_000])
@pytest.mark.parametrize("seed", range(5))
def test_entries_of_a_bucket_stand_together_by_rank(n_entries, seed):
    rng = np.random.default_rng(seed)
    buckets, ranks = rng.integers(0, 40, n_entries), rng.integers(0, 50, n_entries)
    sizes = np.bincount(buckets, minlength=40)
    order = rng.permutation(n_entries)
    needed = Needed((buckets << 6 | ranks)[order], 6, sizes, np.zeros(40, np.int64))
    group = grouped(needed, np.ones(50, np.bool_))
    expected = np.lexsort((ranks, buckets))
    assert group.articles.tolist() == ranks[expected].tolist()
    assert group.buckets.tolist() == buckets[expected].tolist()
    assert (group.end - group.start).tolist() == group.sizes.tolist()


def test_pairs_of_a_bucket_have_a_centre_and_a_new_article():
    group = bucket(n_stored=20, n_new=4)
    rule = CentreRule(3, 3, 0)
    new = {0, 1, 22, 23}
    every = {(i, j) for i in range(24) for j in range(i + 1, 24)}
    assert expanded(new_pairs(group, rule)) == {p for p in every if p[0] < 3 and set(p) & new}
    # 2, 3 and 4 were the centres; 0, 1 and 2 are.
    expected = {p for p in every if {3, 4} & set(p) and p[0] >= 3 and not set(p) & new}
    assert expanded(displaced_pairs(group, rule)) == expected


def test_value_set_finds_every_value_and_nothing_else():
    rng = np.random.default_rng(5)
    words = rng.integers(0, 2**64, (3000, 32), dtype=np.uint64)
    wanted = np.concatenate((words[::100, 7], rng.integers(0, 2**64, 500, dtype=np.uint64)))
    positions = ValueSet(wanted).positions_in(words)
    np.testing.assert_array_equal(positions, np.flatnonzero(np.isin(words, wanted)))
    assert ValueSet(np.empty(0, np.uint64)).positions_in(words).size == 0


def test_ids_as_words_keep_their_order_and_come_back():
    ids = sorted(article_id(n) for n in range(50))
    column = pa.array([*ids, *ids], pa.binary(16)).slice(50)
    words = id_words(column)
    assert np.array_equal(np.lexsort((words[:, 1], words[:, 0])), np.arange(50))
    assert ids_of(words).to_pylist() == ids
    assert is_among(words[:5], words[3:]).tolist() == [False] * 3 + [True] * 2
    assert words_of(pa.chunked_array([], pa.binary(16))).shape == (0, 2)
