"""The sample news is what seeds/README.md and seeds/truth.jsonl say it is.

Nothing of the project is imported: the seeds are read with the standard library,
so that a fault in our readers cannot hide a fault in the seeds.
"""

import re
import tomllib
import unicodedata
from collections import Counter
from itertools import combinations, pairwise

import pytest

from tests.unit.seed_articles import (
    ALL,
    ARTICLES,
    COLUMNS,
    FILES,
    PAIRS,
    RECORDS,
    SEEDS,
    TRUTH,
    decode,
    file_name,
    jaccard,
    key,
    numbers,
    of_story,
    shingles,
)

REPEATS = {"repeat_block", "repeat_single", "repeat_near", "repeat_blob", "repeat_*"}
REASONS = REPEATS | {"furniture_rights", "furniture_byline", "furniture_caption"}
LEAST = {"ko": 28, "en": 14, "ja": 5, "zh": 5, "es": 5, "ar": 5}
KINDS = {"wire", "update", "exact", "template", "caption", "same_event", "flash"}
# Stories from one template: other numbers or too few words, but alike in wording.
TEMPLATES = ("ko-market", "ko-personnel", "ko-lottery", "en-grain", "ja-quake", "ko-fl", "en-fl")


def test_every_document_has_one_line_of_truth() -> None:
    told = Counter((file_name(t), t["line"]) for t in TRUTH)
    held = {
        (name, None if name.endswith(".txt") else line)
        for name, records in RECORDS.items()
        for line in range(1, len(records) + 1)
    }
    assert set(told) == held
    assert max(told.values()) == 1


def test_titles_ids_sources_and_bylines_are_those_of_the_record() -> None:
    named = [(t["source_id"], t["native_id"]) for t in TRUTH if t["native_id"]]
    assert len(named) == len(set(named))
    for seed in ALL:
        assert seed.value("title") == seed.truth["title"], seed.truth["file"]
        assert seed.value("native_id") == seed.truth["native_id"], seed.truth["title"]
        assert (seed.value("source_id") or "local") == seed.truth["source_id"], seed.truth["title"]
        assert (seed.truth["byline_contains"] or "") in "".join(seed.value("byline") or "")


def test_dropped_paragraphs_exist_and_have_a_known_reason() -> None:
    for seed in ALL:
        dropped = seed.dropped()
        rights = [seed.paragraph(n) for n in seed.dropped("furniture_rights")]
        assert dropped == sorted(set(dropped)), seed.truth["title"]
        assert all(1 <= number <= len(seed.paragraphs) for number in dropped), seed.truth["title"]
        assert {removal["reason"] for removal in seed.truth["dropped"]} <= REASONS
        assert seed.kept, seed.truth["title"]
        assert rights == ([seed.truth["rights"]] if seed.truth["rights"] else [])


def test_no_other_stories_have_several_members() -> None:
    sizes = Counter(seed.truth["story"] for seed in ALL)
    wires = {"ko-wire-ferry": 5, "en-wire-cork": 5, "es-wire-train": 4}
    updates = {"ko-update-tunnel": 3, "en-update-ferry": 2}
    copies = {"ko-bakery": 2, "es-volcano": 2, "ja-tram": 2}
    assert {story: n for story, n in sizes.items() if n > 1} == wires | updates | copies


def test_there_are_enough_articles_in_each_language_and_format() -> None:
    found = Counter(seed.truth["language"] for seed in ALL)
    assert len(ALL) >= 72
    assert set(found) == set(LEAST)
    assert all(found[language] >= least for language, least in LEAST.items()), found
    kinds = {name.partition(".")[2] for name in FILES}
    assert kinds == {"jsonl", "jsonl.gz", "json", "csv", "tsv", "txt"}


def test_texts_are_written_in_the_script_of_their_language() -> None:
    # Japanese prose is about half Kanji: a third of Kana is what tells it apart.
    letters = dict(zip(LEAST, ("가-힣", "a-z", "ぁ-ヿ", "一-鿿", "a-zñáéíóú", "ء-ي"), strict=True))
    for seed in ALL:
        text = key("".join(seed.paragraphs))
        found = re.findall(f"[{letters[seed.truth['language']]}]", text)
        assert len(found) / len(text) > 0.33, seed.truth["title"]


