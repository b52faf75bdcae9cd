"""Comma, semicolon, tab or pipe separated text, by the csv module."""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from itertools import chain, islice
from operator import itemgetter

import numpy as np

from softmax_cli.batch import Batch, FloatArray, Logits
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions, Place
from softmax_cli.reading.columns import Columns, choose_columns
from softmax_cli.reading.validity import check_length, check_logits
from softmax_cli.tokens import NotANumberError, is_number, read_number

DELIMITERS = ",;\t|"
_CELLS_A_BLOCK = 1 << 16
_GUESS_LINES = 20
_GUESS_CHARACTERS = 1 << 16


@dataclass(frozen=True)
class Row:
    """One record: its cells, and the line of the file it begins on."""

    line: int
    cells: list[str]


def read_csv(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
    """Read delimited text block by block; the delimiter is guessed unless it is given.

    Parameters
    ----------
    stream
        UTF-8 bytes, with or without a byte order mark.
    name
        What messages call the stream.
    options
        What the user said.

    Raises
    ------
    InputError
        With line and column: here for the first block, from the batches for the rest.
    """
    return _read(stream, name, options.delimiter, options)


def read_tsv(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
    """Read tab separated text, as `read_csv` does."""
    return _read(stream, name, options.delimiter or "\t", options)


def _read(
    stream: BufferedReader, name: str, delimiter: str | None, options: InputOptions
) -> Logits:
    text_stream = TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
    lines = _checked_lines(text_stream, name)
    if delimiter is None:
        head = list(_head(lines))
        delimiter = guess_delimiter(head)
        lines = chain(head, lines)
    rows = _rows(lines, delimiter, name)
    first = next(rows, None)
    if first is None:
        raise InputError(name, "expected logits, found nothing")
    header = None if all(map(is_number, first.cells)) else first.cells
    if header is None:
        rows = chain([first], rows)
    blocks = _blocks(rows, first, name)
    block = next(blocks, None)
    if block is None:
        raise InputError(name, "expected at least one sample, found only a header")
    text = _text_columns(block)
    chosen = choose_columns(header, len(first.cells), text, options, f"{name}:{first.line}")
    return Logits(
        n_classes=len(chosen.logits),
        batches=_batches(chain([block], blocks), chosen, options.check or check_logits, name),
        class_names=tuple(header[c] for c in chosen.logits) if header else None,
        names_samples=chosen.sample is not None,
        sample_header=header[chosen.sample] if header and chosen.sample is not None else "sample",
    )


def guess_delimiter(lines: Sequence[str]) -> str:
    """Guess from the first lines: what splits them evenly, and most of all into numbers."""

    def score(delimiter: str) -> tuple[bool, float, int]:
        rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        cells = [cell for row in rows for cell in row]
        widths = {len(row) for row in rows}
        numbers = sum(map(is_number, cells)) / max(len(cells), 1)
        return len(widths) == 1 and widths != {1}, numbers, max(widths, default=0)

    try:
        return max(DELIMITERS, key=score)
    except csv.Error:
        return DELIMITERS[0]


def _head(lines: Iterator[str]) -> Iterator[str]:
    characters = 0
    for line in islice(lines, _GUESS_LINES):
        yield line
        characters += len(line)
        if characters > _GUESS_CHARACTERS:
            return


def _checked_lines(stream: TextIOWrapper, name: str) -> Iterator[str]:
    for number, line in enumerate(stream, start=1):
        if not line.isascii() and not line.isprintable():
            strange = next((c for c in line if "\udc80" <= c <= "\udcff"), None)
            if strange is not None:
                raise InputError(
                    f"{name}:{number}",
                    f"expected UTF-8 text, found the byte 0x{ord(strange) - 0xDC00:02x}",
                    "convert the file first, for example with iconv -f LATIN1 -t UTF-8",
                )
        yield line


def _rows(lines: Iterable[str], delimiter: str, name: str) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if cells and not (len(cells) == 1 and cells[0] and cells[0].isspace()):
                yield Row(line, cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{name}:{line}", f"expected quoting as in RFC 4180, found: {error}"
        ) from None


def _blocks(rows: Iterable[Row], first: Row, name: str) -> Iterator[list[Row]]:
    width = len(first.cells)
    size = max(1, _CELLS_A_BLOCK // width)
    block: list[Row] = []
    for row in rows:
        check_length(len(row.cells), width, f"{name}:{row.line}", f"line {first.line}")
        block.append(row)
        if len(block) == size:
            yield block
            block = []
    if block:
        yield block


def _text_columns(block: Sequence[Row]) -> list[int]:
    """Find the columns without a single number; a column with some is logits with a mistake."""
    width = len(block[0].cells)
    candidates = [
        c for c in range(width) if block[0].cells[c].strip() and not is_number(block[0].cells[c])
    ]
    return [c for c in candidates if not any(is_number(row.cells[c]) for row in block)]


def _batches(
    blocks: Iterable[list[Row]],
    columns: Columns,
    check: Callable[[FloatArray, Place], None],
    name: str,
) -> Iterator[Batch]:
    start = 0
    for block in blocks:

        def place(k: int, c: int | None, block: list[Row] = block) -> str:
            where = f"{name}:{block[k].line}"
            return where if c is None else f"{where}:{columns.logits[c] + 1}"

        cells = _pick([row.cells for row in block], columns.logits)
        try:
            logits = parse(cells)
        except _CellError as error:
            raise InputError(place(error.row, error.column), error.problem) from None
        check(logits, place)
        sample = columns.sample
        names = None if sample is None else tuple(row.cells[sample] for row in block)
        yield Batch(logits, start, names)
        start += len(block)


def _pick(rows: list[list[str]], positions: tuple[int, ...]) -> list[Sequence[str]]:
    if positions == tuple(range(len(rows[0]))):
        return list(rows)
    if positions == tuple(range(positions[0], positions[-1] + 1)):
        return [row[positions[0] : positions[-1] + 1] for row in rows]
    if len(positions) == 1:
        return [[row[positions[0]]] for row in rows]
    pick = itemgetter(*positions)
    return [pick(row) for row in rows]


class _CellError(ValueError):
    def __init__(self, row: int, column: int, problem: str) -> None:
        super().__init__(problem)
        self.row, self.column, self.problem = row, column, problem


def parse(rows: Sequence[Sequence[str]]) -> FloatArray:
    """Turn a block of cells, shape (K, C), into float64.

    Python's float reads more than we do (digits with underscores, other scripts, 1e400 as
    inf), so whatever could be such a cell goes through `read_number`.
    """
    text = "".join(map("".join, rows))
    if not text.isascii() or "_" in text:
        return _parse_carefully(rows)
    try:
        values = np.array([list(map(float, row)) for row in rows])
    except ValueError:
        _parse_carefully(rows)
        raise AssertionError("a cell that float refuses was read as a number") from None
    for k in np.flatnonzero(np.isinf(values).any(axis=1)):
        _parse_row(int(k), rows[int(k)])
    return values


def _parse_carefully(rows: Sequence[Sequence[str]]) -> FloatArray:
    return np.array([_parse_row(k, row) for k, row in enumerate(rows)])


def _parse_row(k: int, row: Sequence[str]) -> list[float]:
    values = []
    for c, cell in enumerate(row):
        try:
            values.append(read_number(cell))
        except NotANumberError as error:
            raise _CellError(k, c, f"{error}, found {quoted(cell)}") from None
    return values
