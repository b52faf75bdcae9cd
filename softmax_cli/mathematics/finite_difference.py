"""Derivatives by finite differences, each method by its name.

Steps are exactly representable, h = (z + h) - z, so that the division is by the step that
was really taken (Press et al., Numerical Recipes, 3rd ed., section 5.7).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.mathematics.core import softmax

FloatArray = NDArray[np.float64]
Function = Callable[[NDArray[Any]], NDArray[Any]]
# Slopes, shape (K, inputs, C), with an estimate of their errors where the method has one.
Differences = tuple[FloatArray, FloatArray | None]

_EPS = float(np.finfo(np.float64).eps)
_VALUES_AT_ONCE = 1 << 20


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
    """

    relative_step: float
    largest_step: float
    atol: float
    rtol: float


# Ridders' extrapolation starts with a large step, and each row of its tableau halves it: a power
# of two, unlike the customary 1.4, leaves the steps exactly representable.
_ROWS = 7

METHODS = {
    "central": Method(_EPS ** (1 / 3), 1e-3, 1e-8, 1e-5),
    "forward": Method(_EPS ** (1 / 2), 1e-5, 1e-6, 1e-4),
    "complex-step": Method(1e-20, 1e-20, 1e-14, 1e-11),
    "richardson": Method(0.25, 0.25, 1e-11, 1e-9),
}


def default_steps(logits: ArrayLike, method: str, temperature: float = 1.0) -> FloatArray:
    """Return the step for each logit, shape (..., C): relative to max(1, abs(z)).

    The step grows with abs(z) only up to a bound, since the derivative of softmax does not
    flatten there, but is never below what the float64 grid at z can resolve.
    """
    z = np.asarray(logits, dtype=np.float64)
    chosen = METHODS[method]
    if method == "complex-step":
        return np.full(z.shape, chosen.relative_step * temperature)
    size = np.where(np.isfinite(z), np.abs(z), 0.0)
    with np.errstate(over="ignore"):
        relative = chosen.relative_step * np.maximum(1.0, size / temperature)
    step = np.minimum(relative, chosen.largest_step) * temperature
    least = 4 * np.spacing(size) * (2**_ROWS if method == "richardson" else 1)
    steps: FloatArray = np.maximum(step, least)
    if method == "richardson":
        return np.exp2(np.floor(np.log2(steps)))
    return steps


def is_lost(z: FloatArray, step: float) -> NDArray[np.bool_]:
    """Tell which logits a step does not move: it vanishes beside them, or leads to infinity."""
    with np.errstate(all="ignore"):
        moved = z + step
    lost: NDArray[np.bool_] = np.isfinite(z) & ((moved == z) | ~np.isfinite(moved))
    return lost


def step_at_precision(method: str, eps: float, temperature: float) -> float | None:
    """Return the step that suits a function whose values are rounded to the part eps of 1.

    None where the method's own does: richardson looks for it, and complex-step subtracts nothing.
    """
    if method not in ("central", "forward"):
        return None
    # As the relative step is a power of the rounding of float64.
    step = METHODS[method].relative_step ** (np.log(eps) / np.log(_EPS)) * temperature
    return float(f"{step:.1g}")


def jacobian(
    logits: ArrayLike,
    method: str = "central",
    step: float | None = None,
    temperature: float = 1.0,
    function: Function | None = None,
) -> FloatArray:
    """Differentiate softmax, or another function of logits, numerically.

    Parameters
    ----------
    logits
        Shape (K, C).
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

    Returns
    -------
    Shape (K, C, C), output index before input index. A masked class (-inf) has zeros.
    """
    return estimate(logits, method, step, temperature, function)[0]


