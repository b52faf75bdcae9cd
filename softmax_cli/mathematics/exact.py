"""Numbers of any size: what float64 cannot hold of a softmax, as decimals.

For a maximum m of the logits z, y_j = y_m exp((z_j - m)/T) at any size. A set A of classes has
the probability y_a/q_a together, where a is its maximum and q the softmax of A alone: that is
1 - y_j for all classes but j, and it makes the mean over classes that are far below the maximum.
"""

import math
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_UP, Context, Decimal, localcontext
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core

Floats = NDArray[np.float64]
Number = float | Decimal

_SMALLEST_NORMAL = 2.0**-1022
# Of a mean relative to its terms: above what rounding makes of one that is exactly 0.
_ROUNDING = 1e-13
# Rounded up, a product that is too small even for decimals stays apart from 0.
_ANY_SIZE = Context(prec=30, Emin=MIN_EMIN, Emax=MAX_EMAX, rounding=ROUND_UP, traps=[])
_SMALLEST = Decimal((0, (1,), MIN_EMIN))


def is_held(value: float) -> bool:
    """Tell whether float64 holds all digits of a value: it neither under- nor overflowed."""
    return _SMALLEST_NORMAL <= abs(value) < math.inf


def exponential(z: float, m: float, temperature: float) -> Decimal:
    """Return exp((z - m)/T), which is 0 for z = -inf alone."""
    with localcontext(_ANY_SIZE):
        power = ((Decimal(z) - Decimal(m)) / Decimal(temperature)).exp()
        return power if power or math.isinf(z) else _SMALLEST


@dataclass(frozen=True, eq=False)
class Numbers:
    """The numbers of some samples: floats, and decimals where float64 has no room for them.

    Attributes
    ----------
    z, T
        Logits, shape (K, C), and temperature.
    g
        Upstream gradients, shape (K, C), where there are any.
    """

    z: Floats
    T: float
    g: Floats | None = None

    @cached_property
    def y(self) -> Floats:
        """Probabilities, rounded to float64."""
        return core.softmax(self.z, temperature=self.T)

    @cached_property
    def log_y(self) -> Floats:
        """Log-probabilities, rounded to float64."""
        return core.log_softmax(self.z, temperature=self.T)

    @cached_property
    def v(self) -> Floats:
        """Upstream gradients times Jacobians, rounded to float64."""
        assert self.g is not None
        return core.vjp(self.z, self.g, temperature=self.T)

    @cached_property
    def _complement(self) -> Floats:
        return core.complement(self.z, temperature=self.T)

    def probability(self, k: int, j: int) -> Number:
        """Return y_j of sample k."""
        y = float(self.y[k, j])
        if is_held(y):
            return y
        top = int(self.z[k].argmax())
        with localcontext(_ANY_SIZE):
            return Decimal(float(self.y[k, top])) * self._power(k, j, top)

    def _power(self, k: int, j: int, top: int) -> Decimal:
        return exponential(float(self.z[k, j]), float(self.z[k, top]), self.T)

    def rest(self, k: int, j: int) -> Number:
        """Return 1 - y_j of sample k."""
        rest = float(self._complement[k, j])
        return rest if is_held(rest) else self._together(k, np.arange(self.z.shape[1]) != j)

    def log_probability(self, k: int, j: int) -> Number:
        """Return log y_j of sample k."""
        log_y, z, m = float(self.log_y[k, j]), float(self.z[k, j]), float(self.z[k].max())
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

    def product(self, k: int, i: int) -> Number:
        """Return v_i = y_i sum_j y_j (g_i - g_j)/T of sample k."""
        v = float(self.v[k, i])
        if is_held(v):
            return v
        assert self.g is not None
        z, g = self.z[k], self.g[k]
        differs = np.isfinite(z) & (g != g[i])
        if not differs.any():
            return 0.0
        scale = float(np.abs(g[differs | (g == g[i])]).max())
        terms = self._alone(k, differs)[differs] * (g[i] / scale - g[differs] / scale)
        mean = math.fsum(terms)
        if abs(mean) <= _ROUNDING * math.fsum(abs(terms)):
            return 0.0
        with localcontext(_ANY_SIZE):
            distance = self._together(k, differs) * Decimal(mean) * Decimal(scale)
            return Decimal(self.probability(k, i)) * distance / Decimal(self.T)

    def _alone(self, k: int, classes: NDArray[np.bool_]) -> Floats:
        """Return the probabilities of some classes among themselves."""
        return core.softmax(np.where(classes, self.z[k], -np.inf), temperature=self.T)

    def _together(self, k: int, classes: NDArray[np.bool_]) -> Decimal:
        """Return the sum of the probabilities of some classes of sample k."""
        classes = classes & np.isfinite(self.z[k])
        if not classes.any():
            return Decimal(0)
        q = self._alone(k, classes)
        top = int(q.argmax())
        with localcontext(_ANY_SIZE):
            return Decimal(self.probability(k, top)) / Decimal(float(q[top]))
