"""The extra `fast`, which is orjson; without it the standard library does the same."""

import json
from functools import cache
from types import ModuleType
from typing import Any, NoReturn


@cache
def orjson() -> ModuleType | None:
    """Return the module, or None; imported at the first call, since small inputs need none."""
    try:
        import orjson as module
    except ImportError:
        return None
    return module


def loads(content: bytes) -> Any:
    """Load JSON; a caller who looked for what the two readers take differently gets the same."""
    module = orjson()
    if module is not None:
        return module.loads(content)
    return json.loads(content, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
