"""NPY: a real array of one or two dimensions, read block by block and never unpickled."""

import math
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from softmax_cli.errors import InputError, visible
from softmax_cli.options import InputOptions
from softmax_cli.reading.columns import refuse_columns
from softmax_cli.reading.text import Stream
from softmax_cli.reading.validity import check_logits, place_in, place_of_sample
from softmax_cli.samples import Batch, FloatArray, Logits

_VALUES_A_BATCH = 1 << 17


def read_npy(stream: Stream, name: str, options: InputOptions) -> Logits:
    """Read an array of shape (C,) or (K, C), whatever its size; by column, whole.

    Parameters
    ----------
    stream
        The file, or a pipe.
    name
        What messages call the stream.
    options
        What the user said; there are no columns to choose.

    Raises
    ------
    InputError
        For what is no real array of logits; from the batches for what is missing of it.
    """
    refuse_columns(options, name)
    shape, by_column, dtype = _read_header(stream, name)
    if len(shape) not in (1, 2):
        raise InputError(name, f"expected an array of one or two dimensions, found shape {shape}")
    K, C = shape if len(shape) == 2 else (1, *shape)

    def batches() -> Iterator[Batch]:
        step = K if by_column else max(1, _VALUES_A_BATCH // C)
        for start in range(0, K, step):
            n = min(step, K - start)
            values = _take(stream, n * C, dtype, name, start + n == K)
            logits = values.reshape(n, C, order="F" if by_column else "C")
            (options.check or check_logits)(logits, place_in(place_of_sample(name, start)))
            yield Batch(logits, start)

    return Logits(C, batches(), n_samples=K)


def read_array(stream: Stream, name: str) -> NDArray[Any]:
    """Read an array of any shape and kind of number, whole."""
    shape, by_column, dtype = _read_header(stream, name)
    values = _take(stream, math.prod(shape), dtype, name).astype(dtype, copy=False)
    return values.reshape(shape, order="F" if by_column else "C")


def _read_header(stream: Stream, name: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Read what stands before the numbers: their shape, whether they go by column, their type."""
    try:
        version = npy_format.read_magic(stream)
        # The third version differs only in the names of fields, which a real array has none of.
        one, two = npy_format.read_array_header_1_0, npy_format.read_array_header_2_0
        with warnings.catch_warnings(action="ignore"):  # one by Python 2 is as good as any
            shape, by_column, dtype = (one if version == (1, 0) else two)(stream)
    except Exception as error:  # numpy leaves what a damaged header raises to chance
        reason = visible(str(error))[:200]
        raise InputError(name, f"expected an array in NPY format: {reason}") from None
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        advice = "pickled objects are never loaded; save it with numpy.save(file, z.astype(float))"
        hint = advice if dtype.hasobject else ""
        raise InputError(name, f"expected an array of real numbers, found one of {dtype}", hint)
    if any(type(n) is not int or n < 1 for n in shape):
        raise InputError(name, f"expected an array of numbers, found shape {shape}")
    return shape, by_column, dtype


def _take(
    stream: Stream, count: int, dtype: np.dtype[np.generic], name: str, is_last: bool = True
) -> FloatArray:
    """Read so many numbers."""
    size = count * dtype.itemsize
    content = stream.read(size)
    if len(content) < size or (is_last and stream.read(1)):
        found = "fewer" if len(content) < size else "more"
        raise InputError(name, f"expected the numbers that its header tells of, found {found}")
    return np.frombuffer(content, dtype).astype(np.float64, copy=False)
