"""`python -m pipeline.commands.dictionary > warehouse/README.md`: writes the data dictionary."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from pipeline.report.dictionary import dictionary
from pipeline.report.published import open_published
from pipeline.report.terminal import force_utf8
from pipeline.report.tour import examples
from pipeline.store.warehouse import open_warehouse


def data_dictionary() -> str:
    """Return the data dictionary of an empty warehouse made for it: its views are the real ones."""
    with tempfile.TemporaryDirectory() as folder:
        with open_warehouse(Path(folder)):
            pass  # opening publishes
        with open_published(Path(folder)) as connection:
            return "\n".join(dictionary(connection, examples())) + "\n"


if __name__ == "__main__":
    force_utf8()
    sys.stdout.write(data_dictionary())
