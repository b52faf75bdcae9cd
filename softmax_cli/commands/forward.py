"""Probabilities of each sample."""

from collections.abc import Sequence

from softmax_cli import core
from softmax_cli.batch import Batch, FloatArray
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.reading.pick import pick_sample
from softmax_cli.reading.source import open_logits
from softmax_cli.result import Arrays, Quantity
from softmax_cli.writing.write import write


def run(
    words: Sequence[str],
    *,
    log: bool,
    sample: str | None,
    temperature: float,
    reading: InputOptions,
    writing: OutputOptions,
) -> int:
    """Write the probabilities, or their logarithms; return the exit status."""
    function = core.log_softmax if log else core.softmax

    def compute(batch: Batch) -> FloatArray:
        return function(batch.logits, temperature=temperature)

    quantity = Quantity("log_probabilities" if log else "probabilities", 1, compute)
    with open_logits(words, reading) as source:
        logits = source if sample is None else pick_sample(source, sample, "--sample")
        view = "softmax_cli.display.forward:view"
        write(Arrays("forward", logits, (quantity,), view, temperature), writing)
    return 0
