"""JSON without the liberties of Python's reader; its values as names and numbers."""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from softmax_cli.errors import InputError, quoted, visible
from softmax_cli.reading.text import decode
from softmax_cli.samples import FloatArray
from softmax_cli.words import NotANumberError, read_number

MASK_HINT = 'JSON has no infinity; write "-inf", in quotes, for a masked class'
_NUMBERS = frozenset({float, int})
_LONGEST_INT = 300
# What stands at the place of an error, as far as a message shows it.
_FOUND = re.compile(r'[^\s,:\[\]{}"]{1,99}|"[^"]{0,99}|.', re.DOTALL)


class _ForbiddenError(ValueError):
    """What Python's reader takes, and RFC 8259 forbids or leaves open."""


def _refuse(constant: str) -> NoReturn:
    raise _ForbiddenError(f"expected JSON, found {constant}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        repeated = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise _ForbiddenError(f"expected each key once, found {quoted(repeated)} twice")
    return members


def _integer(digits: str) -> int | float:
    # int() refuses very long ones, which are beyond float64 anyway; it has no -0.
    return int(digits) if len(digits) <= _LONGEST_INT and digits != "-0" else float(digits)


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer, object_pairs_hook=_unique)


def load(text: str, name: str, hint: str = MASK_HINT, line: int | None = None) -> Any:
    """Load one JSON text.

    Parameters
    ----------
    text
        The text.
    name
        What messages call the source.
    hint
        What to say of a bare NaN or Infinity.
    line
        The line where the text stands, if it is one line of many.

    Raises
    ------
    InputError
        With line and column for what is not JSON.
    """
    place = name if line is None else f"{name}:{line}"
    try:
        value = _DECODER.decode(text)
        if "\\ud" in text or "\\uD" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        at = f"{name}:{(line or 1) + error.lineno - 1}:{error.colno}"
        raise InputError(at, *_syntax_error(text, error)) from None
    except _ForbiddenError as error:
        problem = str(error)
        hint = hint if problem.startswith("expected JSON") else ""
        raise InputError(place, problem, hint) from None
    except RecursionError:
        problem = "expected arrays of numbers, found too deep a nesting"
        raise InputError(place, problem) from None
    except UnicodeEncodeError as error:
        surrogate = visible(error.object[error.start])
        problem = f"expected text, found the lone surrogate {surrogate}"
        raise InputError(place, problem) from None
    return value


def load_all(content: bytes, name: str, hint: str = MASK_HINT) -> Any:
    """Load one JSON text, or a list of what JSON lines hold."""
    text = decode(content, name)
    if not text.strip():
        raise InputError(name, "expected logits, found nothing")
    try:
        return load(text, name, hint)
    except InputError:
        if not looks_like_lines(content):
            raise
    return load_lines(content, name, hint)[0]


def load_lines(
    content: bytes, name: str, hint: str = MASK_HINT, line: int = 1
) -> tuple[list[Any], list[int]]:
    """Load JSON lines; return their values, and their numbers in the file."""
    texts = enumerate(decode(content, name, line).split("\n"), start=line)
    found = [(number, text) for number, text in texts if text.strip(" \t\r")]
    values = [load(text, name, hint, number) for number, text in found]
    return values, [number for number, _ in found]


def looks_like_lines(content: bytes) -> bool:
    """Tell whether the first line is a value on its own before the rest, or a sample so named."""
    first, end, rest = content.lstrip().partition(b"\n")
    try:
        value = json.loads(first) if end or b'"sample"' in first else None
    except (ValueError, RecursionError):
        return False
    if rest.strip():
        return value is not None
    return isinstance(value, dict) and "sample" in value


def _syntax_error(text: str, error: json.JSONDecodeError) -> tuple[str, str]:
    """Say what Python's reader misses, without the place, which it puts last."""
    found = _FOUND.match(text, error.pos)
    why = error.msg.removesuffix(" at").removesuffix(" starting")
    problem = f"expected JSON, found {quoted(found[0]) if found else 'the end'}: {why.lower()}"
    # Other readers take a carriage return for a line end, and so does whoever wrote it.
    alone = re.search(r"\r(?!\n)", text.strip())
    return problem, "end lines with LF or CRLF, not with CR alone" if alone else ""


def numbers(values: Sequence[Any], place: Callable[[int], str], hint: str) -> FloatArray:
    """Turn JSON numbers into float64; NaN and infinities are numbers in quotes."""
    if not _NUMBERS.issuperset(map(type, values)):
        values = [_number(value, place(i), hint) for i, value in enumerate(values)]
        return np.array(values, dtype=np.float64)
    array = np.array(values, dtype=np.float64)
    for i in np.flatnonzero(np.isinf(array)).tolist():
        _number(values[i], place(i), hint)
    return array


def _number(value: Any, place: str, hint: str) -> float:
    try:
        number = read_number(value) if isinstance(value, str) else 0.0
    except NotANumberError:
        number = 0.0
    if not math.isfinite(number):
        return number
    if type(value) in _NUMBERS:
        if math.isinf(value):
            problem = "expected a number within the range of float64, found one beyond it"
            raise InputError(place, problem)
        return float(value)
    raise InputError(place, f"expected a number, found {shown(value)}", "" if value else hint)


def names(document: Mapping[str, Any], key: str, place: str) -> tuple[str, ...] | None:
    """Read an array of names, or None where there is none."""
    found = document.get(key)
    if found is None:
        return None
    if not isinstance(found, list):
        raise InputError(place, f'expected an array of names as "{key}", found {shown(found)}')
    return tuple(name(each, f'{place}: "{key}"') for each in found)


def name(value: Any, place: str) -> str:
    """Read a name: text or a number."""
    if isinstance(value, str):
        return value
    if type(value) in _NUMBERS and math.isfinite(value):
        return str(value)
    raise InputError(place, f"expected a name, found {shown(value)}")


def shown(value: Any) -> str:
    """Describe a JSON value in a few words."""
    if isinstance(value, list):
        return "an array" if value else "an empty array"
    if isinstance(value, dict):
        return "an object" if value else "an empty object"
    return visible(json.dumps(value, ensure_ascii=False))[:60]


def shown_with_keys(value: Any) -> str:
    """Describe a JSON value where an object with a certain key is expected."""
    if not isinstance(value, dict) or not value:
        return shown(value)
    first = ", ".join(map(quoted, list(value)[:3]))
    return f"an object with {first}{f' and {len(value) - 3} more' if len(value) > 3 else ''}"
