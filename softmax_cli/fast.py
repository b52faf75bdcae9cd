"""Numbers as JSON: by orjson, the extra named fast, where it is installed."""

import json
import re

import numpy as np

from softmax_cli.samples import FloatArray

try:
    import orjson as orjson
except ImportError:
    orjson = None  # type: ignore[assignment]


def load_rows(content: bytes, width: int, delimiter: bytes = b",") -> FloatArray | None:
    """Load rows of nothing but plain numbers, which are JSON but for their brackets, or None.

    What JSON takes proves nothing by itself: ``1],[2`` is no cell. So the characters come first.
    """
    # As many delimiters in every row, and nothing else that is no part of a number.
    layout = content.translate(None, b"0123456789+-.eE \r".replace(delimiter, b"")) + b"\n"
    if layout != (delimiter * (width - 1) + b"\n") * (len(layout) // width):
        return None
    array = b"[" + content.replace(delimiter, b",").replace(b"\n", b",") + b"]"
    np.empty(16 * len(array), np.uint8)  # orjson ends the process where it finds no memory
    try:
        numbers = (orjson or json).loads(array)
        values = np.fromiter(numbers, np.float64, len(numbers))
    except (ValueError, OverflowError):  # cells that are missing, +1, 01, 1., 1e400
        return None
    # A cell may be missing where it is the only one; to a reader of integers -0 is 0.
    is_plain = values.size and np.isfinite(values).all()
    if not is_plain or (not values.all() and re.search(rb"-0[],\s]", array)):
        return None
    return values.reshape(-1, width)


def print_rows(values: FloatArray, delimiter: str = ",") -> bytes:
    """Print rows, shape (n, C), with the shortest digits that read back to the same float64."""
    n, C = values.shape
    if orjson and np.isfinite(values).all():
        array = orjson.dumps(values.ravel(), option=orjson.OPT_SERIALIZE_NUMPY)
        text = np.frombuffer(bytearray(array), np.uint8)[1:]
        separators = np.flatnonzero(text == ord(","))
        text[separators] = ord(delimiter)
        text[separators[C - 1 :: C]] = text[-1] = ord("\n")
        return text.tobytes()
    pattern: str = (f"%r{delimiter}" * (C - 1) + "%r\n") * n
    return (pattern % tuple(values.ravel().tolist())).encode()
