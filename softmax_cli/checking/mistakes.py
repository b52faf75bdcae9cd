"""Known mistakes in softmax and its derivative: what each of them computes, and what to change.

A candidate that fails is explained by a mistake when all its entries agree with the mistake's
wrong formula. Adding a mistake is one row of `CATALOGUE`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import plural
from softmax_cli.mathematics import core

FloatArray = NDArray[np.float64]

_EPS = float(np.finfo(np.float64).eps)
# A wrong formula that is hardly wrong here (as many are where softmax saturates) explains nothing.
_CLEARLY_WRONG = 10.0
# What is further off than by this part of itself is wrong in any precision.
_MOST_ROUNDING = 0.1


@dataclass(frozen=True, eq=False)
class Case:
    """A failing candidate, and all that a wrong formula may be made of.

    Attributes
    ----------
    quantity
        ``probabilities``, ``jacobian`` or ``vjp``.
    z, g
        Logits and upstream gradient, shape (K, C); g is None unless the quantity is ``vjp``.
    T
        The temperature.
    expected, actual
        Shape (K, C), or (K, C, C) for ``jacobian``.
    atol, rtol
        The bound atol + rtol abs(expected).
    """

    quantity: str
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


@dataclass(frozen=True, eq=False)
class Wrong:
    """What a mistake computes, with what its advice names.

    Where it is the right formula, which fails by its rounding, that is said, and where all its
    results are rounded, to which part of 1.
    """

    values: FloatArray
    facts: Mapping[str, str] = field(default_factory=dict)
    factor: float | None = None
    by_rounding: bool = False
    eps: float | None = None


Formula = Callable[[Case], Iterator[Wrong]]
# A matrix diag(d) + u v', each of shape (K, C) or a number: every mistake in J is of this form.
Form = tuple[Any, Any, Any]


@dataclass(frozen=True)
class Mistake:
    """A row of the catalogue: a name, the wrong formula and what to change."""

    name: str
    formula: Formula
    advice: str


@dataclass(frozen=True)
class Diagnosis:
    """A mistake that explains every entry of a candidate.

    Attributes
    ----------
    name, advice
        As in the catalogue.
    factor
        The candidate is this times the exact result, where that is the mistake.
    """

    name: str
    advice: str
    factor: float | None = None


def diagnose(case: Case) -> tuple[Diagnosis, ...]:
    """Return every known mistake that explains all entries of a failing candidate.

    More than one fits where they coincide: with two classes or special logits.
    """
    found = []
    with np.errstate(all="ignore"):
        for mistake in CATALOGUE:
            wrong = next((each for each in mistake.formula(case) if _explains(case, each)), None)
            if wrong is not None:
                advice = mistake.advice.format(**wrong.facts)
                found.append(Diagnosis(mistake.name, advice, wrong.factor))
    return tuple(found)


def diagnose_precision(
    case: Case, differentiate: Callable[[float], tuple[str, float]]
) -> Diagnosis | None:
    """Explain what a function's derivative, or itself, fails by, where it is its precision.

    Parameters
    ----------
    case
        Of the probabilities at logits that are no round numbers.
    differentiate
        Returns the option for a step that suits results rounded to a part of 1, with the error of
        all that is compared.
    """
    with np.errstate(all="ignore"):
        found = [(mistake, wrong) for mistake in CATALOGUE for wrong in mistake.formula(case)
                 if wrong.eps is not None]  # fmt: skip
        for mistake, wrong in found:
            option, error = differentiate(wrong.eps or 0.0)
            tolerances = _tolerances(10.0 ** np.ceil(np.log10(error)), 1e-5)["options"]
            options = f"{option} {tolerances}".lstrip()
            return Diagnosis(mistake.name, mistake.advice.format(options=options))
    return None


def diagnose_shape(
    expected: FloatArray, actual: NDArray[Any], atol: float, rtol: float
) -> tuple[Diagnosis, ...]:
    """Explain right numbers in a wrong shape: a batch transposed, or a row for each matrix."""

    def agrees(values: FloatArray, with_these: NDArray[Any]) -> bool:
        same_shape = values.shape == with_these.shape
        return same_shape and bool(_excess(values, with_these, atol, rtol).max() <= 1)

    name = ""
    if actual.ndim and agrees(expected, np.moveaxis(actual, -1, 0)):
        name = "transposed batch"
    elif expected.ndim == 3 and agrees(np.diagonal(expected, axis1=1, axis2=2), actual):
        name = "only the diagonal"
    return tuple(Diagnosis(row.name, row.advice) for row in CATALOGUE if row.name == name)


def _explains(case: Case, wrong: Wrong) -> bool:
    values = np.broadcast_to(wrong.values, case.actual.shape)
    if _excess(values, case.actual, case.atol, case.rtol).max() > 1:
        return False
    if wrong.by_rounding:
        return True
    # A formula that is the right one here, as many are of one sample or at T = 1, is no mistake.
    return bool(
        _excess(case.expected, values, case.atol, case.rtol).max() > _CLEARLY_WRONG
        and (~(np.abs(values - case.expected) <= _rounding(case))).any()
    )


def _rounding(case: Case, dtype: type[np.floating[Any]] = np.float64) -> FloatArray:
    """Return by how much rounding may change each entry of the right formula, as it is written."""
    terms, scale = case.expected, 1.0
    if case.quantity != "probabilities":
        g = None if case.g is None else np.abs(case.g)
        terms = _result(replace(case, g=g), (case.y, case.y, case.y)) / case.T
        scale = max(1.0, 1.0 if g is None else float(g.max())) / case.T
    limits = np.finfo(dtype)
    # What underflows is off by the least number.
    least = float(limits.smallest_subnormal) * max(1.0, scale)
    unit = min(_roundings(case) * float(limits.eps), _MOST_ROUNDING)
    return np.maximum(unit * terms, _roundings(case) * least)


def _roundings(case: Case) -> float:
    """Return how many roundings a result may have: more where z/T, which is rounded, is large."""
    largest = np.where(np.isfinite(case.z), np.abs(case.z), 0.0).max()
    return float(8 + 6 * largest / case.T)


def _excess(expected: FloatArray, actual: FloatArray, atol: float, rtol: float) -> FloatArray:
    """Return errors in units of the bound; the same infinity, or NaN twice, is no error."""
    same = (expected == actual) | (np.isnan(expected) & np.isnan(actual))
    error = np.abs(actual - expected) / (atol + rtol * np.abs(expected))
    excess: FloatArray = np.where(same, 0.0, np.where(np.isnan(error), np.inf, error))
    return excess


def _result(case: Case, form: Form) -> FloatArray:
    """Return diag(d) + u v', or an upstream gradient times it, for the quantity of the case."""
    d, u, v = (np.broadcast_to(part, case.z.shape) for part in form)
    if case.quantity == "jacobian":
        return np.asarray(d[:, :, None] * np.eye(d.shape[1]) + u[:, :, None] * v[:, None, :])
    assert case.g is not None
    return np.asarray(d * case.g + v * (u * case.g).sum(axis=1, keepdims=True))


