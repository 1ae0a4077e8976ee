import pyarrow as pa
from articles_factory import article, article_id, articles_table, keys, story

from pipeline.dedup.signatures import Recipe, keys_of, sign
from pipeline.interim import KEYS
from pipeline.text.normalise import key_hash


def row_of(table, name):
    (row,) = [r for r in table.to_pylist() if r["article_id"] == article_id(name)]
    return row


def test_keys_hold_what_is_compared():
    row = row_of(keys(article("a", "요금은 1,500원이다.", title="[속보] 요금 인상(종합)")), "a")
    assert row["key"] == "요금은1500원이다"
    assert row["key_hash"] == key_hash(row["key"])
    assert row["title_key"] == "요금인상"
    assert row["numbers"] == ["1500KRW"]
    assert row["n_shingles"] == 3  # the windows that begin at 요, 금 and 은; others run over


def test_short_and_empty_texts_are_not_signed():
    table = keys(article("short", "짧은 속보다"), article("empty", "…"), article("long", story(1)))
    assert {r["article_id"] for r in table.to_pylist() if r["signature"]} == {article_id("long")}
    assert table["bands"].null_count == table["signature"].null_count == 2
    assert row_of(table, "empty")["n_shingles"] == 0


def test_min_shingles_decides_what_is_signed():
    table = articles_table([article("a", story(1, 30))])
    assert sign(table, Recipe())["signature"].null_count == 0
    assert sign(table, Recipe(min_shingles=1000))["signature"].null_count == 1


def test_missing_title_and_date_are_taken():
    row = row_of(keys(article("a", story(1), title=None, at=None)), "a")
    assert row["title_key"] == ""
    assert row["published_at"] is None


def test_no_articles_give_no_keys():
    assert sign(articles_table([]), Recipe()).equals(KEYS.schema.empty_table())


def test_many_blocks_are_signed_as_one_by_one():
    rows = [article(n, story(n, 20 + 40 * (n % 40))) for n in range(150)]
    together = keys(*rows)
    alone = pa.concat_tables([keys(row) for row in rows[:20]])
    kept = [
        n
        for n, i in enumerate(together["article_id"].to_pylist())
        if i in set(alone["article_id"].to_pylist())
    ]
    assert together.take(kept).equals(alone.sort_by("article_id"))


def test_keys_of_stored_columns_equal_what_sign_gave():
    articles = articles_table(
        [article(n, story(n, 3 + 10 * n), title=None if n % 3 else f"{n}호") for n in range(30)]
        + [article("empty", ""), article("undated", story(99), at=None)]
    )
    signed = sign(articles, Recipe())
    signatures = signed.select(["article_id", "n_shingles", "signature"]).sort_by(
        [("article_id", "descending")]
    )
    assert keys_of(articles, signatures, Recipe()).equals(signed)
    assert keys_of(articles.slice(0, 0), signatures.slice(0, 0), Recipe()).num_rows == 0
