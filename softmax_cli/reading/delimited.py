"""Comma, semicolon, tab, pipe or space separated text."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice, zip_longest
from typing import Any

from softmax_cli import fast, words
from softmax_cli.errors import InputError, warn
from softmax_cli.options import InputOptions
from softmax_cli.reading import columns as rules
from softmax_cli.reading.text import Stream, count_lines, decode, read_lines
from softmax_cli.reading.validity import check_lengths
from softmax_cli.samples import Batch, Logits, Place, TextBlock, from_text

csv.field_size_limit(1 << 26)

Record = tuple[int, list[str]]  # the line where it begins, and its cells


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
    if b"\n" not in (beginning := stream.peek()) and b"\r" in beginning[:-1]:
        stream.line_end = b"\r"
    comments, head = stream.take_head(re.compile(rb"(?:(?: *#[^\r\n]*)?(?:\r\n?|\n))*+"))
    if options.delimiter == options.decimal:
        raise InputError("--decimal", f"expected another --delimiter, found {options.decimal!r}")
    delimiter = options.delimiter or _guess_delimiter(decode(head, name), options, name)
    table = Table(stream, name, delimiter, options)
    records, line = table.records(TextBlock(1 + len(comments.splitlines()), head), least=2)
    if not records:
        raise InputError(name, "expected logits, found nothing")
    place, first = f"{name}:{records[0][0]}", records[0][1]
    with_point = partial(words.to_point, decimal=options.decimal)
    two = [list(map(with_point, cells)) for _, cells in records[:2]]
    has_header, names = options.header, options.results_of or ()
    if first[0] in ("sample", options.id_column) and tuple(first[-len(names) :]) == names:
        has_header = True  # as we write it, also of what has none
    commented = _header_in(decode(comments, name), delimiter, len(first))
    if has_header is None:
        is_named = tuple(first) == names and not options.by_position
        has_header = is_named or _is_header(two[0], two[-1], commented)
    if not has_header and not options.by_position and sorted(first) == sorted(names):
        warn(place, "taken as numbers; if it is the header, give --header")
    header = first if has_header else None if options.header is False else commented
    while len(records) <= rules.n_needed(header, options) and (more := stream.take(len(head))):
        others, line = table.records(TextBlock(line, more))
        records += others
    said = " ".join([options.columns or "", options.id_column or "", *options.keep])
    if (options.results_of, options.header) == (None, None):
        rules.warn_of_first_row(two, has_header, said, place)
    if has_header and commented and any(map(words.is_number, first)):
        warn(place, "the first row is taken as the header, not the comment above it")
    elif header and not (has_header or delimiter.encode() in comments or words.is_number(first[0])):
        warn(place, "the comment above it is taken as the header; if this row is it, give --header")
    records = records[1:] if has_header else records
    if not records:
        raise InputError(name, "expected at least one sample, found only a header")
    rows = [cells for _, cells in records]
    check_lengths(rows, len(first), lambda k, _: f"{name}:{records[k][0]}", "the first row")
    kinds = rules.kinds_of(list(map(with_point, cells)) for cells in rows)
    table.width = len(first)
    table.columns = rules.choose_columns(header, kinds, rows, options, place)
    if table.columns.sample is not None and not (header or first[table.columns.sample].strip()):
        warn(place, "taken as a sample without a name; if it is the header, give --header")

    def read(block: TextBlock) -> tuple[Batch, int]:
        records, line = table.records(block)
        return table.convert(records, block.start), line

    blocks = read_lines(stream, line, table.convert(records, 0), _count_plain, read)
    return table.columns.source(blocks, parse=table.parse, is_ready=stream.is_ready)


@dataclass
class Table:
    """Rows of cells: how they are read, and what the first ones settle for all.

    Attributes
    ----------
    stream
        What holds the text.
    name
        What messages call it.
    delimiter
        What separates the cells.
    options
        What the user said.
    width
        How many cells every row has.
    columns
        Which of them are logits, and which one names the sample.
    """

    stream: Stream
    name: str
    delimiter: str
    options: InputOptions
    width: int = field(init=False)
    columns: rules.Columns = field(init=False)

    def places(self, lines: Sequence[int]) -> Place:
        """Name places by the line where a row begins, and by the column."""

        def place(k: int, c: int | None) -> str:
            where = f"{self.name}:{lines[k]}"
            return where if c is None else f"{where}:{self.columns.position(c)}"

        return place

    def records(self, block: TextBlock, least: int = 0) -> tuple[list[Record], int]:
        """Read the records of a block, and return the line behind them too.

        More is taken from the stream while the last one is not complete, or there are not enough.
        """
        lines = io.StringIO(decode(block.content, self.name, block.line), newline="")
        reader = _csv_reader((raw := each for each in lines), self.delimiter)
        records, line, problem = [], block.line, ""
        try:
            for cells in reader:
                if len(cells) > 1 or (cells and ('"' in raw or not cells[0].isspace())):
                    records.append((line, cells))
                line = block.line + reader.line_num
        except csv.Error as error:
            problem = str(error)
        is_open = problem == "unexpected end of data"
        if is_open and len(records) >= max(1, least):  # the last one has the rest elsewhere
            lines.seek(0)
            list(islice(lines, line - block.line))
            self.stream.put_back(lines.read().encode())
            return records, line
        if (is_open or len(records) < least) and (more := self.stream.take(len(block.content))):
            del lines, reader, records  # which may be large
            return self.records(replace(block, content=block.content + more), least)
        if problem:
            kept = "fields of at most 64 MB" if "limit" in problem else "quoting as in RFC 4180"
            raise InputError(f"{self.name}:{line}", f"expected {kept}, found: {problem}")
        return records, line

    def parse(self, block: TextBlock) -> Batch:
        """Parse a block of a record a line: at once where all numbers are plain."""
        content, names, columns = block.content.removesuffix(b"\n"), None, self.columns
        # Of results, the text is looked at.
        form = (self.options.quantity, columns.array, columns.kept, columns.sample, columns.logits)
        if form == (None, None, (), 0, tuple(range(1, self.width))):
            lines = decode(content, self.name, block.line).split("\n")
            parts = [line.partition(self.delimiter) for line in lines]
            names = tuple(part[0] for part in parts)
            content = "\n".join([part[2] for part in parts]).encode()
        elif form != (None, None, (), None, tuple(range(self.width))):
            content = b"?"
        if self.options.decimal == ",":
            content = b"?" if b"." in content else content.replace(b",", b".")
        logits = fast.load_rows(content, len(columns.logits), self.delimiter.encode())
        if logits is None:
            return self.convert(self.records(block)[0], block.start)
        place = self.places(range(block.line, block.line + len(logits)))
        return Batch(logits, block.start, names, place=place)

    def convert(self, records: Sequence[Record], start: int) -> Batch:
        """Turn cells into numbers and names."""
        columns, options, rows = self.columns, self.options, [cells for _, cells in records]
        place = self.places([line for line, _ in records])
        check_lengths(rows, self.width, place, "the first row")

        def hint(i: int, cell: str) -> str:
            if self.delimiter == "," and words.has_decimal_comma(cell):
                return "if decimals are written with a comma, separate the cells by another mark"
            column = columns.position(i % len(columns.logits))
            cells = [row[column - 1] for row in rows]
            is_blank = not (columns.header and columns.header[-1]) and 1 < column == self.width
            if is_blank and all(map(words.is_missing, cells)):
                return f"--columns {rules.spelled(columns.logits[:-1], columns.header)} drops it"
            is_settled = columns.sample is not None or options.columns or options.axis == 0
            # Dates, addresses and versions name samples.
            is_slip = words.is_broken_number(cell) and not re.search(r"\d[.:/-]\d+[.:/-]\d", cell)
            is_slip = is_slip or bool(words.mending(cell, options.decimal))
            if is_settled or is_slip or 2 * sum(map(words.is_number, cells)) > len(cells):
                return ""
            said = rules.spelled([column - 1], columns.header)
            return f"if column {column} names the samples, give --id {said}"

        batch = columns.batch(rows, start, place, options, hint=hint)
        kept = batch.kept and tuple(tuple(map(from_text, cells)) for cells in batch.kept)
        return replace(batch, kept=kept)


def _count_plain(content: bytes) -> int | None:
    """Count the lines if each is a record."""
    alone = b"\r" in content and content.count(b"\r") != content.count(b"\r\n")
    return None if alone or b'"' in content else count_lines(content)


def _csv_reader(lines: Iterable[str], delimiter: str, *, strict: bool = True) -> Any:
    """Return a reader by RFC 4180; any number of spaces, also around the row, is one delimiter."""
    if delimiter == " ":
        lines = ((row := x.rstrip("\r\n")).strip(" ") + x[len(row) :] for x in lines)
    return csv.reader(lines, delimiter=delimiter, strict=strict, skipinitialspace=delimiter == " ")


def _header_in(comments: str, delimiter: str, width: int) -> list[str] | None:
    """Find the last comment with as many cells as the rows: numpy.savetxt writes a header so."""
    for line in reversed(comments.splitlines()):
        text = line.lstrip().removeprefix("#").strip(" ")  # tabs may separate empty cells
        own: list[str] = next(_csv_reader([text], delimiter, strict=False), [])
        for cells in (own, re.split(r"[,;\s]+", text), text.split()):
            if text and len(cells) == width:
                return [cell.strip(" \t,;") for cell in cells]
    return None


def _guess_delimiter(text: str, options: InputOptions, name: str) -> str:
    """Guess from the first lines: what splits them evenly, and most of all into numbers.

    Text may hold any of them, but no numbers that another one, spaces aside, sets apart: where
    each has such cells, or one that has makes more numbers, that is not for us to guess.
    """
    lines = [line for line in islice(io.StringIO(text[: 1 << 16], newline=""), 20) if line.strip()]
    found, known = [], "\t;|, ".replace(options.decimal, "")
    for delimiter in known:
        rows = list(_csv_reader(lines, delimiter, strict=False))
        # A quote that is open leaves the rest of its row elsewhere.
        rows = rows[: len(rows) - "".join(lines).count('"') % 2] or rows
        blank = " " if delimiter == " " else None  # where spaces separate, a tab says something
        widths, cells = {*map(len, rows)}, [cell.strip(blank) for row in rows for cell in row]
        tests = (words.is_number, words.has_decimal_comma)[: max(widths, default=0)]
        share = sum(any(test(x) for test in tests) for x in cells) / max(sum(map(bool, cells)), 1)
        others = known[:-1].replace(delimiter, "")
        parts = (re.split(f"[{others}]", x) for x in cells if not words.has_decimal_comma(x))
        hides = any(len(x) > 1 and any(not y or words.is_number(y) for y in x) for x in parts)
        found.append((len(widths) == 1 < max(widths), not hides, share, delimiter))
    best = max(found, key=lambda each: (*each[:3], not each[0] and each[3] == ","))
    # One that hides none is doubted only where another one makes more numbers.
    rivals = [x[3] for x in found if x is not best and x[0] and (x[2] > best[2] or not best[1])]
    if rivals:
        problem = f"expected one delimiter, found {best[3]!r} and {rivals[0]!r} between numbers"
        raise InputError(name, problem, "give --delimiter, as in --delimiter tab")
    return best[3]


def _is_header(cells: Sequence[str], below: list[str], commented: Sequence[str] | None) -> bool:
    """Tell names from numbers; a row of numbers with some that are broken holds no names.

    Nor does one that ends in a delimiter. An empty cell above text, or before digits alone, is of a
    column of names. Under a comment that names the columns, a header has no number.
    """

    def is_value(cell: str) -> bool:
        return words.is_number(cell) or words.is_broken_number(cell)

    above = ["a name"] if all(x.strip().isdigit() for x in cells[1:]) else below[:1]
    pairs = zip_longest(cells, [*above, *below[1 : len(cells)]], fillvalue="")
    values = [is_value(x) or not (x.strip() or (y.strip() and not is_value(y))) for x, y in pairs]
    is_sample = commented and cells[1:] != [*map(str, range(len(cells) - 1))]
    return not (any(values) if is_sample else all(values))
