"""The signs of exact results, also where the results themselves underflow to 0."""

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core

FloatArray = NDArray[np.float64]

# Of a mean relative to its terms: well above what rounding makes of one that is exactly 0.
_ROUNDING = 1e-12


def entry(
    quantity: str,
    z: FloatArray,
    g: FloatArray | None,
    temperature: float,
    output: int | None,
    input_: int | None,
) -> int:
    """Return the sign of one sample's y_output, dy_output/dz_input or v_input: 1, -1 or 0.

    0 also for the probability of a class that is alone: it is exactly 1.

    Parameters
    ----------
    quantity
        ``probabilities``, ``jacobian`` or ``vjp``.
    z, g
        Logits, shape (C,), and for ``vjp`` the upstream gradient.
    temperature
        T.
    output, input_
        The entry, as in `softmax_cli.checking.verdict.Worst`.
    """
    if quantity == "vjp":
        assert g is not None
        return int(vjp(z[None], g[None], temperature)[0, input_ or 0])
    masked = np.isneginf(z)
    alone = masked.sum() == len(z) - 1
    if alone or masked[output or 0] or (input_ is not None and masked[input_]):
        return 0
    return 1 if output == input_ or quantity == "probabilities" else -1


def vjp(z: FloatArray, g: FloatArray, temperature: float) -> FloatArray:
    """Return the signs of v_i = y_i (g_i - sum_j g_j y_j)/T, each 1, -1 or 0.

    Parameters
    ----------
    z, g
        Logits and upstream gradients, shape (K, C).
    temperature
        T.

    Returns
    -------
    Shape (K, C). 0 also where g_i is so near to the mean that rounding hides on which side.
    """
    masked = np.isneginf(z)
    top = z.argmax(axis=1, keepdims=True)
    g = np.where(masked, np.take_along_axis(g, top, axis=1), g)
    # Just below 2^1000 no difference overflows, and none that matters beside it underflows.
    g = np.ldexp(g, 1000 - np.frexp(np.abs(g).max(axis=1, keepdims=True))[1])
    # Relative to g at a maximum of z. Only the classes that differ from it move the mean: their
    # probabilities among themselves do not underflow, however little they have in all.
    d = g - np.take_along_axis(g, top, axis=1)
    differs = d != 0
    share = (core.softmax(z, temperature=temperature) * differs).sum(axis=1, keepdims=True)
    among = core.softmax(np.where(differs, z, -np.inf), temperature=temperature)
    mean = (among * d).sum(axis=1, keepdims=True)
    spread = (among * np.abs(d)).sum(axis=1, keepdims=True)
    distance = np.where(differs, d - share * mean, -mean)
    terms = np.where(differs, np.abs(d) + share * spread, spread)
    # Where no class differs all of it is NaN, and nothing is greater than that.
    told = ~masked & (np.abs(distance) > _ROUNDING * terms)
    return np.where(told, np.sign(distance), 0.0)
