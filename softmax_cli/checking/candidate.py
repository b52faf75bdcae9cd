"""Calling somebody's function on a batch, or one sample at a time, and making arrays of it."""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Function = Callable[..., Any]

# With these our own signal handlers leave.
INTERRUPTIONS = (129, 130, 143)
_CODE = re.compile(r"(.+\.py|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):[A-Za-z_][\w.]*")


class CandidateError(Exception):
    """The function raised; its own exception is the cause.

    Attributes
    ----------
    sample
        The position of the sample it was given, or None for all at once.
    at_once
        What it raised before, when it was given all samples at once, or None.
    """

    def __init__(self, sample: int | None, at_once: BaseException | None = None) -> None:
        given = "all samples at once" if sample is None else f"sample {sample + 1}"
        super().__init__(f"the candidate raised an exception, given {given}")
        self.sample = sample
        self.at_once = at_once


class ShapeFoundError(ValueError):
    """What the function returned is no array of the right shape; the message says what it is.

    Attributes
    ----------
    sample
        The position of the sample that the function was given, or None for all at once.
    array
        What was returned, where it is an array.
    """

    def __init__(self, problem: str, sample: int | None, array: Array | None = None) -> None:
        super().__init__(problem)
        self.sample = sample
        self.array = array
        self.shape = None if array is None else array.shape


class NotComplexError(ValueError):
    """Complex-step differences were asked of a function that handles real numbers only."""

    def __init__(self) -> None:
        super().__init__("the candidate does not take complex numbers; choose another method")


class CodeError(Exception):
    """Somebody's code cannot be loaded, or raised: where, if that is known, and what to do."""

    def __init__(self, problem: str, place: str = "", hint: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.place = place
        self.hint = hint


@dataclass(frozen=True, eq=False)
class Called:
    """What a function returned, what it was given in words, and whether sample by sample."""

    values: Array
    how: str
    one_by_one: bool


def names_code(word: str) -> bool:
    """Tell whether a word names code, and no file of that name is there."""
    return _CODE.fullmatch(word) is not None and not os.path.exists(word)  # noqa: PTH110


def call(function: Function, inputs: Sequence[Array], rank: int) -> Called:
    """Give a function all samples, (K, C) each, or one at a time if it takes or returns no batch.

    A sample's result has so many dimensions: 1 for (C,), 2 for (C, C). Raises `CandidateError` when
    the function raises, and `ShapeFoundError` for something else than real numbers of that shape.
    """
    K, C = inputs[0].shape
    shape = (K, *(C,) * rank)
    try:
        values = _evaluate(function, inputs, shape, one_by_one=False)
        return Called(values, f"all samples at once, shape {K, C}", False)
    except (CandidateError, ShapeFoundError) as error:
        at_once = error
    turned = (*shape[1:], K)
    if isinstance(at_once, ShapeFoundError) and K > 1 and at_once.shape == turned:
        raise at_once  # it takes a batch, and turns it
    try:
        values = _evaluate(function, inputs, shape, one_by_one=True)
        return Called(values, f"one sample at a time, shape ({C},)", True)
    except (CandidateError, ShapeFoundError) as error:
        if isinstance(at_once, ShapeFoundError):
            raise at_once from None
        if isinstance(error, CandidateError):
            error.at_once = at_once.__cause__
        raise


def derivative_function(function: Function, one_by_one: bool) -> Function:
    """Wrap a function that `call` could call, for a finite difference over shape (K, C).

    The wrapped function raises `CandidateError` when the function raises, and `NotComplexError`
    when it is given complex numbers and does not return them. A result of another shape is NaN.
    """

    def wrapped(z: Array) -> Array:
        try:
            values = _evaluate(function, [z], z.shape, one_by_one)
        except (CandidateError, ShapeFoundError) as error:
            if np.iscomplexobj(z):
                raise NotComplexError from error
            if isinstance(error, CandidateError):
                raise
            return np.full(z.shape, np.nan)
        if np.iscomplexobj(z) and not np.iscomplexobj(values):
            raise NotComplexError
        return values

    return wrapped


def _evaluate(
    function: Function, inputs: Sequence[Array], shape: tuple[int, ...], one_by_one: bool
) -> Array:
    if not one_by_one:
        return _result(function, inputs, shape)
    rows = range(len(inputs[0]))
    return np.stack([_result(function, [each[k] for each in inputs], shape[1:], k) for k in rows])


def _result(
    function: Function, inputs: Sequence[Array], shape: tuple[int, ...], sample: int | None = None
) -> Array:
    """Call a function for numbers of a shape, real ones unless it is given others."""
    try:
        values = function(*(each.copy() for each in inputs))
    except (Exception, SystemExit) as error:
        if isinstance(error, SystemExit) and error.code in INTERRUPTIONS:
            raise
        raise CandidateError(sample) from error
    if isinstance(values, np.ma.MaskedArray):  # what it hides would be compared
        raise ShapeFoundError("a masked array, expected an array of numbers", sample)
    if hasattr(values, "detach"):  # a torch tensor that records gradients
        values = values.detach()
    found = "None (is a return missing?)" if values is None else type(values).__name__
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ShapeFoundError(f"{found} ({error})", sample) from None
    if array.dtype.kind not in "biufc":
        kind = f" of {array.dtype}" if array.ndim else ""
        raise ShapeFoundError(f"{found}{kind}, expected an array of numbers", sample)
    if len(shape) == 3 and shape[0] > 1 and array.shape == (shape[0] * shape[1], shape[2]):
        array = array.reshape(shape)
    if array.shape != shape:
        raise ShapeFoundError(f"shape {array.shape}, expected {shape}", sample, array)
    if np.iscomplexobj(array) and not np.iscomplexobj(inputs[0]):
        raise ShapeFoundError("complex numbers", sample)
    return array
