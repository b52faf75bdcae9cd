"""Known mistakes in softmax and its derivative: what each of them computes, and what to change.

A candidate that fails is explained by a mistake when all its entries agree with the mistake's
wrong formula. Adding a mistake is one row of `CATALOGUE`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.formulas import CLEARLY_WRONG, Case, FloatArray
from softmax_cli.checking.precision import BFLOAT16, FLOAT16, FLOAT32, Precision
from softmax_cli.mathematics import core

# What a wrong formula gives, perhaps with numbers of its own by name, for the advice.
Wrong = FloatArray | tuple[FloatArray, dict[str, float]]

# A matrix diag(d) + u v', each of shape (K, C) or a number: every mistake in J is of this form.
Form = tuple[Any, Any, Any]


@dataclass(frozen=True)
class Mistake:
    """A row of the catalogue.

    Attributes
    ----------
    advice
        What to change.
    formula
        What it computes, perhaps in several ways; nothing where it does not apply.
    is_precision
        Whether results of fewer digits are a remedy.
    is_weak
        Whether it is no cause beside another one.
    """

    advice: str
    formula: Callable[[Case], Iterable[Wrong]]
    is_precision: bool = False
    is_weak: bool = False


def _matrix(advice: str, *forms: Callable[[FloatArray], Form]) -> Mistake:
    """Make a mistake in J and vjp of wrong matrices, each a function of the probabilities."""
    return _derivative(advice, lambda case: [case.result(*form(case.y)) for form in forms])


def _derivative(advice: str, formula: Callable[[Case], Iterable[FloatArray]]) -> Mistake:
    """Make a mistake in J and vjp."""
    return Mistake(advice, lambda case: formula(case) if case.quantity != "probabilities" else ())


def _vjp(advice: str, formula: Callable[[Case, FloatArray], Iterable[FloatArray]]) -> Mistake:
    """Make a mistake in vjp, a function also of the upstream gradient."""
    return Mistake(advice, lambda case: () if case.g is None else formula(case, case.g))


def _y_is(advice: str, *functions: Callable[[Case], FloatArray]) -> Mistake:
    """Make a mistake of wrong probabilities, for them and for the derivative made of them."""
    return Mistake(advice, lambda case: [case.of_y(function(case)) for function in functions])


def _temperature_is(advice: str, temperature: Callable[[float], float]) -> Mistake:
    """Make a mistake of another temperature, with the derivative that belongs to it."""

    def formula(case: Case) -> Iterator[FloatArray]:
        other = replace(case, T=temperature(case.T))
        yield other.of_y(other.y)

    return Mistake(advice, formula)


def _scaled(advice: str, factor: Callable[[Case], float]) -> Mistake:
    """Make a mistake of a factor on the exact result."""

    def formula(case: Case) -> Iterator[Wrong]:
        yield case.expected * factor(case), {"factor": factor(case)}

    return Mistake(advice, formula)


def _sigmoid(case: Case) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-case.z / case.T)))


def _log_softmax(case: Case) -> Iterator[FloatArray]:
    if case.quantity == "probabilities":
        yield core.log_softmax(case.z, temperature=case.T)


def _over_samples(case: Case) -> FloatArray:
    return core.softmax(case.z, axis=0, temperature=case.T)


def _over_everything(case: Case) -> FloatArray:
    return core.softmax(case.z.ravel(), temperature=case.T).reshape(case.z.shape)


def _other_sums(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    """Yield v = y (g - sum y g) with the sum taken along the samples, or over everything."""
    for y, axis in product((case.y, _over_samples(case)), (0, None)):
        yield y * (g - (y * g).sum(axis=axis, keepdims=True)) / case.T


def _without_upstream(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    if (g != 1).any():  # of 1 it is not left out
        yield case.y * (1 - case.y) / case.T
        yield case.y / case.T


def _constant_factor(case: Case) -> Iterator[Wrong]:
    known = (0.0, -1.0, 1 / len(case.z), case.T, 1 / case.T)
    wrong = case.expected * case.factor
    # Any one number is some factor times the right one: only two say something.
    several = (case.beyond(case.expected, wrong) > CLEARLY_WRONG).sum() > 1
    is_known = np.isclose(case.factor, known, rtol=1e-6, atol=1e-12).any()
    if several and np.isfinite(case.factor) and not is_known:
        yield wrong, {"factor": case.factor}


def _ranked(expected: FloatArray, actual: FloatArray) -> NDArray[np.intp]:
    """Pair numbers by rank: return the positions of the expected ones."""
    order = np.empty(len(expected), dtype=np.intp)
    order[np.argsort(actual)] = np.argsort(expected)
    return order


def _samples_in_another_order(case: Case) -> Iterator[FloatArray]:
    """Pair the samples by rank of one number each; a wrong pairing explains nothing."""
    expected, actual = (each.reshape(len(case.z), -1) for each in (case.expected, case.actual))
    weights = np.random.default_rng(0).uniform(1, 2, expected.shape[1])
    yield case.expected[_ranked(expected @ weights, actual @ weights)]


def _reordered(case: Case, order: NDArray[np.intp]) -> FloatArray:
    """Return the expected result with the classes of each sample, shape (K, C), in an order."""
    if case.quantity != "jacobian":
        return np.take_along_axis(case.expected, order, axis=1)
    rows = np.take_along_axis(case.expected, order[:, :, None], axis=1)
    return np.take_along_axis(rows, order[:, None, :], axis=2)


def _classes_in_another_order(case: Case) -> Iterator[FloatArray]:
    """Pair the classes by rank of a number that does not depend on the order of the others."""
    weights = np.random.default_rng(0).uniform(1, 2, len(case.z))

    def number(values: FloatArray) -> FloatArray:
        if case.quantity == "jacobian":
            own = np.diagonal(values, axis1=1, axis2=2)
            values = own + np.sqrt(2) * (values**2).sum(axis=2)
        return np.asarray(weights @ values)

    order = _ranked(number(case.expected), number(case.actual))
    yield _reordered(case, np.broadcast_to(order, case.z.shape))


def _classes_sorted(case: Case) -> Iterator[FloatArray]:
    # Of one sample, any order is another order of its classes.
    if len(case.z) > 1:
        for keys in (-case.z, case.z):
            yield _reordered(case, np.argsort(keys, axis=1, kind="stable"))


def _transposed(case: Case) -> Iterator[FloatArray]:
    if case.quantity != "jacobian" and case.z.shape[0] == case.z.shape[1]:
        yield case.expected.T
        if case.g is not None:
            yield core.vjp(case.z, case.g.T, temperature=case.T)


def _overflow(case: Case) -> Iterator[FloatArray]:
    """NaN and inf in the samples where exp(z/T) over- or underflows, and nowhere else."""
    e = np.exp(case.z / case.T)
    total = e.sum(axis=1)
    lost = np.isinf(total) | (total == 0)
    broken = ~np.isfinite(case.actual).reshape(len(case.z), -1).all(axis=1)
    if lost.any() and (lost == broken).all():
        naive = case.of_y(e / total[:, None])
        rows = lost.reshape(-1, *(1,) * (case.actual.ndim - 1))
        # Which further entries a NaN spreads to depends on how the formula is written.
        spread = rows & ~np.isfinite(case.actual)
        agrees = case.beyond(naive, case.actual) <= 1
        yield np.where(spread | agrees, case.actual, case.expected)


def _nan(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, where no overflow explains its NaN."""
    if case.nan and not any(map(case.is_explained_by, _overflow(case))):
        yield case.actual


