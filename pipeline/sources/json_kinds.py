"""What the compiled reading of JSON says of a value."""

MAX_KEYS = 32
"""Different keys in one batch; a document with one more is read by itself."""

ABSENT, STRING, NULL, DIGITS, RAW = range(5)
"""What a value is: not there, a string, null, a whole number of at most 18 digits, any other."""

COMBINES, HAS_RETURN = 1, 2
"""What a string holds: a code point that NFC may change, a carriage return."""
