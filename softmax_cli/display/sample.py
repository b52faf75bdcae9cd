"""One sample's numbers, ready to be shown."""

from dataclasses import dataclass

import numpy as np

from softmax_cli.display.numbers import given, negative, positive, probability, signed
from softmax_cli.mathematics import core
from softmax_cli.samples import Batch, FloatArray


@dataclass(frozen=True)
class Samples:
    """The logits of some samples, their probabilities, and the text of each.

    Attributes
    ----------
    z, y, complement
        Logits, probabilities and 1 - probabilities, shape (K, C).
    masked, alone
        Where a class is masked, and where it is the only one that is not.
    """

    z: FloatArray
    y: FloatArray
    complement: FloatArray
    masked: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    alone: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]

    @classmethod
    def at(cls, z: FloatArray, temperature: float) -> "Samples":
        """Compute what is shown of logits of shape (K, C)."""
        masked = np.isneginf(z)
        return cls(
            z,
            core.softmax(z, temperature=temperature),
            core.complement(z, temperature=temperature),
            masked,
            ~masked & (masked.sum(axis=1, keepdims=True) == z.shape[1] - 1),
        )

    def logit(self, k: int, j: int) -> str:
        """Show z_j of sample k."""
        return given(self.z[k, j])

    def probability(self, k: int, j: int, precision: int) -> str:
        """Show y_j of sample k."""
        return probability(
            self.y[k, j],
            self.complement[k, j],
            precision,
            bool(self.masked[k, j]),
            bool(self.alone[k, j]),
        )

    def log_probability(self, k: int, j: int, value: float, precision: int) -> str:
        """Show log y_j of sample k."""
        if self.masked[k, j]:
            return "-inf"
        return negative(value, precision, zero=bool(self.alone[k, j]))

    def partial(self, k: int, j: int, i: int, value: float, precision: int) -> str:
        """Show dy_j/dz_i of sample k."""
        zero = bool(self.masked[k, j] or self.masked[k, i] or self.alone[k].any())
        show = positive if i == j else negative
        return show(value, precision, zero=zero)


@dataclass(frozen=True)
class Products:
    """The products v of upstream gradients with J, and the text of each.

    Attributes
    ----------
    v, sign
        Their values, and the signs of the exact ones, shape (K, C).
    """

    v: FloatArray
    sign: FloatArray

    @classmethod
    def at(cls, batch: Batch, v: FloatArray, temperature: float) -> "Products":
        """Compute what is shown of the products v of a batch."""
        return cls(v, np.sign(v))

    def product(self, k: int, i: int, precision: int) -> str:
        """Show v_i of sample k."""
        return signed(self.v[k, i], self.sign[k, i], precision)
