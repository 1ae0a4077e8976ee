"""Sources: whatever holds articles becomes documents, and documents become articles."""
