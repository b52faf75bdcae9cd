"""Softmax and its derivative, right to the last digits.

For the logits z of one sample, in a unit of e that cancels wherever it is used::

    e = exp(z/T)                near: every z/T is within +-300
    e = exp((z - m)/T) 2^1000   far: m = max z, with all that z - m and its division drop
    S = sum e                   = e_max + R
    R = sum of e but for one maximum: positive terms, never a small difference of large numbers
    y = e/S
    1 - y = (S - e)/S           R/S at a maximum
    log y = (z - m)/T - log1p(R/e_max)
    J = (diag(y) - y y')/T      with y (1 - y)/T on the diagonal
    v = y (g - y'g)/T

Near, nothing is shifted, because nothing can overflow: to exponentiate the rounded z - m turns an
absolute error of half an ulp of it into a relative one, hundreds of units large ([1]_, Theorem
4.3), and to carry what it drops, as far does, takes three times as long. Where it is enough for a
result to look at S or at the smallest e, logits beyond 300 are near as well.

Each sample takes its path by its own logits. What is done to it depends on C and on itself only:
its results have the same bits alone, in any batch and in any memory layout. A sample that contains
NaN or +inf, or nothing but -inf, has NaN for its results.

Within a block of samples the classes stand on the first axis and the samples on the second, so
that m, R and S broadcast the way they are written. In memory the classes of one sample are
neighbours.

References
----------
.. [1] P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax
   functions", IMA J. Numer. Anal. 41(4), 2311-2330, 2021.
.. [2] D. E. Knuth, "The Art of Computer Programming", vol. 2, section 4.2.2, Theorem B: TwoSum.
.. [3] T. J. Dekker, "A floating-point technique for extending the available precision", Numer.
   Math. 18, 224-242, 1971: the exact product.
.. [4] S. M. Rump, T. Ogita, S. Oishi, "Accurate floating-point summation part I: faithful
   rounding", SIAM J. Sci. Comput. 31(1), 189-224, 2008: ExtractVector.
"""

import math
from collections.abc import Iterator
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.mathematics.inputs import classes_last, or_limit, positive, upstream_like

Floats = NDArray[np.float64]

# Numbers in a block: enough that to start each step costs little, few enough for the caches.
_BLOCK = 128_000

# Of e on the far path: its range ends at exp(-1400).
_UNIT = 2.0**1000


def softmax(logits: ArrayLike, axis: int = -1, temperature: float = 1.0) -> Floats:
    """Return the probabilities ``y_j = exp(z_j/T) / sum_i exp(z_i/T)``.

    Every probability is within 5 units of 2^-52 of the exact one, relatively, where that is a
    normal number (found: 4.7). It is e/S, in the notation of this module.

    Parameters
    ----------
    logits : array_like, shape (..., C)
        Real numbers; integers and float32 are computed in float64. -inf is a masked class, with
        probability exactly 0.
    axis : int, default -1
        The axis of the classes.
    temperature : float, default 1
        T, finite and at least 0, where 0 is the limit: 1 for the maximum, shared among ties.

    Returns
    -------
    ndarray of float64, the shape of `logits`
        NaN for every sample that contains NaN or +inf, or nothing but -inf.

    Raises
    ------
    TypeError
        `logits` or `temperature` are not real numbers.
    ValueError
        `logits` are a single number, or without a class; `axis` does not exist; `temperature`
        is negative or not finite.

    Examples
    --------
    >>> softmax([2.0, 1.0, 0.1])
    array([0.65900114, 0.24243297, 0.09856589])
    """
    all_z, T = or_limit(classes_last(logits, axis), temperature)
    out = np.empty(all_z.shape)
    for y, z in _blocks(out, all_z):
        e = _near(z, T, out=y)
        S = _sum(e)
        # Where S >= 1, y_j is subnormal if e_j is: quicker to see than that all z are near.
        hard = ~np.isfinite(S)
        if not (S.min() >= 1 or e.min() >= 1e-130):
            hard |= (S < 1) & ~(e >= 1e-130).all(axis=0)
        if hard.any():
            e[:, hard] = rest = _exponentials(z.T[hard].T, T)
            S[hard] = _sum(rest)
        np.divide(e, _spread(S, e), out=y)
    return np.moveaxis(out, -1, axis)


