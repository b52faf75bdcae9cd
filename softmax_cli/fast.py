"""Numbers as JSON: by orjson, the extra named fast, where it is installed."""

import json
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from softmax_cli.samples import FloatArray


@cache
def orjson() -> ModuleType | None:
    """Return orjson, or None where it is not installed."""
    try:
        import orjson
    except ImportError:
        return None
    return orjson


def loads(content: bytes) -> Any:
    """Load JSON; callers look themselves for what the two readers take differently."""
    module = orjson()
    return module.loads(content) if module else json.loads(content)


def print_rows(values: FloatArray, delimiter: str = ",") -> bytes:
    """Print rows, shape (n, C), with the shortest digits that read back to the same float64."""
    n, C = values.shape
    module = orjson()
    if module and np.isfinite(values).all():
        array: bytes = module.dumps(values.ravel(), option=module.OPT_SERIALIZE_NUMPY)
        text = np.frombuffer(bytearray(array), np.uint8)[1:]
        separators = np.flatnonzero(text == ord(","))
        text[separators] = ord(delimiter)
        text[separators[C - 1 :: C]] = text[-1] = ord("\n")
        return text.tobytes()
    pattern: str = (f"%r{delimiter}" * (C - 1) + "%r\n") * n
    return (pattern % tuple(values.ravel().tolist())).encode()