def matrix(*forms: Callable[[FloatArray], Form]) -> Formula:
    """Make a formula for J and vjp from wrong matrices, each a function of the probabilities."""

    def formula(case: Case) -> Iterator[Wrong]:
        if case.quantity != "probabilities":
            for form in forms:
                yield Wrong(_result(case, form(case.y)) / case.T)

    return formula


def instead_of_y(*functions: Callable[[Case], FloatArray]) -> Formula:
    """Make a formula from wrong probabilities, for them and for the derivative made of them."""

    def formula(case: Case) -> Iterator[Wrong]:
        for function in functions:
            y = function(case)
            if case.quantity == "probabilities":
                yield Wrong(y)
            else:
                yield Wrong(_result(case, (y, -y, y)) / case.T)

    return formula


def scaled(factor: Callable[[Case], float], *, derivatives_only: bool = False) -> Formula:
    """Make a formula from a factor on the exact result."""

    def formula(case: Case) -> Iterator[Wrong]:
        if case.quantity != "probabilities" or not derivatives_only:
            yield Wrong(case.expected * factor(case), factor=factor(case))

    return formula


def only(quantity: str, *functions: Callable[[Case], FloatArray]) -> Formula:
    """Make a formula for one quantity from functions that compute it."""

    def formula(case: Case) -> Iterator[Wrong]:
        if case.quantity == quantity:
            yield from (Wrong(function(case)) for function in functions)

    return formula