def log_softmax(logits: ArrayLike, axis: int = -1, temperature: float = 1.0) -> Floats:
    """Return the logarithms ``log y_j = (z_j - m)/T - log1p(R/e_max)`` of the probabilities.

    Each is within 5 units of 2^-52 of the exact one, relatively, down to the smallest normal
    number: also where y_j is so close to 1 that float64 cannot tell them apart.

    Parameters
    ----------
    logits : array_like, shape (..., C)
        Real numbers, as for `softmax`. The logarithm of a masked class is -inf.
    axis : int, default -1
        The axis of the classes.
    temperature : float, default 1
        T, finite and at least 0, as for `softmax`.

    Returns
    -------
    ndarray of float64, the shape of `logits`
        NaN for every sample that contains NaN or +inf, or nothing but -inf.

    Raises
    ------
    TypeError, ValueError
        As `softmax`.

    Examples
    --------
    >>> log_softmax([40.0, 0.0])
    array([-4.24835426e-18, -4.00000000e+01])
    """
    all_z, T = or_limit(classes_last(logits, axis), temperature)
    scale = 2.0 ** -max(math.frexp(T)[1], 0)  # before the subtraction, so that it cannot overflow
    out = np.empty(all_z.shape)
    for log_y, z in _blocks(out, all_z):
        e_max, R = _parts(_exponentials(z, T))
        s = (z * scale - _spread(_max(z) * scale, z)) / (T * scale)
        np.subtract(s, _spread(np.log1p(R / e_max), z), out=log_y)
    return np.moveaxis(out, -1, axis)


def complement(logits: ArrayLike, axis: int = -1, temperature: float = 1.0) -> Floats:
    """Return ``1 - y_j``, the probability of every other class than j together.

    Each is within 5 units of 2^-52 of the exact one, relatively, where that is a normal number:
    the digits that ``1 - softmax(z)`` loses when y_j is close to 1 are all there.

    Parameters
    ----------
    logits : array_like, shape (..., C)
        Real numbers, as for `softmax`. The complement of a masked class is 1.
    axis : int, default -1
        The axis of the classes.
    temperature : float, default 1
        T, finite and greater than 0.

    Returns
    -------
    ndarray of float64, the shape of `logits`
        NaN for every sample that contains NaN or +inf, or nothing but -inf.

    Raises
    ------
    TypeError, ValueError
        As `softmax`.

    Examples
    --------
    >>> complement([40.0, 0.0])
    array([4.24835426e-18, 1.00000000e+00])
    """
    all_z, T = classes_last(logits, axis), positive(temperature)
    out = np.empty(all_z.shape)
    for rest, z in _blocks(out, all_z):
        e = _exponentials(z, T)
        e_max, R = _parts(e)
        np.divide(_others(e, e_max, R), _spread(e_max + R, e), out=rest)
    return np.moveaxis(out, -1, axis)


def jacobian(
    logits: ArrayLike, axis: int = -1, temperature: float = 1.0, log: bool = False
) -> Floats:
    """Return ``J[..., j, i] = dy_j/dz_i = y_j (delta_ij - y_i) / T``.

    Every entry is within 9 units of 2^-52 of the exact one, relatively, where that is a normal
    number and 1e-300 <= T <= 1e300; for T < 1e-150 where, besides, no probability of it is below
    2^-1533. J is exactly symmetric. The row and the column of a masked class are exactly 0.

    With `log` it is ``J[..., j, i] = d log y_j/dz_i = (delta_ij - y_i) / T``, also in the row of a
    masked class, where that is the limit for logits towards -inf.

    Parameters
    ----------
    logits : array_like, shape (..., C)
        Real numbers, as for `softmax`.
    axis : int, default -1
        The axis of the classes.
    temperature : float, default 1
        T, finite and greater than 0.
    log : bool, default False
        Differentiate log-softmax instead of softmax.

    Returns
    -------
    ndarray of float64, shape (..., C, C)
        The output index j before the input index i. The two stand last whatever `axis` is, after
        the other axes of `logits` in their order. NaN for every sample that contains NaN or
        +inf, or nothing but -inf.

    Raises
    ------
    TypeError, ValueError
        As `softmax`.

    Examples
    --------
    >>> jacobian([0.0, 0.0])
    array([[ 0.25, -0.25],
           [-0.25,  0.25]])
    """
    return jacobian_rows(classes_last(logits, axis), slice(None), temperature, log)


