"""Somebody's results and functions: each is read, or called, and compared with the exact ones."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import compress

import numpy as np

from softmax_cli.checking import candidate, process, sweep, verdict
from softmax_cli.checking.check import check_function, check_results
from softmax_cli.checking.formulas import Kind, precision_of
from softmax_cli.checking.setting import Setting
from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions
from softmax_cli.reading import results
from softmax_cli.reading.validity import are_valid, pick_sample
from softmax_cli.samples import Batch, Logits, concatenate

_NOT_SWEPT = "method step atol rtol dtype stress quiet"
# What the user says about the comparison, without the samples.
Comparison = Callable[..., Setting]


def refuse_contradictions(given: Mapping[Kind, str], options: Mapping[str, object]) -> None:
    """Raise an error for an option that is used beside what it does not go with."""
    used = {name for name, value in options.items() if value is not None and value is not False}
    code = {quantity for quantity, word in given.items() if candidate.names_code(word)}
    is_differentiated = not given or ("probabilities" in code and "forward_only" not in used)
    is_swept_alone = not given or (code == {"probabilities"} and len(given) == 1)
    softmax = "a --probabilities function beside it"
    for is_fault, refused, expected, found in (
        ("vjp" not in given, "upstream", "--vjp beside it", "none"),
        ("upstream" not in used and "vjp" not in code, "vjp", "--upstream beside results", "none"),
        ("sweep" in used, _NOT_SWEPT, "either it or --sweep", "both"),
        (not is_swept_alone, "sweep", f"only {softmax}", "others"),
        (not given, "dtype", "a candidate beside it", "none"),
        (not is_differentiated, "method step", f"{softmax} to differentiate", "none"),
        (not code, "stress timeout", "a function, FILE.py:FUNCTION, beside it", "none"),
        ("probabilities" not in code, "forward_only", softmax, "none"),
    ):
        for option in refused.split() if is_fault else ():
            if option in used:
                problem = f"expected {expected}, found {found}"
                raise InputError(f"--{option.replace('_', '-')}", problem)


def pick(logits: Logits, sample: str | None, comparison: Comparison) -> tuple[Batch, Setting]:
    """Return the samples that are looked at, and what is compared with them."""
    logits = logits if sample is None else pick_sample(logits, sample, "--sample")
    batch = concatenate(logits.batches, logits.n_classes)
    g = None if batch.upstream is None else logits.restored(batch.upstream)
    z, classes = logits.restored(batch.logits), logits.classes
    return batch, comparison(z=z, g=g, axis=logits.axis, classes=classes, labels=batch.labels)


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
    how = results.options_for_results(logits, reading)
    with results.with_upstream(logits, upstream, "--upstream", reading) as source:
        unchecked = replace(source, check=None).batches
        # A sample is picked among all, by the number that it has; the others need not be valid.
        parts = [(are_valid(x.logits), x if sample else source.parsed(x)) for x in unchecked]
    masks, batches = zip(*parts, strict=True)
    valid = np.concatenate(masks)
    source = replace(source, blocks=iter(batches), n_samples=len(valid))
    batch, setting = pick(source, sample, comparison)
    if "vjp" in given and upstream is None:
        setting = setting.with_gradient(None)
    # Results are those of all samples of the input, or of the valid ones, or of these alone.
    own = valid if sample is None else np.arange(len(valid)) == batch.start

    def of_file(quantity: Kind, word: str, option: str) -> verdict.Check:
        """Check somebody's results, which have the names of the logits if they have any."""
        read, theirs = results.read_candidate(word, option, quantity, how)
        for mask in (own, own[valid], own[own]):
            flat = len(mask), logits.n_classes
            shape, axis = source.restored(np.empty(flat)).shape, source.axis
            if read.axis == -1 and theirs.logits.shape == flat:
                shape, axis = flat, -1
            try:
                rows, across = candidate.as_rows(theirs.logits, shape, axis, quantity, file=True)
                break
            except candidate.ShapeFoundError as error:
                found = error
        else:
            raise InputError(option, f"found {found.found}")
        rows = rows[np.repeat(mask, len(rows) // len(mask))]
        precision, printed = precision_of(read.dtype), (0, 0) if read.dtype else theirs.printed
        results.match_classes(logits, read.class_names, option)
        names, outputs = theirs.samples or (), [str(x) for (x,) in theirs.kept or ()]
        is_alone = quantity == "jacobian" and not (outputs or source.names_samples)
        if is_alone and {*names} == {*(source.class_names or ())}:
            names, outputs = (), [*names]
        if names:
            times = logits.n_classes if quantity == "jacobian" and len(names) > len(mask) else 1
            if len(names) != len(mask) * times:
                raise InputError(option, f"expected a name for each sample, found {len(names)}")
            names = tuple(compress(names, np.repeat(mask, times)))
            results.match_samples(source, batch, names, read.sample_header, option)
        classes = [*(read.class_names or logits.classes)] * len(mask)
        results.match_names(classes, outputs, option, "output")
        return check_results(quantity, (rows, across), precision, setting, printed)

    checks: list[verdict.Check] = []
    for quantity, word in given.items():
        with telling(option := f"--{quantity}"):
            if candidate.names_code(word):
                job = partial(check_function, quantity, setting=setting)
                found = process.isolated(job, word, timeout)
            else:
                found = (of_file(quantity, word, option),)
        checks += (replace(each, candidate=word) for each in found)
    return setting.verdict(*map(_with_options, checks))


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
    except candidate.CheckingError as e:
        raise InputError(*map(_in_options, (e.place or option, e.told, e.hint))) from None


def swept(setting: Setting, word: str | None, timeout: float | None) -> sweep.Sweep:
    """Sweep over the steps of softmax's differences, or of a function's."""
    if word is None:
        return sweep.sweep(setting)
    with telling("--probabilities"):
        return process.isolated(partial(sweep.sweep, setting, name=word), word, timeout)
