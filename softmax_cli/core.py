"""Softmax and its derivative, right to the last digits.

For the logits z of one sample, m = max z and a temperature T::

    (z - m)/T = s + t       s the float64 nearest to it, t what s leaves over
    e = exp(s)(1 + t)       exactly 1 at a maximum
    R = sum e - 1           the sum without one maximum: positive terms only
    S = 1 + R
    y = e/S                 softmax
    1 - y = (S - e)/S       R/S at a maximum, so never a small difference of large numbers
    log y = s - log1p(R) + t
    J = (diag(y) - y y')/T  with y (1 - y)/T on the diagonal

Exponentiating the rounded z - m alone turns an absolute error of up to half an ulp of 745 into a
relative one, hundreds of ulps large: the range term of [1]_, Theorem 4.3. Here t carries what
the subtraction (and the division by T) dropped, and nothing cancels.

Within this module a block of samples has its classes on the first axis and its samples on the
second, so that m, R and S broadcast the way they are written. What is done to a sample depends on
C and on its own logits only: its results have the same bits alone, in any batch and in any memory
layout. A sample that contains NaN or +inf, or nothing but -inf, has NaN for its results.

References
----------
.. [1] P. Blanchard, D. J. Higham, N. J. Higham, "Accurately computing the log-sum-exp and softmax
   functions", IMA J. Numer. Anal. 41(4), 2311-2330, 2021.
.. [2] D. E. Knuth, "The Art of Computer Programming", vol. 2, section 4.2.2, Theorem B: TwoSum.
.. [3] T. J. Dekker, "A floating-point technique for extending the available precision", Numer.
   Math. 18, 224-242, 1971: the exact product, with Veltkamp's splitting.
.. [4] S. M. Rump, T. Ogita, S. Oishi, "Accurate floating-point summation part I: faithful
   rounding", SIAM J. Sci. Comput. 31(1), 189-224, 2008: ExtractVector.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["complement", "jacobian", "jacobian_rows", "log_softmax", "softmax", "vjp"]

Floats = NDArray[np.float64]

# Numbers in a block: the few arrays of this size that are in use at a time stay in the L2 cache.
_BLOCK = 24_000

# Up to this many classes a block is transposed: reducing along so few numbers at a time is slow.
_FEW = 32


def softmax(logits: ArrayLike, axis: int = -1, temperature: float = 1.0) -> Floats:
    """Return the probabilities ``y_j = exp(z_j/T) / sum_i exp(z_i/T)``.

    Every probability is within 3 units of 2^-52 of the exact one, relatively, where that is a
    normal number. It is computed as e/S, with the notation and the sources of this module.

    Parameters
    ----------
    logits : array_like, shape (..., C)
        Real numbers; integers and float32 are computed in float64. -inf is a masked class, with
        probability exactly 0.
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
    TypeError
        `logits` or `temperature` are not real numbers.
    ValueError
        `logits` are a single number, or without a class; `axis` does not exist; `temperature`
        is not finite and greater than 0.

    Examples
    --------
    >>> softmax([2.0, 1.0, 0.1])
    array([0.65900114, 0.24243297, 0.09856589])
    """
    z, T = _classes_last(logits, axis), _temperature(temperature)
    y = np.empty(z.shape)
    with _arithmetic():
        for y_block, z_block in _blocks(y, z):
            s, t = _shift(z_block, T)
            e = _exp(s, t)
            np.divide(e, _sum(e), out=y_block)
    return np.moveaxis(y, -1, axis)


def log_softmax(logits: ArrayLike, axis: int = -1, temperature: float = 1.0) -> Floats:
    """Return the logarithms ``log y_j = (z_j - m)/T - log1p(R)`` of the probabilities.

    Each is within 3 units of 2^-52 of the exact one, relatively, down to the smallest normal
    number: also where y_j is so close to 1 that float64 cannot tell them apart.

    Parameters
    ----------
    logits : array_like, shape (..., C)
        Real numbers, as for `softmax`. The logarithm of a masked class is -inf.
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
    >>> log_softmax([40.0, 0.0])
    array([-4.24835426e-18, -4.00000000e+01])
    """
    z, T = _classes_last(logits, axis), _temperature(temperature)
    log_y = np.empty(z.shape)
    with _arithmetic():
        for log_y_block, z_block in _blocks(log_y, z):
            s, t = _shift(z_block, T)
            R = _rest(_exp(s, t.copy(order="K")))
            s -= np.log1p(R)
            np.add(s, t, out=log_y_block)
    return np.moveaxis(log_y, -1, axis)


def complement(logits: ArrayLike, axis: int = -1, temperature: float = 1.0) -> Floats:
    """Return ``1 - y_j``, the probability of every other class than j together.

    Each is within 3 units of 2^-52 of the exact one, relatively, where that is a normal number:
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
    z, T = _classes_last(logits, axis), _temperature(temperature)
    rest = np.empty(z.shape)
    with _arithmetic():
        for rest_block, z_block in _blocks(rest, z):
            rest_block[...] = _complement(*_parts(z_block, T))
    return np.moveaxis(rest, -1, axis)


