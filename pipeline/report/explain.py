"""Why an article stands as it does: everything the warehouse knows of it, gathered."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from pipeline.errors import WarehouseError
from pipeline.report.published import rows

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
UrlKey = Callable[[str], str]
"""Makes a key of an address, equal for addresses that lead to the same article."""

_ID_START = re.compile(r"[0-9a-fA-F][0-9a-fA-F-]{5,35}")
_ARTICLE_COLUMNS = (
    "article_id, native_id, url, source_id, publisher, title, byline, rights, dateline,"
    " source_agency, published_at, updated_at, language, section, text, n_chars, n_paragraphs,"
    " n_dropped_paragraphs, story_id, role, canonical_id, relation, matched_id, jaccard,"
    " containment, first_seen_at, document_id, revision_id, run_id"
)

COUNTERPART_JACCARD = 0.3
"""Where `related` begins: paragraphs below it are shown without a counterpart."""


@dataclass(frozen=True)
class Explained:
    """An article with its paragraphs, its story and the evidence, as rows of the views.

    Attributes:
        article: its row of articles_all, and `n_revisions`.
        revisions: its rows of revisions without the text, the newest first, `diff` and `evidence`
            read from their JSON.
        paragraphs: its rows of paragraphs, each with `decisions` (what was decided of it, by
            the newest decision of a span first), `match` (the paragraph it repeats) and
            `counterpart` (the paragraph of the matched article it is told again in).
        story: its row of stories, None where it has none yet.
        members: story_members with source, time and title.
        pairs: edges of the article, seen from it: other_id, containment, other_containment,
            numbers_only (here) and other_numbers_only of the evidence; for pairs whose common
            passages are known, how many and how long.
        decisions: the decisions about the article as a whole.
        match: the article it was dropped for, or that contains it: title, source; else None.
    """

    article: Row
    paragraphs: list[Row]
    story: Row | None
    members: list[Row]
    pairs: list[Row]
    decisions: list[Row]
    match: Row | None
    revisions: list[Row]

    def as_json(self) -> Row:
        """Return everything as a JSON-ready mapping."""
        return dict(vars(self))


def explain_article(
    connection: duckdb.DuckDBPyConnection, wanted: str, url_key: UrlKey | None = None
) -> Explained:
    """Return everything about the article that `wanted` names: an id, its beginning, a URL.

    With `url_key`, a URL may be spelled in any way that has the same key.

    Raises:
        WarehouseError: nothing has that name, or more than one article has it.
    """
    article_id = find_article(connection, wanted, url_key)
    article = rows(
        connection,
        f"SELECT {_ARTICLE_COLUMNS} FROM articles_all WHERE article_id = ?",
        [article_id],
    )[0]
    revisions = _revisions(connection, article_id)
    article["n_revisions"] = len(revisions)
    decisions = rows(
        connection,
        "SELECT * EXCLUDE (article_id) FROM decisions WHERE article_id = ? AND revision_id = ?"
        " ORDER BY decided_at DESC, paragraph_seq, start_char, decision_id",
        [article_id, article["revision_id"]],
    )
    is_told_elsewhere = article["role"] in ("duplicate", "update", "contained")
    match_id = article["matched_id"] if is_told_elsewhere else None
    return Explained(
        article=article,
        paragraphs=_paragraphs(connection, article_id, decisions, match_id),
        story=_first(
            rows(connection, "SELECT * FROM stories WHERE story_id = ?", [article["story_id"]])
        ),
        members=_members(connection, article["story_id"]),
        pairs=_pairs(connection, article_id),
        decisions=[d for d in decisions if d["paragraph_seq"] is None],
        match=_article_of(connection, match_id),
        revisions=revisions,
    )


def find_article(
    connection: duckdb.DuckDBPyConnection, wanted: str, url_key: UrlKey | None = None
) -> str:
    """Return the article_id behind an id or its beginning, a story_id, a URL or a native id.

    A URL that no article has literally is compared by `url_key`, where one is given.

    Raises:
        WarehouseError: nothing has that name, or more than one article has it.
    """
    wanted = wanted.strip()
    found: list[Row] = []
    for condition, value in _ways(wanted):
        found = rows(
            connection,
            "SELECT article_id, source_id, title FROM articles_all"
            f" WHERE {condition} ORDER BY article_id LIMIT 4",
            [value],
        )
        if found:
            break
    if not found and url_key is not None and "/" in wanted:
        found = _of_same_key(connection, wanted, url_key)
    if not found:
        raise _unknown(connection, wanted)
    if len(found) > 1:
        listed = ", ".join(f"{row['article_id']} ({row['source_id']})" for row in found[:3])
        more = " and more" if len(found) > 3 else ""
        raise WarehouseError(
            f"{wanted} names several articles: {listed}{more}", next_step="name one by its id"
        )
    return str(found[0]["article_id"])


def _ways(wanted: str) -> list[tuple[str, str]]:
    """Return SQL conditions with their value, in the order in which they are tried."""
    ways: list[tuple[str, str]] = []
    try:
        full = str(UUID(wanted))
    except ValueError:
        if _ID_START.fullmatch(wanted):
            ways.append(("article_id::VARCHAR LIKE ? || '%'", wanted.lower()))
    else:
        ways.append(("article_id = ?::UUID", full))
        ways.append(("canonical_id = article_id AND story_id = ?::UUID", full))
    ways.append(("url = ?", wanted))
    if "/" in wanted:  # http or https, www or not, a slash at the end or not
        bare = r"regexp_replace({}, '^https?://(www\.)?|/$', '', 'g')"
        ways.append((f"{bare.format('url')} = {bare.format('?')}", wanted))
    ways.append(("native_id = ?", wanted))
    return ways


def _of_same_key(connection: duckdb.DuckDBPyConnection, wanted: str, url_key: UrlKey) -> list[Row]:
    """Return up to 4 articles whose URL has the key of the wanted one."""
    key = url_key(wanted if "://" in wanted else f"https://{wanted}")
    host = key.removeprefix("//").partition("/")[0].partition(":")[0]
    if not key.startswith("//") or not host:
        return []
    try:  # the host of a key is ASCII; the article's URL may spell it in its own script
        own_script = host.encode("ascii").decode("idna")
    except UnicodeError:
        own_script = host
    candidates = rows(
        connection,
        "SELECT article_id, source_id, title, url FROM articles_all"
        " WHERE contains(lower(url), $1) OR contains(lower(url), $2) ORDER BY article_id",
        [host, own_script],
    )
    return [row for row in candidates if url_key(row["url"]) == key][:4]


def _unknown(connection: duckdb.DuckDBPyConnection, wanted: str) -> WarehouseError:
    """Return the error for a name that no article has; a quarantined document has its own."""
    try:
        document_id = str(UUID(wanted))
    except ValueError:
        document_id = ""
    if document_id and rows(
        connection, "SELECT 1 AS one FROM quarantine WHERE document_id = ?::UUID", [document_id]
    ):
        return WarehouseError(
            f"{wanted} is a document in quarantine",
            next_step=f"see: unecho quarantine show {wanted}",
        )
    return WarehouseError(
        f"no article has the id or URL {wanted}",
        next_step='look one up: unecho sql "SELECT article_id, title FROM articles_all"',
    )


def _first(found: list[Row]) -> Row | None:
    return found[0] if found else None


def _article_of(connection: duckdb.DuckDBPyConnection, article_id: str | None) -> Row | None:
    if article_id is None:
        return None
    return _first(
        rows(
            connection,
            "SELECT article_id, source_id, title, published_at FROM articles_all"
            " WHERE article_id = ?",
            [article_id],
        )
    )


def _members(connection: duckdb.DuckDBPyConnection, story_id: str | None) -> list[Row]:
    """Return the members of a story, its canonical first, then by time."""
    return rows(
        connection,
        "SELECT article_id, source_id, published_at, role, relation, matched_id, jaccard,"
        " containment, title FROM articles_all WHERE story_id = ?"
        " ORDER BY canonical_id <> article_id, published_at NULLS LAST, article_id",
        [story_id],
    )


def _pairs(connection: duckdb.DuckDBPyConnection, article_id: str) -> list[Row]:
    """Return the verified pairs of the article, duplicates and the strongest first."""
    pairs = rows(
        connection,
        f"""
        WITH pairs AS (
            SELECT right_id AS other_id, true AS is_left, relation, is_duplicate, jaccard,
                   left_containment AS containment, right_containment AS other_containment,
                   is_numbers_equal, evidence, left_id, right_id
            FROM edges WHERE left_id = $1
            UNION ALL
            SELECT left_id, false, relation, is_duplicate, jaccard, right_containment,
                   left_containment, is_numbers_equal, evidence, left_id, right_id
            FROM edges WHERE right_id = $1
        )
        SELECT pairs.* EXCLUDE (left_id, right_id), other.source_id AS other_source_id,
               other.title AS other_title, spans.n_passages, spans.n_passage_chars
        FROM pairs JOIN articles_all AS other ON other.article_id = pairs.other_id
        LEFT JOIN ({_passages_of(connection)}) AS spans USING (left_id, right_id)
        ORDER BY is_duplicate DESC, jaccard DESC, other_id
        """,
        [article_id],
    )
    for pair in pairs:
        own, other = ("left", "right") if pair.pop("is_left") else ("right", "left")
        evidence = read_json(pair["evidence"]) or {}
        pair["numbers_only"] = evidence.get(f"numbers_only_{own}", [])
        pair["other_numbers_only"] = evidence.get(f"numbers_only_{other}", [])
    return pairs


def _passages_of(connection: duckdb.DuckDBPyConnection) -> str:
    """Return a query of how many passages pairs have in common; none where none are known."""
    known = rows(connection, "SELECT 1 AS one FROM duckdb_views() WHERE view_name = 'shared_spans'")
    source = "shared_spans" if known else "(SELECT * FROM edges WHERE false)"
    chars = "left_end_char - left_start_char" if known else "0"
    return (
        f"SELECT left_id, right_id, count(*) AS n_passages, sum({chars})::BIGINT AS n_passage_chars"
        f" FROM {source} GROUP BY ALL"
    )


def _revisions(connection: duckdb.DuckDBPyConnection, article_id: str) -> list[Row]:
    """Return the revisions of an article, the newest first, each with what it changed."""
    revisions = rows(
        connection,
        "SELECT * EXCLUDE (article_id, source_id, native_id, text) FROM revisions"
        " WHERE article_id = ?"
        " ORDER BY coalesce(updated_at, published_at) DESC NULLS LAST, content_hash DESC",
        [article_id],
    )
    for revision in revisions:
        for column in ("diff", "evidence"):
            revision[column] = read_json(revision.get(column))
    return revisions


def read_json(text: str | None) -> Any:
    """Return what a JSON column holds; None where it is NULL or no JSON."""
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def _paragraphs(
    connection: duckdb.DuckDBPyConnection,
    article_id: str,
    decisions: list[Row],
    match_id: str | None,
) -> list[Row]:
    paragraphs = _texts(connection, [article_id])[article_id]
    of_paragraph: dict[int, list[Row]] = defaultdict(list)
    for decision in decisions:
        if decision["paragraph_seq"] is not None:
            of_paragraph[decision["paragraph_seq"]].append(decision)
    mentioned = {d["matched_article_id"] or article_id for d in decisions}
    others = _texts(connection, sorted(mentioned | ({match_id} if match_id else set())))
    counterparts = _counterparts(paragraphs, others[match_id]) if match_id else {}
    for paragraph in paragraphs:
        own = [d for d in of_paragraph[paragraph["seq"]] if _stands(d, paragraph)]
        paragraph["decisions"] = own
        paragraph["match"] = next((m for d in own if (m := _match(d, article_id, others))), None)
        paragraph["counterpart"] = counterparts.get(paragraph["seq"])
    return paragraphs


def _texts(connection: duckdb.DuckDBPyConnection, article_ids: list[str]) -> dict[str, list[Row]]:
    """Return the paragraphs of articles, in order, by article."""
    texts: dict[str, list[Row]] = defaultdict(list)
    for row in rows(
        connection,
        "SELECT article_id, seq, start_char, end_char, status, reason, text FROM paragraphs"
        " WHERE article_id IN (SELECT unnest(?::UUID[])) ORDER BY article_id, seq",
        [article_ids],
    ):
        texts[row.pop("article_id")].append(row)
    return texts


def _stands(decision: Row, paragraph: Row) -> bool:
    """Return whether the decision is the one that the paragraph's present state follows."""
    if decision["action"] == "drop_paragraph":
        return bool(paragraph["reason"] == decision["reason"])
    return bool(paragraph["status"] == "kept")


