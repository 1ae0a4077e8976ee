"""A small world of made-up articles for tests of the store: every table, every kind of change.

Batch `b` holds articles 0 … n-1. Article 0 joins one long story that grows with every batch (its
rows are rewritten), article 1 is alone and gets a new revision in the next batch, the others are
pairs of copies. All of it is a function of (batch, number, version).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from pipeline.contracts import CONTRACTS, ID
from pipeline.interim import KEYS, READ
from pipeline.store.archive import landing_paths
from pipeline.store.model import Change, Run
from pipeline.store.warehouse import Warehouse

NOW = datetime.now(UTC).replace(tzinfo=None)
"""Opening a warehouse reads the real clock, so what is superseded must be so by that clock."""

FIRST_PUBLISHED = datetime(2026, 10, 1, 9, 0, 0)  # noqa: DTZ001 - the store's times are naive UTC
RECIPE = "test-recipe"
CHAIN = (0, 0)


def digest(*parts: object) -> bytes:
    return hashlib.blake2b(repr(parts).encode(), digest_size=16).digest()


def ids(values: Iterable[bytes]) -> pa.Array:
    return pa.array(list(values), ID)


@dataclass(frozen=True)
class Piece:
    """One made-up article: its place in the world and how long it is."""

    batch: int
    number: int
    version: int
    n_paragraphs: int = 3
    paragraph_chars: int = 40

    @property
    def article_id(self) -> bytes:
        return digest("article", self.batch, self.number)

    @property
    def revision_id(self) -> bytes:
        return digest("revision", self.batch, self.number, self.version)

    @property
    def content(self) -> bytes:
        return json.dumps(
            [self.batch, self.number, self.version, self.n_paragraphs, self.paragraph_chars]
        ).encode()

    @property
    def document_id(self) -> bytes:
        return digest("document", self.content)

    @property
    def source_id(self) -> str:
        return f"source-{self.number % 3}"

    @property
    def published_at(self) -> datetime:
        return FIRST_PUBLISHED + timedelta(minutes=self.batch * 60 + self.number)

    @property
    def partner(self) -> Piece:
        """The first of its pair of copies."""
        return Piece(self.batch, self.number - self.number % 2, 0)

    def paragraphs(self) -> list[str]:
        texts = []
        for seq in range(self.n_paragraphs):
            seed = digest("text", self.batch, self.number - self.number % 2, self.version, seq)
            words = f"제{seq} 문단 {seed.hex()} "
            texts.append((words * (1 + self.paragraph_chars // len(words)))[: self.paragraph_chars])
        return texts


def pieces(batch: int, n_articles: int, **size: int) -> list[Piece]:
    """The documents of a batch: its articles, and the revision of the batch before it."""
    new = [Piece(batch, number, 0, **size) for number in range(n_articles)]
    return [*new, Piece(batch - 1, 1, 1, **size)] if batch else new


def read_table(batch: list[Piece]) -> pa.Table:
    rows = [
        {
            "document_id": piece.document_id,
            "source_id": piece.source_id,
            "container": f"batch-{piece.batch}.jsonl",
            "position": piece.number + 1,
            "media": "jsonl",
            "encoding": "utf-8",
            "parse_options": "{}",
            "header": b"",
            "content": piece.content,
            "n_bytes": len(piece.content),
            "problem": None,
            "problem_message": None,
        }
        for piece in batch
    ]
    return pa.Table.from_pylist(rows, schema=READ.schema)


def change_of(warehouse: Warehouse, documents: pa.Table, run_id: str) -> Change:
    """Derive everything from landed documents, as a flow does."""
    batch = sorted(
        (Piece(*json.loads(content)) for content in documents["content"].to_pylist()),
        key=lambda piece: (piece.batch, piece.number, piece.version),
    )
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTRACTS if name != "documents"}
    keys: list[dict[str, Any]] = []
    removed: dict[str, Any] = {}
    for piece in batch:
        _add_article(rows, keys, piece, run_id)
        if piece.version:
            _replace_revision(warehouse, rows, removed, piece)
        elif piece.number == 0:
            _grow_chain(warehouse, rows, removed, piece, run_id)
        elif piece.number == 1:
            _add_story(rows, [piece], piece.article_id)
        elif piece.number % 2:
            _add_pair(rows, piece, run_id)
    added = {
        name: pa.Table.from_pylist(found, schema=CONTRACTS[name].schema)
        for name, found in rows.items()
    }
    return Change(
        added=added,
        removed=removed,
        keys=pa.Table.from_pylist(keys, schema=KEYS.schema).sort_by("article_id"),
        landings=landing_paths(documents),
        counts={"n_documents": documents.num_rows},
    )


def take_pending(warehouse: Warehouse, run_id: str, now: datetime = NOW) -> None:
    for documents in warehouse.pending():
        warehouse.publish(change_of(warehouse, documents, run_id), run_id, now)


def next_batch(warehouse: Warehouse) -> int:
    """The first batch that is not published yet."""
    found = warehouse.select(
        "SELECT count(*) AS n FROM story_members JOIN chain USING (story_id)",
        chain=pa.table({"story_id": ids([digest("article", *CHAIN)])}),
    )
    return int(found["n"][0].as_py())


def ingest(
    warehouse: Warehouse, batch: int, n_articles: int = 6, now: datetime = NOW, **size: int
) -> pa.Table:
    """One run of one batch; returns the documents that were new."""
    run_id = f"run-{warehouse.head.id}-{batch}-{now.timestamp()}"
    warehouse.begin_run(Run(run_id, "ingest", ("test",), now))
    take_pending(warehouse, run_id, now)
    documents = warehouse.land(read_table(pieces(batch, n_articles, **size)), run_id, now)
    if documents.num_rows:
        warehouse.publish(change_of(warehouse, documents, run_id), run_id, now)
    warehouse.end_run(run_id, "completed", {"n_read": n_articles}, now)
    return documents


def rebuild(articles: pa.Table, signatures: pa.Table) -> pa.Table:
    """Make KEYS again from what the warehouse holds."""
    signed = {row["article_id"]: row for row in signatures.to_pylist()}
    rows = [
        _keys_row(
            *(row["article_id"], row["source_id"], row["published_at"], row["title"], row["text"]),
            signed[row["article_id"]]["signature"],
        )
        for row in articles.to_pylist()
    ]
    return pa.Table.from_pylist(rows, schema=KEYS.schema)


def _keys_row(
    article_id: bytes,
    source_id: str,
    published_at: datetime,
    title: str,
    text: str,
    signature: bytes,
) -> dict[str, Any]:
    return {
        "article_id": article_id,
        "source_id": source_id,
        "published_at": published_at,
        "title_key": title.casefold(),
        "title_version": 0,
        "key": text.casefold(),
        "key_hash": digest("key", text),
        "numbers": sorted({"1", "2"}),
        "numbers_hash": 12,
        "n_shingles": len(text),
        "signature": signature,
        "bands": signature[:256],
        "lines": [],
        "passages": [],
    }


def _add_article(
    rows: dict[str, list[dict[str, Any]]], keys: list[dict[str, Any]], piece: Piece, run_id: str
) -> None:
    texts = piece.paragraphs()
    kept, dropped = texts[:-1], texts[-1]
    text, original = "\n\n".join(kept), "\n".join(texts)
    signature = (piece.revision_id * 32)[:512]
    title = f"Title {piece.batch}-{piece.number}-{piece.version}"
    published = {
        "title": title,
        "rights": dropped,
        "published_at": piece.published_at,
        "updated_at": piece.published_at + timedelta(hours=piece.version),
        "published_precision": "minute",
        **{"text": text, "original_text": original, "n_chars": len(text)},
        **{"n_paragraphs": len(kept), "n_dropped_paragraphs": 1},
    }
    rows["articles"].append(
        {
            **{"article_id": piece.article_id, "revision_id": piece.revision_id},
            **{"is_current": True, "document_id": piece.document_id},
            **{"native_id": f"{piece.batch}-{piece.number}", "source_id": piece.source_id},
            **published,
            "content_hash": digest("content", piece.revision_id),
            "key_hash": digest("key", text),
            **{"first_seen_at": NOW, "run_id": run_id},
        }
    )
    _add_paragraphs(rows, piece, texts, run_id)
    rows["signatures"].append(
        {
            "article_id": piece.article_id,
            "params_id": RECIPE,
            "n_shingles": len(text),
            "signature": signature,
        }
    )
    keys.append(
        _keys_row(piece.article_id, piece.source_id, piece.published_at, title, text, signature)
    )


def _add_paragraphs(
    rows: dict[str, list[dict[str, Any]]], piece: Piece, texts: list[str], run_id: str
) -> None:
    start = 0
    for seq, text in enumerate(texts):
        is_dropped = seq == len(texts) - 1
        rows["paragraphs"].append(
            {
                "article_id": piece.article_id,
                "seq": seq,
                "start_char": start,
                "end_char": start + len(text),
                "text": text,
                "n_chars": len(text),
                "key_hash": digest("key", text),
                "status": "dropped" if is_dropped else "kept",
                "reason": "furniture_rights" if is_dropped else None,
            }
        )
        start += len(text) + 1
    rows["decisions"].append(
        _decision(piece, "drop_paragraph", "furniture_rights", run_id, paragraph_seq=len(texts) - 1)
    )


def _decision(
    piece: Piece, action: str, reason: str, run_id: str, **more: object
) -> dict[str, Any]:
    return {
        "decision_id": digest("decision", piece.revision_id, action, reason, run_id),
        "article_id": piece.article_id,
        "revision_id": piece.revision_id,
        "action": action,
        "reason": reason,
        "rule_version": "1",
        "decided_at": NOW,
        "run_id": run_id,
        **more,
    }


def _add_story(
    rows: dict[str, list[dict[str, Any]]], members: list[Piece], story_id: bytes
) -> None:
    face = members[0]
    for member in members:
        is_face = member == face
        rows["story_members"].append(
            {
                "article_id": member.article_id,
                "story_id": story_id,
                "component_id": min(m.article_id for m in members),
                "role": ("canonical" if len(members) > 1 else "single") if is_face else "duplicate",
                "canonical_id": face.article_id,
                "relation": None if is_face else "exact",
                "matched_id": None if is_face else face.article_id,
                "jaccard": None if is_face else 1.0,
                "containment": None if is_face else 1.0,
            }
        )
    first, last = members[0].published_at, members[-1].published_at
    rows["stories"].append(
        {
            "story_id": story_id,
            "canonical_id": face.article_id,
            "n_members": len(members),
            "n_sources": len({member.source_id for member in members}),
            "first_published_at": first,
            "last_published_at": last,
            "spread_seconds": int((last - first).total_seconds()),
            "founded_snapshot": 1,
        }
    )


def _add_edge(
    rows: dict[str, list[dict[str, Any]]], piece: Piece, other: Piece, run_id: str
) -> None:
    left, right = sorted((piece.article_id, other.article_id))
    rows["edges"].append(
        {
            "left_id": left,
            "right_id": right,
            "relation": "exact",
            "is_duplicate": True,
            "jaccard": 1.0,
            "left_containment": 1.0,
            "right_containment": 1.0,
            "is_numbers_equal": True,
            "rule_version": "1",
            "run_id": run_id,
        }
    )
    rows["decisions"].append(
        _decision(piece, "drop_article", "exact", run_id, matched_article_id=other.article_id)
    )


def _add_pair(rows: dict[str, list[dict[str, Any]]], piece: Piece, run_id: str) -> None:
    _add_story(rows, [piece.partner, piece], piece.partner.article_id)
    _add_edge(rows, piece, piece.partner, run_id)


def _grow_chain(
    warehouse: Warehouse,
    rows: dict[str, list[dict[str, Any]]],
    removed: dict[str, Any],
    piece: Piece,
    run_id: str,
) -> None:
    members = [Piece(batch, 0, 0) for batch in range(piece.batch)]
    story_id = digest("article", *CHAIN)
    _add_story(rows, [*members, piece], story_id)
    if members:
        removed["stories"] = ids([story_id])
        removed["story_members"] = ids(member.article_id for member in members)
        _add_edge(rows, piece, members[0], run_id)
        held = warehouse.members(removed["story_members"])
        assert held.num_rows == len(members), "a batch of the chain is missing"


def _replace_revision(
    warehouse: Warehouse,
    rows: dict[str, list[dict[str, Any]]],
    removed: dict[str, Any],
    piece: Piece,
) -> None:
    old = warehouse.select(
        "SELECT articles.* FROM articles SEMI JOIN wanted USING (article_id) WHERE is_current",
        wanted=pa.table({"article_id": ids([piece.article_id])}),
    )
    assert old.num_rows == 1, "the article to revise is missing"
    rows["articles"].append({**old.to_pylist()[0], "is_current": False})
    removed["articles"] = old.select(["article_id", "revision_id"])
    removed["paragraphs"] = ids([piece.article_id])
    removed["signatures"] = ids([piece.article_id])


def change_of_batch(warehouse: Warehouse, batch: int) -> Change:
    """Land one batch of articles and return what it changes."""
    read = read_table(pieces(batch, 6))
    return change_of(warehouse, warehouse.land(read, "run", NOW), "run")
