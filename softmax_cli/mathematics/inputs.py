"""What the functions of the core are given: real arrays, an axis and a temperature."""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def classes_last(logits: ArrayLike, axis: int) -> NDArray[Any]:
    """Return logits with the classes on the last axis."""
    if (z := _real(logits, "logits")).ndim == 0:
        raise ValueError("logits must be an array with an axis of classes, not a single number")
    if type(axis) is not int and not isinstance(axis, np.integer):
        raise TypeError(f"axis must be one whole number, not {axis!r}")
    try:
        z = z if axis == -1 else np.moveaxis(z, axis, -1)
    except np.exceptions.AxisError:
        raise ValueError(f"axis {axis} does not exist in logits of shape {z.shape}") from None
    if z.shape[-1] == 0:
        raise ValueError("logits must have at least one class")
    return z


def upstream_like(upstream: ArrayLike, z: NDArray[Any], axis: int) -> NDArray[Any]:
    """Return an upstream gradient for logits whose classes stand last."""
    g, shape = _real(upstream, "upstream"), np.moveaxis(z, -1, axis).shape
    try:
        return np.moveaxis(np.broadcast_to(g, shape), axis, -1)
    except ValueError:
        raise ValueError(f"upstream of shape {g.shape} does not fit logits of {shape}") from None


def positive(temperature: float) -> float:
    """Return a temperature that is finite and greater than 0."""
    shown = repr(temperature)[:40]
    try:
        T = math.fsum([temperature])  # which takes no text for a number
    except TypeError:
        raise TypeError(f"temperature must be a real number, not {shown}") from None
    except OverflowError:
        T = math.inf
    if not (math.isfinite(T) and T > 0):
        raise ValueError(f"temperature must be a finite number greater than 0, not {shown}")
    return T


def or_limit(logits: NDArray[Any], temperature: float) -> tuple[NDArray[Any], float]:
    """Return logits, classes last, and T; for T = 0 those that have this softmax at T = 1."""
    if np.ndim(temperature) or temperature != 0:
        return logits, positive(temperature)
    z = logits.astype(float)
    with np.errstate(all="ignore"):
        distance = z - z.max(axis=-1, keepdims=True)
    return np.where(distance < 0, -np.inf, distance), 1.0


def _real(values: ArrayLike, name: str) -> NDArray[Any]:
    if hasattr(values, "filled"):  # to look at numpy.ma would import it, which takes 10 ms
        raise TypeError(f"{name} must not be masked: use .filled(-np.inf), for g .filled(0)")
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:  # ragged lists, tensors with gradients
        problem = f"{name} must be an array of real numbers: {error}"
        raise (ValueError if isinstance(error, ValueError) else TypeError)(problem) from None
    if array.dtype.kind not in "iuf":
        hint = ": convert it to float32" if "bfloat16" in str(array.dtype) else ""
        raise TypeError(f"{name} must be real numbers, not {array.dtype}{hint}")
    return array
