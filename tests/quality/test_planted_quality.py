"""The planted edits of every kind and language, held to their floors and to the written table."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.text.normalise import make_key
from pipeline.text.shingles import STORY, shingle_hashes
from tests.quality.corpus import LANGUAGES, MIN_SHINGLES, Article, articles
from tests.quality.floors import CORPUS_DIGEST, FLOORS
from tests.quality.planted import Measured, corpus_digest, kinds, measure
from tests.quality.spelled_numbers import numbers_otherwise
from tests.quality.table import DESCRIPTIONS, measure_seeds, table

QUALITY = Path(__file__).parents[2] / "warehouse" / "QUALITY.md"


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Measured:
    return measure(tmp_path_factory.mktemp("planted"))


def test_every_language_has_three_long_articles() -> None:
    assert tuple(articles()) == LANGUAGES
    for language, group in articles().items():
        assert len(group) >= 3, language
        for article in group:
            n_shingles = shingle_hashes(make_key(article.text), STORY).size
            assert n_shingles >= MIN_SHINGLES, (article.native_id, n_shingles)
            assert len(article.paragraphs) >= 3
            assert sum(map(len, article.sentences)) >= 8


def test_the_corpus_is_the_one_that_the_floors_were_set_on() -> None:
    assert corpus_digest() == CORPUS_DIGEST, "see tests/quality/floors.py"


def test_every_kind_has_a_floor_and_a_description() -> None:
    names = [kind.name for kind in kinds()]
    assert list(FLOORS) == names
    assert list(DESCRIPTIONS) == names


@pytest.mark.parametrize(
    ("language", "text", "otherwise"),
    [
        ("ko", "관객 1만2천명, 값 1천원", "관객 12,000명, 값 1,000원"),
        ("ko", "차량 12,800대, 사업비 1,240억원", "차량 1만2800대, 사업비 1240억원"),
        ("ko", "지수 2,814.36, 예산 3,400만원", "지수 2,814.36, 예산 34,000,000원"),
        ("ja", "約2,800平方メートル、1,450万円", "約2800平方メートル、14,500,000円"),
        ("en", "38 million euros for 1,240 trees", "38000000 euros for 1240 trees"),
        ("ru", "27,5 миллиона и 6 400 папок", "27500000 и 6400 папок"),
        ("hi", "5,80,000 और 3,400", "580000 और 3400"),
    ],
)
def test_numbers_written_otherwise_keep_their_value(
    language: str, text: str, otherwise: str
) -> None:
    article = Article("a", language, "", text)
    assert numbers_otherwise(article, article).text == otherwise


def test_every_kind_has_pairs_that_differ() -> None:
    for kind in kinds():
        assert len(kind.pairs) >= 2, kind.name
        assert all((a.title, a.text) != (b.title, b.text) for a, b in kind.pairs)


@pytest.mark.parametrize("kind", FLOORS)
def test_no_kind_falls_below_its_floor(kind: str, measured: Measured) -> None:
    outcomes = [o for o in measured.outcomes if o.kind == kind]
    missed = [(o.language, pair) for o in outcomes for pair in o.missed]
    assert sum(o.n_met for o in outcomes) >= FLOORS[kind], missed


def test_articles_that_no_edit_connects_are_never_one_story(measured: Measured) -> None:
    assert measured.strangers == []


def test_the_written_table_is_fresh(measured: Measured, tmp_path: Path) -> None:
    assert QUALITY.read_text("utf-8") == table(measured, measure_seeds(tmp_path / "seeds")), (
        "stale: run python -m tests.quality.table > warehouse/QUALITY.md"
    )
