"""Known mistakes in softmax and its derivative: what each of them computes, and what to change.

A candidate that fails is explained by a mistake when all its entries agree with the mistake's
wrong formula. Adding a mistake is one row of `CATALOGUE`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.fit import Family, fit, shortest
from softmax_cli.checking.formulas import CLEARLY_WRONG, Case, FloatArray
from softmax_cli.checking.precision import (
    BFLOAT16,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    PRECISIONS,
    Precision,
)
from softmax_cli.mathematics import core

# What a wrong formula gives, perhaps with numbers of its own by name, for the advice. What takes
# numbers from the candidate yields the candidate's own array to say that it explains it.
Wrong = FloatArray | tuple[FloatArray, dict[str, float]]

# A matrix diag(d) + u v', each of shape (K, C) or a number: most mistakes in J are of this form.
Form = tuple[Any, Any, Any]

# Roundings of logits so large that they show, where they were not shifted.
_LARGE = 1000

# Of a mistake with a number that is fitted, and of one that says little: these are no causes beside
# others.
FITTED, VAGUE = 1, 2


@dataclass(frozen=True)
class Mistake:
    """A row of the catalogue.

    Attributes
    ----------
    advice
        What to change; ``{J}`` and ``{v}`` stand for the right derivative.
    formula
        What it computes, perhaps in several ways; nothing where it does not apply.
    rank
        No mistake is a cause beside one of a lower rank.
    is_precision
        Whether results of fewer digits are a remedy.
    """

    advice: str
    formula: Callable[[Case], Iterable[Wrong]]
    rank: int = 0
    is_precision: bool = False


def _derivative(advice: str, formula: Callable[[Case], Iterable[FloatArray]]) -> Mistake:
    """Make a mistake in J and vjp."""
    return Mistake(advice, lambda case: formula(case) if case.is_derivative else ())


def _matrix(advice: str, *forms: Callable[[Any, Any, Any], Form]) -> Mistake:
    """Make a mistake in J and vjp of wrong matrices, each made of the right one's parts."""

    def formula(case: Case) -> Iterator[FloatArray]:
        for form in forms:
            yield case.result(*form(*case.parts(case.y)))

    return _derivative(advice, formula)


def _matrices(
    advice: str,
    softmax: Callable[[FloatArray], list[Form]],
    log: Callable[[FloatArray], list[Form]],
) -> Mistake:
    """Make a mistake in J and vjp of wrong matrices made of y, others for log-softmax."""

    def formula(case: Case) -> Iterator[FloatArray]:
        for form in (log if case.log else softmax)(case.y):
            yield case.result(*form)

    return _derivative(advice, formula)


def _vjp(advice: str, formula: Callable[[Case, FloatArray], Iterable[FloatArray]]) -> Mistake:
    """Make a mistake in vjp, a function also of the upstream gradient."""
    return Mistake(advice, lambda case: () if case.g is None else formula(case, case.g))


def _y_is(advice: str, functions: Callable[[Case], Iterable[FloatArray]]) -> Mistake:
    """Make a mistake of wrong probabilities, for them and for the derivative made of them."""
    return Mistake(advice, lambda case: map(case.of_y, functions(case)))


def _temperature_is(advice: str, temperature: Callable[[float], float]) -> Mistake:
    """Make a mistake of another temperature, with the derivative that belongs to it."""
    return Mistake(advice, lambda case: [replace(case, T=temperature(case.T)).exact()])


def _scaled(advice: str, factor: Callable[[Case], float]) -> Mistake:
    """Make a mistake of a factor on the exact result."""
    return Mistake(advice, lambda case: [(case.expected * factor(case), {"factor": factor(case)})])


def _fitted(advice: str, name: str, numbers: tuple[float, float], *families: Family) -> Mistake:
    """Make a mistake of one number, by its name, which the candidate tells."""

    def formula(case: Case) -> Iterator[Wrong]:
        for family in families:
            for number in fit(case, family, *numbers):
                yield case.actual, {name: number}

    return Mistake(advice, formula, FITTED)


# Wrong probabilities.


