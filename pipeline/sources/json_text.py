"""JSON values out of document bytes: strict, but with the numbers that real exports hold."""

from __future__ import annotations

import json
from typing import Any

import orjson

from pipeline.errors import DocumentError
from pipeline.sources.decode import decode_text


def load_json(content: bytes, encoding: str) -> Any:
    """Return the JSON value of a document's bytes.

    NaN and Infinity, which Python and JavaScript exports contain, become None. A lone surrogate
    escape stays in the string: whether it matters depends on the field.

    Raises:
        DocumentError: `broken_encoding`, `lone_surrogate` (encoded), `control_characters` (a raw
            NUL) or `broken_json`.
    """
    if encoding == "utf-8":
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError:
            pass
    text = decode_text(content, encoding)
    try:
        return orjson.loads(text)
    except (orjson.JSONDecodeError, UnicodeEncodeError):
        # orjson refuses NaN, Infinity, escaped lone surrogates and deep nesting.
        return _load_with_standard_library(text)


def _load_with_standard_library(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        if "\0" in text:
            raise DocumentError(
                "control_characters",
                f"a NUL character at position {text.index(chr(0)) + 1}",
                next_step="take the NULs out at the source and ingest it again",
            ) from error
        raise DocumentError(
            "broken_json",
            f"no JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}",
            next_step="correct it at the source and ingest it again",
        ) from error
    except RecursionError as error:
        raise DocumentError(
            "broken_json",
            "no JSON that can be read: nested too deeply",
            next_step="flatten it at the source and ingest it again",
        ) from error


def load_exact(content: bytes, encoding: str) -> Any:
    """Return the JSON value with every number as the text that stands in the document.

    A number that is used as an id must keep its digits: as a float, `12345678901234567890123`
    would be another article's id, too.
    """
    return json.loads(
        decode_text(content, encoding),
        parse_float=str,
        parse_int=str,
        parse_constant=lambda _: None,
    )
