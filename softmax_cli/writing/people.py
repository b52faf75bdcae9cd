"""What Markdown and LaTeX show of a result, as text in either notation."""

from collections.abc import Iterator
from typing import Any

from softmax_cli.display.expression import Notation, number_text
from softmax_cli.display.numbers import entry
from softmax_cli.display.sample import Products, Samples
from softmax_cli.result import Arrays, Block, Report

# Of a number with the default of digits, and what stands between two, about.
BYTES_SHOWN = 10


def rows(result: Arrays, notation: Notation) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """Yield each sample's label and its rows: one, or as many as classes, to be walked at once.

    Numbers are shown with the notation's precision and never as 0 or 1 when they are not.
    """
    blocks = result.quantity.blocks(result.logits.batches)
    for block in blocks:
        batch = block.batch
        shown: Samples | Products
        if result.quantity.key == "vjp":
            shown = Products.at(batch, block.values, result.temperature)
        else:
            shown = Samples.at(batch.logits, result.temperature)
        for k, label in enumerate(batch.labels):
            yield label, _rows(result, shown, k, block, blocks, notation)


def report_rows(report: Report, precision: int) -> Iterator[list[str]]:
    """Yield the rows of a report; its numbers as those of its table are shown."""
    for row in report.rows:
        yield [_cell(value, precision) for value in row]


def _cell(value: object, precision: int) -> str:
    if isinstance(value, float):
        return entry(value, precision)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _rows(
    result: Arrays,
    shown: Samples | Products,
    k: int,
    block: Block,
    further: Iterator[Block],
    notation: Notation,
) -> Iterator[list[str]]:
    while True:
        for row in _shown(result, shown, k, block, notation.precision):
            yield [number_text(text, notation) for text in row]
        if block.ends:
            return
        block = next(further)


def _shown(
    result: Arrays, shown: Samples | Products, k: int, block: Block, precision: int
) -> Iterator[list[str]]:
    value: Any = block.values[k]
    if isinstance(shown, Products):
        yield [shown.product(k, i, precision) for i in range(len(value))]
        return
    match result.quantity.key:
        case "probabilities":
            yield [shown.probability(k, j, precision) for j in range(len(value))]
        case "log_probabilities":
            yield [shown.log_probability(k, j, v, precision) for j, v in enumerate(value)]
        case "jacobian":
            for j, row in zip(block.outputs, value, strict=True):
                yield [shown.partial(k, j, i, v, precision) for i, v in enumerate(row)]
        case _:
            assert result.entry is not None
            yield [shown.partial(k, *result.entry, value, precision)]