def _exponentials(case: Case) -> Iterator[FloatArray]:
    """Yield exp(z), exp(z/T), with and without the shift."""
    for T, shift in product({1.0, case.T}, (0.0, case.z.max(axis=1, keepdims=True))):
        yield np.exp((case.z - shift) / T)


def _not_normalised(case: Case) -> Iterator[FloatArray]:
    yield from _exponentials(case)
    for e, below in product(_exponentials(case), (case.z, case.z / case.T)):
        yield e / below.sum(axis=1, keepdims=True)


def _sigmoid(case: Case) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-case.z / case.T)))


def _over_samples(case: Case) -> FloatArray:
    return core.softmax(case.z, axis=0, temperature=case.T)


def _over_everything(case: Case) -> FloatArray:
    return core.softmax(case.z.ravel(), temperature=case.T).reshape(case.z.shape)


def _argmax(case: Case) -> Iterator[FloatArray]:
    if not case.is_derivative:
        yield (case.z == case.z.max(axis=1, keepdims=True)).astype(np.float64)


def _twice(case: Case) -> Iterator[FloatArray]:
    """Yield softmax(y) and its derivative, by the formula or by the chain rule."""
    inner = replace(case, log=False)
    for T in {1.0, case.T}:
        outer = replace(case, z=case.y, T=T)
        if not case.is_derivative:
            yield outer.exact()
            continue
        yield case.of_y(outer.y)
        if case.g is None:
            yield outer.exact() @ inner.exact()
        else:
            yield replace(inner, g=outer.exact()).exact()


def _powers_of_two(case: Case) -> Iterator[FloatArray]:
    other = replace(case, T=case.T / np.log(2))
    yield from (other.exact(), case.of_y(other.y))
    if case.log and not case.is_derivative:
        yield case.expected / np.log(2)


def _softmin(case: Case) -> Iterator[FloatArray]:
    """Yield softmax(-z) and its derivative, with and without its sign."""
    result = replace(case, z=-case.z).exact()
    yield result
    if case.is_derivative:
        yield -result


def _added_below(case: Case, number: float, is_shifted: float) -> FloatArray:
    e = np.exp((case.z - is_shifted * case.z.max(axis=1, keepdims=True)) / case.T)
    return case.of_y(e / (number + e.sum(axis=1, keepdims=True)))


def _number_below(case: Case) -> Iterator[Wrong]:
    numbers = 1e-11, 1e3
    for is_shifted in (0.0, 1.0):
        family = partial(_added_below, is_shifted=is_shifted)
        for number in fit(case, family, *numbers):
            # Of one sample it is a factor, which says something only if the number is round.
            if len(case.z) > 1 or number == float(f"{number:.1g}"):
                yield case.actual, {"number": number}


def _eps_in_log(case: Case, eps: float) -> FloatArray:
    """Return the derivative of log(y + eps); of y + eps it is the right one."""
    ratio = case.y / (case.y + eps) if case.log else 1.0
    d, u, v = case.parts(case.y)
    return case.result(d * ratio, u * ratio, v) if case.is_derivative else case.expected


def _masked_with(case: Case, number: float) -> Case:
    return replace(case, z=np.where(np.isneginf(case.z), number, case.z))


def _masked_after(case: Case, number: float) -> FloatArray:
    """Return softmax of logits that are masked by a finite number, then masked by 0."""
    return case.of_y(np.where(np.isneginf(case.z), 0.0, _masked_with(case, number).y))


def _where_masked(mistake: Mistake) -> Mistake:
    """Restrict a mistake to logits with -inf."""
    return replace(
        mistake, formula=lambda case: mistake.formula(case) if np.isneginf(case.z).any() else ()
    )


# Wrong derivatives.


def _of_sigmoid(case: Case) -> Iterator[FloatArray]:
    s = _sigmoid(case)
    yield case.result(1 - s if case.log else s * (1 - s), 0, 0)