def jacobian(logits: ArrayLike, axis: int = -1, temperature: float = 1.0) -> Floats:
    """Return ``J[..., j, i] = dy_j/dz_i = y_j (delta_ij - y_i) / T``.

    Every entry is within 6 units of 2^-52 of the exact one, relatively, where that is a normal
    number. J is exactly symmetric. The row and the column of a masked class are exactly 0.

    Parameters
    ----------
    logits : array_like, shape (..., C)
        Real numbers, as for `softmax`.
    axis : int, default -1
        The axis of the classes.
    temperature : float, default 1
        T, finite and greater than 0.

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
    z, T = _classes_last(logits, axis), _temperature(temperature)
    J = np.empty((*z.shape, z.shape[-1]))
    with _arithmetic():
        for J_block, z_block in _blocks(J, z):
            _fill_jacobian(J_block, z_block, T)
    return J


def jacobian_rows(
    logits: ArrayLike, outputs: slice | list[int], temperature: float = 1.0
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
    z, T = _classes_last(logits, -1), _temperature(temperature)
    j = np.arange(z.shape[-1])[outputs]
    rows = np.empty((*z.shape[:-1], len(j), z.shape[-1]))
    unit = 2.0**500 if T < 1 else 1.0
    over_T = unit**-2 / T
    with _arithmetic():
        for rows_block, z_block in _blocks(rows, z):
            e, R, S = _parts(z_block, T, unit)
            y, rest = e / S, _complement(e, R, S, unit)
            np.multiply(y[j], -y[:, np.newaxis], out=rows_block)
            if over_T != 1:
                rows_block *= over_T
            rows_block += 0.0
            rows_block[j, np.arange(len(j))] = y[j] * rest[j] * over_T
    return rows


def vjp(logits: ArrayLike, upstream: ArrayLike, axis: int = -1, temperature: float = 1.0) -> Floats:
    """Return the upstream gradient times the Jacobian, ``v_i = sum_j g_j J_ji``, without J.

    ``v_j = y_j (g_j - sum_i y_i g_i) / T = sum_i y_j y_i (g_j - g_i) / T`` takes time and memory
    O(C) a sample. J is symmetric, so that this is also ``J @ g``: the Jacobian-vector product
    (forward mode, jvp) is the same function.

    The error is within 16 units of 2^-52 of ``sum_i |y_j y_i (g_j - g_i)| / T``. An upstream
    gradient that is the same for all classes gives exactly 0.

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
    z, T = _classes_last(logits, axis), _temperature(temperature)
    g = _upstream(upstream, np.shape(logits), axis)
    v = np.empty(z.shape)
    with _arithmetic():
        for v_block, z_block, g_block in _blocks(v, z, g):
            _fill_vjp(v_block, z_block, g_block, T)
    return np.moveaxis(v, -1, axis)


def _real(values: ArrayLike, name: str) -> NDArray[np.generic]:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf":
        raise TypeError(f"{name} must be real numbers, not {array.dtype}")
    return array


def _classes_last(logits: ArrayLike, axis: int) -> NDArray[np.generic]:
    z = _real(logits, "logits")
    if z.ndim == 0:
        raise ValueError("logits must be an array with an axis of classes, not a single number")
    z = np.moveaxis(z, axis, -1)
    if z.shape[-1] == 0:
        raise ValueError("logits must have at least one class")
    return z


def _upstream(upstream: ArrayLike, shape: tuple[int, ...], axis: int) -> NDArray[np.generic]:
    g = _real(upstream, "upstream")
    try:
        return np.moveaxis(np.broadcast_to(g, shape), axis, -1)
    except ValueError:
        raise ValueError(f"upstream of shape {g.shape} does not fit logits of {shape}") from None


def _temperature(temperature: float) -> float:
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature must be finite and greater than 0, not {temperature!r}")
    return float(temperature)


