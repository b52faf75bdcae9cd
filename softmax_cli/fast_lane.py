"""The fast lane: polars reads and prints numbers, where it is installed and worth its start-up."""

import sys
from importlib import import_module
from types import ModuleType

# Bytes of text that take about as long to read without polars as polars takes to load.
_WORTH = 1 << 22


def is_open() -> bool:
    """Tell whether polars is at work already."""
    return sys.modules.get("polars") is not None


def fast_lane(size: int) -> ModuleType | None:
    """Return `softmax_cli.polars_rows`, or None where polars is missing or not worth it.

    Parameters
    ----------
    size
        How many bytes there are to read or to print, as far as is known.
    """
    if size < _WORTH and not is_open():
        return None
    try:
        return import_module("softmax_cli.polars_rows")
    except ImportError:
        return None
