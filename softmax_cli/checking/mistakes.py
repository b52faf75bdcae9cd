"""Known mistakes in softmax and its derivative, and which of them explain a candidate that fails.

A mistake explains a candidate when all its entries agree with the mistake's wrong formula: what is
computed in place of what is right. Adding a mistake is one row of the tables, with its formula,
what to change in the reference, help/mistakes.md, and its case in tests/wrong.py.
"""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking import formulas
from softmax_cli.checking.formulas import PRECISIONS, Case, Family, FloatArray, Task, Wrong, fit
from softmax_cli.mathematics import core

# What wrong formulas give. What takes its numbers from the candidate yields the candidate's own
# array to say that it explains it.
Formula = Callable[[Case], Iterable[Wrong]]


@dataclass(frozen=True)
class Diagnosis:
    """A mistake that explains every entry of a candidate.

    Attributes
    ----------
    name, advice
        As in the reference; options in the advice stand as ```name=value```.
    numbers
        What the mistake has for a number, by its name: ``factor``, ``number``, ``limit``.
    """

    name: str
    advice: str
    numbers: tuple[tuple[str, float], ...] = ()


def total(values: FloatArray) -> FloatArray:
    """Sum over the classes."""
    return np.asarray(values.sum(axis=1, keepdims=True))


def exponentials(case: Task) -> tuple[FloatArray, FloatArray]:
    """Return exp(z/T) as it is, and shifted by each sample's maximum."""
    return np.exp(case.z / case.T), np.exp((case.z - case.z.max(axis=1, keepdims=True)) / case.T)


def over(k: int, case: Task, number: float) -> FloatArray:
    """Return what is made of exponentials over their sum and a number."""
    e = exponentials(case)[k]
    return case.of_y(e / (number + total(e)))


def clipped(k: int, task: Task, eps: float) -> FloatArray:
    """Return what is made of probabilities from eps to 1 - k eps."""
    return task.of_y(np.clip(task.y, eps, 1 - k * eps))


def not_normalised(case: Case) -> Iterator[FloatArray]:
    """Yield what is made of exp(z), and of exp(z) over the sum of z that is not masked."""
    z = np.where(case.z > -np.inf, case.z, 0.0)
    for e in exponentials(case):
        yield from map(case.of_y, (e, e / total(z), e / total(z / case.T)))


def log_with_eps(case: Task, eps: float) -> FloatArray:
    """Return the derivative of log(y + eps); that of y + eps is right."""
    d, u, v = case.parts()
    ratio = case.y / (case.y + eps) if case.log else 1.0
    return case.result(d * ratio, u * ratio, v) if case.is_derivative else case.exact()


def diagonal(case: Case, y: FloatArray) -> list[FloatArray]:
    """Return what is on the diagonal of J made of these probabilities."""
    d, u, v = case.parts(y)
    return [case.result(d + u * v, 0, 0)] if case.is_derivative else []


def sigmoid(case: Case) -> list[FloatArray]:
    """Return 1/(1 + exp(-z)), and what is made of it."""
    s = 1 / (1 + np.exp(-case.z / case.T))
    return [case.of_y(s), *diagonal(case, s)]


def twice(case: Case) -> Iterator[FloatArray]:
    """Yield softmax(y) and its derivative, by the formula or by the chain rule."""
    inner = replace(case, log=False)
    for T in {1.0, case.T}:
        outer = replace(case, z=case.y, T=T)
        yield case.of_y(outer.y)
        if case.is_derivative:
            result = outer.exact()
            yield result @ inner.exact() if case.g is None else inner.given(g=result)


def powers_of_two(case: Case) -> list[FloatArray]:
    """Return 2^z over its sum."""
    other = replace(case, T=min(case.T / math.log(2), 1e308))
    return [other.exact(), case.of_y(other.y), *([case.expected / np.log(2)] if case.log else [])]


def masked(task: Task, number: float) -> Task:
    """Mask by a finite number."""
    return replace(task, z=np.where(task.z > -np.inf, task.z, number))


def masked_after(task: Task, number: float) -> FloatArray:
    """Return what is masked by a finite number, and by 0 after softmax."""
    return task.of_y(np.where(task.z > -np.inf, masked(task, number).y, 0.0))


