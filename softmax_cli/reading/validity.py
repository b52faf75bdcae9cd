"""The rules that every sample keeps, whatever format it came in."""

from collections.abc import Sequence

import numpy as np

from softmax_cli.errors import InputError, plural, quoted
from softmax_cli.options import Place
from softmax_cli.samples import FloatArray

MASK_HINT = "only -inf marks a masked class; leave the sample out or correct it"


def check_logits(logits: FloatArray, place: Place) -> None:
    """Raise for the first row of shape (K, C) with NaN, with +inf or with every class masked."""
    with np.errstate(invalid="ignore"):
        largest = logits.max(axis=1)
    at_fault = np.flatnonzero(~np.isfinite(largest))
    if not len(at_fault):
        return
    k = int(at_fault[0])
    if largest[k] == -np.inf:
        problem = "every logit is -inf; expected at least one class that is not masked"
        raise InputError(place(k, None), problem)
    c = int(np.argmin(logits[k] < np.inf))
    found = "nan" if np.isnan(logits[k, c]) else "+inf"
    raise InputError(place(k, c), f"found {found}, expected a finite number or -inf", MASK_HINT)


def check_gradient(gradient: FloatArray, place: Place) -> None:
    """Raise for the first value of shape (K, C) that is not finite."""
    at_fault = np.argwhere(~np.isfinite(gradient)).tolist()
    if at_fault:
        k, c = at_fault[0]
        raise InputError(place(k, c), f"found {gradient[k, c]}, expected a finite number")


def check_length(found: int, expected: int, place: str, first_place: str) -> None:
    """Raise for a row whose number of values differs from the first row's."""
    if found != expected:
        values = plural(expected, "value")
        raise InputError(place, f"expected {values} as in {first_place}, found {found}")


def check_classes(
    found: Sequence[str], expected: Sequence[str], place: str, first_place: str
) -> None:
    """Raise for names of classes that differ from the first ones, or stand in another order."""
    if len(found) != len(expected):
        names = plural(len(expected), "class")
        raise InputError(place, f"expected {names} as in {first_place}, found {len(found)}")
    for c, (theirs, ours) in enumerate(zip(found, expected, strict=True), start=1):
        if theirs != ours:
            problem = f"expected {quoted(ours)} as class {c}, as in {first_place}"
            raise InputError(place, f"{problem}, found {quoted(theirs)}")
