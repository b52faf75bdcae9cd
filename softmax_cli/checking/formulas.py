"""What is checked, in which number format, and when a wrong formula explains what fails.

A formula may have one number, which is fitted: a temperature, a factor, an eps.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core

FloatArray = NDArray[np.float64]
Kind = Literal["probabilities", "jacobian", "vjp"]
# Of results, one a sample or C for a Jacobian; and the largest entry that connects two samples.
Rows = tuple[NDArray[Any], float]

# The relative error of an entry that tells something.
_TELLING = 0.1


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
    return PRECISIONS.get(str(getattr(dtype, "name", dtype)).rpartition(".")[2], FLOAT64)


def printed_digits(x: FloatArray) -> Sequence[int]:
    """Return how many significant digits and decimals, at most, numbers were printed with."""
    finite = x[np.isfinite(x) & (x != 0)][:100_000]
    cells = [Decimal(repr(value)).normalize().as_tuple() for value in finite.tolist()]
    digits = max((len(cell.digits) for cell in cells), default=0)
    return digits, max((-int(cell.exponent) for cell in cells), default=0)


# A number of more digits was printed to be read back; one of fewer says too little.
@np.errstate(divide="ignore")
def half_units(x: FloatArray, printed: Sequence[int], few: Any = range(3, 10)) -> FloatArray | None:
    """Return half a unit in the last digit of each number, of which one has the most digits.

    They were printed with so many decimals, or with so many significant digits. None if they were
    printed to be read back, or with too few.
    """
    digits, decimals = printed
    if digits not in few:
        return None
    unit = np.maximum(10.0**-decimals, 10.0 ** (np.floor(np.log10(np.abs(x))) - digits + 1))
    return np.where(np.isfinite(x), 0.5 * unit * (1 + 1e-6), 0.0)


def shown_precision(values: FloatArray) -> Precision:
    """Return the coarsest format that all of these are numbers of, and need the digits of."""
    finite = values[np.isfinite(values)]

    def are_numbers_of(each: Precision) -> bool:
        # Perhaps printed with the 9 digits that tell apart what is float32.
        return bool((np.abs(finite - each.round(finite)) <= 2e-9 * np.abs(finite)).all())

    for each in (BFLOAT16, FLOAT16, FLOAT32):
        if are_numbers_of(each):
            return FLOAT64 if are_numbers_of(replace(each, bits=each.bits // 2 + 1)) else each
    x = finite[:10_000]
    shortest = [float(str(value)) for value in x.astype(np.float32)]
    return FLOAT32 if np.array_equal(shortest, x) and printed_digits(x)[0] in (8, 9) else FLOAT64


@dataclass(frozen=True, eq=False)
class Task:
    """What is computed, and all that right and wrong formulas of it are made of.

    Attributes
    ----------
    quantity
        What is computed.
    z, g
        Logits and upstream gradients, shape (K, C); g is None unless the quantity is ``vjp``.
    T
        The temperature.
    log
        Whether it is of log-softmax.
    precision
        The number format of z, and of the results.
    lead
        The axes of the samples, (K,) where there is one or none is given.
    apart
        Whether each sample is known to have the same results in any batch.
    """

    quantity: Kind
    z: FloatArray
    g: FloatArray | None = None
    T: float = 1.0
    log: bool = False
    precision: Precision = FLOAT64
    lead: tuple[int, ...] = ()
    apart: bool = False

    @property
    def whole(self) -> tuple[int, ...]:
        """The shape of the logits with the axes of the samples, the classes last."""
        return (*(self.lead or self.z.shape[:1]), self.z.shape[1])

    @cached_property
    def y(self) -> FloatArray:
        """The probabilities."""
        return core.softmax(self.z, temperature=self.T)

    def parts(self, y: FloatArray | None = None) -> tuple[Any, Any, Any]:
        """Return d, u and v of T J = diag(d) + u v' that is made of these probabilities, or y."""
        y = self.y if y is None else y
        return (1.0, -1.0, y) if self.log else (y, -y, y)

    @property
    def is_derivative(self) -> bool:
        """Whether it is J, or a product with it."""
        return self.quantity != "probabilities"

    @property
    def chain(self) -> float:
        """The factor of the chain rule: 1/T in a derivative."""
        return 1 / self.T if self.is_derivative else 1.0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the results: (K, C), or (K, C, C) for ``jacobian``."""
        K, C = self.z.shape
        return (K, C, C) if self.quantity == "jacobian" else (K, C)

    def exact(self, samples: slice = slice(None), outputs: slice = slice(None)) -> FloatArray:
        """Compute the exact results of some samples, of J some rows."""
        z, T, log = self.z[samples], self.T, self.log
        match self.quantity:
            case "probabilities":
                return (core.log_softmax if log else core.softmax)(z, temperature=T)
            case "jacobian":
                return core.jacobian_rows(z, outputs, T, log)
            case "vjp":
                assert self.g is not None
                return core.vjp(z, self.g[samples], temperature=T, log=log)

    def given(self, **changes: Any) -> FloatArray:
        """Compute the exact results of other logits, gradients or another temperature."""
        return replace(self, **changes).exact()

    def some(self, samples: slice) -> "Task":
        """Return what is computed of some samples."""
        g = None if self.g is None else self.g[samples]
        lead = self.lead if samples == slice(None) else ()
        return replace(self, z=self.z[samples], g=g, lead=lead)

    def tolerances(self, *, ours: bool = False) -> tuple[FloatArray, float]:
        """Return atol for each sample, and rtol, of results in this precision.

        In float64 atol grows with the size of the gradient of that sample; in less with that of
        the results, whose terms are rounded; for logits of ours, which are large, z/T is as well.
        """
        largest = np.ones(len(self.z)) if self.g is None else np.abs(self.g).max(axis=1)
        if self.precision is FLOAT64:
            # What any right implementation keeps, also where softmax saturates.
            return 1e-12 * np.maximum(1.0, largest) * self.chain, 1e-9
        most, eps = self.y.max(axis=1), self.precision.eps
        sums = 0.0 if self.g is None else np.abs(self.g.sum(axis=1))
        size = (largest + most * sums if self.log else largest * most) * self.chain
        quotients = np.where(np.isfinite(self.z), np.abs(self.z), 0.0).max(axis=1) / self.T
        units = self.precision.roundings + 2 * quotients * (ours and math.frexp(self.T)[0] != 0.5)
        least = math.ldexp(1.0, self.precision.least) * max(1.0, self.chain)
        return units * eps / 2 * size + least, self.precision.roundings * eps

    def result(self, d: Any, u: Any, v: Any) -> FloatArray:
        """Return (diag(d) + u v')/T, or an upstream gradient times it, as the quantity is."""
        if self.g is None:
            d, u, v = (part + np.zeros(self.z.shape) for part in (d, u, v))
            J = d[:, :, None] * np.eye(d.shape[1]) + u[:, :, None] * v[:, None, :]
            return np.asarray(J / self.T)
        return np.asarray((d * self.g + v * (u * self.g).sum(axis=1, keepdims=True)) / self.T)

    def of_y(self, y: FloatArray) -> FloatArray:
        """Return probabilities, or the derivative that is made of them, as the quantity is."""
        if not self.is_derivative:
            return np.log(y) if self.log else y
        return self.result(*self.parts(y))


def deviation(exact: FloatArray, actual: FloatArray, bound: FloatArray | float = 1.0) -> FloatArray:
    """Return errors in units of a bound; the same infinity, or NaN twice, is no error."""
    if np.isfinite(error := np.asarray(np.abs(actual - exact) / bound)).all():
        return error
    same = (exact == actual) | (np.isnan(exact) & np.isnan(actual))
    return np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))


