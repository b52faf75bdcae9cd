"""The Jacobian of each sample, one entry of it, or an upstream gradient times it."""

from collections.abc import Sequence
from contextlib import ExitStack

from softmax_cli import core
from softmax_cli.batch import Batch, FloatArray, Logits
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.reading.columns import find_name, split_names
from softmax_cli.reading.source import open_logits
from softmax_cli.reading.upstream import with_upstream
from softmax_cli.result import Arrays, Quantity
from softmax_cli.writing.write import write

VIEW = "softmax_cli.display.jacobian:view"
VJP_VIEW = "softmax_cli.display.vjp:view"


def run(
    words: Sequence[str],
    *,
    entry: str | None,
    upstream: str | None,
    temperature: float,
    reading: InputOptions,
    writing: OutputOptions,
) -> int:
    """Write the Jacobians, partial derivatives or products; return the exit status."""
    if entry is not None and upstream is not None:
        raise InputError("--entry", "expected either --entry or --vjp, found both")
    with ExitStack() as stack:
        logits = stack.enter_context(open_logits(words, reading))
        if upstream is not None:
            logits = stack.enter_context(with_upstream(logits, upstream, "--vjp"))
            quantities: tuple[Quantity, ...] = (_vjp(temperature),)
            result = Arrays("jacobian", logits, quantities, VJP_VIEW, temperature)
        elif entry is not None:
            position = _find_entry(entry, logits)
            quantities = (_partial(position, temperature),)
            result = Arrays("jacobian", logits, quantities, VIEW, temperature, position)
        else:
            quantities = (_probabilities(temperature), _jacobian(temperature))
            result = Arrays("jacobian", logits, quantities, VIEW, temperature)
        write(result, writing)
    return 0


def _probabilities(temperature: float) -> Quantity:
    def compute(batch: Batch) -> FloatArray:
        return core.softmax(batch.logits, temperature=temperature)

    return Quantity("probabilities", 1, compute)


def _jacobian(temperature: float) -> Quantity:
    def compute(batch: Batch) -> FloatArray:
        return core.jacobian(batch.logits, temperature=temperature)

    def compute_rows(batch: Batch, outputs: range) -> FloatArray:
        rows = slice(outputs.start, outputs.stop)
        return core.jacobian_rows(batch.logits, rows, temperature=temperature)

    return Quantity("jacobian", 2, compute, compute_rows)


def _partial(position: tuple[int, int], temperature: float) -> Quantity:
    j, i = position

    def compute(batch: Batch) -> FloatArray:
        return core.jacobian_rows(batch.logits, [j], temperature=temperature)[:, 0, i]

    return Quantity("partials", 0, compute)


def _vjp(temperature: float) -> Quantity:
    def compute(batch: Batch) -> FloatArray:
        assert batch.upstream is not None
        return core.vjp(batch.logits, batch.upstream, temperature=temperature)

    return Quantity("vjp", 1, compute)


def _find_entry(entry: str, logits: Logits) -> tuple[int, int]:
    names = split_names(entry)
    if len(names) != 2:
        raise InputError("--entry", f"expected OUTPUT,INPUT such as 1,2, found {quoted(entry)}")
    output, input_ = (
        find_name(name, logits.class_names or (), logits.n_classes, "--entry") for name in names
    )
    return output, input_
