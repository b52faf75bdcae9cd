"""Delimited text that is plainly numbers, a block at a time, without a look at every cell.

A block is taken only where there is one way to read it: no quotes, no blank lines, as many cells
in every line as in the first, and logits of nothing but digits, signs, points, exponents and
``-inf``. Whatever else there is, the careful reader reads, and says what is wrong with it.
"""

import io
from dataclasses import dataclass
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from softmax_cli.reading.columns import Columns
from softmax_cli.samples import FloatArray

_DIGITS = b"0123456789+-.eE"
_PLAIN = _DIGITS + b"inf,\n"
_NEWLINE = ord("\n")


@dataclass(frozen=True)
class Layout:
    """What is the same in every line: the delimiter, how many cells, and which are logits."""

    delimiter: str
    width: int
    columns: Columns

    @property
    def is_plain(self) -> bool:
        """Whether the delimiter cannot be a part of a number, and the logits are in order."""
        logits = self.columns.logits
        return (
            self.delimiter.isascii()
            and self.delimiter.encode() not in _DIGITS + b"inf\r"
            and logits == tuple(sorted(logits))
        )


def parse_plain(
    content: bytes, layout: Layout, lane: ModuleType | None
) -> tuple[FloatArray, tuple[str, ...] | None] | None:
    """Read a block of whole lines, or return None.

    Parameters
    ----------
    content
        The lines.
    layout
        What all lines have in common.
    lane
        The fast lane, or None.

    Returns
    -------
    (ndarray of float64, shape (K, C); names or None) or None
        None where the careful reader has to look.
    """
    if b'"' in content or b"\0" in content or not layout.is_plain:
        return None
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n")
        if b"\r" in content:  # alone it ends a line too
            return None
    if not content.endswith(b"\n"):
        content += b"\n"
    if layout.delimiter == " " and not _is_evenly_spaced(content):
        return None
    names = None
    if len(layout.columns.logits) < layout.width:
        parted = _part(content, layout)
        if parted is None:
            return None
        content, names = parted
    if layout.delimiter != ",":
        if b"," in content:
            return None
        content = content.replace(layout.delimiter.encode(), b",")
    logits = _numbers(content, len(layout.columns.logits), lane)
    return None if logits is None else (logits, names)


def _is_evenly_spaced(content: bytes) -> bool:
    """Tell whether all spaces are single and between cells; the others separate nothing."""
    uneven = (b"  ", b" \n", b"\n ")
    return not content.startswith(b" ") and not any(pair in content for pair in uneven)


def _part(content: bytes, layout: Layout) -> tuple[bytes, tuple[str, ...] | None] | None:
    """Take the columns that are no logits out of the text, and keep the one of names."""
    text = np.frombuffer(content, np.uint8)
    at = np.flatnonzero((text == ord(layout.delimiter)) | (text == _NEWLINE))
    if not _is_table(text[at], layout.width):
        return None
    ends = at.reshape(-1, layout.width)
    starts = np.concatenate([[0], at[:-1] + 1]).reshape(ends.shape)
    try:
        content.decode()
    except UnicodeDecodeError:
        return None
    names = _names(content, starts, ends, layout.columns.sample)
    # +1 where a column of others begins, -1 behind it: the running sum is 0 on logits only.
    # The last column goes with the delimiter before it, any other with the one behind it.
    edges = np.zeros(len(text) + 1, np.int8)
    kept = set(layout.columns.logits)
    for c in range(layout.width):
        if c not in kept:
            last = c > max(kept)
            edges[starts[:, c] - last] += 1
            edges[ends[:, c] + (not last)] -= 1
    return text[np.cumsum(edges[:-1], dtype=np.int8) == 0].tobytes(), names


def _names(
    content: bytes, starts: NDArray[np.intp], ends: NDArray[np.intp], column: int | None
) -> tuple[str, ...] | None:
    if column is None:
        return None
    edges = zip(starts[:, column].tolist(), ends[:, column].tolist(), strict=True)
    return tuple(content[start:end].decode() for start, end in edges)


def _is_table(marks: NDArray[np.uint8], width: int) -> bool:
    """Tell whether delimiters and line ends, in their order, are those of rows of a width."""
    if len(marks) % width:
        return False
    is_end = marks.reshape(-1, width) == _NEWLINE
    return bool(is_end[:, -1].all()) and not is_end[:, :-1].any()


def _numbers(content: bytes, width: int, lane: ModuleType | None) -> FloatArray | None:
    if not content.isascii():
        return None
    if lane is None:
        plain = not content.isspace() and not content.translate(None, _PLAIN)
        return _by_numpy(content, width) if plain else None
    values: FloatArray | None = lane.read_rows(content, width)
    # Polars takes nothing in ASCII for a finite number that we would not.
    if values is None or np.isfinite(values).all():
        return values
    # A missing cell, or the only one of an empty line, is NaN.
    plain = not np.isnan(values).any() and not content.translate(None, _PLAIN)
    return _with_masks(values, content) if plain else None


def _with_masks(values: FloatArray, content: bytes) -> FloatArray | None:
    """Return the numbers if none is infinite but those written as ``-inf``.

    Numbers beyond the range of float64 are read as infinite too, and are an error.
    """
    infinite = values[np.isinf(values)]
    plain = len(infinite) == content.count(b"-inf") and not (infinite > 0).any()
    return values if plain else None


def _by_numpy(content: bytes, width: int) -> FloatArray | None:
    lines = io.StringIO(content.decode("ascii"))
    try:
        values = np.loadtxt(lines, delimiter=",", comments=None, ndmin=2)
    except ValueError:
        return None
    right = values.shape == (content.count(b"\n"), width)
    return _with_masks(values, content) if right else None
