"""JSON: arrays, an object with "logits", or records, by the json module."""

import json
import re
from collections.abc import Mapping, Sequence
from io import BufferedReader
from typing import Any, NoReturn

import numpy as np

from softmax_cli.batch import Batch, Logits
from softmax_cli.errors import InputError, plural, quoted, visible
from softmax_cli.options import InputOptions, Place
from softmax_cli.reading.columns import choose_columns
from softmax_cli.reading.validity import check_length, check_logits
from softmax_cli.tokens import NotANumberError, is_number, read_number

MASK_HINT = 'JSON has no infinity; write "-inf", in quotes, for a masked class'
_LONGEST_INT = 300


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
    document = load_json(stream.read(), name)
    if isinstance(document, dict) and "logits" in document:
        _refuse_columns(options, name)
        return _from_object(document, name, options)
    if isinstance(document, dict):
        document = [document]
    if not isinstance(document, list):
        raise InputError(name, f"expected an array or an object, found {_shown(document)}")
    if not document:
        raise InputError(name, "expected logits, found an empty array")
    if isinstance(document[0], dict):
        return _from_records(document, name, options)
    _refuse_columns(options, name)
    return _from_rows(document, name, None, None, options)


def load_json(content: bytes, name: str, constant_hint: str = MASK_HINT) -> Any:
    """Load one JSON text.

    Raises
    ------
    InputError
        For what is not JSON: with ``constant_hint`` for a bare NaN or Infinity.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name}:{line}",
            f"expected UTF-8 text, found the byte 0x{content[error.start]:02x}",
            "convert the file first, for example with iconv -f LATIN1 -t UTF-8",
        ) from None
    if not text.strip():
        raise InputError(name, "expected logits, found nothing")

    def refuse(constant: str) -> NoReturn:
        place = _constant_place(text, constant)
        raise InputError(f"{name}{place}", f"expected JSON, found {constant}", constant_hint)

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise InputError(name, f"expected each key once, found {quoted(twice)} twice")
        return members

    try:
        return json.loads(text, parse_constant=refuse, parse_int=_integer, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise InputError(
            f"{name}:{error.lineno}:{error.colno}", f"expected JSON: {error.msg}"
        ) from None
    except RecursionError:
        raise InputError(name, "expected arrays of numbers, found too deep a nesting") from None


def _integer(digits: str) -> int | float:
    # Longer ones are beyond float64 anyway, and int() refuses very long ones.
    return int(digits) if len(digits) <= _LONGEST_INT else float(digits)


def _constant_place(text: str, constant: str) -> str:
    """Find the line and column of the first bare constant, outside of strings."""
    strings_or_words = re.finditer(r'"(?:\\.|[^"\\])*"|-?[A-Za-z]+', text)
    position = next(match.start() for match in strings_or_words if match[0] == constant)
    line = text.count("\n", 0, position) + 1
    return f":{line}:{position - text.rfind(chr(10), 0, position)}"


def _refuse_columns(options: InputOptions, name: str) -> None:
    for option, value in (("--columns", options.columns), ("--id", options.id_column)):
        if value is not None:
            raise InputError(option, f"expected named columns, found none in {name}")


def _from_object(document: Mapping[str, Any], name: str, options: InputOptions) -> Logits:
    rows = document["logits"]
    if not isinstance(rows, list) or not rows:
        raise InputError(name, f'expected an array as "logits", found {_shown(rows)}')
    return _from_rows(
        rows,
        name,
        names(document, "classes", name),
        names(document, "samples", name),
        options,
    )


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
            raise InputError(place(k, None), f"expected an array, found {_shown(row)}")
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
        if not isinstance(record, dict):
            found = _shown(record)
            raise InputError(f"{name}: sample {k + 1}", f"expected an object, found {found}")
        if record.keys() != records[0].keys():
            odd = min(record.keys() ^ records[0].keys())
            verb = "misses" if odd in records[0] else "has besides"
            raise InputError(
                f"{name}: sample {k + 1}",
                f"expected the keys of sample 1, found an object that {verb} {quoted(odd)}",
            )

    def is_text(key: str) -> bool:
        values = [record[key] for record in records]
        return isinstance(values[0], str) and not any(
            not isinstance(value, str) or is_number(value) for value in values
        )

    text = [c for c, key in enumerate(header) if is_text(key)]
    columns = choose_columns(header, len(header), text, options, name)
    keys = [_encodable(header[c], name) for c in columns.logits]
    rows = [[record[key] for key in keys] for record in records]

    def place(k: int, c: int | None) -> str:
        where = f"{name}: sample {k + 1}"
        return where if c is None else f"{where}, {quoted(keys[c])}"

    if columns.sample is None:
        return _logits(rows, place, tuple(keys), None, "sample", options)
    key = header[columns.sample]
    names = tuple(_name(record[key], f"{name}: sample {k + 1}") for k, record in enumerate(records))
    return _logits(rows, place, tuple(keys), names, key, options)


def _logits(
    rows: Sequence[list[Any]],
    place: Place,
    classes: tuple[str, ...] | None,
    samples: tuple[str, ...] | None,
    sample_header: str,
    options: InputOptions,
) -> Logits:
    for k, row in enumerate(rows):
        check_length(len(row), len(rows[0]), place(k, None), "sample 1")
        if not {float, int}.issuperset(map(type, row)):
            rows[k][:] = [_number(value, place(k, c)) for c, value in enumerate(row)]
    values = np.array(rows, dtype=np.float64)
    if np.isposinf(values).any():
        k, c = (int(i) for i in np.argwhere(np.isposinf(values))[0])
        raise InputError(place(k, c), "expected a number within the range of float64")
    (options.check or check_logits)(values, place)
    return Logits(
        values.shape[1], iter([Batch(values, 0, samples)]), classes, samples is not None,
        sample_header,
    )  # fmt: skip


def _number(value: Any, place: str) -> float:
    if isinstance(value, str):
        # Only what JSON cannot say with a number of its own.
        try:
            number = read_number(value)
        except NotANumberError:
            number = 0.0
        if number == -np.inf:
            return number
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    raise InputError(place, f"expected a number, found {_shown(value)}", MASK_HINT)


def names(document: Mapping[str, Any], key: str, name: str) -> tuple[str, ...] | None:
    """Return the names that an object holds at a key, or None.

    Raises
    ------
    InputError
        When they are no array of names.
    """
    found = document.get(key)
    if found is None:
        return None
    if not isinstance(found, list):
        raise InputError(name, f'expected an array of names as "{key}", found {_shown(found)}')
    return tuple(_name(each, f'{name}: "{key}"') for each in found)


def _name(value: Any, place: str) -> str:
    if isinstance(value, str):
        return _encodable(value, place)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise InputError(place, f"expected a name, found {_shown(value)}")


def _encodable(text: str, place: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(
            place, f"expected text, found a lone surrogate in {quoted(text)}"
        ) from None
    return text


def _shown(value: Any) -> str:
    """Describe a JSON value in a few words."""
    if isinstance(value, list):
        return "an array" if value else "an empty array"
    if isinstance(value, dict):
        return "an object"
    return visible(json.dumps(value, ensure_ascii=False))[:60]
