"""Somebody's results from a file: probabilities, Jacobians or gradients, in any input format."""

import io
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from softmax_cli.errors import InputError, plural, quoted, visible
from softmax_cli.options import InputOptions, Place
from softmax_cli.reading import strict_json
from softmax_cli.reading.arguments import read_arguments
from softmax_cli.reading.formats import reader
from softmax_cli.reading.json_text import read_document
from softmax_cli.reading.source import STDIN, exists, guess_format, open_stream
from softmax_cli.reading.strict_json import shown_with_keys
from softmax_cli.reading.text import take_all
from softmax_cli.samples import FloatArray, Logits, concatenate
from softmax_cli.words import is_number, split_row

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
        input_format = guess_format(word, stream, name)
        if input_format == "npy":
            return Results(_npy(stream, name))
        if input_format not in ("json", "jsonl"):
            return _from_table(reader(input_format)(stream, name, options))
        content = take_all(stream)
    if input_format == "json":
        document = strict_json.load_all(content, name, NAN_HINT)
    else:
        document = strict_json.load_lines(content, name, NAN_HINT)[0]
    if _is_of_records(document, quantity):
        return _from_table(read_document(document, name, options))
    return _from_json(document, name, quantity)


def _anything(values: FloatArray, place: Place) -> None:
    pass


def _from_table(table: Logits) -> Results:
    batch = concatenate(table.batches, table.n_classes)
    return Results(batch.logits, table.class_names, batch.samples)


def _npy(stream: io.BufferedReader, name: str) -> FloatArray:
    from softmax_cli.reading.npy import read_array

    array = read_array(stream, name)
    if array.dtype.kind not in "biuf":
        raise InputError(name, f"expected an array of real numbers, found {array.dtype}")
    return np.asarray(array, dtype=np.float64)


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
            strict_json.names(document, "classes", name),
            strict_json.names(document, "samples", name),
        )
    if isinstance(document, list) and document and isinstance(document[0], dict):
        return _from_objects(document, name, quantity)
    if isinstance(document, list) and document:
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
    """Make an array of nested lists, a depth at a time."""
    shape: tuple[int, ...] = ()
    level = [document]

    def place(i: int) -> str:
        return f"{name}: ${_indices(i, shape)}"

    while level and isinstance(level[0], list) and len(shape) <= _DEEPEST:
        extents = list(map(_extent, level))
        i = next((i for i, extent in enumerate(extents) if extent != extents[0]), 0)
        if i:
            first = f"expected {extents[0]} as in ${_indices(0, shape)}"
            raise InputError(place(i), f"{first}, found {extents[i]}")
        shape += (len(level[0]),)
        level = list(chain.from_iterable(level))
    if len(shape) > _DEEPEST:
        raise InputError(name, "expected arrays of numbers, found too deep a nesting")
    return strict_json.numbers(level, place, NAN_HINT).reshape(shape)


def _indices(i: int, shape: tuple[int, ...]) -> str:
    return "".join(f"[{k}]" for k in np.unravel_index(i, shape)) if shape else ""


def _extent(value: Any) -> str:
    return plural(len(value), "value") if isinstance(value, list) else "a number"
