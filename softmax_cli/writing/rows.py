"""Numbers become text: the one place where the formats for programs print them."""

import numpy as np

from softmax_cli.fast import orjson
from softmax_cli.samples import FloatArray


def print_rows(values: FloatArray, delimiter: str = ",") -> bytes:
    """Print rows, shape (n, C), with the shortest digits that read back to the same float64."""
    fast = orjson()
    if fast is not None and np.isfinite(values).all():
        text: bytes = fast.dumps(np.ascontiguousarray(values), option=fast.OPT_SERIALIZE_NUMPY)
        text = text[2:-2].replace(b"],[", b"\n") + b"\n"
        return text if delimiter == "," else text.replace(b",", delimiter.encode())
    n, C = values.shape
    pattern: str = (f"%r{delimiter}" * (C - 1) + "%r\n") * n
    return (pattern % tuple(values.ravel().tolist())).encode()
