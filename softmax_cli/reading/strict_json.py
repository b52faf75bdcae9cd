"""JSON without the liberties of Python's reader; its values as names and numbers."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np

from softmax_cli.errors import InputError, plural, quoted, visible
from softmax_cli.reading.text import decode
from softmax_cli.reading.validity import Where
from softmax_cli.samples import FloatArray
from softmax_cli.words import is_missing, mending

_HINT = 'JSON has no NaN and no infinity; where one may stand, it is in quotes, as in "-inf"'
_NOT_FINITE = re.compile("[-+]?(inf|infinity|nan)", re.IGNORECASE)
_NUMBERS = frozenset({float, int})
_NAMES = _NUMBERS | {str}
_LONGEST_INT = 300


def _refuse(constant: str) -> NoReturn:
    raise InputError("", f"expected JSON, found {constant}", _HINT)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        repeated = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise InputError("", f"expected each key once, found {quoted(repeated)} twice")
    return members


def _integer(digits: str) -> int | float:
    # int() refuses very long ones, which are beyond float64 anyway.
    return int(digits) if len(digits) <= _LONGEST_INT else float(digits)


_DECODER = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer, object_pairs_hook=_unique)


def load(text: str, name: str, line: int | None = None) -> Any:
    """Load one JSON text, which may be a line of many."""
    place = name if line is None else f"{name}:{line}"
    try:
        value = _DECODER.decode(text)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"{name}:{(line or 1) + error.lineno - 1}:{error.colno}"
        found = quoted(text[error.pos :][:20]) if error.pos < len(text) else "the end"
        why = error.msg.replace(" starting", "").removesuffix(" at").lower()
        raise InputError(place, f"expected JSON, found {found}: {why}") from None
    except InputError as error:
        raise InputError(place, error.problem, error.hint) from None
    except (RecursionError, UnicodeEncodeError) as error:
        raise InputError(place, f"expected JSON of numbers and text: {error}") from None
    return value


def load_all(content: bytes, name: str) -> Any:
    """Load one JSON text, or a list of what JSON lines hold."""
    if not content.strip():
        raise InputError(name, "expected logits, found nothing")
    if looks_like_lines(content):
        return load_lines(content, name)[0]
    return load(decode(content, name), name)


def load_lines(content: bytes, name: str, line: int = 1) -> tuple[list[Any], list[int]]:
    """Load JSON lines; return their values, and their numbers in the file."""
    texts = enumerate(decode(content, name, line).split("\n"), start=line)
    found = {number: text for number, text in texts if text.strip(" \t\r")}
    return [load(text, name, number) for number, text in found.items()], list(found)


def looks_like_lines(content: bytes) -> bool:
    """Tell whether the first line is a value on its own before the rest, or a sample so named."""
    first, _, rest = content.strip().partition(b"\n")
    if not rest and b'"sample"' not in first:
        return False
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return bool(rest) or (isinstance(value, dict) and "sample" in value)


def numbers(
    values: Sequence[Any], place: Where, missing: bool = False, members: Sequence[str] = ()
) -> FloatArray:
    """Turn JSON numbers into float64; NaN and infinities are numbers in quotes.

    Missing values become nan where they may be; `members` are the keys of a sample's values.
    """
    if _NUMBERS.issuperset(map(type, values)):
        array = np.array(values, dtype=np.float64)
        if not np.isinf(array).any():
            return array

    def number(i: int) -> float:
        value = values[i]
        if missing and is_missing(value):
            return math.nan
        if isinstance(value, str) and _NOT_FINITE.fullmatch(value):
            return float(value)
        if type(value) not in _NUMBERS:
            is_text = value is None or isinstance(value, str)
            hint = mending("" if value is None else value) if is_text else ""
            if isinstance(value, list) and members and not isinstance((*value, 0)[0], dict):
                hint = f"if it holds the logits, give --key {members[i % len(members)]}"
            several = len(values) > 1 and all(isinstance(each, list) for each in values)
            if isinstance(value, dict) or (several and members):
                hint = "if pandas wrote it, let it: to_json(FILE, orient='records')"
            raise InputError(place(i), f"expected a number, found {shown(value)}", hint)
        if math.isinf(value):
            raise InputError(place(i), "expected a number within the range of float64")
        return float(value)

    return np.array([number(i) for i in range(len(values))])


def member(value: Any, path: str) -> Any:
    """Follow a dotted path such as ``a.b.0``, or a key that has dots; None if it is missing."""
    if isinstance(value, dict) and path in value:
        return value[path]
    for step in path.split("."):
        if isinstance(value, list) and step.isdecimal():
            value = dict(enumerate(value)).get(int(step[:9]))
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def names(
    document: Mapping[str, Any], key: str, place: str, count: int | None = None
) -> tuple[str, ...] | None:
    """Read an array of so many names, or None where there is none."""
    found = document.get(key)
    if found is None:
        return None
    if not isinstance(found, list):
        raise InputError(place, f'expected an array of names as "{key}", found {shown(found)}')
    if count is not None and len(found) != count:
        expected = plural(count, "name")
        raise InputError(place, f'expected {expected} in "{key}", found {len(found)}')
    return tuple(name(each, f'{place}: "{key}"') for each in found)


def name(value: Any, place: str) -> str:
    """Read a name: text or a number."""
    if type(value) not in _NAMES:
        raise InputError(place, f"expected a name, found {shown(value)}")
    return str(value)


def shown(value: Any) -> str:
    """Describe a JSON value in a few words."""
    if value and isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    return visible(json.dumps(value, ensure_ascii=False, default=str))[:60]