def estimate(
    logits: ArrayLike,
    method: str,
    step: float | None = None,
    temperature: float = 1.0,
    function: Function | None = None,
) -> tuple[FloatArray, FloatArray | None]:
    """Differentiate as `jacobian` does, and return the method's own estimate of its error.

    Parameters
    ----------
    logits, method, step, temperature, function
        As in `jacobian`.

    Returns
    -------
    The Jacobian and the estimates, shape (K, C, C) each; None from all methods but
    ``richardson``.
    """
    z = np.asarray(logits, dtype=np.float64)
    h = default_steps(z, method, temperature) if step is None else np.full(z.shape, step)
    inputs_at_once = 1  # a function of somebody's may depend on how many samples there are
    if function is None:
        function = _softmax_at(temperature, complex_logits=method == "complex-step")
        inputs_at_once = max(1, _VALUES_AT_ONCE // max(1, z.size))
    difference = _DIFFERENCES[method]
    n_samples, n_classes = z.shape
    J = np.empty((n_samples, n_classes, n_classes))
    errors = np.empty(J.shape) if method == "richardson" else None
    with np.errstate(all="ignore"):
        for start in range(0, n_classes, inputs_at_once):
            inputs = np.arange(start, min(start + inputs_at_once, n_classes))
            columns, column_errors = difference(function, z, h, inputs)
            masked = np.isneginf(z[:, inputs])
            columns[masked] = 0.0
            J[:, :, inputs] = columns.swapaxes(1, 2)
            if errors is not None and column_errors is not None:
                column_errors[masked] = 0.0
                errors[:, :, inputs] = column_errors.swapaxes(1, 2)
    return J, errors


def _softmax_at(temperature: float, complex_logits: bool) -> Function:
    if not complex_logits:
        return lambda z: softmax(z, temperature=temperature)

    def complex_softmax(z: NDArray[Any]) -> NDArray[Any]:
        e = np.exp((z - z.real.max(axis=-1, keepdims=True)) / temperature)
        y: NDArray[Any] = e / e.sum(axis=-1, keepdims=True)
        return y

    return complex_softmax


def _moved(z: FloatArray, h: NDArray[Any], inputs: NDArray[np.intp]) -> NDArray[Any]:
    """Return every sample moved by h along each input: shape (K, inputs, C)."""
    moved = np.repeat(z[:, None, :].astype(np.result_type(z, h)), len(inputs), axis=1)
    at = np.arange(len(inputs))
    moved[:, at, inputs] += h[:, inputs]
    return moved


def _values(function: Function, points: NDArray[Any]) -> NDArray[Any]:
    values = function(points.reshape(-1, points.shape[-1])).reshape(points.shape)
    # Booleans are no numbers to subtract, but a wrong function may return them.
    return values.astype(np.float64) if values.dtype.kind == "b" else values


def _distance(a: FloatArray, b: FloatArray, inputs: NDArray[np.intp]) -> FloatArray:
    at = np.arange(len(inputs))
    return (a[:, at, inputs] - b[:, at, inputs])[:, :, None]


def _central(
    function: Function, z: FloatArray, h: FloatArray, inputs: NDArray[np.intp]
) -> Differences:
    above, below = _moved(z, h, inputs), _moved(z, -h, inputs)
    rise: FloatArray = _values(function, above) - _values(function, below)
    return rise / _distance(above, below, inputs), None


def _forward(
    function: Function, z: FloatArray, h: FloatArray, inputs: NDArray[np.intp]
) -> Differences:
    above = _moved(z, h, inputs)
    here = np.repeat(z[:, None, :], len(inputs), axis=1)
    rise = _values(function, above) - _values(function, z)[:, None, :]
    return rise / _distance(above, here, inputs), None


def _complex_step(
    function: Function, z: FloatArray, h: FloatArray, inputs: NDArray[np.intp]
) -> Differences:
    slopes: FloatArray = _values(function, _moved(z, 1j * h, inputs)).imag / h[:, inputs, None]
    return slopes, None


def _richardson(
    function: Function, z: FloatArray, h: FloatArray, inputs: NDArray[np.intp]
) -> Differences:
    """Extrapolate central differences to h = 0 by Neville's tableau.

    An entry of the tableau differs from its two neighbours of lower order by about its own
    error; the one that differs least is the answer (Press et al., section 5.7, ``dfridr``).
    """
    best, _ = _central(function, z, h, inputs)
    error = np.full(best.shape, np.inf)
    row = [best.copy()]
    for k in range(1, _ROWS):
        above = row
        row = [_central(function, z, h / 2**k, inputs)[0]]
        for order, coarser in enumerate(above, start=1):
            finer = row[-1]
            better = finer + (finer - coarser) / (4.0**order - 1.0)
            spread = np.maximum(np.abs(better - finer), np.abs(better - coarser))
            closer = spread <= error
            best, error = np.where(closer, better, best), np.where(closer, spread, error)
            row.append(better)
    # Two entries may agree to the bit by chance; the rounding of the values is there all the same.
    rounding = _EPS * np.abs(_values(function, z)).max(axis=1)[:, None] / h[:, inputs]
    return best, np.maximum(error, rounding[:, :, None])


_DIFFERENCES = {
    "central": _central,
    "forward": _forward,
    "complex-step": _complex_step,
    "richardson": _richardson,
}
