"""Somebody's results, or finite differences, against the exact ones, with a verdict."""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial

from softmax_cli.checking import check as checking
from softmax_cli.checking.candidate import (
    OPTION,
    CheckingError,
    ShapeFoundError,
    names_code,
)
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
            setting = _whole(logits, candidates, comparison)
            with _telling():
                verdict = setting.verdict(check_softmax(setting))
    if not quiet or writing.path is not None:
        write(verdict_report(verdict), writing)
    return 0 if verdict.passed else 1


def _refuse_contradictions(words: Sequence[str], given: Mapping[Kind, str], used: Set[str]) -> None:
    """Raise an error for an option that is used beside what it does not go with."""
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


def _picked(logits: Logits, sample: str | None) -> Logits:
    return logits if sample is None else pick_sample(logits, sample, "--sample")


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
        if names_code(word):
            job = partial(checking.check_function, quantity, setting=setting)
            with _telling(option):
                found = isolated(job, word, candidates.timeout)
        else:
            files = (setting, logits, whole, batch, theirs, valid)
            found = (_check_file(quantity, word, option, *files),)
        checks += (replace(check, candidate=word) for check in found)
    return setting.verdict(*map(_with_options, checks))


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
    except ShapeFoundError as error:
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


def _whole(logits: Logits, candidates: Candidates, comparison: Comparison) -> Setting:
    batch = concatenate(_picked(logits, candidates.sample).batches, logits.n_classes)
    return _setting(batch, logits, comparison)


def _sweep(logits: Logits, candidates: Candidates, comparison: Comparison) -> Sweep:
    setting, word = _whole(logits, candidates, comparison), candidates.probabilities
    if word is None:
        return sweep(setting)
    with _telling("--probabilities"):
        return isolated(lambda function: sweep(setting, function, word), word, candidates.timeout)
