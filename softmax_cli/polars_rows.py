"""Rows of numbers from text and to text, by polars."""

import io
import signal

import polars as pl

from softmax_cli.batch import FloatArray

# Polars handles SIGINT itself and then hands it on, but has system calls restarted behind it:
# a thread that waits for a pipe or a lock would never hear of it.
if hasattr(signal, "siginterrupt"):
    signal.siginterrupt(signal.SIGINT, True)

# Beyond it the columns of a frame cost more than their numbers.
_MANY_COLUMNS = 300


def read_rows(content: bytes, width: int) -> FloatArray | None:
    """Read lines of comma separated numbers, or return None where they are not that."""
    count = content.count(b"\n")
    schema = {str(c): pl.Float64 for c in range(width)}
    try:
        frame = pl.read_csv(content, has_header=False, schema=schema, quote_char=None)
    except pl.exceptions.PolarsError:
        return None
    values = frame.to_numpy(order="c" if width > _MANY_COLUMNS else "fortran")
    # A missing cell is a null, and so NaN.
    return None if values.shape != (count, width) or (values != values).any() else values


def print_rows(values: FloatArray, delimiter: str) -> str:
    """Print rows with the shortest digits that read back to the same float64."""
    text = io.BytesIO()
    pl.DataFrame(values, orient="row").write_csv(text, include_header=False, separator=delimiter)
    return text.getvalue().decode()
