"""Softmax, its derivative and its derivation; imports nothing of the rest."""
