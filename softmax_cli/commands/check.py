"""Somebody's results, or finite differences, against the exact ones, with a verdict."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace

from softmax_cli.checking import candidate as code
from softmax_cli.checking import check as checking
from softmax_cli.checking.derivative import StepError, check_softmax
from softmax_cli.checking.formulas import Kind
from softmax_cli.checking.setting import Comparison as Comparison
from softmax_cli.checking.setting import Setting, with_gradient
from softmax_cli.checking.sweep import Sweep, sweep
from softmax_cli.checking.verdict import Check, Verdict
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.progress import watched
from softmax_cli.reading.pick import pick_sample
from softmax_cli.reading.results import read_candidate, with_rows
from softmax_cli.reading.source import open_logits
from softmax_cli.reading.upstream import options_for_results, with_upstream
from softmax_cli.reading.validity import are_valid, check_classes
from softmax_cli.result import Jacobian
from softmax_cli.samples import Batch, Logits, concatenate
from softmax_cli.writing.formats import refuse_verdict, write
from softmax_cli.writing.verdict_rows import sweep_report, verdict_report

_OPTION = re.compile(r"<(\w+)=([^>]*)>")


@dataclass(frozen=True)
class Candidates:
    """What the user says about their own results: a file or code each, or None."""

    probabilities: str | None = None
    jacobian: str | None = None
    vjp: str | None = None
    upstream: str | None = None
    timeout: float | None = None  # seconds that code may take
    sample: str | None = None  # the one that is looked at; results may be those of all

    @property
    def given(self) -> dict[Kind, str]:
        """The candidates by quantity."""
        words: list[tuple[Kind, str | None]] = [
            ("probabilities", self.probabilities),
            ("jacobian", self.jacobian),
            ("vjp", self.vjp),
        ]
        return {quantity: word for quantity, word in words if word is not None}


def run(
    words: Sequence[str],
    *,
    candidates: Candidates,
    comparison: Comparison,
    sweeping: bool,
    quiet: bool,
    reading: InputOptions,
    writing: OutputOptions,
) -> int:
    """Write the verdict; return 0 if every sample passed, else 1."""
    if writing.output_format == "npy":
        raise refuse_verdict("npy")
    _refuse_contradictions(words, candidates, comparison)
    if sweeping:
        _refuse_beside_sweep(candidates.given, comparison, quiet)
    with open_logits(words, reading) as source, watched(source) as logits:
        if sweeping:
            write(sweep_report(_sweep(logits, candidates, comparison)), writing)
            return 0
        if candidates.given:
            verdict = _check_candidates(logits, candidates, comparison, reading)
        else:
            verdict = _check_softmax(_picked(logits, candidates.sample), comparison)
    if not quiet or writing.path is not None:
        write(verdict_report(verdict), writing)
    return 0 if verdict.passed else 1


def _refuse(fault: bool, option: str, problem: str, hint: str = "") -> None:
    if fault:
        raise InputError(option, problem, hint)


def _refuse_contradictions(
    words: Sequence[str], candidates: Candidates, comparison: Comparison
) -> None:
    given = candidates.given
    has_upstream, vjp = candidates.upstream is not None, candidates.vjp
    _refuse(has_upstream and vjp is None, "--upstream", "expected --vjp beside it, found none")
    is_missing = vjp is not None and not has_upstream and not code.names_code(vjp)
    hint = "give the gradient that the results belong to, as 0,0,1 or as a file"
    _refuse(is_missing, "--vjp", "expected --upstream beside results, found none", hint)
    stdin = [f"--{quantity}" for quantity, word in given.items() if word == "-"]
    again = len(stdin) > (0 if not words or list(words) == ["-"] else 1)
    problem = "expected a file or code, found standard input a second time"
    _refuse(again, stdin[-1] if stdin else "", problem)
    unjudged = comparison.dtype is not None and not given
    _refuse(unjudged, "--dtype", "expected a candidate beside it, found none")
    differentiates = code.names_code(candidates.probabilities or "") and not comparison.forward_only
    problem = "expected a --probabilities function to differentiate, found other candidates"
    for option, value in (("--method", comparison.method), ("--step", comparison.step)):
        hint = "results are compared with the exact ones"
        fault = bool(given) and not differentiates and value is not None
        _refuse(fault, option, problem, hint)
    calls = any(map(code.names_code, given.values()))
    problem = "expected a function, FILE.py:FUNCTION, among the candidates, found none"
    for option, is_given in (
        ("--stress", comparison.stress),
        ("--timeout", candidates.timeout is not None),
    ):
        _refuse(is_given and not calls, option, problem)


def _refuse_beside_sweep(given: dict[Kind, str], comparison: Comparison, quiet: bool) -> None:
    for option, value in (
        ("--method", comparison.method),
        ("--step", comparison.step),
        ("--atol", comparison.atol),
        ("--rtol", comparison.rtol),
        ("--dtype", comparison.dtype),
        ("--stress", comparison.stress or None),
        ("--quiet", quiet or None),
    ):
        _refuse(value is not None, option, "expected either it or --sweep, found both")
    found = ", ".join(f"--{quantity} {quoted(word)}" for quantity, word in given.items())
    problem = f"expected nothing beside it but a --probabilities function, found {found}"
    is_function = len(given) == 1 and code.names_code(given.get("probabilities", ""))
    _refuse(bool(given) and not is_function, "--sweep", problem)


def _picked(logits: Logits, sample: str | None) -> Logits:
    return logits if sample is None else pick_sample(logits, sample, "--sample")


def _check_softmax(logits: Logits, comparison: Comparison) -> Verdict:
    # As many samples at a time as their Jacobians have room for.
    pieces = Jacobian(comparison.temperature).pieces(logits.batches)
    with _telling():
        check = check_softmax(_setting(each, logits, comparison) for each in pieces)
    return Verdict((check,), logits.classes, comparison.temperature)


def _setting(batch: Batch, logits: Logits, comparison: Comparison) -> Setting:
    return Setting(batch.logits, batch.upstream, logits.classes, batch.labels, comparison)


def _check_candidates(
    logits: Logits, candidates: Candidates, comparison: Comparison, reading: InputOptions
) -> Verdict:
    theirs = options_for_results(logits, reading)
    g = candidates.upstream
    paired = nullcontext(logits) if g is None else with_upstream(logits, g, "--upstream", theirs)
    valid: list[bool] = []  # of each sample, also of those that are left out

    def seen(batch: Batch) -> Batch:
        valid.extend(are_valid(batch.logits).tolist())
        return source.parsed(batch)

    with paired as source:
        unchecked = replace(source, check=None).batches
        whole = concatenate(map(seen, unchecked), logits.n_classes)
    source = replace(logits, blocks=iter([whole]), n_samples=len(whole.logits))
    picked = _picked(source, candidates.sample)
    batch = next(picked.batches)
    setting = _setting(batch, logits, replace(comparison, axis=picked.axis))
    setting = replace(setting, z=picked.restored(batch.logits))
    if batch.upstream is not None:
        setting = replace(setting, g=picked.restored(batch.upstream))
    elif candidates.vjp is not None:
        setting = with_gradient(setting, None)
    checks: list[Check] = []
    for quantity, word in candidates.given.items():
        option = f"--{quantity}"
        if code.names_code(word):
            from softmax_cli.checking.process import running

            with _telling(option, word, batch), running(word, candidates.timeout) as function:
                found = checking.check_function(quantity, function, setting)
        else:
            files = (setting, logits, whole, batch, theirs, valid)
            found = (_check_file(quantity, word, option, *files),)
        checks += (replace(check, candidate=word) for check in found)
    return setting.verdict(*map(_in_words_of_options, checks))


def _in_words_of_options(check: Check) -> Check:
    def told(text: str) -> str:
        return _OPTION.sub(_option, text)

    causes = (replace(each, advice=told(each.advice)) for each in check.diagnoses)
    return replace(check, diagnoses=tuple(causes), notes=tuple(map(told, check.notes)))


def _option(found: re.Match[str]) -> str:
    name = f"--{found[1].replace('_', '-')}"
    return name if found[2] == "True" else f"{name} {found[2]}"


@contextmanager
def _telling(option: str = "", word: str = "", batch: Batch | None = None) -> Iterator[None]:
    """Tell what checking raises in the words of the command line."""
    try:
        yield
    except code.CodeError as error:
        raise InputError(error.place or option, error.problem, error.hint) from None
    except code.CandidateError as error:
        given = "all samples"
        if batch is not None and error.sample is not None:
            given = f"sample {batch.labels[error.sample]!r}"
        before, hint = error.at_once, ""
        if before is not None and before.problem != error.problem:
            hint = f"given all samples at once it {before.problem} ({before.place})"
        problem = f"the candidate {error.problem}, given {given}"
        raise InputError(error.place or option, problem, hint) from None
    except StepError as error:
        place = "--step" if error.given else f"sample {error.sample}"
        leave_out = "leave it out, or " if error.given else ""
        hint = f"{leave_out}use --method complex-step, which needs no such step"
        raise InputError(place, error.problem, hint) from None
    except code.NotComplexError:
        problem = f"expected a function that takes complex numbers, found {quoted(word)}"
        hint = "choose --method central, forward or richardson"
        raise InputError("--method", problem, hint) from None
    except code.ShapeFoundError as error:
        raise InputError(option, f"expected probabilities, found {error}") from None


def _check_file(
    quantity: Kind,
    word: str,
    option: str,
    setting: Setting,
    logits: Logits,
    whole: Batch,
    picked: Batch,
    reading: InputOptions,
    valid: Sequence[bool],
) -> Check:
    """Read somebody's results and check them."""
    if word.endswith(".py"):
        hint = f"name the function in it: {word}:FUNCTION"
        raise InputError(option, f"expected results or a function, found {quoted(word)}", hint)
    results = with_rows(read_candidate(word, option, quantity, reading), valid, quantity)
    values = results.values
    K, C = whole.logits.shape
    if values.ndim == 2 and len(values) in (K + 1, K * C + 1):
        # A header of digits was read as a row.
        header = tuple(f"{value:g}" for value in values[0])
        values = values[1:] if header == logits.class_names else values
    if len(picked.logits) < K and values.ndim > 1 and len(values) % K == 0:
        rows_each = len(values) // K
        values = values[rows_each * picked.start : rows_each * (picked.start + 1)]
    try:
        check = checking.check_results(
            quantity, values, results.precision, setting, printed=results.is_printed
        )
    except code.ShapeFoundError as error:
        raise InputError(option, f"found {error}, in {quoted(word)}") from None
    if logits.class_names and results.classes is not None:
        check_classes(results.classes, logits.class_names, option, "the logits")
    if results.samples is not None and whole.samples is not None:
        rows_each = max(1, len(results.samples) // K)
        for ours, theirs in zip(whole.samples, results.samples[::rows_each], strict=False):
            if ours != theirs:
                problem = f"expected results for sample {quoted(ours)}, found {quoted(theirs)}"
                raise InputError(option, problem)
    return check


def _sweep(logits: Logits, candidates: Candidates, comparison: Comparison) -> Sweep:
    batch = concatenate(_picked(logits, candidates.sample).batches, logits.n_classes)
    setting = _setting(batch, logits, comparison)
    word = candidates.probabilities
    if word is None:
        return sweep(setting)
    from softmax_cli.checking.process import running

    with _telling("--probabilities", word, batch), running(word, candidates.timeout) as function:
        return sweep(setting, function, word)
