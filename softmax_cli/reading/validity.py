"""The rules that every sample keeps, whatever format it came in."""

from collections.abc import Sequence

import numpy as np

from softmax_cli.errors import InputError, plural, quoted
from softmax_cli.options import Place
from softmax_cli.samples import FloatArray

MASK_HINT = "only -inf marks a masked class; leave the sample out or correct it"


def check_logits(logits: FloatArray, place: Place) -> None:
    """Refuse NaN, +inf and samples with every class masked.

    Parameters
    ----------
    logits
        Shape (K, C).
    place
        Names the place of row k, or of column c in it, for the message.

    Raises
    ------
    InputError
        For the first row at fault.
    """
    with np.errstate(invalid="ignore"):
        largest = logits.max(axis=1)
    at_fault = ~np.isfinite(largest)
    if not at_fault.any():
        return
    k = int(at_fault.argmax())
    if largest[k] == -np.inf:
        raise InputError(
            place(k, None),
            "every logit is -inf; expected at least one class that is not masked",
        )
    c = int((~(logits[k] < np.inf)).argmax())
    if np.isnan(logits[k, c]):
        raise InputError(place(k, c), "found nan, expected a finite number or -inf", MASK_HINT)
    raise InputError(
        place(k, c),
        "found +inf, expected a finite number or -inf: the limit of softmax there is not unique",
        MASK_HINT,
    )


def check_gradient(gradient: FloatArray, place: Place) -> None:
    """Refuse whatever is not finite.

    Parameters
    ----------
    gradient
        Shape (K, C).
    place
        As for `check_logits`.

    Raises
    ------
    InputError
        For the first value at fault.
    """
    at_fault = np.argwhere(~np.isfinite(gradient))
    if len(at_fault):
        k, c = (int(position) for position in at_fault[0])
        raise InputError(place(k, c), f"found {gradient[k, c]}, expected a finite number")


def check_length(found: int, expected: int, place: str, first_place: str) -> None:
    """Refuse a row whose number of values differs from the first row's."""
    if found != expected:
        values = "1 value" if expected == 1 else f"{expected} values"
        raise InputError(place, f"expected {values} as in {first_place}, found {found}")


def check_classes(
    found: Sequence[str], expected: Sequence[str], place: str, first_place: str
) -> None:
    """Refuse names of classes that differ from the first ones, or stand in another order."""
    if len(found) != len(expected):
        names = plural(len(expected), "class")
        raise InputError(place, f"expected {names} as in {first_place}, found {len(found)}")
    for c, (theirs, ours) in enumerate(zip(found, expected, strict=True), start=1):
        if theirs != ours:
            problem = f"expected {quoted(ours)} as class {c}, as in {first_place}"
            raise InputError(place, f"{problem}, found {quoted(theirs)}")
