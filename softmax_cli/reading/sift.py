"""What is done to the samples of every format: they are turned, checked, or left out."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import compress

import numpy as np

from softmax_cli.errors import InputError, plural, tell
from softmax_cli.options import InputOptions
from softmax_cli.reading.validity import are_valid, check_logits
from softmax_cli.samples import Batch, Logits, TextBlock


def sift(logits: Logits, options: InputOptions) -> Logits:
    """Turn the samples if their classes run down the file; see that they are checked."""
    if options.axis is not None and logits.shape is None:
        if options.axis not in (0, 1, -1, -2):
            raise InputError("--axis", f"expected 0 or 1 for text, found {options.axis}")
        logits = _turned(logits, options) if options.axis in (0, -2) else logits
    if options.skip_invalid:
        return _valid(logits)
    check = options.check or check_logits

    def checked(batch: Batch) -> Batch:
        assert batch.place
        check(batch.logits, batch.place)
        return replace(batch, place=None)

    return replace(logits, check=checked)


def _turned(logits: Logits, options: InputOptions) -> Logits:
    """Make a sample of each column; what named the samples names the classes."""
    for option, is_given in (("--id", options.id_column), ("--keep", options.keep)):
        if is_given:
            raise InputError(option, "expected either it or --axis 0, found both")
    parts = list(logits.batches)

    def place(k: int, c: int | None) -> str:
        part = next(each for each in reversed(parts) if each.start <= (c or 0))
        assert part.place
        return part.place((c or 0) - part.start, k)

    columns = np.concatenate([part.logits for part in parts]).T
    names = tuple(name for part in parts for name in part.samples or ())
    return Logits(
        columns.shape[1],
        iter([Batch(columns.copy(), 0, logits.class_names, place=place)]),
        names or None,
        names_samples=logits.class_names is not None,
        n_samples=len(columns),
    )


def _valid(logits: Logits) -> Logits:
    """Leave out the samples that are not valid, and count them."""
    left = skipped = 0
    first = ""

    def check(batch: Batch) -> Batch:
        nonlocal left, skipped, first
        valid = are_valid(batch.logits)
        n_valid = int(valid.sum())
        if n_valid < len(valid) and not skipped:
            assert batch.place
            first = batch.place(int(valid.argmin()), None)
        left, skipped = left + n_valid, skipped + len(valid) - n_valid
        if n_valid == len(valid):
            return replace(batch, place=None)
        kept = batch.kept and tuple(compress(batch.kept, valid))
        return Batch(
            batch.logits[valid], batch.start, tuple(compress(batch.labels, valid)), kept=kept
        )

    def blocks() -> Iterator[Batch | TextBlock]:
        for block in logits.blocks:
            yield logits.parsed(block)  # in this process, where they are counted
        if skipped and not left:
            raise InputError(
                first, f"expected a valid sample, found {plural(skipped, 'sample')} not"
            )
        if skipped:
            tell(f"{plural(skipped, 'invalid sample')} left out, the first at {first}")

    return replace(logits, blocks=blocks(), check=check, n_samples=None, shape=None)
