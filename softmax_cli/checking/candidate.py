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
    array
        What was returned, where it is an array.
    sample
        The position of the sample that the function was given, or None for all at once.
    """

    def __init__(self, found: str, array: Array | None = None, sample: int | None = None) -> None:
        super().__init__(found)
        self.array = array
        self.sample = sample


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
    n_samples, n_classes = inputs[0].shape
    shape = (n_samples, *(n_classes,) * rank)
    at_once = f"all samples at once, shape ({n_samples}, {n_classes})"
    try:
        return Called(_evaluate(function, inputs, shape, one_by_one=False), at_once, False)
    except (CandidateError, ShapeFoundError) as error:
        failure = error
    batch = failure.array if isinstance(failure, ShapeFoundError) else None
    if batch is not None and n_samples > 1 and batch.shape == (*shape[1:], n_samples):
        raise failure  # it takes a batch, and turns it
    try:
        values = _evaluate(function, inputs, shape, one_by_one=True)
        return Called(values, f"one sample at a time, shape ({n_classes},)", True)
    except (CandidateError, ShapeFoundError) as error:
        if batch is not None and rank == 2 and batch.shape == (n_samples * n_classes, n_classes):
            return Called(batch.reshape(shape), at_once, False)
        if isinstance(failure, ShapeFoundError):
            raise failure from None
        if isinstance(error, CandidateError):
            error.at_once = failure.__cause__
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
        return _result(function, inputs, shape, None)
    rows = range(len(inputs[0]))
    return np.stack([_result(function, [each[k] for each in inputs], shape[1:], k) for k in rows])


def _result(
    function: Function, inputs: Sequence[Array], shape: tuple[int, ...], sample: int | None
) -> Array:
    """Call a function for numbers of a shape, real ones unless it is given others."""
    try:
        values = _array(function(*(each.copy() for each in inputs)))
    except ShapeFoundError as error:
        error.sample = sample
        raise
    except Exception as error:
        raise CandidateError(sample) from error
    if values.shape != shape:
        raise ShapeFoundError(f"shape {values.shape}, expected {shape}", values, sample)
    if np.iscomplexobj(values) and not np.iscomplexobj(inputs[0]):
        raise ShapeFoundError("complex numbers", sample=sample)
    return values


def _array(result: Any) -> Array:
    """Make an array of real or complex numbers."""
    if isinstance(result, np.ma.MaskedArray):  # what it hides would be compared
        raise ShapeFoundError("a masked array, expected an array of numbers")
    if hasattr(result, "detach"):  # a torch tensor that records gradients
        result = result.detach()
    try:
        array = np.asarray(result)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ShapeFoundError(f"{type(result).__name__} ({error})") from None
    if array.dtype.kind not in "biufc":
        if result is None:
            raise ShapeFoundError("None (is a return missing?), expected an array of numbers")
        found = f"{type(result).__name__} of {array.dtype}" if array.ndim else type(result).__name__
        raise ShapeFoundError(f"{found}, expected an array of numbers")
    return array