def at_power(power: int, case: Case) -> Iterator[FloatArray]:
    """Yield what softmax with T^power makes, with a factor 1, 1/T or its own in the derivative."""
    T = float(np.clip(np.float64(case.T) ** power, 1e-99, 1e99))
    for factor in {1.0, T, T / case.T} if case.is_derivative else {1.0}:
        yield factor * case.given(T=T)


def along(case: Case, *axes: int | None) -> Iterator[Wrong]:
    """Yield softmax along each of these axes, or over everything, and what is made of it."""
    # Log-softmax of one sample along the samples is 0.
    for axis in axes if len(case.z) > 1 or not case.log or case.is_derivative else ():
        z = case.z.ravel() if axis is None else case.z.reshape(case.whole)
        y = core.softmax(z, axis=axis or 0, temperature=case.T).reshape(case.z.shape)
        yield case.of_y(y)
        if len(case.z) > 1 and case.g is not None:
            yield from summed_along(case, case.g, y, axis)
        elif len(case.z) > 1 and axis is not None:  # of each sample alone
            yield from diagonal(case, y)


def summed_along(case: Case, g: FloatArray, y: FloatArray, *axes: int | None) -> Iterator[Wrong]:
    """Yield the vjp whose sum goes along another axis."""
    d, u, v = case.parts(y)
    terms = (u * g).reshape(case.whole)
    for axis in axes:
        sums = np.broadcast_to(terms.sum(axis=axis, keepdims=True), terms.shape)
        yield (d * g + v * sums.reshape(g.shape)) / case.T


def logits_for_y(case: Case) -> Iterator[FloatArray]:
    """Yield what has z in place of y: everywhere, or here and there in the derivative."""
    (d, u, _), y = case.parts(), case.y
    for z in (case.z, case.z / case.T):
        yield case.of_y(z)
        forms = [(y, -y, z), (y, -z, y), (d + u * z, 0, 0), (z - z * y, 0, 0), (z - z * z, 0, 0)]
        yield from (case.result(*form) for form in forms if case.is_derivative)


def without_upstream(case: Case, g: FloatArray) -> list[FloatArray]:
    """Return what has no upstream gradient in it."""
    d, u, v = case.parts()
    return [y / T for T in {1.0, case.T} for y in (d + u * v, case.y) if (g != 1).any()]


