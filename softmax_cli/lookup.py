"""Functions named in a table by text, loaded when they are needed and not before."""

from importlib import import_module
from typing import Any


def load(name: str) -> Any:
    """Return what ``package.module:attribute`` names."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
