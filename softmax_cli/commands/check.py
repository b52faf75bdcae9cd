"""Somebody's results, or finite differences, against the exact ones, with a verdict."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from softmax_cli.checking import candidate as code
from softmax_cli.checking import check as checking
from softmax_cli.checking.check import Comparison as Comparison
from softmax_cli.checking.formulas import Kind
from softmax_cli.checking.sweep import Sweep, sweep
from softmax_cli.checking.verdict import Check, Verdict
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.progress import watched
from softmax_cli.reading.results import Results, read_candidate
from softmax_cli.reading.source import open_logits
from softmax_cli.reading.upstream import with_upstream
from softmax_cli.reading.validity import check_classes
from softmax_cli.result import Jacobian
from softmax_cli.samples import Batch, Logits, concatenate
from softmax_cli.writing.formats import refuse_verdict, write
from softmax_cli.writing.verdict_rows import sweep_report, verdict_report


@dataclass(frozen=True)
class Candidates:
    """What the user says about their own results: a file or code each, or None."""

    probabilities: str | None = None
    jacobian: str | None = None
    vjp: str | None = None
    upstream: str | None = None

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
            write(sweep_report(_sweep(logits, candidates.probabilities, comparison)), writing)
            return 0
        if candidates.given:
            verdict = _check_candidates(logits, candidates, comparison)
        else:
            verdict = _check_softmax(logits, comparison)
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
    has_vjp, has_upstream = "vjp" in given, candidates.upstream is not None
    _refuse(has_upstream > has_vjp, "--upstream", "expected --vjp beside it, found none")
    hint = "give g as 0,0,1 or as a file"
    _refuse(has_vjp > has_upstream, "--vjp", "expected --upstream beside it, found none", hint)
    stdin = [f"--{quantity}" for quantity, word in given.items() if word == "-"]
    again = len(stdin) > (0 if not words or list(words) == ["-"] else 1)
    problem = "expected a file or code, found standard input a second time"
    _refuse(again, stdin[-1] if stdin else "", problem)
    unused = bool(given) and not code.names_code(candidates.probabilities or "")
    problem = "expected a --probabilities function to differentiate, found other candidates"
    for option, value in (("--method", comparison.method), ("--step", comparison.step)):
        hint = "results are compared with the exact ones"
        _refuse(unused and value is not None, option, problem, hint)


def _refuse_beside_sweep(given: dict[Kind, str], comparison: Comparison, quiet: bool) -> None:
    for option, value in (
        ("--method", comparison.method),
        ("--step", comparison.step),
        ("--atol", comparison.atol),
        ("--rtol", comparison.rtol),
        ("--quiet", quiet or None),
    ):
        _refuse(value is not None, option, "expected either it or --sweep, found both")
    found = ", ".join(f"--{quantity} {quoted(word)}" for quantity, word in given.items())
    problem = f"expected nothing beside it but a --probabilities function, found {found}"
    is_function = len(given) == 1 and code.names_code(given.get("probabilities", ""))
    _refuse(bool(given) and not is_function, "--sweep", problem)


def _check_softmax(logits: Logits, comparison: Comparison) -> Verdict:
    # As many samples at a time as their Jacobians have room for.
    pieces = Jacobian(comparison.temperature).pieces(logits.batches)
    with _telling():
        check = checking.check_softmax(_setting(each, logits, comparison) for each in pieces)
    return Verdict((check,), logits.classes, comparison.temperature)


def _setting(batch: Batch, logits: Logits, comparison: Comparison) -> checking.Setting:
    z, g = batch.logits, batch.upstream
    return checking.Setting(z, g, logits.classes, batch.labels, comparison)


def _check_candidates(logits: Logits, candidates: Candidates, comparison: Comparison) -> Verdict:
    with ExitStack() as stack:
        if candidates.upstream is not None:
            logits = stack.enter_context(with_upstream(logits, candidates.upstream, "--upstream"))
        batch = concatenate(logits.batches, logits.n_classes)
    setting = _setting(batch, logits, comparison)
    checks: list[Check] = []
    for quantity, word in candidates.given.items():
        with _candidate(quantity, word, logits, batch) as candidate:
            found = checking.check_candidate(quantity, candidate, setting)
        checks += (_in_words_of_options(check, word) for check in found.checks)
    return setting.verdict(*checks)


def _in_words_of_options(check: Check, word: str) -> Check:
    found = [replace(each, advice=each.advice_in("--{} {:.6g}", " ")) for each in check.diagnoses]
    return replace(check, candidate=word, diagnoses=tuple(found))


@contextmanager
def _candidate(quantity: Kind, word: str, logits: Logits, batch: Batch) -> Iterator[Any]:
    """Read somebody's results, or load their function and let it run."""
    option = f"--{quantity}"
    if not code.names_code(word):
        yield _results(quantity, word, option, logits, batch)
        return
    from softmax_cli.checking.loading import running

    with _telling(option, word), running(word, batch.labels) as function:
        yield function


@contextmanager
def _telling(option: str = "", word: str = "") -> Iterator[None]:
    """Tell what checking raises in the words of the command line."""
    try:
        yield
    except code.CodeError as error:
        raise InputError(error.place or option, error.problem, error.hint) from None
    except checking.StepError as error:
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


def _results(quantity: Kind, word: str, option: str, logits: Logits, batch: Batch) -> Any:
    if word.endswith(".py"):
        hint = f"name the function in it: {word}:FUNCTION"
        raise InputError(option, f"expected results or a function, found {quoted(word)}", hint)
    results = read_candidate(word, option, quantity)
    n_samples, n_classes = batch.logits.shape
    shape = (n_samples, n_classes, n_classes) if quantity == "jacobian" else batch.logits.shape
    try:
        values = checking.candidate_array(_without_header(results, logits, shape), shape)
    except ValueError as error:
        raise InputError(option, f"{error} in {quoted(word)}") from None
    if logits.class_names and results.classes is not None:
        check_classes(results.classes, logits.class_names, option, "the logits")
    _check_samples(results, batch, option)
    return values


def _without_header(results: Results, logits: Logits, shape: tuple[int, ...]) -> Any:
    """Drop a header that consists of numbers, as digits do, and was read as a row."""
    values = results.values
    if values.ndim == 2 and len(values) in (shape[0] + 1, shape[0] * shape[1] + 1):
        header = tuple(f"{value:g}" for value in values[0])
        return values[1:] if header == logits.class_names else values
    return values


def _check_samples(results: Results, batch: Batch, option: str) -> None:
    if results.samples is None or batch.samples is None:
        return
    rows_each = max(1, len(results.samples) // len(batch.samples))
    for ours, theirs in zip(batch.samples, results.samples[::rows_each], strict=False):
        if ours != theirs:
            problem = f"expected results for sample {quoted(ours)}, found {quoted(theirs)}"
            raise InputError(option, problem)


def _sweep(logits: Logits, word: str | None, comparison: Comparison) -> Sweep:
    batch = concatenate(logits.batches, logits.n_classes)
    if word is None:
        return sweep(batch.logits, comparison.temperature)
    with _candidate("probabilities", word, logits, batch) as candidate:
        return sweep(batch.logits, comparison.temperature, candidate, word)