def row_sums(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    """The candidate itself, if it is the product with ones."""
    sums = (ones := replace(case, g=np.ones(g.shape))).exact()
    # Those of softmax are 0, and what is left is their rounding, perhaps as float32.
    is_single = (formulas.FLOAT32.round(case.actual) == case.actual).all()
    rounding = ones.rounding(formulas.FLOAT32 if is_single else formulas.FLOAT64) / 8
    near = rounding + case.bound(sums) * case.log
    is_noise = np.abs(case.actual).max() > ones.rounding().max() * 2.0**-20
    are_sums = is_noise and (np.abs(case.actual - sums) <= near).all()
    if are_sums and (np.abs(case.expected - sums) > near).any():
        yield case.actual


def cross_entropy(case: Case, g: FloatArray) -> Iterator[FloatArray]:
    """Yield y - t, twice, with the other sign, or divided by K or T."""
    for factor, scale in product((1.0, 2.0, -1.0), {1.0, 1 / len(g), 1 / case.T}):
        if factor > 0 or not case.log:  # where g - y is another mistake
            yield factor * scale * (case.y - g)


def one_for_all(case: Case) -> Iterator[FloatArray]:
    """Yield the results of the first, or last, sample's logits or gradient, or of both."""
    for k in (0, -1):
        z, g = (x if x is None else np.broadcast_to(x[k], x.shape) for x in (case.z, case.g))
        yield from (case.given(z=z), case.given(g=g), case.given(z=z, g=g))


def constant_factor(case: Case) -> Iterator[Wrong]:
    """The candidate itself, if all of it is one number times the exact results."""
    factor = case.ratios(tuple(range(case.actual.ndim))).item()
    found = formulas.shortest(case, lambda _, factor: case.expected * factor, factor)
    yield from ((case.actual, {"factor": number}) for number in found if number)


def half_sum(case: Case) -> bool:
    """Tell whether the sums over the classes are as wrong as those of 16 bits are."""
    if case.precision.bits >= formulas.FLOAT32.bits or (case.excess <= 1).all():
        return False
    ratios = case.ratios(tuple(range(1, case.actual.ndim)))
    wrong, off = case.expected * ratios, 1 / ratios - 1
    if case.g is not None:
        d, u, v = case.parts()
        top = case.z.argmax(axis=1)[:, None]
        sums = np.take_along_axis((case.actual * case.T - d * case.g) / case.y, top, 1)
        wrong = (d * case.g + v * sums) / case.T
        off = (sums - total(u * case.g)) / total(np.abs(u * case.g))
    most = case.z.shape[1] * case.precision.eps / 2
    misfit, excess = case.beyond(wrong, case.actual).max(), case.excess.max()
    return bool((np.abs(off) <= most).all() and misfit <= min(1.0, excess / 3))


def ranked(expected: FloatArray, actual: FloatArray) -> NDArray[np.intp]:
    """Pair numbers by rank: return the positions of the expected ones."""
    return np.argsort(expected)[np.argsort(np.argsort(actual))]


def samples_in_another_order(case: Case) -> list[FloatArray]:
    """Pair the samples by rank of one number each; a wrong pairing explains nothing."""
    both = (np.nan_to_num(each, neginf=-1e3) for each in (case.expected, case.actual))
    expected, actual = (each.reshape(len(case.z), -1) for each in both)
    weights = np.random.default_rng(0).uniform(1, 2, expected.shape[1])
    return [case.expected[ranked(expected @ weights, actual @ weights)]]


def classes_in_another_order(case: Case) -> list[FloatArray]:
    """Pair the classes by rank of a number that does not depend on the order of the others."""
    weights = np.random.default_rng(0).uniform(1, 2, len(case.z))
    both = tuple(np.nan_to_num(each, neginf=-1e3) for each in (case.expected, case.actual))
    if case.quantity == "jacobian":
        both = tuple(np.diagonal(J, axis1=1, axis2=2) + 2**0.5 * (J**2).sum(2) for J in both)
    order = ranked(*(weights @ values for values in both))
    return [case.given(z=case.z[:, order], g=None if case.g is None else case.g[:, order])]


def transposed(case: Case) -> list[FloatArray]:
    """Return a transposed batch."""
    return [np.moveaxis(case.expected, 0, -1)] * (case.z.shape[0] == case.z.shape[1])


def shifted(case: Case) -> Iterator[FloatArray]:
    """Yield results that are off by a class."""
    for shift, axis in product((1, -1), ((1,), (2,), (1, 2)) if case.actual.ndim == 3 else ((1,),)):
        yield np.roll(case.expected, (shift,) * len(axis), axis)


def left_at_zero(case: Case) -> list[FloatArray]:
    """Return the exact result with 0 for the classes, and samples, that are 0 throughout."""
    wrong, axes = case.expected, set(range(case.expected.ndim))
    for axis in axes:
        lost = (case.actual == 0).all(axis=tuple(axes - {axis}), keepdims=True)
        wrong = wrong if lost.all() else np.where(lost, 0.0, wrong)
    return [wrong]


def nan(case: Case) -> list[Wrong]:
    """The candidate itself, if it has NaN, and how many."""
    count = int(np.isnan(case.actual).sum())
    return [(case.actual, {"count": count, "entries": case.actual.size})] if count else []


def underflown(case: Case) -> Iterator[FloatArray]:
    """Yield what is made of probabilities that underflow, in each precision."""
    for each in PRECISIONS.values() if case.log else ():
        yield case.of_y(np.where(each.round(case.y) == 0, 0, case.y))


def out_of_range(case: Case, *shifts: Any) -> Iterator[Wrong]:
    """Yield what exp((z - shift)/T) makes where it over- or underflows, in no coarser format."""
    is_lost = ~np.isfinite(case.actual) & (case.actual != case.expected)
    formats = [each for each in PRECISIONS.values() if each.bits >= case.precision.bits]
    for shift, p in product(shifts, formats):
        e = p.round(np.exp((case.z - shift) / case.T))
        sums = p.round(total(e))
        lost = np.isinf(sums) | (sums == 0)
        if lost.any() and (lost[:, 0] == is_lost.reshape(len(lost), -1).any(axis=1)).all():
            naive = case.of_y(e / sums)
            # Which further entries a NaN spreads to depends on how the formula is written.
            rows = lost.reshape(-1, *(1,) * (case.actual.ndim - 1))
            agrees = np.where(rows, is_lost, case.error <= case.rounding(case.precision))
            agrees |= case.beyond(naive, case.actual) <= 1
            yield np.where(agrees, case.actual, naive), {"limit": np.log(p.largest).round(3)}


def _is_rounding(case: Case, unit: FloatArray, least: FloatArray | float | None = None) -> bool:
    """Tell whether what fails is no further off than a unit, and some of it than the least."""
    fails, least = case.excess > 1, case.rounding(case.precision) if least is None else least
    return bool((case.error <= unit)[fails].all() and (case.error > least)[fails].any())


def rounded_at_an_offset(case: Case) -> bool:
    """Tell whether errors are those of the large logits that it has not shifted."""
    unit = case.rounding(case.precision)
    # The rounding of logits shows from about 100 on.
    is_offset = (np.abs(case.z).min(axis=1) > 100 * case.T).any()
    return bool(is_offset) and _is_rounding(case, unit, unit * 16 / case.roundings)


def cancellation(case: Case) -> bool:
    """Tell whether a difference has left no more than the rounding of its terms."""
    least = formulas.FLOAT64.eps * case.roundings * np.abs(case.expected)
    is_difference = (case.is_derivative or case.log) and not rounded_at_an_offset(case)
    return is_difference and _is_rounding(case, case.rounding(), least)


def computed_in(precision: formulas.Precision, case: Case) -> bool:
    """Tell whether it has the digits of a format, and errors of its size."""
    is_shown = formulas.shown_precision(case.actual) is precision
    atol, rtol = replace(case, precision=precision).tolerances()
    passes = bool((replace(case, atol=atol, rtol=rtol).excess <= 1).all())
    return is_shown and passes and _is_rounding(case, case.rounding(precision))


def few_digits(case: Case) -> bool:
    """Tell whether it has few digits."""
    unit = formulas.half_units(case.actual, formulas.printed_digits(case.actual), range(2, 12))
    # Slightly over a half, as they may have been float32 before.
    return unit is not None and _is_rounding(case, 1.02 * unit)


def _matrix(forms: Callable[[Any, Any, Any], list[tuple[Any, Any, Any]]]) -> Formula:
    """Make a mistake in J and vjp of wrong diag(d) + u v', made of d, u and v of the right one."""
    return lambda case: [case.result(*form) for form in forms(*case.parts()) if case.is_derivative]


def _vjp(formula: Callable[[Case, FloatArray], Iterable[Wrong]]) -> Formula:
    """Make a mistake in vjp, a function also of the upstream gradient."""
    return lambda case: () if case.g is None else formula(case, case.g)


def _forward(function: Callable[[Case], FloatArray]) -> Formula:
    """Make a mistake in probabilities alone."""
    return lambda case: () if case.is_derivative else [function(case)]


def _scaled(factors: Callable[[Case], set[float]]) -> Formula:
    """Make a mistake of a factor on the exact result."""
    return lambda case: [(case.expected * each, {"factor": each}) for each in factors(case)]


def _shown(is_so: Callable[[Case], bool]) -> Formula:
    """Make a mistake that the candidate itself shows."""
    return lambda case: [case.actual] if is_so(case) else []


def _fitted(low: float, high: float, *families: Family) -> Formula:
    """Make a mistake of one number, somewhere between two others, which the candidate tells."""
    return lambda case: (each for family in families for each in fit(case, family, low, high))


_SURE: dict[str, Formula] = {
    "nothing but zeros": _shown(lambda case: not case.actual.any()),
    "only the diagonal": _matrix(lambda d, u, v: [(d + u * v, 0, 0)]),
    "the diagonal is missing": _matrix(lambda d, u, v: [(-u * v, u, v)]),
    "diag(y) alone": _matrix(lambda d, u, v: [(v, 0, 0)]),
    "the delta term is missing": _matrix(lambda d, u, v: [(0, u, v), (0, -u, v)]),
    "sign of the off-diagonal": _matrix(lambda d, u, v: [(d + 2 * u * v, -u, v)]),
    "sign of the outer product": _matrix(lambda d, u, v: [(d, -u, v)]),
    "the outer product twice": _matrix(lambda d, u, v: [(d, 2 * u, v)]),
    "a factor y is missing": _matrix(lambda d, u, v: [(d, -1, v), (d, u, 1), (1, u, v)]),
    "a factor y too many": _matrix(lambda d, u, v: [(d, u * v, v), (d * v, u, v * v)]),
    "one triangle": lambda case: [
        half(case.expected) for half in (np.tril, np.triu) if case.quantity == "jacobian"
    ],
    "derivative of log-softmax": _matrix(lambda d, u, v: [(1, -1, v)]),
    "derivative of softmax": _matrix(lambda d, u, v: [(v, -v, v)]),
    "transposed derivative of log-softmax": _matrix(lambda d, u, v: [(1, -v, 1)]),
    "sign of everything": _scaled(lambda case: {-1.0}),
    "the sum over y g along the wrong axis": _vjp(
        lambda case, g: summed_along(case, g, case.y, *range(len(case.whole) - 1), None)
    ),
    "the sum over g is missing": _vjp(lambda case, g: [(g - case.y) / case.T] if case.log else []),
    "gradient of cross-entropy": _vjp(cross_entropy),
    "the upstream gradient is left out": _vjp(without_upstream),
    "the upstream gradient is copied": _vjp(lambda case, g: [g, g / case.T]),
    "row sums of the Jacobian": _vjp(row_sums),
    "arguments in the wrong order": _vjp(lambda case, g: [case.given(z=g, g=case.z)]),
    "logits in place of probabilities": logits_for_y,
    "sigmoid in place of softmax": sigmoid,
    "argmax in place of softmax": _forward(lambda case: (case.z == case.z.max(1)[:, None]) * 1.0),
    "softmax twice": twice,
    "softmax of -z": lambda case: [sign * case.given(z=-case.z) for sign in (1.0, -1.0)],
    "powers of 2": powers_of_two,
    "not normalised": not_normalised,
    "logarithms of the probabilities": _forward(lambda case: case.given(log=True)),
    "probabilities in place of their logarithms": _forward(lambda case: case.y),
    "temperature left out": partial(at_power, 0),
    "temperature applied twice": partial(at_power, 2),
    "temperature multiplied": partial(at_power, -1),
    "factor 1/T missing": _scaled(lambda case: {1 / case.chain}),
    "factor 1/T squared": _scaled(lambda case: {case.chain}),
    "softmax along the wrong axis": lambda case: along(case, *range(len(case.whole) - 1)),
    "softmax over the whole batch": lambda case: along(case, None),
    "one sample for all": one_for_all,
    "summed over the batch": lambda case: [case.expected.sum(axis=0), case.expected.mean(axis=0)],
    "divided by the batch size": _scaled(lambda case: {1 / len(case.z), 1 / case.whole[0]}),
    "samples in another order": samples_in_another_order,
    "shifted by a class": shifted,
    "a class or a sample is left at 0": left_at_zero,
    "the sum is in half precision": _shown(half_sum),
    "underflow before the logarithm": underflown,
    "overflow: the maximum is not subtracted": lambda case: out_of_range(
        case, 0.0, case.z.mean(axis=1, keepdims=True)
    ),
    "one maximum for the whole batch": lambda case: out_of_range(case, case.z.max()),
}
# Results of fewer digits are a remedy.
_ROUNDED: dict[str, Formula] = {
    **{f"{p.name} results": _shown(partial(computed_in, p)) for p in [*PRECISIONS.values()][1:]},
    "rounded results": _shown(few_digits),
}
# These are no cause beside one of those above.
_FITTED: dict[str, Formula] = {
    "cancellation in 1 - y": _shown(cancellation),
    "rounding of large logits": _shown(rounded_at_an_offset),
    "a number is added below": _fitted(1e-11, 1e3, partial(over, 0), partial(over, 1)),
    "clipped probabilities": _fitted(1e-11, 0.11, partial(clipped, 1), partial(clipped, 0)),
    "eps is added": _fitted(1e-11, 0.11, lambda task, eps: task.of_y(task.y + eps), log_with_eps),
    "smoothed probabilities": _fitted(
        1e-11, 0.9, lambda task, s: task.of_y((1 - s) * task.y + s / task.y.shape[1])
    ),
    "masked with a finite number": _fitted(-1e308, 15.0, lambda task, x: masked(task, x).exact()),
    "masked after softmax": _fitted(-1e308, 15.0, masked_after),
    "another temperature": _fitted(1e-3, 1e3, lambda task, T: task.given(T=T)),
    "classes in another order": classes_in_another_order,
    "a constant factor": constant_factor,
}
# These say little, and are no cause beside one of those above.
_VAGUE: dict[str, Formula] = {"transposed batch": transposed, "NaN among the results": nan}
CATALOGUE = _SURE | _ROUNDED | _FITTED | _VAGUE
CONNECTS_SAMPLES = re.compile("batch|axis|one sample|samples")


@np.errstate(all="ignore")
def diagnose(case: Case) -> tuple[Diagnosis, ...]:
    """Return every known mistake that explains all entries of a failing candidate.

    They are looked for at the precision that the candidate shows. More than one fits where they
    coincide: with two classes, or special logits or gradients.
    """
    *coarse, last = _views(case)
    attempts = [(_ROUNDED, view) for view in coarse]
    # Mistakes are looked for as closely as the candidate's numbers are told.
    attempts += [(known, last) for known in (_SURE | _ROUNDED, _FITTED, _VAGUE)]
    for known, view in attempts:
        found = {
            name: numbers
            for name, formula in known.items()
            if not (view.apart and CONNECTS_SAMPLES.search(name))
            for wrong in formula(view)
            for values, numbers in [wrong if isinstance(wrong, tuple) else (wrong, {})]
            if view.is_explained_by(values)
        }
        if found:
            return tuple(explain(name, view, **numbers) for name, numbers in found.items())
    return ()


def _views(case: Case) -> Iterator[Case]:
    """Yield the case in its own precision, then in those that its numbers have.

    Results that are too small by a factor are told as much more closely, as rounding lets them.
    """
    sizes = [np.abs(x[np.isfinite(x)]).max(initial=0.0) for x in (case.actual, case.expected)]
    share = max(sizes[0] / max(*sizes, 5e-324), 2.0**-12)  # terms are rounded
    yield (case := replace(case, atol=case.atol * share))
    if (precision := formulas.shown_precision(case.actual)) is not formulas.FLOAT64:
        atol, rtol = replace(case, precision=precision).tolerances()
        yield replace(case, precision=precision, atol=atol * share, rtol=rtol)
    if (unit := formulas.half_units(case.actual, formulas.printed_digits(case.actual))) is not None:
        yield replace(case, unit=unit)


def explain(name: str, task: Task, **numbers: float) -> Diagnosis:
    """Give the advice of the reference to a mistake, with its numbers."""
    from importlib.resources import files

    page = (files("softmax_cli") / "help" / "mistakes.md").read_text("utf-8")
    advice = re.split(r"\n(?!  )", page.partition(f"- **{name}**: ")[2])[0]
    right = "J = diag(y) - y y^T, and the vjp is y (g - sum_j g_j y_j)"
    if task.log:
        right = "J_ji = delta_ij - y_i, and the vjp is g - y sum_j g_j"
    shown = {number: f"{value:.15g}" for number, value in numbers.items()}
    advice = " ".join(advice.split()).format(right=right, **shown)
    return Diagnosis(name, advice, tuple(numbers.items()))


@np.errstate(all="ignore")
def diagnose_shape(task: Task, found: FloatArray) -> tuple[Diagnosis, ...]:
    """Explain right numbers in a wrong shape: a batch transposed, or a row for each matrix."""
    if math.prod(task.shape) > 1 << 22:  # too many to be held
        return ()
    exact = task.exact()
    named = [("transposed batch", np.moveaxis(exact, 0, -1)), ("one sample for all", exact[0])]
    named += [("summed over the batch", each) for each in (exact.sum(axis=0), exact.mean(axis=0))]
    if task.quantity == "jacobian":
        named += [("only the diagonal", np.diagonal(exact, axis1=1, axis2=2))]
        named += [("row sums of the Jacobian", exact.sum(axis=1))]
    atol, rtol = replace(task, precision=formulas.shown_precision(found)).tolerances()
    return tuple(
        explain(name, task)
        for name, values in named
        if values.shape == found.shape and np.allclose(values, found, rtol, float(atol.max()))
    )
