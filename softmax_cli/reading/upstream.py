"""An upstream gradient for each sample: the same row for all, or a row each."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np

from softmax_cli.errors import InputError, plural, quoted
from softmax_cli.options import InputOptions
from softmax_cli.reading.source import open_logits
from softmax_cli.reading.validity import check_classes, check_gradient
from softmax_cli.samples import Batch, FloatArray, Logits, concatenate


@contextmanager
def with_upstream(logits: Logits, word: str, option: str) -> Iterator[Logits]:
    """Give every batch its rows of the upstream gradient g.

    Parameters
    ----------
    logits
        The samples.
    word
        ``0,0,1``, or a file with one row for all samples or with a row each.
    option
        What the user called it, for messages.

    Raises
    ------
    InputError
        For a gradient of other classes; walking the batches raises it for other samples.
    """
    if word == "-":
        raise InputError(option, "expected numbers or a file, found standard input")
    with open_logits([word], InputOptions(check=check_gradient), option) as gradient:
        if gradient.n_classes != logits.n_classes:
            expected = plural(logits.n_classes, "value")
            raise InputError(option, f"expected {expected} a sample, found {gradient.n_classes}")
        if logits.class_names and gradient.class_names is not None:
            check_classes(gradient.class_names, logits.class_names, option, "the logits")
        rows = gradient.batches
        held, following = next(rows), next(rows, None)
        if len(held.logits) == 1 and following is None:
            yield _with_one(logits, held.logits)
        else:
            yield replace(logits, blocks=_paired(logits, rows, held, following, option))


def _with_one(logits: Logits, gradient: FloatArray) -> Logits:
    """Give every batch the same row, also what is parsed later."""

    def with_it(batch: Batch) -> Batch:
        return replace(batch, upstream=np.broadcast_to(gradient, batch.logits.shape))

    blocks = (with_it(block) if isinstance(block, Batch) else block for block in logits.blocks)
    return replace(logits, blocks=blocks, parse=lambda block: with_it(logits.parse(block)))


def _paired(
    logits: Logits, rows: Iterator[Batch], held: Batch, following: Batch | None, option: str
) -> Iterator[Batch]:
    total = 0
    for batch in logits.batches:
        count = len(batch.logits)
        while len(held.logits) < count and following is not None:
            held = concatenate([held, following], logits.n_classes)
            following = next(rows, None)
        total += min(count, len(held.logits))
        if len(held.logits) < count:
            raise InputError(option, f"expected a row a sample or one for all, found {total} rows")
        own, held = held.part(slice(count)), held.part(slice(count, None))
        if total == logits.n_samples:  # before the last one is printed
            _refuse_more(held, following, total, option)
        _check_names(batch, own, option)
        yield replace(batch, upstream=own.logits)
    _refuse_more(held, following, total, option)


def _refuse_more(held: Batch, following: Batch | None, total: int, option: str) -> None:
    if len(held.logits) or following is not None:
        samples = plural(total, "sample")
        raise InputError(option, f"expected a row for each of {samples}, found more")


def _check_names(batch: Batch, rows: Batch, option: str) -> None:
    if batch.samples is None or rows.samples is None or batch.samples == rows.samples:
        return
    ours, theirs = next(
        pair for pair in zip(batch.samples, rows.samples, strict=True) if pair[0] != pair[1]
    )
    raise InputError(option, f"expected a row for sample {quoted(ours)}, found {quoted(theirs)}")