def test_dates_are_of_march_with_offset_or_day_only_or_missing() -> None:
    names = ("published_at", "published", "date", "datePublished", "date_publish")
    dates = [next((s.record[n] for n in names if s.record.get(n)), None) for s in ALL]
    written = [d for d in dates if d]
    assert all(re.fullmatch(r"2026-03-\d\d(T\d\d:\d\d:\d\d[+-]\d\d:\d\d)?", d) for d in written)
    assert sum(len(d) == 10 for d in written) >= 3
    in_records = [d for s, d in zip(ALL, dates, strict=True) if s.truth["line"]]
    assert in_records.count(None) >= 2


def test_links_lead_nowhere() -> None:
    for name in FILES:
        for host in re.findall(r"https?://([^/\"\s]+)", decode(ARTICLES / name)):
            assert host.endswith(".example"), (name, host)


@pytest.mark.parametrize("name", ["ko-night-market-cp949.txt", "ko-regional-cp949.csv"])
def test_cp949_files_are_not_utf8(name: str) -> None:
    raw = (ARTICLES / name).read_bytes()
    with pytest.raises(UnicodeDecodeError):
        raw.decode("utf-8")
    assert re.search("[가-힣]{3}", raw.decode("cp949"))
    if name.endswith(".txt"):  # only this one holds syllables that EUC-KR lacks
        with pytest.raises(UnicodeDecodeError):
            raw.decode("euc-kr")


def test_byte_order_marks_stand_where_they_are_claimed() -> None:
    marks = {name: (ARTICLES / name).read_bytes()[:3] for name in FILES}
    assert marks["ko-observatory-utf16.txt"][:2] in (b"\xff\xfe", b"\xfe\xff")
    assert {n for n, m in marks.items() if m == b"\xef\xbb\xbf"} == {"es-portal-bom.csv"}


def test_only_the_nfd_file_is_decomposed_and_its_copies_are_equal_once_composed() -> None:
    decomposed = [n for n in FILES if not unicodedata.is_normalized("NFC", decode(ARTICLES / n))]
    assert decomposed == ["nfd-mac-export.jsonl"]
    assert unicodedata.is_normalized("NFD", decode(ARTICLES / decomposed[0]))
    for copy in (s for s in ALL if file_name(s.truth) == decomposed[0]):
        [original] = [s for s in of_story(copy.truth["story"]) if s is not copy]
        assert copy.value("text") != original.value("text")
        assert unicodedata.normalize("NFC", copy.value("text")) == original.value("text")
        assert copy.truth["native_id"] != original.truth["native_id"]


def test_the_full_width_copy_is_equal_by_key_alone() -> None:
    half, full = of_story("ja-tram")
    assert "ＡＢＣ－１２３" in full.value("title")
    assert half.value("text") != full.value("text")
    assert key(half.value("text")) == key(full.value("text"))


def test_the_first_plant_repeats_seven_paragraphs_after_the_end() -> None:
    [seed] = of_story("ko-bookshops")
    again = seed.dropped("repeat_block")
    assert again == [10, 11, 12, 13, 14, 15, 16]
    assert [seed.paragraphs.index(seed.paragraph(n)) + 1 for n in again] == [2, 4, 5, 6, 7, 8, 9]
    assert seed.paragraphs[16:] == [seed.truth["rights"]]


def test_dropped_repeats_repeat_what_is_kept() -> None:
    reasons = Counter(r["reason"] for seed in ALL for r in seed.truth["dropped"])
    for seed in ALL:
        kept = {key(p) for p in seed.kept}
        for number in seed.dropped("repeat_block", "repeat_single", "repeat_*"):
            assert key(seed.paragraph(number)) in kept, seed.truth["title"]
    assert reasons["repeat_block"] >= 20
    assert reasons["repeat_*"] >= 10
    assert reasons["furniture_byline"] >= 8
    assert reasons["furniture_rights"] >= 20