def either(*formulas: Formula) -> Formula:
    """Make one mistake of several wrong formulas."""

    def formula(case: Case) -> Iterator[Wrong]:
        for each in formulas:
            yield from each(case)

    return formula


def _sigmoid(case: Case) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-case.z / case.T)))


def _sigmoid_derivative(case: Case) -> Iterator[Wrong]:
    if case.quantity != "probabilities":
        s = _sigmoid(case)
        yield Wrong(_result(case, (s * (1 - s), 0, 0)) / case.T)


def _over_samples(case: Case) -> FloatArray:
    return core.softmax(case.z, axis=0, temperature=case.T)


def _over_everything(case: Case) -> FloatArray:
    return core.softmax(case.z.ravel(), temperature=case.T).reshape(case.z.shape)


def _vjp_sums(case: Case) -> Iterator[Wrong]:
    """Yield v = y (g - sum y g) with the sum taken along the samples, or over everything."""
    if case.g is None:
        return
    for y in (case.y, _over_samples(case)):
        for axis in (0, None):
            dot = (y * case.g).sum(axis=axis, keepdims=True)
            yield Wrong(y * (case.g - dot) / case.T)


def _without_upstream(case: Case) -> Iterator[Wrong]:
    # Of g = 1 it is not left out.
    if case.g is not None and (case.g != 1).any():
        yield Wrong(case.y * (1 - case.y) / case.T)
        yield Wrong(case.y / case.T)


def _at_temperature(power: int) -> Formula:
    """Make the formula of softmax(z / T^power), with the derivative that belongs to it."""

    def formula(case: Case) -> Iterator[Wrong]:
        T = case.T**power
        y = core.softmax(case.z, temperature=T)
        yield Wrong(y if case.quantity == "probabilities" else _result(case, (y, -y, y)) / T)

    return formula


def _constant_factor(case: Case) -> Iterator[Wrong]:
    largest = np.unravel_index(int(np.abs(case.expected).argmax()), case.expected.shape)
    factor = float(case.actual[largest] / case.expected[largest])
    known = (0.0, -1.0, 1 / len(case.z), case.T, 1 / case.T)
    if not np.isfinite(factor) or np.isclose(factor, known, rtol=1e-6, atol=1e-12).any():
        return
    # Any one number is some factor times the right one: only two say something.
    differ = _excess(case.expected, case.expected * factor, case.atol, case.rtol) > _CLEARLY_WRONG
    if differ.sum() > 1:
        yield Wrong(case.expected * factor, {"factor": f"{factor:.6g}"}, factor)


def _samples_in_another_order(case: Case) -> Iterator[Wrong]:
    """Pair the samples by rank of one number each; a wrong pairing explains nothing."""
    expected, actual = (each.reshape(len(case.z), -1) for each in (case.expected, case.actual))
    weights = np.random.default_rng(0).uniform(1, 2, expected.shape[1])
    order = np.empty(len(case.z), dtype=np.intp)
    order[np.argsort(actual @ weights)] = np.argsort(expected @ weights)
    yield Wrong(case.expected[order])


