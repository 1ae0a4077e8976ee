"""Kinds of folded code points: what both engines of the key know a character as."""

from __future__ import annotations

SENTINEL, DROP, SPACE, DIGIT, LETTER, UNSPACED = range(6)
POINT, COMMA, QUOTE, HYPHEN, MINUS = range(6, 11)
EXPANDED = 15
"""Stands for several code points; in the table of the compiled engine only."""

MINUS_SIGN = "\N{MINUS SIGN}"
MINUS_SIGN_CODE = ord(MINUS_SIGN)

# What is said of a code point where the keys of two paragraphs meet: it keeps a space there, it may
# combine with what stands before it.
JOINS_SPACED, JOINS_COMBINING = 1, 2
