"""The number formats that results are computed in: their rounding, and the size of an ulp."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Precision:
    """A binary floating-point format (IEEE 754-2019, section 3.3; bfloat16 has 8 bits).

    Attributes
    ----------
    name
        As numpy and torch call it.
    bits
        How many its significand has.
    least
        The exponent of its smallest subnormal number.
    largest
        Its largest finite number.
    roundings
        How many ulps a right result may be off: float32 sums may be as long as they come, and the
        16-bit formats are for storing what was computed in float32.
    """

    name: str
    bits: int
    least: int
    largest: float
    roundings: float

    @property
    def eps(self) -> float:
        """The distance from 1 to the next number."""
        return float(2.0 ** (1 - self.bits))

    def ulp(self, x: FloatArray) -> FloatArray:
        """Return the distance from x to the next number of the format."""
        exponent = np.where(x == 0, self.least, np.frexp(x)[1] - self.bits)
        return np.ldexp(1.0, np.maximum(exponent, self.least))

    def round(self, x: FloatArray) -> FloatArray:
        """Round to the format, to even; what is too large becomes infinite."""
        if self.bits == FLOAT64.bits:
            return x
        unit = self.ulp(x)
        rounded = np.rint(x / unit) * unit
        return np.where(np.abs(rounded) > self.largest, np.copysign(np.inf, x), rounded)


FLOAT64 = Precision("float64", 53, -1074, float(np.finfo(np.float64).max), 0.0)
FLOAT32 = Precision("float32", 24, -149, float(np.finfo(np.float32).max), 80.0)
FLOAT16 = Precision("float16", 11, -24, 65504.0, 4.0)
BFLOAT16 = Precision("bfloat16", 8, -133, (2.0 - 2.0**-7) * 2.0**127, 4.0)
PRECISIONS = {each.name: each for each in (FLOAT64, FLOAT32, FLOAT16, BFLOAT16)}


def precision_of(dtype: Any) -> Precision:
    """Return the format of an array's or a tensor's dtype; of others, float64."""
    return PRECISIONS.get(str(dtype).rpartition(".")[2], FLOAT64)


_LOOKED_AT = 100_000


# A number of more digits was printed to be read back; one of fewer says too little.
def printed_digits(
    values: FloatArray, likely: range = range(3, 10)
) -> tuple[int, FloatArray] | None:
    """Return how many digits text was printed with, and half a unit in the last one of each.

    Numbers printed with so many decimals, or with so many significant digits, are told by the
    number that needs most of them. None if they were printed to be read back, or with too few.
    """
    finite = values[np.isfinite(values) & (values != 0)][:_LOOKED_AT]
    cells = [Decimal(repr(value)).normalize().as_tuple() for value in finite.tolist()]
    significant = max((len(cell.digits) for cell in cells), default=0)
    if significant not in likely:
        return None
    decimals = max(-int(cell.exponent) for cell in cells)
    with np.errstate(divide="ignore"):
        size = np.floor(np.log10(np.abs(values)))
    unit = np.maximum(10.0**-decimals, 10.0 ** (size - significant + 1))
    return significant, np.where(np.isfinite(values), 0.5 * unit * (1 + 1e-6), 0.0)


def shown_precision(values: FloatArray) -> Precision:
    """Return the coarsest format that all of these are numbers of, and need the digits of."""
    finite = values[np.isfinite(values)]

    def are_numbers_of(each: Precision) -> bool:
        # Perhaps printed with the 9 digits that tell apart what is float32.
        return bool((np.abs(finite - each.round(finite)) <= 2e-9 * np.abs(finite)).all())

    for each in (BFLOAT16, FLOAT16, FLOAT32):
        if are_numbers_of(each):
            return FLOAT64 if are_numbers_of(replace(each, bits=each.bits // 2 + 1)) else each
    some = finite[:10_000]
    shortest = [float(str(value)) for value in some.astype(np.float32)]
    is_shortest = np.array_equal(shortest, some) and printed_digits(some, range(8, 10))
    return FLOAT32 if is_shortest else FLOAT64
