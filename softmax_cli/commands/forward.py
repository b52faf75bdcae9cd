"""Probabilities of each sample."""

from collections.abc import Sequence

from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.reading.sift import pick_sample
from softmax_cli.reading.source import open_logits
from softmax_cli.result import Arrays, LogProbabilities, Probabilities
from softmax_cli.writing.formats import write


def run(
    words: Sequence[str],
    log: bool,
    top: int | None,
    prefix: str | None,
    sample: str | None,
    temperature: float,
    reading: InputOptions,
    writing: OutputOptions,
) -> int:
    """Write the probabilities, or their logarithms; return the exit status."""
    quantity = LogProbabilities(temperature) if log else Probabilities(temperature)
    with open_logits(words, reading) as source:
        logits = source if sample is None else pick_sample(source, sample, "--sample")
        write(Arrays("forward", logits, (quantity,), prefix or "", top), writing)
    return 0
