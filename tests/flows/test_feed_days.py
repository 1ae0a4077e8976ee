"""Feeds polled for days: every poll repeats most of the last one, few articles really change.

The feed is our own and synthetic. An article keeps its id; each poll prints it with another fetch
time, other tracking parameters and other order of its columns. Some change in earnest, once,
in one of the five classes.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import duckdb
import pytest

from flows.ingest import Request, run_ingest
from pipeline.contracts import REVISION_CLASSES
from pipeline.report.summary import RunSummary
from pipeline.settings import Settings
from pipeline.store.doctor import doctor

FIRST_DAY = datetime(2026, 3, 1, 6, tzinfo=UTC)

_PLACES = ("한빛", "새봄", "너울", "가람", "다솜", "누리", "미르", "아라", "솔내", "여울", "온새")
_THINGS = ("버스", "다리", "도서관", "공원", "시장", "학교", "병원", "항만", "축제", "하천", "극장")
_ACTS = ("예산", "공사", "운영", "개선", "확대", "점검", "이전", "매각", "안전", "채용", "시설")
_SAID = ("밝혔다", "설명했다", "전했다", "발표했다", "강조했다", "답했다")
_ADVERBS = (
    "올해 안에",
    "주민 의견을 들어",
    "전문가 검토를 거쳐",
    "관계 기관과 함께",
    "예정보다 빨리",
)


@dataclass(frozen=True)
class FeedArticle:
    """One article of the feed as it stands on a day."""

    number: int
    source: int
    day: int
    title: str
    paragraphs: tuple[str, ...]
    updated_hours: int | None = None

    def record(self, poll: int, chance: random.Random) -> dict[str, Any]:
        """Return it as the poll prints it: content is the same, everything else is not."""
        published = FIRST_DAY + timedelta(days=self.day, minutes=self.number % 600)
        record: dict[str, Any] = {
            "id": f"article-{self.number}",
            "source": f"feed{self.source}.example",
            "url": f"https://feed{self.source}.example/news/{self.number}"
            f"?utm_source=rss&utm_campaign=poll{poll}",
            "title": self.title,
            "text": "\n\n".join(self.paragraphs),
            "published_at": published.isoformat(),
            "fetched_at": (FIRST_DAY + timedelta(hours=poll)).isoformat(),
        }
        if self.updated_hours is not None:
            updated = published + timedelta(hours=self.updated_hours)
            record["updated_at"] = updated.isoformat()
        columns = list(record.items())
        chance.shuffle(columns)
        return dict(columns)


def new_article(number: int, source: int, day: int) -> FeedArticle:
    chance = random.Random(f"article {number}")

    def sentence() -> str:
        place, thing, act = (chance.choice(w) for w in (_PLACES, _THINGS, _ACTS))
        return (
            f"{place}시는 {chance.randint(11, 9999)}건의 {thing} {act} 계획을"
            f" {chance.choice(_ADVERBS)} 마무리한다고 {chance.choice(_SAID)}."
        )

    title = f"{chance.choice(_PLACES)}시 {chance.choice(_THINGS)} {chance.choice(_ACTS)} 새 계획"
    paragraphs = tuple(f"{sentence()} {sentence()}" for _ in range(chance.randint(3, 6)))
    return FeedArticle(number, source, day, f"{title} {number}호", paragraphs)


def revised(article: FeedArticle, revision_class: str) -> FeedArticle:
    """Return the article as the newsroom prints it after a change of this class."""
    first, *rest = article.paragraphs
    if revision_class == "cosmetic":
        first = first.replace("계획을", "‘계획’을 ").replace(". ", ".  ")
    elif revision_class == "typo":
        first = first.replace("마무리한다고", "마무리헌다고", 1)
    elif revision_class == "correction":
        count = first.split("시는 ")[1].split("건")[0]
        first = first.replace(f"{count}건", f"{int(count) + 1}건", 1)
    elif revision_class == "update":
        rest.append("시의회는 다음 주 공청회를 열어 반대 의견을 듣기로 했다.")
    else:
        other = new_article(article.number + 10_000_000, article.source, article.day)
        first, rest = other.paragraphs[0], list(other.paragraphs[1:])
    return replace(article, paragraphs=(first, *rest), updated_hours=8)


@dataclass(frozen=True)
class Feed:
    """All polls, and what was planted in them."""

    polls: list[list[dict[str, Any]]]
    n_articles: int
    classes: dict[str, str]
    """Native id → class of its one revision."""


def feed_of(
    n_sources: int, n_days: int, per_day: int, polls_a_day: int, n_revised: int, seed: int = 1
) -> Feed:
    """Return a feed: each poll prints the articles of its day so far and of the day before.

    A revised article is printed as it was on its own day, and as it is on the next.
    """
    chance = random.Random(seed)
    articles = [
        new_article(day * per_day + n, n % n_sources, day)
        for day in range(n_days)
        for n in range(per_day)
    ]
    chosen = sorted(chance.sample(range((n_days - 1) * per_day), n_revised))
    classes = {n: REVISION_CLASSES[at % len(REVISION_CLASSES)] for at, n in enumerate(chosen)}
    polls = []
    for poll in range(n_days * polls_a_day):
        day, part = divmod(poll, polls_a_day)
        n_now = day * per_day + per_day * (part + 1) // polls_a_day
        shown = articles[max(0, (day - 1) * per_day) : n_now]
        records = []
        for article in shown:
            is_out = article.number in classes and article.day < day
            now = revised(article, classes[article.number]) if is_out else article
            records.append(now.record(poll, chance))
        polls.append(records)
    return Feed(polls, len(articles), {f"article-{n}": c for n, c in classes.items()})


def write(folder: Path, feed: Feed) -> list[Path]:
    folder.mkdir()
    paths = []
    for number, records in enumerate(feed.polls):
        path = folder / f"poll-{number:04d}.jsonl"
        lines = (json.dumps(r, ensure_ascii=False) + "\n" for r in records)
        path.write_text("".join(lines), "utf-8")
        paths.append(path)
    return paths


def ingest(root: Path, *paths: Path) -> RunSummary:
    """Take polls in one run."""
    settings = Settings(warehouse=root, lock_wait_seconds=5)
    return run_ingest([Request(specs=tuple(str(p) for p in paths))], settings, str(uuid4()))


def rows(root: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(root / "public" / "news.duckdb"), read_only=True) as con:
        return con.sql(sql).fetchall()


def published(root: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return what must be a function of the set of polls."""
    return {
        "articles": rows(
            root,
            "SELECT article_id, revision_id, document_id, url, extra, title, text, updated_at,"
            " role, canonical_id FROM articles_all ORDER BY 1",
        ),
        "revisions": rows(
            root,
            "SELECT article_id, revision_id, is_current, document_id, url, revision_class,"
            " previous_revision_id, n_added, n_removed, n_changed, jaccard, diff, evidence"
            " FROM revisions ORDER BY 1, 2",
        ),
    }


