"""Ctrl-C during a query of the store ends the run; it is never taken for a faulty document."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from pipeline.store.duck import fetch


class Failing:
    """A connection whose queries end with the given error."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def cursor(self) -> Failing:
        return self

    def close(self) -> None: ...

    def sql(self, _: str) -> Any:
        raise self.error


@pytest.mark.parametrize(
    "error",
    # What DuckDB 2.0's client was seen to make of Ctrl-C, and what its documentation names.
    [RuntimeError("Query interrupted"), duckdb.InterruptException("INTERRUPT Error: Interrupted!")],
)
def test_an_interrupted_query_is_a_keyboard_interrupt(error: Exception) -> None:
    with pytest.raises(KeyboardInterrupt):
        fetch(Failing(error), "SELECT 1")  # type: ignore[arg-type]


def test_another_runtime_error_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match="broken"):
        fetch(Failing(RuntimeError("broken")), "SELECT 1")  # type: ignore[arg-type]
