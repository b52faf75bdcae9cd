"""Comma, semicolon, tab, pipe or space separated text."""

import csv
import io
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np

from softmax_cli import fast
from softmax_cli.errors import InputError, quoted, visible
from softmax_cli.options import InputOptions
from softmax_cli.reading.columns import (
    SAMPLES_OF_COLUMN,
    Columns,
    choose_columns,
    kinds_of,
    warn_of_first_row,
)
from softmax_cli.reading.layout import csv_reader, guess_delimiter, is_header
from softmax_cli.reading.text import Stream, decode, read_lines
from softmax_cli.reading.validity import check_length, check_logits
from softmax_cli.samples import Batch, FloatArray, Logits, TextBlock
from softmax_cli.words import NotANumberError, is_broken_number, is_number, mending, read_number

_PLAIN = b"0123456789+-.eE "
_MINUS_ZERO = re.compile(rb"-0[], ]")

Record = tuple[int, list[str]]  # the line where it begins, and its cells


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
    first_line
        Where the first row stands.
    columns
        Which of them are logits, and which one names the sample.
    options
        What the user said.
    """

    name: str
    delimiter: str
    width: int
    first_line: int
    columns: Columns
    options: InputOptions

    def place(self, line: int, c: int | None) -> str:
        """Name the place of the row that begins on a line, or of logit c in it."""
        where = f"{self.name}:{line}"
        return where if c is None else f"{where}:{self.columns.logits[c] + 1}"

    def check(self, logits: FloatArray, lines: Sequence[int]) -> None:
        """Raise for numbers that are no logits."""
        check = self.options.check or check_logits
        check(logits, lambda k, c: self.place(lines[k], c))


def read_tsv(stream: Stream, name: str, options: InputOptions) -> Logits:
    """Read tab separated text, as `read_csv` does."""
    return read_csv(stream, name, replace(options, delimiter=options.delimiter or "\t"))


def read_csv(stream: Stream, name: str, options: InputOptions) -> Logits:
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
    head = stream.take_head()
    delimiter = options.delimiter or guess_delimiter(decode(head, name))
    records, line = _records(TextBlock(1, head), stream, delimiter, name)
    while len(records) < 2 and (content := stream.take(0)):
        more, line = _records(TextBlock(line, content), stream, delimiter, name)
        records += more
    if not records:
        raise InputError(name, "expected logits, found nothing")
    first_line, first = records[0]
    place = f"{name}:{first_line}"
    header = first if is_header(first) else None
    if options.check is None:
        warn_of_first_row([cells for _, cells in records[:2]], header is not None, place)
    if header:
        records = records[1:]
    if not records:
        raise InputError(name, "expected at least one sample, found only a header")
    _check_widths(records, len(first), name, first_line)
    kinds = kinds_of(zip(*(cells for _, cells in records[:SAMPLES_OF_COLUMN]), strict=True))
    columns = choose_columns(header, kinds, options, place)
    table = Table(name, delimiter, len(first), first_line, columns, options)

    def read(block: TextBlock) -> tuple[Batch, int]:
        records, line = _records(block, stream, delimiter, name)
        return _convert(records, table, block.start), line

    blocks = read_lines(stream, line, _convert(records, table, 0), _is_a_record_a_line, read)
    parse = partial(_parse, table=table)
    return replace(columns.source(blocks), parse=parse, is_ready=stream.is_ready)


def _records(
    block: TextBlock, stream: Stream | None, delimiter: str, name: str
) -> tuple[list[Record], int]:
    """Read the records that begin in a block, and return the line behind them too.

    The last one may go on in the stream, behind the block, within quotes.
    """
    lines = list(io.StringIO(decode(block.content, name, block.line), newline=""))
    further = iter(partial(stream.take, 0), b"") if stream else iter(())
    numbered = enumerate(further, block.line + len(lines))
    behind = (decode(content, name, number) for number, content in numbered)
    reader = csv_reader(chain(lines, behind), delimiter)
    records, line = [], block.line
    try:
        while reader.line_num < len(lines):
            cells = next(reader)
            if len(cells) > 1 or (cells and not cells[0].isspace()):
                records.append((line, cells))
            line = block.line + reader.line_num
    except csv.Error as error:
        problem = f"expected quoting as in RFC 4180, found: {visible(str(error))}"
        raise InputError(f"{name}:{line}", problem) from None
    return records, line


def _check_widths(records: Sequence[Record], width: int, name: str, first_line: int) -> None:
    for line, cells in records:
        if len(cells) != width:
            check_length(len(cells), width, f"{name}:{line}", f"line {first_line}")


def _is_a_record_a_line(content: bytes) -> bool:
    alone = b"\r" in content and content.count(b"\r") != content.count(b"\r\n")
    return not alone and b'"' not in content


def _parse(block: TextBlock, table: Table) -> Batch:
    """Parse a block of a record a line: at once where all numbers are plain."""
    content = block.content
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
    content = content.removesuffix(b"\n")
    names = None
    if table.columns == Columns(tuple(range(1, table.width)), 0):
        lines = decode(content, table.name, block.line).split("\n")
        parts = [line.partition(table.delimiter) for line in lines]
        names = tuple(part[0] for part in parts)
        content = "\n".join([part[2] for part in parts]).encode()
    elif table.columns.logits != tuple(range(table.width)):
        content = b"?"
    logits = _plain_numbers(content, table)
    if logits is None:
        records, _ = _records(block, None, table.delimiter, table.name)
        return _convert(records, table, block.start)
    table.check(logits, range(block.line, block.line + len(logits)))
    return Batch(logits, block.start, names)


def _plain_numbers(content: bytes, table: Table) -> FloatArray | None:
    """Read rows of nothing but plain numbers, which are JSON but for their brackets, or None.

    What JSON takes proves nothing by itself: ``1],[2`` is no cell. So the characters come first.
    """
    width = len(table.columns.logits)
    delimiter = table.delimiter.encode()
    # As many delimiters in every row, and nothing else that is no part of a number.
    layout = content.translate(None, _PLAIN.replace(delimiter, b"")) + b"\n"
    if layout != (delimiter * (width - 1) + b"\n") * (len(layout) // width):
        return None
    array = b"[" + content.replace(delimiter, b",").replace(b"\n", b",") + b"]"
    try:
        values = np.array(fast.loads(array), np.float64)
    except (ValueError, OverflowError):  # cells that are missing, +1, 01, 1., 1e400
        return None
    # To a reader of integers -0 is 0.
    if not np.isfinite(values).all() or (not values.all() and _MINUS_ZERO.search(array)):
        return None
    return values.reshape(-1, width)


def _convert(records: Sequence[Record], table: Table, start: int) -> Batch:
    """Turn cells into numbers and names."""
    _check_widths(records, table.width, table.name, table.first_line)
    columns, width = table.columns, len(table.columns.logits)
    flat = [cells[c] for _, cells in records for c in columns.logits]

    def number(i: int) -> float:
        try:
            return read_number(flat[i])
        except NotANumberError as error:
            k, c = divmod(i, width)
            place, hint = table.place(records[k][0], c), _hint(flat[i], flat[c::width], c, table)
            raise InputError(place, f"{error}, found {quoted(flat[i])}", hint) from None

    logits = _numbers(flat, number).reshape(len(records), width)
    table.check(logits, [line for line, _ in records])
    if columns.sample is None:
        return Batch(logits, start)
    return Batch(logits, start, tuple(cells[columns.sample] for _, cells in records))


def _numbers(cells: Sequence[str], number: Callable[[int], float]) -> FloatArray:
    """Turn cells into float64; ``number`` reads cell i or raises.

    Python's float reads more than we do (digits with underscores, other scripts, 1e400 as
    inf), so whatever could be such a cell is read one by one.
    """
    text = "".join(cells)
    if text.isascii() and "_" not in text:
        with suppress(ValueError):  # float knows fewer spaces, or a cell is at fault
            values = np.fromiter(map(float, cells), np.float64, len(cells))
            for i in np.flatnonzero(np.isinf(values)).tolist():
                number(i)
            return values
    return np.fromiter(map(number, range(len(cells))), np.float64, len(cells))


def _hint(cell: str, cells: Sequence[str], c: int, table: Table) -> str:
    """Say what to do about a cell of a column that is no number, or nothing."""
    is_settled = table.columns.sample is not None or table.options.columns or table.options.check
    hint, column = mending(cell), table.columns.logits[c] + 1
    if hint or is_settled or is_broken_number(cell) or 2 * sum(map(is_number, cells)) > len(cells):
        return hint
    return f"if column {column} names the samples, give --id {column}"
