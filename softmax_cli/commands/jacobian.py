"""The Jacobian of each sample, or one entry of it."""

from collections.abc import Sequence

from softmax_cli import core
from softmax_cli.batch import Batch, FloatArray, Logits
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.reading.columns import find_name, split_names
from softmax_cli.reading.source import open_logits
from softmax_cli.result import Arrays, Quantity
from softmax_cli.writing.write import write


def run(
    words: Sequence[str],
    *,
    entry: str | None,
    temperature: float,
    reading: InputOptions,
    writing: OutputOptions,
) -> int:
    """Write the Jacobians, or the partial derivatives; return the exit status."""

    def probabilities(batch: Batch) -> FloatArray:
        return core.softmax(batch.logits, temperature=temperature)

    def jacobian(batch: Batch) -> FloatArray:
        return core.jacobian(batch.logits, temperature=temperature)

    with open_logits(words, reading) as logits:
        quantities: tuple[Quantity, ...] = (
            Quantity("probabilities", 1, probabilities),
            Quantity("jacobian", 2, jacobian),
        )
        position = None
        if entry is not None:
            j, i = position = _find_entry(entry, logits)
            quantities = (Quantity("partials", 0, lambda batch: jacobian(batch)[:, j, i]),)
        view = "softmax_cli.display.jacobian:view"
        write(Arrays("jacobian", logits, quantities, view, temperature, position), writing)
    return 0


def _find_entry(entry: str, logits: Logits) -> tuple[int, int]:
    names = split_names(entry)
    if len(names) != 2:
        raise InputError("--entry", f"expected OUTPUT,INPUT such as 1,2, found {quoted(entry)}")
    output, input_ = (
        find_name(name, logits.class_names or (), logits.n_classes, "--entry") for name in names
    )
    return output, input_