def check_planted(root: Path, feed: Feed, summaries: list[RunSummary]) -> None:
    """Check that no article stands twice and every planted revision was found as what it is."""
    assert sum(s.n_articles for s in summaries) == feed.n_articles
    assert sum(s.n_revisions for s in summaries) == len(feed.classes)
    assert rows(root, "SELECT count(*), count(DISTINCT native_id) FROM articles_all") == [
        (feed.n_articles, feed.n_articles)
    ]
    found = rows(
        root, "SELECT native_id, revision_class FROM revisions WHERE revision_class IS NOT NULL"
    )
    assert dict(found) == feed.classes
    assert len(found) == len(feed.classes)
    current = rows(
        root,
        "SELECT native_id FROM revisions WHERE is_current AND revision_class IS NOT NULL",
    )
    assert sorted(name for (name,) in current) == sorted(feed.classes)


@pytest.fixture(scope="module")
def feed() -> Feed:
    return feed_of(n_sources=3, n_days=3, per_day=30, polls_a_day=2, n_revised=15)


@pytest.fixture(scope="module")
def polled(tmp_path_factory: pytest.TempPathFactory, feed: Feed) -> tuple[Path, list[Path]]:
    """A warehouse that took every poll in its order, and the polls."""
    folder = tmp_path_factory.mktemp("feed")
    paths = write(folder / "polls", feed)
    summaries = [ingest(folder / "w", path) for path in paths]
    check_planted(folder / "w", feed, summaries)
    return folder / "w", paths


