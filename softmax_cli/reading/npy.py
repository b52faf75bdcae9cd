"""NPY: a real array, read block by block and never unpickled."""

import math
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.lib import format as npy_format

from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions
from softmax_cli.reading.columns import refuse_columns
from softmax_cli.reading.text import Stream, readable
from softmax_cli.reading.validity import place_in, place_of_sample
from softmax_cli.samples import Batch, Logits


def read_npy(stream: Stream, name: str, options: InputOptions) -> Logits:
    """Read an array of any shape, whatever its size; whole if classes are not last in memory.

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
    refuse_columns(options, f"expected named columns, found none in {name}")
    shape, by_column, dtype = _read_header(stream, name)
    axis = -1 if options.axis is None else options.axis
    if not shape or not -len(shape) <= axis < len(shape):
        found = f"an array of shape {shape} and the axis {axis}"
        raise InputError(name, f"expected an array with an axis of classes, found {found}")
    lead = list(shape)
    C = lead.pop(axis)
    is_named = len(lead) > 1 and options.quantity is None
    is_whole = by_column or axis not in (-1, len(shape) - 1) or options.quantity is not None
    K = math.prod(lead)

    def batches() -> Iterator[Batch]:
        step = K if is_whole else max(1, (1 << 17) // C)
        for start in range(0, K, step):
            n = min(step, K - start)
            content = stream.read(n * C * dtype.itemsize)
            is_short = len(content) < n * C * dtype.itemsize
            if is_short or (start + n == K and stream.read(1)):
                problem = "expected the numbers that its header tells of, found "
                raise InputError(name, problem + ("fewer" if is_short else "more"))
            logits = np.frombuffer(content, dtype).astype(np.float64, copy=False)
            if is_whole:
                array = logits.reshape(shape, order="F" if by_column else "C")
                logits = np.moveaxis(array, axis, -1)
            place = place_in(place_of_sample(name, start))
            names = _names(lead, range(start, start + n)) if is_named else None
            yield Batch(logits.reshape(n, C), start, names, place=place)

    return Logits(C, batches(), None, is_named, n_samples=K, shape=shape, axis=axis, dtype=dtype)


def _names(lead: Sequence[int], samples: range) -> tuple[str, ...]:
    """Name samples by their positions from 1 in the axes before the classes: ``1-3``."""
    positions = [(axis + 1).tolist() for axis in np.unravel_index(samples, lead)]
    return tuple("-".join(map(str, each)) for each in zip(*positions, strict=True))


def _read_header(stream: Stream, name: str) -> tuple[tuple[int, ...], bool, np.dtype[np.generic]]:
    """Read what stands before the numbers: their shape, whether they go by column, their type."""
    # numpy leaves what a damaged header raises to chance, and warns of one by Python 2.
    expected = "expected an array in NPY format"
    with readable(name, expected), warnings.catch_warnings(action="ignore"):
        version = npy_format.read_magic(stream)
        # The third version differs only in the names of fields, which a real array has none of.
        one, two = npy_format.read_array_header_1_0, npy_format.read_array_header_2_0
        shape, by_column, dtype = (one if version == (1, 0) else two)(stream)
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        advice = "pickled objects are never loaded; save it with numpy.save(file, z.astype(float))"
        hint = advice if dtype.hasobject else ""
        raise InputError(name, f"expected an array of real numbers, found one of {dtype}", hint)
    if any(type(n) is not int or n < 1 for n in shape):
        raise InputError(name, f"expected an array of numbers, found shape {shape}")
    return shape, by_column, dtype
