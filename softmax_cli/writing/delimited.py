"""Comma and tab separated text, by the csv module."""

import csv
from collections.abc import Iterator
from typing import Any

from softmax_cli.errors import InputError
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Explanation, Report, Result
from softmax_cli.writing.target import Target


def write_csv(result: Result, target: Target, options: OutputOptions) -> None:
    """Write comma separated rows as they are computed."""
    _write(result, target, ",")


def write_tsv(result: Result, target: Target, options: OutputOptions) -> None:
    """Write tab separated rows as they are computed."""
    _write(result, target, "\t")


def _write(result: Result, target: Target, delimiter: str) -> None:
    if isinstance(result, Explanation):
        raise InputError(
            "--explain", "expected the format table, markdown, latex or json, found csv or tsv"
        )
    with target.text() as text:
        writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
        if isinstance(result, Report):
            writer.writerow(result.columns)
            writer.writerows([_cell(value) for value in row] for row in result.rows)
            return
        writer.writerows(_header(result))
        printed = 0
        try:
            for n_samples, rows in _blocks(result):
                writer.writerows(rows)
                printed += n_samples
        except InputError as error:
            raise error.after(printed if target.keeps_parts else 0) from None


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _header(result: Arrays) -> list[list[str]]:
    logits = result.logits
    if logits.class_names is None:
        return []
    match result.quantity.rank:
        case 2:
            return [["sample", "output", *logits.class_names]]
        case 1:
            names = list(logits.class_names)
        case _:
            names = [result.quantity.key.removesuffix("s")]
    return [[logits.sample_header, *names] if logits.names_samples else names]


def _blocks(result: Arrays) -> Iterator[tuple[int, list[list[Any]]]]:
    """Yield how many samples, and their rows; csv prints the shortest digits, as repr does."""
    logits = result.logits
    named = logits.names_samples or logits.class_names is not None
    for batch, values in result.quantity.pieces(logits.batches):
        if result.quantity.rank == 2:
            rows: list[list[Any]] = values.reshape(-1, logits.n_classes).tolist()
            if named:
                pairs = ((sample, output) for sample in batch.labels for output in logits.classes)
                rows = [[*pair, *row] for pair, row in zip(pairs, rows, strict=True)]
        else:
            rows = values.reshape(len(values), -1).tolist()
            if logits.names_samples:
                rows = [[name, *row] for name, row in zip(batch.labels, rows, strict=True)]
        yield len(batch.logits), rows
