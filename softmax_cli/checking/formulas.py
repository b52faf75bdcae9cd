"""Wrong formulas: what they are made of, and when one of them explains a failing candidate."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core

FloatArray = NDArray[np.float64]
Kind = Literal["probabilities", "jacobian", "vjp"]

# A wrong formula that is hardly wrong here (as many are where softmax saturates) explains nothing.
CLEARLY_WRONG = 10.0
# What is further off than by this part of itself is wrong in any precision.
_MOST_ROUNDING = 0.1


@dataclass(frozen=True, eq=False)
class Case:
    """A failing candidate, and all that a wrong formula may be made of.

    Attributes
    ----------
    quantity
        What was computed.
    z, g
        Logits and upstream gradient, shape (K, C); g is None unless the quantity is ``vjp``.
    T
        The temperature.
    expected, actual
        Shape (K, C), or (K, C, C) for ``jacobian``.
    atol, rtol
        The bound atol + rtol abs(expected).
    """

    quantity: Kind
    z: FloatArray
    g: FloatArray | None
    T: float
    expected: FloatArray
    actual: FloatArray
    atol: float
    rtol: float

    @property
    def y(self) -> FloatArray:
        """The probabilities."""
        return core.softmax(self.z, temperature=self.T)

    @property
    def excess(self) -> FloatArray:
        """The candidate's errors in units of their bounds."""
        return self.beyond(self.expected, self.actual)

    @property
    def nan(self) -> int:
        """How many of the candidate's entries are NaN."""
        return int(np.isnan(self.actual).sum())

    def beyond(self, expected: FloatArray, actual: FloatArray) -> FloatArray:
        """Return errors in units of the bound; the same infinity, or NaN twice, is no error."""
        same = (expected == actual) | (np.isnan(expected) & np.isnan(actual))
        error = np.abs(actual - expected) / (self.atol + self.rtol * np.abs(expected))
        excess: FloatArray = np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))
        return excess

    def result(self, d: Any, u: Any, v: Any) -> FloatArray:
        """Return (diag(d) + u v')/T, or an upstream gradient times it, as the quantity is."""
        d, u, v = (np.broadcast_to(part, self.z.shape) for part in (d, u, v))
        if self.g is None:
            J = d[:, :, None] * np.eye(d.shape[1]) + u[:, :, None] * v[:, None, :]
            return np.asarray(J / self.T)
        return np.asarray((d * self.g + v * (u * self.g).sum(axis=1, keepdims=True)) / self.T)

    def of_y(self, y: FloatArray) -> FloatArray:
        """Return probabilities, or the derivative that is made of them."""
        return y if self.quantity == "probabilities" else self.result(y, -y, y)


@dataclass(frozen=True, eq=False)
class Wrong:
    """What a mistake computes.

    Attributes
    ----------
    values
        The results.
    factor
        Where they are the exact ones times this.
    allowance
        Parameters of a check that lets them pass, by name.
    by_rounding
        Whether the formula is right, and fails by its rounding.
    eps
        The part of 1 to which all results are rounded, where that is the mistake.
    """

    values: FloatArray
    factor: float | None = None
    allowance: Mapping[str, float] = field(default_factory=dict)
    by_rounding: bool = False
    eps: float | None = None


Formula = Callable[[Case], Iterator[Wrong]]
# A matrix diag(d) + u v', each of shape (K, C) or a number: every mistake in J is of this form.
Form = tuple[Any, Any, Any]


def explains(case: Case, wrong: Wrong) -> bool:
    """Tell whether every entry of the candidate is what the wrong formula gives."""
    values = np.broadcast_to(wrong.values, case.actual.shape)
    if case.beyond(values, case.actual).max() > 1:
        return False
    if wrong.by_rounding:
        return True
    # A formula that is the right one here, as many are of one sample or at T = 1, is no mistake.
    is_rounding = np.abs(values - case.expected) <= rounding(case)
    return bool(case.beyond(case.expected, values).max() > CLEARLY_WRONG and not is_rounding.all())


def rounding(case: Case, dtype: type[np.floating[Any]] = np.float64) -> FloatArray:
    """Return by how much rounding may change each entry of the right formula, as it is written."""
    terms, scale = case.expected, 1.0
    if case.quantity != "probabilities":
        g = None if case.g is None else np.abs(case.g)
        terms = replace(case, g=g).result(case.y, case.y, case.y)
        scale = max(1.0, 1.0 if g is None else float(g.max())) / case.T
    limits = np.finfo(dtype)
    # What underflows is off by the least number.
    least = float(limits.smallest_subnormal) * max(1.0, scale)
    unit = min(roundings(case) * float(limits.eps), _MOST_ROUNDING)
    return np.maximum(unit * terms, roundings(case) * least)


def roundings(case: Case) -> float:
    """Return how many roundings a result may have: more where z/T, which is rounded, is large."""
    largest = np.where(np.isfinite(case.z), np.abs(case.z), 0.0).max()
    return float(8 + 6 * largest / case.T)


def matrix(*forms: Callable[[FloatArray], Form]) -> Formula:
    """Make a formula for J and vjp from wrong matrices, each a function of the probabilities."""

    def formula(case: Case) -> Iterator[Wrong]:
        if case.quantity != "probabilities":
            yield from (Wrong(case.result(*form(case.y))) for form in forms)

    return formula


def instead_of_y(*functions: Callable[[Case], FloatArray]) -> Formula:
    """Make a formula from wrong probabilities, for them and for the derivative made of them."""

    def formula(case: Case) -> Iterator[Wrong]:
        yield from (Wrong(case.of_y(function(case))) for function in functions)

    return formula


def at_temperature(power: int) -> Formula:
    """Make the formula of softmax(z / T^power), with the derivative that belongs to it."""

    def formula(case: Case) -> Iterator[Wrong]:
        other = replace(case, T=case.T**power)
        yield Wrong(other.of_y(other.y))

    return formula


def scaled(factor: Callable[[Case], float], *, derivatives_only: bool = False) -> Formula:
    """Make a formula from a factor on the exact result."""

    def formula(case: Case) -> Iterator[Wrong]:
        if case.quantity != "probabilities" or not derivatives_only:
            yield Wrong(case.expected * factor(case), factor=factor(case))

    return formula


def only(quantity: Kind, *functions: Callable[[Case], FloatArray]) -> Formula:
    """Make a formula for one quantity from functions that compute it."""

    def formula(case: Case) -> Iterator[Wrong]:
        if case.quantity == quantity:
            yield from (Wrong(function(case)) for function in functions)

    return formula
