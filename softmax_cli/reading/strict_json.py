"""JSON without the liberties of Python's reader; what it holds under a dotted path."""

import json
import math
import shlex
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NoReturn

from softmax_cli.errors import InputError, plural, quoted
from softmax_cli.reading.text import decode
from softmax_cli.reading.validity import shown
from softmax_cli.words import is_number

_HINT = 'JSON has no NaN and no infinity; where one may stand, it is in quotes, as in "-inf"'


def _refuse(constant: str) -> NoReturn:
    raise InputError("", f"expected JSON, found {constant}", _HINT)


def unique(pairs: list[tuple[str, Any]], place: str = "") -> dict[str, Any]:
    """Make an object, of which each key stands once."""
    members = dict(pairs)
    if len(members) < len(pairs):
        repeated = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise InputError(place, f"expected each key once, found {quoted(repeated)} twice")
    return members


_LAWS: Any = {"parse_constant": _refuse, "object_pairs_hook": unique}
# int() refuses very long ones, which are beyond float64 anyway.
_LAWS["parse_int"] = lambda digits: (int if len(digits) <= 300 else float)(digits)
_DECODERS = json.JSONDecoder(**_LAWS), json.JSONDecoder(**_LAWS, parse_float=str)
Lines = tuple[list[Any], list[int]]  # values, and the numbers of their lines in the file


def load(text: str, name: str, line: int | None = None, *, as_text: bool = False) -> Any:
    """Load one JSON text, which may be a line of many; numbers may stay as they are printed."""
    place = name if line is None else f"{name}:{line}"
    try:
        value = _DECODERS[as_text].decode(text)
        if "\\u" in text:
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


def load_lines(content: bytes, name: str, line: int = 1, *, as_text: bool = False) -> Lines:
    """Load JSON lines, as `load` does one."""
    texts = enumerate(decode(content, name, line).split("\n"), start=line)
    found = {number: text for number, text in texts if text.strip(" \t\r")}
    return [load(x, name, n, as_text=as_text) for n, x in found.items()], list(found)


def looks_like_lines(content: bytes) -> bool:
    """Tell whether the first line is a value on its own before the rest."""
    first, _, rest = content.strip().partition(b"\n")
    try:
        json.loads(first if rest else "")
    except (ValueError, RecursionError):
        return False
    return True


def member(value: Any, path: str) -> Any:
    """Follow a dotted path such as ``a.0.*.b``, where * is each; None if it is missing."""
    is_list = isinstance(value, list)
    if is_list:
        value = {str(k): each for k, each in enumerate(value)}
    if not isinstance(value, dict):
        return None
    if path in value:
        return _shaped(value[path], value.get("shape"))
    step, _, rest = path.partition(".")
    found = [member(each, rest) if rest else each for each in value.values() if step == "*"]
    # The order of an object's numbers says nothing.
    if found and (is_list or {*map(type, found)} & {list, dict}):
        return found
    return member(value.get(step), rest) if rest else None


def _shaped(values: Any, shape: Any) -> Any:
    """Give a flat array the shape that stands beside it, as an inference server sends it."""
    is_shape = isinstance(shape, list) and {*map(type, shape)} == {int}
    if is_shape and isinstance(values, list) and math.prod(shape) == len(values) > shape[-1] > 0:
        return [values[k : k + shape[-1]] for k in range(0, len(values), shape[-1])]
    return values


def key_hint(value: Any, known: Collection[str] = (), kind: Any = list | dict) -> str:
    """Name the numbers that are most likely the logits, or "" if there are none but the known."""
    weights: Counter[str] = Counter()
    for steps, weight in _leaves(value, ()):
        path = ".".join(steps).replace("*", "0", max(0, steps.count("*") - 2))
        if "*" in steps:
            weights[path.rstrip(".*") or "*"] += weight
        if steps.count("*") == 1 and steps[-2:-1] == ("*",):  # records, with a class under each key
            weights[".".join(steps[:-2])] += weight
    path = max(weights, key=weights.__getitem__, default="")
    is_other = path not in known and isinstance(member(value, path), kind)  # 0 names no key
    beside = "; what stands beside them is not read" * ("." in path)
    return f"if it holds the logits, give --key {shlex.quote(path)}{beside}" if is_other else ""


def _leaves(value: Any, steps: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int]]:
    """Walk the numbers, with their paths; those that are not whole are more likely logits."""
    if len(steps) > 20:
        return
    if isinstance(value, list | dict):
        items = list(enumerate(value) if isinstance(value, list) else value.items())
        inner = list | dict if isinstance(value, list) else dict
        kinds = {"inner" if isinstance(each, inner) else _is_number(each) for _, each in items}
        are_alike = len(items) > 1 and kinds in ({"inner"}, {True})
        for key, each in items:
            yield from _leaves(each, (*steps, "*" if are_alike else str(key)))
    elif _is_number(value):
        yield steps, (1000 if "." in str(value) else 1) + (not isinstance(value, str))


def _is_number(value: Any) -> bool:
    return type(value) in (str, int, float) and is_number(str(value))


def names(
    document: Mapping[str, Any], key: str, place: str, count: int | None = None
) -> tuple[str, ...] | None:
    """Read an array of so many names, or None where there is none."""
    if (found := document.get(key)) is None:
        return None
    if not isinstance(found, list):
        raise InputError(place, f'expected an array of names as "{key}", found {shown(found)}')
    if count is not None and len(found) != count:
        raise InputError(place, f'expected {plural(count, "name")} in "{key}", found {len(found)}')
    return tuple(name(each, f'{place}: "{key}"') for each in found)


def name(value: Any, place: str) -> str:
    """Read a name: text or a number."""
    if type(value) not in (str, int, float) or value in (math.inf, -math.inf):
        raise InputError(place, f"expected a name, found {shown(value)}")
    return str(value)
