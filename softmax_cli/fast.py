"""Numbers as JSON: by orjson, the extra named fast, where it is installed."""

from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

if TYPE_CHECKING:
    from softmax_cli.samples import FloatArray


class Fast(Protocol):
    """What is used of orjson."""

    OPT_SERIALIZE_NUMPY: int

    def loads(self, content: bytes, /) -> Any:
        """Load JSON; a ValueError tells what is none."""

    def dumps(self, values: "FloatArray", /, default: None = None, option: int = 0) -> bytes:
        """Dump an array as JSON."""


@cache
def orjson() -> Fast | None:
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