@dataclass(frozen=True, eq=False, kw_only=True)
class Case(Task):
    """A candidate beside what is expected of it.

    Attributes
    ----------
    expected, actual
        Of the shape of the results.
    atol, rtol
        The bound atol + rtol abs(expected); atol for each sample.
    unit
        Half a unit in the last printed digit of each entry, which passes too; or 0.
    """

    expected: FloatArray
    actual: FloatArray
    atol: FloatArray
    rtol: float
    unit: FloatArray | float = 0.0

    def ratios(self, axis: tuple[int, ...]) -> FloatArray:
        """What the exact results are multiplied by, the same along some axes: by least squares."""
        expected, actual = self.expected, self.actual
        is_some = np.isfinite(expected) & np.isfinite(actual) & (expected != 0)
        weight = expected / self.bound(expected) ** 2
        sums = ((weight * x).sum(axis, keepdims=True, where=is_some) for x in (actual, expected))
        return np.asarray(np.divide(*sums))

    @property
    def freedom(self) -> int:
        """How many numbers the results tell, by entries that are not lost in their bounds."""
        least = np.minimum(np.abs(self.expected), np.abs(self.actual))
        tells = self.bound(self.expected) < _TELLING * least
        if self.quantity == "jacobian":
            tells = np.diagonal(tells, axis1=1, axis2=2)
        total = np.exp(self.actual) if self.log else self.actual
        # Equal samples tell the same, and one entry of a sample follows from the others.
        given = self.z if self.g is None else np.hstack([self.z, self.g])
        tells = tells[np.unique(given, axis=0, return_index=True)[1]]
        follows = self.is_derivative or (np.abs(total.sum(axis=1) - 1) < _TELLING).all()
        return int(np.maximum(tells.sum(axis=1) - follows, 0).sum())

    @property
    def roundings(self) -> float:
        """How many roundings a result may have: more where z/T, which is rounded, is large."""
        return float(8 + 6 * np.where(np.isfinite(self.z), np.abs(self.z), 0.0).max() / self.T)

    @property
    def error(self) -> FloatArray:
        """The candidate's absolute errors; infinite for NaN."""
        return deviation(self.expected, self.actual)

    @property
    def excess(self) -> FloatArray:
        """The candidate's errors in units of their bounds."""
        return self.beyond(self.expected, self.actual)

    def bound(self, expected: FloatArray) -> FloatArray:
        """Return how far from these an entry may be."""
        atol = self.atol.reshape(-1, *(1,) * (expected.ndim - 1))
        return np.maximum(atol + self.rtol * np.abs(expected), self.unit)

    def beyond(self, expected: FloatArray, actual: FloatArray) -> FloatArray:
        """Return errors in units of the bound."""
        return deviation(expected, actual, self.bound(expected))

    def rounding(self, precision: Precision = FLOAT64) -> FloatArray:
        """Return by how much rounding may change an entry of the right formula, as written."""
        terms, scale = np.abs(self.expected), 1.0
        if self.is_derivative:
            g = None if self.g is None else np.abs(self.g)
            terms = replace(self, g=g).result(*map(np.abs, self.parts()))
            scale = self.chain * (1.0 if g is None else max(1.0, float(g.max())))
        elif self.log:
            terms = np.where(terms < np.inf, terms + 1, 0.0)  # log 0 is not rounded
        # What underflows is off by the least number.
        least = math.ldexp(1.0, precision.least) * max(1.0, scale)
        # A relative error of more than a tenth is wrong in any precision.
        return np.maximum(min(self.roundings * precision.eps, 0.1) * terms, self.roundings * least)

    def is_explained_by(self, wrong: FloatArray, fitted: int = 0) -> bool:
        """Tell whether every entry of the candidate is what a wrong formula gives.

        A formula may yield `actual` itself to say that it explains it. Numbers that are fitted to
        the candidate double the bound, and the formula must explain more than these.
        """
        if wrong is self.actual:
            return True
        values = np.broadcast_to(wrong, self.actual.shape)
        if (misfit := self.beyond(values, self.actual).max()) > (2 if fitted else 1):
            return False
        # A formula that is the right one here, as of one sample or at T = 1, or hardly wrong, as
        # many are where softmax saturates, is no mistake, and NaN alone is another one.
        is_rounding = (deviation(self.expected, values) < self.rounding(self.precision)).all()
        clear = float(self.beyond(self.expected, values).max())
        least = 10.0 if fitted else min(10.0, max(40 * misfit, 1.0))
        if is_rounding or not clear > least or not np.isfinite(values).any():
            return False
        # A number is believed if it leaves three digits, of all results together, to be explained.
        return fitted == 0 or (self.freedom - fitted) * math.log10(clear) > 3