def test_near_repeats_differ_a_little_and_in_no_number() -> None:
    near = [(seed, number) for seed in ALL for number in seed.dropped("repeat_near")]
    assert {seed.truth["language"] for seed, _ in near} == {"ko", "en"}
    for seed, number in near:
        copy = seed.paragraph(number)
        original = max(seed.kept, key=lambda p: jaccard(shingles(p, 3), shingles(copy, 3)))
        assert len(copy) >= 80
        assert 0.85 <= jaccard(shingles(original, 3), shingles(copy, 3)) < 1
        assert numbers(original) == numbers(copy)


@pytest.mark.parametrize("story", ["ko-rents", "en-late-starts"])
def test_paragraphs_with_other_numbers_are_alike_and_both_kept(story: str) -> None:
    [seed] = of_story(story)
    alike = [
        (left, right)
        for left, right in combinations(seed.kept, 2)
        if jaccard(shingles(left, 3), shingles(right, 3)) >= 0.85
    ]
    assert len(alike) == 1
    assert numbers(alike[0][0]) != numbers(alike[0][1])


@pytest.mark.parametrize(("story", "number"), [("ko-bus-stops", 1), ("en-violin", 6)])
def test_a_blob_is_made_of_its_pieces(story: str, number: int) -> None:
    [seed] = of_story(story)
    assert seed.truth["dropped"] == [{"paragraph": number, "reason": "repeat_blob"}]
    assert key(seed.paragraph(number)) == key("".join(seed.kept))


def test_a_paragraph_inserted_into_a_repeated_run_is_kept() -> None:
    [seed] = of_story("zh-ferry")
    assert seed.dropped("repeat_block") == [7, 8, 10, 11]
    assert seed.paragraphs.count(seed.paragraph(9)) == 1


@pytest.mark.parametrize(
    ("story", "label", "times"),
    [
        ("ko-loneliness", "[윤서아 / 한빛대 교수]", 6),
        ("ko-streetlights", "◀ 앵커 ▶", 4),
        ("ko-streetlights", "◀ 기자 ▶", 2),
        ("ko-boat-song", "어기여차 우리 배야", 6),
        ("en-bee-insurance", "A: Yes.", 2),
        ("en-scores", "Postponed: waterlogged pitch", 2),
    ],
)
def test_labels_refrains_and_scores_repeat_and_stay(story: str, label: str, times: int) -> None:
    [seed] = of_story(story)
    assert seed.paragraphs.count(label) == times
    assert seed.truth["dropped"] == []


@pytest.mark.parametrize("story", ["ko-wire-ferry", "en-wire-cork", "es-wire-train"])
def test_a_wire_story_stands_under_four_mastheads(story: str) -> None:
    members = of_story(story)
    assert len({m.truth["source_id"] for m in members}) == len(members) >= 4
    texts = Counter(m.value("text") for m in members)
    assert len(texts) == 4
    if story != "es-wire-train":
        assert max(texts.values()) == 2
    assert len({tuple(sorted(numbers("\n".join(m.kept)).items())) for m in members}) == 1


def test_updates_grow_and_keep_what_was_told() -> None:
    members = of_story("ko-update-tunnel")
    titles = [m.truth["title"] for m in members]
    assert titles == [titles[0], titles[0] + "(종합)", titles[0] + "(종합2보)"]
    for earlier, later in pairwise(members):
        assert earlier.truth["source_id"] == later.truth["source_id"]
        assert set(earlier.kept) < set(later.kept)


@pytest.mark.parametrize(("language", "what"), [("ko", "clams"), ("en", "eels")])
def test_a_caption_stands_inside_its_full_article(language: str, what: str) -> None:
    [short], [long] = of_story(f"{language}-caption-{what}"), of_story(f"{language}-{what}-full")
    text = short.paragraph(1)
    assert 100 <= len(text) <= 220
    assert text in long.kept
    assert short.truth["source_id"] != long.truth["source_id"]


def test_rights_words_in_prose_are_kept() -> None:
    [korean], [english] = of_story("ko-poets"), of_story("en-zine")
    assert any("무단 전재와 재배포를 금지" in p for p in korean.kept)
    assert any("All rights reserved" in p for p in english.kept)


def test_footers_of_every_kind_are_planted() -> None:
    marks = (
        "©|ⓒ|무단전재|재배포 금지|저작권자|All rights reserved|Copyright|転載を禁じます|版权所有|"
        "Todos los derechos reservados|جميع الحقوق محفوظة"
    )
    rights = "\n".join(seed.truth["rights"] or "" for seed in ALL)
    assert [mark for mark in marks.split("|") if mark not in rights] == []


