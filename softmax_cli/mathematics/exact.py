"""Numbers of any size: what float64 cannot hold of a softmax, as decimals.

At a maximum m of the logits z, y_m is no small number, and y_j = y_m exp((z_j - m)/T) has any
size; 1 - y_j is the sum of the others. Only what a float cannot hold is computed so.
"""

import math
from decimal import MAX_EMAX, MIN_EMIN, ROUND_UP, Context, Decimal, localcontext
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core

Floats = NDArray[np.float64]
Number = float | Decimal

_SMALLEST_NORMAL = 2.0**-1022
# Of a mean relative to its terms: above what rounding makes of one that is exactly 0.
_ROUNDING = Decimal("1e-13")
# Rounded up, a product that is too small even for decimals stays apart from 0.
_ANY_SIZE = Context(prec=30, Emin=MIN_EMIN, Emax=MAX_EMAX, rounding=ROUND_UP, traps=[])
_SMALLEST = Decimal((0, (1,), MIN_EMIN))


def is_held(value: float) -> bool:
    """Tell whether float64 holds all digits of a value: it neither under- nor overflowed."""
    return _SMALLEST_NORMAL <= abs(value) < math.inf


def exponential(z: float, m: float, temperature: float) -> Number:
    """Return exp((z - m)/T), which is 0 for z = -inf alone."""
    power = math.exp((z - m) / temperature)
    if is_held(power):
        return power
    with localcontext(_ANY_SIZE):
        exact = ((Decimal(z) - Decimal(m)) / Decimal(temperature)).exp()
        return exact if exact or math.isinf(z) else _SMALLEST


class Numbers:
    """The numbers of some samples: floats, and decimals where float64 has no room for them."""

    def __init__(self, z: Floats, T: float, g: Floats | None = None) -> None:
        self.z, self.T, self.g = z, T, g
        self._means: dict[int, tuple[Decimal, Decimal]] = {}

    @cached_property
    def y(self) -> Floats:
        """Probabilities, rounded to float64."""
        return core.softmax(self.z, temperature=self.T)

    @cached_property
    def _rests(self) -> Floats:
        return core.complement(self.z, temperature=self.T)

    def probability(self, k: int, j: int) -> Number:
        """Return y_j of sample k."""
        y = float(self.y[k, j])
        if is_held(y):
            return y
        top = int(self.z[k].argmax())
        with localcontext(_ANY_SIZE):
            power = Decimal(exponential(float(self.z[k, j]), float(self.z[k, top]), self.T))
            return Decimal(float(self.y[k, top])) * power

    def rest(self, k: int, j: int) -> Number:
        """Return 1 - y_j of sample k."""
        rest = float(self._rests[k, j])
        if is_held(rest):
            return rest
        with localcontext(_ANY_SIZE):
            others = (i for i in range(self.z.shape[1]) if i != j)
            return sum((Decimal(self.probability(k, i)) for i in others), Decimal(0))

    def log_probability(self, k: int, j: int, log_y: float) -> Number:
        """Return log y_j of sample k, of which float64 has this value."""
        z, m = float(self.z[k, j]), float(self.z[k].max())
        if is_held(log_y) or math.isinf(z):
            return log_y
        with localcontext(_ANY_SIZE):
            if log_y:  # beyond the largest float64, where log S is nothing
                return (Decimal(z) - Decimal(m)) / Decimal(self.T)
            return -Decimal(self.rest(k, j))

    def partial(self, k: int, j: int, i: int, value: float) -> Number:
        """Return dy_j/dz_i of sample k, of which float64 has this value."""
        if is_held(value):
            return value
        with localcontext(_ANY_SIZE):
            factor = self.rest(k, j) if i == j else -self.probability(k, i)
            return Decimal(self.probability(k, j)) * Decimal(factor) / Decimal(self.T)

    def product(self, k: int, i: int, v: float) -> Number:
        """Return v_i = y_i (g_i - mean g)/T of sample k, of which float64 has this value.

        It is 0 also where rounding hides its sign.
        """
        if is_held(v) or math.isinf(self.z[k, i]):
            return v
        with localcontext(_ANY_SIZE):
            if k not in self._means:
                terms = [
                    Decimal(self.probability(k, j)) * self._g(k, j) for j in range(len(self.z[k]))
                ]
                self._means[k] = sum(terms, Decimal(0)), sum(map(abs, terms), Decimal(0))
            mean, size = self._means[k]
            g = self._g(k, i)
            if abs(g - mean) <= _ROUNDING * (abs(g) + size):
                return 0.0
            return Decimal(self.probability(k, i)) * (g - mean) / Decimal(self.T)

    def _g(self, k: int, j: int) -> Decimal:
        """Return g_j, relative to that at the maximum of z, so that their differences are exact."""
        assert self.g is not None
        return Decimal(self.g[k, j]) - Decimal(self.g[k, self.z[k].argmax()])