def test_each_article_stands_once_and_planted_revisions_are_found(
    polled: tuple[Path, list[Path]], feed: Feed
) -> None:
    root, _ = polled
    assert set(feed.classes.values()) == set(REVISION_CLASSES)
    n_records = sum(len(poll) for poll in feed.polls)
    assert n_records >= 2 * feed.n_articles
    assert doctor(root) == []


def test_the_same_polls_again_change_nothing(polled: tuple[Path, list[Path]]) -> None:
    root, paths = polled
    before = published(root), rows(root, "SELECT count(*) FROM decisions")
    summary = ingest(root, *paths)
    assert (summary.n_articles, summary.n_revisions, summary.n_quarantined) == (0, 0, 0)
    assert summary.n_known_documents == summary.n_documents
    assert (published(root), rows(root, "SELECT count(*) FROM decisions")) == before


def test_fetched_anew_without_a_change_no_revision_is_made(
    polled: tuple[Path, list[Path]], feed: Feed, tmp_path: Path
) -> None:
    root = tmp_path / "w"
    shutil.copytree(polled[0], root)
    last = [json.loads(json.dumps(r)) for r in feed.polls[-1]]
    for record in last:
        record |= {"fetched_at": "2026-04-01T00:00:00Z", "url": record["url"] + "&fbclid=9"}
    summary = ingest(root, *write(tmp_path / "polls", Feed([last], 0, {})))
    assert summary.n_known_documents == 0
    assert (summary.n_articles, summary.n_revisions) == (0, 0)
    assert summary.n_unchanged_articles == len(last)


def test_any_order_of_the_polls_publishes_the_same(
    polled: tuple[Path, list[Path]], feed: Feed, tmp_path: Path
) -> None:
    straight, paths = polled
    shuffled = list(paths)
    random.Random(1).shuffle(shuffled)
    assert shuffled[-1] != paths[-1]
    summaries = [ingest(tmp_path / "w", path) for path in shuffled]
    assert sum(s.n_articles for s in summaries) == feed.n_articles
    assert published(tmp_path / "w") == published(straight)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("is_one_run", [True, False])
def test_of_two_documents_with_equal_content_the_smaller_stands(
    order: tuple[int, int], is_one_run: bool, tmp_path: Path
) -> None:
    chance = random.Random(3)
    article = new_article(1, 0, 0)
    both = Feed([[article.record(poll, chance)] for poll in (1, 2)], 1, {})
    paths = write(tmp_path / "polls", both)
    ordered = [paths[n] for n in order]
    root = tmp_path / "w"
    if is_one_run:
        ingest(root, *ordered)
    else:
        for path in ordered:
            ingest(root, path)
    [found] = rows(root, "SELECT document_id, url, extra FROM articles_all")
    documents = rows(root, "SELECT document_id FROM _documents ORDER BY document_id")
    assert len(documents) == 2
    assert found[0] == documents[0][0]
    own = [json.loads(path.read_text("utf-8")) for path in paths]
    [smaller] = [r for r in own if r["url"] == found[1]]
    assert json.loads(found[2]) == {"fetched_at": smaller["fetched_at"]}
    assert rows(root, "SELECT count(*) FROM revisions") == [(1,)]
    assert doctor(root) == []


def main(folder: Path, n_days: int, per_day: int, n_revised: int) -> None:
    """Ingest a large feed by hand: python -m tests.flows.test_feed_days FOLDER 59 680 445."""
    feed = feed_of(6, n_days, per_day, 1, n_revised)
    paths = write(folder / "polls", feed)
    began = time.monotonic()
    summaries = [ingest(folder / "w", path) for path in paths]
    check_planted(folder / "w", feed, summaries)
    elapsed = time.monotonic() - began
    n_records = sum(len(poll) for poll in feed.polls)
    counted = Counter(feed.classes.values())
    sys.stdout.write(
        f"{n_records} records in {len(paths)} polls, {feed.n_articles} articles, {elapsed:.0f} s;"
        f" {dict(counted)} found\n"
    )
    began = time.monotonic()
    before = published(folder / "w")
    again = [ingest(folder / "w", path) for path in paths]
    assert sum(s.n_articles + s.n_revisions for s in again) == 0
    assert published(folder / "w") == before
    sys.stdout.write(f"the same again: {time.monotonic() - began:.0f} s, nothing changed\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *(int(value) for value in sys.argv[2:5]))
