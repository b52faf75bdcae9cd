"""The formulas of known mistakes: what is computed in place of what is right."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.fit import shortest
from softmax_cli.checking.formulas import Case, FloatArray
from softmax_cli.checking.precision import (
    FLOAT32,
    FLOAT64,
    PRECISIONS,
    Precision,
    printed_digits,
)
from softmax_cli.mathematics import core

# What a wrong formula gives, perhaps with numbers of its own by name, for the advice. What takes
# its numbers from the candidate yields the candidate's own array to say that it explains it.
Wrong = FloatArray | tuple[FloatArray, dict[str, float]]
Formula = Callable[[Case], Iterable[Wrong]]

# Logits whose rounding shows.
_LARGE = 100


def total(values: FloatArray) -> FloatArray:
    """Sum over the classes."""
    return np.asarray(values.sum(axis=1, keepdims=True))


def exponentials(case: Case) -> tuple[FloatArray, FloatArray]:
    """Return exp(z/T) as it is, and shifted by each sample's maximum."""
    return np.exp(case.z / case.T), np.exp((case.z - case.z.max(axis=1, keepdims=True)) / case.T)


def over(case: Case, e: FloatArray, number: float) -> FloatArray:
    """Return what is made of e over its sum and a number."""
    return case.of_y(e / (number + total(e)))


def not_normalised(case: Case) -> Iterator[FloatArray]:
    """Yield exp(z), and exp(z) over the sum of z."""
    for e in exponentials(case):
        yield from (e, e / total(case.z), e / total(case.z / case.T))


def log_with_eps(case: Case, eps: float) -> FloatArray:
    """Return the derivative of log(y + eps); that of y + eps is right."""
    d, u, v = case.right
    ratio = case.y / (case.y + eps) if case.log else 1.0
    return case.result(d * ratio, u * ratio, v) if case.is_derivative else case.expected


def sigmoid(case: Case) -> Iterator[FloatArray]:
    """Yield 1/(1 + exp(-z)), and what is made of it."""
    s = 1 / (1 + np.exp(-case.z / case.T))
    yield case.of_y(s)
    yield from diagonal(case, s)


def twice(case: Case) -> Iterator[FloatArray]:
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


def powers_of_two(case: Case) -> Iterator[FloatArray]:
    """Yield 2^z over its sum."""
    other = replace(case, T=case.T / np.log(2))
    yield from (other.exact(), case.of_y(other.y))
    if case.log and not case.is_derivative:
        yield case.expected / np.log(2)


def masked_with(case: Case, number: float) -> Case:
    """Mask by a finite number."""
    return replace(case, z=np.where(np.isneginf(case.z), number, case.z))


def masked_after(case: Case, number: float) -> FloatArray:
    """Make the classes 0 that are masked by a finite number in softmax."""
    return case.of_y(np.where(np.isneginf(case.z), 0.0, masked_with(case, number).y))


def diagonal(case: Case, y: FloatArray) -> Iterator[FloatArray]:
    """Yield what is on the diagonal of J made of these probabilities."""
    d, u, v = case.parts(y)
    if case.is_derivative:
        yield case.result(d + u * v, 0, 0)


def along_samples(case: Case) -> Iterator[FloatArray]:
    """Yield softmax along each axis of the samples, and what is made of it."""
    for axis in range(len(case.whole) - 1):
        yield from _along(case, axis)


def over_everything(case: Case) -> Iterator[FloatArray]:
    """Yield softmax over all samples at once, and what is made of it."""
    yield from _along(case, None)


def _along(case: Case, axis: int | None) -> Iterator[FloatArray]:
    if len(case.z) == 1 and case.log:
        return  # it is 0
    z = case.z.ravel() if axis is None else case.z.reshape(case.whole)
    y = core.softmax(z, axis=axis or 0, temperature=case.T).reshape(case.z.shape)
    yield case.of_y(y)
    if len(case.z) > 1 and case.g is not None:
        yield summed_along(case, case.g, y, axis)
    elif len(case.z) > 1 and axis is not None:  # of each sample alone
        yield from diagonal(case, y)


def summed_along(case: Case, g: FloatArray, y: FloatArray, axis: int | None) -> FloatArray:
    """Return the vjp whose sum goes along another axis."""
    d, u, v = case.parts(y)
    terms = (u * g).reshape(case.whole)
    sums = np.broadcast_to(terms.sum(axis=axis, keepdims=True), terms.shape).reshape(g.shape)
    return np.asarray((d * g + v * sums) / case.T)