def _cancellation(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, where a difference has left no more than the rounding of its terms."""
    over = case.excess > 1
    lost = case.error > float(np.finfo(np.float64).eps) * case.roundings * np.abs(case.expected)
    is_rounding = (case.error <= case.rounding())[over].all()
    if case.quantity != "probabilities" and lost[over].any() and is_rounding:
        yield case.actual


def _rounded_to(case: Case, values: FloatArray, unit: FloatArray, near: float) -> bool:
    """Tell whether the candidate is these rounded values, and no further off than by the unit."""
    is_rounded = np.abs(case.actual - values) <= near * np.abs(case.actual)
    is_near = (case.error <= unit)[case.excess > 1]
    return bool(is_rounded.all() and is_near.all() and (case.error > case.rounding()).any())


def _computed_in(precision: Precision) -> Mistake:
    def formula(case: Case) -> Iterator[FloatArray]:
        # Perhaps printed with the 9 digits that tell apart what is float32.
        if _rounded_to(case, precision.round(case.actual), case.rounding(precision), 2e-9):
            yield case.actual

    advice = f"the error is that of {precision.name}: compute in float64."
    return Mistake(advice, formula, is_precision=True)


def _printed(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, where it has so many decimals, or so many significant digits."""
    size = 10.0 ** np.floor(np.log10(np.abs(np.where(case.actual == 0, 1.0, case.actual))))
    for digits, scale in product(range(2, 12), (np.ones(size.shape), size)):
        unit = scale * 10.0**-digits
        # Slightly over a half, as they may have been float32 before.
        if _rounded_to(case, np.round(case.actual / unit) * unit, 0.51 * unit, 2e-15):
            yield case.actual


_J, _V = "J = diag(y) - y y^T", "the vjp is y (g - sum_j g_j y_j)"
_EACH = "the classes of each sample (axis=-1, keepdims=True)"

CATALOGUE = {
    "only the diagonal": _matrix(
        f"fill in -y_j y_i off the diagonal: {_J}, and {_V}.", lambda y: (y * (1 - y), 0, 0)
    ),
    "the diagonal is missing": _matrix(
        f"the diagonal is y_i (1 - y_i), not 0: {_J}.", lambda y: (y**2, -y, y)
    ),
    "diag(y) alone": _matrix(f"subtract the outer product: {_J}.", lambda y: (y, 0, 0)),
    "the delta term is missing": _matrix(f"add diag(y) to -y y^T: {_J}.", lambda y: (0, -y, y)),
    "sign of the off-diagonal": _matrix(
        "the entries off the diagonal are -y_j y_i, not +y_j y_i.", lambda y: (y - 2 * y**2, y, y)
    ),
    "sign of the outer product": _matrix(f"subtract it: {_J}, and {_V}.", lambda y: (y, y, y)),
    "a factor y is missing": _matrix(
        f"y stands on both sides: {_J}, and {_V}.", lambda y: (y, -1, y), lambda y: (y, -y, 1)
    ),
    "sign of everything": _scaled(f"change the sign: {_J}, and {_V}.", lambda case: -1.0),
    "logits in place of probabilities": _y_is(
        "put softmax(z) where the logits z stand.",
        lambda case: case.z,
        lambda case: case.z / case.T,
    ),
    "sigmoid's derivative": _derivative(
        f"sigmoid(z) (1 - sigmoid(z)) is another derivative: use {_J}, y = softmax(z).",
        lambda case: [case.result(_sigmoid(case) * (1 - _sigmoid(case)), 0, 0)],
    ),
    "sigmoid in place of softmax": _y_is(
        "divide exp(z) by its sum over the classes; 1/(1 + exp(-z)) is another function.", _sigmoid
    ),
    "derivative of log-softmax": _matrix(
        "delta_ij - y_i differentiates log y_j: multiply row j by y_j.",
        lambda y: (1, -1, y),
        lambda y: (1, -y, 1),
    ),
    "logarithms of the probabilities": Mistake(
        "these are log-probabilities: take exp, or use softmax, not log_softmax.", _log_softmax
    ),
    "softmax along the wrong axis": _y_is(
        "sum over the classes (axis=-1, keepdims=True), not over the samples.", _over_samples
    ),
    "softmax over the whole batch": _y_is(
        f"sum over {_EACH}, not over everything.", _over_everything
    ),
    "the sum over y g along the wrong axis": _vjp(
        f"in y (g - sum y g) sum over {_EACH}.", _other_sums
    ),
    "gradient of cross-entropy": _vjp(
        f"y - g belongs to cross-entropy with the targets g: {_V}.", lambda case, g: [case.y - g]
    ),
    "the upstream gradient is left out": _vjp(
        f"multiply the Jacobian by it: {_V}.", _without_upstream
    ),
    "divided by the batch size": _scaled(
        "do not divide by the number of samples: the mean belongs to the loss, not to softmax.",
        lambda case: 1 / len(case.z),
    ),
    "a constant factor": Mistake(
        "every entry is {factor:.6g} times the exact one: take the factor out.",
        _constant_factor,
    ),
    "nothing but zeros": _scaled("fill in the result: all of it is 0.", lambda case: 0.0),
    "factor 1/T missing": _scaled(
        "divide by the temperature: the chain rule gives J/T.", lambda case: 1 / case.chain
    ),
    "factor 1/T squared": _scaled(
        "divide by the temperature once, not twice.", lambda case: case.chain
    ),
    "temperature left out": _temperature_is(
        "divide the logits by the temperature: y = softmax(z/T).", lambda T: 1.0
    ),
    "temperature applied twice": _temperature_is(
        "divide the logits by the temperature once: y = softmax(z/T).", lambda T: T**2
    ),
    "temperature multiplied": _temperature_is(
        "divide the logits by the temperature, do not multiply: y = softmax(z/T).", lambda T: 1 / T
    ),
    "samples in another order": Mistake(
        "return the samples in the order of the logits.", _samples_in_another_order
    ),
    "classes in another order": Mistake(
        "return the classes in the order of the logits.", _classes_in_another_order
    ),
    "classes sorted in each sample": Mistake(
        "undo the sorting: the classes belong in the order of the logits.", _classes_sorted
    ),
    "transposed batch": Mistake(
        "samples are rows and classes columns: take out, or undo, the transposition.", _transposed
    ),
    "cancellation in 1 - y": Mistake(
        "1 - y_i has lost its digits where y_i is nearly 1: sum the other y_j, or allow more atol.",
        _cancellation,
    ),
    "bfloat16 results": _computed_in(BFLOAT16),
    "float16 results": _computed_in(FLOAT16),
    "float32 results": _computed_in(FLOAT32),
    "rounded results": Mistake(
        "these are the exact values printed with too few digits: print 17 (%.17g).",
        _printed,
        is_precision=True,
    ),
    "NaN among the results": Mistake(
        "NaN in {case.nan} of {case.actual.size} entries: look for 0/0, inf - inf and log 0.", _nan
    ),
    "overflow: the maximum is not subtracted": Mistake(
        "subtract each sample's maximum before exp: softmax(z) = softmax(z - max z).", _overflow
    ),
}
