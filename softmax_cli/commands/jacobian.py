"""The Jacobian of each sample, one entry of it, or an upstream gradient times it."""

from dataclasses import replace

from softmax_cli.commands import shared
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions, OutputOptions

VJP = """The upstream gradient G times the Jacobian (backpropagation), without building it.
G is 0,0,1 or a file with one row for all samples or a row each."""


@shared.with_shared_options
def jacobian(
    logits: list[str] = shared.LOGITS,
    entry: str | None = shared.how("--entry J,I", "Only dy_J/dz_I, by class names or positions."),
    vjp: str | None = shared.how("--vjp G", VJP),
    explain: bool = shared.how("--explain", "Derive it step by step, with one sample's numbers."),
    log: bool = shared.how("--log", "Of log-softmax: dlog y_j/dz_i = delta_ij - y_i."),
    prefix: str = shared.PREFIX,
    temperature: float = shared.TEMPERATURE,
    sample: str | None = shared.SAMPLE,
    *,
    reading: InputOptions,
    writing: OutputOptions,
    jobs: int | None = shared.JOBS,
) -> None:
    """The Jacobian of each sample: J_ji = dy_j/dz_i = y_j (delta_ij - y_i).

    softmax-cli jacobian 1 2 3
    softmax-cli jacobian 2 1 0.1 --explain
    softmax-cli jacobian logits.csv --entry cat,dog -f csv
    softmax-cli jacobian logits.csv --vjp upstream.csv -o gradient.csv
    """
    from softmax_cli.reading.results import with_upstream
    from softmax_cli.reading.source import open_logits
    from softmax_cli.reading.validity import pick_sample
    from softmax_cli.result import Arrays, Jacobian, Partial, Vjp
    from softmax_cli.writing.target import write

    if vjp is not None and (entry is not None or explain):
        other = "--explain" if explain else "--entry"
        raise InputError(other, f"expected either {other} or --vjp, found both")
    with open_logits(logits, reading) as read, with_upstream(read, vjp, "--vjp", reading) as source:
        source = source if sample is None else pick_sample(source, sample, "--sample")
        names = source.class_names or ()
        position = None if entry is None else _find_entry(entry, names, source.n_classes)
        kind = Vjp if vjp is not None else Partial if position else Jacobian
        result = Arrays("jacobian", source, kind(temperature, log, position), prefix)
        # Only the first sample is explained; the rest is not read.
        shown = result.derivation(next(source.batches)) if explain else result
        write(shown, replace(writing, jobs=jobs))


def _find_entry(entry: str, classes: tuple[str, ...], n_classes: int) -> tuple[int, int]:
    from softmax_cli.reading.columns import find_names, split_names

    if len(names := split_names(entry, "--entry")) != 2:
        raise InputError("--entry", f"expected OUTPUT,INPUT such as 1,2, found {quoted(entry)}")
    output, input_ = find_names(names, classes, n_classes, "--entry")
    return output, input_
