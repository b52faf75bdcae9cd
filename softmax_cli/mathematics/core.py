"""Softmax and its derivative, right to the last digits.

For the logits z of one sample, m = max z and a temperature T::

    (z - m)/T = s + t       s a float64 close to it, t what s leaves over
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["complement", "jacobian", "jacobian_rows", "log_softmax", "softmax", "vjp"]

Floats = NDArray[np.float64]

# Numbers in a block: the few arrays of this size that are in use at a time stay in the L2 cache.
_BLOCK = 48_000

# Numbers in a block of Jacobians: there is one array of this size, passed over once or twice.
_JACOBIAN_BLOCK = 192_000

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
        for y_block, z_block, e in _blocks(y, z, spare=1):
            top = _exponentials(z_block, T, e, z_block)
            np.divide(e, _total(e, top), out=y_block)
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
        for log_y_block, z_block, s, e, te in _blocks(log_y, z, spare=3):
            m, top = _max(z_block)
            s, t = _shift(z_block, m, T, s, z_block)
            _exp(s, t, e, te)
            s -= np.log1p(_rest(e, top))
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
        for rest_block, z_block, e in _blocks(rest, z, spare=1):
            rest_block[...] = _complement(*_parts(z_block, T, e))
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
        for J_block, z_block, e in _blocks(J, z, spare=1):
            _fill_jacobian(J_block, z_block, T, e)
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
        for rows_block, z_block, spare in _blocks(rows, z, spare=1):
            e, R, S = _parts(z_block, T, spare, unit)
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
        for v_block, z_block, g_block, *spare in _blocks(v, z, g, spare=3):
            _fill_vjp(v_block, z_block, g_block, T, *spare)
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


def _blocks(out: Floats, *inputs: NDArray[np.generic], spare: int) -> Iterator[tuple[Floats, ...]]:
    """Yield blocks of `out` to be filled, each with its blocks of `inputs` in float64.

    All have shape (..., C) with the same leading axes (`out` may have more after them), and their
    blocks (C, n). As many `spare` arrays of that shape come with them, the same ones for every
    block. The layout in memory follows from C alone, never from the size of the batch: the order
    of a sum depends on it.
    """
    lead, C = inputs[0].ndim - 1, inputs[0].shape[-1]
    out = out.reshape(-1, *out.shape[lead:])
    rows = [x.reshape(-1, C) for x in inputs]
    step = max(1, min(_BLOCK // C, _JACOBIAN_BLOCK // math.prod(out.shape[1:])))
    memory = _aligned(len(rows) + spare, min(step, len(out)) * C)
    for start in range(0, len(out), step):
        block = slice(start, start + step)
        n = len(out[block])
        if C > _FEW:
            blocks = [x[: n * C].reshape(n, C).T for x in memory]
            filled = out[block].T
        else:
            blocks = [x[: n * C].reshape(C, n) for x in memory]
            filled = np.empty(out[block].T.shape)
        for copy, x in zip(blocks, rows, strict=False):
            np.copyto(copy, x[block].T, casting="same_kind")
        yield filled, *blocks
        if C <= _FEW:
            out[block] = filled.T


def _aligned(count: int, size: int) -> list[Floats]:
    """Return arrays that begin with a cache line, which halves the time of some passes."""
    line = 8  # numbers
    stride = -(-size // line) * line
    memory = np.empty(count * stride + line)
    start = -memory.ctypes.data // memory.itemsize % line
    return [memory[start + k * stride :][:size] for k in range(count)]


def _max(x: Floats) -> tuple[Floats, NDArray[np.intp]]:
    """Return the maxima, and for many classes where in memory each one is."""
    if len(x) <= _FEW:
        few: Floats = np.maximum.reduce(x, axis=0)
        return few, _starts(x)
    top = _starts(x) + np.argmax(x, axis=0)  # quicker than any other reduction
    return x.reshape(-1, order="F")[top], top


def _sum(x: Floats) -> Floats:
    """Sum over the classes, in an order that depends on C alone.

    numpy's own order depends on the layout, and on the number of samples.
    """
    C = len(x)
    if C > _FEW:
        # Parts of some 64 numbers: a shorter chain of roundings. Each is of one and a multiple of
        # eight, the number of running sums in numpy's pairwise addition, which reduceat uses, and
        # which would add a remainder to the total number by number: that is a part of its own.
        k = max(2, C // 64)
        parts = np.arange(0, C, (C - k) // (8 * k) * 8 + 1)
        sums = np.add.reduceat(x.reshape(-1, order="F"), np.add.outer(_starts(x), parts).ravel())
        return _sum(sums.reshape(-1, len(parts)).T)
    while len(x) > 1:
        half = len(x) // 2
        pairs = x[: len(x) - half].copy()
        pairs[:half] += x[-half:]
        x = pairs
    few: Floats = x[0]
    return few


def _starts(x: Floats) -> NDArray[np.intp]:
    """Return where in memory each sample of many classes begins."""
    return np.arange(0, x.size, len(x))


def _shift(z: Floats, m: Floats, T: float, s: Floats, t: Floats) -> tuple[Floats, Floats]:
    """Return s, and t <= 2^-39, with s + t = (z - m)/T to some 90 bits.

    Below -1000, where exp(s) is 0 in any case, s + t is right to the precision of s alone.
    Uses the memory of `s` and `t`.
    """
    # T = T' 2^k with 1 <= T' < 2, and dividing by 2^k is exact: before the subtraction for a
    # large T, because z - m could overflow although its quotient is small; after it for a small
    # one, because z/T could.
    T, k = math.frexp(T)
    T, k = 2 * T, k - 1
    if k > 0:
        z, m = z * math.ldexp(1.0, -k), m * math.ldexp(1.0, -k)
    # Adding and subtracting c splits off all bits below 2^-39, from z and from m alike: the high
    # parts then subtract exactly, and the low ones to 2^-92. This is ExtractVector of [4]_, and
    # costs fewer and cheaper passes than TwoSum. Far from zero c = 0 will do: every z there is
    # within a factor of 2 of m, so that z - m is exact (Sterbenz), or else exp(z - m) is 0.
    below_one = math.ldexp(1.0, min(k, 0))
    near, grid = np.abs(m) < 3584.0 * below_one, 12288.0 * below_one
    c = grid if near.all() else np.where(near, grid, 0.0)
    np.add(z, c, out=s)
    s -= c
    np.subtract(z, s, out=t)
    m_high = (m + c) - c
    s -= m_high
    t -= m - m_high
    if k < 0:
        up = math.ldexp(1.0, min(-k, 1023))  # 2^1074, for the smallest T, would overflow
        s *= up
        t *= up
        T *= below_one * up
    if T != 1:
        s, t = _divide(s, t, T)
    if not s.min() > -1e299:  # overflowed on the way, or masked
        t[s < -1e299] = 0.0
    return s, t


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


def _exp(s: Floats, t: Floats, e: Floats, te: Floats, unit: float = 1.0) -> None:
    """Fill e with exp(s)(1 + t) in multiples of 1/unit. Both e and te may be s and t themselves."""
    if unit == 1:
        np.exp(s, out=e)
    else:
        low = s < -700
        lifted = np.exp(s[low] + 64) * (unit * math.exp(-64))  # exp(s) would turn subnormal there
        np.exp(s, out=e)
        e *= unit
        e[low] = lifted
    np.multiply(t, e, out=te)
    e += te  # not e*(1 + t): rounding 1 + t would lose what t is there for


def _exponentials(z: Floats, T: float, e: Floats, t: Floats, unit: float = 1.0) -> NDArray[np.intp]:
    """Fill e, in multiples of 1/unit, and return where the maxima are. Uses the memory of t."""
    m, top = _max(z)
    for start in range(0, len(z), _BLOCK):  # so that also one long sample stays in the cache
        piece = slice(start, start + _BLOCK)
        s, dropped = _shift(z[piece], m, T, e[piece], t[piece])
        _exp(s, dropped, e[piece], dropped, unit)
    return top


def _parts(z: Floats, T: float, e: Floats, unit: float = 1.0) -> tuple[Floats, Floats, Floats]:
    """Return e and R, both in multiples of 1/unit, and S. Uses the memory of z."""
    R = _rest(e, _exponentials(z, T, e, z, unit), unit)
    return e, R, 1 + R / unit


def _rest(e: Floats, top: NDArray[np.intp], unit: float = 1.0) -> Floats:
    """Return the sum of e without the one maximum at `top`, which is exactly 1 (times unit).

    Were it to start from 1 the sum would lose an ulp of 1 with every further term.
    """
    if len(e) > _FEW:
        return _rest_of_many(e, top, _close_sum, unit)
    R = np.zeros(e.shape[1])  # argmax is slow along a transposed block: add what loses to another
    while len(e) > 1:
        half = len(e) // 2
        R += _sum(np.minimum(e[:half], e[half : 2 * half]))
        winners = np.maximum(e[:half], e[half : 2 * half])
        if len(e) % 2:
            R += np.minimum(winners[0], e[-1])
            np.maximum(winners[0], e[-1], out=winners[0])
        e = winners
    R += e[0] - unit
    return R


def _rest_of_many(
    e: Floats, top: NDArray[np.intp], sum_: Callable[[Floats], Floats], unit: float = 1.0
) -> Floats:
    flat = e.reshape(-1, order="F")
    one = flat[top]
    flat[top] = 0.0
    R = sum_(e)
    flat[top] = one
    R += one - unit  # 0, or NaN where e is
    return R


def _close_sum(x: Floats) -> Floats:
    """Sum what is not negative over many classes, to a single rounding."""
    # ExtractVector of [4]_: the high parts sum exactly, and the low ones hardly matter.
    c = np.ldexp(1.0, np.frexp(_sum(x))[1] + 1)
    high = x + c
    high -= c
    return _sum(high) + _sum(x - high)


def _total(e: Floats, top: NDArray[np.intp]) -> Floats:
    """Return S where R is not needed, and need not be as close as relative to itself."""
    if len(e) > _FEW:
        return 1 + _rest_of_many(e, top, _sum)
    if len(e) <= 10:
        return _sum(e)
    ones = np.floor(e)  # what is 1 is summed apart, exactly
    return _sum(ones) + _sum(e - ones)


def _complement(e: Floats, R: Floats, S: Floats, unit: float = 1.0) -> Floats:
    rest = np.where(e == unit, R, unit * S - e)
    rest /= S
    return rest


def _fill_jacobian(J: Floats, z: Floats, T: float, e: Floats) -> None:
    # For T < 1 an entry can be a normal number although y_j y_i is not. In this unit all is normal.
    unit = 2.0**500 if T < 1 else 1.0
    e, R, S = _parts(z, T, e, unit)
    y, rest = e / S, _complement(e, R, S, unit)
    over_T = unit**-2 / T
    np.multiply(y[:, np.newaxis], -y, out=J)
    if over_T != 1:
        J *= over_T
    if not y.min() ** 2 * over_T > 0:  # then some entries are -0.0, and shall be 0.0
        J += 0.0
    diagonal = np.arange(len(y))
    J[diagonal, diagonal] = y * rest * over_T


def _fill_vjp(v: Floats, z: Floats, g: Floats, T: float, e: Floats, d: Floats, p: Floats) -> None:
    top = _exponentials(z, T, e, d)
    S = _sum(e)
    # Relative to its value at a maximum of z, the large terms of g are gone before they are
    # summed: at saturation nothing else will do. Relative to the mean, which that reference gives
    # to the last bit or two, no d_j is large beside the sum of y_i |g_j - g_i|.
    at_maximum = _at(top, e, g)
    np.subtract(g, at_maximum, out=d)
    r = at_maximum + _mean(e, d, S, p)
    np.subtract(g, r, out=d)
    low = _mean(e, d, S, p)
    d -= low
    d *= np.multiply(e, 1 / S / T, out=p)
    np.add(d, 0.0, out=v)  # no -0.0
    # The errors of the sums are relative to sum y_i |g_i - mean|, which is at least 2/C times that
    # distance at the maximum. Far above the underflow of a product, and without an overflow, all
    # is well. Each sample is judged alone, so that its bits do not depend on the others.
    good = np.abs(at_maximum - r - low) > 2.0**-800
    good &= np.abs(low) < 2.0**900
    if not e.min() > 2.0**-880:  # beside a T of up to 2^100, e/(S T) is far above it too
        good &= ~((e <= 2.0**-880) & (z > -np.inf)).any(axis=0)
    good &= 2.0**-100 < T < 2.0**100
    if not good.all():
        np.copyto(v, _careful_vjp(z, g, T), where=~good)


def _careful_vjp(z: Floats, g: Floats, T: float) -> Floats:
    """Return vjp where exp(z - m), or a product with it, is beyond the range of float64."""
    # w is the square root of e. With w (w d) in place of e d a probability below the smallest
    # number still meets its upstream gradient, and the product keeps all its digits.
    w, p = np.empty_like(z), np.empty_like(z)
    top = _exponentials(z * 0.5, T, w, p)
    S = _sum(w * w)
    # Each sample's g is scaled by a power of two to end just below 2^960: sums of differences
    # stay below overflow, and products with w as far above underflow as can be.
    T_exponent = min(math.frexp(T)[1], 0)
    up = np.minimum(960 - np.frexp(_max(np.abs(g))[0])[1], 1000)
    down = -(up + T_exponent)
    g = g * np.ldexp(1.0, up)
    r = _at(top, w, g)
    d = g - r
    r += _mean(w, d * w, S, p)
    d = g - r
    d -= _mean(w, d * w, S, p)
    d *= w
    d *= 1 / S / math.ldexp(T, -T_exponent)
    if down.max() > 0:
        w = np.ldexp(w, np.clip(down, 0, 1000))
    d *= w
    d *= np.ldexp(1.0, np.minimum(down, 0))
    d += 0.0  # no -0.0
    return d


def _at(top: NDArray[np.intp], e: Floats, x: Floats) -> Floats:
    """Return for each sample the value of x where e has its maximum, 1."""
    if len(e) > _FEW:
        first: Floats = x.reshape(-1, order="F")[top]
        return first
    return _max(np.where(e == 1, x, -np.inf))[0]  # argmax is slow along a transposed block


def _mean(e: Floats, x: Floats, S: Floats, p: Floats) -> Floats:
    """Return sum y x, with y = e/S. Uses the memory of p."""
    return _sum(np.multiply(e, x, out=p)) / S