@contextmanager
def _arithmetic() -> Iterator[None]:
    """Raise no floating-point warnings: overflow and NaN are results here."""
    with np.errstate(all="ignore"):
        # A broadcast operand is copied into the buffers wherever its rows fit in them, which
        # halves the speed. Like the rest of the error state this ends with the block.
        np.setbufsize(16)
        # Freeing one large array makes glibc keep freed memory for the next block, where it would
        # otherwise return it to the kernel, and fetch it page by page again, for every array.
        np.empty(32 * _BLOCK)
        yield


def _blocks(out: Floats, *inputs: NDArray[np.generic]) -> Iterator[tuple[Floats, ...]]:
    """Yield blocks of `out` to be filled, each with its blocks of `inputs` in float64.

    All have shape (..., C) with the same leading axes (`out` may have more after them), and their
    blocks (C, n). The layout in memory follows from C alone, never from the size of the batch:
    the order of a sum depends on it.
    """
    lead, C = inputs[0].ndim - 1, inputs[0].shape[-1]
    out = out.reshape(-1, *out.shape[lead:])
    rows = [x.reshape(-1, C) for x in inputs]
    step = max(1, _BLOCK // math.prod(out.shape[1:]))
    for start in range(0, len(out), step):
        block = slice(start, start + step)
        if C > _FEW:
            yield out[block].T, *(np.ascontiguousarray(x[block], np.float64).T for x in rows)
        else:
            filled = np.empty(out[block].T.shape)
            yield filled, *(np.ascontiguousarray(x[block].T, np.float64) for x in rows)
            out[block] = filled.T


def _reduce(operation: np.ufunc, x: Floats) -> Floats:
    """Reduce over the classes, in an order that depends on C alone."""
    C = len(x)
    if C > _FEW:  # along contiguous samples; quicker than reduce, and pairwise like it
        result: Floats = operation.reduceat(x.reshape(-1, order="F"), np.arange(0, x.size, C))
        return result
    while C > 1:  # a tree, because numpy adds rows one after the other, or not if there is one
        half = C // 2
        pairs = operation(x[:half], x[half : 2 * half])
        if C % 2:
            operation(pairs[0], x[-1], out=pairs[0])
        x, C = pairs, half
    first: Floats = x[0]
    return first


def _max(x: Floats) -> Floats:
    return _reduce(np.maximum, x)


def _sum(x: Floats) -> Floats:
    return _reduce(np.add, x)


def _shift(z: Floats, T: float) -> tuple[Floats, Floats]:
    """Return s and t with s + t = (z - max z)/T, so far as exp can tell."""
    T, exponent = math.frexp(T)
    T, exponent = 2 * T, exponent - 1
    if exponent > 0:  # before the subtraction, which could overflow although the quotient is small
        z = z * math.ldexp(1.0, -exponent)
    m = _max(z)
    # Adding and subtracting c splits off all bits below 2^-39, from z and from m alike: the high
    # parts then subtract exactly, and the low ones to a precision that nobody sees. It is the
    # ExtractVector of [4]_, two passes shorter than TwoSum. Far from zero it is not needed: there
    # z is less than a factor of 2 from m, or so far from it that exp(z - m) is 0, and z - m is
    # exact by Sterbenz' lemma.
    below_one = math.ldexp(1.0, min(exponent, 0))
    near, grid = np.abs(m) < 3584.0 * below_one, 12288.0 * below_one
    c = grid if near.all() else np.where(near, grid, 0.0)
    s = z + c
    s -= c
    t = z - s
    m_high = (m + c) - c
    s -= m_high
    t -= m - m_high
    if exponent < 0:
        up = math.ldexp(1.0, min(-exponent, 1023))
        s, t, T = s * up, t * up, T * below_one * up
    if T != 1:
        s, t = _divide(s, t, T)
    if not s.min() > -1e299:  # overflowed on the way, or masked
        t[s < -1e299] = 0.0
    return s, t


def _two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return s = fl(a + b) and t = (a + b) - s, exactly [2]_."""
    s = a + b
    a_seen = s - b
    b_seen = s - a_seen
    np.subtract(a, a_seen, out=a_seen)
    np.subtract(b, b_seen, out=b_seen)
    a_seen += b_seen
    return s, a_seen


def _divide(s: Floats, t: Floats, T: float) -> tuple[Floats, Floats]:
    """Return q = fl(s/T), and what it leaves of (s + t)/T, from Dekker's product q T [3]_."""
    q = s / T
    p = q * T
    q_high, q_low = _split(q)
    T_high, T_low = _split(T)
    error = ((q_high * T_high - p) + q_high * T_low + q_low * T_high) + q_low * T_low
    t = (((s - p) - error) + t) / T
    return q, t


def _split(x: Floats | float) -> tuple[Floats | float, Floats | float]:
    """Split x into two halves of at most 26 bits each (Veltkamp [3]_)."""
    c = 134217729.0 * x  # 2^27 + 1
    high = c - (c - x)
    return high, x - high


def _exp(s: Floats, t: Floats, unit: float = 1.0) -> Floats:
    """Return exp(s)(1 + t) in multiples of 1/unit."""
    e = np.exp(s)
    if unit != 1:
        e *= unit
        low = s < -700
        e[low] = np.exp(s[low] + 64) * (unit * math.exp(-64))  # before exp(s) turns subnormal
    t *= e
    e += t  # not e*(1 + t): rounding 1 + t would lose what t is there for
    return e


def _parts(z: Floats, T: float, unit: float = 1.0) -> tuple[Floats, Floats, Floats]:
    """Return e and R, both in multiples of 1/unit, and S."""
    e = _exp(*_shift(z, T), unit)
    R = _rest(e, unit)
    return e, R, 1 + R / unit


def _rest(e: Floats, unit: float = 1.0) -> Floats:
    """Return the sum of e without one of its maxima. Those are exactly 1 (times unit)."""
    top = e == unit
    return _sum(np.where(top, 0.0, e)) + unit * (_sum(top.astype(np.float64)) - 1)


def _complement(e: Floats, R: Floats, S: Floats, unit: float = 1.0) -> Floats:
    rest = np.where(e == unit, R, unit * S - e)
    rest /= S
    return rest


def _fill_jacobian(J: Floats, z: Floats, T: float) -> None:
    # For T < 1 an entry can be a normal number although y_j y_i is not. In this unit all is normal.
    unit = 2.0**500 if T < 1 else 1.0
    e, R, S = _parts(z, T, unit)
    y, rest = e / S, _complement(e, R, S, unit)
    over_T = unit**-2 / T
    np.multiply(y[:, np.newaxis], y, out=J)
    if over_T != 1:
        J *= over_T
    np.subtract(0.0, J, out=J)  # and not negative, which would make -0.0 of 0
    diagonal = np.arange(len(y))
    J[diagonal, diagonal] = y * rest * over_T


def _fill_vjp(v: Floats, z: Floats, g: Floats, T: float) -> None:
    # w is the square root of e. With w (w d) in place of e d a probability below the smallest
    # number still meets its upstream gradient, and the product keeps all its digits.
    w = _exp(*_shift(z * 0.5, T))
    S = _sum(w * w)
    # Each sample's g is scaled by a power of two to end just below 2^960: sums of differences
    # stay below overflow, and products with w as far above underflow as can be.
    T_exponent = min(math.frexp(T)[1], 0)
    up = np.minimum(960 - np.frexp(_max(np.abs(g)))[1], 1000)
    down = -(up + T_exponent)
    g = g * np.ldexp(1.0, up)
    # Relative to its value at a maximum of z, the large terms of g are gone before they are
    # summed; relative to the mean, nothing is left to cancel in v. The first alone loses digits
    # for large C, the second alone at saturation.
    d, d_low = _two_sum(g, -_at_maximum(w, g))
    d -= _mean(w, d, S)
    d += d_low
    d -= _mean(w, d, S)
    d *= w
    d *= 1 / S / math.ldexp(T, -T_exponent)
    if down.max() > 0:
        w = np.ldexp(w, np.clip(down, 0, 1000))
    d *= w
    d *= np.ldexp(1.0, np.minimum(down, 0))
    np.add(d, 0.0, out=v)  # no -0.0


def _at_maximum(w: Floats, g: Floats) -> Floats:
    """Return for each sample the value of g where w has its maximum, 1."""
    if len(w) > _FEW:
        at_top: Floats = np.take_along_axis(g, np.argmax(w, axis=0, keepdims=True), axis=0)[0]
        return at_top
    return _max(np.where(w == 1, g, -np.inf))  # argmax is slow along a transposed block


def _mean(w: Floats, x: Floats, S: Floats) -> Floats:
    """Return sum y x, with y = w w/S."""
    product = w * x
    product *= w
    return _sum(product) / S
