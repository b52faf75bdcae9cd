"""One file a command: read, compute, write."""
