"""Errors, named by what must happen next.

UnechoError
├─ SourceError(source_id, url)
│   ├─ SourceUnavailable   retry, then skip this source for this run
│   └─ SourceGone          do not retry; report it
├─ DocumentError(document_id)   quarantine this document, go on
├─ ContractError(table, problems)   stop; publish nothing
├─ RecipeMismatch(expected, found)  stop; rebuild
├─ WarehouseError          retry is safe: publishing is atomic
└─ SettingsError(key)      stop before the first fetch

Every message names the thing and, after it, the next step.
"""

from __future__ import annotations

from collections.abc import Sequence


class UnechoError(Exception):
    """Base of every error that a user may see; `next_step` says what to do about it."""

    def __init__(self, message: str, *, next_step: str = "") -> None:
        """Keep the one-line message and the next step apart, so that both can be shown."""
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        """Return `message; next step` on one line."""
        text = f"{self.message}; {self.next_step}" if self.next_step else self.message
        return " ".join(text.split())


class SourceError(UnechoError):
    """A source could not be read."""

    def __init__(self, source_id: str, url: str, message: str, *, next_step: str = "") -> None:
        """Name the source and the place (path or URL) that failed."""
        super().__init__(f"{source_id}: {url}: {message}", next_step=next_step)
        self.source_id = source_id
        self.url = url


class SourceUnavailable(SourceError):
    """The source did not answer this time: retry, then skip it for this run."""


class SourceGone(SourceError):
    """The source is not there: do not retry; report it."""


class DocumentError(UnechoError):
    """One document cannot be taken: quarantine it whole with `reason`, go on with the rest."""

    def __init__(self, reason: str, message: str, *, next_step: str = "") -> None:
        """Keep the closed-list reason (contracts.QUARANTINE_REASONS) beside the message."""
        super().__init__(message, next_step=next_step)
        self.reason = reason


class ContractError(UnechoError):
    """A table breaks its contract: stop, publish nothing."""

    def __init__(self, table: str, problems: Sequence[str]) -> None:
        """List all problems at once."""
        super().__init__(
            f"table {table} breaks its contract: " + "; ".join(problems),
            next_step="this is a fault in unecho: nothing was published, report it",
        )
        self.table = table
        self.problems = list(problems)


class RecipeMismatch(UnechoError):
    """Signatures of two recipes met: stop; rebuild."""

    def __init__(self, expected: str, found: str) -> None:
        """Name both recipes."""
        super().__init__(
            f"signatures were made with recipe {found}, this run uses {expected}",
            next_step="run with the settings the warehouse was built with, or rebuild it",
        )
        self.expected = expected
        self.found = found


class WarehouseError(UnechoError):
    """The warehouse could not be read or written; publishing is atomic, so retry is safe."""


class SettingsError(UnechoError):
    """A setting is wrong: stop before the first fetch."""

    def __init__(self, key: str, message: str, *, next_step: str = "") -> None:
        """Name the key."""
        super().__init__(f"setting {key}: {message}", next_step=next_step)
        self.key = key
