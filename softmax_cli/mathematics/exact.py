"""Numbers of any size: what float64 cannot hold of a softmax, as decimals.

At a maximum m of the logits z, y_m is no small number, and y_j = y_m exp((z_j - m)/T) has any
size; 1 - y_j is the sum of the others. Only what a float cannot hold is computed so.
"""

import math
from collections.abc import Callable, Sequence
from decimal import MAX_EMAX, MIN_EMIN, ROUND_UP, Context, Decimal, localcontext
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core
from softmax_cli.mathematics.inputs import or_limit

Floats = NDArray[np.float64]
Number = float | Decimal

_SMALLEST_NORMAL = 2.0**-1022
# Rounded up, a product that is too small even for decimals stays apart from 0.
_ANY_SIZE = Context(prec=30, Emin=MIN_EMIN, Emax=MAX_EMAX, rounding=ROUND_UP, traps=[])
_SMALLEST = Decimal((0, (1,), MIN_EMIN))


def _of_any_size(value: float, exact: Callable[[], Decimal]) -> Number:
    """Return a value that float64 holds with all digits, or else the exact one."""
    if _SMALLEST_NORMAL <= abs(value) < math.inf:
        return value
    with localcontext(_ANY_SIZE):
        return exact()


def exponential(z: float, m: float, temperature: float) -> Number:
    """Return exp((z - m)/T), which is 0 for z = -inf alone."""
    if math.isinf(z):
        return 0.0
    return _of_any_size(
        math.exp((z - m) / temperature),
        lambda: ((Decimal(z) - Decimal(m)) / Decimal(temperature)).exp() or _SMALLEST,
    )


def quotient(value: Number, divisor: float) -> Number:
    """Divide numbers of any size."""
    return _of_any_size(float(value) / divisor, lambda: Decimal(value) / Decimal(divisor))


class Numbers:
    """The numbers of some samples: floats, and decimals where float64 has no room for them.

    Derivatives are those of log-softmax if that is asked for.
    """

    def __init__(self, z: Floats, T: float, g: Floats | None = None, *, log: bool = False) -> None:
        (self.z, self.T), self.g, self.log = or_limit(z, T), g, log

    @cached_property
    def y(self) -> Floats:
        """Probabilities, rounded to float64."""
        return core.softmax(self.z, temperature=self.T)

    @cached_property
    def _rests(self) -> Floats:
        return core.complement(self.z, temperature=self.T)

    def of(self, quantity: str, k: int, place: Sequence[int], value: float) -> Number:
        """Return an entry of sample k, at its output and input, of which float64 has this value."""
        match quantity:
            case "jacobian":
                return self.partial(k, place[0], place[1], value)
            case "vjp":
                return self.product(k, place[0], value)
        j = place[0]
        return self.log_probability(k, j, value) if self.log else self.probability(k, j)

    def probability(self, k: int, j: int) -> Number:
        """Return y_j of sample k."""

        def exact() -> Decimal:
            top = int(self.z[k].argmax())
            power = exponential(float(self.z[k, j]), float(self.z[k, top]), self.T)
            return Decimal(float(self.y[k, top])) * Decimal(power)

        return _of_any_size(float(self.y[k, j]), exact)

    def rest(self, k: int, j: int) -> Number:
        """Return 1 - y_j of sample k."""
        others = (Decimal(self.probability(k, i)) for i in range(self.z.shape[1]) if i != j)
        return _of_any_size(float(self._rests[k, j]), lambda: sum(others, Decimal(0)))

    def log_probability(self, k: int, j: int, log_y: float) -> Number:
        """Return log y_j of sample k, of which float64 has this value."""
        z, m = float(self.z[k, j]), float(self.z[k].max())

        def exact() -> Decimal:
            if log_y:  # beyond the largest float64, where log S is nothing
                return (Decimal(z) - Decimal(m)) / Decimal(self.T)
            return -Decimal(self.rest(k, j))

        return log_y if math.isinf(z) else _of_any_size(log_y, exact)

    def partial(self, k: int, j: int, i: int, value: float) -> Number:
        """Return dy_j/dz_i of sample k, of which float64 has this value."""

        def exact() -> Decimal:
            factor = self.rest(k, j) if i == j else -self.probability(k, i)
            y_j = 1 if self.log else self.probability(k, j)
            return Decimal(y_j) * Decimal(factor) / Decimal(self.T)

        return _of_any_size(value, exact)

    def product(self, k: int, i: int, v: float) -> Number:
        """Return v_i = y_i (g_i - mean g)/T of sample k, of which float64 has this value."""

        def exact() -> Decimal:
            assert self.g is not None
            g, y_i = [Decimal(each) for each in self.g[k].tolist()], self.probability(k, i)
            if self.log:
                own = g[i] * Decimal(self.rest(k, i))
                return (own - Decimal(y_i) * (sum(g) - g[i])) / Decimal(self.T)
            # Differences from g_i leave no large terms; all are 0 where g is constant.
            terms = (Decimal(self.probability(k, j)) * (g[i] - g_j) for j, g_j in enumerate(g))
            return Decimal(y_i) * sum(terms, Decimal(0)) / Decimal(self.T)

        return _of_any_size(v, exact)
