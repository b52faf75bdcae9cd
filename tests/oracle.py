"""The mathematics at high precision: what the results in float64 are measured against.

The small functions follow the textbook definitions with no care at all, at 2400 bits: exact
subtraction of any two float64 takes about 2100, and 1 - y keeps the tail of 1 + e^-740 only with
more than 1000. Every exact value is that of the float64 inputs as they stand.

At 100,000 classes that would take minutes. `Large` evaluates the same values without any
subtraction of near numbers, so that 256 bits leave more than 200 correct; the differences z - m
are taken at 2400 bits before they are rounded to 256. A test holds the two against each other.
"""

from collections.abc import Iterable, Sequence

import mpmath
import numpy as np
from mpmath import mpf
from numpy.typing import ArrayLike, NDArray

BITS = 2400
LARGE_BITS = 256
UNIT = mpf(2) ** -52
SMALLEST_NORMAL = mpf(2) ** -1022

Exact = NDArray[np.object_]


def _exact(values: ArrayLike) -> list[mpf]:
    return [mpf(float(x)) for x in np.asarray(values).reshape(-1)]


def _array(values: Iterable[mpf]) -> Exact:
    listed = list(values)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array


def _exponentials(logits: ArrayLike, temperature: float) -> list[mpf]:
    z = _exact(logits)
    largest = max(z)  # any shift is exact here; this one keeps the exponents of the mpf small
    return [mpmath.exp((x - largest) / mpf(temperature)) for x in z]


def softmax(logits: ArrayLike, temperature: float = 1.0) -> Exact:
    """Return exp(z_j/T) / sum_i exp(z_i/T)."""
    with mpmath.workprec(BITS):
        e = _exponentials(logits, temperature)
        total = mpmath.fsum(e)
        return _array(x / total for x in e)


def log_softmax(logits: ArrayLike, temperature: float = 1.0) -> Exact:
    """Return z_j/T - log sum_i exp(z_i/T), which is finite wherever z_j is."""
    with mpmath.workprec(BITS):
        z = _exact(logits)
        largest = max(z)
        log_total = mpmath.log(mpmath.fsum(_exponentials(logits, temperature)))
        return _array((x - largest) / mpf(temperature) - log_total for x in z)


def complement(logits: ArrayLike, temperature: float = 1.0) -> Exact:
    """Return 1 - y_j."""
    with mpmath.workprec(BITS):
        return _array(1 - y for y in softmax(logits, temperature))


def jacobian(logits: ArrayLike, temperature: float = 1.0) -> Exact:
    """Return y_j (delta_ij - y_i) / T."""
    with mpmath.workprec(BITS):
        y = softmax(logits, temperature)
        delta = np.eye(len(y), dtype=int)
        rows = [y[j] * (int(delta[j, i]) - y[i]) for j in range(len(y)) for i in range(len(y))]
        return _array(x / mpf(temperature) for x in rows).reshape(len(y), len(y))


def vjp(logits: ArrayLike, upstream: ArrayLike, temperature: float = 1.0) -> tuple[Exact, Exact]:
    """Return v_j = sum_i y_j y_i (g_j - g_i) / T, and the same sum of absolute values."""
    with mpmath.workprec(BITS):
        y, g = softmax(logits, temperature), _exact(upstream)
        T = mpf(temperature)
        pairs = list(zip(y, g, strict=True))
        v = [mpmath.fsum(y_j * y_i * (g_j - g_i) for y_i, g_i in pairs) / T for y_j, g_j in pairs]
        size = [
            mpmath.fsum(y_j * y_i * abs(g_j - g_i) for y_i, g_i in pairs) / T for y_j, g_j in pairs
        ]
        return _array(v), _array(size)


class Large:
    """The same values for one sample of many classes, in sums of positive terms."""

    def __init__(self, logits: ArrayLike, temperature: float = 1.0) -> None:
        with mpmath.workprec(BITS):
            z = _exact(logits)
            largest = max(z)
            self._top = z.index(largest)
            shifted = [(x - largest) / mpf(temperature) for x in z]
        with mpmath.workprec(LARGE_BITS):
            self._shifted = [+x for x in shifted]
            self._e = [mpmath.exp(x) for x in self._shifted]
            self._rest = mpmath.fsum(x for j, x in enumerate(self._e) if j != self._top)
            self._T = mpf(temperature)

    def softmax(self) -> Exact:
        """Return e/S."""
        with mpmath.workprec(LARGE_BITS):
            S = 1 + self._rest
            return _array(x / S for x in self._e)

    def log_softmax(self) -> Exact:
        """Return (z - m)/T - log1p(R)."""
        with mpmath.workprec(LARGE_BITS):
            log_S = mpmath.log1p(self._rest)
            return _array(x - log_S for x in self._shifted)

    def complement(self) -> Exact:
        """Return (1 + (R - e_j))/S, and R/S at the maximum."""
        with mpmath.workprec(LARGE_BITS):
            S = 1 + self._rest
            rest = [(1 + (self._rest - x)) / S for x in self._e]
            rest[self._top] = self._rest / S
            return _array(rest)

    def jacobian_row(self, j: int) -> Exact:
        """Return row j of J."""
        with mpmath.workprec(LARGE_BITS):
            y, T = self.softmax(), self._T
            row = [-y[j] * x / T for x in y]
            row[j] = y[j] * self.complement()[j] / T
            return _array(row)

    def vjp(self, upstream: ArrayLike, at: Sequence[int]) -> tuple[Exact, Exact]:
        """Return v_j and the sum of absolute values, for the positions j in `at` only.

        The differences g_j - g_i are exact, and each sum is taken at 2400 bits.
        """
        y = self.softmax()
        with mpmath.workprec(BITS):
            g = _exact(upstream)
            terms = [[y[j] * y_i * (g[j] - g_i) for y_i, g_i in zip(y, g, strict=True)] for j in at]
            v = [mpmath.fsum(row) / self._T for row in terms]
            size = [mpmath.fsum(abs(x) for x in row) / self._T for row in terms]
            return _array(v), _array(size)


def errors_in_units(
    actual: NDArray[np.float64], exact: Exact, scale: Exact | None = None
) -> NDArray[np.float64]:
    """Return |actual - exact| in units of 2^-52 |exact|, or |scale| where that is given.

    Where the exact value is below the smallest normal number the unit is 2^-1074. An infinite
    result counts as right where the exact value rounds to it.
    """
    scale = exact if scale is None else scale
    errors = np.empty(exact.size)
    with mpmath.workprec(BITS):
        columns = zip(actual.reshape(-1), exact.reshape(-1), scale.reshape(-1), strict=True)
        for k, (a, x, size) in enumerate(columns):
            if not np.isfinite(a) or not mpmath.isfinite(x):
                errors[k] = 0.0 if float(a) == float(x) else np.inf
            else:
                errors[k] = abs(mpf(float(a)) - x) / (UNIT * max(abs(size), SMALLEST_NORMAL))
    return errors.reshape(actual.shape)
