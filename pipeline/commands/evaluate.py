"""`unecho evaluate`: precision and recall on labelled pairs, with a threshold curve."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.commands.options import (
    ENCODING_OPTION,
    MAP_OPTION,
    SOURCE_OPTION,
    UsageError,
    column_map,
    settings_of,
)

if TYPE_CHECKING:
    from pipeline.commands.requests import Overrides
    from pipeline.report.evaluate import Evaluation
    from pipeline.report.evaluate_pairs import LabelledPair
    from pipeline.settings import Settings


def evaluate(
    context: typer.Context,
    pairs: Annotated[
        str,
        typer.Argument(
            metavar="PAIRS",
            help="JSONL of labelled pairs, - is stdin: left, right (the source's own id, an "
            "article_id or a URL), kind, label (same or different, or a relation).",
            show_default=False,
        ),
    ],
    articles: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ARTICLES",
            help="Files, folders or globs to take into a warehouse of their own, made for this "
            "and deleted. None: the pairs are looked up in the warehouse.",
            show_default=False,
        ),
    ] = None,
    curve: Annotated[
        Path | None,
        typer.Option("--curve", metavar="FILE", help="Draw the curve as PNG.", show_default=False),
    ] = None,
    curve_table: Annotated[
        Path | None,
        typer.Option(
            "--curve-table",
            metavar="FILE",
            help="Write the curve as CSV, by kind.",
            show_default=False,
        ),
    ] = None,
    source: Annotated[str | None, SOURCE_OPTION] = None,
    columns: Annotated[list[str] | None, MAP_OPTION] = None,
    encoding: Annotated[str | None, ENCODING_OPTION] = None,
    json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Count precision and recall on labelled pairs.

    By kind: which pairs stand in one story. By threshold (near_jaccard, near_jaccard_short,
    update_jaccard): what the rules say of each pair compared on its own. Exit 1 when no pair can
    be counted.
    """
    from pipeline.commands.requests import Overrides

    settings = settings_of(context)
    _check_outputs(curve, curve_table)
    labelled = _read(pairs)
    overrides = Overrides(source, column_map(columns), None, encoding)
    with _warehouse_for(articles, settings, overrides) as root:
        from flows.evaluate import evaluate as evaluate_pairs

        evaluation = evaluate_pairs(labelled, root)
    _warn(evaluation, pairs)
    _write_curve(evaluation, curve, curve_table)
    if json:
        from pipeline.report.answers import as_json

        sys.stdout.buffer.write(as_json(evaluation.as_json()) + b"\n")
        return
    from pipeline.report.evaluate_view import evaluation_lines
    from pipeline.report.terminal import terminal_width

    place = "the articles named" if articles else str(settings.warehouse)
    for line in evaluation_lines(evaluation, place, terminal_width()):
        sys.stdout.write(line + "\n")


def _check_outputs(curve: Path | None, curve_table: Path | None) -> None:
    """Refuse what cannot be written before an hour of work goes into it."""
    for path in (curve, curve_table):
        if path is not None and not path.absolute().parent.is_dir():
            raise UsageError(f"{path}: no such folder", "make it, or name a file elsewhere")
    if curve is not None and importlib.util.find_spec("matplotlib") is None:
        raise UsageError(
            "--curve needs matplotlib", "install it with: pip install 'unecho[charts]'"
        )


def _read(place: str) -> list[LabelledPair]:
    from pipeline.report.evaluate_pairs import PairsError, read_pairs

    try:
        if place == "-":
            return read_pairs(sys.stdin, "stdin")
        with Path(place).open(encoding="utf-8-sig") as lines:
            return read_pairs(lines, place)
    except PairsError as error:
        raise UsageError(error.message, error.next_step) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{place}: no UTF-8 text", "save it as UTF-8, one object a line"
        ) from error
    except (FileNotFoundError, IsADirectoryError) as error:
        raise UsageError(f"no such file: {place}", "name a JSONL file of pairs") from error


@contextmanager
def _warehouse_for(
    places: list[str] | None, settings: Settings, overrides: Overrides
) -> Iterator[Path]:
    """Yield the root of the warehouse to ask: the published one, or one made of `places`.

    Raises:
        UsageError: none of the places is there.
        WarehouseError: no article could be taken from them.
    """
    if not places:
        yield settings.warehouse
        return
    import tempfile
    from uuid import uuid4

    from flows.ingest import run_ingest
    from pipeline.commands.requests import bytes_of, requests_for
    from pipeline.errors import WarehouseError
    from pipeline.report.progress import IngestProgress

    requests = requests_for(places, settings, overrides)
    with tempfile.TemporaryDirectory(prefix="unecho-evaluate-") as folder:
        own = settings.model_copy(update={"warehouse": Path(folder)})
        with IngestProgress(bytes_of(requests)) as progress:
            summary = run_ingest(requests, own, str(uuid4()), on_progress=progress.update)
        for problem in summary.source_errors:
            typer.echo(f"unecho: {problem}", err=True)
        if n_refused := summary.quarantined.total():
            typer.echo(f"unecho: {n_refused} documents could not be taken", err=True)
        if summary.is_all_quarantined:
            raise WarehouseError(
                "every document went to quarantine", next_step="see why: unecho ingest them"
            )
        yield own.warehouse


def _warn(evaluation: Evaluation, place: str) -> None:
    """Say on stderr which pairs do not count; exit 1 when none does."""
    from pipeline.report.evaluate_pairs import left_out_line

    line = left_out_line(evaluation.pairs) or "there is no pair in it"
    if evaluation.pairs.left_out:
        typer.echo(f"unecho: {line}", err=True)
    if not evaluation.pairs.known:
        from pipeline.errors import WarehouseError

        raise WarehouseError(
            f"{place}: no pair can be counted",
            next_step="its ids must be of articles in the warehouse, or name ARTICLES, too",
        )


def _write_curve(evaluation: Evaluation, curve: Path | None, curve_table: Path | None) -> None:
    if curve is not None:
        from pipeline.report.evaluate_chart import draw_curve

        draw_curve(evaluation.curve, curve)
        typer.echo(f"unecho: the curve is drawn in {curve}", err=True)
    if curve_table is not None:
        from pipeline.report.evaluate import write_curve_table

        with curve_table.open("w", encoding="utf-8", newline="") as stream:
            write_curve_table(evaluation.curve, stream)
        typer.echo(f"unecho: the curve's numbers are in {curve_table}", err=True)
