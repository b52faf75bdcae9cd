"""The error of a finite difference against its step: the V of truncation and rounding."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from softmax_cli.checking.calls import called
from softmax_cli.checking.candidate import (
    CandidateError,
    Function,
    NotComplexError,
    ShapeFoundError,
)
from softmax_cli.checking.formulas import Task
from softmax_cli.checking.precision import FLOAT64
from softmax_cli.checking.setting import Setting
from softmax_cli.mathematics import finite_difference

METHODS = ("forward", "central", "complex-step")
# Twice a decade from 1e-1 to 1e-15.
STEPS = tuple(float(step) for p in range(1, 16) for step in (f"1e-{p}", f"3e-{p + 1}"))[:-1]


@dataclass(frozen=True, eq=False)
class Sweep:
    """The largest absolute error in J at each step.

    Attributes
    ----------
    steps
        Absolute, falling.
    errors
        By method, one a step. A logit that the step is too small to move is left out; NaN where
        none is left.
    n_samples
        How many samples the error is the largest of.
    temperature
        Of softmax.
    candidate
        What the user calls the function; "" for our own.
    """

    steps: tuple[float, ...]
    errors: Mapping[str, tuple[float, ...]]
    n_samples: int
    temperature: float = 1.0
    candidate: str = ""

    @property
    def best(self) -> Mapping[str, tuple[float, float] | None]:
        """Each method's step with the smallest error, and that error; None if all are NaN."""
        best = {}
        for method, errors in self.errors.items():
            pairs = [(h, error) for h, error in zip(self.steps, errors, strict=True) if error >= 0]
            best[method] = min(pairs, key=lambda pair: pair[1], default=None)
        return best


def sweep(setting: Setting, function: Function | None = None, name: str = "") -> Sweep:
    """Differentiate softmax, or somebody's, with every method and step."""
    task = setting.task("jacobian", FLOAT64)
    differentiated = None
    if function is not None:
        forward = setting.task("probabilities", FLOAT64)
        try:
            differentiated = called(function, forward, setting)[0].of_logits
        except ShapeFoundError as error:
            raise CandidateError(f"expected probabilities, found {error.found}") from None
    errors = {}
    for method in METHODS:
        with suppress(NotComplexError):  # it is left out
            errors[method] = tuple(_largest_error(task, method, h, differentiated) for h in STEPS)
    return Sweep(STEPS, errors, len(task.z), task.T, name)


def _largest_error(task: Task, method: str, h: float, function: Function | None) -> float:
    """Return the largest error in J; NaN only where there is no number."""
    columns = finite_difference.columns(task.z, method, h, task.T, function, log=task.log)
    # No step shows the derivative of a logarithm that is -inf.
    lost = task.log & np.isneginf(task.z)[:, None, :]
    errors = (
        np.where(lost, 0.0, np.abs(slopes - task.columns(inputs)))
        for inputs, (slopes, *_) in columns
    )
    return float(np.fmax.reduce([np.fmax.reduce(each, None) for each in errors]))
