"""Somebody's results, or finite differences, against the exact ones, with a verdict."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from softmax_cli.checking import check as checking
from softmax_cli.checking import sweep
from softmax_cli.checking.candidate import CandidateError, NotComplexError, derivative_function
from softmax_cli.checking.loading import Code, at_work, candidate_failed, load_code, names_code
from softmax_cli.checking.verdict import Check, Verdict
from softmax_cli.commands.check_report import report
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.progress import watched
from softmax_cli.reading.candidate import Results, read_candidate
from softmax_cli.reading.source import open_logits
from softmax_cli.reading.upstream import with_upstream
from softmax_cli.reading.validity import check_classes
from softmax_cli.result import Jacobian, Report
from softmax_cli.samples import Batch, Logits, concatenate
from softmax_cli.writing.formats import refuse_verdict, write

SWEEP_VIEW = "softmax_cli.display.curve:view"
DEFAULT_METHOD = "central"
COMPLEX_HINT = "choose --method central, forward or richardson"


@dataclass(frozen=True)
class Candidates:
    """What the user says about his own results: a file or code each, or None."""

    probabilities: str | None = None
    jacobian: str | None = None
    vjp: str | None = None
    upstream: str | None = None

    @property
    def given(self) -> dict[str, str]:
        """The candidates by quantity."""
        words = {
            "probabilities": self.probabilities,
            "jacobian": self.jacobian,
            "vjp": self.vjp,
        }
        return {quantity: word for quantity, word in words.items() if word is not None}


@dataclass(frozen=True)
class Comparison:
    """How to compare; None is the default."""

    method: str | None = None
    step: float | None = None
    atol: float | None = None
    rtol: float | None = None
    temperature: float = 1.0

    @property
    def tolerances(self) -> dict[str, Any]:
        """What every check takes."""
        return {"atol": self.atol, "rtol": self.rtol, "temperature": self.temperature}

    @property
    def difference(self) -> dict[str, Any]:
        """The finite difference."""
        return {"method": self.method or DEFAULT_METHOD, "step": self.step}


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
    _refuse_contradictions(words, candidates, comparison, sweeping)
    if sweeping and quiet:
        raise InputError("--quiet", "expected either it or --sweep, found both")
    with open_logits(words, reading) as source, watched(source) as logits:
        if sweeping:
            write(_sweep_report(logits, candidates.probabilities, comparison), writing)
            return 0
        if candidates.given:
            verdict = _check_candidates(logits, candidates, comparison)
        else:
            verdict = _check_softmax(logits, comparison)
    if not quiet or writing.path is not None:
        write(report(verdict), writing)
    return 0 if verdict.passed else 1


def _refuse_contradictions(
    words: Sequence[str], candidates: Candidates, comparison: Comparison, sweeping: bool
) -> None:
    given = candidates.given
    if candidates.upstream is not None and "vjp" not in given:
        raise InputError("--upstream", "expected --vjp beside it, found none")
    if "vjp" in given and candidates.upstream is None:
        raise InputError(
            "--vjp", "expected --upstream beside it, found none", "give g as 0,0,1 or as a file"
        )
    stdin = [f"--{quantity}" for quantity, word in given.items() if word == "-"]
    if len(stdin) > 1 or (stdin and (not words or list(words) == ["-"])):
        raise InputError(stdin[-1], "expected a file or code, found standard input a second time")
    differentiated = not given or names_code(given.get("probabilities", ""))
    if sweeping:
        for option, value in (
            ("--method", comparison.method),
            ("--step", comparison.step),
            ("--atol", comparison.atol),
            ("--rtol", comparison.rtol),
        ):
            if value is not None:
                raise InputError(option, "expected either it or --sweep, found both")
    for option, value in (("--method", comparison.method), ("--step", comparison.step)):
        if value is not None and not differentiated:
            problem = "expected a --probabilities function to differentiate, found other candidates"
            raise InputError(option, problem, "results are compared with the exact ones")
    if sweeping and given and not (differentiated and len(given) == 1):
        found = ", ".join(f"--{quantity} {quoted(word)}" for quantity, word in given.items())
        problem = f"expected nothing beside it but a --probabilities function, found {found}"
        raise InputError("--sweep", problem)


def _check_softmax(logits: Logits, comparison: Comparison) -> Verdict:
    # As many samples at a time as their Jacobians have room for.
    pieces = Jacobian(comparison.temperature).pieces(logits.batches)
    check = checking.check_softmax(
        ((batch.labels, batch.logits) for batch in pieces),
        **comparison.tolerances,
        **comparison.difference,
    )
    return Verdict((check,), logits.classes, comparison.temperature)


def _check_candidates(logits: Logits, candidates: Candidates, comparison: Comparison) -> Verdict:
    with ExitStack() as stack:
        if candidates.upstream is not None:
            logits = stack.enter_context(with_upstream(logits, candidates.upstream, "--upstream"))
        batch = concatenate(logits.batches, logits.n_classes)
    checks: list[Check] = []
    for quantity, word in candidates.given.items():
        if names_code(word):
            found = _check_code(quantity, word, batch, comparison)
        else:
            results = _results(quantity, word, logits, batch)
            found = _compare(quantity, results.values, batch, comparison)
        checks += (replace(check, candidate=word) for check in found.checks)
    return Verdict(tuple(checks), logits.classes, comparison.temperature)


def _compare(quantity: str, candidate: Any, batch: Batch, comparison: Comparison) -> Verdict:
    options = {**comparison.tolerances, "samples": batch.labels}
    if quantity == "probabilities":
        return checking.check_probabilities(
            candidate, batch.logits, **options, **comparison.difference
        )
    if quantity == "jacobian":
        return checking.check_jacobian(candidate, batch.logits, **options)
    assert batch.upstream is not None
    return checking.check_vjp(candidate, batch.logits, batch.upstream, **options)


@contextmanager
def _running(word: str, option: str, labels: tuple[str, ...]) -> Iterator[Code]:
    """Load code and let it run; whatever it raises there is the user's error."""
    with at_work():
        code = load_code(word, option)
        try:
            yield code
        except CandidateError as error:
            raise candidate_failed(error, code, labels) from None
        except NotComplexError:
            problem = "expected a function that takes complex numbers"
            raise InputError("--method", f"{problem}, found {quoted(word)}", COMPLEX_HINT) from None


