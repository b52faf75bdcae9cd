"""Comma and tab separated text; names are quoted by the csv module."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import repeat
from types import SimpleNamespace

from softmax_cli.fast import print_rows
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Report, Result
from softmax_cli.writing.target import Target, write_pieces


def write_delimited(result: Result, target: Target, options: OutputOptions) -> None:
    """Write rows as they are computed."""
    delimiter = "\t" if options.output_format == "tsv" else ","
    if isinstance(result, Arrays):
        # Unless something is named, a header would be numbers as well.
        names = [column_names(result)] if result.logits.is_named else []
        head = "".join(_lines(names, delimiter)).encode()
        write_pieces(result, target, options, head, partial(_rows, result, delimiter))
    elif isinstance(result, Report):
        rows = [[_cell(value) for value in row] for row in result.rows]
        target.write("".join(_lines([result.columns, *rows], delimiter)).encode())


def column_names(result: Arrays) -> list[str]:
    """Name the columns: those of names, and those of numbers."""
    logits = result.logits
    if result.quantity.rank == 2:
        return ["sample", "output", *logits.classes]
    names = list(logits.classes) if result.quantity.rank else [result.quantity.key_of_one]
    return [logits.sample_header, *names] if logits.names_samples else names


def name_columns(result: Arrays, block: Block) -> list[Sequence[str]]:
    """Return the columns of names, which stand before those of numbers."""
    logits, labels = result.logits, block.batch.labels
    if result.quantity.rank == 2:
        outputs = [logits.classes[j] for j in block.outputs]
        return [[sample for sample in labels for _ in outputs], outputs * len(labels)]
    return [labels] if logits.names_samples else []


def _rows(result: Arrays, delimiter: str, block: Block) -> bytes:
    text = print_rows(block.rows, delimiter)
    columns = name_columns(result, block) if result.logits.is_named else []
    if not columns:
        return text
    # The names before a row end in an empty cell, and so in the delimiter before its numbers.
    names = _lines(zip(*columns, repeat(""), strict=False), delimiter)
    named = zip(names, text.decode().splitlines(keepends=True), strict=True)
    return "".join([name[:-1] + row for name, row in named]).encode()


def _lines(rows: Iterable[Sequence[object]], delimiter: str) -> list[str]:
    import csv

    lines: list[str] = []
    collect = SimpleNamespace(write=lambda line: lines.append(line[:-2] + "\n"))
    # The writer quotes what is in its line end; a carriage return alone ends a line for many.
    csv.writer(collect, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return lines


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
