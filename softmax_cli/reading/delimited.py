"""Comma, semicolon, tab, pipe or space separated text."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from softmax_cli import fast
from softmax_cli.errors import InputError, quoted, visible
from softmax_cli.options import InputOptions
from softmax_cli.reading import text
from softmax_cli.reading.advice import advise, may_be_names
from softmax_cli.reading.columns import (
    NAMES_OF_NAME_COLUMNS,
    SAMPLES_OF_COLUMN,
    Columns,
    choose_columns,
    id_option,
    kinds_of,
)
from softmax_cli.reading.layout import (
    DELIMITERS,
    guess_delimiter,
    is_header,
    refuse_separator_line,
    warn_of_numbers,
    warn_of_positions,
)
from softmax_cli.reading.text import decode
from softmax_cli.reading.validity import check_length, check_logits
from softmax_cli.samples import Batch, FloatArray, Logits, TextBlock
from softmax_cli.words import NotANumberError, read_number

_PLAIN = b"0123456789+-.eE \n"
_MINUS_ZERO = re.compile(rb"-0[], ]")


@dataclass(frozen=True)
class Rows:
    """Some consecutive records: their cells, and the line of the file where each begins."""

    cells: Sequence[list[str]]
    lines: Sequence[int]


@dataclass(frozen=True)
class Table:
    """What the first rows have settled for all.

    Attributes
    ----------
    name
        What messages call the stream.
    delimiter
        What separates the cells.
    width
        How many cells every row has.
    columns
        Which of them are logits, and which one names the sample.
    header
        The columns' names, or None.
    first_line
        Where the first row stands.
    options
        What the user said.
    """

    name: str
    delimiter: str
    width: int
    columns: Columns
    header: Sequence[str] | None
    first_line: int
    options: InputOptions

    def place(self, lines: Sequence[int], k: int, c: int | None) -> str:
        """Name the place of row k, or of logit c in it."""
        where = f"{self.name}:{lines[k]}"
        return where if c is None else f"{where}:{self.columns.logits[c] + 1}"

    def check(self, logits: FloatArray, lines: Sequence[int]) -> None:
        """Refuse numbers that are no logits."""
        check = self.options.check or check_logits
        check(logits, lambda k, c: self.place(lines, k, c))


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
        With line and column: here for the first rows, from the batches for the rest.
    """
    return _read(text.Lines(stream), name, options.delimiter, options)


def read_tsv(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
    """Read tab separated text, as `read_csv` does."""
    return _read(text.Lines(stream), name, options.delimiter or "\t", options)


def _read(source: text.Lines, name: str, delimiter: str | None, options: InputOptions) -> Logits:
    head = source.take_head(options.block_size)
    refuse_separator_line(head, name)
    if delimiter is None:
        delimiter = guess_delimiter(decode(head, name))
    rows, line = _records(TextBlock(1, head), source, delimiter, name)
    while len(rows.cells) < 2 and (content := source.take(0)):
        more, line = _records(TextBlock(line, content), source, delimiter, name)
        rows = Rows([*rows.cells, *more.cells], [*rows.lines, *more.lines])
    if not rows.cells:
        raise InputError(name, "expected logits, found nothing")
    first, first_line = rows.cells[0], rows.lines[0]
    place = f"{name}:{first_line}"
    header = first if is_header(first) else None
    if header is not None:
        known = NAMES_OF_NAME_COLUMNS | ({"output"} if options.stacked else set())
        warn_of_numbers(header, known, place)
        rows = Rows(rows.cells[1:], rows.lines[1:])
    elif options.check is None:
        warn_of_positions(rows.cells, place)
    if not rows.cells:
        raise InputError(name, "expected at least one sample, found only a header")
    _check_widths(rows, len(first), name, first_line)
    kinds = kinds_of(zip(*rows.cells[:SAMPLES_OF_COLUMN], strict=True))
    columns = choose_columns(header, kinds, options, place)
    table = Table(name, delimiter, len(first), columns, header, first_line, options)
    return Logits(
        n_classes=len(columns.logits),
        blocks=_blocks(table, rows, line, source),
        class_names=tuple(header[c] for c in columns.logits) if header else None,
        names_samples=columns.sample is not None,
        sample_header=header[columns.sample] if header and columns.sample is not None else "sample",
        parse=lambda block: _parse(block, table),
        is_ready=source.is_ready,
    )


def _records(block: TextBlock, source: text.Lines, delimiter: str, name: str) -> tuple[Rows, int]:
    """Read the records that begin in a block, and return the line behind them too.

    The last one may go on in the source, behind the block, within quotes.
    """
    lines = list(io.StringIO(decode(block.content, name, block.line), newline=""))
    further = (
        decode(line, name, number)
        for number, line in enumerate(iter(lambda: source.take(0), b""), block.line + len(lines))
    )
    reader = _reader(chain(lines, further), delimiter)
    rows = Rows(cells := [], numbers := [])
    line, read, spaced_quotes = block.line, 0, b' "' in block.content
    try:
        while read < len(lines):
            record = next(reader)
            if record and (len(record) > 1 or not record[0] or record[0].strip(" \t")):
                cells.append(record)
                numbers.append(line)
            if spaced_quotes:
                _check_quotes(record, "".join(lines[read : reader.line_num]), f"{name}:{line}")
            read = reader.line_num
            line = block.line + read
    except csv.Error as error:
        raise _quoting_error(f"{name}:{line}", visible(str(error))) from None
    return rows, line


def _reader(lines: Iterator[str], delimiter: str) -> Any:
    if delimiter == " ":  # any number of them, also around the row
        lines = (line.strip(" \r\n") + "\n" for line in lines)
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=delimiter == " ")


