"""The cause of a failure: which known mistakes explain every entry of a candidate."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from softmax_cli.checking.formulas import Case, FloatArray, Task
from softmax_cli.checking.mistakes import CATALOGUE, RANKS
from softmax_cli.checking.precision import FLOAT64, printed_digits, shown_precision

# The right derivative, for advice.
_RIGHT = {"J": "J = diag(y) - y y^T", "v": "the vjp is y (g - sum_j g_j y_j)"}
_RIGHT_OF_LOG = {"J": "J_ji = delta_ij - y_i", "v": "the vjp is g - y sum_j g_j"}


@dataclass(frozen=True)
class Diagnosis:
    """A mistake that explains every entry of a candidate.

    Attributes
    ----------
    name, advice
        As in the catalogue; options in the advice stand as ``<name=value>``.
    numbers
        What the mistake has for a number, by its name: ``factor``, ``number``, ``limit``.
    """

    name: str
    advice: str
    numbers: tuple[tuple[str, float], ...] = ()


@np.errstate(all="ignore")
def diagnose(case: Case) -> tuple[Diagnosis, ...]:
    """Return every known mistake that explains all entries of a failing candidate.

    They are looked for at the precision that the candidate shows. More than one fits where they
    coincide: with two classes, or special logits or gradients.
    """
    views = tuple(_views(case))
    for rank, view in product(RANKS, views):
        # Mistakes are looked for as closely as the candidate's numbers are told.
        found = {
            name: numbers
            for name, each in CATALOGUE.items()
            if each.rank == rank and (each.is_precision or view is views[-1])
            for values, numbers in each.results(view)
            if view.is_explained_by(values)
        }
        if found:
            return tuple(_diagnosis(name, numbers, view) for name, numbers in found.items())
    return ()


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


def _diagnosis(name: str, numbers: dict[str, float], case: Task) -> Diagnosis:
    mistake = CATALOGUE[name]
    right = _RIGHT_OF_LOG if case.log else _RIGHT
    advice = mistake.advice.format(case=case, **right, **numbers)
    if mistake.is_precision and isinstance(case, Case):
        precision = shown_precision(case.actual)
        if precision is not FLOAT64:
            advice = f"{advice[:-1]}, or check with <dtype={precision.name}>."
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
        _diagnosis(name, {}, task)
        for name, values in named.items()
        if values.shape == found.shape and np.allclose(values, found, rtol, float(atol.max()))
    )
