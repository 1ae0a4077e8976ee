"""How well the warehouse agrees with labelled pairs, and what other thresholds would do."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pyarrow as pa

from flows.rules import rules_from
from pipeline.contracts import ID, TIME
from pipeline.dedup.relations import RULE_VERSION, RelationRules
from pipeline.dedup.signatures import Recipe, sign
from pipeline.dedup.verify import verify
from pipeline.interim import PAIRS
from pipeline.report.evaluate import CurvePoint, Evaluation, scores, wrong_pairs
from pipeline.report.evaluate_pairs import KnownPair, LabelledPair, look_up
from pipeline.report.published import open_published, rows

if TYPE_CHECKING:
    import duckdb

CURVE_SETTINGS = ("near_jaccard", "near_jaccard_short", "update_jaccard")
"""The settings that decide from which Jaccard on a pair is one story, each with a curve."""

THRESHOLDS = tuple(step / 100 for step in range(30, 100, 5))
"""Where the curve is drawn: from where `related` begins, in steps of 0.05."""

_COMPARED = pa.schema(
    [
        ("article_id", ID),
        ("source_id", pa.string()),
        ("published_at", TIME),
        ("title", pa.string()),
        ("text", pa.large_string()),
    ]
)

Ends = tuple[str, str]


def evaluate(pairs: Iterable[LabelledPair], root: Path) -> Evaluation:
    """Return how the published stories of the warehouse at `root` agree with the labels, and more.

    The curve takes the parameters that the warehouse was derived with, and varies one.

    Raises:
        WarehouseError: nothing was published there, or a file of it is damaged.
    """
    with open_published(root) as connection:
        rules = rules_from(_parameters(connection))
        found = look_up(connection, pairs)
        keys = _keys_of(connection, found.known, rules.recipe)
        compared = _compared(connection, found.known)
    candidates = _candidates(found.known)
    judged = _judged(verify(candidates, keys, [], rules.relations), compared)
    return Evaluation(
        pairs=found,
        stories=scores(found.known, lambda p: p.is_one_story),
        curve=[
            point
            for setting in CURVE_SETTINGS
            for point in _curve(setting, found.known, candidates, keys, rules.relations)
        ],
        wrong=wrong_pairs(found.known, judged),
        rule_version=RULE_VERSION,
    )


def _parameters(connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    found = rows(connection, "SELECT name, value FROM parameters")
    return {row["name"]: json.loads(row["value"]) for row in found}


def _keys_of(
    connection: duckdb.DuckDBPyConnection, pairs: Sequence[KnownPair], recipe: Recipe
) -> pa.Table:
    """Return the KEYS of every article of the pairs, made from its published clean text."""
    ids = sorted({end for pair in pairs for end in pair.ends})
    names = ", ".join(_COMPARED.names)
    found = rows(
        connection,
        f"SELECT {names} FROM articles_all"
        " WHERE article_id IN (SELECT unnest($1::UUID[])) ORDER BY article_id",
        [ids],
    )
    for row in found:
        row["article_id"] = UUID(row["article_id"]).bytes
    return sign(pa.Table.from_pylist(found, _COMPARED), recipe)


def _compared(connection: duckdb.DuckDBPyConnection, pairs: Sequence[KnownPair]) -> set[Ends]:
    """Return those of the pairs that have an edge in the warehouse."""
    wanted = sorted({pair.ends for pair in pairs})
    found = rows(
        connection,
        "SELECT left_id, right_id FROM edges SEMI JOIN"
        " (SELECT unnest($1::UUID[]) AS left_id, unnest($2::UUID[]) AS right_id)"
        " USING (left_id, right_id)",
        [[left for left, _ in wanted], [right for _, right in wanted]],
    )
    return {(row["left_id"], row["right_id"]) for row in found}


def _candidates(pairs: Sequence[KnownPair]) -> pa.Table:
    """Return the labelled pairs as PAIRS: whoever labels is the one who found them."""
    ends = sorted({(UUID(p.left_id).bytes, UUID(p.right_id).bytes) for p in pairs})
    found = [{"left_id": left, "right_id": right, "found_by": "label"} for left, right in ends]
    return pa.Table.from_pylist(found, PAIRS.schema)


def _judged(edges: pa.Table, compared: set[Ends]) -> dict[Ends, dict[str, Any]]:
    """Return relation, Jaccard and evidence of every pair that has a relation, by its ids."""
    return {
        ends: {
            "relation": edge["relation"],
            "is_duplicate": edge["is_duplicate"],
            "jaccard": round(edge["jaccard"], 4),
            "rule": evidence.get("rule"),
            "evidence": evidence,
            "is_compared": ends in compared,
        }
        for edge in edges.to_pylist()
        for ends, evidence in [(_ends(edge), json.loads(edge["evidence"] or "{}"))]
    }


def _curve(
    setting: str,
    pairs: Sequence[KnownPair],
    candidates: pa.Table,
    keys: pa.Table,
    rules: RelationRules,
) -> Iterable[CurvePoint]:
    """Yield a point for each threshold and for the one in effect: does the pair get an edge?"""
    in_effect = getattr(rules, setting)
    for threshold in sorted({*THRESHOLDS, in_effect}):
        edges = verify(candidates, keys, [], replace(rules, **{setting: threshold}))
        joined = {_ends(edge) for edge in edges.filter(edges["is_duplicate"]).to_pylist()}
        found = scores(pairs, lambda pair: pair.ends in joined)  # noqa: B023 - used up at once
        yield CurvePoint(setting, threshold, threshold == in_effect, found)


def _ends(edge: dict[str, Any]) -> Ends:
    return str(UUID(bytes=edge["left_id"])), str(UUID(bytes=edge["right_id"]))
