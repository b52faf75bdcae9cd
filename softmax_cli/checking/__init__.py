"""Somebody's results against the exact ones; imports the mathematics only."""
