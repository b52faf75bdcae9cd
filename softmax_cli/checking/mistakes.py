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

from softmax_cli.checking.fit import Family, fit, shortest
from softmax_cli.checking.formulas import Case, FloatArray
from softmax_cli.checking.precision import (
    FLOAT32,
    FLOAT64,
    PRECISIONS,
    Precision,
    printed_digits,
    shown_precision,
)
from softmax_cli.mathematics import core

# What a wrong formula gives, perhaps with numbers of its own by name, for the advice. What takes
# its numbers from the candidate yields the candidate's own array to say that it explains it.
Wrong = FloatArray | tuple[FloatArray, dict[str, float]]
Formula = Callable[[Case], Iterable[Wrong]]

# A matrix diag(d) + u v', each of shape (K, C) or a number: most mistakes in J are of this form.
Form = tuple[Any, Any, Any]

# Ranks of mistakes with a number that is fitted, and of those that say little.
FITTED, VAGUE = 1, 2

# Logits whose rounding shows.
_LARGE = 100


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
    formula: Formula
    rank: int = 0
    is_precision: bool = False


def _derivative(formula: Callable[[Case], Iterable[FloatArray]], advice: str = "") -> Mistake:
    """Make a mistake in J and vjp."""
    advice = (f"{advice}: " if advice else "the right one is ") + "{J}, and {v}."
    return Mistake(advice, lambda case: formula(case) if case.is_derivative else ())


def _matrix(forms: Callable[[Any, Any, Any], list[Form]], advice: str = "") -> Mistake:
    """Make a mistake in J and vjp of wrong matrices, made of d, u and v of the right one."""
    return _derivative(lambda case: (case.result(*form) for form in forms(*case.right)), advice)


def _vjp(formula: Callable[[Case, FloatArray], Iterable[FloatArray]], advice: str = "") -> Mistake:
    """Make a mistake in vjp, a function also of the upstream gradient."""
    advice = (advice and f"{advice}: ") + "{v}."
    return Mistake(advice, lambda case: () if case.g is None else formula(case, case.g))


def _y_is(advice: str, functions: Callable[[Case], Iterable[FloatArray]]) -> Mistake:
    """Make a mistake of wrong probabilities, for them and for the derivative made of them."""

    def formula(case: Case) -> Iterator[FloatArray]:
        results = map(case.of_y, functions(case))
        yield from (each for each in results if np.isfinite(each).any())

    return Mistake(advice, formula)


def _forward(advice: str, function: Callable[[Case], FloatArray]) -> Mistake:
    """Make a mistake in probabilities alone."""
    return Mistake(advice, lambda case: () if case.is_derivative else [function(case)])


def _temperature_is(temperature: Callable[[float], float]) -> Mistake:
    """Make a mistake of another temperature, with the derivative that belongs to it."""
    advice = "divide the logits by the temperature, once: y = softmax(z/T)."
    return Mistake(advice, lambda case: [replace(case, T=temperature(case.T)).exact()])


def _scaled(advice: str, factor: Callable[[Case], float]) -> Mistake:
    """Make a mistake of a factor on the exact result."""
    return Mistake(advice, lambda case: [(case.expected * factor(case), {"factor": factor(case)})])


def _fitted(
    advice: str, ends: tuple[float, float], *families: Family, rank: int = FITTED
) -> Mistake:
    """Make a mistake of one number, somewhere between two ends, which the candidate tells."""

    def formula(case: Case) -> Iterator[Wrong]:
        for family in families:
            for number in fit(case, family, *ends):
                yield case.actual, {"number": number}

    return Mistake(advice, formula, rank)


def _total(values: FloatArray) -> FloatArray:
    return np.asarray(values.sum(axis=1, keepdims=True))


def _exponentials(case: Case) -> tuple[FloatArray, FloatArray]:
    """Return exp(z/T) as it is, and shifted by each sample's maximum."""
    return np.exp(case.z / case.T), np.exp((case.z - case.z.max(axis=1, keepdims=True)) / case.T)


def _over(case: Case, e: FloatArray, number: float) -> FloatArray:
    return case.of_y(e / (number + _total(e)))


