"""Known mistakes in softmax and its derivative: what each of them computes, and what to change.

A candidate that fails is explained by a mistake when all its entries agree with the mistake's
wrong formula. Adding a mistake is one row of `CATALOGUE`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.formulas import (
    CLEARLY_WRONG,
    Case,
    FloatArray,
    Formula,
    Wrong,
    at_temperature,
    explains,
    instead_of_y,
    matrix,
    only,
    rounding,
    roundings,
    scaled,
)
from softmax_cli.mathematics import core

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Mistake:
    """A row of the catalogue: the wrong formula, and what to change."""

    formula: Formula
    advice: str


def _sigmoid(case: Case) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-case.z / case.T)))


def _sigmoid_derivative(case: Case) -> Iterator[Wrong]:
    if case.quantity != "probabilities":
        s = _sigmoid(case)
        yield Wrong(case.result(s * (1 - s), 0, 0))


def _over_samples(case: Case) -> FloatArray:
    return core.softmax(case.z, axis=0, temperature=case.T)


def _over_everything(case: Case) -> FloatArray:
    return core.softmax(case.z.ravel(), temperature=case.T).reshape(case.z.shape)


def _vjp_sums(case: Case) -> Iterator[Wrong]:
    """Yield v = y (g - sum y g) with the sum taken along the samples, or over everything."""
    if case.g is not None:
        for y in (case.y, _over_samples(case)):
            for axis in (0, None):
                dot = (y * case.g).sum(axis=axis, keepdims=True)
                yield Wrong(y * (case.g - dot) / case.T)


def _without_upstream(case: Case) -> Iterator[Wrong]:
    # Of g = 1 it is not left out.
    if case.g is not None and (case.g != 1).any():
        yield Wrong(case.y * (1 - case.y) / case.T)
        yield Wrong(case.y / case.T)


def _constant_factor(case: Case) -> Iterator[Wrong]:
    largest = np.unravel_index(int(np.abs(case.expected).argmax()), case.expected.shape)
    factor = float(case.actual[largest] / case.expected[largest])
    known = (0.0, -1.0, 1 / len(case.z), case.T, 1 / case.T)
    if not np.isfinite(factor) or np.isclose(factor, known, rtol=1e-6, atol=1e-12).any():
        return
    # Any one number is some factor times the right one: only two say something.
    wrong = case.expected * factor
    if (case.beyond(case.expected, wrong) > CLEARLY_WRONG).sum() > 1:
        yield Wrong(wrong, factor)


def _samples_in_another_order(case: Case) -> Iterator[Wrong]:
    """Pair the samples by rank of one number each; a wrong pairing explains nothing."""
    expected, actual = (each.reshape(len(case.z), -1) for each in (case.expected, case.actual))
    weights = np.random.default_rng(0).uniform(1, 2, expected.shape[1])
    order = np.empty(len(case.z), dtype=np.intp)
    order[np.argsort(actual @ weights)] = np.argsort(expected @ weights)
    yield Wrong(case.expected[order])


def _reordered(case: Case, order: NDArray[np.intp]) -> FloatArray:
    """Return the expected result with the classes of each sample, shape (K, C), in an order."""
    if case.quantity != "jacobian":
        return np.take_along_axis(case.expected, order, axis=1)
    rows = np.take_along_axis(case.expected, order[:, :, None], axis=1)
    return np.take_along_axis(rows, order[:, None, :], axis=2)


def _classes_in_another_order(case: Case) -> Iterator[Wrong]:
    """Pair the classes by rank of a number that does not depend on the order of the others."""
    weights = np.random.default_rng(0).uniform(1, 2, len(case.z))

    def number(values: FloatArray) -> FloatArray:
        if case.quantity == "jacobian":
            own = np.diagonal(values, axis1=1, axis2=2)
            values = own + np.sqrt(2) * (values**2).sum(axis=2)
        return np.asarray(weights @ values)

    order = np.empty(case.z.shape[1], dtype=np.intp)
    order[np.argsort(number(case.actual))] = np.argsort(number(case.expected))
    yield Wrong(_reordered(case, np.broadcast_to(order, case.z.shape)))


def _classes_sorted(case: Case) -> Iterator[Wrong]:
    # Of one sample, any order is another order of its classes.
    if len(case.z) > 1:
        for keys in (-case.z, case.z):
            yield Wrong(_reordered(case, np.argsort(keys, axis=1, kind="stable")))


def _transposed(case: Case) -> Iterator[Wrong]:
    n_samples, n_classes = case.z.shape
    if case.quantity != "jacobian" and n_samples == n_classes:
        yield Wrong(case.expected.T)
        if case.g is not None:
            yield Wrong(core.vjp(case.z, case.g.T, temperature=case.T))


def _overflow(case: Case) -> Iterator[Wrong]:
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
        yield Wrong(np.where(spread | agrees, case.actual, case.expected))


def _nan(case: Case) -> Iterator[Wrong]:
    """The candidate itself, where no overflow explains its NaN."""
    if case.nan and not any(explains(case, each) for each in _overflow(case)):
        yield Wrong(case.actual)


def _cancellation(case: Case) -> Iterator[Wrong]:
    """The candidate itself, where a difference has left no more than the rounding of its terms."""
    over = case.excess > 1
    error = np.abs(case.actual - case.expected)[over]
    lost = error > _EPS * roundings(case) * np.abs(case.expected[over])
    if case.quantity != "probabilities" and lost.any() and (error <= rounding(case)[over]).all():
        yield Wrong(case.actual, by_rounding=True)


def tolerances(largest_error: float) -> dict[str, float]:
    """Return tolerances that let errors up to the largest pass."""
    return {"atol": 10.0 ** np.ceil(np.log10(largest_error)), "rtol": 1e-5}


def _computed_in(dtype: type[np.float16] | type[np.float32]) -> Formula:
    """Make the formula of what is right but for its precision: the candidate itself."""

    def rounded(values: FloatArray) -> FloatArray:
        return values.astype(dtype).astype(np.float64)

    def formula(case: Case) -> Iterator[Wrong]:
        error = np.abs(case.actual - case.expected)
        if not (error <= rounding(case, dtype)).all():
            return
        allowance = tolerances(float(error.max()))
        # Perhaps printed with the 9 digits that tell apart what is float32.
        if (np.abs(case.actual - rounded(case.actual)) <= 2e-9 * np.abs(case.actual)).all():
            yield Wrong(case.actual, allowance=allowance, eps=float(np.finfo(dtype).eps))
        elif case.quantity == "jacobian" and case.z.shape[1] > 1:
            # Made in float64 of its probabilities, which the diagonal y (1 - y) gives away.
            own = np.diagonal(case.actual, axis1=1, axis2=2) * case.T
            root = np.sqrt(np.maximum(1 - 4 * own, 0.0))
            y = rounded((1 + np.where(case.y > 0.5, root, -root)) / 2)
            yield Wrong(case.of_y(y), allowance=allowance)

    return formula


def _rounded(case: Case) -> Iterator[Wrong]:
    """The candidate itself, where it is the exact result printed with fewer digits."""
    error = np.abs(case.actual - case.expected)
    size = np.where(case.actual == 0, 1.0, 10.0 ** np.floor(np.log10(np.abs(case.actual))))
    for digits in range(2, 12):
        unit = 10.0**-digits
        for scale, allowance in (
            (np.ones(size.shape), {"atol": unit, "rtol": case.rtol}),
            (size, {"atol": case.atol, "rtol": unit}),
        ):
            printed = case.actual / scale
            few_digits = np.abs(printed - np.round(printed, digits)) <= 2e-15 * np.abs(printed)
            # Slightly over a half, as they may have been float32 before.
            if few_digits.all() and (error <= 0.51 * unit * scale + case.atol).all():
                yield Wrong(case.actual, allowance=allowance, eps=unit)
                return


CATALOGUE = {
    "only the diagonal": Mistake(
        matrix(lambda y: (y * (1 - y), 0, 0)),
        "fill in -y_j y_i off the diagonal: J = diag(y) - y y^T, and the vjp is "
        "y (g - sum_j g_j y_j).",
    ),
    "the diagonal is missing": Mistake(
        matrix(lambda y: (y**2, -y, y)),
        "it is zero, where J_ii = y_i (1 - y_i): add diag(y) to -y y', over all of the matrix.",
    ),
    "diag(y) alone": Mistake(
        matrix(lambda y: (y, 0, 0)), "subtract the outer product: J = diag(y) - y y^T."
    ),
    "the delta term is missing": Mistake(
        matrix(lambda y: (0, -y, y)), "add y_j on the diagonal: J = diag(y) - y y^T, not -y y^T."
    ),
    "sign of the off-diagonal": Mistake(
        matrix(lambda y: (y - 2 * y**2, y, y)),
        "the entries off the diagonal are -y_j y_i, not +y_j y_i.",
    ),
    "sign of the outer product": Mistake(
        matrix(lambda y: (y, y, y)),
        "subtract it: J = diag(y) - y y^T, and the vjp is y (g - sum_j g_j y_j).",
    ),
    "a factor y is missing": Mistake(
        matrix(lambda y: (y, -1, y), lambda y: (y, -y, 1)),
        "y stands on both sides: J = diag(y) - y y^T, and the vjp is y (g - sum_j g_j y_j).",
    ),
    "sign of everything": Mistake(
        scaled(lambda case: -1.0), "change the sign: it is diag(y) - y y^T, not y y^T - diag(y)."
    ),
    "logits in place of probabilities": Mistake(
        instead_of_y(lambda case: case.z, lambda case: case.z / case.T),
        "put softmax(z) where the logits z stand.",
    ),
    "sigmoid's derivative": Mistake(
        _sigmoid_derivative,
        "sigmoid(z) (1 - sigmoid(z)) is another derivative: use diag(y) - y y^T, y = softmax(z).",
    ),
    "sigmoid in place of softmax": Mistake(
        instead_of_y(_sigmoid),
        "divide exp(z) by its sum over the classes; 1/(1 + exp(-z)) is another function.",
    ),
    "derivative of log-softmax": Mistake(
        matrix(lambda y: (1, -1, y), lambda y: (1, -y, 1)),
        "delta_ij - y_i differentiates log y_j: multiply row j by y_j.",
    ),
    "logarithms of the probabilities": Mistake(
        only("probabilities", lambda case: core.log_softmax(case.z, temperature=case.T)),
        "these are log-probabilities: take exp, or use softmax in place of log_softmax.",
    ),
    "softmax along the wrong axis": Mistake(
        instead_of_y(_over_samples),
        "sum over the classes (axis=-1, keepdims=True), not over the samples.",
    ),
    "softmax over the whole batch": Mistake(
        instead_of_y(_over_everything),
        "sum over the classes of each sample (axis=-1, keepdims=True), not over everything.",
    ),
    "the sum over y g along the wrong axis": Mistake(
        _vjp_sums,
        "in y (g - sum y g) sum over the classes of each sample (axis=-1, keepdims=True).",
    ),
    "gradient of cross-entropy": Mistake(
        only("vjp", lambda case: case.y - np.asarray(case.g)),
        "y - g belongs to cross-entropy with the targets g: use y (g - sum_j g_j y_j).",
    ),
    "the upstream gradient is left out": Mistake(
        _without_upstream, "multiply the Jacobian by it: the vjp is y (g - sum_j g_j y_j)."
    ),
    "divided by the batch size": Mistake(
        scaled(lambda case: 1 / len(case.z)),
        "do not divide by the number of samples: the mean belongs to the loss, not to softmax.",
    ),
    "a constant factor": Mistake(
        _constant_factor,
        "every entry is {wrong.factor:.6g} times the exact one: take the factor out.",
    ),
    "nothing but zeros": Mistake(scaled(lambda case: 0.0), "fill in the result: all of it is 0."),
    "factor 1/T missing": Mistake(
        scaled(lambda case: case.T, derivatives_only=True),
        "divide by the temperature: with y = softmax(z/T) the chain rule gives J/T.",
    ),
    "factor 1/T squared": Mistake(
        scaled(lambda case: 1 / case.T, derivatives_only=True),
        "divide by the temperature once, not twice.",
    ),
    "temperature left out": Mistake(
        at_temperature(0), "divide the logits by the temperature: y = softmax(z/T)."
    ),
    "temperature applied twice": Mistake(
        at_temperature(2), "divide the logits by the temperature once: y = softmax(z/T)."
    ),
    "temperature multiplied": Mistake(
        at_temperature(-1),
        "divide the logits by the temperature rather than multiply them: y = softmax(z/T).",
    ),
    "samples in another order": Mistake(
        _samples_in_another_order, "return the samples in the order of the logits."
    ),
    "classes in another order": Mistake(
        _classes_in_another_order, "return the classes in the order of the logits."
    ),
    "classes sorted in each sample": Mistake(
        _classes_sorted, "undo the sorting: the classes belong in the order of the logits."
    ),
    "transposed batch": Mistake(
        _transposed,
        "samples are rows and classes columns: take out, or undo, the transposition.",
    ),
    "cancellation in 1 - y": Mistake(
        _cancellation,
        "where y_i is nearly 1, the formula is right but its difference has lost its digits: take "
        "the sum of the other y_j for 1 - y_i, in the vjp y_i sum_j y_j (g_i - g_j), or allow for "
        "it by a larger absolute tolerance.",
    ),
    "float16 results": Mistake(
        _computed_in(np.float16),
        "the error is that of half precision: compute in float64 (finite differences need it).",
    ),
    "float32 results": Mistake(
        _computed_in(np.float32),
        "the error is that of single precision: compute in float64 (finite differences need it).",
    ),
    "rounded results": Mistake(
        _rounded, "these are the exact values printed with too few digits: print 17 (%.17g)."
    ),
    "NaN among the results": Mistake(
        _nan,
        "NaN in {case.nan} of {case.actual.size} entries: look for 0/0, inf - inf and inf times 0, "
        "as where an exp overflows or the log of 0 is taken.",
    ),
    "overflow: the maximum is not subtracted": Mistake(
        _overflow, "subtract each sample's maximum before exp: softmax(z) = softmax(z - max z)."
    ),
}
