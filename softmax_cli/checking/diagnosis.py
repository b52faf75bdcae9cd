"""The cause of a failure: which known mistakes explain every entry of a candidate."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from softmax_cli.checking.formulas import Case
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
        Tolerances, by name, that let the mistake pass, where that is reasonable.
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


@np.errstate(all="ignore")
def diagnose(case: Case) -> tuple[Diagnosis, ...]:
    """Return every known mistake that explains all entries of a failing candidate.

    More than one fits where they coincide: with two classes or special logits.
    """
    found = []
    for name, mistake in CATALOGUE.items():
        if any(map(case.is_explained_by, mistake.formula(case))):
            factor = case.factor if mistake.is_factor else None
            allowance = tolerances(float(case.error.max())) if mistake.is_precision else {}
            found.append(Diagnosis(name, mistake.advice.format(case=case), factor, allowance))
    return tuple(found)


def tolerances(largest_error: float) -> dict[str, float]:
    """Return tolerances that let errors up to the largest pass."""
    return {"atol": 10.0 ** np.ceil(np.log10(largest_error)), "rtol": 1e-5}


@np.errstate(all="ignore")
def diagnose_shape(case: Case, found: Any) -> tuple[Diagnosis, ...]:
    """Explain right numbers in a wrong shape: a batch transposed, or a row for each matrix."""
    named = {"transposed batch": np.moveaxis(case.expected, 0, -1)}
    if case.quantity == "jacobian":
        named["only the diagonal"] = np.diagonal(case.expected, axis1=1, axis2=2)
    return tuple(
        Diagnosis(name, CATALOGUE[name].advice)
        for name, values in named.items()
        if values.shape == np.shape(found) and (case.beyond(values, found) <= 1).all()
    )
