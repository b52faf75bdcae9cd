"""Numbers as JSON: by orjson, the extra named fast, where it is installed."""

from functools import cache
from types import ModuleType
from typing import Any, NoReturn


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
    if module is not None:
        return module.loads(content)
    import json

    return json.loads(content, parse_constant=_refuse)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
