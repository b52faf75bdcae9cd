"""Rows of numbers from text and to text, by polars."""

import signal

import numpy as np
import polars as pl

from softmax_cli.samples import FloatArray

# Polars handles SIGINT itself and then hands it on, but has system calls restarted behind it:
# a thread that waits for a pipe or a lock would never hear of it.
if hasattr(signal, "siginterrupt"):
    signal.siginterrupt(signal.SIGINT, True)

# Beyond it the columns of a frame cost more than their numbers.
_MANY_COLUMNS = 300


def read_rows(content: bytes, width: int) -> FloatArray | None:
    """Read lines of comma separated numbers, or return None where they are not that.

    NaN stands for a cell that is missing.
    """
    count = content.count(b"\n")
    schema = {str(c): pl.Float64 for c in range(width)}
    try:
        frame = pl.read_csv(content, has_header=False, schema=schema, quote_char=None)
    except pl.exceptions.PolarsError:
        return None
    values = frame.to_numpy(order="c" if width > _MANY_COLUMNS else "fortran")
    return values if values.shape == (count, width) else None


def print_rows(values: FloatArray, delimiter: str) -> str:
    """Print rows with the shortest digits that read back to the same float64."""
    numbers = pl.Series(np.ascontiguousarray(values).ravel()).cast(pl.String)
    if values.shape[1] > 1:
        numbers = numbers.reshape(values.shape).arr.join(delimiter)
    lines: str = numbers.str.join("\n").item()
    return lines + "\n"
