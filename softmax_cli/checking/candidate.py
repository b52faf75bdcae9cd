"""Calling somebody's function on a batch, or one sample at a time, and making arrays of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Function = Callable[..., Any]


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


@dataclass(frozen=True, eq=False)
class Called:
    """What a function returned.

    Attributes
    ----------
    values
        Shape (K, C) or (K, C, C).
    how
        What it was given, in words.
    one_by_one
        Whether it was given one sample at a time.
    """

    values: Array
    how: str
    one_by_one: bool


def call(function: Function, inputs: Sequence[Array], rank: int) -> Called:
    """Give a function all samples, or one at a time if it takes or returns no batch.

    Parameters
    ----------
    function
        Takes the inputs, of shape (K, C) each or else (C,), and returns what numpy.asarray takes,
        or a torch tensor.
    inputs
        Shape (K, C) each; the function gets copies.
    rank
        Dimensions that a sample's result has: 1 for (C,), 2 for (C, C).

    Raises
    ------
    CandidateError
        When the function raises.
    ShapeFoundError
        When it returns something else than real numbers of the right shape.
    """
    n_samples, n_classes = inputs[0].shape
    shape = (n_samples, *(n_classes,) * rank)
    at_once: Called | CandidateError | ShapeFoundError
    try:
        values = _array(function(*(each.copy() for each in inputs)))
        if values.shape == shape:
            return Called(values, f"all samples at once, shape ({n_samples}, {n_classes})", False)
        stacked = (n_samples * n_classes, n_classes)
        found = ShapeFoundError(f"shape {values.shape}, expected {shape}", values)
        if rank == 2 and values.shape == stacked:
            how = f"all samples at once, shape ({n_samples}, {n_classes})"
            at_once = Called(values.reshape(shape), how, False)
        elif n_samples > 1 and values.shape == (*shape[1:], n_samples):
            raise found  # it takes a batch, and turns it
        else:
            at_once = found
    except ShapeFoundError as error:
        if error.array is not None:
            raise
        at_once = error
    except Exception as error:
        at_once = CandidateError(None)
        at_once.__cause__ = error
    return _one_by_one(function, inputs, shape[1:], at_once)


def _one_by_one(
    function: Function,
    inputs: Sequence[Array],
    shape: tuple[int, ...],
    at_once: Called | CandidateError | ShapeFoundError,
) -> Called:
    results = []
    for k in range(len(inputs[0])):
        try:
            values = _array(function(*(each[k].copy() for each in inputs)))
        except ShapeFoundError as error:
            if isinstance(at_once, Called):
                return at_once
            raise ShapeFoundError(str(error), sample=k) from None
        except Exception as error:
            if isinstance(at_once, Called):
                return at_once
            if isinstance(at_once, ShapeFoundError):
                raise at_once from None
            raise CandidateError(k, at_once.__cause__) from error
        if values.shape != shape:
            if isinstance(at_once, Called):
                return at_once
            if isinstance(at_once, ShapeFoundError):
                raise at_once
            raise ShapeFoundError(f"shape {values.shape}, expected {shape}", sample=k)
        results.append(values)
    return Called(np.stack(results), f"one sample at a time, shape {inputs[0].shape[1:]}", True)


def derivative_function(function: Function, one_by_one: bool) -> Function:
    """Wrap a function that `call` could call, for a finite difference over shape (K, C).

    The wrapped function raises `CandidateError` when the function raises, and `NotComplexError`
    when it is given complex numbers and does not return them. A result of another shape is NaN.
    """

    def evaluate(z: Array) -> Array:
        results = []
        for k, row in enumerate(z if one_by_one else [z]):
            try:
                values = _array(function(row.copy()))
            except Exception as error:
                if np.iscomplexobj(z):
                    raise NotComplexError from error
                raise CandidateError(k if one_by_one else None) from error
            if np.iscomplexobj(z) and not np.iscomplexobj(values):
                raise NotComplexError
            results.append(values if values.shape == row.shape else np.full(row.shape, np.nan))
        return np.stack(results) if one_by_one else results[0]

    return evaluate


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
