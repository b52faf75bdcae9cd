"""Derivatives by finite differences, each method by its name.

Steps are exactly representable, h = (z + h) - z, so that the division is by the step that
was really taken (Press et al., Numerical Recipes, 3rd ed., section 5.7).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics.core import log_softmax, softmax

Array = NDArray[Any]
FloatArray = NDArray[np.float64]
Function = Callable[[Array], Array]
# Slopes along an input, shape (K, C), with an estimate of their errors where the method has one.
Differences = tuple[FloatArray, ...]

_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Method:
    """A way to differentiate, with what suits it.

    Attributes
    ----------
    relative_step
        The default step on max(1, abs(z)/T), in units of the temperature T.
    largest_step
        Where the default step stops growing: softmax varies on the scale of T wherever it is.
    atol, rtol
        Tolerances that a correct Jacobian keeps; atol at T = 1.
    step_power, error_power
        The powers of the unit roundoff with which the step and its error grow.
    differences
        Of a function at logits, by steps, along an input.
    """

    relative_step: float
    largest_step: float
    atol: float
    rtol: float
    step_power: float
    error_power: float
    differences: Callable[[Function, FloatArray, FloatArray, int], Differences]

    def for_roundoff(self, eps: float) -> "Method":
        """Return what suits functions of less precision than float64."""
        ratio = eps / _EPS
        step = self.relative_step * ratio**self.step_power
        largest, atol = max(step, self.largest_step), max(1.0, ratio**self.error_power / 10)
        return replace(self, relative_step=step, largest_step=largest, atol=self.atol * atol)


# Ridders' extrapolation starts with a large step, and each row of its tableau halves it: a power
# of two, unlike the customary 1.4, leaves the steps exactly representable.
ROWS = 7


def default_steps(z: FloatArray, method: str, temperature: float, eps: float) -> FloatArray:
    """Return the step for each logit: relative to max(1, abs(z)).

    The step grows with abs(z) only up to a bound, since the derivative of softmax does not
    flatten there, but is never below what the grid of numbers at z can resolve.
    """
    chosen = METHODS[method].for_roundoff(eps)
    if method == "complex-step":
        return np.full(z.shape, chosen.relative_step * temperature)
    size = np.where(np.isfinite(z), np.abs(z), 0.0)
    relative = chosen.relative_step * np.maximum(1.0, size / temperature)
    least = 4 * np.spacing(size) * (eps / _EPS) * (2**ROWS if method == "richardson" else 1)
    step = np.maximum(np.minimum(relative, chosen.largest_step) * temperature, least)
    if method == "richardson" or eps != _EPS:  # so that no format of fewer digits rounds z + h
        step = np.exp2(np.floor(np.log2(step)))
    return np.asarray(step)


def columns(
    z: FloatArray,
    method: str,
    step: float | None = None,
    temperature: float = 1.0,
    function: Function | None = None,
    eps: float = _EPS,
    log: bool = False,
) -> Iterator[Differences]:
    """Differentiate softmax, or another function of logits, numerically, along each input.

    Parameters
    ----------
    z
        Logits, shape (K, C).
    method
        A name in `METHODS`: ``central`` (f(z+h) - f(z-h))/2h, error O(h^2); ``forward``
        (f(z+h) - f(z))/h, error O(h); ``complex-step`` Im f(z+ih)/h, without a subtraction
        (Squire & Trapp, SIAM Rev. 40(1), 1998); ``richardson``, central differences of ever
        smaller steps extrapolated to h = 0 (Ridders, Adv. Eng. Software 4(2), 1982).
    step
        The absolute step h, for ``richardson`` the largest; by default `default_steps`.
    temperature
        Of softmax.
    function
        From shape (K, C) to (K, C); by default softmax. Complex-step needs one that takes
        complex logits.
    eps
        The unit roundoff of the function.
    log
        Differentiate log-softmax where no function is given.

    Yields
    ------
    What the method finds along each input: slopes and perhaps the estimates of their errors, shape
    (K, C) each. A masked class (-inf) has zeros.
    """
    differentiate = METHODS[method].differences
    with np.errstate(all="ignore"):
        h = default_steps(z, method, temperature, eps) if step is None else np.full(z.shape, step)
        for i in range(z.shape[1]):
            found = differentiate(function or partial(_softmax, temperature, log), z, h, i)
            yield tuple(np.where(np.isneginf(z[:, i, None]), 0.0, x) for x in found)


def _softmax(T: float, log: bool, z: Array) -> Array:
    if not np.iscomplexobj(z):
        return (log_softmax if log else softmax)(z, temperature=T)
    s = (z - z.real.max(axis=-1, keepdims=True)) / T
    total = np.exp(s).sum(axis=-1, keepdims=True)
    return np.asarray(s - np.log(total) if log else np.exp(s) / total)


def _at(function: Function, z: FloatArray, h: Array, i: int) -> tuple[Array, Array]:
    """Move input i of every sample by h: return that logit, shape (K, 1), and the values there."""
    moved = z.astype(np.result_type(z, h))
    moved[:, i] += h[:, i]
    # Booleans are no numbers to subtract, but a wrong function may return them.
    return moved[:, i, None].copy(), function(moved) * 1.0


def _from(start: float, function: Function, z: FloatArray, h: FloatArray, i: int) -> Differences:
    """Take the slope from a start, in steps, to one step above."""
    (above, y_above), (below, y_below) = (_at(function, z, k * h, i) for k in (1, start))
    # What is the logarithm of 0 at both does not rise.
    is_zero = np.maximum(y_above, y_below) == -np.inf
    return (np.where(is_zero, 0.0, y_above - y_below) / (above - below),)


_central = partial(_from, -1)


def _complex_step(function: Function, z: FloatArray, h: FloatArray, i: int) -> Differences:
    # To divide complex numbers of which a part is infinite makes NaN.
    return (_at(function, np.maximum(z, -1e200), 1j * h, i)[1].imag / h[:, i, None],)


def _richardson(function: Function, z: FloatArray, h: FloatArray, i: int) -> Differences:
    """Extrapolate central differences to h = 0 by Neville's tableau.

    An entry of the tableau differs from its two neighbours of lower order by about its own
    error; the one that differs least is the answer (Press et al., section 5.7, ``dfridr``).
    """
    (best,) = _central(function, z, h, i)
    error, row = np.full(best.shape, np.inf), [best]
    for k in range(1, ROWS):
        above, row = row, [*_central(function, z, h / 2**k, i)]
        for order, coarser in enumerate(above, start=1):
            finer = row[-1]
            better = finer + (finer - coarser) / (4.0**order - 1.0)
            spread = np.maximum(np.abs(better - finer), np.abs(better - coarser))
            closer = spread <= error
            best, error = np.where(closer, better, best), np.where(closer, spread, error)
            row.append(better)
    # Two entries may agree to the bit by chance; the rounding of the values is there all the same.
    return best, np.maximum(error, _EPS * np.abs(function(z)).max(axis=1)[:, None] / h[:, i, None])


METHODS = {
    "central": Method(_EPS ** (1 / 3), 1e-3, 1e-8, 1e-5, 1 / 3, 2 / 3, _central),
    "forward": Method(_EPS ** (1 / 2), 1e-5, 1e-6, 1e-4, 1 / 2, 1 / 2, partial(_from, 0)),
    "complex-step": Method(1e-20, 1e-20, 1e-14, 1e-11, 0, 1, _complex_step),
    "richardson": Method(0.25, 0.25, 1e-11, 1e-9, 0, 1, _richardson),
}
