"""Softmax and its derivative as people get them wrong, written as they would write them.

Nothing here uses the package: these are somebody's own formulas.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

T = 1.7
Z = np.random.default_rng(7).normal(0, 2, (4, 3))
SQUARE = np.random.default_rng(8).normal(0, 2, (3, 3))
HUGE = T * np.array(
    [[1.0, 2.0, 3.0], [800.0, 799.0, 0.0], [710.0, 0.5, 709.0], [-900.0, -901.0, -902]]
)
SATURATED = T * np.array([[40.0, 0.0, 1.0], [0.5, 36.0, 0.0]])


def softmax(z: Array, axis: int | None = -1) -> Array:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def naive(z: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True))


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


def derivative(y: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(y[:, :, None] * (np.eye(y.shape[1]) - y[:, None, :]))


def diagonal(d: Array) -> Array:
    return np.asarray(d[:, :, None] * np.eye(d.shape[1]))


def outer(u: Array, v: Array) -> Array:
    return np.asarray(u[:, :, None] * v[:, None, :])


def product(J: Array, g: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(np.einsum("kji,kj->ki", J, g))


def exact(z: Array) -> Array:
    return np.asarray(derivative(softmax(z / T)) / T)


def single(values: Array) -> Array:
    return values.astype(np.float32)


def half(values: Array) -> Array:
    return values.astype(np.float16)


# Name in the catalogue -> the wrong Jacobian of logits z, shape (K, C) -> (K, C, C).
JACOBIANS: dict[str, Callable[[Array], Array]] = {
    "only the diagonal": lambda z: diagonal(softmax(z / T) * (1 - softmax(z / T))) / T,
    "the diagonal is missing": lambda z: exact(z) * (1 - np.eye(z.shape[1])),
    "diag(y) alone": lambda z: diagonal(softmax(z / T)) / T,
    "the delta term is missing": lambda z: -outer(softmax(z / T), softmax(z / T)) / T,
    "sign of the off-diagonal": lambda z: np.abs(exact(z)),
    "sign of the outer product": lambda z: (
        (diagonal(softmax(z / T)) + outer(softmax(z / T), softmax(z / T))) / T
    ),
    "a factor y is missing": lambda z: (diagonal(softmax(z / T)) - softmax(z / T)[:, None, :]) / T,
    "sign of everything": lambda z: -exact(z),
    "logits in place of probabilities": lambda z: derivative(z) / T,
    "sigmoid's derivative": lambda z: diagonal(sigmoid(z / T) * (1 - sigmoid(z / T))) / T,
    "sigmoid in place of softmax": lambda z: derivative(sigmoid(z / T)) / T,
    "derivative of log-softmax": lambda z: (np.eye(z.shape[1]) - softmax(z / T)[:, None, :]) / T,
    "softmax along the wrong axis": lambda z: derivative(softmax(z / T, axis=0)) / T,
    "softmax over the whole batch": lambda z: derivative(softmax(z / T, axis=None)) / T,
    "divided by the batch size": lambda z: exact(z) / len(z),
    "a constant factor": lambda z: 0.7 * exact(z),
    "nothing but zeros": lambda z: 0 * exact(z),
    "factor 1/T missing": lambda z: exact(z) * T,
    "factor 1/T squared": lambda z: exact(z) / T,
    "temperature left out": lambda z: derivative(softmax(z)),
    "temperature applied twice": lambda z: derivative(softmax(z / T**2)) / T**2,
    "temperature multiplied": lambda z: derivative(softmax(z * T)) * T,
    "samples in another order": lambda z: exact(z)[::-1],
    "classes in another order": lambda z: exact(z)[:, ::-1, ::-1],
    "classes sorted in each sample": lambda z: exact(-np.sort(-z, axis=1)),
    "cancellation in 1 - y": exact,
    "NaN among the results": lambda z: np.where(z[:, :, None] > 2, np.nan, exact(z)),
    "float16 results": lambda z: half(derivative(softmax(half(z / T))) / T),
    "float32 results": lambda z: single(derivative(softmax(single(z / T))) / T),
    "rounded results": lambda z: np.asarray(exact(z).round(6)),
    "overflow: the maximum is not subtracted": lambda z: derivative(naive(z / T)) / T,
}

PROBABILITIES: dict[str, Callable[[Array], Array]] = {
    "sign of everything": lambda z: -softmax(z / T),
    "logits in place of probabilities": lambda z: z,
    "sigmoid in place of softmax": lambda z: sigmoid(z / T),
    "logarithms of the probabilities": lambda z: np.log(softmax(z / T)),
    "softmax along the wrong axis": lambda z: softmax(z / T, axis=0),
    "softmax over the whole batch": lambda z: softmax(z / T, axis=None),
    "divided by the batch size": lambda z: softmax(z / T) / len(z),
    "a constant factor": lambda z: softmax(z / T) * 100,
    "nothing but zeros": lambda z: np.zeros(z.shape),
    "temperature left out": softmax,
    "temperature applied twice": lambda z: softmax(z / T**2),
    "temperature multiplied": lambda z: softmax(z * T),
    "samples in another order": lambda z: np.roll(softmax(z / T), 1, axis=0),
    "classes in another order": lambda z: np.roll(softmax(z / T), 1, axis=1),
    "classes sorted in each sample": lambda z: -np.sort(-softmax(z / T)),
    "NaN among the results": lambda z: np.full(z.shape, np.nan),
    "float16 results": lambda z: softmax(half(z / T)),
    "float32 results": lambda z: softmax(single(z / T)),
    "rounded results": lambda z: np.array(
        [[float(f"{v:.4g}") for v in row] for row in softmax(z / T)]
    ),
    "overflow: the maximum is not subtracted": lambda z: naive(z / T),
}

# The same, of logits and upstream gradient, for those that are no product of g with a wrong J.
PRODUCTS: dict[str, Callable[[Array, Array], Array]] = {
    "the sum over y g along the wrong axis": lambda z, g: (
        softmax(z) * (g - (softmax(z) * g).sum(axis=0))
    ),
    "the upstream gradient is left out": lambda z, g: softmax(z) * (1 - softmax(z)),
    "gradient of cross-entropy": lambda z, g: softmax(z) - g,
    "transposed batch": lambda z, g: (softmax(z) * (g - (softmax(z) * g).sum(1, keepdims=True))).T,
}


def logits_for(name: str) -> Array:
    """Return logits at which the mistake shows."""
    if name.startswith("overflow"):
        return HUGE
    if name.startswith("cancellation"):
        return SATURATED
    return SQUARE if name == "transposed batch" else Z


def tolerances_for(name: str) -> dict[str, float]:
    """Return tolerances at which the mistake shows, where it does not by default."""
    return {"atol": 0.0} if name.startswith("cancellation") else {}
