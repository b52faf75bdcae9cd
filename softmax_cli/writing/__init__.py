"""A result becomes a format: one file a format."""
