"""The mathematics that the results in float64 are measured against, in two arithmetics.

`EXACT` has 256 bits, `QUICK` is numpy's long double: where that has 64 bits or more it is right to
a few thousandths of a unit, and quick enough to climb on the error. Nothing here subtracts numbers
that are close to each other and rounded, so that every bit but a few is right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numpy.typing import ArrayLike, NDArray

mpmath.mp.prec = 256

Numbers = Any  # an array of float64, long double or mpf
Floats = NDArray[np.float64]
SMALLEST_NORMAL = 2.0**-1022


@dataclass(frozen=True)
class Arithmetic:
    """An array of its numbers, made of float64, and two functions of such arrays."""

    array: Callable[[Any], Numbers]
    exp: Callable[[Numbers], Numbers]
    log1p: Callable[[Numbers], Numbers]


EXACT = Arithmetic(
    lambda x: np.frompyfunc(lambda x: mpmath.mpf(float(x)), 1, 1)(np.asarray(x)),
    np.frompyfunc(mpmath.exp, 1, 1),
    np.frompyfunc(mpmath.log1p, 1, 1),
)
QUICK = Arithmetic(lambda x: np.asarray(x, dtype=np.longdouble), np.exp, np.log1p)


class Oracle:
    """Everything about some samples, logits of shape (K, C) or (C,)."""

    def __init__(self, logits: ArrayLike, T: float = 1.0, arithmetic: Arithmetic = EXACT) -> None:
        z = np.asarray(logits, dtype=np.float64)
        self._array, self.T = arithmetic.array, arithmetic.array([T])[0]
        self._top = np.arange(z.shape[-1]) == z.argmax(axis=-1)[..., None]
        self._alive = self._array(z > -np.inf)
        with np.errstate(all="ignore"):
            self._s = (self._array(z) - self._array(z.max(axis=-1, keepdims=True))) / self.T
            self._e = arithmetic.exp(self._s)
            self._R = np.where(self._top, 0 * self._e, self._e).sum(axis=-1, keepdims=True)
            self._log_S = arithmetic.log1p(self._R)

    def softmax(self) -> Numbers:
        """Return e/S."""
        return self._e / (1 + self._R)

    def log_softmax(self) -> Numbers:
        """Return (z - m)/T - log1p(R)."""
        return self._s - self._log_S

    def complement(self) -> Numbers:
        """Return (1 + (R - e))/S, and R/S at the maximum."""
        return np.where(self._top, self._R, 1 + (self._R - self._e)) / (1 + self._R)

    def jacobian(self, log: bool = False) -> Numbers:
        """Return y_j (delta_ij - y_i)/T, or without the y_j."""
        y, left = self.softmax(), 1 + 0 * self._alive if log else self.softmax()
        diagonal = np.eye(y.shape[-1], dtype=bool)
        right = np.where(diagonal, self.complement()[..., None, :], -y[..., None, :])
        return left[..., :, None] * right / self.T

    def vjp(self, upstream: ArrayLike, log: bool = False) -> tuple[Numbers, Numbers]:
        """Return sum_j g_j J_ji, and what its error is measured by: the sum of absolute values."""
        g = self._array(upstream) + 0 * self._alive
        g_j, g_i = g[..., None, :], g[..., :, None]
        if log:
            others = np.where(np.eye(g.shape[-1], dtype=bool), 0 * g_j, g_j)
            kept, spread = g * self.complement(), self.softmax()
            v = kept - spread * others.sum(axis=-1)
            return v / self.T, (np.abs(kept) + spread * np.abs(others).sum(axis=-1)) / self.T
        y = self.softmax()
        terms = y[..., :, None] * y[..., None, :] * (g_i - g_j) / self.T
        return terms.sum(axis=-1), np.abs(terms).sum(axis=-1)


def errors_in_units(actual: ArrayLike, exact: Numbers, scale: Numbers | None = None) -> Floats:
    """Return |actual - exact| in units of 2^-52 |exact|, or |scale| where that is given.

    Where the exact value is below the smallest normal number the unit is 2^-1074. An infinite
    result counts as right where the exact value rounds to it.
    """
    results = np.asarray(actual, dtype=np.float64)
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(exact if scale is None else scale), SMALLEST_NORMAL)
        errors = np.asarray(np.abs(exact - results) / (2.0**-52 * size), dtype=np.float64)
        same = np.isinf(results) & (exact.astype(np.float64) == results)
    return np.where(same, 0.0, np.where(np.isnan(errors), np.inf, errors))
