"""JSON lines: a sample a line, in the forms that JSON has for one sample."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import chain
from typing import Any, NamedTuple

from softmax_cli.errors import InputError, plural, quoted
from softmax_cli.options import InputOptions, Place
from softmax_cli.reading.json_text import (
    DECODER,
    check_record,
    choose_keys,
    has_surrogates,
    mask_hint,
    read_name,
    read_names,
    read_values,
    refuse_arrays,
    refuse_columns,
    shown,
    shown_with_keys,
    strict_json,
    warn_of_others,
)
from softmax_cli.reading.text import decode, text_blocks
from softmax_cli.reading.validity import check_classes
from softmax_cli.samples import Batch, Logits


class Line(NamedTuple):
    """A line's number in the file, and the value it holds."""

    number: int
    value: Any


@dataclass(frozen=True)
class Form:
    """What the first lines have settled for all.

    Attributes
    ----------
    logits
        From line k's value, k, and what names the place of line k, to the array of its logits.
    sample
        The key of the samples' names, or None.
    classes
        The classes' names, or None.
    keys
        What messages call the logits of a record; none for an array.
    """

    logits: Callable[[Any, int, Place], list[Any]]
    sample: str | None = None
    classes: tuple[str, ...] | None = None
    keys: tuple[str, ...] = ()


def read_jsonl(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
    """Read JSON lines block by block.

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
        With the line: here for the first block, from the batches for the rest.
    """
    blocks = _blocks(stream, name, mask_hint(options))
    block = next(blocks, None)
    if block is None:
        raise InputError(name, "expected logits, found nothing")
    form = _form(block, name, options)
    n_classes = len(form.logits(block[0].value, 0, _place(block, form, name)))
    return Logits(
        n_classes=n_classes,
        blocks=_batches(chain([block], blocks), form, n_classes, name, options),
        class_names=form.classes,
        names_samples=form.sample is not None,
        sample_header=form.sample or "sample",
    )


def looks_like_lines(first: bytes, rest: bytes) -> bool:
    """Tell whether the first line is a value on its own before the rest, or a sample so named."""
    if rest.strip():
        return _value(first) is not None
    value = _value(first) if b'"sample"' in first else None
    return isinstance(value, dict) and "sample" in value


def _value(line: bytes) -> Any:
    """Return the JSON value that a line is, or None."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _blocks(stream: BufferedReader, name: str, hint: str) -> Iterator[list[Line]]:
    for block in text_blocks(stream):
        text = decode(block.content, name, block.line)
        lines = _plain_lines(text, block.line) or [
            Line(number, strict_json(line, name, number, hint))
            for number, line in enumerate(text.split("\n"), start=block.line)
            if line.strip(" \t\r")
        ]
        if lines:
            yield lines


def _plain_lines(text: str, number: int) -> list[Line] | None:
    """Read lines that hold one value each and nothing else; None if there are any others."""
    if has_surrogates(text):
        return None
    lines: list[Line] = []
    start = 0
    try:
        while start < len(text):
            value, end = DECODER.raw_decode(text, start)
            if text[end] != "\n":
                return None
            lines.append(Line(number + len(lines), value))
            start = end + 1
    except (ValueError, IndexError, RecursionError):
        return None
    # A value may have gone on over the end of its line.
    return lines if len(lines) == text.count("\n") else None


def _place(block: Sequence[Line], form: Form, name: str) -> Place:
    def place(k: int, c: int | None) -> str:
        where = f"{name}:{block[k].number}"
        if c is None:
            return where
        return f"{where}, {quoted(form.keys[c]) if form.keys else f'value {c + 1}'}"

    return place


def _form(block: Sequence[Line], name: str, options: InputOptions) -> Form:
    first = block[0].value
    place = f"{name}:{block[0].number}"
    if not isinstance(first, dict):
        refuse_columns(options, name)
        return Form(_array)
    if "logits" not in first:
        return _record_form(block, name, options)
    refuse_columns(options, name)
    classes = read_names(first, "classes", place)
    warn_of_others(first, ("logits", "classes", "sample"), place)
    logits = _member(classes or (), f"line {block[0].number}")
    form = Form(logits, "sample" if "sample" in first else None, classes)
    found, expected = len(classes or ()), len(logits(first, 0, lambda k, c: place))
    if classes is not None and found != expected:
        counted = plural(expected, "name")
        raise InputError(place, f'expected {counted} in "classes", found {found}')
    return form


def _array(value: Any, k: int, place: Place) -> list[Any]:
    if not isinstance(value, list):
        problem = f"expected an array of one sample's logits, found {shown(value)}"
        raise InputError(place(k, None), problem)
    if not value:
        raise InputError(place(k, None), "expected at least one logit, found an empty array")
    return value


def _member(classes: tuple[str, ...], first_line: str) -> Callable[[Any, int, Place], list[Any]]:
    def logits(value: Any, k: int, place: Place) -> list[Any]:
        if not isinstance(value, dict) or "logits" not in value:
            problem = f'expected an object with "logits", found {shown_with_keys(value)}'
            raise InputError(place(k, None), problem)
        if "classes" in value:
            names = read_names(value, "classes", place(k, None)) or ()
            check_classes(names, classes, place(k, None), first_line)
        return _array(value["logits"], k, place)

    return logits


def _record_form(block: Sequence[Line], name: str, options: InputOptions) -> Form:
    first = block[0].value
    first_place, first_line = f"{name}:{block[0].number}", f"line {block[0].number}"
    if not first:
        raise InputError(first_place, "expected at least one logit, found an empty object")
    for line in block:
        check_record(line.value, first, f"{name}:{line.number}", first_line)
    header = list(first)
    columns = choose_keys(header, [line.value for line in block], options, first_place)
    keys = tuple(header[c] for c in columns.logits)
    refuse_arrays(first, keys, first_place, "[1, 2]")

    def logits(value: Any, k: int, place: Place) -> list[Any]:
        if not isinstance(value, dict) or value.keys() != first.keys():
            check_record(value, first, place(k, None), first_line)
        return [value[key] for key in keys]

    sample = None if columns.sample is None else header[columns.sample]
    return Form(logits, sample, keys, keys)


def _batches(
    blocks: Iterator[list[Line]], form: Form, n_classes: int, name: str, options: InputOptions
) -> Iterator[Batch]:
    start, first_line = 0, ""
    for block in blocks:
        place = _place(block, form, name)
        first_line = first_line or f"line {block[0].number}"
        rows = [form.logits(line.value, k, place) for k, line in enumerate(block)]
        logits = read_values(rows, place, n_classes, first_line, options)
        yield Batch(logits, start, _names(block, form.sample, place))
        start += len(block)


def _names(
    block: Sequence[Line], key: str | None, place: Callable[[int, int | None], str]
) -> tuple[str, ...] | None:
    if key is None:
        return None
    for k, line in enumerate(block):
        if key not in line.value:
            raise InputError(
                place(k, None), f"expected {quoted(key)} as in the first line, found none"
            )
    return tuple(read_name(line.value[key], place(k, None)) for k, line in enumerate(block))
