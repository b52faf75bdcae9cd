"""One page a command: read, compute, write."""
