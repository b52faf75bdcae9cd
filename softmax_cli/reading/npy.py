"""NPY: a real array of one or two dimensions, read block by block and never unpickled."""

import math
import os
import re
import stat
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from softmax_cli.errors import InputError, visible
from softmax_cli.options import InputOptions
from softmax_cli.reading.columns import refuse_columns
from softmax_cli.reading.validity import check_logits
from softmax_cli.samples import Batch, Logits

_VALUES_A_BATCH = 1 << 17
_BYTES_AT_ONCE = 1 << 20
_HEADERS = {
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
    # Different only in the names of fields, which a real array has none of.
    (3, 0): npy_format.read_array_header_2_0,
}


@dataclass(frozen=True)
class Header:
    """What the file says of its array: its shape, its numbers, and whether they go by column."""

    shape: tuple[int, ...]
    by_column: bool
    dtype: np.dtype[np.generic]

    @property
    def table(self) -> tuple[int, int]:
        """K and C of an array of shape (C,) or (K, C)."""
        K, C = self.shape if len(self.shape) == 2 else (1, *self.shape)
        return K, C

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
    header = read_header(stream, name)
    if header.dtype.kind not in "iuf" or header.dtype.itemsize > 8:
        raise InputError(name, f"expected an array of real numbers, found one of {header.dtype}")
    if len(header.shape) not in (1, 2):
        found = f"found shape {header.shape}"
        raise InputError(name, f"expected an array of one or two dimensions, {found}")
    if min(header.shape) <= 0:
        found = f"found an empty array of shape {header.shape}"
        raise InputError(name, f"expected logits, {found}")
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

    K, C = header.table
    return Logits(C, batches(), n_samples=K)


def read_header(stream: BufferedReader, name: str) -> Header:
    """Read what stands before the numbers.

    Raises
    ------
    InputError
        For what is no NPY file, and for pickled objects.
    """
    try:
        version = npy_format.read_magic(stream)
        read = _HEADERS.get(version)
        if read is None:
            raise ValueError(f"its version is {version[0]}.{version[1]}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # one written by Python 2 is as good as any
            shape, by_column, dtype = read(stream)
        if not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError(f"its shape is {shape}")
    except Exception as error:  # numpy leaves what a damaged header raises to chance
        reason = (str(error) or type(error).__name__).splitlines()[0]
        reason = re.sub(" at 0x[0-9a-f]+", "", reason)  # another one in every run
        reason = visible(reason if len(reason) <= 200 else f"{reason[:200]}...")
        raise InputError(name, f"expected an array in NPY format: {reason}") from None
    if dtype.hasobject:
        raise InputError(
            name,
            "expected an array of real numbers, found pickled objects, which are never loaded",
            "save it with numpy.save(file, array.astype(float))",
        )
    return Header(shape, by_column, dtype)


def read_array(stream: BufferedReader, name: str) -> NDArray[np.generic]:
    """Read an array of any shape, whole.

    Raises
    ------
    InputError
        As `read_header`, and where numbers are missing.
    """
    header = read_header(stream, name)
    values = np.frombuffer(_take(stream, header, 0, header.size, name), header.dtype)
    return values.reshape(header.shape, order="F" if header.by_column else "C")


def _blocks(stream: BufferedReader, header: Header, name: str) -> Iterator[NDArray[np.generic]]:
    """Read some rows at a time; of a pipe that brings column after column, all."""
    (K, C), size = header.table, header.dtype.itemsize
    is_file = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    begin = stream.tell() if is_file else 0
    if is_file and (found := os.fstat(stream.fileno()).st_size - begin) != header.size:
        raise _wrong_size(name, header, str(found))
    step = K if header.by_column and not is_file else max(1, _VALUES_A_BATCH // C)
    for k in range(0, K, step):
        n = min(step, K - k)
        if header.by_column and is_file:
            starts = (begin + (c * K + k) * size for c in range(C))
            content = b"".join(os.pread(stream.fileno(), n * size, start) for start in starts)
        else:
            content = _take(stream, header, k * C * size, n * C * size, name)
        if len(content) < n * C * size:
            raise _wrong_size(name, header, "fewer")
        values = np.frombuffer(content, header.dtype)
        yield values.reshape((n, C), order="F" if header.by_column else "C")


def _take(stream: BufferedReader, header: Header, done: int, size: int, name: str) -> bytes:
    """Read some bytes of the numbers: the memory is taken as they come, not as they are told."""
    content = bytearray()
    while len(content) < size:
        part = stream.read(min(size - len(content), _BYTES_AT_ONCE))
        if not part:
            raise _wrong_size(name, header, str(done + len(content)))
        content += part
    if done + size == header.size and stream.read(1):  # a second array, which would be lost
        raise _wrong_size(name, header, "more")
    return bytes(content)


def _wrong_size(name: str, header: Header, found: str) -> InputError:
    numbers = f"{' x '.join(map(str, header.shape)) or 1} numbers of {header.dtype}"
    return InputError(name, f"expected {header.size} bytes for {numbers}, found {found}")
