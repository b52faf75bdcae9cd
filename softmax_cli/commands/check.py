"""Somebody's results, or finite differences, against the exact ones, with a verdict."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.candidate import OPTION, CheckingError, ShapeFoundError, names_code
from softmax_cli.checking.check import check_function, check_results
from softmax_cli.checking.derivative import check_softmax
from softmax_cli.checking.formulas import Kind
from softmax_cli.checking.process import isolated
from softmax_cli.checking.setting import Comparison as Comparison
from softmax_cli.checking.setting import Setting, with_gradient
from softmax_cli.checking.sweep import Sweep, sweep
from softmax_cli.checking.verdict import Check, Verdict
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.progress import watched
from softmax_cli.reading.results import (
    Results,
    options_for_results,
    read_candidate,
    with_rows,
    with_upstream,
)
from softmax_cli.reading.sift import pick_sample
from softmax_cli.reading.source import open_logits
from softmax_cli.reading.validity import are_valid, check_classes
from softmax_cli.samples import Batch, Logits, concatenate
from softmax_cli.writing.formats import refuse_verdict, write
from softmax_cli.writing.verdict_rows import sweep_report, verdict_report

_NOT_SWEPT = "method step atol rtol dtype stress quiet"
_GRADIENT = "give the gradient that the results belong to, as 0,0,1 or as a file"


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
        words: dict[Kind, str | None]
        words = {"probabilities": self.probabilities, "jacobian": self.jacobian, "vjp": self.vjp}
        return {quantity: word for quantity, word in words.items() if word is not None}


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
    options = {**vars(candidates), **vars(comparison), "sweep": sweeping, "quiet": quiet}
    used = {name for name, value in options.items() if value is not None and value is not False}
    _refuse_contradictions(words, candidates.given, used)
    with open_logits(words, reading) as source, watched(source) as logits:
        if sweeping:
            write(sweep_report(_sweep(logits, candidates, comparison)), writing)
            return 0
        if candidates.given:
            verdict = _check_candidates(logits, candidates, comparison, reading)
        else:
            _, setting = _setting(logits, candidates, comparison)
            with _telling():
                verdict = setting.verdict(check_softmax(setting))
    if not quiet or writing.path is not None:
        write(verdict_report(verdict), writing)
    return 0 if verdict.passed else 1


def _refuse_contradictions(words: Sequence[str], given: Mapping[Kind, str], used: Set[str]) -> None:
    """Raise an error for an option that is used beside what it does not go with."""
    for quantity, word in given.items():
        if word.endswith(".py"):
            hint = f"name the function in it: {word}:FUNCTION"
            problem = f"expected results or a function, found {quoted(word)}"
            raise InputError(f"--{quantity}", problem, hint)
    code = {quantity for quantity, word in given.items() if names_code(word)}
    is_differentiated = "probabilities" in code and "forward_only" not in used
    shown = ", ".join(f"--{quantity} {quoted(word)}" for quantity, word in given.items())
    no_function = "expected a function, FILE.py:FUNCTION, among the candidates, found none"
    no_gradient = "expected --upstream beside results, found none"
    not_alone = f"expected nothing beside it but a --probabilities function, found {shown}"
    unused = "expected a --probabilities function to differentiate, found other candidates"
    for is_fault, refused, problem in (
        ("vjp" not in given, "upstream", "expected --vjp beside it, found none"),
        ("upstream" not in used and "vjp" not in code, "vjp", no_gradient),
        ("sweep" in used, _NOT_SWEPT, "expected either it or --sweep, found both"),
        (given and (code != {"probabilities"} or len(given) > 1), "sweep", not_alone),
        (not given, "dtype", "expected a candidate beside it, found none"),
        (given and not is_differentiated, "method step", unused),
        (not code, "stress timeout", no_function),
    ):
        for option in refused.split() if is_fault else ():
            if option in used:
                raise InputError(f"--{option}", problem, _GRADIENT if option == "vjp" else "")
    stdin = [f"--{quantity}" for quantity, word in given.items() if word == "-"]
    if len(stdin) > (0 if not words or list(words) == ["-"] else 1):
        raise InputError(stdin[-1], "expected a file or code, found standard input a second time")


def _setting(
    logits: Logits, candidates: Candidates, comparison: Comparison
) -> tuple[Batch, Setting]:
    """Return the samples that are looked at, and what is compared with them."""
    if candidates.sample is not None:
        logits = pick_sample(logits, candidates.sample, "--sample")
    batch = concatenate(logits.batches, logits.n_classes)
    setting = Setting(
        **vars(replace(comparison, axis=logits.axis)),
        z=logits.restored(batch.logits),
        g=None if batch.upstream is None else logits.restored(batch.upstream),
        classes=logits.classes,
        labels=batch.labels,
    )
    return batch, setting


def _check_candidates(
    logits: Logits, candidates: Candidates, comparison: Comparison, reading: InputOptions
) -> Verdict:
    theirs = options_for_results(logits, reading)
    g = candidates.upstream
    paired = nullcontext(logits) if g is None else with_upstream(logits, g, "--upstream", theirs)
    seen: list[NDArray[np.bool_]] = []

    def parsed(batch: Batch) -> Batch:
        seen.append(are_valid(batch.logits))
        return source.parsed(batch)

    with paired as source:
        unchecked = replace(source, check=None).batches
        whole = concatenate(map(parsed, unchecked), logits.n_classes)
    source = replace(logits, blocks=iter([whole]), n_samples=len(whole.logits))
    batch, setting = _setting(source, candidates, comparison)
    if candidates.vjp is not None and g is None:
        setting = with_gradient(setting, None)
    # Results are those of all samples of the input, or of the valid ones, or of these alone.
    own = np.zeros(len(whole.logits), dtype=np.bool_)
    own[batch.start - whole.start :][: len(batch.logits)] = True
    valid = np.concatenate(seen)
    valid[valid] = own
    checks: list[Check] = []
    for quantity, word in candidates.given.items():
        option = f"--{quantity}"
        with _telling(option):
            if names_code(word):
                job = partial(check_function, quantity, setting=setting)
                found = isolated(job, word, candidates.timeout)
            else:
                results = read_candidate(word, option, quantity, theirs)
                results = with_rows(results, (valid, own), quantity, logits.class_names)
                found = (_check_file(quantity, word, results, setting, logits, batch.samples),)
        checks += (replace(check, candidate=word) for check in found)
    return setting.verdict(*map(_with_options, checks))


def _check_file(
    quantity: Kind,
    word: str,
    results: Results,
    setting: Setting,
    logits: Logits,
    samples: Sequence[str] | None,
) -> Check:
    """Check somebody's results, which have the names of the logits if they have any."""
    option = f"--{quantity}"
    try:
        check = check_results(
            quantity, results.values, results.precision, setting, printed=results.is_printed
        )
    except ShapeFoundError as error:
        raise InputError(option, f"found {error.found}, in {quoted(word)}") from None
    if logits.class_names and results.classes is not None:
        check_classes(results.classes, logits.class_names, option, "the logits")
    if results.samples is not None and samples is not None:
        rows_each = max(1, len(results.samples) // len(samples))
        for ours, theirs in zip(samples, results.samples[::rows_each], strict=False):
            if ours != theirs:
                problem = f"expected results for sample {quoted(ours)}, found {quoted(theirs)}"
                raise InputError(option, problem)
    return check


def _with_options(check: Check) -> Check:
    causes = (replace(each, advice=_in_words_of_options(each.advice)) for each in check.diagnoses)
    notes = map(_in_words_of_options, check.notes)
    return replace(check, diagnoses=tuple(causes), notes=tuple(notes))


def _in_words_of_options(text: str) -> str:
    return OPTION.sub(_option, text)


def _option(found: re.Match[str]) -> str:
    name, value = f"--{found[1].replace('_', '-')}", (found[2] or "").strip("='")
    return f"{name} {value}" if value not in ("", "True") else name


@contextmanager
def _telling(option: str = "") -> Iterator[None]:
    """Tell what checking raises in the words of the command line."""
    try:
        yield
    except CheckingError as error:
        told = (error.place or option, error.told, error.hint)
        raise InputError(*map(_in_words_of_options, told)) from None


def _sweep(logits: Logits, candidates: Candidates, comparison: Comparison) -> Sweep:
    (_, setting), word = _setting(logits, candidates, comparison), candidates.probabilities
    if word is None:
        return sweep(setting)
    with _telling("--probabilities"):
        return isolated(lambda function: sweep(setting, function, word), word, candidates.timeout)
