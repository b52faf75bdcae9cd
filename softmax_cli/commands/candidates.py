"""Somebody's results and functions: each is read, or called, and compared with the exact ones."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking import candidate, process, sweep, verdict
from softmax_cli.checking.check import check_function, check_results
from softmax_cli.checking.formulas import Kind
from softmax_cli.checking.setting import Setting
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions
from softmax_cli.reading import results
from softmax_cli.reading.validity import are_valid, check_classes, pick_sample
from softmax_cli.samples import Batch, Logits, concatenate

_NOT_SWEPT = "method step atol rtol dtype stress quiet"
_GRADIENT = "give the gradient that the results belong to, as 0,0,1 or as a file"
# What the user says about the comparison, without the samples.
Comparison = Callable[..., Setting]


def refuse_contradictions(
    words: Sequence[str], given: Mapping[Kind, str], options: Mapping[str, object]
) -> None:
    """Raise an error for an option that is used beside what it does not go with."""
    used = {name for name, value in options.items() if value is not None and value is not False}
    used |= {*given}
    for quantity, word in given.items():
        if word.endswith(".py"):
            hint = f"name the function in it: {word}:FUNCTION"
            problem = f"expected results or a function, found {quoted(word)}"
            raise InputError(f"--{quantity}", problem, hint)
    code = {quantity for quantity, word in given.items() if candidate.names_code(word)}
    is_differentiated = "probabilities" in code and "forward_only" not in used
    shown = ", ".join(f"--{quantity} {quoted(word)}" for quantity, word in given.items())
    no_function = "expected a function, FILE.py:FUNCTION, among the candidates, found none"
    no_softmax = "expected a --probabilities function beside it, found none"
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
        ("probabilities" not in code, "forward_only", no_softmax),
    ):
        for option in refused.split() if is_fault else ():
            if option in used:
                hint = _GRADIENT if option == "vjp" else ""
                raise InputError(f"--{option.replace('_', '-')}", problem, hint)
    stdin = [f"--{quantity}" for quantity, word in given.items() if word == "-"]
    if len(stdin) > (0 if not words or list(words) == ["-"] else 1):
        raise InputError(stdin[-1], "expected a file or code, found standard input a second time")


def pick(logits: Logits, sample: str | None, comparison: Comparison) -> tuple[Batch, Setting]:
    """Return the samples that are looked at, and what is compared with them."""
    if sample is not None:
        logits = pick_sample(logits, sample, "--sample")
    batch = concatenate(logits.batches, logits.n_classes)
    g = None if batch.upstream is None else logits.restored(batch.upstream)
    z, classes = logits.restored(batch.logits), logits.classes
    setting = comparison(z=z, g=g, axis=logits.axis, classes=classes, labels=batch.labels)
    return batch, setting


def check(
    logits: Logits,
    given: Mapping[Kind, str],
    upstream: str | None,
    sample: str | None,
    comparison: Comparison,
    timeout: float | None,
    reading: InputOptions,
) -> verdict.Verdict:
    """Check what is given, a file or code for each quantity."""
    theirs = results.options_for_results(logits, reading)
    paired: AbstractContextManager[Logits] = nullcontext(logits)
    if upstream is not None:
        paired = results.with_upstream(logits, upstream, "--upstream", theirs)
    seen: list[NDArray[np.bool_]] = []

    def parsed(batch: Batch) -> Batch:
        seen.append(are_valid(batch.logits))
        return source.parsed(batch)

    with paired as source:
        unchecked = replace(source, check=None).batches
        whole = concatenate(map(parsed, unchecked), logits.n_classes)
    source = replace(logits, blocks=iter([whole]), n_samples=len(whole.logits))
    batch, setting = pick(source, sample, comparison)
    if "vjp" in given and upstream is None:
        setting = setting.with_gradient(None)
    # Results are those of all samples of the input, or of the valid ones, or of these alone.
    own = np.zeros(len(whole.logits), dtype=np.bool_)
    own[batch.start - whole.start :][: len(batch.logits)] = True
    valid = np.concatenate(seen)
    valid[valid] = own
    checks: list[verdict.Check] = []
    for quantity, word in given.items():
        option = f"--{quantity}"
        with telling(option):
            if candidate.names_code(word):
                job = partial(check_function, quantity, setting=setting)
                found = process.isolated(job, word, timeout)
            else:
                values = results.read_candidate(word, option, quantity, theirs)
                values = results.with_rows(values, (valid, own), quantity, logits.class_names)
                found = (_check_file(quantity, values, setting, logits.class_names, batch.samples),)
        checks += (replace(each, candidate=word) for each in found)
    return setting.verdict(*map(_with_options, checks))


def _check_file(
    quantity: Kind,
    theirs: results.Results,
    setting: Setting,
    classes: Sequence[str] | None,
    samples: Sequence[str] | None,
) -> verdict.Check:
    """Check somebody's results, which have the names of the logits if they have any."""
    option, printed = f"--{quantity}", theirs.is_printed
    try:
        check = check_results(quantity, theirs.values, theirs.precision, setting, printed=printed)
    except candidate.ShapeFoundError as error:
        raise InputError(option, f"found {error.found}") from None
    if classes and theirs.classes is not None:
        check_classes(theirs.classes, classes, option, "the logits")
    names = theirs.samples or ()
    rows_each = max(1, len(names) // len(setting.labels))
    for ours, name in zip(samples or (), names[::rows_each], strict=False):
        if ours != name:
            problem = f"expected results for sample {quoted(ours)}, found {quoted(name)}"
            raise InputError(option, problem)
    return check


def _with_options(check: verdict.Check) -> verdict.Check:
    causes = (replace(each, advice=_in_options(each.advice)) for each in check.diagnoses)
    return replace(check, diagnoses=tuple(causes), notes=tuple(map(_in_options, check.notes)))


def _option(found: re.Match[str]) -> str:
    name, value = f"--{found[1].replace('_', '-')}", (found[2] or "").strip("='")
    return f"{name} {value}" if value not in ("", "True") else name


_in_options = partial(candidate.OPTION.sub, _option)


@contextmanager
def telling(option: str = "") -> Iterator[None]:
    """Tell what checking raises in the words of the command line."""
    try:
        yield
    except candidate.CheckingError as error:
        told = (error.place or option, error.told, error.hint)
        raise InputError(*map(_in_options, told)) from None


def swept(setting: Setting, word: str | None, timeout: float | None) -> sweep.Sweep:
    """Sweep over the steps of softmax's differences, or of a function's."""
    if word is None:
        return sweep.sweep(setting)
    with telling("--probabilities"):
        return process.isolated(partial(sweep.sweep, setting, name=word), word, timeout)
