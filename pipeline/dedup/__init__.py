"""Deduplication: pure stages on Arrow tables; only the flow introduces them to each other."""
