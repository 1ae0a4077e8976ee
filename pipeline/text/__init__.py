"""Text: keys, shingles, numbers, paragraphs; pure functions."""
