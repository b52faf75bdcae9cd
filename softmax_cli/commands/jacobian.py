"""The Jacobian of each sample, one entry of it, or an upstream gradient times it."""

from collections.abc import Sequence
from contextlib import ExitStack

from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.reading.columns import find_name, split_names
from softmax_cli.reading.results import options_for_results, with_upstream
from softmax_cli.reading.sift import pick_sample
from softmax_cli.reading.source import open_logits
from softmax_cli.result import Arrays, Explanation, Jacobian, Partial, Probabilities, Quantity, Vjp
from softmax_cli.samples import Logits
from softmax_cli.writing.formats import write


def run(
    words: Sequence[str],
    *,
    entry: str | None,
    upstream: str | None,
    sample: str | None,
    explain: bool,
    log: bool,
    prefix: str | None,
    temperature: float,
    reading: InputOptions,
    writing: OutputOptions,
) -> int:
    """Write the Jacobians, partial derivatives or products; return the exit status."""
    if upstream is not None and (entry is not None or explain):
        other = "--explain" if explain else "--entry"
        raise InputError(other, f"expected either {other} or --vjp, found both")
    with ExitStack() as stack:
        logits = stack.enter_context(open_logits(words, reading))
        if upstream is not None:
            theirs = options_for_results(logits, reading)
            logits = stack.enter_context(with_upstream(logits, upstream, "--vjp", theirs))
        if sample is not None:
            logits = pick_sample(logits, sample, "--sample")
        position = None if entry is None else _find_entry(entry, logits)
        quantities: tuple[Quantity, ...] = Probabilities(temperature), Jacobian(temperature, log)
        if upstream is not None:
            quantities = (Vjp(temperature, log),)
        elif position is not None:
            quantities = (Partial(temperature, log, position),)
        result = Arrays("jacobian", logits, quantities, prefix or "")
        write(_explanation(logits, position, temperature, log) if explain else result, writing)
    return 0


def _explanation(
    logits: Logits, entry: tuple[int, int] | None, temperature: float, log: bool
) -> Explanation:
    """Explain the first sample; the rest is not read."""
    from softmax_cli.mathematics.derivation import derive

    batch = next(logits.batches)
    label = batch.labels[0]
    derivation = derive(batch.logits[0], logits.classes, entry, temperature, label, log)
    heading = label if logits.names_samples else f"sample {label}" if batch.start else None
    return Explanation(derivation, heading)


def _find_entry(entry: str, logits: Logits) -> tuple[int, int]:
    names = split_names(entry, "--entry")
    if len(names) != 2:
        raise InputError("--entry", f"expected OUTPUT,INPUT such as 1,2, found {quoted(entry)}")
    classes, n_classes = logits.class_names or (), logits.n_classes
    output, input_ = (find_name(name, classes, n_classes, "--entry") for name in names)
    return output, input_
