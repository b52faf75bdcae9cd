"""Comma, semicolon, tab or pipe separated text, by the csv module."""

import csv
import io
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain, islice
from operator import itemgetter

import numpy as np

from softmax_cli.ahead import ahead
from softmax_cli.errors import InputError, quoted, visible, warn
from softmax_cli.fast_lane import fast_lane, is_open, is_worth
from softmax_cli.options import InputOptions, Place
from softmax_cli.reading.advice import LAST_IS_EMPTY, advise, may_be_names, names_samples
from softmax_cli.reading.columns import NAMES_OF_NAME_COLUMNS, Columns, choose_columns, id_option
from softmax_cli.reading.plain import Layout, parse_plain
from softmax_cli.reading.text import BYTE_ORDER_MARK, decode, size_of, take_lines
from softmax_cli.reading.validity import check_length, check_logits
from softmax_cli.samples import Batch, FloatArray, Logits, TextBlock
from softmax_cli.words import (
    NotANumberError,
    has_decimal_comma,
    is_broken_number,
    is_number,
    read_number,
)

DELIMITERS = ",;\t|"
_BYTES_OF_HEAD = 1 << 16
_BYTES_A_BLOCK = 1 << 18
_BYTES_A_FAST_BLOCK = 1 << 21
_GUESS_LINES = 20
_GUESS_CHARACTERS = 1 << 16


