"""Comma and tab separated text; names are quoted by the csv module."""

from collections.abc import Iterable, Sequence
from functools import partial
from types import SimpleNamespace

from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Report, Result
from softmax_cli.writing.numbers import print_rows
from softmax_cli.writing.target import Target, write_pieces

_BYTE_ORDER_MARK = "\ufeff"


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
    match result.quantity.rank:
        case 2:
            return ["sample", "output", *logits.classes]
        case 1:
            names = list(logits.classes)
        case _:
            names = [result.quantity.key_of_one]
    return [logits.sample_header, *names] if logits.names_samples else names


def _rows(result: Arrays, delimiter: str, block: Block) -> bytes:
    logits, values = result.logits, block.values
    text = print_rows(values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1), delimiter)
    # The names before a row end in an empty cell, and so in the delimiter before its numbers.
    if values.ndim > 2 and logits.is_named:
        outputs = [logits.classes[j] for j in block.outputs]
        names = [[sample, output, ""] for sample in block.batch.labels for output in outputs]
    elif values.ndim < 3 and logits.names_samples:
        names = [[sample, ""] for sample in block.batch.labels]
    else:
        return text
    rows = text.decode().splitlines(keepends=True)
    named = zip(_lines(names, delimiter), rows, strict=True)
    return "".join([name[:-1] + row for name, row in named]).encode()


def _lines(rows: Iterable[Sequence[object]], delimiter: str) -> list[str]:
    import csv

    lines: list[str] = []
    collect = SimpleNamespace(write=lambda line: lines.append(line[:-2] + "\n"))
    # The writer quotes what is in its line end; a carriage return alone ends a line for many.
    csv.writer(collect, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    if lines and lines[0].startswith(_BYTE_ORDER_MARK):  # which readers leave out
        first, *others = lines[0][:-1].split(delimiter)
        lines[0] = delimiter.join([f'"{first}"', *others]) + "\n"
    return lines


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value
