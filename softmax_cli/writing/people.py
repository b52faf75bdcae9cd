"""What Markdown and LaTeX show of a result, as text in either notation."""

from collections.abc import Iterator
from typing import Any

from softmax_cli.display.expression import Notation, number_text
from softmax_cli.display.numbers import significant
from softmax_cli.display.sample import Samples
from softmax_cli.result import Arrays


def rows(result: Arrays, notation: Notation) -> Iterator[tuple[str, list[list[str]]]]:
    """Yield each sample's label and its numbers: one row, or as many as classes.

    Numbers are shown with the notation's precision and never as 0 or 1 when they are not.
    """
    for batch, values in result.quantity.pieces(result.logits.batches):
        samples = Samples.at(batch.logits, result.temperature)
        for k, label in enumerate(batch.labels):
            shown = _shown(result, samples, k, values[k], notation.precision)
            yield label, [[number_text(text, notation) for text in row] for row in shown]


def _shown(result: Arrays, samples: Samples, k: int, value: Any, precision: int) -> list[list[str]]:
    match result.quantity.key:
        case "probabilities":
            return [[samples.probability(k, j, precision) for j in range(len(value))]]
        case "log_probabilities":
            return [[samples.log_probability(k, j, v, precision) for j, v in enumerate(value)]]
        case "jacobian":
            return [
                [samples.partial(k, j, i, v, precision) for i, v in enumerate(row)]
                for j, row in enumerate(value)
            ]
        case "partials" if result.entry is not None:
            return [[samples.partial(k, *result.entry, value, precision)]]
        case _:
            return [[significant(v, precision) for v in value]]
