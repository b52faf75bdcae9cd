"""What belongs to logits and comes from elsewhere: somebody's results, and upstream gradients."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain

import numpy as np

from softmax_cli.errors import InputError, plural, quoted, warn
from softmax_cli.options import InputOptions
from softmax_cli.reading.source import open_logits
from softmax_cli.reading.validity import check_classes
from softmax_cli.samples import Batch, Logits, concatenate


def options_for_results(logits: Logits, options: InputOptions) -> InputOptions:
    """Say how to read results of these logits: by the names of classes and of samples they have."""
    axis = None if logits.dtype is None else options.axis
    said = InputOptions(header=options.header, axis=axis, skip_invalid=options.skip_invalid)
    # A position is that of the logits.
    named = logits.sample_header if (options.id_column or "1").isdigit() else options.id_column
    named = named if logits.names_samples else None
    said = replace(said, id_column=named, keep=logits.kept_names, known=frozenset(logits.others))
    return replace(said, results_of=logits.classes, by_position=logits.class_names is None)


def read_candidate(
    word: str, option: str, quantity: str, options: InputOptions
) -> tuple[Logits, Batch]:
    """Read results from a file, from standard input (``-``) or from the numbers themselves.

    NaN and infinities are read: they are for the check to find. The batch has them in the shape
    that the file has, and a name a row of it, if any. The axis of the classes is the last one but
    in NPY, as text, JSON and parquet hold a row a sample.

    Parameters
    ----------
    word
        What the user gave.
    option
        The option it was given to, for messages.
    quantity
        The key that holds the results in a JSON object.
    options
        As `options_for_results` gives them.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    with open_logits([word], replace(options, quantity=quantity, axis=None), option) as found:
        batch = concatenate(found.batches, found.n_classes)
    values = batch.logits if found.shape is None else found.restored(batch.logits)
    axis = options.axis if found.shape and found.dtype and options.axis is not None else -1
    return replace(found, axis=axis), replace(batch, logits=values)


@contextmanager
def with_upstream(
    logits: Logits, word: str | None, option: str, reading: InputOptions
) -> Iterator[Logits]:
    """Give every batch its rows of the upstream gradient g.

    Parameters
    ----------
    logits
        The samples.
    word
        ``0,0,1``, or a file with one row for all samples or with a row each; or None for no g.
    option
        What the user called it, for messages.
    reading
        How the samples are read.

    Raises
    ------
    InputError
        For a gradient of other classes; walking the batches raises it for other samples.
    """
    if word is None:
        yield logits
        return
    if word == "-":
        raise InputError(option, "expected numbers or a file, found standard input")
    with open_logits([word], options_for_results(logits, reading), option) as gradient:
        if gradient.n_classes != logits.n_classes:
            expected = plural(logits.n_classes, "value")
            raise InputError(option, f"expected {expected} a sample, found {gradient.n_classes}")
        match_classes(logits, gradient.class_names, option)
        first, second = next(rows := gradient.batches), next(rows, None)
        if second is None and len(first.logits) == 1 and first.samples is None:

            def with_it(batch: Batch) -> Batch:
                batch = logits.parsed(batch)
                return replace(batch, upstream=np.broadcast_to(first.logits, batch.logits.shape))

            yield replace(logits, check=with_it)
        else:
            rest = chain([first, second] if second else [first], rows)
            yield replace(logits, blocks=_paired(logits, rest, gradient.sample_header, option))


def match_classes(logits: Logits, found: Sequence[str] | None, option: str) -> None:
    """Raise for names of other classes, or in another order; numbers may be positions."""
    heads = {x.rstrip("0123456789") for x in found or ()} if logits.class_names is None else {""}
    found = [x.removeprefix(min(heads)) for x in found or ()] if len(heads) == 1 else found
    expected = _comparable(logits.classes, found or (), logits.class_names is not None)
    if found and len(found) == len(expected):
        check_classes(found, expected, option, "the logits")


def match_samples(logits: Logits, batch: Batch, found: Sequence[str], title: str, at: str) -> None:
    """Raise for the first name that differs, of some a sample; numbers may be positions."""
    ours = [name for name in batch.labels for _ in range(len(found) // len(batch.logits))]
    # What the logits' file has in another column than their names is not known, but is no position.
    is_other = title in logits.others and title != logits.sample_header
    expected = _comparable(ours, () if is_other else found, logits.names_samples)
    match_names(expected, found, at, "sample")
    if batch.start == 0 and (is_other or not expected or len({*ours}) < len(batch.logits)):
        why = "samples share a name" if expected and not is_other else "the logits lack such names"
        hint = f"; --id {quoted(title)} compares them" * is_other
        warn(at, f"{why}: rows are paired by place{hint}")


def _comparable(ours: Sequence[str], found: Sequence[str], are_names: bool) -> Sequence[str]:
    """Return our names, or positions that are the same from 1, or from 0, in any order."""
    from_0 = [] if are_names else [str(int(x) - 1) for x in ours]
    return next((x for x in (ours, from_0) if are_names or {*found} == {*x}), ())


def match_names(expected: Sequence[str], found: Sequence[str], option: str, what: str) -> None:
    """Raise for the first name that differs."""
    for ours, theirs in zip(expected, found, strict=False):
        if theirs != ours:
            raise InputError(option, f"expected {what} {quoted(ours)}, found {quoted(theirs)}")


def _paired(logits: Logits, rows: Iterator[Batch], title: str, option: str) -> Iterator[Batch]:
    """Give every batch as many of the rows as it has samples."""
    held, total = next(rows), 0
    for batch in replace(logits, check=None).batches:  # what is left out has a row as well
        count = len(batch.logits)
        while len(held.logits) < count and (more := next(rows, None)):
            held = concatenate([held, more], logits.n_classes)
        own, held = held.part(slice(count)), held.part(slice(count, None))
        if len(own.logits) < count:
            found = plural(total + len(own.logits), "row")
            raise InputError(option, f"expected a row a sample or an unnamed one, found {found}")
        total += count
        if own.samples:
            match_samples(logits, batch, own.samples, title, option)
        yield replace(batch, upstream=own.logits)
    if len(held.logits) or next(rows, None):
        raise InputError(option, f"expected a row each for {plural(total, 'sample')}, found more")
