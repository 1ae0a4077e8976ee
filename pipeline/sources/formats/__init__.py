"""Splitters: one module a file format, each cutting a stream of bytes into documents."""
