"""Articles, keys, members and edges for tests of the matching stages."""

import hashlib
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from pipeline.contracts import ID, TIME
from pipeline.dedup.signatures import Recipe, sign
from pipeline.interim import MEMBERS, VERIFIED

NOON = datetime(2024, 3, 5, 12, tzinfo=UTC).replace(tzinfo=None)
ARTICLES = pa.schema(
    [
        ("article_id", ID),
        ("source_id", pa.string()),
        ("published_at", TIME),
        ("title", pa.string()),
        ("text", pa.large_string()),
    ]
)

VOCABULARY = (
    "서울시 부산시 교통국 시의회 주민 어린이 버스 지하철 요금 노선 정류장 공원 도서관 병원 시장 "
    "예산 계획 공사 다리 강변 축제 날씨 바람 비 눈 겨울 봄 여름 가을 아침 저녁 회의 발표 조사 "
    "결과 변경 확대 축소 시작 중단 재개 검토 승인 반대 찬성 요구 협의 마련 추진 개선"
)


def article_id(name):
    return hashlib.blake2b(str(name).encode(), digest_size=16).digest()


def story(seed, n_words=120):
    """Return a text of its own for every seed."""
    words, chosen = VOCABULARY.split(), []
    for number in range(n_words):
        digest = hashlib.blake2b(f"{seed}/{number}".encode(), digest_size=4).digest()
        chosen.append(words[int.from_bytes(digest, "little") % len(words)])
    return " ".join(chosen)


def article(name, text, *, source="daily", at=NOON, title=""):
    """Return a row of an article, with a headline of its own where `title` is empty."""
    return {
        "article_id": article_id(name),
        "source_id": source,
        "published_at": at,
        "title": f"{name} 제목" if title == "" else title,
        "text": text,
    }


def articles_table(rows):
    return pa.Table.from_pylist(rows, ARTICLES)


def keys(*rows):
    return sign(articles_table(rows), Recipe())


def names_of(pairs, names):
    """Return the pairs of a table as sorted tuples of the names given to `article`."""
    by_id = {article_id(name): name for name in names}
    ends = zip(pairs["left_id"].to_pylist(), pairs["right_id"].to_pylist(), strict=True)
    return sorted(tuple(sorted((by_id[left], by_id[right]))) for left, right in ends)


def edge(one, other, jaccard=0.9, relation="near"):
    """Return a VERIFIED row between two named articles."""
    left, right = sorted((article_id(one), article_id(other)))
    return {
        "left_id": left,
        "right_id": right,
        "relation": relation,
        "is_duplicate": relation in ("exact", "near", "update"),
        "jaccard": jaccard,
        "left_containment": jaccard,
        "right_containment": jaccard / 2,
        "is_numbers_equal": True,
        "evidence": "{}",
        "rule_version": "test",
    }


def edges_table(*rows):
    return pa.Table.from_pylist(list(rows), VERIFIED.schema)


def member(name, hours=0, *, story_id=None, founded=None, source="daily", n_chars=500, at=NOON):
    return {
        "article_id": article_id(name),
        "source_id": source,
        "published_at": at + timedelta(hours=hours) if at else None,
        "n_chars": n_chars,
        "content_hash": article_id(f"content {name}"),
        "story_id": story_id,
        "founded_snapshot": founded,
    }


def members_table(*rows):
    return pa.Table.from_pylist(list(rows), MEMBERS.schema)