def _reordered(case: Case, order: NDArray[np.intp]) -> FloatArray:
    """Return the expected result with the classes of each sample, shape (K, C), in an order."""
    result = np.take_along_axis(case.expected, order.reshape(*order.shape, *(1,) * (
        case.expected.ndim - 2)), axis=1)  # fmt: skip
    return np.take_along_axis(result, order[:, None, :], axis=2) if result.ndim == 3 else result


def _classes_in_another_order(case: Case) -> Iterator[Wrong]:
    """Pair the classes by rank of a number that does not depend on the order of the others."""
    weights = np.random.default_rng(0).uniform(1, 2, len(case.z))

    def number(values: FloatArray) -> FloatArray:
        if values.ndim == 3:
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
    if case.quantity == "jacobian" or n_samples != n_classes:
        return
    yield Wrong(case.expected.T)
    if case.g is not None:
        yield Wrong(core.vjp(case.z, case.g.T, temperature=case.T))


def _overflow(case: Case) -> Iterator[Wrong]:
    """NaN and inf in the samples where exp(z/T) over- or underflows, and nowhere else."""
    e = np.exp(case.z / case.T)
    total = e.sum(axis=1)
    lost = np.isinf(total) | (total == 0)
    broken = ~np.isfinite(case.actual).reshape(len(case.z), -1).all(axis=1)
    if not lost.any() or (lost != broken).any():
        return
    y = e / total[:, None]
    naive = y if case.quantity == "probabilities" else _result(case, (y, -y, y)) / case.T
    excess = _excess(naive, case.actual, case.atol, case.rtol)
    values = np.where(excess <= 1, case.actual, case.expected)
    rows = lost.reshape(-1, *(1,) * (case.actual.ndim - 1))
    # Which further entries a NaN spreads to depends on how the formula is written.
    yield Wrong(np.where(rows & ~np.isfinite(case.actual), case.actual, values))


def _nan(case: Case) -> Iterator[Wrong]:
    """The candidate itself, where no overflow explains its NaN."""
    nan = int(np.isnan(case.actual).sum())
    if nan and not any(_explains(case, each) for each in _overflow(case)):
        yield Wrong(case.actual, {"nan": str(nan), "entries": plural(case.actual.size, "entry")})


def _cancellation(case: Case) -> Iterator[Wrong]:
    """The candidate itself, where a difference has left no more than the rounding of its terms."""
    over = _excess(case.expected, case.actual, case.atol, case.rtol) > 1
    error = np.abs(case.actual - case.expected)[over]
    lost = error > _EPS * _roundings(case) * np.abs(case.expected[over])
    if case.quantity != "probabilities" and lost.any() and (error <= _rounding(case)[over]).all():
        yield Wrong(case.actual, by_rounding=True)


def _tolerances(atol: float, rtol: float) -> dict[str, str]:
    return {"options": f"--atol {atol:.6g} --rtol {rtol:.6g}"}


def _computed_in(dtype: type[np.floating[Any]]) -> Formula:
    """Make the formula of what is right but for its precision: the candidate itself."""

    def rounded(values: FloatArray) -> FloatArray:
        return values.astype(dtype).astype(np.float64)

    def formula(case: Case) -> Iterator[Wrong]:
        error = np.abs(case.actual - case.expected)
        if not (error <= _rounding(case, dtype)).all():
            return
        tolerances = _tolerances(10.0 ** np.ceil(np.log10(error.max())), 1e-5)
        # Perhaps printed with the 9 digits that tell apart what is float32.
        if (np.abs(case.actual - rounded(case.actual)) <= 2e-9 * np.abs(case.actual)).all():
            yield Wrong(case.actual, tolerances, eps=float(np.finfo(dtype).eps))
        elif case.quantity == "jacobian" and case.z.shape[1] > 1:
            # Made in float64 of its probabilities, which the diagonal y (1 - y) gives away.
            own = np.diagonal(case.actual, axis1=1, axis2=2) * case.T
            root = np.sqrt(np.maximum(1 - 4 * own, 0.0))
            y = rounded((1 + np.where(case.y > 0.5, root, -root)) / 2)
            yield Wrong(_result(case, (y, -y, y)) / case.T, tolerances)

    return formula