def jacobian_rows(
    logits: ArrayLike, outputs: slice | list[int], temperature: float = 1.0, log: bool = False
) -> Floats:
    """Return some rows of J: ``J[..., j, :]`` for each output j, without the others.

    The entries are those of `jacobian`, to the bit, in time and memory O(C) a row.

    Parameters
    ----------
    logits : array_like, shape (..., C)
        Real numbers, as for `softmax`.
    outputs : slice or list of int, n > 0 of them
        The outputs j.
    temperature : float, default 1
        T, finite and greater than 0.
    log : bool, default False
        Differentiate log-softmax instead of softmax.

    Returns
    -------
    ndarray of float64, shape (..., n, C)
        As the rows of `jacobian`.

    Raises
    ------
    TypeError, ValueError
        As `softmax`, and an IndexError for an output that does not exist.

    Examples
    --------
    >>> jacobian_rows([0.0, 0.0], [1])
    array([[-0.25,  0.25]])
    """
    all_z, T = classes_last(logits, -1), positive(temperature)
    j = np.arange(all_z.shape[-1])[outputs]
    unit = 2.0**511 if T < 1 else 1.0  # of y: y_j y_i/T may be normal where y_j y_i is not
    T *= unit**2
    out = np.empty((*all_z.shape[:-1], len(j), all_z.shape[-1]))
    for J, z in _blocks(out, all_z):
        e = _exponentials(z, T / unit**2)
        e_max, R = _parts(e)
        S = _spread((e_max + R) / unit, e)
        y, rest = e / S, _others(e, e_max, R) / S
        y_j = (np.full_like(y, unit) if log else y)[outputs]  # of log-softmax, dy_j/y_j
        np.einsum("in,jn->ijn", -y, y_j, out=J)
        if T != 1:
            J /= T
            J += 0.0  # no -0.0
        J[j, np.arange(len(j))] = y_j * rest[j] / T
    return out


def vjp(
    logits: ArrayLike,
    upstream: ArrayLike,
    axis: int = -1,
    temperature: float = 1.0,
    log: bool = False,
) -> Floats:
    """Return the upstream gradient times the Jacobian, ``v_i = sum_j g_j J_ji``, without J.

    ``v_j = y_j (g_j - sum_i y_i g_i) / T = sum_i y_j y_i (g_j - g_i) / T`` takes time and memory
    O(C) a sample. J is symmetric, so that this is also ``J @ g``: the Jacobian-vector product
    (forward mode, jvp) is the same function.

    The error is within 16 units of 2^-52 of ``sum_i |y_j y_i (g_j - g_i)| / T`` where the result
    and the probabilities that are not 0 are normal numbers and 1e-300 <= T <= 1e300. A sample
    whose nonzero gradients span 200 powers of ten or more may lose digits, but a class of
    probability 0 takes none from the others. An upstream gradient that is the same for all classes
    gives exactly 0.

    With `log` it is the product with the Jacobian of log-softmax, ``v_i = (g_i (1 - y_i) - y_i
    sum of the other g) / T``, within 16 units of the same sum of absolute values. For g = -t it
    is the gradient of cross-entropy with the targets t, ``y sum(t) - t``. The gradient of a masked
    class counts too; its own v_i is g_i / T.

    Parameters
    ----------
    logits : array_like, shape (..., C)
        Real numbers, as for `softmax`.
    upstream : array_like
        g, real numbers that broadcast to the shape of `logits`.
    axis : int, default -1
        The axis of the classes.
    temperature : float, default 1
        T, finite and greater than 0.
    log : bool, default False
        Differentiate log-softmax instead of softmax.

    Returns
    -------
    ndarray of float64, the shape of `logits`
        NaN for every sample that contains NaN or +inf, or nothing but -inf, and where the
        upstream gradient of a sample is not finite.

    Raises
    ------
    TypeError, ValueError
        As `softmax`, and a ValueError where `upstream` does not broadcast.

    Examples
    --------
    >>> vjp([0.0, 0.0], [1.0, 0.0])
    array([ 0.25, -0.25])
    """
    all_z, T = classes_last(logits, axis), positive(temperature)
    out = np.empty(all_z.shape)
    for v, z, g in _blocks(out, all_z, upstream_like(upstream, all_z, axis)):
        if log or not 1e-200 <= T <= 1e200:
            v[...] = _scaled_vjp(z, g, T, log)
            continue
        e = _near(z, T)
        S = _sum(e)
        size = np.abs(_fill_vjp(v, e, g, S))
        v *= _spread(1 / (S * T), v)
        v += 0.0  # no -0.0
        # Otherwise nothing that counts can have been beyond the range of float64.
        hard = ~((S <= 1e30) & (size >= 1e-60) & (size <= 1e200))
        if not e.min() >= 1e-50:
            hard |= ~((e >= 1e-50) | (z == -np.inf)).all(axis=0)
        if hard.any():
            v[:, hard] = _scaled_vjp(z.T[hard].T, g.T[hard].T, T, log)
    return np.moveaxis(out, -1, axis)


