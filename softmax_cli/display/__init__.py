"""Results drawn for people: one file a command. Yields what Rich can print."""
