"""What to do about a table's cell that is no number, by what stands around it."""

import re
from collections.abc import Sequence

from softmax_cli.reading.columns import LAST_IS_EMPTY
from softmax_cli.words import has_decimal_comma, is_broken_number, is_number, mending

_GROUPED = r"[-+]?\d{1,3}(?:\s\d{3})+(?:[.,]\d+)?"


def advise(row: Sequence[str], column: Sequence[str], c: int, delimiter: str) -> str:
    """Say what to do about a cell, or nothing.

    Parameters
    ----------
    row
        All cells of its line.
    column
        The cells of its column, as far as they were read.
    c
        Where in the row it stands.
    delimiter
        What separates the cells.
    """
    cell = row[c].strip()
    if not cell and len(row) > 1:
        if not "".join(row).strip():
            return "the line holds nothing but delimiters: remove it"
        if c == len(row) - 1 and not "".join(column).strip():
            return LAST_IS_EMPTY
    if len(row) > 1 and re.fullmatch(_GROUPED, cell):
        return "write numbers without spaces, and decimals with a point, as in 1000.5"
    if has_decimal_comma(cell) and delimiter != ",":
        point = "tr -d . | tr , ." if "." in cell else "tr , ."
        return f"write decimals with a point, as in 1.5, for example with {point}"
    return mending(cell)


def may_be_names(cell: str, column: Sequence[str]) -> bool:
    """Tell whether a cell that is no number may be a sample's name, and no slip among numbers."""
    if not cell.strip() or is_broken_number(cell) or any(map(is_number, cell.split())):
        return False
    return 2 * sum(map(is_number, column)) <= len(column)
