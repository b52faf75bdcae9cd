"""Somebody's results from a file: probabilities, Jacobians or gradients, in any input format."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import InputError, plural, quoted, visible
from softmax_cli.lookup import load
from softmax_cli.options import InputOptions, Place
from softmax_cli.reading.arguments import read_arguments
from softmax_cli.reading.formats import READERS, SUFFIXES
from softmax_cli.reading.json_text import (
    load_json,
    read_names,
    shown_with_keys,
    strict_json,
    within_float64,
)
from softmax_cli.reading.source import STDIN, exists, guess_format, open_stream
from softmax_cli.reading.text import BYTE_ORDER_MARK, decode, take_all
from softmax_cli.samples import FloatArray, Logits, concatenate
from softmax_cli.words import NotANumberError, is_number, read_number, split_row

_DEEPEST = 8  # arrays within arrays; what is of another shape is told where shapes are compared
NAN_HINT = 'JSON has no NaN and no infinity; write "NaN" or "Infinity", in quotes'


@dataclass(frozen=True, eq=False)
class Results:
    """Somebody's results.

    Attributes
    ----------
    values
        Of the shape that the file has.
    classes
        The classes' names, or None.
    samples
        A name a row of the file, or None.
    """

    values: FloatArray
    classes: tuple[str, ...] | None = None
    samples: tuple[str, ...] | None = None


def read_candidate(word: str, option: str, quantity: str) -> Results:
    """Read results from a file, from standard input (``-``) or from the numbers themselves.

    NaN and infinities are read: they are for the check to find.

    Parameters
    ----------
    word
        What the user gave.
    option
        What he gave it to, for messages.
    quantity
        The key that holds the results in a JSON object.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    options = InputOptions(check=_anything, stacked=quantity == "jacobian")
    if all(map(is_number, split_row(word))):
        return _from_table(read_arguments([word], options, option))
    name = STDIN if word == "-" else visible(word)
    if word != "-" and not exists(word):
        hint = "code is FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION" if ":" in word else ""
        raise InputError(option, f"no such file: {quoted(word)}", hint)
    with open_stream(word) as stream:
        input_format, stream = guess_format(word, stream, name)
        if input_format == "npy":
            return Results(_npy(stream, name))
        if input_format not in ("json", "jsonl"):
            return _from_table(load(READERS[input_format])(stream, name, options))
        content = take_all(stream)
        if Path(word).suffix.lower() not in SUFFIXES and b"\n" not in content.strip():
            input_format = "json"  # one line may hold all of it
    document = (
        load_json(content, name, NAN_HINT) if input_format == "json" else _lines(content, name)
    )
    if _is_of_records(document, quantity):
        return _from_table(load(READERS[input_format])(io.BytesIO(content), name, options))
    return _from_json(document, name, quantity)


def _anything(values: FloatArray, place: Place) -> None:
    pass


def _from_table(table: Logits) -> Results:
    batch = concatenate(table.batches, table.n_classes)
    return Results(batch.logits, table.class_names, batch.samples)


def _npy(stream: io.BufferedReader, name: str) -> FloatArray:
    array: NDArray[Any] = load("softmax_cli.reading.npy:read_array")(stream, name)
    if array.dtype.kind not in "biuf":
        raise InputError(name, f"expected an array of real numbers, found {array.dtype}")
    return np.asarray(array, dtype=np.float64)


def _lines(content: bytes, name: str) -> list[Any]:
    """Load JSON lines: what an array of them would be."""
    lines = decode(content.removeprefix(BYTE_ORDER_MARK), name).split("\n")
    return [
        strict_json(line, name, number, NAN_HINT)
        for number, line in enumerate(lines, start=1)
        if line.strip(" \t\r")
    ]


def _is_of_records(document: Any, quantity: str) -> bool:
    """Tell whether each class has a key of its own."""
    first = document[0] if isinstance(document, list) and document else document
    if not isinstance(first, dict) or not first or quantity in first:
        return False
    return not any(isinstance(value, list) for value in first.values())


def _from_json(document: Any, name: str, quantity: str) -> Results:
    if isinstance(document, dict) and (quantity in document or "logits" in document):
        return Results(
            _numbers(document[quantity if quantity in document else "logits"], name),
            read_names(document, "classes", name),
            read_names(document, "samples", name),
        )
    if isinstance(document, list) and document:
        if isinstance(document[0], dict):
            return _from_objects(document, name, quantity)
        return Results(_numbers(document, name))
    found = shown_with_keys(document)
    raise InputError(name, f'expected arrays, or an object with "{quantity}", found {found}')


def _from_objects(objects: list[Any], name: str, quantity: str) -> Results:
    for k, each in enumerate(objects, start=1):
        if not isinstance(each, dict) or quantity not in each:
            problem = f'expected an object with "{quantity}", found {shown_with_keys(each)}'
            raise InputError(f"{name}: sample {k}", problem)
    values = _numbers([each[quantity] for each in objects], name)
    named = all(isinstance(each.get("sample"), str) for each in objects)
    return Results(values, None, tuple(each["sample"] for each in objects) if named else None)


def _numbers(document: Any, name: str) -> FloatArray:
    """Make an array of nested lists; ``"NaN"`` and ``"Infinity"`` are numbers too."""

    def convert(value: Any, place: str, depth: int = 0) -> Any:
        if isinstance(value, list):
            if depth > _DEEPEST:
                raise InputError(name, "expected arrays of numbers, found too deep a nesting")
            return [convert(each, f"{place}[{k}]", depth + 1) for k, each in enumerate(value)]
        if isinstance(value, int | float) and not isinstance(value, bool):
            return within_float64(value, f"{name}: {place}")
        try:
            number = read_number(value) if isinstance(value, str) else 0.0
        except NotANumberError:
            number = 0.0
        if np.isfinite(number):
            raise InputError(f"{name}: {place}", f"expected a number, found {quoted(str(value))}")
        return number

    try:
        array: NDArray[Any] = np.array(convert(document, "$"), dtype=np.float64)
    except ValueError:
        raise _ragged(document, name) from None
    return array


def _ragged(document: Any, name: str) -> InputError:
    """Say which array is not like the first one at its depth."""
    level = [("$", document)]
    while True:
        first_place, first = level[0]
        for place, each in level:
            if _extent(each) != _extent(first):
                problem = f"expected {_extent(first)} as in {first_place}, found {_extent(each)}"
                return InputError(f"{name}: {place}", problem)
        level = [(f"{place}[{k}]", x) for place, each in level for k, x in enumerate(each)]


def _extent(value: Any) -> str:
    return plural(len(value), "value") if isinstance(value, list) else "a number"
