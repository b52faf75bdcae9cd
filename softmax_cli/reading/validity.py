"""The rules that every sample keeps, whatever format it came in."""

import json
import math
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import InputError, plural, quoted, visible
from softmax_cli.options import InputOptions, Place
from softmax_cli.samples import FloatArray
from softmax_cli.words import NotANumberError, is_missing, read_number, to_point

Where = Callable[[int], str]

_NOT_FINITE = r"(?i)[-+]?(inf|infinity|nan)"
_NUMBERS = frozenset({float, int})

MASK_HINT = "only -inf marks a masked class; --skip-invalid leaves such samples out"


def place_in(where: Where, names: Sequence[str] | None = None) -> Place:
    """Name places by that of the sample and by the class."""

    def place(k: int, c: int | None) -> str:
        if c is None:
            return where(k)
        return f"{where(k)}, {quoted(names[c]) if names else f'value {c + 1}'}"

    return place


def place_of_sample(name: str, start: int = 0) -> Where:
    """Name places by the position of the sample, where a format has no lines."""
    return lambda k: f"{name}: sample {start + k + 1}"


def read_numbers(
    cells: Sequence[Any],
    width: int,
    place: Place,
    hint: Where,
    options: InputOptions,
    in_quotes: bool = True,
) -> FloatArray:
    """Turn the cells of all rows, text or JSON values, into float64; the hint is that of cell i.

    Text is a number only where numbers stand in quotes; NaN and infinities do anywhere. Missing
    values become nan where samples may be left out.

    Python's float reads more than we do (digits with underscores, other scripts, 1e400 as
    inf), so whatever could be such a cell is read one by one.
    """

    def where(i: int) -> str:
        return place(*divmod(i, width))

    def number(i: int) -> float:
        cell = cells[i]
        if options.skip_invalid and is_missing(cell):
            return np.nan
        problem = "expected a number"
        try:
            if isinstance(cell, str) and (in_quotes or re.fullmatch(_NOT_FINITE, cell)):
                return read_number(to_point(cell, options.decimal))
            if type(cell) in _NUMBERS and math.isfinite(value := float(cell)):
                return value
            if type(cell) in _NUMBERS:
                raise InputError(where(i), f"{problem} within the range of float64")
        except NotANumberError as error:
            problem = str(error)
        found = quoted(cell) if in_quotes and isinstance(cell, str) else shown(cell)
        raise InputError(where(i), f"{problem}, found {found}", hint(i))

    kinds = set(map(type, cells))
    if kinds == {str} and in_quotes:
        numbers = [to_point(cell, options.decimal) for cell in cells]
        text = "".join(numbers)
        if text.isascii() and "_" not in text:
            with suppress(ValueError):  # float knows fewer spaces, or a cell is at fault
                values = np.fromiter(map(float, numbers), np.float64, len(cells))
                for i in np.flatnonzero(np.isinf(values)).tolist():
                    number(i)
                return values.reshape(-1, width)
    elif kinds <= _NUMBERS:
        values = np.array(cells, np.float64)
        if not np.isinf(values).any():
            return values.reshape(-1, width)
    return np.array([number(i) for i in range(len(cells))]).reshape(-1, width)


def shown(value: Any) -> str:
    """Describe a JSON value in a few words."""
    if value and isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    return visible(json.dumps(value, ensure_ascii=False, default=str))[:60]


def are_valid(logits: FloatArray) -> NDArray[np.bool_]:
    """Tell which rows of shape (K, C) have neither NaN nor +inf, and a class that is not masked."""
    with np.errstate(invalid="ignore"):
        valid: NDArray[np.bool_] = np.isfinite(logits.max(axis=1))
    return valid


def check_logits(logits: FloatArray, place: Place) -> None:
    """Raise for the first row of shape (K, C) with NaN, with +inf or with every class masked."""
    valid = are_valid(logits)
    if valid.all():
        return
    k = int(valid.argmin())
    if (logits[k] == -np.inf).all():
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


def check_lengths(
    rows: Iterable[Sequence[object]], expected: int, place: Place, first_place: str
) -> None:
    """Raise for the first row whose number of values differs from the first row's."""
    for k, row in enumerate(rows):
        if len(row) != expected:
            values = plural(expected, "value")
            raise InputError(
                place(k, None), f"expected {values} as in {first_place}, found {len(row)}"
            )


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
