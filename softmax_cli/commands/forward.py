"""Probabilities of each sample."""

from dataclasses import replace
from functools import partial

from softmax_cli.commands import shared
from softmax_cli.options import InputOptions, OutputOptions

TOP = "Only the N most probable classes of each sample, with their names."
T = "Divide the logits by T. 0 is the limit: 1 for the maximum, shared among ties."


@shared.with_shared_options
def forward(
    logits: list[str] = shared.LOGITS,
    log: bool = shared.how("--log", "Log-probabilities instead."),
    top: int | None = shared.shown("--top N", TOP, partial(shared.whole, last=10**9 - 1)),
    prefix: str = shared.PREFIX,
    temperature: float = shared.how("--temperature -t T", T, shared.not_negative, 1.0),
    sample: str | None = shared.SAMPLE,
    *,
    reading: InputOptions,
    writing: OutputOptions,
    jobs: int | None = shared.JOBS,
) -> None:
    """Probabilities: y_j = exp(z_j) / sum_c exp(z_c).

    softmax-cli forward 2 1 0.1
    softmax-cli forward -inf 0 -1.5 --log
    softmax-cli forward logits.csv -o probabilities.csv
    cat logits.csv | softmax-cli forward --columns 2-11 -f json
    """
    from softmax_cli.reading.source import open_logits
    from softmax_cli.reading.validity import pick_sample
    from softmax_cli.result import Arrays, Probabilities
    from softmax_cli.writing.target import write

    quantity = Probabilities(temperature, log)
    with open_logits(logits, reading) as source:
        picked = source if sample is None else pick_sample(source, sample, "--sample")
        write(Arrays("forward", picked, quantity, prefix, top), replace(writing, jobs=jobs))
