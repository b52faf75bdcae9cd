"""JSON: arrays, an object with "logits", or records, by the json module."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from io import BufferedReader
from itertools import chain
from typing import Any, NoReturn

import numpy as np

from softmax_cli.errors import InputError, plural, quoted, visible, warn
from softmax_cli.options import InputOptions, Place
from softmax_cli.reading.columns import Columns, choose_columns
from softmax_cli.reading.text import BYTE_ORDER_MARK, decode, take_all
from softmax_cli.reading.validity import check_length, check_logits
from softmax_cli.samples import Batch, FloatArray, Logits
from softmax_cli.words import NotANumberError, is_broken_number, is_number, read_number

MASK_HINT = 'JSON has no infinity; write "-inf", in quotes, for a masked class'
_BEYOND = "expected a number within the range of float64"
_LONGEST_INT = 300
_NUMBERS = frozenset({float, int})
_DEEP = 100
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_TOKENS = rf"(?P<key>{_STRING})\s*:|{_STRING}|NaN|-?Infinity|[\[\]{{}}]"
_NUMBER = rf"(?P<number>-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)|{_STRING}"
# What stands at the place of an error, as far as a message shows it.
_FOUND = re.compile(r'[^\s,:\[\]{}"]{1,99}|"[^"]{0,99}|.', re.DOTALL)
# Every escape, so that a backslash that is escaped itself begins none.
_SURROGATES = r"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<lone>u[dD][89a-fA-F]..)|.)"


def read_json(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
    """Read one JSON text, whole.

    Parameters
    ----------
    stream
        UTF-8 bytes, with or without a byte order mark.
    name
        What messages call the stream.
    options
        What the user said; columns can be chosen in records only.

    Raises
    ------
    InputError
        With line and column for what is not JSON, with sample and value for what is not
        logits.
    """
    document = load_json(take_all(stream), name, mask_hint(options))
    if isinstance(document, dict) and "logits" in document:
        refuse_columns(options, name)
        return _from_object(document, name, options)
    if isinstance(document, dict):
        document = [document]
    if not isinstance(document, list):
        raise InputError(name, f"expected an array or an object, found {shown(document)}")
    if not document:
        raise InputError(name, "expected logits, found an empty array")
    if isinstance(document[0], dict):
        return _from_records(document, name, options)
    refuse_columns(options, name)
    return _from_rows(document, name, None, None, options)


def mask_hint(options: InputOptions) -> str:
    """Say how to write infinity, where logits are read: in nothing else it masks a class."""
    return MASK_HINT if options.check is None else ""


def load_json(content: bytes, name: str, constant_hint: str = MASK_HINT) -> Any:
    """Load one JSON text from bytes; ``constant_hint`` is for a bare NaN or Infinity.

    Raises
    ------
    InputError
        For what is not UTF-8 or not JSON.
    """
    text = decode(content.removeprefix(BYTE_ORDER_MARK), name)
    if not text.strip():
        raise InputError(name, "expected logits, found nothing")
    return strict_json(text, name, constant_hint=constant_hint)


class _ConstantError(ValueError):
    """JSON has no NaN and no Infinity."""


class _BeyondError(ValueError):
    """A number is beyond float64."""


class _RepeatedKeyError(ValueError):
    """Which of the two values counts is anyone's guess."""


def _refuse(constant: str) -> NoReturn:
    raise _ConstantError(constant)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _RepeatedKeyError
    return members


def _integer(digits: str) -> int | float:
    # int() refuses very long ones, which are beyond float64 anyway; it has no -0.
    if len(digits) <= _LONGEST_INT and digits != "-0":
        return int(digits)
    value = float(digits)
    if math.isinf(value):
        raise _BeyondError(digits)
    return value


# Raises ValueError for what is not JSON, and for what JSON forbids.
DECODER = json.JSONDecoder(parse_constant=_refuse, parse_int=_integer, object_pairs_hook=_unique)


def strict_json(
    text: str, name: str, line: int | None = None, constant_hint: str = MASK_HINT
) -> Any:
    """Read a JSON text without the liberties that Python's reader takes.

    Parameters
    ----------
    text
        The text.
    name
        What messages call the source.
    line
        The line where the text stands, if it is one line of many.
    constant_hint
        What to say of a bare NaN or Infinity.

    Raises
    ------
    InputError
        With line and column for what is not JSON.
    """

    def at(position: int) -> str:
        row = text.count("\n", 0, position) + (line or 1)
        return f"{name}:{row}:{position - text.rfind(chr(10), 0, position)}"

    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as error:
        # Other readers take a carriage return for a line end, and so does whoever wrote it.
        alone = re.search(r"\r(?!\n)", text.strip())
        hint = "end lines with LF or CRLF, not with CR alone" if alone else ""
        problem = f"expected JSON, found {_found_at(text, error.pos)}: {_why(error)}"
        raise InputError(at(error.pos), problem, hint) from None
    except _ConstantError as error:
        place = at(_constant_at(text, str(error)))
        raise InputError(place, f"expected JSON, found {error}", constant_hint) from None
    except _BeyondError as error:
        digits = str(error)
        problem = f"{_BEYOND}, found {quoted(digits)}"
        raise InputError(at(_number_at(text, digits)), problem) from None
    except _RepeatedKeyError:
        key, position = _repeated_key(text)
        problem = f"expected each key once, found {quoted(key)} twice"
        raise InputError(at(position), problem) from None
    except RecursionError:
        problem = "expected arrays of numbers, found too deep a nesting"
        raise InputError(at(_deep_at(text)), problem) from None
    if has_surrogates(text):
        for escape in re.finditer(_SURROGATES, text):
            if escape["lone"]:
                problem = f"expected text, found the lone surrogate \\{escape['lone']}"
                raise InputError(at(escape.start()), problem)
    return value


