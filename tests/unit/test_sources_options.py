"""Settings of a reading are checked before the first byte."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.errors import SettingsError
from pipeline.sources.files import ReadOptions


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"timezone": "Asia/Soul"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"timezone": "../etc"}, "timezone"),
        ({"encoding": "klingon"}, "encoding"),
        ({"column_map": {"texte": "a"}}, "map"),
        ({"batch_documents": 0}, "batch_documents"),
        ({"batch_bytes": 0}, "batch_bytes"),
        ({"max_document_bytes": -1}, "max_document_bytes"),
    ],
)
def test_wrong_settings(options: dict[str, Any], key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        ReadOptions(**options)
    assert caught.value.key == key
    assert "\n" not in str(caught.value)


def test_the_source_is_local_unless_named() -> None:
    named = [ReadOptions(source_id=s).effective_source_id for s in (None, "", " ", " x ")]
    assert named == ["local", "local", "local", "x"]


def test_pieces_are_never_smaller_than_documents_and_hold_whole_units() -> None:
    assert ReadOptions().limits.piece_bytes == 64 * 1024 * 1024
    limits = ReadOptions(max_document_bytes=100 * 1024 * 1024 + 1).limits
    assert limits.piece_bytes > limits.document_bytes
    assert limits.piece_bytes % 4 == 0


def test_the_map_is_the_same_whatever_its_order_and_names() -> None:
    one = ReadOptions(column_map={"text": "본문", "title": "제목"}).for_parsing()
    other = ReadOptions(column_map={"headline": "제목", "body": "본문"}).for_parsing()
    assert one == other