def _check_quotes(cells: Sequence[str], record: str, place: str) -> None:
    """Refuse quotes behind a space, which would neither be left out nor hold a cell together."""
    for c, cell in enumerate(cells, start=1):
        if cell.startswith(" ") and cell.lstrip(" ").startswith('"'):
            written = cell.replace('"', '""')
            if f'"{written}' not in record:
                problem = f"expected quotes around the whole cell, found {quoted(cell)}"
                raise InputError(f"{place}:{c}", problem, "remove the space before the quote")


def _quoting_error(place: str, found: str) -> InputError:
    if "field limit" in found:
        problem = f"expected a cell of at most {csv.field_size_limit()} characters, found more"
        return InputError(place, problem, "perhaps a quote is left open there")
    return InputError(place, f"expected quoting as in RFC 4180, found: {found}")


def _check_widths(rows: Rows, width: int, name: str, first_line: int) -> None:
    if set(map(len, rows.cells)) != {width}:
        for cells, line in zip(rows.cells, rows.lines, strict=True):
            check_length(len(cells), width, f"{name}:{line}", f"line {first_line}")


def _blocks(table: Table, rows: Rows, line: int, source: text.Lines) -> Iterator[Batch | TextBlock]:
    """Yield the rows that were read and the rest; where records may cross lines, read them here."""
    start = len(rows.cells)
    yield _convert(rows, table, 0)
    while content := source.take(table.options.block_size):
        block = TextBlock(line, content, start)
        if _is_a_record_a_line(content):
            fast.orjson()  # before other processes are forked
            yield block
            n_lines = text.count_lines(content)
            start, line = start + n_lines, line + n_lines
            continue
        rows, line = _records(block, source, table.delimiter, table.name)
        if rows.cells:
            yield _convert(rows, table, start)
            start += len(rows.cells)


def _is_a_record_a_line(content: bytes) -> bool:
    alone = b"\r" in content and content.count(b"\r") != content.count(b"\r\n")
    return not (alone or b'"' in content or text.has_blank_lines(content))


def _parse(block: TextBlock, table: Table) -> Batch:
    """Parse a block of a record a line."""
    lines = range(block.line, block.line + text.count_lines(block.content))
    names, numbers = _part(block, table)
    logits = None if numbers is None else _parse_plain(numbers, len(lines), table)
    if logits is not None:
        table.check(logits, lines)
        return Batch(logits, block.start, names)
    reader = _reader(io.StringIO(decode(block.content, table.name, block.line)), table.delimiter)
    try:
        cells = list(reader)
    except csv.Error as error:  # a cell is too long
        place = f"{table.name}:{block.line + reader.line_num - 1}"
        raise _quoting_error(place, str(error)) from None
    return _convert(Rows(cells, lines), table, block.start)


