"""HTML files: what is read of them, and what becomes of pages that nobody should have written."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.contracts import DOCUMENTS
from pipeline.sources import pages
from pipeline.sources.files import ReadOptions, read_batches
from pipeline.sources.page_encoding import page_encoding
from pipeline.sources.pages import page_record
from pipeline.sources.parse import parse
from pipeline.sources.reread import reread
from tests.unit.sources_taking import take, write

SENTENCES = [
    f"한빛시는 {n}일 도서관 {n}곳을 열고 시민 {n * 137:,}명을 맞았다고 밝혔다. 책은 모두 새것이다."
    for n in range(2, 12)
]
# Syllables that CP949 has and EUC-KR lacks: pages that say euc-kr are full of them.
CP949_ONLY = "펲시맨과 똠방각하, 쀼의 세계와 뷁을 다룬 책도 있다고 시는 덧붙였다."
MENU = "".join(f'<li><a href="/s/{n}">메뉴 {n} 소식</a></li>' for n in range(40))
RELATED = "".join(
    f'<li><a href="/a/{n}">다른 기사의 제목 {n}번이 여기에 실린다</a></li>' for n in range(40)
)


def page(body: str, head: str = "", lang: str = "ko") -> str:
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">{head}</head><body>'
        f"<nav><ul>{MENU}</ul></nav>{body}<div class='others'><ul>{RELATED}</ul></div>"
        "<footer><p>한빛일보 발행인 홍길동이 만든다.</p></footer></body></html>"
    )


def record(markup: str, timezone: str = "Asia/Seoul") -> dict[str, str]:
    return page_record(markup.encode(), "utf-8", timezone)


def lines(markup: str) -> list[str]:
    return record(markup)["text"].split("\n")


class TestEncodings:
    def test_a_long_page_that_says_euc_kr_is_exact(self, tmp_path: Path) -> None:
        paragraphs = [*SENTENCES, CP949_ONLY] * 60
        markup = page(f"<article><p>{'</p><p>'.join(paragraphs)}</p></article>")
        raw = markup.replace("utf-8", "euc-kr").encode("cp949")
        assert len(raw) > 54_000
        (text,), refused = take(write(tmp_path, "a.html", raw))
        assert not refused
        assert text.split("\n") == paragraphs

    @pytest.mark.parametrize("encoding", ["cp949", "utf-8"])
    def test_a_damaged_byte_destroys_one_character(self, tmp_path: Path, encoding: str) -> None:
        markup = page(f"<article><p>{'</p><p>'.join(SENTENCES * 40)}</p></article>")
        markup = markup.replace("utf-8", "euc-kr" if encoding == "cp949" else "utf-8")
        raw = bytearray(markup.encode(encoding))
        raw[raw.index("도서관".encode(encoding), 20_000)] = 0xFF
        (text,), refused = take(write(tmp_path, "a.html", bytes(raw)))
        assert not refused
        assert 1 <= text.count("\ufffd") <= 3
        assert text.count("도서관") == 40 * len(SENTENCES) - 1

    @pytest.mark.parametrize(
        ("said", "written", "found"),
        [
            ("ks_c_5601-1987", "cp949", "cp949"),
            ("euc-kr", "utf-8", "utf-8"),
            ("utf-8", "cp949", "cp949"),
            ("iso-8859-1", "cp949", "cp949"),
            ("utf-16", "cp949", "cp949"),
            ("no-such-label", "cp949", "cp949"),
            ("", "cp949", "cp949"),
        ],
    )
    def test_labels_that_lie(self, said: str, written: str, found: str) -> None:
        markup = f"<html><head><meta charset='{said}'></head><p>{' '.join(SENTENCES)}</p>"
        assert page_encoding(markup.encode(written), is_whole=True) == found

    @pytest.mark.parametrize(
        ("said", "found"), [("windows-1252", "cp1252"), ("iso-8859-2", "iso8859-2")]
    )
    def test_a_label_tells_latin_letters_apart(self, said: str, found: str) -> None:
        markup = f"<meta http-equiv='Content-Type' content='text/html; charset={said}'>"
        raw = markup.encode() + "Après l'été, où était-il ?".encode("latin-1") * 5
        assert page_encoding(raw, is_whole=True) == found

    def test_a_byte_order_mark_and_a_named_encoding_win(self) -> None:
        raw = "<meta charset='euc-kr'><p>한글</p>".encode("utf-8-sig")
        assert page_encoding(raw, is_whole=True) == "utf-8"
        assert page_encoding(raw[3:], is_whole=True, label="cp949") == "cp949"

    def test_bytes_of_nothing_are_refused(self, tmp_path: Path) -> None:
        raw = b"<html><meta charset=utf-8><p>" + "가나다라".encode() + bytes(range(128, 256)) * 9
        _, refused = take(write(tmp_path, "a.html", raw), encoding="utf-8")
        assert set(refused) == {"broken_encoding"}


class TestTexts:
    @pytest.mark.parametrize(
        "frame",
        [
            "<article>{}</article>",
            "<div itemprop='articleBody'>{}</div>",
            "<div id='dic_area'>{}</div>",
            "<div class='article-body'>{}</div>",
            "<div class='x7'>{}</div>",
            "<table><tr><td class='x7'>{}</td></tr></table>",
            "<div class='x7'><div><div>{}</div></div><div><p></p></div></div>",
        ],
    )
    @pytest.mark.parametrize("between", ["</p><p>", "<br><br>", "<br />"])
    def test_a_paragraph_is_a_line(self, frame: str, between: str) -> None:
        inner = between.join(SENTENCES)
        inner = f"<p>{inner}</p>" if between == "</p><p>" else inner
        assert lines(page(f"<h1>새 도서관</h1>{frame.format(inner)}")) == SENTENCES

    @pytest.mark.parametrize("n_paragraphs", [3, 10])
    @pytest.mark.parametrize("before", ["", "<div>날씨는 맑고 바람이 조금 분다.</div>"])
    def test_paragraphs_in_boxes_of_their_own(self, n_paragraphs: int, before: str) -> None:
        wanted = SENTENCES[:n_paragraphs]
        boxes = "".join(f"<div class='row'><div><p>{line}</p></div></div>" for line in wanted)
        assert (
            lines(page(f"{before}<main><h1>새 도서관</h1>{boxes}</main>"))[-n_paragraphs:] == wanted
        )

    @pytest.mark.parametrize(
        "body",
        [
            "<article>{}</article>",
            "<div class='x'><p>{}</p></div>",
            "<div class='x'><div>{}</div></div>",
            "<div id='articleBody'>{}</div>",
            "<span>{}</span>",
        ],
    )
    def test_a_flash_takes_no_menu_in(self, body: str) -> None:
        flash = "[속보] 한빛시 도서관이 22일 문을 열었다."
        assert lines(page(body.format(flash))) == [flash]

    def test_a_flash_without_a_full_stop_comes_from_json_ld(self) -> None:
        flash = "[속보] 한빛시 새 도서관 개관"
        told = f'{{"@type": "NewsArticle", "articleBody": "{flash}&lt;br&gt;끝"}}'
        head = f'<script type="application/ld+json">{told}</script>'
        assert lines(page(f"<div>{flash}</div>", head)) == [flash, "끝"]

    def test_a_page_that_a_script_would_fill_is_read_from_json_ld(self) -> None:
        told = f'{{"@type": "Article", "articleBody": "{"<p>".join(SENTENCES)}"}}'
        head = f'<script type="application/ld+json">{told}</script>'
        assert lines(page("<div id=root></div>", head)) == SENTENCES

    def test_scripts_and_styles_are_no_text(self) -> None:
        body = (
            "<script>var a = '가짜 문장이다.'</script><style>p::before{content:'꾸밈이다.'}</style>"
        )
        assert lines(page(f"<article>{body}<p>{'</p><p>'.join(SENTENCES)}</p></article>")) == (
            SENTENCES
        )

    def test_the_title_is_not_the_first_paragraph(self) -> None:
        body = f"<article><h1>새 도서관</h1><p>{'</p><p>'.join(SENTENCES)}</p></article>"
        found = record(page(body, "<meta property='og:title' content='새 도서관'>"))
        assert found["title"] == "새 도서관"
        assert found["text"].split("\n") == SENTENCES

    def test_a_paragraph_with_something_left_out_stays(self) -> None:
        box = "<span class='share-box'>공유하기</span>"
        inner = f"<p>시장은 도서관이 늘어서 아주 기쁘다고 {box}이날 저녁 시민들에게 말했다.</p>"
        found = lines(page(f"<article><p>{'</p><p>'.join(SENTENCES)}</p>{inner}</article>"))
        assert found[:-1] == SENTENCES
        assert found[-1].startswith("시장은 도서관이")


class TestFacts:
    def test_meta_names_of_three_syllables_stay(self) -> None:
        assert record(page(f"<p>{SENTENCES[0]}</p>", "<meta name=author content=홍길동>"))[
            "byline"
        ] == ("홍길동")

    def test_the_publisher_is_no_author(self) -> None:
        head = (
            "<meta property='og:site_name' content='한빛일보'>"
            "<meta property='og:article:author' content='한빛일보 | 네이버'>"
        )
        assert "byline" not in record(page(f"<p>{SENTENCES[0]}</p>", head))

    @pytest.mark.parametrize(
        ("head", "body", "said"),
        [
            ("", "입력 2026.11.22. 오후 2:03 수정 2026.11.22. 오후 3:00", "2026.11.22. 오후 2:03"),
            ("", "<b>승인</b> <i>2026-11-22 14:03</i>", "2026-11-22 14:03"),
            ("", "<span data-date-time='2026-11-22 14:03:11'></span>", "2026-11-22 14:03:11"),
            ("", "<time datetime='2026-11-22T05:03:00Z'>오늘</time>", "2026-11-22T05:03:00Z"),
            # What says more goes before what stands first.
            (
                "<meta name=date content=2026-11-22>",
                "<time itemprop=datePublished datetime='2026-11-22T14:03+09:00'>오늘</time>",
                "2026-11-22T14:03+09:00",
            ),
        ],
    )
    def test_dates(self, head: str, body: str, said: str) -> None:
        found = record(page(f"<div>{body}</div><article>{SENTENCES[0]}</article>", head))
        assert found["published_at"] == said

    @pytest.mark.parametrize(
        ("links", "url"),
        [
            ("<link rel=canonical href='https://a.example/1'>", "https://a.example/1"),
            (
                "<link rel=canonical href='/1'><meta property=og:url content='http://a.example/2'>",
                "http://a.example/2",
            ),
            ("<link rel=canonical href='https://a.example/'>", None),
            ("<link rel=canonical href='https://a.example/?no=3'>", "https://a.example/?no=3"),
            ("<link rel=canonical href='javascript:void(0)'>", None),
            ("<link rel=canonical href='https://[a'>", None),
        ],
    )
    def test_addresses(self, links: str, url: str | None) -> None:
        assert record(page(f"<article>{SENTENCES[0]}</article>", links)).get("url") == url

    def test_broken_json_ld_is_passed_over(self) -> None:
        head = (
            "<script type='application/ld+json'>{'no': json</script>"
            "<script type='application/ld+json'><!--\n"
            '{"@type": "NewsArticle", "headline": "새\n말"}'
            "\n--></script>"
        )
        assert record(page(f"<article>{SENTENCES[0]}</article>", head))["title"] == "새 말"


class TestBadPages:
    @pytest.mark.parametrize("n_levels", [300, 20_000])
    @pytest.mark.parametrize("tag", ["div", "font", "table"])
    def test_deep_pages_keep_their_text(self, n_levels: int, tag: str) -> None:
        text = f"<p>{'</p><p>'.join(SENTENCES)}</p>"
        deep = f"<{tag}>" * n_levels + text + f"</{tag}>" * n_levels
        assert lines(page(f"{deep}<p>{CP949_ONLY}</p>"))[: len(SENTENCES)] == SENTENCES

    @pytest.mark.parametrize(
        "markup",
        [
            "<html></html>",
            "<html><body></body></html>",
            "   \n",
            "<!-- nothing -->",
            "<html><body><script>only()</script></body></html>",
            f"<html><body><nav>{MENU}</nav></body></html>",
            "<html><frameset><frame src='a.html'></frameset></html>",
            "<?xml version='1.0'?><rss><channel/></rss>",
        ],
    )
    def test_pages_without_an_article_are_refused(self, tmp_path: Path, markup: str) -> None:
        texts, refused = take(write(tmp_path, "a.html", markup.encode()))
        assert not texts
        assert set(refused) == {"missing_text"}

    @pytest.mark.parametrize("cut", range(40, 900, 53))
    def test_a_page_cut_anywhere_is_taken_or_refused(self, tmp_path: Path, cut: int) -> None:
        raw = page(f"<article><p>{SENTENCES[0]}</p></article>").encode()[-cut:]
        texts, refused = take(write(tmp_path, "a.html", raw))
        assert texts or set(refused) == {"missing_text"}

    def test_an_image_that_is_named_as_a_page_is_no_page(self, tmp_path: Path) -> None:
        _, refused = take(write(tmp_path, "a.html", b"\x89PNG\r\n\x1a\n" + bytes(200)))
        assert "a PNG image" in refused["binary"][1]

    def test_a_page_that_takes_too_long_is_refused_and_the_rest_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = pages._article_lines

        def slow(tree: Any, *rest: Any, **named: Any) -> list[str]:
            while tree.find(".//hr") is not None:
                with suppress(Exception):
                    list(tree.iter())
            return whole(tree, *rest, **named)

        monkeypatch.setattr(pages, "_article_lines", slow)
        monkeypatch.setattr(pages, "MAX_SECONDS", 0.2)
        good = page(f"<article>{SENTENCES[0]}</article>")
        bad = good.replace("<article>", "<hr><article>")
        files = [write(tmp_path, f"{n}.html", m.encode()) for n, m in enumerate((bad, good))]
        texts, refused = take(*files)
        assert texts == [SENTENCES[0]]
        assert "within 0.2 s" in refused["too_slow"][1]

    def test_very_many_elements_are_refused(self, tmp_path: Path) -> None:
        _, refused = take(write(tmp_path, "a.html", page("<b>글</b>" * 200_001).encode()))
        assert "elements" in refused["too_large"][1]

    def test_without_trafilatura_pages_wait_in_quarantine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(pages, "find_spec", lambda _: None)
        file = write(tmp_path, "a.html", page(f"<article>{SENTENCES[0]}</article>").encode())
        texts, refused = take(file, write(tmp_path, "b.txt", b"text\n"))
        assert texts == ["text\n"]
        assert "pip install 'unecho[html]'" in refused["missing_extra"][1]


class TestDocuments:
    def test_a_file_is_a_document_with_its_exact_bytes(self, tmp_path: Path) -> None:
        raw = page(f"<article>{SENTENCES[0]}</article>").encode() + b"\r\n"
        plain = write(tmp_path, "a.HTM", raw)
        packed = write(tmp_path, "b.xhtml.gz", gzip.compress(raw))
        documents = pa.concat_tables(read_batches([plain, packed], ReadOptions()))
        assert documents["content"].to_pylist() == [raw, raw]
        assert documents["media"].to_pylist() == ["html", "html"]
        # The same page is the same document, wherever it lies.
        assert len(set(documents["document_id"].to_pylist())) == 1

    def test_a_page_is_an_article_by_its_address(self, tmp_path: Path) -> None:
        head = "<link rel=canonical href='https://a.example/1'>"
        first = page(f"<article>{SENTENCES[0]}</article>", head)
        later = page(f"<article>{SENTENCES[1]}</article>", head.replace("1'", "1?utm_source=x'"))
        files = [write(tmp_path, f"{n}.html", m.encode()) for n, m in enumerate((first, later))]
        parsed, _ = parse(pa.concat_tables(read_batches(files, ReadOptions())))
        assert len(parsed) == 2
        assert len(set(parsed["article_id"].to_pylist())) == 1

    def test_a_page_in_quarantine_is_read_again_with_another_encoding(self, tmp_path: Path) -> None:
        raw = page(f"<article>{SENTENCES[0]}</article>").encode("cp949")
        (read,) = read_batches([write(tmp_path, "a.html", raw)], ReadOptions(encoding="utf-8"))
        assert len(parse(read)[1]) == 1
        (document,) = read.to_pylist()
        assert set(document) <= set(DOCUMENTS.schema.names)
        again = reread(document, ReadOptions(encoding="cp949"))
        assert again["encoding"].to_pylist() == ["cp949"]
        assert parse(again)[0]["original_text"].to_pylist() == [SENTENCES[0]]
