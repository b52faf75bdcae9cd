"""NPY: a real array of one or two dimensions, memory-mapped and never unpickled."""

import math
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from os import fstat

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from softmax_cli.batch import Batch, Logits
from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions
from softmax_cli.reading.json_text import refuse_columns
from softmax_cli.reading.validity import check_logits

_VALUES_A_BATCH = 1 << 17
_HEADERS = {
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
}


@dataclass(frozen=True)
class Header:
    """What the file says of its array: (K, C) numbers of a type, column after column or not."""

    shape: tuple[int, int]
    by_column: bool
    dtype: np.dtype[np.generic]

    @property
    def size(self) -> int:
        """How many bytes the array takes."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
    """Read an array of shape (C,) or (K, C) batch by batch, whatever its size.

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
    header = _header(stream, name)
    check = options.check or check_logits

    def batches() -> Iterator[Batch]:
        start = 0
        for values in _blocks(stream, header, name):

            def place(k: int, c: int | None, start: int = start) -> str:
                where = f"{name}: sample {start + k + 1}"
                return where if c is None else f"{where}, value {c + 1}"

            logits = values.astype(np.float64)
            check(logits, place)
            yield Batch(logits, start)
            start += len(logits)

    K, C = header.shape
    return Logits(C, batches(), n_samples=K)


def _header(stream: BufferedReader, name: str) -> Header:
    try:
        version = npy_format.read_magic(stream)
        read = _HEADERS.get(version)
        if read is None:
            raise ValueError(f"its version is {version[0]}.{version[1]}")
        shape, by_column, dtype = read(stream)
    except (ValueError, EOFError, OverflowError, MemoryError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(name, f"expected an array in NPY format: {reason}") from None
    if dtype.hasobject:
        raise InputError(
            name,
            "expected an array of real numbers, found pickled objects, which are never loaded",
            "save it with numpy.save(file, array.astype(float))",
        )
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        raise InputError(name, f"expected an array of real numbers, found one of {dtype}")
    if len(shape) not in (1, 2):
        found = f"found shape {shape}"
        raise InputError(name, f"expected an array of one or two dimensions, {found}")
    if min(shape) <= 0:
        raise InputError(name, f"expected logits, found an empty array of shape {shape}")
    K, C = shape if len(shape) == 2 else (1, *shape)
    return Header((K, C), by_column, dtype)


def _blocks(stream: BufferedReader, header: Header, name: str) -> Iterator[NDArray[np.generic]]:
    if stat.S_ISREG(fstat(stream.fileno()).st_mode):
        return _mapped(stream, header, name)
    return _read(stream, header, name)


def _mapped(stream: BufferedReader, header: Header, name: str) -> Iterator[NDArray[np.generic]]:
    """Map the file anew for each block, so that what was read of it does not count as ours."""
    begin = stream.tell()
    found = fstat(stream.fileno()).st_size - begin
    if found < header.size:
        raise _truncated(name, header, found)
    K, C = header.shape
    step = max(1, _VALUES_A_BATCH // C)
    for k in range(0, K, step):
        array = np.memmap(
            stream, header.dtype, "r", begin, header.shape, "F" if header.by_column else "C"
        )
        yield array[k : k + step]
        del array


def _read(stream: BufferedReader, header: Header, name: str) -> Iterator[NDArray[np.generic]]:
    """Read a pipe; an array that comes column after column has to be read whole."""
    K, C = header.shape
    step = K if header.by_column else max(1, _VALUES_A_BATCH // C)
    done = 0
    for k in range(0, K, step):
        n = min(step, K - k)
        content = stream.read(n * C * header.dtype.itemsize)
        done += len(content)
        if len(content) < n * C * header.dtype.itemsize:
            raise _truncated(name, header, done)
        values = np.frombuffer(content, header.dtype)
        yield values.reshape(n, C, order="F" if header.by_column else "C")


def _truncated(name: str, header: Header, found: int) -> InputError:
    K, C = header.shape
    expected = f"expected {header.size} bytes for {K} x {C} numbers of {header.dtype}"
    return InputError(name, f"{expected}, found {found}")
