"""Numbers of any size, and those of a derivation: what float64 cannot hold, as decimals.

At a maximum m of the logits z, y_m is no small number, and y_j = y_m exp((z_j - m)/T) has any
size; 1 - y_j is the sum of the others. Only what a float cannot hold is computed so.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_UP, Context, Decimal, localcontext
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core
from softmax_cli.mathematics.inputs import or_limit

Floats = NDArray[np.float64]
Number = float | Decimal
Entry = tuple[int, int]  # of J: output and input

# Rounded up, a product that is too small even for decimals stays apart from 0.
_ANY_SIZE = Context(prec=30, Emin=MIN_EMIN, Emax=MAX_EMAX, rounding=ROUND_UP, traps=[])


def _of_any_size(value: float, exact: Callable[[], Decimal]) -> Number:
    """Return a value that float64 holds with all digits, or else the exact one."""
    if 2.0**-1022 <= abs(value) < math.inf:
        return value
    with localcontext(_ANY_SIZE):
        return exact() or 0.0


def exponential(z: float, m: float, T: float) -> Number:
    """Return exp((z - m)/T), which is 0 for z = -inf alone."""
    if math.isinf(z):
        return 0.0
    with localcontext(_ANY_SIZE):  # a float of z - m would lose what its exponential shows
        power = ((Decimal(z) - Decimal(m)) / Decimal(T)).exp() or Decimal((0, (1,), MIN_EMIN))
    return _of_any_size(float(power), lambda: power)


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
        j = place[0]
        if quantity == "jacobian":
            return self.partial(k, j, place[1], value)
        if quantity == "vjp":
            return self.product(k, j, value)
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
            if abs(log_y) > 1:  # beyond the largest float64, where log S is nothing
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


@dataclass(frozen=True, eq=False)
class Derivation:
    """The derivation for one sample.

    Attributes
    ----------
    sample, classes
        What it is called, or "", and the classes' names.
    z, temperature
        Its logits, and T.
    entries
        Output and input of the entries that are explained.
    shift
        The maximum, where the exponentials are shown shifted by it, or None.
    log
        Whether it leads on to the derivative of log-softmax.
    """

    sample: str
    classes: tuple[str, ...]
    z: Floats
    temperature: float
    entries: tuple[Entry, ...]
    shift: float | None
    log: bool

    @cached_property
    def numbers(self) -> Numbers:
        """Its numbers, of any size."""
        return Numbers(self.z[np.newaxis], self.temperature, log=self.log)

    def y(self, j: int) -> tuple[Number, Number]:
        """Return y_j and 1 - y_j."""
        return self.numbers.probability(0, j), self.numbers.rest(0, j)

    def partial(self, j: int, i: int) -> Number:
        """Return dy_j/dz_i."""
        row = core.jacobian_rows(self.z, [j], self.temperature, self.log)[0]
        return self.numbers.partial(0, j, i, float(row[i]))

    def e(self, j: int) -> Number:
        """Return e^{z_j}, shifted and divided by T where that is so."""
        return exponential(float(self.z[j]), self.shift or 0.0, self.temperature)

    @cached_property
    def S(self) -> tuple[float, Number | None]:  # noqa: N802
        """The sum of the exponentials, and 1 - S where the largest of them is e^0 = 1."""
        m, top = self.shift or 0.0, int(self.z.argmax())
        S = math.fsum(math.exp((z - m) / self.temperature) for z in self.z.tolist())
        if self.e(top) != 1:
            return S, None
        rest = self.numbers.rest(0, top)
        return S, rest.copy_negate() if isinstance(rest, Decimal) else -rest * S


def derive(
    z: Floats, classes: Sequence[str], entry: Entry | None, T: float, sample: str, log: bool
) -> Derivation:
    """Choose what to show: by default one entry on the diagonal of J and one off it."""
    top = int(z.argmax())
    # Unmasked ones first.
    others = sorted((i for i in range(len(z)) if i != top), key=lambda i: z[i] == -np.inf)
    # The sum S, written down, cannot be told from its largest term.
    saturated = np.isfinite(z).sum() > 1 and core.complement(z, temperature=T)[top] < 1e-4
    entries = [entry] if entry else [(top, top), *((top, i) for i in others[:1])]
    # Far from 0 e^z gets long to read, and overflows or underflows in the end.
    shift = float(z[top]) if saturated or not abs(float(z[top])) / T <= 30 else None
    return Derivation(sample, tuple(classes), z, T, tuple(entries), shift, log)
