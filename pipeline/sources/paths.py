"""From what the user names (files, folders, globs, `-`) to the containers that are read."""

from __future__ import annotations

import errno
import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pipeline.errors import SourceGone
from pipeline.sources.columns import DEFAULT_SOURCE_ID
from pipeline.sources.containers import STANDARD_INPUT, display_name
from pipeline.sources.sniff import COMPRESSIONS, FORMATS, extension_format

IGNORE_FILE = ".unechoignore"

Container = Path | Literal["-"]


def expand(
    specs: Sequence[str], *, source_id: str | None = None, may_be_empty: bool = False
) -> list[Container]:
    """Return the containers that the specs name, each once, folders and globs in sorted order.

    A spec is a file (always read, whatever its name), a folder (all of it, recursively), a glob
    (`**` for any depth) or `-` for JSONL on standard input. In folders and globs hidden files,
    unknown extensions and what `.unechoignore` (gitignore syntax, in the folder or above within
    it) excludes are left out; a glob that ends in an extension of its own takes that extension.
    `may_be_empty` accepts a folder or glob that holds nothing yet, as a drop folder does;
    `source_id` is named in errors.

    Raises:
        SourceGone: a spec matches nothing.
    """
    found: dict[str, Container] = {}
    for spec in specs:
        containers = list(_expand_one(spec))
        if not containers and not (
            may_be_empty and spec and (_is_folder(Path(spec)) or glob.has_magic(spec))
        ):
            raise _nothing(spec, source_id or DEFAULT_SOURCE_ID)
        for container in containers:
            key = container if container == STANDARD_INPUT else Path(container).absolute()
            found.setdefault(str(key), container)
    return list(found.values())


def _expand_one(spec: str) -> Iterator[Container]:
    path = Path(spec)
    if spec == STANDARD_INPUT:
        yield STANDARD_INPUT
    elif not spec:
        return
    elif _is_folder(path):
        yield from _walk(path, [])
    elif _is_there(path):
        yield path
    elif glob.has_magic(spec):
        yield from _expand_glob(spec)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _is_file(path: Path) -> bool:
    """Tell files and broken links, which reading reports, from pipes, which would block it."""
    try:
        return path.is_symlink() or path.is_file()
    except OSError:
        return True


def _is_there(path: Path) -> bool:
    try:
        return path.is_symlink() or path.exists()
    except OSError as error:
        # In a folder that may not be entered there may be such a file: reading it will tell.
        return error.errno == errno.EACCES


def _nothing(spec: str, source_id: str) -> SourceGone:
    kinds = " ".join(FORMATS)
    if spec and _is_folder(Path(spec)):
        message = "nothing to read in this folder"
        step = f"put files ending in {kinds} (or these with {' or '.join(COMPRESSIONS)}) there"
    elif glob.has_magic(spec):
        message = "no file matches this pattern"
        step = f"check the pattern; files ending in {kinds} are read"
    else:
        message = "no such file or folder"
        step = "check the path"
    return SourceGone(source_id, display_name(spec), message, next_step=step)


class _Rules:
    """The `.unechoignore` of one folder."""

    def __init__(self, folder: Path) -> None:
        import pathspec  # costs 25 ms, for the folders that hold such a file

        self.folder = folder
        lines = (folder / IGNORE_FILE).read_text("utf-8-sig").splitlines()
        self.spec = pathspec.GitIgnoreSpec.from_lines(lines)

    def verdict(self, path: Path, *, is_folder: bool) -> bool | None:
        """Return True to leave out, False to take in again, None when no pattern speaks."""
        name = path.relative_to(self.folder).as_posix() + ("/" if is_folder else "")
        return self.spec.check_file(name).include


def _rules_of(folder: Path, outer: list[_Rules]) -> list[_Rules]:
    return [*outer, _Rules(folder)] if (folder / IGNORE_FILE).is_file() else outer


def _is_left_out(path: Path, rules: list[_Rules], *, is_folder: bool) -> bool:
    if path.name.startswith("."):
        return True
    # As in git: the innermost file that has something to say about the path wins.
    for rule in reversed([r for r in rules if r.folder in path.parents]):
        verdict = rule.verdict(path, is_folder=is_folder)
        if verdict is not None:
            return verdict
    return False


def _walk(folder: Path, outer: list[_Rules]) -> Iterator[Path]:
    """Yield the files of a folder, sorted; a folder that cannot be listed is yielded itself."""
    try:
        entries = sorted(folder.iterdir())
        rules = _rules_of(folder, outer)
    except OSError:
        # Reading it will fail, and that is reported like a file that cannot be read.
        yield folder
        return
    for entry in entries:
        is_folder = _is_folder(entry)
        if _is_left_out(entry, rules, is_folder=is_folder):
            continue
        if not is_folder:
            if extension_format(entry) and _is_file(entry):
                yield entry
        elif not entry.is_symlink():
            # A link to a folder may lead back into it.
            yield from _walk(entry, rules)


def _expand_glob(spec: str) -> Iterator[Path]:
    fixed = Path(*_fixed_parts(spec))
    takes_all = bool(Path(spec).suffix) and not glob.has_magic(Path(spec).suffix)
    for name in sorted(glob.glob(spec, recursive=True)):  # noqa: PTH207 (pathlib's `**` differs by version)
        path = Path(name)
        rules = _rules_between(fixed, path)
        if _is_folder(path):
            if "**" not in Path(spec).parts and not _is_left_out(path, rules, is_folder=True):
                yield from _walk(path, rules)
        elif not _is_ignored_below(fixed, path, rules) and (takes_all or extension_format(path)):
            yield path


def _fixed_parts(spec: str) -> Iterator[str]:
    for part in Path(spec).parts[:-1]:
        if glob.has_magic(part):
            return
        yield part


def _rules_between(fixed: Path, path: Path) -> list[_Rules]:
    """Return the rules of the folders from the pattern's fixed beginning down to the file."""
    rules: list[_Rules] = []
    for folder in reversed(path.parents):
        if folder == fixed or fixed in folder.parents:
            rules = _rules_of(folder, rules)
    return rules


def _is_ignored_below(fixed: Path, path: Path, rules: list[_Rules]) -> bool:
    """Tell whether the file or a folder on the way to it is left out."""
    ways = [p for p in reversed(path.parents) if fixed in p.parents]
    return any(_is_left_out(p, rules, is_folder=True) for p in ways) or _is_left_out(
        path, rules, is_folder=False
    )