def _not_normalised(case: Case) -> Iterator[FloatArray]:
    for e in _exponentials(case):
        yield from (e, e / _total(case.z), e / _total(case.z / case.T))


def _log_with_eps(case: Case, eps: float) -> FloatArray:
    """Return the derivative of log(y + eps); that of y + eps is right."""
    d, u, v = case.right
    ratio = case.y / (case.y + eps) if case.log else 1.0
    return case.result(d * ratio, u * ratio, v) if case.is_derivative else case.expected


def _sigmoid(case: Case) -> Iterator[FloatArray]:
    s = 1 / (1 + np.exp(-case.z / case.T))
    yield case.of_y(s)
    yield from _diagonal(case, s)


def _twice(case: Case) -> Iterator[FloatArray]:
    """Yield softmax(y) and its derivative, by the formula or by the chain rule."""
    inner = replace(case, log=False)
    for T in {1.0, case.T}:
        outer = replace(case, z=case.y, T=T)
        result = outer.exact()
        if not case.is_derivative:
            yield result
        else:
            yield case.of_y(outer.y)
            yield result @ inner.exact() if case.g is None else replace(inner, g=result).exact()


def _powers_of_two(case: Case) -> Iterator[FloatArray]:
    other = replace(case, T=case.T / np.log(2))
    yield from (other.exact(), case.of_y(other.y))
    if case.log and not case.is_derivative:
        yield case.expected / np.log(2)


def _masked_with(case: Case, number: float) -> Case:
    return replace(case, z=np.where(np.isneginf(case.z), number, case.z))


def _masked_after(case: Case, number: float) -> FloatArray:
    """Make the classes 0 that are masked by a finite number in softmax."""
    return case.of_y(np.where(np.isneginf(case.z), 0.0, _masked_with(case, number).y))


def _diagonal(case: Case, y: FloatArray) -> Iterator[FloatArray]:
    d, u, v = case.parts(y)
    if case.is_derivative:
        yield case.result(d + u * v, 0, 0)


def _along(axis: int | None) -> Formula:
    """Return the formula of softmax along the samples (0), or over everything (None)."""

    def formula(case: Case) -> Iterator[FloatArray]:
        if len(case.z) == 1 and case.log:
            return  # it is 0
        z = case.z if axis == 0 else case.z.ravel()
        y = core.softmax(z, axis=0, temperature=case.T).reshape(case.z.shape)
        yield case.of_y(y)
        if len(case.z) > 1 and case.g is not None:
            yield _summed_along(case, case.g, y, axis)
        elif len(case.z) > 1 and axis == 0:  # of each sample alone
            yield from _diagonal(case, y)

    return formula


def _summed_along(case: Case, g: FloatArray, y: FloatArray, axis: int | None) -> FloatArray:
    d, u, v = case.parts(y)
    return np.asarray((d * g + v * (u * g).sum(axis=axis, keepdims=True)) / case.T)


def _logits_for_y(case: Case) -> Iterator[FloatArray]:
    """Yield what has z in place of y: everywhere, or here and there in the derivative."""
    (d, u, _), y = case.right, case.y
    for z in (case.z, case.z / case.T):
        yield case.of_y(z)
        forms = [(y, -y, z), (y, -z, y), (d + u * z, 0, 0), (z - z * y, 0, 0), (z - z * z, 0, 0)]
        yield from (case.result(*form) for form in forms if case.is_derivative)


