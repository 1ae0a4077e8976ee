"""`unecho sources`: the health of every source."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from pipeline.commands.options import settings_of
from pipeline.errors import WarehouseError

_HEALTH = """
    SELECT sources.*, runs.status AS last_status
    FROM sources LEFT JOIN runs ON runs.run_id = sources.last_run_id ORDER BY source_id
"""


_COUNTS = "n_articles", "n_kept", "n_duplicates", "n_quarantined", "n_chars", "n_dropped_chars"
_OF_WHAT_CAME = (
    *("dropped_articles_ratio", "dropped_chars_ratio"),
    *("first_seen_at", "last_seen_at", "last_status"),
)
"""NULL for a source that nothing came from."""


def sources(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="One array of objects on stdout.")] = False,
) -> None:
    """List the sources and their health.

    Those of unecho.toml, and every other one that articles came from.
    """
    from pipeline.report.answers import as_json

    rows = _rows(context)
    if json:
        sys.stdout.buffer.write(as_json(rows) + b"\n")
    elif rows:
        _print(rows)
    else:
        typer.echo("no source yet: name files to unecho ingest, or write unecho.toml", err=True)


def _rows(context: typer.Context) -> list[dict[str, Any]]:
    """Return one row a source; counts are 0 for one that nothing came from yet."""
    from pipeline.report import published

    settings = settings_of(context)
    try:
        with published.open_published(settings.warehouse) as connection:
            found = {row["source_id"]: row for row in published.rows(connection, _HEALTH)}
    except WarehouseError:
        if not settings.source:
            raise
        found = {}  # sources may be written down before anything was ingested
    configured = {source.id: source for source in settings.source}
    rows = []
    for source_id in sorted({*found, *configured}):
        source = configured.get(source_id)
        health = found.get(source_id, {})
        rows.append(
            {
                "source_id": source_id,
                "path": source.path if source else None,
                "schedule": source.schedule if source else None,
                "is_enabled": source.enabled if source else None,
                **{name: health.get(name, 0) for name in _COUNTS},
                **{name: health.get(name) for name in _OF_WHAT_CAME},
            }
        )
    return rows


def _print(rows: list[dict[str, Any]]) -> None:
    from pipeline.report.tables import Column, text_table
    from pipeline.report.terminal import terminal_width

    columns = [
        Column("source"),
        Column("schedule"),
        Column("articles", True),
        Column("kept", True),
        Column("copies", True),
        Column("articles out", True),
        Column("text out", True),
        Column("quarantined", True),
        Column("last seen (UTC)"),
        Column("last run"),
    ]
    cells = [
        (
            row["source_id"],
            "off" if row["is_enabled"] is False else row["schedule"] or "",
            row["n_articles"],
            row["n_kept"],
            row["n_duplicates"],
            _percent(row["dropped_articles_ratio"]),
            _percent(row["dropped_chars_ratio"]),
            row["n_quarantined"],
            row["last_seen_at"].strftime("%Y-%m-%d %H:%M") if row["last_seen_at"] else "never",
            row["last_status"] or "",
        )
        for row in rows
    ]
    for line in text_table(columns, cells, terminal_width()):
        sys.stdout.write(line + "\n")


def _percent(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.0%}"
