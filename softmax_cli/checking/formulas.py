"""Wrong formulas: what they are made of, and when one of them explains a failing candidate."""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core

FloatArray = NDArray[np.float64]
Kind = Literal["probabilities", "jacobian", "vjp"]

# A wrong formula that is hardly wrong here (as many are where softmax saturates) explains nothing.
CLEARLY_WRONG = 10.0
# A relative error larger than this is wrong in any precision.
_MOST_ROUNDING = 0.1


@dataclass(frozen=True, eq=False)
class Case:
    """A candidate, what is expected of it, and all that a wrong formula may be made of.

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
    def nan(self) -> int:
        """How many of the candidate's entries are NaN."""
        return int(np.isnan(self.actual).sum())

    @property
    def factor(self) -> float:
        """What the largest entry is multiplied by."""
        largest = np.unravel_index(int(np.abs(self.expected).argmax()), self.expected.shape)
        return float(self.actual[largest] / self.expected[largest])

    @property
    def chain(self) -> float:
        """The factor of the chain rule: 1/T in a derivative."""
        return 1.0 if self.quantity == "probabilities" else 1 / self.T

    @property
    def roundings(self) -> float:
        """How many roundings a result may have: more where z/T, which is rounded, is large."""
        largest = np.where(np.isfinite(self.z), np.abs(self.z), 0.0).max()
        return float(8 + 6 * largest / self.T)

    @property
    def error(self) -> FloatArray:
        """The candidate's absolute errors; infinite for NaN."""
        error = np.abs(self.actual - self.expected)
        return np.where(np.isnan(error), np.inf, error)

    @property
    def excess(self) -> FloatArray:
        """The candidate's errors in units of their bounds."""
        return self.beyond(self.expected, self.actual)

    def beyond(self, expected: FloatArray, actual: FloatArray) -> FloatArray:
        """Return errors in units of the bound; the same infinity, or NaN twice, is no error."""
        same = (expected == actual) | (np.isnan(expected) & np.isnan(actual))
        error = np.abs(actual - expected) / (self.atol + self.rtol * np.abs(expected))
        return np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))

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

    def rounding(self, dtype: type[np.floating[Any]] = np.float64) -> FloatArray:
        """Return by how much rounding may change an entry of the right formula, as written."""
        terms, scale = self.expected, 1.0
        if self.quantity != "probabilities":
            g = None if self.g is None else np.abs(self.g)
            terms = replace(self, g=g).result(self.y, self.y, self.y)
            scale = self.chain * (1.0 if g is None else max(1.0, float(g.max())))
        limits = np.finfo(dtype)
        # What underflows is off by the least number.
        least = float(limits.smallest_subnormal) * max(1.0, scale)
        unit = min(self.roundings * float(limits.eps), _MOST_ROUNDING)
        return np.maximum(unit * terms, self.roundings * least)

    def is_explained_by(self, wrong: FloatArray) -> bool:
        """Tell whether every entry of the candidate is what a wrong formula gives.

        A formula may yield `actual` itself to say that it explains it.
        """
        if wrong is self.actual:
            return True
        values = np.broadcast_to(wrong, self.actual.shape)
        if self.beyond(values, self.actual).max() > 1:
            return False
        # A formula that is the right one here, as of one sample or at T = 1, is no mistake.
        is_rounding = (np.abs(values - self.expected) <= self.rounding()).all()
        return not is_rounding and bool(self.beyond(self.expected, values).max() > CLEARLY_WRONG)