def _check_code(quantity: str, word: str, batch: Batch, comparison: Comparison) -> Verdict:
    with _running(word, f"--{quantity}", batch.labels) as code:
        return _compare(quantity, code.function, batch, comparison)


def _results(quantity: str, word: str, logits: Logits, batch: Batch) -> Results:
    option = f"--{quantity}"
    if word.endswith(".py"):
        hint = f"name the function in it: {word}:FUNCTION"
        raise InputError(option, f"expected results or a function, found {quoted(word)}", hint)
    results = read_candidate(word, option, quantity)
    n_samples, n_classes = batch.logits.shape
    shape = (n_samples, n_classes, n_classes) if quantity == "jacobian" else batch.logits.shape
    values = _without_header(results, logits, shape)
    try:
        values = checking.candidate_array(values, shape)
    except ValueError as error:
        raise InputError(option, f"{error} in {quoted(word)}") from None
    if logits.class_names and results.classes is not None:
        check_classes(results.classes, logits.class_names, option, "the logits")
    _check_samples(results, batch, option)
    return replace(results, values=values)


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


def _sweep_report(logits: Logits, word: str | None, comparison: Comparison) -> Report:
    batch = concatenate(logits.batches, logits.n_classes)
    temperature = comparison.temperature
    if word is None:
        found = sweep.sweep(batch.logits, temperature)
    else:
        with _running(word, "--probabilities", batch.labels) as code:
            how = checking.check_probabilities(
                code.function, batch.logits, temperature=temperature
            ).checks[0]
            if how.problem:
                raise InputError("--probabilities", f"expected probabilities, found {how.problem}")
            function = derivative_function(code.function, how.one_by_one)
            found = sweep.sweep(batch.logits, temperature, function, word)
    columns = ("step", *found.errors)
    rows = list(zip(found.steps, *found.errors.values(), strict=True))
    document = {
        "command": "check",
        "sweep": {"step": found.steps, **found.errors},
        "best": {
            method: best and dict(zip(("step", "error"), best, strict=True))
            for method, best in found.best.items()
        },
    }
    return Report(columns, rows, document, SWEEP_VIEW, found)
