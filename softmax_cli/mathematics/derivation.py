"""What the derivation of the softmax derivative shows of one sample, and its numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core
from softmax_cli.mathematics.exact import Number, Numbers, exponential

# Beyond it e^z gets long to read, and overflows or underflows in the end.
LARGEST_SHOWN_EXPONENT = 30.0
# Below it the sum S, written down, cannot be told from its largest term.
SMALLEST_SHOWN_REST = 1e-4


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
    z: NDArray[np.float64]
    temperature: float
    entries: tuple[tuple[int, int], ...]
    shift: float | None
    log: bool = False

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
    z: NDArray[np.float64],
    classes: Sequence[str],
    entry: tuple[int, int] | None = None,
    temperature: float = 1.0,
    sample: str = "",
    log: bool = False,
) -> Derivation:
    """Choose what to show: by default one entry on the diagonal of J and one off it."""
    top = int(z.argmax())
    far = not abs(float(z[top])) / temperature <= LARGEST_SHOWN_EXPONENT
    # Unmasked ones first.
    others = sorted((i for i in range(len(z)) if i != top), key=lambda i: z[i] == -np.inf)
    rest = core.complement(z, temperature=temperature)[top]
    saturated = np.isfinite(z).sum() > 1 and rest < SMALLEST_SHOWN_REST
    entries = [entry] if entry else [(top, top), *((top, i) for i in others[:1])]
    shift = float(z[top]) if far or saturated else None
    return Derivation(sample, tuple(classes), z, temperature, tuple(entries), shift, log)