def _rounded(case: Case) -> Iterator[Wrong]:
    """The candidate itself, where it is the exact result printed with fewer digits."""
    error = np.abs(case.actual - case.expected)
    size = np.where(case.actual == 0, 1.0, 10.0 ** np.floor(np.log10(np.abs(case.actual))))
    for digits in range(2, 12):
        unit = 10.0**-digits
        for scale, tolerances in (
            (np.ones(size.shape), _tolerances(unit, case.rtol)),
            (size, _tolerances(case.atol, unit)),
        ):
            printed = case.actual / scale
            few_digits = np.abs(printed - np.round(printed, digits)) <= 2e-15 * np.abs(printed)
            # Slightly over a half, as they may have been float32 before.
            if few_digits.all() and (error <= 0.51 * unit * scale + case.atol).all():
                yield Wrong(case.actual, tolerances, eps=unit)
                return


CATALOGUE = (
    Mistake(
        "only the diagonal",
        matrix(lambda y: (y * (1 - y), 0, 0)),
        "fill in -y_j y_i off the diagonal: J = diag(y) - y y^T, and the vjp is "
        "y (g - sum_j g_j y_j).",
    ),
    Mistake(
        "the diagonal is missing",
        matrix(lambda y: (y**2, -y, y)),
        "it is zero, where J_ii = y_i (1 - y_i): add diag(y) to -y y', over all of the matrix.",
    ),
    Mistake(
        "diag(y) alone",
        matrix(lambda y: (y, 0, 0)),
        "subtract the outer product: J = diag(y) - y y^T.",
    ),
    Mistake(
        "the delta term is missing",
        matrix(lambda y: (0, -y, y)),
        "add y_j on the diagonal: J = diag(y) - y y^T, not -y y^T.",
    ),
    Mistake(
        "sign of the off-diagonal",
        matrix(lambda y: (y - 2 * y**2, y, y)),
        "the entries off the diagonal are -y_j y_i, not +y_j y_i.",
    ),
    Mistake(
        "sign of the outer product",
        matrix(lambda y: (y, y, y)),
        "subtract it: J = diag(y) - y y^T, and the vjp is y (g - sum_j g_j y_j).",
    ),
    Mistake(
        "a factor y is missing",
        matrix(lambda y: (y, -1, y), lambda y: (y, -y, 1)),
        "y stands on both sides of the product: J = diag(y) - y y^T, and the vjp is "
        "y (g - sum_j g_j y_j), with y inside the sum and outside.",
    ),
    Mistake(
        "sign of everything",
        scaled(lambda case: -1.0),
        "change the sign: it is diag(y) - y y^T, not y y^T - diag(y).",
    ),
    Mistake(
        "logits in place of probabilities",
        either(instead_of_y(lambda case: case.z), instead_of_y(lambda case: case.z / case.T)),
        "put softmax(z) where the logits z stand.",
    ),
    Mistake(
        "sigmoid's derivative",
        _sigmoid_derivative,
        "sigmoid(z) (1 - sigmoid(z)) is the derivative of another function: use "
        "diag(y) - y y^T with y = softmax(z).",
    ),
    Mistake(
        "sigmoid in place of softmax",
        instead_of_y(_sigmoid),
        "divide exp(z) by its sum over the classes; 1/(1 + exp(-z)) is another function.",
    ),
    Mistake(
        "derivative of log-softmax",
        matrix(lambda y: (1, -1, y), lambda y: (1, -y, 1)),
        "delta_ij - y_i differentiates log y_j: multiply row j by y_j.",
    ),
    Mistake(
        "logarithms of the probabilities",
        only("probabilities", lambda case: core.log_softmax(case.z, temperature=case.T)),
        "these are log-probabilities: take exp, or use softmax in place of log_softmax.",
    ),
    Mistake(
        "softmax along the wrong axis",
        instead_of_y(_over_samples),
        "sum over the classes (axis=-1, keepdims=True), not over the samples.",
    ),
    Mistake(
        "softmax over the whole batch",
        instead_of_y(_over_everything),
        "sum over the classes of each sample (axis=-1, keepdims=True), not over everything.",
    ),
    Mistake(
        "the sum over y g along the wrong axis",
        _vjp_sums,
        "in y (g - sum y g) sum over the classes of each sample (axis=-1, keepdims=True).",
    ),
    Mistake(
        "gradient of cross-entropy",
        only("vjp", lambda case: case.y - np.asarray(case.g)),
        "y - g belongs to cross-entropy with the targets g: use y (g - sum_j g_j y_j).",
    ),
    Mistake(
        "the upstream gradient is left out",
        _without_upstream,
        "multiply the Jacobian by it: the vjp is y (g - sum_j g_j y_j).",
    ),
    Mistake(
        "divided by the batch size",
        scaled(lambda case: 1 / len(case.z)),
        "do not divide by the number of samples: the mean belongs to the loss, not to softmax.",
    ),
    Mistake(
        "a constant factor",
        _constant_factor,
        "every entry is {factor} times the exact one: take the factor out.",
    ),
    Mistake(
        "nothing but zeros",
        scaled(lambda case: 0.0),
        "fill in the result: all of it is 0.",
    ),
    Mistake(
        "factor 1/T missing",
        scaled(lambda case: case.T, derivatives_only=True),
        "divide by the temperature: with y = softmax(z/T) the chain rule gives J/T.",
    ),
    Mistake(
        "factor 1/T squared",
        scaled(lambda case: 1 / case.T, derivatives_only=True),
        "divide by the temperature once, not twice.",
    ),
    Mistake(
        "temperature left out",
        _at_temperature(0),
        "divide the logits by the temperature: y = softmax(z/T).",
    ),
    Mistake(
        "temperature applied twice",
        _at_temperature(2),
        "divide the logits by the temperature once: y = softmax(z/T).",
    ),
    Mistake(
        "temperature multiplied",
        _at_temperature(-1),
        "divide the logits by the temperature rather than multiply them: y = softmax(z/T).",
    ),
    Mistake(
        "samples in another order",
        _samples_in_another_order,
        "return the samples in the order of the logits.",
    ),
    Mistake(
        "classes in another order",
        _classes_in_another_order,
        "return the classes in the order of the logits.",
    ),
    Mistake(
        "classes sorted in each sample",
        _classes_sorted,
        "undo the sorting: the classes belong in the order of the logits.",
    ),
    Mistake(
        "transposed batch",
        _transposed,
        "samples are rows and classes columns: take out, or undo, the transposition.",
    ),
    Mistake(
        "cancellation in 1 - y",
        _cancellation,
        "where y_i is nearly 1, the formula is right but its difference has lost its digits: take "
        "the sum of the other y_j for 1 - y_i, in the vjp y_i sum_j y_j (g_i - g_j), or allow for "
        "it with --atol.",
    ),
    Mistake(
        "float16 results",
        _computed_in(np.float16),
        "the error is that of half precision: compute in float64 (finite differences need it), "
        "or check with {options}.",
    ),
    Mistake(
        "float32 results",
        _computed_in(np.float32),
        "the error is that of single precision: compute in float64 (finite differences need it), "
        "or check with {options}.",
    ),
    Mistake(
        "rounded results",
        _rounded,
        "these are the exact values printed with too few digits: print 17 (%.17g), or check with "
        "{options}.",
    ),
    Mistake(
        "NaN among the results",
        _nan,
        "NaN in {nan} of {entries}: look for 0/0, inf - inf and inf times 0, as where an exp "
        "overflows or the log of 0 is taken.",
    ),
    Mistake(
        "overflow: the maximum is not subtracted",
        _overflow,
        "subtract each sample's maximum before exp: softmax(z) = softmax(z - max z).",
    ),
)
