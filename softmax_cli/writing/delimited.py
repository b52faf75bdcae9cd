"""Comma and tab separated text; names are quoted by the csv module."""

from collections.abc import Iterable, Sequence
from functools import partial
from types import SimpleNamespace

from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Explanation, Report, Result
from softmax_cli.writing.formats import refuse_explanation
from softmax_cli.writing.numbers import print_rows
from softmax_cli.writing.target import Target, write_pieces

_BYTE_ORDER_MARK = "\ufeff"


def write_csv(result: Result, target: Target, options: OutputOptions) -> None:
    """Write comma separated rows as they are computed."""
    _write(result, target, options, ",")


def write_tsv(result: Result, target: Target, options: OutputOptions) -> None:
    """Write tab separated rows as they are computed."""
    _write(result, target, options, "\t")


def _write(result: Result, target: Target, options: OutputOptions, delimiter: str) -> None:
    match result:
        case Explanation():
            raise refuse_explanation("csv" if delimiter == "," else "tsv")
        case Report():
            rows = [[_cell(value) for value in row] for row in result.rows]
            target.write("".join(_lines([result.columns, *rows], delimiter)).encode())
        case Arrays():
            # Unless something is named, a header would be numbers as well.
            names = [column_names(result)] if result.logits.is_named else []
            head = "".join(_lines(names, delimiter)).encode()
            encode = partial(_rows, result, delimiter)
            write_pieces(result, target, options, head, encode)


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
