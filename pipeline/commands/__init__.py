"""The commands of `unecho`, one file a command; each imports what it needs when it is called."""