def _scaled_vjp(z: Floats, g: Floats, T: float, log: bool) -> Floats:
    """Return v where e, g, T or their products may be near the ends of the range of float64."""
    e, v = _exponentials(z, T), np.empty_like(z)
    if not (log or e.min() > 0):
        g = np.where(e > 0, g, 0.0 * g)
    S = bound = _sum(e)
    if not (log or e.min() > 2.0**-200 * S.max()):
        # Where g is what it is at a maximum, y |g - y'g| is less than that of the others.
        bound = _sum(np.where(g == _spread(_at_maximum(e, g), g), 0.0, e))
    size = _max(np.abs(g))
    # g e 2^k ends below 2^960. All of g is NaN where one is not finite.
    k = np.minimum(np.minimum(960 - np.frexp(bound)[1], 1000) - np.frexp(size)[1], 1000)
    (_fill_log_vjp if log else _fill_vjp)(v, e, g * _spread(np.ldexp(1 + 0 * size, k), g), S)
    # v/(S T 2^k): each of them, and their product, may be beyond the range of float64.
    (S, p), (T_mantissa, q) = np.frexp(S), math.frexp(T)
    return 0.0 + np.ldexp(v * _spread(1 / (S * T_mantissa), v), _spread(-(k + p + q), v))


def _fill_vjp(v: Floats, e: Floats, g: Floats, S: Floats) -> Floats:
    """Fill v with e (g - y'g), and return the sum of e (g - center), NaN where it overflows."""
    # Relative to its value where y is not small, the large terms of g are gone before they are
    # summed: at saturation nothing else will do. Relative to the mean, which that gives but for a
    # few bits, no term is large beside the sum of y_i |g_j - g_i|; and its own mean is those bits.
    center, small = g[0], e[0] < 1e-9 * S
    if small.any():
        center = np.where(small, _at_maximum(e, g), center)
    np.subtract(g, _spread(center, g), out=v)
    v *= e
    size = _quick_sum(v)
    np.subtract(g, _spread(center + size / S, g), out=v)
    rest = _sum(e * v)
    v -= _spread(rest / S, v)
    v *= e
    return size + 0 * rest


def _fill_log_vjp(v: Floats, e: Floats, g: Floats, S: Floats) -> None:
    """Fill v with g (S - e) - e (sum of the other g)."""
    e_max, R = _parts(e)
    top = np.where(e == _spread(e_max, e), g, 0.0)
    np.multiply(g, _others(e, e_max, R), out=v)
    v -= e * (_spread(_sum(g - top), g) + (_spread(_sum(top), g) - g))


