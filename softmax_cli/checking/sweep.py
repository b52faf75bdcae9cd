"""The error of a finite difference against its step: the V of truncation and rounding."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from softmax_cli.checking.candidate import Function, NotComplexError, call, derivative_function
from softmax_cli.mathematics import core, finite_difference, memory

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
        return {
            method: min(
                (pair for pair in zip(self.steps, errors, strict=True) if pair[1] == pair[1]),
                key=lambda pair: pair[1],
                default=None,
            )
            for method, errors in self.errors.items()
        }


def sweep(
    logits: ArrayLike, temperature: float = 1.0, function: Function | None = None, name: str = ""
) -> Sweep:
    """Differentiate softmax, or a function of logits (K, C), with every method and step."""
    z = np.asarray(logits, dtype=np.float64)
    K, C = z.shape
    memory.require(4 * 8 * K * C * C, f"{K} x {C} x {C} entries, compared,")
    if function is not None:
        function = derivative_function(function, call(function, [z], rank=1).one_by_one)
    exact = core.jacobian(z, temperature=temperature)
    errors = {}
    for method in METHODS:
        with suppress(NotComplexError):  # it is left out
            Js = (finite_difference.jacobian(z, method, h, temperature, function) for h in STEPS)
            # Unlike max, it leaves out NaN where there is a number.
            errors[method] = tuple(float(np.fmax.reduce(np.abs(J - exact), None)) for J in Js)
    return Sweep(STEPS, errors, len(z), temperature, name)
