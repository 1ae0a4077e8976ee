"""The warehouse on disk: the only code that writes to it (its protocol: docs in each module)."""