@dataclass(frozen=True)
class Row:
    """One record: its cells, and the line of the file it begins on."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """What the first rows have settled for all.

    Attributes
    ----------
    name
        What messages call the stream.
    layout
        The delimiter and the columns.
    first_line
        Where the first row stands.
    options
        What the user said.
    header
        The columns' names, or None.
    """

    name: str
    layout: Layout
    first_line: int
    options: InputOptions
    header: Sequence[str] | None = None


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
    head = TextBlock(1, take_lines(stream, _BYTES_OF_HEAD).removeprefix(BYTE_ORDER_MARK))
    _refuse_separator_line(head.content, name)
    if delimiter is None:
        delimiter = guess_delimiter(_first_lines(decode(head.content, name)))
    rows, line = _records(head, stream, delimiter, name)
    while len(rows) < 2 and (content := take_lines(stream, _BYTES_OF_HEAD)):
        more, line = _records(TextBlock(line, content), stream, delimiter, name)
        rows += more
    if not rows:
        raise InputError(name, "expected logits, found nothing")
    first = rows[0]
    header = first.cells if _is_header(first.cells) else None
    if header is not None:
        known = NAMES_OF_NAME_COLUMNS | ({"output"} if options.stacked else set())
        _warn_of_numbers(header, known, f"{name}:{first.line}")
        rows = rows[1:]
    elif options.check is None:
        _warn_of_positions(rows, f"{name}:{first.line}")
    if not rows:
        raise InputError(name, "expected at least one sample, found only a header")
    _check_widths(rows, len(first.cells), name, first.line)
    chosen = _choose_columns(header, rows, options, f"{name}:{first.line}")
    layout = Layout(delimiter, len(first.cells), chosen)
    table = Table(name, layout, first.line, options, header)
    return Logits(
        n_classes=len(chosen.logits),
        blocks=_batches(table, rows, line, stream),
        class_names=tuple(header[c] for c in chosen.logits) if header else None,
        names_samples=chosen.sample is not None,
        sample_header=header[chosen.sample] if header and chosen.sample is not None else "sample",
    )


def _refuse_separator_line(content: bytes, name: str) -> None:
    """Refuse the line in which Excel is told the delimiter; for others it is the first row."""
    line = content[:20].splitlines()[:1]
    if line and re.fullmatch(rb'(?i)"?sep=[,;|\t]?"?', line[0].rstrip(b" ,;\t|")):
        found = quoted(line[0].decode("ascii", "replace"))
        problem = f"expected logits or a header, found {found}"
        raise InputError(f"{name}:1", problem, "remove that line, for example with tail -n +2")


def _is_header(cells: Sequence[str]) -> bool:
    """Tell names from numbers; a row of numbers with some that are broken holds no names.

    Nor does one that ends in a delimiter; at its beginning, an empty cell is of a column of names.
    """
    if all(map(is_number, cells)):
        return False
    return not all(
        is_number(cell) or is_broken_number(cell) or (c > 0 and not cell.strip())
        for c, cell in enumerate(cells)
    )


def _warn_of_numbers(header: Sequence[str], known: Collection[str], place: str) -> None:
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


def _warn_of_positions(rows: Sequence[Row], place: str) -> None:
    """Say so where a first row that is taken as a sample may have been meant as the header."""
    first, second = rows[0].cells, rows[1].cells if len(rows) > 1 else []
    if len(first) > 1 and first == [str(c) for c in range(len(first))] and "." in "".join(second):
        warn(place, "0, 1, ... are taken as a sample's logits, because a header is not all numbers")


def guess_delimiter(lines: Sequence[str]) -> str:
    """Guess from the first lines: what splits them evenly, and most of all into numbers."""

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


def _first_lines(text: str) -> list[str]:
    lines = []
    characters = 0
    for line in islice(io.StringIO(text, newline=""), _GUESS_LINES):
        lines.append(line)
        characters += len(line)
        if characters > _GUESS_CHARACTERS:
            break
    return lines


def _records(
    block: TextBlock, stream: BufferedReader, delimiter: str, name: str
) -> tuple[list[Row], int]:
    """Read the records that begin in a block, and return the line behind them too.

    The last one may go on in the stream, behind the block, within quotes.
    """
    lines = list(io.StringIO(decode(block.content, name, block.line), newline=""))
    if delimiter == " ":  # any number of them, also around the row
        lines = [line.strip(" \r\n") + "\n" for line in lines]
    further = (
        decode(line, name, number)
        for number, line in enumerate(iter(stream.readline, b""), block.line + len(lines))
    )
    reader = csv.reader(
        chain(lines, further), delimiter=delimiter, strict=True, skipinitialspace=delimiter == " "
    )
    rows = []
    line, read, spaced_quotes = block.line, 0, b' "' in block.content
    try:
        while read < len(lines):
            cells = next(reader)
            if cells and not (len(cells) == 1 and cells[0] and cells[0].isspace()):
                rows.append(Row(line, cells))
            if spaced_quotes:
                _check_quotes(cells, "".join(lines[read : reader.line_num]), f"{name}:{line}")
            read = reader.line_num
            line = block.line + read
    except csv.Error as error:
        raise _quoting_error(f"{name}:{line}", visible(str(error))) from None
    return rows, line


def _check_quotes(cells: Sequence[str], text: str, place: str) -> None:
    """Refuse quotes behind a space, which would neither be left out nor hold a cell together."""
    for c, cell in enumerate(cells, start=1):
        if cell.startswith(" ") and cell.lstrip(" ").startswith('"'):
            written = cell.replace('"', '""')
            if f'"{written}' not in text:
                problem = f"expected quotes around the whole cell, found {quoted(cell)}"
                raise InputError(f"{place}:{c}", problem, "remove the space before the quote")


def _quoting_error(place: str, found: str) -> InputError:
    if "field limit" in found:
        problem = f"expected a cell of at most {csv.field_size_limit()} characters, found more"
        return InputError(place, problem, "perhaps a quote is left open there")
    return InputError(place, f"expected quoting as in RFC 4180, found: {found}")


def _check_widths(rows: Iterable[Row], width: int, name: str, first_line: int) -> None:
    for row in rows:
        check_length(len(row.cells), width, f"{name}:{row.line}", f"line {first_line}")


def _choose_columns(
    header: Sequence[str] | None, rows: Sequence[Row], options: InputOptions, place: str
) -> Columns:
    """Choose by names and by what the first rows hold, and say where that may be wrong."""
    width, text = len(rows[0].cells), _text_columns(rows)
    if header is None or options.columns is not None:
        return choose_columns(header, width, text, options, place)
    ends_in_delimiter = not "".join([header[-1], *(row.cells[-1] for row in rows)]).strip()
    try:
        chosen = choose_columns(header, width, text, options, place)
    except InputError as error:
        if ends_in_delimiter:
            raise InputError(place, error.problem, LAST_IS_EMPTY) from None
        raise
    if ends_in_delimiter and options.id_column is None:
        warn(place, f"empty names are taken for the samples: {LAST_IS_EMPTY}")
    _warn_of_identifiers(header, rows, chosen, place)
    return chosen


def _warn_of_identifiers(
    header: Sequence[str], rows: Sequence[Row], columns: Columns, place: str
) -> None:
    """Say so where logits may have been meant to name the samples, or to be their labels."""
    for c in columns.logits if len(columns.logits) > 1 else ():
        if names_samples(header[c]) and all(row.cells[c].strip().isdigit() for row in rows):
            other = "pick the logits with --columns"
            advice = f"give {id_option(c, header)}" if columns.sample is None else other
            warn(place, f"{quoted(header[c])} is taken for logits; if it is none, {advice}")
            return


def _text_columns(block: Sequence[Row]) -> list[int]:
    """Find the columns without a single number; a column with some is logits with a mistake."""
    width = len(block[0].cells)
    candidates = [
        c for c in range(width) if block[0].cells[c].strip() and not is_number(block[0].cells[c])
    ]
    return [
        c
        for c in candidates
        if not any(is_number(row.cells[c]) or is_broken_number(row.cells[c]) for row in block)
    ]


def _batches(table: Table, rows: list[Row], line: int, stream: BufferedReader) -> Iterator[Batch]:
    """Parse the rows that were read and the rest; the fast lane parses while others print."""
    batches = _parsed(table, rows, line, stream)
    if is_worth(size_of(stream)):
        yield from ahead(batches)
    for batch in batches:
        yield batch
        if is_open():
            yield from ahead(batches)


def _parsed(table: Table, rows: list[Row], line: int, stream: BufferedReader) -> Iterator[Batch]:
    done, size, start = 0, size_of(stream), 0
    while True:
        if rows:
            yield _read_carefully(rows, table, start)
            start += len(rows)
        lane = fast_lane(max(size, done))
        content = take_lines(stream, _BYTES_A_BLOCK if lane is None else _BYTES_A_FAST_BLOCK)
        if not content:
            return
        done += len(content)
        plain = parse_plain(content, table.layout, lane)
        if plain is None:
            block = TextBlock(line, content)
            rows, line = _records(block, stream, table.layout.delimiter, table.name)
        else:
            rows, (logits, names) = [], plain
            _check(logits, range(line, line + len(logits)), table)
            yield Batch(logits, start, names)
            start += len(logits)
            line += len(logits)


def _read_carefully(rows: list[Row], table: Table, start: int) -> Batch:
    layout, lines = table.layout, [row.line for row in rows]
    _check_widths(rows, layout.width, table.name, table.first_line)
    cells = _pick([row.cells for row in rows], layout.columns.logits)
    try:
        logits = parse(cells)
    except _CellError as error:
        place = _place(lines, table)(error.row, error.column)
        c = layout.columns.logits[error.column]
        raise InputError(place, error.problem, _hint(rows, error.row, c, table)) from None
    _check(logits, lines, table)
    sample = layout.columns.sample
    names = None if sample is None else tuple(row.cells[sample] for row in rows)
    return Batch(logits, start, names)


def _hint(rows: Sequence[Row], k: int, c: int, table: Table) -> str:
    """Say what to do about a cell that is no number, or nothing."""
    cells, column = rows[k].cells, [row.cells[c] for row in rows]
    hint = advise(cells, column, c, table.layout.delimiter)
    is_open = table.layout.columns.sample is None and table.options.columns is None
    if not hint and is_open and table.options.check is None and may_be_names(cells[c], column):
        return f"if column {c + 1} names the samples, give {id_option(c, table.header)}"
    return hint


def _check(logits: FloatArray, lines: Sequence[int], table: Table) -> None:
    (table.options.check or check_logits)(logits, _place(lines, table))


def _place(lines: Sequence[int], table: Table) -> Place:
    def place(k: int, c: int | None) -> str:
        where = f"{table.name}:{lines[k]}"
        return where if c is None else f"{where}:{table.layout.columns.logits[c] + 1}"

    return place


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
        return _parse_carefully(rows)  # float knows fewer spaces, or a cell is at fault
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
            problem = f"{error}, found {quoted(cell)}"
            raise _CellError(k, c, problem) from None
    return values