def _blocks(out: Floats, *inputs: NDArray[Any]) -> Iterator[tuple[Floats, ...]]:
    """Yield blocks of `out` to be filled, each with its blocks of `inputs` in float64.

    All have shape (..., C), with more axes after it in `out`, and their blocks (C, n).
    """
    lead, C = inputs[0].ndim - 1, inputs[0].shape[-1]
    out, rows = out.reshape(-1, *out.shape[lead:]), [x.reshape(-1, C) for x in inputs]
    step = max(1, min(_BLOCK // C, 8 * _BLOCK // math.prod(out.shape[1:])))
    # A broadcast operand is copied into the buffers wherever its rows fit in them, which halves
    # the speed. Freeing one large array makes glibc keep freed memory for the next block, where
    # it would otherwise fetch it page by page from the kernel, again for every array.
    with np.errstate(all="ignore"):
        np.setbufsize(16)
        np.empty(1_500_000)
        for start in range(0, len(out), step):
            block = slice(start, start + step)
            yield out[block].T, *(np.asarray(x[block], dtype=float, order="C").T for x in rows)


def _exponentials(z: Floats, T: float) -> Floats:
    """Return e, each sample by its own path."""
    e, limit = _near(z, T), min(300 * T, 1e308)
    if not (z.max() <= limit and z.min() >= -limit):
        masked = z == -np.inf
        far = ~(masked | (np.abs(z) <= limit)).all(axis=0) | masked.all(axis=0)
        e[:, far] = _far(z.T[far].T, T)
    return e


def _near(z: Floats, T: float, out: Floats | None = None) -> Floats:
    """Return exp(z/T), to a rounding or two where z/T is near."""
    if math.frexp(T)[0] == 0.5:
        return np.exp(z if T == 1 else z / T, out=out)
    s, t = _quotient(z, np.zeros(1), T)
    e = np.exp(s, out=out)
    e += t * e
    e[z == -np.inf] = 0.0
    return e


def _far(z: Floats, T: float) -> Floats:
    """Return exp((z - m)/T) in units, to a rounding or two."""
    s, t = _shifted(z, T)
    e = np.exp(s) * _UNIT
    low = s < -700  # exp(s) would turn subnormal; exp(-652) 2^1000 is all but a float64
    e[low] = np.exp(s[low] + 652) * (_UNIT * math.exp(-652))
    return e + t * e  # not e (1 + t): rounding 1 + t would lose what t is there for


def _shifted(z: Floats, T: float) -> tuple[Floats, Floats]:
    """Return s, and what it leaves over of (z - m)/T: t."""
    down = 2.0 ** -max(math.frexp(T)[1], 0)  # z - m could overflow although its quotient is small
    z, m, T = z * down, _spread(_max(z) * down, z), T * down
    s = z - m
    b = s - z
    t = (z - (s - b)) - (m + b)  # TwoSum [2]_
    gone = s < -1500 * T  # e is 0 there, also where s is infinite and t is NaN
    s[gone], t[gone] = -1500 * T, 0.0
    return _quotient(s, t, T)


def _quotient(s: Floats, t: Floats, T: float) -> tuple[Floats, Floats]:
    """Return (s + t)/T, and what it leaves over."""
    if not 1e-290 < T < 1e290:  # 1/T could overflow, and what it leaves over underflow
        unit = _UNIT if T < 1 else 1 / _UNIT
        s, t, T = s * unit, t * unit, T * unit
    # The high parts have 26 bits, the others 27, so that products of two are exact (Dekker [3]_).
    s1, c1, T1 = ((np.asarray(x).view(np.int64) & -(2**27)).view(float) for x in (s, 1 / T, T))
    c2 = ((1 - c1 * T1) - c1 * (T - T1)) / T
    q, low = s1 * c1, (s - s1) * c1 + (s * c2 + t * c1)
    return q + low, low - ((q + low) - q)


def _parts(e: Floats) -> tuple[Floats, Floats]:
    """Return the maximum of e, and R."""
    e_max = _max(e)
    lower = np.where(e == _spread(e_max, e), 0.0, e)
    return e_max, _close_sum(lower) + (_quick_sum(e - lower) - e_max)


def _others(e: Floats, e_max: Floats, R: Floats) -> Floats:
    """Return S - e, the sum over the other classes."""
    return np.where(e == _spread(e_max, e), _spread(R, e), _spread(e_max + R, e) - e)


def _max(x: Floats) -> Floats:
    """Return the maximum over the classes."""
    return reduce(np.maximum, x) if len(x) <= 16 else _at_maximum(x, x)


def _at_maximum(e: Floats, x: Floats) -> Floats:
    """Return the value of x where e has a maximum."""
    return np.asarray(x[np.argmax(e, axis=0), np.arange(e.shape[1])])


def _spread(S: Floats, x: Floats) -> Floats:
    """Return S to be broadcast to x: repeated for each class where that is quicker."""
    return np.repeat(S, len(x)).reshape(-1, len(x)).T if len(x) <= 300 else S


def _sum(x: Floats) -> Floats:
    """Sum over the classes to a few roundings, in an order that depends on C alone."""
    # Of some 16 numbers einsum makes nearly a tree, but it adds those beyond a multiple of 8 in
    # line. With more roundings an adversary could take y beyond its bound.
    if len(x) <= 16:
        return _quick_sum(x) if not 12 < len(x) < 16 else _quick_sum(x[:8]) + _quick_sum(x[8:])
    m = (len(x) - 1) // 16
    sums = np.empty((x.shape[1], m + 1)).T
    np.einsum("gjn->gn", x[: 16 * m].reshape(m, 16, -1), out=sums[:m])
    sums[m] = _sum(x[16 * m :])
    return _close_sum(sums)


def _close_sum(x: Floats) -> Floats:
    """Sum over the classes to a single rounding, in an order that depends on C alone."""
    # ExtractVector [4]_: the high parts sum exactly, and the low ones hardly matter.
    c = _spread(4 * _quick_sum(np.abs(x)), x)
    high = (x + c) - c
    return _quick_sum(high) + _quick_sum(x - high)


def _quick_sum(x: Floats) -> Floats:
    """Sum over the classes with many roundings, in an order that depends on C alone."""
    if len(x) <= 5:
        return reduce(np.add, x)
    # A row takes einsum a tenth of the overhead of add, but it may cut one of more than 8192.
    return np.asarray(np.einsum("jn->n", x) if len(x) < 5000 else np.add.reduce(x, axis=0))
