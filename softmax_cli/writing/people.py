"""What Markdown and LaTeX show of a result, as text in either notation."""

from collections.abc import Iterator
from typing import Any

from softmax_cli.display.expression import Notation, number_text
from softmax_cli.display.numbers import significant
from softmax_cli.display.sample import Samples
from softmax_cli.result import Arrays, Block

# Of a number with the default of digits, and what stands between two, about.
BYTES_SHOWN = 10


def rows(result: Arrays, notation: Notation) -> Iterator[tuple[str, Iterator[list[str]]]]:
    """Yield each sample's label and its rows: one, or as many as classes, to be walked at once.

    Numbers are shown with the notation's precision and never as 0 or 1 when they are not.
    """
    blocks = result.quantity.blocks(result.logits.batches)
    for block in blocks:
        samples = Samples.at(block.batch.logits, result.temperature)
        for k, label in enumerate(block.batch.labels):
            yield label, _rows(result, samples, k, block, blocks, notation)


def _rows(
    result: Arrays,
    samples: Samples,
    k: int,
    block: Block,
    further: Iterator[Block],
    notation: Notation,
) -> Iterator[list[str]]:
    while True:
        for row in _shown(result, samples, k, block, notation.precision):
            yield [number_text(text, notation) for text in row]
        if block.ends:
            return
        block = next(further)


def _shown(
    result: Arrays, samples: Samples, k: int, block: Block, precision: int
) -> Iterator[list[str]]:
    value: Any = block.values[k]
    match result.quantity.key:
        case "probabilities":
            yield [samples.probability(k, j, precision) for j in range(len(value))]
        case "log_probabilities":
            yield [samples.log_probability(k, j, v, precision) for j, v in enumerate(value)]
        case "jacobian":
            for j, row in zip(block.outputs, value, strict=True):
                yield [samples.partial(k, j, i, v, precision) for i, v in enumerate(row)]
        case "partials" if result.entry is not None:
            yield [samples.partial(k, *result.entry, value, precision)]
        case _:
            yield [significant(v, precision) for v in value]