# A wrong formula for each value of a number.
Family = Callable[[Task, float], FloatArray]
# What a wrong formula gives, perhaps with numbers of its own by name, for the advice.
Wrong = FloatArray | tuple[FloatArray, dict[str, float]]


def fit(case: Case, family: Family, low: float, high: float) -> Iterator[Wrong]:
    """Yield the candidate with the number for which a family explains it, if there is one.

    It is found by least squares: the best of some numbers, then by Gauss and Newton's steps.
    """
    size = case.actual[0].size
    if case.freedom < 2 or size > 300_000:
        return
    few = slice(max(1, 20_000 // size))
    task, actual, bound = case.some(few), case.actual[few], case.bound(case.actual)[few]

    def misfit(number: float, scale: FloatArray | float = 0.0) -> FloatArray:
        values = family(task, number)
        error = deviation(values, actual, bound + scale * (np.abs(values) + np.abs(actual)))
        return np.copysign(np.minimum(error, 1e12), values - actual).ravel()  # no NaN, no infinity

    ends = [family(case, number) for number in (low, high)]
    # Any number as small, or as large, would do, or any at all.
    would_do = any(case.is_explained_by(each, fitted=1) for each in ends)
    if would_do or np.array_equal(ends[1], case.expected):
        return
    # Relative to the values, so that too much is no worse than too little.
    near = np.geomspace(low, high, 48) if low > 0 else np.linspace(-45, high, 48)
    spaced = np.r_[-np.geomspace(-low, 50, 99) if low < 0 else near[:0], near].tolist()
    number = min(spaced, key=lambda each: np.abs(misfit(each, 1.0)).sum())
    for _ in range(8):
        step, error = 1e-6 * (abs(number) or 1.0), misfit(number)
        slope = (misfit(number + step) - error) / step
        better = number - float(slope @ error / (slope @ slope))
        number = better if low <= better <= high else number
    fails = (case.excess > 1).reshape(len(case.z), -1).any(axis=1)
    for found in shortest(case, family, number):
        # Of one sample that fails some number may fit by chance: it says something if it is round.
        if fails.sum() > 1 or found == float(f"{found:.2g}"):
            yield case.actual, {"number": found}


def shortest(case: Case, family: Family, number: float) -> Iterator[float]:
    """Yield the number of fewest digits near this one for which a family explains a case."""
    if case.is_explained_by(family(case, number), fitted=1):
        rounded = [0.0] * (abs(number) < 1e-9) + [float(f"{number:.{p}g}") for p in range(1, 18)]
        few = next(each for each in rounded if case.is_explained_by(family(case, each), fitted=1))
        fits = (each for each in rounded if case.beyond(family(case, each), case.actual).max() <= 1)
        yield next(fits, few)