def has_surrogates(text: str) -> bool:
    """Tell whether a JSON text may write halves of characters, with or without their others."""
    return "\\ud" in text or "\\uD" in text


def _found_at(text: str, position: int) -> str:
    found = _FOUND.match(text, position)
    return quoted(found[0]) if found else "the end"


def _why(error: json.JSONDecodeError) -> str:
    """Say what Python's reader misses, without the place, which it puts last."""
    why = error.msg.removesuffix(" at").removesuffix(" starting")
    return why[0].lower() + why[1:]


def _number_at(text: str, digits: str) -> int:
    """Find a number, outside of strings."""
    return next(t.start() for t in re.finditer(_NUMBER, text) if t["number"] == digits)


def _constant_at(text: str, constant: str) -> int:
    """Find the first bare constant, outside of strings."""
    return next(token.start() for token in re.finditer(_TOKENS, text) if token[0] == constant)


def _repeated_key(text: str) -> tuple[str, int]:
    """Find the first key that its object has already, and its place."""
    opened: list[set[str]] = []
    for token in re.finditer(_TOKENS, text):
        if token[0] == "{":
            opened.append(set())
        elif token[0] == "}":
            opened.pop()
        elif token["key"]:
            key: str = json.loads(token["key"])
            if key in opened[-1]:
                return key, token.start()
            opened[-1].add(key)
    raise AssertionError("no key stands twice in an object")


def _deep_at(text: str) -> int:
    """Find where arrays and objects are nested more deeply than anyone nests them."""
    depth = 0
    for token in re.finditer(_TOKENS, text):
        depth += (token[0] in "[{") - (token[0] in "]}")
        if depth > _DEEP:
            return token.start()
    return 0


def refuse_columns(options: InputOptions, name: str) -> None:
    """Refuse to choose among columns that have no names."""
    for option, value in (("--columns", options.columns), ("--id", options.id_column)):
        if value is not None:
            raise InputError(option, f"expected named columns, found none in {name}")


def _from_object(document: Mapping[str, Any], name: str, options: InputOptions) -> Logits:
    rows = document["logits"]
    if not isinstance(rows, list) or not rows:
        raise InputError(name, f'expected an array as "logits", found {shown(rows)}')
    warn_of_others(document, ("logits", "classes", "samples"), name)
    return _from_rows(
        rows,
        name,
        read_names(document, "classes", name),
        read_names(document, "samples", name),
        options,
    )


def warn_of_others(document: Mapping[str, Any], known: Sequence[str], place: str) -> None:
    """Say which key beside the logits is not read: its name may be mistyped."""
    others = [key for key in document if key not in known]
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        read = " and ".join(f'"{key}"' for key in known[1:])
        warn(place, f'{quoted(others[0])}{more} is not read: beside "logits" only {read} are')


def _from_rows(
    rows: list[Any],
    name: str,
    classes: tuple[str, ...] | None,
    samples: tuple[str, ...] | None,
    options: InputOptions,
) -> Logits:
    if not isinstance(rows[0], list):
        rows = [rows]

    def place(k: int, c: int | None) -> str:
        return f"{name}: sample {k + 1}" if c is None else f"{name}: sample {k + 1}, value {c + 1}"

    for k, row in enumerate(rows):
        if not isinstance(row, list):
            raise InputError(place(k, None), f"expected an array, found {shown(row)}")
        if not row:
            raise InputError(place(k, None), "expected at least one logit, found an empty array")
    for key, names, count in (("classes", classes, len(rows[0])), ("samples", samples, len(rows))):
        if names is not None and len(names) != count:
            raise InputError(
                name, f'expected {plural(count, "name")} in "{key}", found {len(names)}'
            )
    return _logits(rows, place, classes, samples, "sample", options)


