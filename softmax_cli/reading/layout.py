"""The layout of delimited text: its delimiter and its header, guessed from the first rows."""

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from softmax_cli.words import has_decimal_comma, is_broken_number, is_number

_DELIMITERS = ",;\t| "
_GUESS_LINES = 20
_GUESS_CHARACTERS = 1 << 16

csv.field_size_limit(1 << 28)


def csv_reader(lines: Iterable[str], delimiter: str, *, strict: bool = True) -> Any:
    """Return a reader by RFC 4180; any number of spaces, also around the row, is one delimiter."""
    is_space = delimiter == " "
    if is_space:
        lines = (line.strip(" \r\n") + "\n" for line in lines)
    return csv.reader(lines, delimiter=delimiter, strict=strict, skipinitialspace=is_space)


def guess_delimiter(text: str) -> str:
    """Guess from the first lines: what splits them evenly, and most of all into numbers."""
    first = islice(io.StringIO(text[:_GUESS_CHARACTERS], newline=""), _GUESS_LINES)
    lines = [line for line in first if line.strip()]

    def score(delimiter: str) -> tuple[bool, float, int]:
        rows = list(csv_reader(lines, delimiter, strict=False))
        widths = set(map(len, rows))
        widest = max(widths, default=0)
        cells = [is_number(c) or (widest > 1 and has_decimal_comma(c)) for row in rows for c in row]
        return len(widths) == 1 and widest > 1, sum(cells) / max(len(cells), 1), widest

    return max(_DELIMITERS, key=score)


def is_header(cells: Sequence[str]) -> bool:
    """Tell names from numbers; a row of numbers with some that are broken holds no names.

    Nor does one that ends in a delimiter; at its beginning, an empty cell is of a column of names.
    """
    return not all(
        is_number(cell) or is_broken_number(cell) or (c > 0 and not cell.strip())
        for c, cell in enumerate(cells)
    )
