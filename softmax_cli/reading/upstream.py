"""An upstream gradient for each sample: the same row for all, or a row each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain

import numpy as np

from softmax_cli.errors import InputError, plural, quoted
from softmax_cli.options import InputOptions
from softmax_cli.reading.source import open_logits
from softmax_cli.reading.validity import check_classes, check_gradient
from softmax_cli.samples import Batch, FloatArray, Logits, concatenate


def options_for_results(logits: Logits, options: InputOptions) -> InputOptions:
    """Say how to read results of these logits: by the names of classes and of samples they have."""
    names, axis = logits.class_names or (), options.axis if logits.shape else None
    return InputOptions(
        header=options.header, id_column=options.id_column, axis=axis, results_of=names
    )


@contextmanager
def with_upstream(
    logits: Logits, word: str, option: str, options: InputOptions | None = None
) -> Iterator[Logits]:
    """Give every batch its rows of the upstream gradient g.

    Parameters
    ----------
    logits
        The samples.
    word
        ``0,0,1``, or a file with one row for all samples or with a row each.
    option
        What the user called it, for messages.
    options
        How to read the file; its columns are those of the logits.

    Raises
    ------
    InputError
        For a gradient of other classes; walking the batches raises it for other samples.
    """
    if word == "-":
        raise InputError(option, "expected numbers or a file, found standard input")
    with open_logits(
        [word], replace(options or InputOptions(), check=check_gradient), option
    ) as gradient:
        if gradient.n_classes != logits.n_classes:
            expected = plural(logits.n_classes, "value")
            raise InputError(option, f"expected {expected} a sample, found {gradient.n_classes}")
        if logits.class_names and gradient.class_names is not None:
            check_classes(gradient.class_names, logits.class_names, option, "the logits")
        rows = gradient.batches
        first, following = next(rows), next(rows, None)
        if following is None and len(first.logits) == 1:
            yield _with_one(logits, first.logits)
        else:
            rest = iter(()) if following is None else chain([following], rows)
            yield replace(logits, blocks=_paired(logits, first, rest, option))


def _with_one(logits: Logits, gradient: FloatArray) -> Logits:
    """Give every batch the same row, also what is parsed later."""

    def with_it(batch: Batch) -> Batch:
        return replace(batch, upstream=np.broadcast_to(gradient, batch.logits.shape))

    blocks = (with_it(block) if isinstance(block, Batch) else block for block in logits.blocks)
    return replace(logits, blocks=blocks, parse=lambda block: with_it(logits.parsed(block)))


def _paired(logits: Logits, held: Batch, rows: Iterator[Batch], option: str) -> Iterator[Batch]:
    """Give every batch as many of the rows as it has samples."""
    total = 0
    for batch in replace(logits, check=None).batches:  # what is left out has a row as well
        count = len(batch.logits)
        while len(held.logits) < count and (more := next(rows, None)):
            held = concatenate([held, more], logits.n_classes)
        found = total + len(held.logits)
        if len(held.logits) < count:
            raise InputError(option, f"expected a row a sample or one for all, found {found} rows")
        total += count
        own, held = held.part(slice(count)), held.part(slice(count, None))
        for ours, theirs in zip(batch.samples or (), own.samples or (), strict=False):
            if ours != theirs:
                problem = f"expected a row for sample {quoted(ours)}, found {quoted(theirs)}"
                raise InputError(option, problem)
        is_last = total == logits.n_samples  # more rows are told before it is printed
        if not is_last or not len(held.logits):
            yield replace(batch, upstream=own.logits)
    if len(held.logits) or next(rows, None):
        problem = f"expected a row for each of {plural(total, 'sample')}, found more"
        raise InputError(option, problem)
