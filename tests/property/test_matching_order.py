"""Candidates are a function of the set of articles, not of how they arrived."""

import hashlib
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.contracts import ID, TIME
from pipeline.dedup.bands import BandRules, search
from pipeline.dedup.bucket_pairs import CentreRule
from pipeline.dedup.signatures import Recipe, sign
from pipeline.interim import HASHES

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC).replace(tzinfo=None)
SCHEMA = pa.schema(
    [
        ("article_id", ID),
        ("source_id", pa.string()),
        ("published_at", TIME),
        ("title", pa.string()),
        ("text", pa.large_string()),
    ]
)
SYLLABLES = "가나다라마바사아자차카타파하고노도로모보소오조초코토포호"


def digest(name, size=16):
    return hashlib.blake2b(str(name).encode(), digest_size=size).digest()


def text_of(family, length, n_edits, edit):
    """Return a text of a family with some of its characters replaced."""
    numbers = [digest(f"{family}/{i}", 4) for i in range(length)]
    characters = [SYLLABLES[int.from_bytes(n, "little") % len(SYLLABLES)] for n in numbers]
    for number in range(n_edits):
        place = int.from_bytes(digest(f"{family}/{edit}/{number}", 4), "little") % length
        characters[place] = "끝"
    return "".join(characters)


ARTICLE = st.builds(
    dict,
    family=st.sampled_from([0, 0, 0, 1]),
    length=st.sampled_from([12, 40, 300, 300, 300, 300]),
    # Ten edits of 300 characters leave Jaccard 0.7 with the original, 0.55 with each other.
    n_edits=st.sampled_from([0, 1, 6, 10, 12]),
    edit=st.integers(0, 9),
    hours=st.sampled_from([0, 1, 20, 60, None]),
    source=st.sampled_from(["daily", "wire"]),
    title=st.sampled_from(["요금", "예산", None]),
)
ARTICLES = st.lists(ARTICLE, min_size=6, max_size=20)
# Few centres, so that a handful of articles displaces some and their pairs lapse.
FEW_CENTRES = [CentreRule(), CentreRule(1, 1, 0), CentreRule(3, 1, 9)]
RULES = st.sampled_from([BandRules(centres=centres) for centres in FEW_CENTRES])


def keys_of_articles(articles):
    rows = [
        {
            "article_id": digest(f"id {number} {sorted(a.items(), key=str)}"),
            "source_id": a["source"],
            "published_at": None if a["hours"] is None else NOON + timedelta(hours=a["hours"]),
            "title": a["title"],
            "text": text_of(a["family"], a["length"], a["n_edits"], a["edit"]),
        }
        for number, a in enumerate(articles)
    ]
    table = sign(pa.Table.from_pylist(rows, SCHEMA), Recipe())
    place = table.schema.get_field_index("passages")
    passages = [passages_of(key) for key in table["key"].to_pylist()]
    return table.set_column(place, table.schema.field(place), pa.array(passages, HASHES))


def passages_of(key):
    """Return a hash of every 60 characters of a key."""
    parts = {key[i : i + 60] for i in range(0, len(key) - 59, 60)}
    return sorted(int.from_bytes(digest(part, 8), "little") for part in parts)


@st.composite
def arrivals(draw):
    """Return the keys of some articles and a way in which they arrive, in batches."""
    articles = draw(ARTICLES)
    order = draw(st.permutations(range(len(articles))))
    cuts = sorted(draw(st.sets(st.integers(1, len(articles)), max_size=4)) | {len(articles)})
    batches = [order[start:end] for start, end in zip([0, *cuts], cuts, strict=False)]
    return keys_of_articles(articles), [batch for batch in batches if batch]


def pairs_of(table):
    return set(zip(table["left_id"].to_pylist(), table["right_id"].to_pylist(), strict=True))


@settings(max_examples=60, deadline=None)
@given(arrivals(), RULES)
def test_candidates_do_not_depend_on_the_batches(arrival, rules):
    keys, batches = arrival
    standing, history = set(), []
    for batch in batches:
        rows = keys.take(pa.array(batch))
        found = search(rows, history, rules)
        standing = (standing | pairs_of(found.pairs)) - pairs_of(found.lapsed)
        history.append(rows)
    assert standing == pairs_of(search(keys, [], rules).pairs)


@settings(max_examples=30, deadline=None)
@given(arrivals(), RULES)
def test_what_is_given_again_changes_nothing(arrival, rules):
    keys, batches = arrival
    again = keys.take(pa.array(batches[0]))
    found = search(again, [keys], rules)
    everything = pairs_of(search(keys, [], rules).pairs)
    assert pairs_of(found.pairs) <= everything
    assert not pairs_of(found.lapsed) & everything
    assert all(left < right for left, right in pairs_of(found.pairs))


@st.composite
def revised_arrivals(draw):
    """Return keys of articles in batches, and then of new texts of some of them in batches."""
    keys, batches = draw(arrivals())
    texts = keys_of_articles(draw(st.lists(ARTICLE, min_size=1, max_size=4)))
    revised = draw(st.permutations(range(len(keys))))[: len(texts)]
    ids = keys["article_id"].take(pa.array(revised))
    texts = texts.set_column(0, keys.schema.field(0), ids)
    cut = draw(st.integers(0, len(texts)))
    later = [part for part in (texts.slice(0, cut), texts.slice(cut)) if len(part)]
    return [keys.take(pa.array(batch)) for batch in batches] + later


def without(table, article_ids):
    """Return KEYS without some articles."""
    return table.filter(pc.invert(pc.is_in(table["article_id"], pa.array(article_ids, ID))))


@settings(max_examples=80, deadline=None)
@given(revised_arrivals(), RULES)
def test_candidates_do_not_depend_on_what_articles_said_before(batches, rules):
    standing, history = set(), []
    for rows in batches:
        found = search(rows, history, rules)
        own = rows["article_id"].to_pylist()
        standing = {pair for pair in standing if not set(own) & set(pair)}
        new = pairs_of(found.pairs)
        assert not new & standing
        standing = (standing | new) - pairs_of(found.lapsed)
        history = [*(without(table, own) for table in history), rows]
    assert standing == pairs_of(search(pa.concat_tables(history), [], rules).pairs)


def test_a_centre_that_leaves_makes_room_for_another():
    same = {"family": 0, "length": 300, "n_edits": 0, "hours": 0, "source": "daily", "title": None}
    keys = keys_of_articles([same | {"edit": edit} for edit in range(8)])
    other = keys_of_articles([same | {"family": 1, "edit": 0}])
    rules = BandRules(centres=CentreRule(1, 1, 0))
    pairs = pairs_of(search(keys, [], rules).pairs)
    (centre,) = set.intersection(*map(set, pairs))
    revised = other.set_column(0, keys.schema.field(0), pa.array([centre], ID))
    promoted = pairs_of(search(revised, [keys], rules).pairs)
    assert len(set.intersection(*map(set, promoted))) == 1
    assert len(promoted) == 6
    assert centre not in {i for pair in promoted for i in pair}
