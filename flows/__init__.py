"""Flows fetch and store: the pipeline decides, the warehouse answers."""
