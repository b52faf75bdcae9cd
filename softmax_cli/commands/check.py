"""Somebody's results, or finite differences, against the exact ones, with a verdict."""

from functools import partial

from softmax_cli import words
from softmax_cli.commands import shared
from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions, OutputOptions

PROBABILITIES = """Your probabilities: a file in any input format, or code, FILE.py:FUNCTION or
PACKAGE.MODULE:FUNCTION, which is called with the logits, and differentiated too."""
UPSTREAM = """The upstream gradient for --vjp: 0,0,1 or a file. Without it a general one is
drawn, the same in every run, which hides no mistake of the usual kinds."""
THEIR_JACOBIAN = "Your Jacobians: (..., C, C), or stacked (K*C, C)."
BACKWARD = "Your backward pass, upstream gradient times Jacobian. Code takes logits and gradient."
DTYPES = ("float64", "float32", "float16", "bfloat16")
METHODS = ("central", "forward", "complex-step", "richardson")
Number = float | None
METHOD = shared.choice("Method", "--method METHOD", "The finite difference", METHODS, "central")
DTYPE = shared.choice("Method", "--dtype DTYPE", "Judge in", DTYPES, "the dtype of the results")
how, checked = shared.how, partial(shared.option, "What is checked")


@shared.with_shared_options
def check(
    logits: list[str] = shared.LOGITS,
    probabilities: str | None = checked("--probabilities CANDIDATE", PROBABILITIES),
    jacobian: str | None = checked("--jacobian CANDIDATE", THEIR_JACOBIAN),
    vjp: str | None = checked("--vjp CANDIDATE", BACKWARD),
    upstream: str | None = checked("--upstream G", UPSTREAM),
    method: str | None = METHOD,
    step: Number = how("--step H", "The step size. Its default suits the method.", words.finite),
    atol: Number = how("--atol A", "Absolute tolerance, in A + R |exact|.", shared.not_negative),
    rtol: Number = how("--rtol R", "Relative tolerance. The report has both.", shared.not_negative),
    dtype: str | None = DTYPE,
    log: bool = how("--log", "Check log-softmax instead."),
    stress: bool = checked("--stress", "Give code hard samples of our own too."),
    forward_only: bool = checked("--forward-only", "Leave the derivative of code out."),
    timeout: Number = checked("--timeout S", "The seconds that code may take.", words.finite),
    sweep: bool = how("--sweep", "Show the error against the step size."),
    temperature: float = shared.TEMPERATURE,
    sample: str | None = shared.SAMPLE,
    *,
    reading: InputOptions,
    writing: OutputOptions,
    quiet: bool = shared.shown("--quiet -q", "Print nothing: the exit status is the verdict."),
) -> int:
    """Check your softmax, Jacobian or backward pass; exit 0 if it passes, 1 if not.

    softmax-cli check logits.csv --jacobian mine.csv
    softmax-cli check logits.csv --vjp mine.py:backward --upstream 0,0,1
    softmax-cli check logits.csv --probabilities package.module:softmax -q
    softmax-cli check 1 2 3 --method complex-step
    """
    options = locals()
    from softmax_cli.checking.formulas import Kind
    from softmax_cli.checking.setting import Setting
    from softmax_cli.checking.sweep import check_softmax
    from softmax_cli.commands import candidates
    from softmax_cli.progress import watched
    from softmax_cli.reading.source import open_logits
    from softmax_cli.writing.target import write
    from softmax_cli.writing.verdict_rows import sweep_report, verdict_report

    if writing.output_format == "npy":
        raise InputError("--format", "expected a format that holds a verdict, found npy")
    kinds: tuple[Kind, ...] = ("probabilities", "jacobian", "vjp")
    given = {kind: options[kind] for kind in kinds if options[kind] is not None}
    how = (temperature, log, dtype, atol, rtol, method, step, forward_only, stress)
    comparison = partial(Setting, *how)
    candidates.refuse_contradictions(given, options)
    with open_logits(logits, reading) as source, watched(source) as known:
        if given and not sweep:
            verdict = candidates.check(known, given, upstream, sample, comparison, timeout, reading)
        else:
            _, setting = candidates.pick(known, sample, comparison)
            if sweep:
                write(sweep_report(candidates.swept(setting, probabilities, timeout)), writing)
                return 0
            with candidates.telling():
                verdict = setting.verdict(check_softmax(setting))
    if not quiet or writing.path is not None:
        write(verdict_report(verdict), writing)
    return 0 if verdict.passed else 1