def test_photo_credits_must_go() -> None:
    credits = [
        s.paragraph(d["paragraph"])
        for s in ALL
        for d in s.truth["dropped"]
        if d["reason"] == "furniture_caption"
    ]
    assert credits == ["[사진=한빛통신 제공]"] * 2


def test_flashes_are_short() -> None:
    flashes = of_story("ko-flash") + of_story("en-flash")
    assert len(flashes) >= 4
    assert all(len(key(f.value("text"))) < 50 for f in flashes)
    assert all(f.truth["title"].startswith(("[속보]", "FLASH")) for f in flashes)


def test_two_documents_must_go_to_quarantine() -> None:
    broken, empty = [t for t in TRUTH if t["quarantine"]]
    assert (broken["quarantine"], empty["quarantine"]) == ("broken_json", "missing_text")
    records = RECORDS["broken-records.jsonl"]
    assert records[broken["line"] - 1] is None
    record = records[empty["line"] - 1]
    assert record is not None
    assert not set(record) & set(COLUMNS["text"])


def test_only_members_of_one_story_are_near() -> None:
    compared = [(s, shingles("".join(s.kept), 5), numbers("\n".join(s.kept))) for s in ALL]
    for (left, left_set, left_n), (right, right_set, right_n) in combinations(compared, 2):
        found = jaccard(left_set, right_set)
        names = left.truth["story"], right.truth["story"]
        template = [t for t in TEMPLATES if all(name.startswith(t) for name in names)]
        if names[0] == names[1]:
            fewer, more = sorted((left_n, right_n), key=lambda n: n.total())
            assert found >= 0.65, names
            assert fewer <= more, names
        elif not template:
            assert found < 0.4, names
        elif not template[0].endswith("-fl"):
            assert not left_n <= right_n, names
            assert not right_n <= left_n, names


def test_some_templates_are_as_alike_as_a_near_duplicate() -> None:
    days = [shingles("".join(s.kept), 5) for s in of_story("en-grain")]
    assert len(days) == 3
    assert all(jaccard(a, b) >= 0.6 for a, b in combinations(days, 2))


def test_pairs_agree_with_the_truth() -> None:
    story = {(t["source_id"], t["native_id"]): t["story"] for t in TRUTH if t["native_id"]}
    seen = set()
    for pair in PAIRS:
        left, right = ((p["source_id"], p["native_id"]) for p in (pair["left"], pair["right"]))
        assert left < right
        assert (story[left] == story[right]) == (pair["label"] == "duplicate"), pair
        seen.add((left, right))
    assert len(seen) == len(PAIRS) >= 40
    assert Counter(p["label"] for p in PAIRS)["different"] * 2 >= len(PAIRS)
    assert {p["kind"] for p in PAIRS} == KINDS


def test_what_describes_the_seeds_is_ignored_by_ingest() -> None:
    ignored = set((SEEDS / ".unechoignore").read_text("utf-8").split())
    beside = {p.name for p in SEEDS.iterdir() if p.is_file() and not p.name.startswith(".")}
    assert ignored == beside == {"README.md", "truth.jsonl", "sources.toml", "pairs.jsonl"}


def test_the_example_sources_are_complete() -> None:
    sources = tomllib.loads((SEEDS / "sources.toml").read_text("utf-8"))["source"]
    assert len(sources) == 2
    for source in sources:
        assert set(source) == {"id", "path", "schedule", "timezone"}
        assert (source["schedule"], source["timezone"]) == ("10m", "Asia/Seoul")


def test_the_readme_names_every_file_and_counts_the_languages() -> None:
    readme = " ".join((SEEDS / "README.md").read_text("utf-8").split())
    assert [name for name in FILES if f"`{name}`" not in readme] == []
    counts = Counter(seed.truth["language"] for seed in ALL)
    names = ("Korean", "English", "Japanese", "Chinese", "Spanish", "Arabic")
    for code, name in zip(LEAST, names, strict=True):
        assert f"{name} {counts[code]}" in readme
    assert f"{len(ALL)} articles and 2 documents" in readme