def _part(block: TextBlock, table: Table) -> tuple[tuple[str, ...] | None, bytes | None]:
    """Part the names, where they come first, from the logits; None where others stand between."""
    columns, delimiter = table.columns, table.delimiter
    content = block.content
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
    content = content.removesuffix(b"\n")
    if delimiter in DELIMITERS + " " and columns.logits == tuple(range(table.width)):
        return None, content
    if delimiter not in DELIMITERS or columns != Columns(tuple(range(1, table.width)), 0):
        return None, None
    lines = decode(content, table.name, block.line).split("\n")
    parts = [line.partition(delimiter) for line in lines]
    return tuple(part[0] for part in parts), "\n".join([part[2] for part in parts]).encode()


def _parse_plain(content: bytes, n_rows: int, table: Table) -> FloatArray | None:
    """Read rows of nothing but plain numbers, which are JSON but for their brackets, or None.

    What JSON takes proves nothing by itself: ``1],[2`` is no cell. So the characters come first.
    """
    delimiter = table.delimiter.encode()
    if content.translate(None, _PLAIN + delimiter):
        return None
    document = b"[[" + content.replace(delimiter, b",").replace(b"\n", b"],[") + b"]]"
    width = len(table.columns.logits)
    try:
        rows = fast.loads(document)
        if len(rows) != n_rows or set(map(len, rows)) != {width}:
            return None
        values = np.fromiter(chain.from_iterable(rows), np.float64, n_rows * width)
    except (ValueError, OverflowError):  # cells that are missing, +1, 01, 1., 1e400
        return None
    if not np.isfinite(values).all():
        return None
    # To a reader of integers -0 is 0.
    if not values.all() and _MINUS_ZERO.search(document):
        return None
    return values.reshape(n_rows, width)


def _convert(rows: Rows, table: Table, start: int) -> Batch:
    """Turn cells into numbers and names."""
    _check_widths(rows, table.width, table.name, table.first_line)
    logits = _numbers(rows, table)
    table.check(logits, rows.lines)
    sample = table.columns.sample
    names = None if sample is None else tuple(map(itemgetter(sample), rows.cells))
    return Batch(logits, start, names)


def _picker(positions: tuple[int, ...]) -> Callable[[list[str]], Sequence[str]]:
    first, last = positions[0], positions[-1]
    if positions == tuple(range(first, last + 1)):
        return itemgetter(slice(first, last + 1))
    return itemgetter(*positions)


def _numbers(rows: Rows, table: Table) -> FloatArray:
    """Turn the cells of logits, shape (K, C), into float64.

    Python's float reads more than we do (digits with underscores, other scripts, 1e400 as
    inf), so whatever could be such a cell goes through `read_number`.
    """
    flat = list(chain.from_iterable(map(_picker(table.columns.logits), rows.cells)))
    shape = (len(rows.cells), len(table.columns.logits))
    characters = "".join(flat)
    if characters.isascii() and "_" not in characters:
        try:
            values = np.fromiter(map(float, flat), np.float64).reshape(shape)
        except ValueError:  # float knows fewer spaces, or a cell is at fault
            pass
        else:
            for i in np.flatnonzero(np.isinf(values)).tolist():
                _number(flat[i], i, rows, table)
            return values
    numbers = (_number(cell, i, rows, table) for i, cell in enumerate(flat))
    return np.fromiter(numbers, np.float64).reshape(shape)


def _number(cell: str, i: int, rows: Rows, table: Table) -> float:
    try:
        return read_number(cell)
    except NotANumberError as error:
        k, j = divmod(i, len(table.columns.logits))
        problem = f"{error}, found {quoted(cell)}"
        hint = _hint(rows, k, table.columns.logits[j], table)
        raise InputError(table.place(rows.lines, k, j), problem, hint) from None


def _hint(rows: Rows, k: int, c: int, table: Table) -> str:
    """Say what to do about a cell that is no number, or nothing."""
    cells, column = rows.cells[k], [row[c] for row in rows.cells]
    hint = advise(cells, column, c, table.delimiter)
    is_open = table.columns.sample is None and table.options.columns is None
    if not hint and is_open and table.options.check is None and may_be_names(cells[c], column):
        return f"if column {c + 1} names the samples, give {id_option(c, table.header)}"
    return hint