def _logits_on_one_side(case: Case) -> Iterator[FloatArray]:
    y = case.y
    for z in (case.z, case.z / case.T):
        forms = [(y, -y, z), (y, -z, y), (z, -y, y), (y * (1 - z), 0, 0), (z * (1 - y), 0, 0)]
        for form in ((1 - z, 0, 0),) if case.log else (*forms, (z * (1 - z), 0, 0)):
            yield case.result(*form)


def _wrong_axis(case: Case, y: FloatArray, axis: int | None) -> Iterator[FloatArray]:
    """Yield the vjp made of y with its sum along the samples, or over everything."""
    d, u, v = case.parts(y)
    if case.g is not None:
        yield (d * case.g + v * (u * case.g).sum(axis=axis, keepdims=True)) / case.T


def _along_samples(case: Case) -> Iterator[FloatArray]:
    y = _over_samples(case)
    d, u, v = case.parts(y)
    yield case.of_y(y)
    yield from _wrong_axis(case, y, 0)
    if case.quantity == "jacobian":  # each sample's own part
        yield case.result(d + u * v, 0, 0)


def _along_everything(case: Case) -> Iterator[FloatArray]:
    yield case.of_y(_over_everything(case))
    yield from _wrong_axis(case, _over_everything(case), None)


def _without_upstream(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    d, u, v = case.parts(case.y)
    if (g != 1).any():  # of 1 it is not left out
        yield (d + u * v) / case.T
        yield case.y / case.T


def _row_sums(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    sums = replace(case, g=np.ones(g.shape)).exact()
    # Those of softmax are 0, and what is left is their rounding.
    is_rounding = (np.abs(case.actual - sums) <= case.rounding(FLOAT32)).all()
    if (case.actual != 0).any() and is_rounding:
        yield case.actual


def _cross_entropy(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    factors = (1.0, 2.0) if case.log else (1.0, 2.0, -1.0)
    for factor, scale in product(factors, {1.0, 1 / len(g), 1 / case.T}):
        yield factor * scale * (case.y - g)


def _triangles(case: Case) -> Iterator[FloatArray]:
    if case.quantity == "jacobian":
        yield from (np.tril(case.expected), np.triu(case.expected))
    elif case.g is not None:
        d, u, v = case.parts(case.y)
        for step in (1, -1):
            sums = np.cumsum((u * case.g)[:, ::step], axis=1)[:, ::step]
            yield (d * case.g + v * sums) / case.T


# Right numbers in wrong places, or times a factor.


def _constant_factor(case: Case) -> Iterator[Wrong]:
    """Yield a factor, unless it is that of one number, which has some factor in any case."""
    factor = case.ratios(tuple(range(case.actual.ndim))).item()
    is_clear = case.beyond(case.expected, case.expected * factor) > CLEARLY_WRONG
    # What is smaller is what a difference leaves.
    size = case.chain * (1.0 if case.g is None else np.abs(case.g).max())
    is_clear &= np.abs(case.expected) > 1e-6 * size
    if is_clear.sum() > 1 and factor != 0 and np.isfinite(factor):
        for number in shortest(case, lambda case, factor: case.expected * factor, factor):
            yield case.actual, {"factor": number}


def _factor_for_each_sample(case: Case) -> Iterator[FloatArray]:
    K, C = case.z.shape
    ratios = case.ratios(tuple(range(1, case.actual.ndim)))
    wrong = case.expected * ratios
    if case.log and not case.is_derivative:
        top = case.z.argmax(axis=1)[:, None]
        ratios = np.take_along_axis(case.actual - case.expected, top, axis=1)
        wrong = case.expected + ratios
    enough = K > 1 and (C > 2 or not case.is_derivative)
    usual = (ratios == 0).any() or not np.isfinite(ratios).all() or any(_constant_factor(case))
    if enough and not usual and case.loose.is_explained_by(wrong):
        yield case.actual


def _half_sum(case: Case) -> Iterator[FloatArray]:
    """Yield the candidate if a sum of each sample is wrong by no more than a 16-bit sum is."""
    if case.precision.bits >= FLOAT32.bits:
        return
    most = case.z.shape[1] * case.precision.eps / 2
    ratios = case.ratios(tuple(range(1, case.actual.ndim)))
    wrong, off = case.expected * ratios, 1 / ratios - 1
    if case.g is not None:
        d, u, v = case.parts(case.y)
        top = case.z.argmax(axis=1)[:, None]
        terms = u * case.g
        left = case.actual * case.T - d * case.g
        sums = np.take_along_axis(left, top, 1) / np.take_along_axis(case.y, top, 1)
        wrong = (d * case.g + v * sums) / case.T
        off = (sums - terms.sum(axis=1, keepdims=True)) / np.abs(terms).sum(axis=1, keepdims=True)
    if (np.abs(off) <= most).all() and case.loose.is_explained_by(wrong):
        yield case.actual


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


def _shifted(case: Case) -> Iterator[FloatArray]:
    axes = ((1,), (2,), (1, 2)) if case.quantity == "jacobian" else ((1,),)
    for shift, axis in product((1, -1), axes):
        yield np.roll(case.expected, (shift,) * len(axis), axis)


def _left_at_zero(case: Case) -> Iterator[FloatArray]:
    """Yield the exact result with 0 for the classes, and samples, that are 0 throughout."""
    wrong, axes = case.expected, set(range(case.expected.ndim))
    for axis in axes:
        lost = (case.actual == 0).all(axis=tuple(axes - {axis}), keepdims=True)
        if not lost.all():
            wrong = np.where(lost, 0.0, wrong)
    yield wrong


def _summed_over_samples(case: Case) -> Iterator[FloatArray]:
    for together in (case.expected.sum(axis=0), case.expected.mean(axis=0)):
        yield np.broadcast_to(together, case.shape)


def _one_for_all(case: Case) -> Iterator[FloatArray]:
    """Yield the results of the first, or last, sample's logits or gradient, or of both."""
    for k in (0, -1):
        one = replace(case, z=np.broadcast_to(case.z[k], case.z.shape))
        yield one.exact()
        if case.g is not None:
            g = np.broadcast_to(case.g[k], case.g.shape)
            yield from (replace(case, g=g).exact(), replace(one, g=g).exact())


# Numbers that a format cannot hold, and rounding.


def _out_of_range(case: Case, shift: Any) -> Iterator[Wrong]:
    """Yield what exp(z/T - shift) makes where it over- or underflows, in each precision."""
    broken = ~np.isfinite(case.actual).reshape(len(case.z), -1).all(axis=1)
    if case.log and not case.is_derivative:
        broken = ~np.isfinite(np.where(np.isneginf(case.expected), 0.0, case.actual)).all(axis=1)
    for precision in PRECISIONS.values():
        e = precision.round(np.exp(case.z / case.T - shift))
        total = precision.round(e.sum(axis=1))
        lost = np.isinf(total) | (total == 0)
        if (lost != broken).any():
            continue
        naive = case.of_y(e / total[:, None])
        rows = lost.reshape(-1, *(1,) * (case.actual.ndim - 1))
        # Which further entries a NaN spreads to depends on how the formula is written.
        spread = rows & ~np.isfinite(case.actual)
        agrees = (case.beyond(naive, case.actual) <= 1) | (
            case.error <= case.rounding(case.precision)
        )
        yield np.where(spread | agrees, case.actual, naive), {"limit": np.log(precision.largest)}


def _nan(case: Case) -> Iterator[FloatArray]:
    if case.nan:
        yield case.actual


def _log_of_zero(case: Case) -> Iterator[FloatArray]:
    if case.log and not case.is_derivative:
        for precision in PRECISIONS.values():
            yield np.log(precision.round(case.y))


def _is_rounding(case: Case, precision: Precision) -> bool:
    return bool((case.error <= case.rounding(precision))[case.excess > 1].all())


def _rounded_at_an_offset(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, where errors are those of the large logits that it has not shifted."""
    few = case.rounding(case.precision) * 16 / case.roundings
    if case.roundings > _LARGE and (case.error > few).any() and _is_rounding(case, case.precision):
        yield case.actual


def _cancellation(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, where a difference has left no more than the rounding of its terms."""
    eps = float(np.finfo(np.float64).eps)
    lost = case.error > eps * case.roundings * np.abs(case.expected)
    is_difference = case.is_derivative or case.log
    is_lost = is_difference and lost[case.excess > 1].any() and _is_rounding(case, FLOAT64)
    if is_lost and not any(_rounded_at_an_offset(case)):
        yield case.actual


def _rounded_to(case: Case, values: FloatArray, unit: FloatArray, near: float) -> bool:
    """Tell whether the candidate is these rounded values, and no further off than by the unit."""
    is_rounded = np.abs(case.actual - values) <= near * np.abs(case.actual)
    is_near = (case.error <= unit)[case.excess > 1]
    return bool(is_rounded.all() and is_near.all() and (case.error > case.rounding()).any())


def _computed_in(precision: Precision) -> Mistake:
    def formula(case: Case) -> Iterator[FloatArray]:
        # Perhaps printed with the 9 digits that tell apart what is float32.
        values, unit = precision.round(case.actual), case.rounding(precision)
        if precision.bits < case.precision.bits and _rounded_to(case, values, unit, 2e-9):
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


_EACH = "the classes of each sample (axis=-1, keepdims=True)"
_EPS = 1e-11, 0.9
_MASKS = -45.0, 15.0

CATALOGUE = {
    "only the diagonal": _matrix(
        "fill in the entries off the diagonal: {J}, and {v}.", lambda d, u, v: (d + u * v, 0, 0)
    ),
    "the diagonal is missing": _matrix(
        "the diagonal is not 0: {J}.", lambda d, u, v: (-u * v, u, v)
    ),
    "diag(y) alone": _matrices(
        "subtract the outer product: {J}, and {v}.",
        softmax=lambda y: [(y, 0, 0)],
        log=lambda y: [(y, 0, 0)],
    ),
    "the delta term is missing": _matrix(
        "add the diagonal matrix to the outer product: {J}.",
        lambda d, u, v: (0, u, v),
        lambda d, u, v: (0, -u, v),
    ),
    "sign of the off-diagonal": _matrix(
        "the entries off the diagonal are negative: {J}.",
        lambda d, u, v: (d + 2 * u * v, -u, v),
    ),
    "sign of the outer product": _matrix("subtract it: {J}, and {v}.", lambda d, u, v: (d, -u, v)),
    "the outer product twice": _matrix(
        "subtract it once: {J}, and {v}.", lambda d, u, v: (d, 2 * u, v)
    ),
    "a factor y is missing": _matrices(
        "look where y stands: {J}, and {v}.",
        softmax=lambda y: [(y, -1, y), (y, -y, 1), (1, -y, y)],
        log=lambda y: [(1, -1, 1)],
    ),
    "a factor y too many": _matrices(
        "look where y stands: {J}, and {v}.",
        softmax=lambda y: [(y, -(y**2), y), (y**2, -y, y**2)],
        log=lambda y: [(1, -y, y)],
    ),
    "one triangle": _derivative("fill in both triangles of the matrix: {J}.", _triangles),
    "sign of everything": _scaled("change the sign: {J}, and {v}.", lambda case: -1.0),
    "logits in place of probabilities": _y_is(
        "put softmax(z) where the logits z stand.", lambda case: [case.z, case.z / case.T]
    ),
    "logits in place of some probabilities": _derivative(
        "the derivative is made of the output y, not of the input z: {J}.", _logits_on_one_side
    ),
    "sigmoid's derivative": _derivative(
        "sigmoid(z) (1 - sigmoid(z)) is another derivative: use {J}, y = softmax(z).",
        _of_sigmoid,
    ),
    "sigmoid in place of softmax": _y_is(
        "divide exp(z) by its sum over the classes; 1/(1 + exp(-z)) is another function.",
        lambda case: [_sigmoid(case)],
    ),
    "softmax twice": Mistake(
        "apply softmax once: here it is given probabilities for logits.", _twice
    ),
    "softmax of -z": Mistake("take the minus sign off the logits: exp(z), not exp(-z).", _softmin),
    "powers of 2": Mistake(
        "use powers and logarithms of e, exp and log, not of 2.", _powers_of_two
    ),
    "argmax in place of softmax": Mistake(
        "this is 1 for the largest logit and 0 for others: divide exp(z) by its sum.", _argmax
    ),
    "not normalised": _y_is(
        "divide exp(z) by the sum of exp(z) over the classes.", _not_normalised
    ),
    "a number is added below": Mistake(
        "take {number:.6g} off the denominator: it is the sum of exp alone.", _number_below, FITTED
    ),
    "clipped probabilities": _fitted(
        "do not clip the probabilities at {number:.6g}.",
        "number",
        _EPS,
        lambda case, eps: case.of_y(np.clip(case.y, eps, 1 - eps)),
        lambda case, eps: case.of_y(np.maximum(case.y, eps)),
    ),
    "eps is added": _fitted(
        "take {number:.6g} off the probabilities: log-softmax needs no eps, nor does softmax.",
        "number",
        _EPS,
        lambda case, eps: case.of_y(case.y + eps),
        _eps_in_log,
    ),
    "smoothed probabilities": _fitted(
        "these are (1 - s) y + s/C with s = {number:.6g}: smooth the targets, not softmax.",
        "number",
        _EPS,
        lambda case, s: case.of_y((1 - s) * case.y + s / case.y.shape[1]),
    ),
    "masked after softmax": _where_masked(
        replace(
            _fitted(
                "mask the logits with -inf before softmax, or divide by the new sum: the others no "
                "longer add up to 1.",
                "number",
                _MASKS,
                _masked_after,
            ),
            rank=0,
        )
    ),
    "masked with a finite number": _where_masked(
        _fitted(
            "mask with -inf, not with {number:.6g}: the masked classes are not 0.",
            "number",
            _MASKS,
            lambda case, number: _masked_with(case, number).exact(),
        )
    ),
    "derivative of log-softmax": _matrices(
        "delta_ij - y_i differentiates log y_j: multiply row j by y_j.",
        softmax=lambda y: [(1, -1, y)],
        log=lambda y: [],
    ),
    "transposed derivative of log-softmax": _matrices(
        "delta_ij - y_j is the transposed Jacobian of log-softmax: for softmax multiply column i "
        "by y_i, for log-softmax transpose it.",
        softmax=lambda y: [(1, -y, 1)],
        log=lambda y: [(1, -y, 1)],
    ),
    "derivative of softmax": _matrices(
        "y_j (delta_ij - y_i) differentiates y_j, not log y_j: divide row j by y_j.",
        softmax=lambda y: [],
        log=lambda y: [(y, -y, y)],
    ),
    "logarithms of the probabilities": Mistake(
        "these are log-probabilities: take exp, or use softmax, not log_softmax; <log=True> checks "
        "them as they are.",
        lambda case: [] if case.is_derivative else [replace(case, log=True).exact()],
    ),
    "probabilities in place of their logarithms": Mistake(
        "these are probabilities: use log_softmax, not softmax.",
        lambda case: [] if case.is_derivative else [case.y],
    ),
    "softmax along the wrong axis": Mistake(
        "sum over the classes (axis=-1, keepdims=True), not over the samples.", _along_samples
    ),
    "softmax over the whole batch": Mistake(
        f"sum over {_EACH}, not over everything.", _along_everything
    ),
    "the sum over y g along the wrong axis": _vjp(
        f"in the vjp sum over {_EACH}: {{v}}.",
        lambda case, g: (v for axis in (0, None) for v in _wrong_axis(case, case.y, axis)),
    ),
    "the sum over g is missing": _vjp(
        "multiply y by the sum of g: {v}.",
        lambda case, g: [(g - case.y) / case.T] if case.log else [],
    ),
    "gradient of cross-entropy": _vjp(
        "y - t is the gradient of cross-entropy with the targets t, not a vjp of softmax: check it "
        "with <log=True> and minus the targets for the upstream gradient.",
        _cross_entropy,
    ),
    "the upstream gradient is left out": _vjp(
        "multiply the Jacobian by it: {v}.", _without_upstream
    ),
    "the upstream gradient is copied": _matrix(
        "multiply it by the Jacobian, which is not the identity: {v}.", lambda d, u, v: (1, 0, 0)
    ),
    "row sums of the Jacobian": _vjp(
        "this sums the Jacobian over its outputs, as an upstream gradient of ones does: {v}.",
        _row_sums,
    ),
    "powers of the upstream gradient": _vjp(
        "multiply by g itself, not by its square or absolute value: {v}.",
        lambda case, g: [replace(case, g=each).exact() for each in (g**2, np.abs(g))],
    ),
    "arguments in the wrong order": _vjp(
        "logits come first and the upstream gradient second.",
        lambda case, g: [replace(case, z=g, g=case.z).exact()],
    ),
    "one sample for all": Mistake(
        "use the logits and the upstream gradient of each sample, not of the first or last.",
        _one_for_all,
    ),
    "summed over the batch": Mistake(
        "give each sample its own result: do not sum over the samples.", _summed_over_samples
    ),
    "divided by the batch size": _scaled(
        "do not divide by the number of samples: the mean belongs to the loss, not to softmax.",
        lambda case: 1 / len(case.z),
    ),
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
    "another temperature": _fitted(
        "it looks like T = {temperature:.6g}: give <temperature={temperature:.6g}>, or correct it.",
        "temperature",
        (1 / 30, 30.0),
        lambda case, T: replace(case, T=T).exact(),
    ),
    "samples in another order": Mistake(
        "return the samples in the order of the logits.", _samples_in_another_order
    ),
    "classes in another order": Mistake(
        "return the classes in the order of the logits.", _classes_in_another_order, FITTED
    ),
    "classes sorted in each sample": Mistake(
        "undo the sorting: the classes belong in the order of the logits.", _classes_sorted
    ),
    "shifted by a class": Mistake(
        "each result stands one class too early or late: look for an index that is off by one.",
        _shifted,
    ),
    "a class or a sample is left at 0": Mistake(
        "fill it in: look for a loop that ends too early.", _left_at_zero
    ),
    "transposed batch": Mistake(
        "samples are rows and classes columns: take out, or undo, the transposition.",
        _transposed,
        VAGUE,
    ),
    "nothing but zeros": Mistake(
        "fill in the result: all of it is 0.",
        lambda case: [np.zeros(case.shape)],
        VAGUE,
    ),
    "a constant factor": Mistake(
        "every entry is {factor:.6g} times the exact one: take the factor out.",
        _constant_factor,
        VAGUE,
    ),
    "a factor for each sample": Mistake(
        "each sample's results are the exact ones but for one number: look at the sum over its "
        "classes.",
        _factor_for_each_sample,
        VAGUE,
    ),
    "the sum is in half precision": Mistake(
        "sum over the classes in float32: a sum in 16 bits stops growing, and has few digits.",
        _half_sum,
    ),
    "cancellation in 1 - y": Mistake(
        "1 - y_i has lost its digits where y_i is nearly 1: sum the other y_j, or allow more atol.",
        _cancellation,
    ),
    "rounding of z - logsumexp": Mistake(
        "the logits are so large that z - logsumexp(z) is rounded: subtract the maximum first.",
        _rounded_at_an_offset,
    ),
    "logarithm of an underflow": Mistake(
        "log(softmax(z)) is -inf where a probability underflows: use z - max - log(sum exp).",
        _log_of_zero,
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
        "NaN in {case.nan} of {case.actual.size} entries: look for 0/0, inf - inf and log 0.",
        _nan,
        VAGUE,
    ),
    "overflow: the maximum is not subtracted": Mistake(
        "exp overflows above {limit:.4g}, or all of it underflows: subtract each sample's maximum "
        "before exp, softmax(z) = softmax(z - max z).",
        lambda case: _out_of_range(case, 0.0),
    ),
    "one maximum for the whole batch": Mistake(
        "subtract each sample's own maximum (axis=-1, keepdims=True): exp underflows in others.",
        lambda case: _out_of_range(case, case.z.max() / case.T),
    ),
}
