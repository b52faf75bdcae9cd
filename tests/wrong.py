"""Softmax and its derivative as people get them wrong, written as they would write them.

Nothing here uses the package: these are somebody's own formulas. A name of the catalogue may have
several. They take arrays of any float dtype, and compute in it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Logits = Callable[[Array], Array]

T = 1.7
Z = np.random.default_rng(7).normal(0, 2, (4, 3))
HUGE = T * np.array([[1.0, 2, 3], [800, 799, 0], [710, 0.5, 709], [-900, -901, -902]])
SATURATED = T * np.array([[40.0, 0.0, 1.0], [0.5, 36.0, 0.0]])


def softmax(z: Array, axis: int | None = -1) -> Array:
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def naive(z: Array) -> Array:
    return np.asarray(np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True))


def total(z: Array) -> Array:
    return np.asarray(z.sum(axis=-1, keepdims=True))


def sigmoid(z: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-z)))


def eye(z: Array) -> Array:
    return np.eye(z.shape[1], dtype=z.dtype)


def diagonal(d: Array) -> Array:
    return np.asarray(d[:, :, None] * eye(d))


def outer(u: Array, v: Array) -> Array:
    return np.asarray(u[:, :, None] * v[:, None, :])


def derivative(y: Array) -> Array:
    return np.asarray(y[:, :, None] * (eye(y) - y[:, None, :]))


def derivative_of_log(y: Array) -> Array:
    return np.asarray(eye(y) - y[:, None, :])


def product(J: Array, g: Array) -> Array:
    return np.asarray(np.einsum("kji,kj->ki", J, g))


def y(z: Array) -> Array:
    return softmax(z / T)


def exact(z: Array) -> Array:
    return np.asarray(derivative(y(z)) / T)


def exact_of_log(z: Array) -> Array:
    return np.asarray(derivative_of_log(y(z)) / T)


def below(e: Array, number: float) -> Array:
    return np.asarray(e / (number + total(e)))


def masked_with(z: Array, number: float) -> Array:
    return np.where(np.isneginf(z), z.dtype.type(number), z)


# Name in the catalogue -> wrong probabilities, from which a derivative is made that is wrong too.
PROBABILITIES: dict[str, list[Logits]] = {
    "logits in place of probabilities": [lambda z: z, lambda z: z / T],
    "sigmoid in place of softmax": [lambda z: sigmoid(z / T)],
    "softmax twice": [lambda z: softmax(y(z)), lambda z: softmax(y(z) / T)],
    "softmax of -z": [lambda z: softmax(-z / T)],
    "powers of 2": [lambda z: softmax(z / T * np.log(2))],
    "not normalised": [
        lambda z: np.exp(z / T),
        lambda z: np.exp(z / T - (z / T).max(axis=-1, keepdims=True)),
        lambda z: np.exp(z / T) / total(z),
        lambda z: np.exp(z / T) / total(z / T),
    ],
    "a number is added below": [
        lambda z: below(np.exp(z / T), 1.0),
        lambda z: below(np.exp(z / T - (z / T).max(axis=-1, keepdims=True)), 1e-3),
    ],
    "clipped probabilities": [lambda z: np.clip(y(z), 0.05, 0.95), lambda z: np.maximum(y(z), 0.1)],
    "eps is added": [lambda z: y(z) + 1e-3],
    "smoothed probabilities": [lambda z: 0.9 * y(z) + 0.1 / z.shape[1]],
    "masked after softmax": [
        lambda z: y(masked_with(z, 0.0)) * (z > -np.inf),
        lambda z: y(masked_with(z, -2.5)) * (z > -np.inf),
    ],
    "masked with a finite number": [
        lambda z: y(masked_with(z, -10.0)),
        lambda z: y(masked_with(z, 0.0)),
    ],
    "softmax along the wrong axis": [lambda z: softmax(z / T, axis=0)],
    "softmax over the whole batch": [lambda z: softmax(z / T, axis=None)],
    "overflow: the maximum is not subtracted": [lambda z: naive(z / T)],
    "one maximum for the whole batch": [lambda z: naive((z - z.max()) / T)],
}

PROBABILITIES_ALONE: dict[str, list[Logits]] = {  # from which no derivative is made
    "argmax in place of softmax": [lambda z: eye(z)[z.argmax(axis=1)]],
    "logarithms of the probabilities": [lambda z: np.log(y(z))],
    "temperature left out": [softmax],
    "temperature applied twice": [lambda z: softmax(z / T**2)],
    "temperature multiplied": [lambda z: softmax(z * T)],
    "another temperature": [lambda z: softmax(z / 2.3), lambda z: softmax(z / 0.61803)],
    "rounding of large logits": [
        lambda z: np.exp(z / T - (z.max() / T + np.log(total(np.exp((z - z.max()) / T)))))
    ],
}

LOGARITHMS: dict[str, list[Logits]] = {
    "probabilities in place of their logarithms": [y],
    "not normalised": [lambda z: z / T, lambda z: z / T - (z / T).max(axis=-1, keepdims=True)],
    "powers of 2": [lambda z: np.log2(y(z))],
    "underflow before the logarithm": [lambda z: np.log(y(z))],
    "sigmoid in place of softmax": [lambda z: -np.log1p(np.exp(-z / T))],
    "softmax twice": [lambda z: np.log(softmax(y(z)))],
    "masked with a finite number": [lambda z: np.log(y(masked_with(z, -45.0)))],
    "softmax of -z": [lambda z: np.log(softmax(-z / T))],
    "eps is added": [lambda z: np.log(y(z) + 1e-3)],
    "clipped probabilities": [lambda z: np.log(np.clip(y(z), 0.05, 1.0))],
    "smoothed probabilities": [lambda z: np.log(0.9 * y(z) + 0.1 / z.shape[1])],
    "a number is added below": [lambda z: np.log(below(np.exp(z / T), 1.0))],
    "softmax along the wrong axis": [lambda z: np.log(softmax(z / T, axis=0))],
    "another temperature": [lambda z: np.log(softmax(z / 2.3))],
}

JACOBIANS: dict[str, list[Logits]] = {  # of logits, shape (K, C) -> (K, C, C)
    "only the diagonal": [lambda z: diagonal(y(z) * (1 - y(z))) / T],
    "the diagonal is missing": [lambda z: exact(z) * (1 - eye(z))],
    "diag(y) alone": [lambda z: diagonal(y(z)) / T],
    "the delta term is missing": [lambda z: -outer(y(z), y(z)) / T],
    "sign of the off-diagonal": [lambda z: np.abs(exact(z))],
    "sign of the outer product": [lambda z: (diagonal(y(z)) + outer(y(z), y(z))) / T],
    "the outer product twice": [lambda z: (diagonal(y(z)) - 2 * outer(y(z), y(z))) / T],
    "a factor y is missing": [
        lambda z: (diagonal(y(z)) - y(z)[:, None, :]) / T,
        lambda z: (diagonal(y(z)) - y(z)[:, :, None]) / T,
        lambda z: (eye(z) - outer(y(z), y(z))) / T,
    ],
    "a factor y too many": [
        lambda z: (diagonal(y(z)) - outer(y(z) ** 2, y(z))) / T,
        lambda z: exact(z) * y(z)[:, None, :],
    ],
    "one triangle": [lambda z: np.tril(exact(z)), lambda z: np.triu(exact(z))],
    "logits in place of probabilities": [
        lambda z: y(z)[:, :, None] * (eye(z) - z[:, None, :]) / T,
        lambda z: y(z)[:, None, :] * (eye(z) - z[:, :, None]) / T,
        lambda z: diagonal(y(z) * (1 - z)) / T,
        lambda z: diagonal(z * (1 - z)) / T,
    ],
    "sigmoid in place of softmax": [lambda z: diagonal(sigmoid(z / T) * (1 - sigmoid(z / T))) / T],
    "softmax twice": [lambda z: derivative(softmax(y(z))) @ exact(z)],
    "softmax of -z": [lambda z: -derivative(softmax(-z / T)) / T],
    "powers of 2": [lambda z: np.log(2) * derivative(softmax(z / T * np.log(2))) / T],
    "derivative of log-softmax": [exact_of_log],
    "transposed derivative of log-softmax": [lambda z: (eye(z) - y(z)[:, :, None]) / T],
    "factor 1/T missing": [lambda z: exact(z) * T],
    "factor 1/T squared": [lambda z: exact(z) / T],
    "temperature left out": [lambda z: derivative(softmax(z))],
    "temperature applied twice": [lambda z: derivative(softmax(z / T**2)) / T**2],
    "temperature multiplied": [lambda z: derivative(softmax(z * T)) * T],
    "another temperature": [lambda z: derivative(softmax(z / 2.3)) / 2.3],
}

BLOCKS: dict[str, Logits] = {  # without what connects the samples, which a product has
    "softmax along the wrong axis": lambda z: (
        diagonal(softmax(z / T, axis=0) * (1 - softmax(z / T, axis=0))) / T
    )
}

JACOBIANS_OF_LOG: dict[str, list[Logits]] = {
    "only the diagonal": [lambda z: diagonal(1 - y(z)) / T],
    "the diagonal is missing": [lambda z: exact_of_log(z) * (1 - eye(z))],
    "diag(y) alone": [lambda z: diagonal(y(z)) / T],
    "the delta term is missing": [lambda z: exact_of_log(z) - eye(z) / T],
    "sign of the off-diagonal": [lambda z: np.abs(exact_of_log(z))],
    "sign of the outer product": [lambda z: (eye(z) + y(z)[:, None, :]) / T],
    "the outer product twice": [lambda z: (eye(z) - 2 * y(z)[:, None, :]) / T],
    "a factor y is missing": [lambda z: np.stack([eye(z) - 1] * len(z)) / T],
    "a factor y too many": [lambda z: (eye(z) - outer(y(z), y(z))) / T],
    "one triangle": [lambda z: np.tril(exact_of_log(z)), lambda z: np.triu(exact_of_log(z))],
    "logits in place of probabilities": [
        lambda z: diagonal(1 - z) / T,
        lambda z: derivative_of_log(z) / T,
    ],
    "sigmoid in place of softmax": [lambda z: diagonal(1 - sigmoid(z / T)) / T],
    "derivative of softmax": [exact],
    "transposed derivative of log-softmax": [lambda z: (eye(z) - y(z)[:, :, None]) / T],
    "clipped probabilities": [lambda z: derivative_of_log(np.clip(y(z), 0.05, 0.95)) / T],
    "eps is added": [lambda z: exact_of_log(z) * (y(z) / (y(z) + 1e-3))[:, :, None]],
    "another temperature": [lambda z: derivative_of_log(softmax(z / 2.3)) / 2.3],
    "factor 1/T missing": [lambda z: exact_of_log(z) * T],
}

# Wrong products, of logits and upstream gradient, for what is no product of g with a wrong J.
PRODUCTS: dict[str, list[Callable[[Array, Array], Array]]] = {
    "the sum over y g along the wrong axis": [
        lambda z, g: y(z) * (g - (y(z) * g).sum(axis=0)) / T,
        lambda z, g: y(z) * (g - (y(z) * g).sum()) / T,
    ],
    "softmax along the wrong axis": [
        lambda z, g: softmax(z / T, 0) * (g - (softmax(z / T, 0) * g).sum(axis=0)) / T
    ],
    "the upstream gradient is left out": [
        lambda z, g: y(z) * (1 - y(z)) / T,
        lambda z, g: y(z) / T,
    ],
    "the upstream gradient is copied": [lambda z, g: g / T],
    "gradient of cross-entropy": [
        lambda z, g: y(z) - g,
        lambda z, g: 2 * (y(z) - g),
        lambda z, g: g - y(z),
        lambda z, g: (y(z) - g) / len(z),
        lambda z, g: (y(z) - g) / T,
    ],
    "arguments in the wrong order": [lambda z, g: product(exact(g), z)],
    "one sample for all": [lambda z, g: product(exact(z), np.stack([g[0]] * len(g)))],
    "row sums of the Jacobian": [lambda z, g: exact(z).sum(axis=1)],
}

PRODUCTS_OF_LOG: dict[str, list[Callable[[Array, Array], Array]]] = {
    "the sum over y g along the wrong axis": [lambda z, g: (g - y(z) * g.sum(axis=0)) / T],
    "the sum over g is missing": [lambda z, g: (g - y(z)) / T],
    "the upstream gradient is left out": [lambda z, g: (1 - y(z)) / T],
    "gradient of cross-entropy": [lambda z, g: y(z) - g],
    "row sums of the Jacobian": [lambda z, g: exact_of_log(z).sum(axis=1)],
}


def turned(values: Array) -> Array:
    return values[:, ::-1, ::-1] if values.ndim == 3 else values[:, ::-1]


def without(values: Array, *at: Any) -> Array:
    values = values.copy()
    values[at] = 0
    return values


RESULTS: dict[str, list[Callable[[Array, Array], Array]]] = {  # of right ones and logits
    "sign of everything": [lambda v, z: -v],
    "nothing but zeros": [lambda v, z: 0 * v],
    "a constant factor": [lambda v, z: v * 0.7, lambda v, z: v * 100],
    "divided by the batch size": [lambda v, z: v / len(v)],
    "summed over the batch": [
        lambda v, z: np.stack([v.sum(axis=0)] * len(v)),
        lambda v, z: np.stack([v.mean(axis=0)] * len(v)),
    ],
    "one sample for all": [lambda v, z: np.stack([v[0]] * len(v))],
    "samples in another order": [lambda v, z: v[::-1], lambda v, z: np.roll(v, 1, axis=0)],
    "classes in another order": [lambda v, z: turned(v)],
    "shifted by a class": [lambda v, z: np.roll(v, 1, axis=-1), lambda v, z: np.roll(v, -1, 1)],
    "a class or a sample is left at 0": [
        lambda v, z: without(v, ..., -1),
        lambda v, z: without(v, -1),
        lambda v, z: without(v, slice(None), 0),
    ],
    "transposed batch": [lambda v, z: v.T],
    "NaN among the results": [
        lambda v, z: np.where((z > 2) if v.ndim == 2 else (z > 2)[:, :, None], np.nan, v),
        lambda v, z: np.full_like(v, np.nan),
    ],
}

ROUNDED: dict[str, Callable[[Array], Array]] = {  # right, but less precise
    "bfloat16 results": lambda v: (
        (v.astype(np.float32).view(np.uint32) + 0x8000) & 0xFFFF0000
    ).view(np.float32),
    "float16 results": lambda v: v.astype(np.float16),
    "float32 results": lambda v: v.astype(np.float32),
    "rounded results": lambda v: v.round(5),
}


def logits_for(name: str, dtype: str = "float64") -> Array:
    """Return logits at which the mistake shows in results of this dtype."""
    special = {
        "overflow": HUGE,
        "one": T * np.array([[1.0, 2.0, 3.0], [1800.0, 1799.0, 1801.5], [-0.5, 0.5, 0.25]]),
        "cancellation": SATURATED,
        "transposed": np.random.default_rng(8).normal(0, 2, (3, 3)),
        "clipped": 3 * Z,
        "masked": np.where(np.arange(12).reshape(4, 3) % 7 == 2, -np.inf, Z),
        "underflow": T * np.array([[1.0, 2.0, -800.0], [0.5, -0.25, 0.0]]),
        "rounding": Z + (1e11 if dtype == "float64" else 3e3),
    }
    if name in ("transposed derivative of log-softmax", "one triangle", "one sample for all"):
        return Z.astype(dtype)
    return special.get(name.split()[0].rstrip(":"), Z).astype(dtype)