def _match(decision: Row, article_id: str, others: dict[str, list[Row]]) -> Row | None:
    """Return the paragraph that a decision names: what the removed one repeats."""
    seq = decision["matched_paragraph_seq"]
    if seq is None:
        return None
    matched_id = decision["matched_article_id"] or article_id
    for row in others[matched_id]:
        if row["seq"] == seq:
            return {"article_id": matched_id, "seq": seq, "text": row["text"]}
    return None


def _counterparts(paragraphs: list[Row], others: list[Row]) -> dict[int, Row]:
    """Return for each kept paragraph the one of the matched article that tells the same."""
    from pipeline.text.normalise import make_key
    from pipeline.text.shingles import PARAGRAPH, jaccard, shingle_hashes

    candidates = [(o, shingle_hashes(make_key(o["text"]), PARAGRAPH)) for o in others]
    found: dict[int, Row] = {}
    for paragraph in paragraphs:
        if paragraph["status"] != "kept" or not candidates:
            continue
        own = shingle_hashes(make_key(paragraph["text"]), PARAGRAPH)
        best, other = max(
            ((jaccard(own, hashes), other) for other, hashes in candidates),
            key=lambda scored: (scored[0], -scored[1]["seq"]),
        )
        if best >= COUNTERPART_JACCARD:
            found[paragraph["seq"]] = {
                "seq": other["seq"],
                "status": other["status"],
                "text": other["text"],
                "jaccard": round(best, 4),
            }
    return found


_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+|\s+")


def differences(left: str, right: str) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return the spans of each text that the other does not have, word by word.

    Han and Kana, which stand without spaces, are compared character by character.

    >>> differences("fare rises 300 won", "fare rises 400 won")
    ([(11, 14)], [(11, 14)])
    """
    words = [[m.span() for m in _WORD.finditer(text)] for text in (left, right)]
    matcher = difflib.SequenceMatcher(
        None, [left[a:b] for a, b in words[0]], [right[a:b] for a, b in words[1]], autojunk=False
    )
    spans: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
    for operation, a, b, c, d in matcher.get_opcodes():
        if operation == "equal":
            continue
        for side, (start, end) in enumerate(((a, b), (c, d))):
            if start < end:
                spans[side].append((words[side][start][0], words[side][end - 1][1]))
    return spans
