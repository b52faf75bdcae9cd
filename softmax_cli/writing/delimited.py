"""Comma and tab separated text; names are quoted by the csv module."""

from collections.abc import Iterable, Sequence
from types import SimpleNamespace

from softmax_cli.errors import InputError
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Explanation, Report, Result
from softmax_cli.samples import Logits
from softmax_cli.writing.formats import refuse_explanation
from softmax_cli.writing.numbers import printed
from softmax_cli.writing.target import Target

_BYTE_ORDER_MARK = "\ufeff"


def write_csv(result: Result, target: Target, options: OutputOptions) -> None:
    """Write comma separated rows as they are computed."""
    _write(result, target, ",")


def write_tsv(result: Result, target: Target, options: OutputOptions) -> None:
    """Write tab separated rows as they are computed."""
    _write(result, target, "\t")


def _write(result: Result, target: Target, delimiter: str) -> None:
    if isinstance(result, Explanation):
        raise refuse_explanation("csv" if delimiter == "," else "tsv")
    with target.text() as text:
        if isinstance(result, Report):
            rows = [[_cell(value) for value in row] for row in result.rows]
            text.writelines(_lines([result.columns, *rows], delimiter))
            return
        names, n_printed = _header(result), 0
        header = "".join(_lines(names, delimiter)) if names else ""
        try:
            blocks = result.quantity.blocks(result.logits.batches)
            for block, lines in printed(blocks, delimiter, result.logits.size):
                text.write(header + _named(lines, block, result, delimiter))
                text.flush()
                header = ""
                n_printed += len(block.batch.logits) if block.ends else 0
        except InputError as error:
            raise error.after(n_printed if target.keeps_parts else 0) from None


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


def _header(result: Arrays) -> list[list[str]]:
    """Head the columns where anything is named: without a header, a name would be taken for one."""
    logits = result.logits
    if not _is_named(logits):
        return []
    match result.quantity.rank:
        case 2:
            return [["sample", "output", *logits.classes]]
        case 1:
            names = list(logits.classes)
        case _:
            names = [result.quantity.key_of_one]
    return [[logits.sample_header, *names] if logits.names_samples else names]


def _is_named(logits: Logits) -> bool:
    return logits.names_samples or logits.class_names is not None


def _named(text: str, block: Block, result: Arrays, delimiter: str) -> str:
    logits = result.logits
    # The names before a row end in an empty cell, and so in the delimiter before its numbers.
    if result.quantity.rank == 2 and _is_named(logits):
        outputs = [logits.classes[j] for j in block.outputs]
        names = [[sample, output, ""] for sample in block.batch.labels for output in outputs]
    elif result.quantity.rank < 2 and logits.names_samples:
        names = [[sample, ""] for sample in block.batch.labels]
    else:
        return text
    numbers = text.splitlines(keepends=True)
    return "".join(
        name[:-1] + row for name, row in zip(_lines(names, delimiter), numbers, strict=True)
    )