def logits_for_y(case: Case) -> Iterator[FloatArray]:
    """Yield what has z in place of y: everywhere, or here and there in the derivative."""
    (d, u, _), y = case.right, case.y
    for z in (case.z, case.z / case.T):
        yield case.of_y(z)
        forms = [(y, -y, z), (y, -z, y), (d + u * z, 0, 0), (z - z * y, 0, 0), (z - z * z, 0, 0)]
        yield from (case.result(*form) for form in forms if case.is_derivative)


def without_upstream(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    """Yield what has no upstream gradient in it."""
    d, u, v = case.right
    if (g != 1).any():  # of 1 it is not left out
        yield from ((d + u * v) / case.T, case.y / case.T)


def row_sums(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    """The candidate itself, if it is the product with ones."""
    sums = replace(case, g=np.ones(g.shape)).exact()
    # Those of softmax are 0, and what is left is their rounding.
    near = case.rounding(FLOAT32) + case.bound(sums)
    are_sums = (np.abs(case.actual - sums) <= near).all() and (case.actual != 0).any()
    if are_sums and (np.abs(case.expected - sums) > near).any():
        yield case.actual


def cross_entropy(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    """Yield y - t, twice, with the other sign, or divided by K or T."""
    for factor, scale in product((1.0, 2.0, -1.0), {1.0, 1 / len(g), 1 / case.T}):
        if factor > 0 or not case.log:  # where g - y is another mistake
            yield factor * scale * (case.y - g)


def triangles(case: Case) -> Iterator[FloatArray]:
    """Yield the results of one triangle of J."""
    if case.g is None:
        yield from (np.tril(case.expected), np.triu(case.expected))
        return
    d, u, v = case.right
    for step in (1, -1):
        sums = np.cumsum((u * case.g)[:, ::step], axis=1)[:, ::step]
        yield (d * case.g + v * sums) / case.T


def one_for_all(case: Case) -> Iterator[FloatArray]:
    """Yield the results of the first, or last, sample's logits or gradient, or of both."""
    for k in (0, -1):
        one = replace(case, z=np.broadcast_to(case.z[k], case.z.shape))
        yield one.exact()
        if case.g is not None:
            g = np.broadcast_to(case.g[k], case.g.shape)
            yield from (replace(case, g=g).exact(), replace(one, g=g).exact())


def constant_factor(case: Case) -> Iterator[Wrong]:
    """The candidate itself, if all of it is one number times the exact results."""
    factor = case.ratios(tuple(range(case.actual.ndim))).item()
    if factor != 0 and np.isfinite(factor):
        for number in shortest(case, lambda case, factor: case.expected * factor, factor):
            yield case.actual, {"factor": number}


def factor_for_each_sample(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, if each sample is a number times the exact one."""
    ratios = case.ratios(tuple(range(1, case.actual.ndim)))
    wrong = case.expected * ratios
    if case.log and not case.is_derivative:
        top = case.z.argmax(axis=1)[:, None]
        ratios = np.take_along_axis(case.actual - case.expected, top, axis=1)
        wrong = case.expected + ratios
    is_some = len(case.z) > 1 and (ratios != 0).all() and np.isfinite(ratios).all()
    if is_some and case.is_explained_by(wrong, len(case.z)) and not [*constant_factor(case)]:
        yield case.actual


def half_sum(case: Case) -> Iterator[FloatArray]:
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
        off = (sums - total(u * case.g)) / total(np.abs(u * case.g))
    most = case.z.shape[1] * case.precision.eps / 2
    if (np.abs(off) <= most).all() and (case.beyond(wrong, case.actual) <= 1).all():
        yield case.actual


def ranked(expected: FloatArray, actual: FloatArray) -> NDArray[np.intp]:
    """Pair numbers by rank: return the positions of the expected ones."""
    order = np.empty(len(expected), dtype=np.intp)
    order[np.argsort(actual)] = np.argsort(expected)
    return order


def samples_in_another_order(case: Case) -> Iterator[FloatArray]:
    """Pair the samples by rank of one number each; a wrong pairing explains nothing."""
    expected, actual = (each.reshape(len(case.z), -1) for each in (case.expected, case.actual))
    weights = np.random.default_rng(0).uniform(1, 2, expected.shape[1])
    yield case.expected[ranked(expected @ weights, actual @ weights)]


def reordered(case: Case, order: NDArray[np.intp]) -> FloatArray:
    """Return the expected result with the classes of each sample, shape (K, C), in an order."""
    if case.quantity != "jacobian":
        return np.take_along_axis(case.expected, order, axis=1)
    rows = np.take_along_axis(case.expected, order[:, :, None], axis=1)
    return np.take_along_axis(rows, order[:, None, :], axis=2)


def classes_in_another_order(case: Case) -> Iterator[FloatArray]:
    """Pair the classes by rank of a number that does not depend on the order of the others."""
    weights = np.random.default_rng(0).uniform(1, 2, len(case.z))

    def number(values: FloatArray) -> FloatArray:
        if case.quantity == "jacobian":
            own = np.diagonal(values, axis1=1, axis2=2)
            values = own + np.sqrt(2) * (values**2).sum(axis=2)
        return np.asarray(weights @ values)

    order = ranked(number(case.expected), number(case.actual))
    yield reordered(case, np.broadcast_to(order, case.z.shape))


def classes_sorted(case: Case) -> Iterator[FloatArray]:
    # Of one sample, any order is another order of its classes.
    """Yield results whose classes are sorted in each sample."""
    if len(case.z) > 1:
        for keys in (-case.z, case.z):
            yield reordered(case, np.argsort(keys, axis=1, kind="stable"))


def transposed(case: Case) -> Iterator[FloatArray]:
    """Yield a transposed batch."""
    if case.quantity != "jacobian" and case.z.shape[0] == case.z.shape[1]:
        yield case.expected.T
        if case.g is not None:
            yield core.vjp(case.z, case.g.T, temperature=case.T)


def shifted(case: Case) -> Iterator[FloatArray]:
    """Yield results that are off by a class."""
    axes = ((1,), (2,), (1, 2)) if case.actual.ndim == 3 else ((1,),)
    for shift, axis in product((1, -1), axes):
        yield np.roll(case.expected, (shift,) * len(axis), axis)


def left_at_zero(case: Case) -> Iterator[FloatArray]:
    """Yield the exact result with 0 for the classes, and samples, that are 0 throughout."""
    wrong, axes = case.expected, set(range(case.expected.ndim))
    for axis in axes:
        lost = (case.actual == 0).all(axis=tuple(axes - {axis}), keepdims=True)
        wrong = wrong if lost.all() else np.where(lost, 0.0, wrong)
    yield wrong


def out_of_range(case: Case, *shifts: Any) -> Iterator[Wrong]:
    """Yield what exp((z - shift)/T) makes where it over- or underflows, in each precision."""
    is_lost = ~np.isfinite(case.actual) & (case.actual != case.expected)
    broken = is_lost.reshape(len(case.z), -1).any(axis=1)
    for shift, precision in product(shifts, PRECISIONS.values()):
        e = precision.round(np.exp((case.z - shift) / case.T))
        sums = precision.round(total(e))
        lost = np.isinf(sums) | (sums == 0)
        if (lost[:, 0] == broken).all() and (lost.any() or precision is case.precision):
            naive = case.of_y(e / sums)
            # Which further entries a NaN spreads to depends on how the formula is written.
            rows = lost.reshape(-1, *(1,) * (case.actual.ndim - 1))
            agrees = np.where(rows, is_lost, case.error <= case.rounding(case.precision))
            agrees |= case.beyond(naive, case.actual) <= 1
            yield np.where(agrees, case.actual, naive), {"limit": np.log(precision.largest)}


def is_rounding(case: Case, precision: Precision) -> bool:
    """Tell whether what fails is no further off than rounding."""
    return bool((case.error <= case.rounding(precision))[case.excess > 1].all())


def rounded_at_an_offset(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, where errors are those of the large logits that it has not shifted."""
    few = case.rounding(case.precision) * 16 / case.roundings
    is_offset = (np.abs(case.z).min(axis=1) > _LARGE * case.T).any()
    if is_offset and (case.error > few).any() and is_rounding(case, case.precision):
        yield case.actual


def cancellation(case: Case) -> Iterator[FloatArray]:
    """The candidate itself, where a difference has left no more than the rounding of its terms."""
    lost = case.error > FLOAT64.eps * case.roundings * np.abs(case.expected)
    is_difference = (case.is_derivative or case.log) and not [*rounded_at_an_offset(case)]
    if is_difference and lost[case.excess > 1].any() and is_rounding(case, FLOAT64):
        yield case.actual


def rounded(case: Case, unit: FloatArray) -> Iterator[FloatArray]:
    """The candidate itself, where errors are no more than a unit, and more than rounding."""
    is_near = (case.error <= unit)[case.excess > 1].all()
    if is_near and (case.error > case.rounding(case.precision)).any():
        yield case.actual


def printed(case: Case) -> Iterable[FloatArray]:
    """The candidate itself, if it has few digits."""
    digits = printed_digits(case.actual, range(2, 12))
    # Slightly over a half, as they may have been float32 before.
    return rounded(case, 1.02 * digits[1]) if digits else ()