def _from_records(records: list[Any], name: str, options: InputOptions) -> Logits:
    header = list(records[0]) if records[0] else []
    if not header:
        raise InputError(f"{name}: sample 1", "expected at least one logit, found an empty object")
    for k, record in enumerate(records):
        check_record(record, records[0], f"{name}: sample {k + 1}", "sample 1")
    columns = choose_keys(header, records, options, name)
    keys = [header[c] for c in columns.logits]
    refuse_arrays(records[0], keys, f"{name}: sample 1", "[[1, 2], [3, 4]]")
    rows = [[record[key] for key in keys] for record in records]

    def place(k: int, c: int | None) -> str:
        where = f"{name}: sample {k + 1}"
        return where if c is None else f"{where}, {quoted(keys[c])}"

    if columns.sample is None:
        return _logits(rows, place, tuple(keys), None, "sample", options)
    key = header[columns.sample]
    names = tuple(read_name(record[key], place(k, None)) for k, record in enumerate(records))
    return _logits(rows, place, tuple(keys), names, key, options)


def _logits(
    rows: Sequence[list[Any]],
    place: Place,
    classes: tuple[str, ...] | None,
    samples: tuple[str, ...] | None,
    sample_header: str,
    options: InputOptions,
) -> Logits:
    values = read_values(rows, place, len(rows[0]), "sample 1", options)
    return Logits(
        values.shape[1], iter([Batch(values, 0, samples)]), classes, samples is not None,
        sample_header, n_samples=len(values),
    )  # fmt: skip


def check_record(record: Any, first: Mapping[str, Any], place: str, first_place: str) -> None:
    """Refuse what is no object with the keys of the first record."""
    if not isinstance(record, dict):
        raise InputError(place, f"expected an object, found {shown(record)}")
    if record.keys() != first.keys():
        odd = min(record.keys() ^ first.keys())
        found = f"found an object that {'misses' if odd in first else 'has besides'} {quoted(odd)}"
        raise InputError(place, f"expected the keys of {first_place}, {found}")


def refuse_arrays(record: Mapping[str, Any], keys: Sequence[str], place: str, example: str) -> None:
    """Refuse arrays under the keys of a record: it may be an object with "logits" mistyped."""
    for key in keys:
        if isinstance(record[key], list):
            problem = f"expected a number, found {shown(record[key])}"
            hint = f'logits in arrays go under the key "logits", as in {{"logits": {example}}}'
            raise InputError(f"{place}, {quoted(key)}", problem, hint)


def choose_keys(
    keys: Sequence[str], records: Sequence[Mapping[str, Any]], options: InputOptions, place: str
) -> Columns:
    """Choose which keys of records are logits and which one names them, as for columns."""

    def is_text(key: str) -> bool:
        values = [record[key] for record in records]
        return all(
            isinstance(value, str) and not is_number(value) and not is_broken_number(value)
            for value in values
        )

    text = [c for c, key in enumerate(keys) if is_text(key)]
    return choose_columns(keys, len(keys), text, options, place)


def read_values(
    rows: Sequence[list[Any]], place: Place, length: int, first_place: str, options: InputOptions
) -> FloatArray:
    """Turn arrays of JSON numbers, all as long as the first one, into float64.

    Raises
    ------
    InputError
        For the first row at fault.
    """
    looked_at, hint = [], mask_hint(options)
    if set(map(len, rows)) - {length} or not _NUMBERS.issuperset(map(type, chain(*rows))):
        for k, row in enumerate(rows):
            check_length(len(row), length, place(k, None), first_place)
            if not _NUMBERS.issuperset(map(type, row)):
                rows[k][:] = [_number(value, place(k, c), hint) for c, value in enumerate(row)]
                looked_at.append(k)
    values = np.array(rows, dtype=np.float64)
    # A number beyond float64 is infinite; one that is meant is a string.
    beyond = np.isinf(values)
    beyond[looked_at] = False
    if beyond.any():
        k, c = (int(i) for i in np.argwhere(beyond)[0])
        raise InputError(place(k, c), f"{_BEYOND}, found one beyond it")
    (options.check or check_logits)(values, place)
    return values


def _number(value: Any, place: str, mask_hint: str) -> float:
    if isinstance(value, str):
        # Only what JSON cannot say with a number of its own.
        try:
            number = read_number(value)
        except NotANumberError:
            number = 0.0
        if number == -np.inf:
            return number
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return within_float64(value, place)
    infinite = value is None or (isinstance(value, str) and "inf" in value.lower())
    raise InputError(
        place, f"expected a number, found {shown(value)}", mask_hint if infinite else ""
    )


def within_float64(value: float, place: str) -> float:
    """Refuse a JSON number that became infinite by being read."""
    if math.isinf(value):
        raise InputError(place, f"{_BEYOND}, found one beyond it")
    return float(value)


def read_names(document: Mapping[str, Any], key: str, name: str) -> tuple[str, ...] | None:
    """Read an array of names, or None where there is none."""
    names = document.get(key)
    if names is None:
        return None
    if not isinstance(names, list):
        raise InputError(name, f'expected an array of names as "{key}", found {shown(names)}')
    return tuple(read_name(each, f'{name}: "{key}"') for each in names)


def read_name(value: Any, place: str) -> str:
    """Read a name: text or a number."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
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