def _without_upstream(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    d, u, v = case.right
    if (g != 1).any():  # of 1 it is not left out
        yield from ((d + u * v) / case.T, case.y / case.T)


def _row_sums(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    sums = replace(case, g=np.ones(g.shape)).exact()
    # Those of softmax are 0, and what is left is their rounding.
    near = case.rounding(FLOAT32) + case.bound(sums)
    are_sums = (np.abs(case.actual - sums) <= near).all() and (case.actual != 0).any()
    if are_sums and (np.abs(case.expected - sums) > near).any():
        yield case.actual


def _cross_entropy(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    for factor, scale in product((1.0, 2.0, -1.0), {1.0, 1 / len(g), 1 / case.T}):
        if factor > 0 or not case.log:  # where g - y is another mistake
            yield factor * scale * (case.y - g)


def _triangles(case: Case) -> Iterator[FloatArray]:
    if case.g is None:
        yield from (np.tril(case.expected), np.triu(case.expected))
        return
    d, u, v = case.right
    for step in (1, -1):
        sums = np.cumsum((u * case.g)[:, ::step], axis=1)[:, ::step]
        yield (d * case.g + v * sums) / case.T


def _one_for_all(case: Case) -> Iterator[FloatArray]:
    """Yield the results of the first, or last, sample's logits or gradient, or of both."""
    for k in (0, -1):
        one = replace(case, z=np.broadcast_to(case.z[k], case.z.shape))
        yield one.exact()
        if case.g is not None:
            g = np.broadcast_to(case.g[k], case.g.shape)
            yield from (replace(case, g=g).exact(), replace(one, g=g).exact())


def _constant_factor(case: Case) -> Iterator[Wrong]:
    factor = case.ratios(tuple(range(case.actual.ndim))).item()
    if factor != 0 and np.isfinite(factor):
        for number in shortest(case, lambda case, factor: case.expected * factor, factor):
            yield case.actual, {"factor": number}


def _factor_for_each_sample(case: Case) -> Iterator[FloatArray]:
    ratios = case.ratios(tuple(range(1, case.actual.ndim)))
    wrong = case.expected * ratios
    if case.log and not case.is_derivative:
        top = case.z.argmax(axis=1)[:, None]
        ratios = np.take_along_axis(case.actual - case.expected, top, axis=1)
        wrong = case.expected + ratios
    is_some = len(case.z) > 1 and (ratios != 0).all() and np.isfinite(ratios).all()
    if is_some and case.is_explained_by(wrong, len(case.z)) and not [*_constant_factor(case)]:
        yield case.actual


def _half_sum(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, if its sums over the classes are as wrong as those of 16 bits are."""
    if case.precision.bits >= FLOAT32.bits or (case.excess <= 1).all():
        return
    ratios = case.ratios(tuple(range(1, case.actual.ndim)))
    wrong, off = case.expected * ratios, 1 / ratios - 1
    if case.g is not None:
        d, u, v = case.right
        top = case.z.argmax(axis=1)[:, None]
        sums = np.take_along_axis((case.actual * case.T - d * case.g) / case.y, top, 1)
        wrong = (d * case.g + v * sums) / case.T
        off = (sums - _total(u * case.g)) / _total(np.abs(u * case.g))
    most = case.z.shape[1] * case.precision.eps / 2
    if (np.abs(off) <= most).all() and (case.beyond(wrong, case.actual) <= 1).all():
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
    axes = ((1,), (2,), (1, 2)) if case.actual.ndim == 3 else ((1,),)
    for shift, axis in product((1, -1), axes):
        yield np.roll(case.expected, (shift,) * len(axis), axis)


def _left_at_zero(case: Case) -> Iterator[FloatArray]:
    """Yield the exact result with 0 for the classes, and samples, that are 0 throughout."""
    wrong, axes = case.expected, set(range(case.expected.ndim))
    for axis in axes:
        lost = (case.actual == 0).all(axis=tuple(axes - {axis}), keepdims=True)
        wrong = wrong if lost.all() else np.where(lost, 0.0, wrong)
    yield wrong


def _out_of_range(case: Case, *shifts: Any) -> Iterator[Wrong]:
    """Yield what exp((z - shift)/T) makes where it over- or underflows, in each precision."""
    is_lost = ~np.isfinite(case.actual) & (case.actual != case.expected)
    broken = is_lost.reshape(len(case.z), -1).any(axis=1)
    for shift, precision in product(shifts, PRECISIONS.values()):
        e = precision.round(np.exp((case.z - shift) / case.T))
        total = precision.round(_total(e))
        lost = np.isinf(total) | (total == 0)
        if (lost[:, 0] == broken).all() and (lost.any() or precision is case.precision):
            naive = case.of_y(e / total)
            # Which further entries a NaN spreads to depends on how the formula is written.
            rows = lost.reshape(-1, *(1,) * (case.actual.ndim - 1))
            agrees = np.where(rows, is_lost, case.error <= case.rounding(case.precision))
            agrees |= case.beyond(naive, case.actual) <= 1
            yield np.where(agrees, case.actual, naive), {"limit": np.log(precision.largest)}


def _is_rounding(case: Case, precision: Precision) -> bool:
    return bool((case.error <= case.rounding(precision))[case.excess > 1].all())


def _rounded_at_an_offset(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, where errors are those of the large logits that it has not shifted."""
    few = case.rounding(case.precision) * 16 / case.roundings
    is_offset = (np.abs(case.z).min(axis=1) > _LARGE * case.T).any()
    if is_offset and (case.error > few).any() and _is_rounding(case, case.precision):
        yield case.actual


def _cancellation(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, where a difference has left no more than the rounding of its terms."""
    lost = case.error > FLOAT64.eps * case.roundings * np.abs(case.expected)
    is_difference = (case.is_derivative or case.log) and not [*_rounded_at_an_offset(case)]
    if is_difference and lost[case.excess > 1].any() and _is_rounding(case, FLOAT64):
        yield case.actual


def _rounded(case: Case, unit: FloatArray) -> Iterator[FloatArray]:
    """The candidate itself, where errors are no more than a unit, and more than rounding."""
    is_near = (case.error <= unit)[case.excess > 1].all()
    if is_near and (case.error > case.rounding(case.precision)).any():
        yield case.actual


def _computed_in(precision: Precision) -> Mistake:
    def formula(case: Case) -> Iterable[FloatArray]:
        is_shown = shown_precision(case.actual) is precision
        return _rounded(case, case.rounding(precision)) if is_shown else ()

    advice = f"the error is that of {precision.name}: compute in float64."
    return Mistake(advice, formula, is_precision=True)


def _printed(case: Case) -> Iterable[FloatArray]:
    digits = printed_digits(case.actual, range(2, 12))
    # Slightly over a half, as they may have been float32 before.
    return _rounded(case, 1.02 * digits[1]) if digits else ()


_LOW = {name: each for name, each in PRECISIONS.items() if each is not FLOAT64}
_EACH = "over the classes of each sample (axis=-1, keepdims=True)"
_ORDER = "return them in the order of the logits."

CATALOGUE = {
    "only the diagonal": _matrix(
        lambda d, u, v: [(d + u * v, 0, 0)], "fill in what is off the diagonal"
    ),
    "the diagonal is missing": _matrix(lambda d, u, v: [(-u * v, u, v)]),
    "diag(y) alone": _matrix(lambda d, u, v: [(v, 0, 0)]),
    "the delta term is missing": _matrix(lambda d, u, v: [(0, u, v), (0, -u, v)]),
    "sign of the off-diagonal": _matrix(
        lambda d, u, v: [(d + 2 * u * v, -u, v)], "what is off the diagonal is negative"
    ),
    "sign of the outer product": _matrix(lambda d, u, v: [(d, -u, v)]),
    "the outer product twice": _matrix(lambda d, u, v: [(d, 2 * u, v)]),
    "a factor y is missing": _matrix(lambda d, u, v: [(d, -1, v), (d, u, 1), (1, u, v)]),
    "a factor y too many": _matrix(lambda d, u, v: [(d, u * v, v), (d * v, u, v * v)]),
    "one triangle": _derivative(_triangles, "the matrix has two"),
    "derivative of log-softmax": _matrix(
        lambda d, u, v: [(1, -1, v)], "delta_ij - y_i differentiates log y_j: multiply row j by y_j"
    ),
    "derivative of softmax": _matrix(
        lambda d, u, v: [(v, -v, v)], "y_j (delta_ij - y_i) differentiates y_j, not log y_j"
    ),
    "transposed derivative of log-softmax": _matrix(
        lambda d, u, v: [(1, -v, 1)],
        "multiply column i by y_i for softmax, or transpose it for log-softmax",
    ),
    "sign of everything": _scaled("change the sign: {J}, and {v}.", lambda case: -1.0),
    "logits in place of probabilities": Mistake(
        "put y = softmax(z) where the logits z stand.", _logits_for_y
    ),
    "sigmoid in place of softmax": Mistake(
        "divide exp(z) by its sum over the classes; 1/(1 + exp(-z)) is another function.", _sigmoid
    ),
    "argmax in place of softmax": _forward(
        "this is 1 for the largest logit and 0 for others: divide exp(z) by its sum.",
        lambda case: np.where(case.z == case.z.max(axis=1, keepdims=True), 1.0, 0.0),
    ),
    "softmax twice": Mistake("apply softmax to the logits, not to probabilities.", _twice),
    "softmax of -z": Mistake(
        "take off the minus sign: exp(z), not exp(-z).",
        lambda case: [sign * replace(case, z=-case.z).exact() for sign in (1.0, -1.0)],
    ),
    "powers of 2": Mistake("use exp and log to the base e, not 2.", _powers_of_two),
    "not normalised": _y_is(f"divide exp(z) by the sum of exp(z) {_EACH}.", _not_normalised),
    "a number is added below": _fitted(
        "take {number:.6g} out of the denominator, which is the sum of exp(z) alone.",
        (1e-11, 1e3),
        lambda case, number: _over(case, _exponentials(case)[0], number),
        lambda case, number: _over(case, _exponentials(case)[1], number),
    ),
    "clipped probabilities": _fitted(
        "do not clip the probabilities at {number:.6g}.",
        (1e-11, 0.11),
        lambda case, eps: case.of_y(np.clip(case.y, eps, 1 - eps)),
        lambda case, eps: case.of_y(np.maximum(case.y, eps)),
    ),
    "eps is added": _fitted(
        "do not add {number:.6g} to the probabilities: log_softmax needs no eps.",
        (1e-11, 0.11),
        lambda case, eps: case.of_y(case.y + eps),
        _log_with_eps,
    ),
    "smoothed probabilities": _fitted(
        "these are (1 - s) y + s/C with s = {number:.6g}: smooth the targets, not softmax.",
        (1e-11, 0.9),
        lambda case, s: case.of_y((1 - s) * case.y + s / case.y.shape[1]),
    ),
    "masked after softmax": _fitted(
        "mask the logits, with -inf, before softmax: the other classes no longer add up to 1.",
        (-45.0, 15.0),
        _masked_after,
        rank=0,
    ),
    "masked with a finite number": _fitted(
        "mask with -inf, not with {number:.6g}: the masked classes are not 0.",
        (-45.0, 15.0),
        lambda case, number: _masked_with(case, number).exact(),
    ),
    "logarithms of the probabilities": _forward(
        "these are log-probabilities: take exp, or check them with <log=True>.",
        lambda case: replace(case, log=True).exact(),
    ),
    "probabilities in place of their logarithms": _forward(
        "use log_softmax, not softmax.", lambda case: case.y
    ),
    "softmax along the wrong axis": Mistake(f"sum {_EACH}, not over the samples.", _along(0)),
    "softmax over the whole batch": Mistake(f"sum {_EACH}, not over everything.", _along(None)),
    "the sum over y g along the wrong axis": _vjp(
        lambda case, g: [_summed_along(case, g, case.y, axis) for axis in (0, None)], f"sum {_EACH}"
    ),
    "the sum over g is missing": _vjp(lambda case, g: [(g - case.y) / case.T] if case.log else []),
    "gradient of cross-entropy": _vjp(
        _cross_entropy,
        "y - t is the gradient of cross-entropy with the targets t: check it with <log=True> and "
        "minus the targets for the upstream gradient, or return the vjp of softmax",
    ),
    "the upstream gradient is left out": _vjp(_without_upstream),
    "the upstream gradient is copied": _matrix(lambda d, u, v: [(1, 0, 0)]),
    "row sums of the Jacobian": _vjp(
        _row_sums, "this is the product with an upstream gradient of ones, as of y.sum()"
    ),
    "powers of the upstream gradient": _vjp(
        lambda case, g: [
            replace(case, g=each).exact()
            for each in (g * g, np.abs(g))
            if not np.isin(g, (-1, 0, 1)).all()
        ],
        "take g itself, not its square or absolute value",
    ),
    "arguments in the wrong order": _vjp(
        lambda case, g: [replace(case, z=g, g=case.z).exact()], "z comes first, g second"
    ),
    "one sample for all": Mistake(
        "use the logits and the upstream gradient of each sample, not of one.", _one_for_all
    ),
    "summed over the batch": Mistake(
        "give each sample its own result: do not sum over the samples.",
        lambda case: [case.expected.sum(axis=0), case.expected.mean(axis=0)],
    ),
    "divided by the batch size": _scaled(
        "do not divide by the number of samples: the mean belongs to the loss, not to softmax.",
        lambda case: 1 / len(case.z),
    ),
    "factor 1/T missing": _scaled("the chain rule gives J/T.", lambda case: 1 / case.chain),
    "factor 1/T squared": _scaled("divide by T once, not twice.", lambda case: case.chain),
    "temperature left out": _temperature_is(lambda T: 1.0),
    "temperature applied twice": _temperature_is(lambda T: T**2),
    "temperature multiplied": _temperature_is(lambda T: 1 / T),
    "another temperature": _fitted(
        "it looks like T = {number:.6g}: give <temperature={number:.6g}>, or correct it.",
        (1 / 30, 30.0),
        lambda case, T: replace(case, T=T).exact(),
    ),
    "samples in another order": Mistake(_ORDER, _samples_in_another_order),
    "classes in another order": Mistake(_ORDER, _classes_in_another_order, FITTED),
    "classes sorted in each sample": Mistake(f"undo the sorting: {_ORDER}", _classes_sorted),
    "shifted by a class": Mistake("look for an index that is off by one.", _shifted),
    "a class or a sample is left at 0": Mistake("look for a loop that ends early.", _left_at_zero),
    "transposed batch": Mistake(
        "samples are rows and classes columns: undo the transposition.", _transposed, VAGUE
    ),
    "nothing but zeros": Mistake(
        "fill in the result: all of it is 0.", lambda case: [np.zeros(case.shape)], VAGUE
    ),
    "a constant factor": Mistake(
        "every entry is {factor:.6g} times the exact one: take it out.", _constant_factor, VAGUE
    ),
    "a factor for each sample": Mistake(
        "each sample is right but for one number: look at its sum.", _factor_for_each_sample, VAGUE
    ),
    "the sum is in half precision": Mistake(
        "sum in float32: a sum of 16 bits has few digits, and stops growing.", _half_sum
    ),
    "cancellation in 1 - y": Mistake(
        "1 - y_i has lost its digits where y_i is nearly 1: sum the other y_j, or allow more atol.",
        _cancellation,
    ),
    "rounding of z - logsumexp": Mistake(
        "logits this large have too few digits for z - logsumexp(z): subtract the maximum first.",
        _rounded_at_an_offset,
    ),
    **{f"{name} results": _computed_in(each) for name, each in _LOW.items()},
    "rounded results": Mistake(
        "these are the exact values printed with too few digits: print 17 (%.17g).",
        _printed,
        is_precision=True,
    ),
    "NaN among the results": Mistake(
        "NaN in {case.nan} of {case.actual.size} entries: look for 0/0, inf - inf and log 0.",
        lambda case: [case.actual] if case.nan else [],
        VAGUE,
    ),
    "underflow before the logarithm": _y_is(
        "log(softmax(z)) is -inf where a probability underflows: use z - max - log(sum(exp)).",
        lambda case: [np.where(p.round(case.y) == 0, 0, case.y) for p in PRECISIONS.values()],
    ),
    "overflow: the maximum is not subtracted": Mistake(
        "exp overflows above {limit:.4g}, or all of it underflows: subtract each sample's maximum "
        "before exp, softmax(z) = softmax(z - max z).",
        lambda case: _out_of_range(case, 0.0, case.z.mean(axis=1, keepdims=True)),
    ),
    "one maximum for the whole batch": Mistake(
        f"subtract the maximum {_EACH}: elsewhere exp underflows.",
        lambda case: _out_of_range(case, case.z.max()) if len(case.z) > 1 else (),
    ),
}
