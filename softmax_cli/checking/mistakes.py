"""Known mistakes in softmax and its derivative, and which of them explain a candidate that fails.

A mistake explains a candidate when all its entries agree with the mistake's wrong formula. Adding
a mistake is one row here, and what to change in the reference, help/mistakes.md.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from softmax_cli.checking import wrong
from softmax_cli.checking.formulas import Case, Family, FloatArray, Task, fit
from softmax_cli.checking.precision import FLOAT64, PRECISIONS, printed_digits, shown_precision
from softmax_cli.checking.wrong import Formula, Wrong

# A matrix diag(d) + u v', each of shape (K, C) or a number: most mistakes in J are of this form.
Form = tuple[Any, Any, Any]
Mistakes = dict[str, Formula]


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


def _derivative(formula: Formula) -> Formula:
    """Make a mistake in J and vjp."""
    return lambda case: formula(case) if case.is_derivative else ()


def _matrix(forms: Callable[[Any, Any, Any], list[Form]]) -> Formula:
    """Make a mistake in J and vjp of wrong matrices, made of d, u and v of the right one."""
    return _derivative(lambda case: [case.result(*form) for form in forms(*case.parts())])


def _vjp(formula: Callable[[Case, FloatArray], Iterable[FloatArray]]) -> Formula:
    """Make a mistake in vjp, a function also of the upstream gradient."""
    return lambda case: () if case.g is None else formula(case, case.g)


def _y_is(functions: Callable[[Case], Iterable[FloatArray]]) -> Formula:
    """Make a mistake of wrong probabilities, for them and for the derivative made of them."""
    # NaN alone is another mistake.
    return lambda case: [x for x in map(case.of_y, functions(case)) if np.isfinite(x).any()]


def _forward(function: Callable[[Case], FloatArray]) -> Formula:
    """Make a mistake in probabilities alone."""
    return lambda case: () if case.is_derivative else [function(case)]


def _scaled(factor: Callable[[Case], float]) -> Formula:
    """Make a mistake of a factor on the exact result."""
    return lambda case: [(case.expected * factor(case), {"factor": factor(case)})]


def _shown(is_so: Callable[[Case], bool]) -> Formula:
    """Make a mistake that the candidate itself shows."""
    return lambda case: [case.actual] if is_so(case) else []


def _fitted(low: float, high: float, *families: Family) -> Formula:
    """Make a mistake of one number, somewhere between two others, which the candidate tells."""

    def formula(case: Case) -> Iterator[Wrong]:
        for family in families:
            for number in fit(case, family, low, high):
                yield case.actual, {"number": number}

    return formula


_SURE: Mistakes = {
    "only the diagonal": _matrix(lambda d, u, v: [(d + u * v, 0, 0)]),
    "the diagonal is missing": _matrix(lambda d, u, v: [(-u * v, u, v)]),
    "diag(y) alone": _matrix(lambda d, u, v: [(v, 0, 0)]),
    "the delta term is missing": _matrix(lambda d, u, v: [(0, u, v), (0, -u, v)]),
    "sign of the off-diagonal": _matrix(lambda d, u, v: [(d + 2 * u * v, -u, v)]),
    "sign of the outer product": _matrix(lambda d, u, v: [(d, -u, v)]),
    "the outer product twice": _matrix(lambda d, u, v: [(d, 2 * u, v)]),
    "a factor y is missing": _matrix(lambda d, u, v: [(d, -1, v), (d, u, 1), (1, u, v)]),
    "a factor y too many": _matrix(lambda d, u, v: [(d, u * v, v), (d * v, u, v * v)]),
    "one triangle": _derivative(wrong.triangles),
    "derivative of log-softmax": _matrix(lambda d, u, v: [(1, -1, v)]),
    "derivative of softmax": _matrix(lambda d, u, v: [(v, -v, v)]),
    "transposed derivative of log-softmax": _matrix(lambda d, u, v: [(1, -v, 1)]),
    "sign of everything": _scaled(lambda case: -1.0),
    "the sum over y g along the wrong axis": _vjp(
        lambda case, g: [wrong.summed_along(case, g, case.y, axis) for axis in wrong.axes(case)]
    ),
    "the sum over g is missing": _vjp(lambda case, g: [(g - case.y) / case.T] if case.log else []),
    "gradient of cross-entropy": _vjp(wrong.cross_entropy),
    "the upstream gradient is left out": _vjp(wrong.without_upstream),
    "the upstream gradient is copied": _matrix(lambda d, u, v: [(1, 0, 0)]),
    "row sums of the Jacobian": _vjp(wrong.row_sums),
    "powers of the upstream gradient": _vjp(wrong.powers_of_upstream),
    "arguments in the wrong order": _vjp(lambda case, g: [case.given(z=g, g=case.z)]),
    "logits in place of probabilities": wrong.logits_for_y,
    "sigmoid in place of softmax": wrong.sigmoid,
    "argmax in place of softmax": _forward(lambda case: (case.z == case.z.max(1)[:, None]) * 1.0),
    "softmax twice": wrong.twice,
    "softmax of -z": lambda case: [sign * case.given(z=-case.z) for sign in (1.0, -1.0)],
    "powers of 2": wrong.powers_of_two,
    "not normalised": _y_is(wrong.not_normalised),
    "masked after softmax": _fitted(-45.0, 15.0, wrong.masked_after),
    "logarithms of the probabilities": _forward(lambda case: case.given(log=True)),
    "probabilities in place of their logarithms": _forward(lambda case: case.y),
    "temperature left out": lambda case: [case.given(T=1.0)],
    "temperature applied twice": lambda case: [case.given(T=case.T**2)],
    "temperature multiplied": lambda case: [case.given(T=1 / case.T)],
    "factor 1/T missing": _scaled(lambda case: 1 / case.chain),
    "factor 1/T squared": _scaled(lambda case: case.chain),
    "softmax along the wrong axis": lambda case: wrong.along(case, *wrong.axes(case)[:-1]),
    "softmax over the whole batch": lambda case: wrong.along(case, None),
    "one sample for all": wrong.one_for_all,
    "summed over the batch": lambda case: [case.expected.sum(axis=0), case.expected.mean(axis=0)],
    "divided by the batch size": _scaled(lambda case: 1 / len(case.z)),
    "samples in another order": wrong.samples_in_another_order,
    "classes sorted in each sample": wrong.classes_sorted,
    "shifted by a class": wrong.shifted,
    "a class or a sample is left at 0": wrong.left_at_zero,
    "the sum is in half precision": _shown(wrong.half_sum),
    "cancellation in 1 - y": _shown(wrong.cancellation),
    "rounding of z - logsumexp": _shown(wrong.rounded_at_an_offset),
    "underflow before the logarithm": _y_is(wrong.underflown),
    "overflow: the maximum is not subtracted": lambda case: wrong.out_of_range(
        case, 0.0, case.z.mean(axis=1, keepdims=True)
    ),
    "one maximum for the whole batch": lambda case: (
        wrong.out_of_range(case, case.z.max()) if len(case.z) > 1 else ()
    ),
}
# Results of fewer digits are a remedy.
_ROUNDED: Mistakes = {
    **{
        f"{name} results": _shown(partial(wrong.computed_in, each))
        for name, each in PRECISIONS.items()
        if each is not FLOAT64
    },
    "rounded results": _shown(wrong.printed),
}
# These are no cause beside one of those above.
_FITTED: Mistakes = {
    "a number is added below": _fitted(1e-11, 1e3, partial(wrong.over, 0), partial(wrong.over, 1)),
    "clipped probabilities": _fitted(
        1e-11,
        0.11,
        lambda task, eps: task.of_y(np.clip(task.y, eps, 1 - eps)),
        lambda task, eps: task.of_y(np.maximum(task.y, eps)),
    ),
    "eps is added": _fitted(
        1e-11, 0.11, lambda task, eps: task.of_y(task.y + eps), wrong.log_with_eps
    ),
    "smoothed probabilities": _fitted(
        1e-11, 0.9, lambda task, s: task.of_y((1 - s) * task.y + s / task.y.shape[1])
    ),
    "masked with a finite number": _fitted(
        -45.0, 15.0, lambda task, x: wrong.masked_with(task, x).exact()
    ),
    "another temperature": _fitted(1 / 30, 30.0, lambda task, T: task.given(T=T)),
    "classes in another order": wrong.classes_in_another_order,
}
# These say little, and are no cause beside one of those above.
_VAGUE: Mistakes = {
    "transposed batch": wrong.transposed,
    "nothing but zeros": lambda case: [np.zeros(case.shape)],
    "a constant factor": wrong.constant_factor,
    "a factor for each sample": _shown(wrong.factor_for_each_sample),
    "NaN among the results": wrong.nan,
}
CATALOGUE = _SURE | _ROUNDED | _FITTED | _VAGUE


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
            for values, numbers in map(_with_numbers, formula(view))
            if view.is_explained_by(values)
        }
        if found:
            return tuple(explain(name, view, **numbers) for name, numbers in found.items())
    return ()


def _with_numbers(found: Wrong) -> tuple[FloatArray, dict[str, float]]:
    return found if isinstance(found, tuple) else (found, {})


def _views(case: Case) -> Iterator[Case]:
    """Yield the case in its own precision, then in those that its numbers have."""
    yield case
    if case.precision is not FLOAT64:
        return
    precision = shown_precision(case.actual)
    if precision is not FLOAT64:
        view = replace(case, precision=precision)
        atol, rtol = view.tolerances()
        yield replace(view, atol=atol, rtol=rtol)
    printed = printed_digits(case.actual)
    if printed is not None:
        yield replace(case, unit=printed[1])


def explain(name: str, task: Task, **numbers: float) -> Diagnosis:
    """Give the advice of the reference to a mistake, with its numbers."""
    from importlib.resources import files

    page = (files("softmax_cli") / "help" / "mistakes.md").read_text("utf-8")
    advice = re.split(r"\n(?!  )", page.partition(f"- **{name}**: ")[2])[0]
    right = "J = diag(y) - y y^T, and the vjp is y (g - sum_j g_j y_j)"
    if task.log:
        right = "J_ji = delta_ij - y_i, and the vjp is g - y sum_j g_j"
    shown = {number: f"{value:g}" for number, value in numbers.items()}
    advice = " ".join(advice.split()).format(right=right, **shown)
    if name in _ROUNDED and isinstance(task, Case):
        precision = shown_precision(task.actual)
        if precision is not FLOAT64:
            advice = f"{advice[:-1]}, or check with `dtype={precision.name}`."
    return Diagnosis(name, advice, tuple(numbers.items()))


@np.errstate(all="ignore")
def diagnose_shape(task: Task, found: FloatArray) -> tuple[Diagnosis, ...]:
    """Explain right numbers in a wrong shape: a batch transposed, or a row for each matrix."""
    exact = task.exact()
    named = {"transposed batch": np.moveaxis(exact, 0, -1), "summed over the batch": exact.sum(0)}
    if task.quantity == "jacobian":
        named["only the diagonal"] = np.diagonal(exact, axis1=1, axis2=2)
        named["row sums of the Jacobian"] = exact.sum(axis=1)
    atol, rtol = replace(task, precision=shown_precision(found)).tolerances()
    return tuple(
        explain(name, task)
        for name, values in named.items()
        if values.shape == found.shape and np.allclose(values, found, rtol, float(atol.max()))
    )
