"""The cause of a failure: which known mistakes explain every entry of a candidate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.formulas import Case, FloatArray, explains
from softmax_cli.checking.mistakes import CATALOGUE


@dataclass(frozen=True)
class Diagnosis:
    """A mistake that explains every entry of a candidate.

    Attributes
    ----------
    name, advice
        As in the catalogue.
    factor
        The candidate is this times the exact result, where that is the mistake.
    allowance
        Parameters of a check that lets the mistake pass, by name, where that is reasonable.
    """

    name: str
    advice: str
    factor: float | None = None
    allowance: Mapping[str, float] = field(default_factory=dict)

    def advice_in(self, parameter: str, between: str) -> str:
        """Return the advice with the allowance: a format for each name and value, and a joint."""
        if not self.allowance:
            return self.advice
        words = (parameter.format(*each) for each in self.allowance.items())
        return f"{self.advice.removesuffix('.')}, or check with {between.join(words)}."


def diagnose(case: Case) -> tuple[Diagnosis, ...]:
    """Return every known mistake that explains all entries of a failing candidate.

    More than one fits where they coincide: with two classes or special logits.
    """
    found = []
    with np.errstate(all="ignore"):
        for name, mistake in CATALOGUE.items():
            wrong = next((each for each in mistake.formula(case) if explains(case, each)), None)
            if wrong is not None:
                advice = mistake.advice.format(case=case, wrong=wrong)
                found.append(Diagnosis(name, advice, wrong.factor, wrong.allowance))
    return tuple(found)


def find_precision(case: Case) -> tuple[str, float] | None:
    """Return the mistake that rounds all results, with the part of 1 it rounds to, if one does."""
    with np.errstate(all="ignore"):
        for name, mistake in CATALOGUE.items():
            for wrong in mistake.formula(case):
                if wrong.eps is not None:
                    return name, wrong.eps
    return None


def diagnose_shape(
    expected: FloatArray, actual: NDArray[Any], atol: float, rtol: float
) -> tuple[Diagnosis, ...]:
    """Explain right numbers in a wrong shape: a batch transposed, or a row for each matrix."""

    def agrees(values: FloatArray, others: NDArray[Any]) -> bool:
        return values.shape == others.shape and np.allclose(others, values, rtol, atol)

    if actual.ndim and agrees(expected, np.moveaxis(actual, -1, 0)):
        name = "transposed batch"
    elif expected.ndim == 3 and agrees(np.diagonal(expected, axis1=1, axis2=2), actual):
        name = "only the diagonal"
    else:
        return ()
    return (Diagnosis(name, CATALOGUE[name].advice),)
