"""The layout of delimited text: its delimiter and its header, guessed from the first rows."""

import csv
import io
import re
from collections.abc import Collection, Sequence
from itertools import islice

from softmax_cli.errors import InputError, quoted, warn
from softmax_cli.words import has_decimal_comma, is_broken_number, is_number

DELIMITERS = ",;\t|"
_GUESS_LINES = 20
_GUESS_CHARACTERS = 1 << 16


def refuse_separator_line(content: bytes, name: str) -> None:
    """Refuse the line in which Excel is told the delimiter; for others it is the first row."""
    line = content[:20].splitlines()[:1]
    if line and re.fullmatch(rb'(?i)"?sep=[,;|\t]?"?', line[0].rstrip(b" ,;\t|")):
        found = quoted(line[0].decode("ascii", "replace"))
        problem = f"expected logits or a header, found {found}"
        raise InputError(f"{name}:1", problem, "remove that line, for example with tail -n +2")


def is_header(cells: Sequence[str]) -> bool:
    """Tell names from numbers; a row of numbers with some that are broken holds no names.

    Nor does one that ends in a delimiter; at its beginning, an empty cell is of a column of names.
    """
    if all(map(is_number, cells)):
        return False
    return not all(
        is_number(cell) or is_broken_number(cell) or (c > 0 and not cell.strip())
        for c, cell in enumerate(cells)
    )


def warn_of_numbers(header: Sequence[str], known: Collection[str], place: str) -> None:
    """Say so where a first row that is taken as the header may have been meant as a sample."""
    strange = [
        cell
        for c, cell in enumerate(header)
        if not is_number(cell)
        and (cell.strip(" \t").lower() not in known or (not cell.strip(" \t") and c > 0))
    ]
    if strange and any(map(is_number, header)):
        why = f"because {quoted(strange[0])} is not a number"
        warn(place, f"taken as the header, {why}; if it is a sample, put a header before it")


def warn_of_positions(rows: Sequence[Sequence[str]], place: str) -> None:
    """Say so where a first row that is taken as a sample may have been meant as the header."""
    first, second = rows[0], rows[1] if len(rows) > 1 else []
    if len(first) > 1 and first == [str(c) for c in range(len(first))] and "." in "".join(second):
        warn(place, "0, 1, ... are taken as a sample's logits, because a header is not all numbers")


def guess_delimiter(text: str) -> str:
    """Guess from the first lines: what splits them evenly, and most of all into numbers."""
    lines = list(islice(io.StringIO(text[:_GUESS_CHARACTERS], newline=""), _GUESS_LINES))

    def score(delimiter: str) -> tuple[bool, float, int]:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        cells = [cell for row in rows for cell in row]
        widths = {len(row) for row in rows}
        split = max(widths, default=0) > 1
        meant = sum(is_number(cell) or (split and has_decimal_comma(cell)) for cell in cells)
        numbers = meant / max(len(cells), 1)
        return len(widths) == 1 and widths != {1}, numbers, max(widths, default=0)

    try:
        best = max(DELIMITERS, key=score)
    except csv.Error:
        return DELIMITERS[0]
    if any(delimiter in line for line in lines for delimiter in DELIMITERS):
        return best
    return " " if _are_spaced(lines) else best


def _are_spaced(lines: Sequence[str]) -> bool:
    """Tell whether spaces separate numbers, as numpy.savetxt writes them, also under a header.

    As many in every line: without them, no line would hold a number.
    """
    rows = [line.split() for line in lines if line.strip()]
    if len(set(map(len, rows))) != 1 or len(rows[0]) == 1:
        return False
    names = 0 if any(map(is_number, rows[0])) else 1  # cells that may name a sample
    return any(all(map(is_number, row[names:])) for row in rows)
