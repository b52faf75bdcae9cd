"""Somebody's results from a file: probabilities, Jacobians or gradients, in any input format."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.precision import FLOAT64, Precision, precision_of
from softmax_cli.errors import InputError, plural, quoted, visible
from softmax_cli.options import InputOptions
from softmax_cli.reading import strict_json
from softmax_cli.reading.arguments import read_arguments
from softmax_cli.reading.formats import reader
from softmax_cli.reading.json_text import read_document
from softmax_cli.reading.source import STDIN, exists, guess_format, open_stream
from softmax_cli.reading.text import take_all
from softmax_cli.reading.validity import read_numbers
from softmax_cli.samples import FloatArray, Logits, concatenate
from softmax_cli.words import is_number, split_row


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
    precision
        The number format that the file holds them in.
    is_printed
        Whether they are text, whose digits may be few.
    """

    values: FloatArray
    classes: tuple[str, ...] | None = None
    samples: tuple[str, ...] | None = None
    precision: Precision = FLOAT64
    is_printed: bool = True


def read_candidate(
    word: str, option: str, quantity: str, options: InputOptions | None = None
) -> Results:
    """Read results from a file, from standard input (``-``) or from the numbers themselves.

    NaN and infinities are read: they are for the check to find.

    Parameters
    ----------
    word
        What the user gave.
    option
        The option it was given to, for messages.
    quantity
        The key that holds the results in a JSON object.
    options
        As `options_for_results` gives them.

    Raises
    ------
    InputError
        When it cannot be read.
    """
    options = replace(
        options or InputOptions(), check=lambda *_: None, stacked=quantity == "jacobian"
    )
    if all(map(is_number, split_row(word))):
        return _from_table(read_arguments([word], options, option))
    name = STDIN if word == "-" else visible(word)
    if word != "-" and not exists(word):
        hint = "code is FILE.py:FUNCTION or PACKAGE.MODULE:FUNCTION" if ":" in word else ""
        raise InputError(option, f"no such file: {quoted(word)}", hint)
    with open_stream(word) as stream:
        input_format = guess_format(word, stream, name)
        if input_format == "npy":
            from softmax_cli.reading.npy import read_array

            array, dtype = read_array(stream, name)
            return Results(array, precision=precision_of(dtype), is_printed=False)
        if input_format in ("json", "jsonl"):
            document = strict_json.load_all(take_all(stream), name)
            return _from_json(document, name, quantity, options)
        found = _from_table(reader(input_format)(stream, name, options))
        return replace(found, is_printed=input_format != "parquet")


def with_rows(
    results: Results,
    masks: Sequence[NDArray[np.bool_]],
    quantity: str,
    classes: tuple[str, ...] | None,
) -> Results:
    """Leave out the results of other samples, by the mask that fits, and a header of digits."""
    values, samples = results.values, results.samples
    stacked = quantity == "jacobian" and values.ndim == 2
    for mask in masks if values.ndim > 1 else ():
        rows = np.repeat(mask, values.shape[-1] if stacked else 1)
        more = len(values) - len(rows)
        if more == 0 or (more == 1 and tuple(f"{x:g}" for x in values[0].flat) == classes):
            own = values[more:] if rows.all() else values[more:][rows]
            names = samples and tuple(compress(samples[more:], rows))
            return replace(results, values=own, samples=names)
    return results


def _from_table(table: Logits) -> Results:
    batch = concatenate(table.batches, table.n_classes)
    return Results(batch.logits, table.class_names, batch.samples)


def _from_json(document: Any, name: str, quantity: str, options: InputOptions) -> Results:
    first = document[0] if isinstance(document, list) and document else document
    if not isinstance(first, dict):
        return Results(_array(document, name))
    keys = (quantity, f"log_{quantity}", "logits")
    key = next((key for key in keys if key in first), None)
    if key is None and any(isinstance(value, list) for value in first.values()):
        raise InputError(name, f'expected arrays under "{quantity}", found {quoted(min(first))}')
    if key is None:  # each class has a key of its own
        return _from_table(read_document(document, name, options))
    is_object = isinstance(first[key], dict)
    if first is document and not is_object:
        classes, samples = (strict_json.names(first, each, name) for each in ("classes", "samples"))
        return Results(_array(first[key], name), classes, samples)
    rows = [document] if first is document else document
    for k, each in enumerate(rows, start=1):
        if not isinstance(each, dict) or key not in each:
            raise InputError(f"{name}: sample {k}", f"expected an object with {quoted(key)}")
    named = tuple(strict_json.name(each["sample"], name) for each in rows if "sample" in each)
    if is_object:
        table = _from_table(read_document([each[key] for each in rows], name, options))
        return replace(table, samples=named or None)
    return Results(_array([each[key] for each in rows], name), None, named or None)


def _array(document: Any, name: str) -> FloatArray:
    """Make an array of nested lists; where they are ragged, numpy leaves lists in the cells."""
    cells = np.array(document, dtype=object)
    flat = cells.ravel().tolist()

    def place(i: int) -> str:
        indices = "".join(f"[{k}]" for k in np.unravel_index(i, cells.shape))
        return f"{name}: ${indices}"

    lengths = [len(cell) if isinstance(cell, list) else 0 for cell in flat]
    odd = next((i for i, length in enumerate(lengths) if length != lengths[0]), 0)
    if odd and lengths[0]:
        expected = f"expected {plural(lengths[0], 'value')} as in the first"
        raise InputError(place(odd), f"{expected}, found {lengths[odd] or 'none'}")
    numbers = read_numbers(flat, 1, lambda k, _: place(k), lambda _: "", InputOptions(), False)
    return numbers.reshape(cells.shape)
