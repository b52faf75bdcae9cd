"""Known mistakes in softmax and its derivative: what each of them computes, and what to change.

A candidate that fails is explained by a mistake when all its entries agree with the mistake's
wrong formula. Adding a mistake is one row of `CATALOGUE`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from softmax_cli.checking import wrong
from softmax_cli.checking.fit import Family, fit
from softmax_cli.checking.formulas import Case, FloatArray
from softmax_cli.checking.precision import FLOAT64, PRECISIONS
from softmax_cli.checking.wrong import Formula, Wrong

# A matrix diag(d) + u v', each of shape (K, C) or a number: most mistakes in J are of this form.
Form = tuple[Any, Any, Any]

# Ranks of mistakes with a number that is fitted, and of those that say little.
_SURE, FITTED, VAGUE = RANKS = range(3)


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

    def results(self, case: Case) -> Iterator[tuple[FloatArray, dict[str, float]]]:
        """Compute what it gives, with its numbers."""
        for found in self.formula(case):
            yield found if isinstance(found, tuple) else (found, {})


def _derivative(formula: Formula, advice: str = "") -> Mistake:
    """Make a mistake in J and vjp."""
    advice = (f"{advice}: " if advice else "the right one is ") + "{J}, and {v}."
    return Mistake(advice, lambda case: formula(case) if case.is_derivative else ())


def _matrix(forms: Callable[[Any, Any, Any], list[Form]], advice: str = "") -> Mistake:
    """Make a mistake in J and vjp of wrong matrices, made of d, u and v of the right one."""
    return _derivative(lambda case: [case.result(*form) for form in forms(*case.right)], advice)


def _vjp(formula: Callable[[Case, FloatArray], Iterable[FloatArray]], advice: str = "") -> Mistake:
    """Make a mistake in vjp, a function also of the upstream gradient."""
    advice = (advice and f"{advice}: ") + "{v}."
    return Mistake(advice, lambda case: () if case.g is None else formula(case, case.g))


def _y_is(advice: str, functions: Callable[[Case], Iterable[FloatArray]]) -> Mistake:
    """Make a mistake of wrong probabilities, for them and for the derivative made of them."""
    # NaN alone is another mistake.
    return Mistake(
        advice,
        lambda case: [x for x in map(case.of_y, functions(case)) if np.isfinite(x).any()],
    )


def _forward(advice: str, function: Callable[[Case], FloatArray]) -> Mistake:
    """Make a mistake in probabilities alone."""
    return Mistake(advice, lambda case: () if case.is_derivative else [function(case)])


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


_EACH = "over the classes of each sample (axis=-1, keepdims=True)"
_ORDER = "return them in the order of the logits."
_ONCE = "divide the logits by the temperature, once: y = softmax(z/T)."

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
    "one triangle": _derivative(wrong.triangles, "the matrix has two"),
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
    "logits in place of probabilities": Mistake("put y = softmax(z) there.", wrong.logits_for_y),
    "sigmoid in place of softmax": Mistake(
        "divide exp(z) by its sum over all classes.", wrong.sigmoid
    ),
    "argmax in place of softmax": _forward("divide exp(z) by its sum.", wrong.argmax),
    "softmax twice": Mistake("apply softmax to the logits, not to probabilities.", wrong.twice),
    "softmax of -z": Mistake(
        "take off the minus sign: exp(z), not exp(-z).",
        lambda case: [sign * case.given(z=-case.z) for sign in (1.0, -1.0)],
    ),
    "powers of 2": Mistake("use exp and log to the base e, not 2.", wrong.powers_of_two),
    "not normalised": _y_is(f"divide exp(z) by the sum of exp(z) {_EACH}.", wrong.not_normalised),
    "a number is added below": _fitted(
        "take {number:.6g} out of the denominator, which is the sum of exp(z) alone.",
        (1e-11, 1e3),
        lambda task, x: wrong.over(task, wrong.exponentials(task)[0], x),
        lambda task, x: wrong.over(task, wrong.exponentials(task)[1], x),
    ),
    "clipped probabilities": _fitted(
        "do not clip the probabilities at {number:.6g}.",
        (1e-11, 0.11),
        lambda task, eps: task.of_y(np.clip(task.y, eps, 1 - eps)),
        lambda task, eps: task.of_y(np.maximum(task.y, eps)),
    ),
    "eps is added": _fitted(
        "do not add {number:.6g} to the probabilities: log_softmax needs no eps.",
        (1e-11, 0.11),
        lambda task, eps: task.of_y(task.y + eps),
        wrong.log_with_eps,
    ),
    "smoothed probabilities": _fitted(
        "these are (1 - s) y + s/C with s = {number:.6g}: smooth the targets, not softmax.",
        (1e-11, 0.9),
        lambda task, s: task.of_y((1 - s) * task.y + s / task.y.shape[1]),
    ),
    "masked after softmax": _fitted(
        "mask the logits, with -inf, before softmax: the other classes no longer add up to 1.",
        (-45.0, 15.0),
        lambda task, x: task.of_y(np.where(task.z > -np.inf, wrong.masked_with(task, x).y, 0.0)),
        rank=0,
    ),
    "masked with a finite number": _fitted(
        "mask with -inf, not with {number:.6g}: the masked classes are not 0.",
        (-45.0, 15.0),
        lambda task, x: wrong.masked_with(task, x).exact(),
    ),
    "logarithms of the probabilities": _forward(
        "take exp, or check them with <log=True>.", lambda case: case.given(log=True)
    ),
    "probabilities in place of their logarithms": _forward(
        "use log_softmax, not softmax.", lambda case: case.y
    ),
    "softmax along the wrong axis": Mistake(
        f"sum {_EACH}, not over the samples.", lambda case: wrong.along(case, *wrong.lead(case))
    ),
    "softmax over the whole batch": Mistake(
        f"sum {_EACH}, not over everything.", lambda case: wrong.along(case, None)
    ),
    "the sum over y g along the wrong axis": _vjp(
        lambda case, g: [
            wrong.summed_along(case, g, case.y, axis) for axis in (*wrong.lead(case), None)
        ],
        f"sum {_EACH}",
    ),
    "the sum over g is missing": _vjp(lambda case, g: [(g - case.y) / case.T] if case.log else []),
    "gradient of cross-entropy": _vjp(
        wrong.cross_entropy,
        "y - t is the gradient of cross-entropy with the targets t: check it with <log=True> and "
        "minus the targets for the upstream gradient, a function f(z, t) as f(z, -g); or return "
        "the vjp of softmax",
    ),
    "the upstream gradient is left out": _vjp(wrong.without_upstream),
    "the upstream gradient is copied": _matrix(lambda d, u, v: [(1, 0, 0)]),
    "row sums of the Jacobian": _vjp(
        wrong.row_sums, "this is the product with an upstream gradient of ones, as of y.sum()"
    ),
    "powers of the upstream gradient": _vjp(
        lambda case, g: [
            case.given(g=x) for x in (g * g, np.abs(g)) if not np.isin(g, (-1, 0, 1)).all()
        ],
        "take g itself, not its square or absolute value",
    ),
    "arguments in the wrong order": _vjp(
        lambda case, g: [case.given(z=g, g=case.z)], "z comes first, g second"
    ),
    "one sample for all": Mistake(
        "use the logits and the upstream gradient of each sample, not of one.", wrong.one_for_all
    ),
    "summed over the batch": Mistake(
        "give each sample its own result: do not sum over the samples.",
        lambda case: [case.expected.sum(axis=0), case.expected.mean(axis=0)],
    ),
    "divided by the batch size": _scaled(
        "do not: the mean belongs to the loss, not to softmax.", lambda case: 1 / len(case.z)
    ),
    "factor 1/T missing": _scaled("the chain rule gives J/T.", lambda case: 1 / case.chain),
    "factor 1/T squared": _scaled("divide by T once, not twice.", lambda case: case.chain),
    "temperature left out": Mistake(_ONCE, lambda case: [case.given(T=1.0)]),
    "temperature applied twice": Mistake(_ONCE, lambda case: [case.given(T=case.T**2)]),
    "temperature multiplied": Mistake(_ONCE, lambda case: [case.given(T=1 / case.T)]),
    "another temperature": _fitted(
        "it looks like T = {number:.6g}: give <temperature={number:.6g}>, or correct it.",
        (1 / 30, 30.0),
        lambda task, T: task.given(T=T),
    ),
    "samples in another order": Mistake(_ORDER, wrong.samples_in_another_order),
    "classes in another order": Mistake(_ORDER, wrong.classes_in_another_order, FITTED),
    "classes sorted in each sample": Mistake(f"undo the sorting: {_ORDER}", wrong.classes_sorted),
    "shifted by a class": Mistake("look for an index that is off by one.", wrong.shifted),
    "a class or a sample is left at 0": Mistake("a loop ends early.", wrong.left_at_zero),
    "transposed batch": Mistake("samples are rows, classes columns.", wrong.transposed, VAGUE),
    "nothing but zeros": Mistake("fill it in.", lambda case: [np.zeros(case.shape)], VAGUE),
    "a constant factor": Mistake(
        "every entry is {factor:.6g} times the exact one.", wrong.constant_factor, VAGUE
    ),
    "a factor for each sample": Mistake(
        "each is right but for one number: look at its sum.", wrong.factor_for_each_sample, VAGUE
    ),
    "the sum is in half precision": Mistake(
        "sum in float32: a sum of 16 bits has few digits, and stops growing.", wrong.half_sum
    ),
    "cancellation in 1 - y": Mistake(
        "1 - y_i has lost its digits where y_i is nearly 1: sum the other y_j, or allow more atol.",
        wrong.cancellation,
    ),
    "rounding of z - logsumexp": Mistake(
        "logits this large have too few digits for z - logsumexp(z): subtract the maximum first.",
        wrong.rounded_at_an_offset,
    ),
    **{
        f"{name} results": Mistake(
            f"the error is that of {name}: compute in float64.",
            partial(wrong.computed_in, each),
            is_precision=True,
        )
        for name, each in PRECISIONS.items()
        if each is not FLOAT64
    },
    "rounded results": Mistake(
        "these are the exact values printed with too few digits: print 17 (%.17g).",
        wrong.printed,
        is_precision=True,
    ),
    "NaN among the results": Mistake(
        "NaN in {count} of {case.actual.size} entries: look for 0/0, inf - inf and log 0.",
        wrong.nan,
        VAGUE,
    ),
    "underflow before the logarithm": _y_is(
        "log(softmax(z)) is -inf where a probability underflows: use z - max - log(sum(exp)).",
        lambda case: [
            np.where(each.round(case.y) == 0, 0, case.y) for each in PRECISIONS.values() if case.log
        ],
    ),
    "overflow: the maximum is not subtracted": Mistake(
        "exp overflows above {limit:.4g}, or all of it underflows: subtract each sample's maximum "
        "before exp, softmax(z) = softmax(z - max z).",
        lambda case: wrong.out_of_range(case, 0.0, case.z.mean(axis=1, keepdims=True)),
    ),
    "one maximum for the whole batch": Mistake(
        f"subtract the maximum {_EACH}: elsewhere exp underflows.",
        lambda case: wrong.out_of_range(case, case.z.max()) if len(case.z) > 1 else (),
    ),
}
