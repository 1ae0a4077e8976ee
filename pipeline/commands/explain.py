"""`unecho explain`: why an article stands as it does."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline.commands.options import call_of, warehouse_of


def explain(
    context: typer.Context,
    article: Annotated[
        str,
        typer.Argument(
            metavar="ID|URL",
            help="An article_id or its first 6 digits or more, a story_id (its canonical), "
            "a URL, or the source's own id.",
            show_default=False,
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="One object on stdout.")] = False,
) -> None:
    """Show why an article stands as it does.

    Left the article as it came, dropped passages marked; right what they repeat and by which
    evidence. Then its story, and every article that it was compared with.
    """
    from pipeline.report.answers import as_json
    from pipeline.report.explain import explain_article
    from pipeline.report.published import open_published

    with open_published(warehouse_of(context)) as connection:
        explained = explain_article(connection, article, _url_key)
    if json:
        sys.stdout.buffer.write(as_json(explained.as_json()) + b"\n")
        return
    from pipeline.report.explain_view import print_explained

    print_explained(explained, call_of(context))


def _url_key(url: str) -> str:
    # Imported where it is needed: ids and known addresses are found without it.
    from pipeline.sources.urls import url_key

    return url_key(url)
