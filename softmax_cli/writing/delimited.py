"""Comma and tab separated text; names are quoted by the csv module."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import repeat
from types import SimpleNamespace
from typing import Any

from softmax_cli.fast import print_rows
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Report, Result
from softmax_cli.samples import as_text
from softmax_cli.writing.target import Target, write_pieces


def write_delimited(result: Result, target: Target, options: OutputOptions) -> None:
    """Write rows as they are computed."""
    delimiter = "\t" if options.output_format == "tsv" else ","
    if isinstance(result, Arrays):
        names = [column_names(result)] if result.has_header else []
        head = "".join(_lines(names, delimiter)).encode()
        write_pieces(result, target, options, head, partial(_rows, result, delimiter))
    elif isinstance(result, Report):
        rows = [map(as_text, row) for row in result.rows]
        target.write("".join(_lines([result.columns, *rows], delimiter)).encode())


def column_names(result: Arrays) -> list[str]:
    """Name the columns: those of names, and those of numbers."""
    logits, quantity = result.logits, result.quantity
    numbers = [result.prefix + name for name in logits.classes]
    if quantity.rank == 2:
        return ["sample", *logits.kept_names, "output", *numbers]
    if quantity.rank == 0:
        numbers = ["partial"]
    elif result.top:
        places = range(1, min(result.top, logits.n_classes) + 1)
        pair = "top", "log_" * quantity.log + "p"
        numbers = [f"{name}{place}" for place in places for name in pair]
    return [logits.sample_header] * logits.names_samples + [*logits.kept_names, *numbers]


def name_columns(result: Arrays, block: Block) -> list[Sequence[object]]:
    """Return the columns of names and of what is kept, which stand before the results."""
    logits, batch, is_matrix = result.logits, block.batch, result.quantity.rank == 2
    columns: list[Sequence[object]] = [batch.labels] if logits.names_samples or is_matrix else []
    columns += zip(*batch.kept or (), strict=True)
    if is_matrix:
        outputs = [logits.classes[j] for j in block.outputs]
        columns = [[value for value in column for _ in outputs] for column in columns]
        columns.append(outputs * len(batch.labels))
    return columns


def result_columns(result: Arrays, block: Block) -> list[Any]:
    """Return the columns of results: numbers, or classes and numbers by turns."""
    if not result.top:
        return list(block.rows.T.copy())
    classes, values = result.largest(block)
    return [each for pair in zip(classes.T, values.T, strict=True) for each in pair]


def _rows(result: Arrays, delimiter: str, block: Block) -> bytes:
    columns: list[Iterable[object]] = [*name_columns(result, block)] if result.has_header else []
    if block.batch.kept:
        columns = [map(as_text, column) for column in columns]
    if result.top:
        columns += result_columns(result, block)
        return "".join(_lines(zip(*columns, strict=True), delimiter)).encode()
    text = print_rows(block.rows, delimiter)
    if not columns:
        return text
    # The names before a row end in an empty cell, and so in the delimiter before its numbers.
    names = _lines(zip(*columns, repeat(""), strict=False), delimiter)
    named = zip(names, text.decode().splitlines(keepends=True), strict=True)
    return "".join([name[:-1] + row for name, row in named]).encode()


def _lines(rows: Iterable[Iterable[object]], delimiter: str) -> list[str]:
    import csv

    lines: list[str] = []
    collect = SimpleNamespace(write=lambda line: lines.append(line[:-2] + "\n"))
    # The writer quotes what is in its line end; a carriage return alone ends a line for many.
    csv.writer(collect, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return lines
