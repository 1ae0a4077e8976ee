"""Which article a record is, and which content of it."""

from __future__ import annotations

import unicodedata
from datetime import datetime
from typing import Any

import pytest

from pipeline.sources.identity import article_id, content_hash, digest, revision_id
from pipeline.sources.urls import TRACKING_PARAMETERS, url_key

CONTENT: dict[str, Any] = {
    "title": "t",
    "original_text": "text",
    "url": "https://a.example/1",
    "byline": "b",
    "published_at": datetime(2026, 3, 2),  # noqa: DTZ001 (naive UTC, as stored)
    "updated_at": datetime(2026, 3, 3),  # noqa: DTZ001
    "section": "s",
    "language": "ko",
    "publisher": "p",
}


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


def test_the_native_id_decides_within_its_source() -> None:
    one = article_id("s", "1", "https://a.example/1", "t", "text")
    assert one == article_id("s", "1", None, "other", "other")
    assert one != article_id("s", "2", "https://a.example/1", "t", "text")
    assert one != article_id("other", "1", "https://a.example/1", "t", "text")
    assert len(one) == 16


def test_without_an_id_the_url_decides() -> None:
    one = article_id("s", None, "https://www.a.example/1?utm_source=x", "t", "text")
    assert one == article_id("s", "", "http://a.example/1#top", None, "other")
    assert one != article_id("s", None, "https://a.example/2", "t", "text")
    assert one != article_id("s", "https://a.example/1", None, "t", "text")


def test_without_both_title_and_text_decide() -> None:
    one = article_id("s", None, None, "t", "text")
    assert one != article_id("s", None, None, None, "text")
    assert one != article_id("s", None, None, "", "text")
    assert one != article_id("s", None, None, "t", "other")
    assert one != article_id("s", None, None, "", "ttext")


def test_the_unicode_form_does_not_matter() -> None:
    assert article_id("한", "가", None, None, "") == article_id(
        nfd("한"), nfd("가"), None, None, ""
    )
    assert article_id("s", None, None, "제목", "글") == article_id(
        "s", None, None, nfd("제목"), nfd("글")
    )


@pytest.mark.parametrize("field", CONTENT)
def test_every_published_field_makes_another_content(field: str) -> None:
    value = CONTENT[field]
    other = value + "x" if isinstance(value, str) else value.replace(second=1)
    changed = {content_hash(**CONTENT | {field: v}) for v in (value, other)}
    if field != "original_text":
        changed.add(content_hash(**CONTENT | {field: None}))
    assert len(changed) == (2 if field == "original_text" else 3)


def test_the_address_counts_by_its_key() -> None:
    one = content_hash(**CONTENT)
    tracked = CONTENT["url"].replace("https://", "http://www.") + "?utm_source=rss&fbclid=1#top"
    assert content_hash(**CONTENT | {"url": tracked}) == one
    assert content_hash(**CONTENT | {"url": CONTENT["url"] + "?id=2"}) != one


def test_the_form_of_a_content_does_not_matter_but_its_place_does() -> None:
    words = {"title": "제목", "original_text": "본문"}
    decomposed = {key: nfd(value) for key, value in words.items()}
    assert content_hash(**CONTENT | words) == content_hash(**CONTENT | decomposed)
    swapped = {"section": CONTENT["language"], "language": CONTENT["section"]}
    assert content_hash(**CONTENT) != content_hash(**CONTENT | swapped)


def test_a_revision_is_a_content_of_an_article() -> None:
    first, second = digest(b"x", "1"), digest(b"x", "2")
    assert len({revision_id(a, b) for a in (first, second) for b in (first, second)}) == 4


def test_ids_do_not_change_between_versions() -> None:
    """Stored ids must be found again: a change here needs a rebuild of every warehouse."""
    article = article_id("hanbit.example", "HB-1", None, None, "")
    assert article.hex() == "800408d6e2dcd62c7e79ab003e992294"
    assert content_hash(**CONTENT).hex() == "02dd75f680afc4ac4c4b89250bb4e5f9"
    assert revision_id(article, content_hash(**CONTENT)).hex() == "c5200552eca00f85716f12e03bed422d"


class TestUrlKey:
    @pytest.mark.parametrize(
        ("url", "key"),
        [
            ("https://a.example/news/1", "//a.example/news/1"),
            ("http://www.a.example/news/1", "//a.example/news/1"),
            ("https://a.example", "//a.example/"),
            ("HTTPS://A.Example:443/News/1", "//a.example/News/1"),
            ("http://a.example:80/1", "//a.example/1"),
            ("http://a.example:8080/1", "//a.example:8080/1"),
            ("https://user:secret@a.example/1", "//a.example/1"),
            ("https://a.example/1#comments", "//a.example/1"),
            ("https://a.example/1?", "//a.example/1"),
            ("https://a.example/1?utm_source=x&UTM_Medium=y&fbclid=z", "//a.example/1"),
            ("https://a.example/1?b=2&a=1&gclid=x", "//a.example/1?a=1&b=2"),
            ("https://a.example/1?b=2&&a", "//a.example/1?a=&b=2"),
            ("https://a.example/?no=1&section=sc1", "//a.example/?no=1&section=sc1"),
            ("https://a.example/view.php?code=123", "//a.example/view.php?code=123"),
            ("https://a.example/a/../b/./c", "//a.example/b/c"),
            ("https://a.example/%7euser/%ea%b0%80", "//a.example/~user/%EA%B0%80"),
            ("https://a.example/가?q=나", "//a.example/%EA%B0%80?q=%EB%82%98"),
            ("https://한국.example/1", "//xn--3e0b707e.example/1"),
            ("  https://a.example/1\n", "//a.example/1"),
            ("https://a.example/a//b", "//a.example/a//b"),
            ("https://a.example/1/", "//a.example/1/"),
            ("urn:uuid:1", "urn:uuid:1"),
            ("/news/1", "/news/1"),
            ("http://[broken", "http://[broken"),
            ("https://a.example:port/1", "https://a.example:port/1"),
            ("https:///1", "https:///1"),
        ],
    )
    def test_examples(self, url: str, key: str) -> None:
        assert url_key(url) == key

    @pytest.mark.parametrize("name", sorted(TRACKING_PARAMETERS))
    def test_every_listed_tracker_is_dropped(self, name: str) -> None:
        assert url_key(f"https://a.example/1?{name}=x&id=1") == "//a.example/1?id=1"

    @pytest.mark.parametrize(
        "name", ["id", "no", "idxno", "arcid", "code", "aid", "oid", "uid", "seq", "article_no"]
    )
    def test_parameters_that_name_articles_stay(self, name: str) -> None:
        assert url_key(f"https://a.example/?{name}=1") != url_key(f"https://a.example/?{name}=2")

    def test_a_key_of_a_key_is_the_key(self) -> None:
        for url in ("https://www.a.example:443/b?z=1&y=%ea#c", "http://a.example/ b?c= d"):
            assert url_key("https:" + url_key(url)) == url_key(url)
