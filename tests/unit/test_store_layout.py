"""What lies in the tables' folders, told by names alone."""

from pathlib import Path

from pipeline.store.layout import Layout

OURS = f"articles/2025-01/l0-{'a' * 32}.parquet"


def test_files_and_links_of_tables_are_told_from_folders_and_from_ours(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    tables = layout.tables
    for name in (OURS, "stray.txt", "articles/기사 1/ü.parquet", f"nowhere/2025-01/{OURS[-39:]}"):
        (tables / name).parent.mkdir(parents=True, exist_ok=True)
        (tables / name).write_text("x", encoding="utf-8")
    (tables / "empty").mkdir()
    (tables / "to_folder").symlink_to(tmp_path)
    (tables / "to_nothing").symlink_to(tmp_path / "nothing")
    (tables / "articles/to_file").symlink_to(tables / "stray.txt")
    plain = {
        (path.relative_to(tmp_path).as_posix(), path == tables / OURS)
        for path in tables.rglob("*")
        if path.is_symlink() or not path.is_dir()
    }
    assert len(plain) == 7
    assert set(layout.files_of_tables()) == plain
