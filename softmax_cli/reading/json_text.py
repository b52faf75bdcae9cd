"""JSON: arrays, an object with "logits", or records; JSON lines hold one of them a line."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from softmax_cli import fast
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions
from softmax_cli.reading import strict_json
from softmax_cli.reading.columns import Columns, choose_columns, kinds_of, n_needed, refuse_columns
from softmax_cli.reading.strict_json import key_hint, member
from softmax_cli.reading.text import Stream, count_lines, read_lines, take_all
from softmax_cli.reading.validity import (
    Where,
    check_classes,
    check_lengths,
    place_in,
    place_of_sample,
    read_numbers,
    shown,
)
from softmax_cli.samples import Batch, FloatArray, Logits, TextBlock
from softmax_cli.words import mending

# What only one reader refuses, and keys that are counted as none.
_DOUBTFUL = (b"\\u", b" :", b"\t", b"\r", b"NaN", b"Infinity")


def read_json(stream: Stream, name: str, options: InputOptions) -> Logits:
    """Read one JSON text, or JSON lines, whole.

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
    return read_document(strict_json.load_all(take_all(stream), name), name, options)


def read_jsonl(stream: Stream, name: str, options: InputOptions) -> Logits:
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
    head = stream.take_head()
    samples, lines = strict_json.load_lines(head, name)
    if not samples:
        raise InputError(name, "expected logits, found nothing")
    keys = samples[0] if isinstance(samples[0], dict) else ()
    while len(samples) < n_needed(keys, options) and (more := stream.take(len(head))):
        head += more
        samples, lines = strict_json.load_lines(head, name)
    columns = settle(samples, lambda k: f"{name}:{lines[k]}", name, options)

    def parse(block: TextBlock) -> Batch:
        loaded = _load_at_once(block)
        values, lines = loaded or strict_json.load_lines(block.content, name, block.line)
        return read_batch(values, columns, lambda k: f"{name}:{lines[k]}", block.start, options)

    def read(block: TextBlock) -> tuple[Batch, int]:
        return parse(block), block.line + block.content.count(b"\n")

    first, line = read(TextBlock(1, head))
    blocks = read_lines(stream, line, first, count_lines, read)
    return replace(columns.source(blocks), parse=parse, is_ready=stream.is_ready)


def read_document(document: Any, name: str, options: InputOptions) -> Logits:
    """Read logits from a JSON value."""
    named: dict[str, Any] = {}
    rows = document = _records(document, name, options)
    if isinstance(document, dict):
        found = member(document, options.key or "logits")
        is_whole = document.keys() & {"classes", "samples"} or not isinstance(found, list)
        is_whole = is_whole or not found or isinstance(found[0], list | dict)
        rows = [document]
        if is_whole and found is not None:
            named, rows = document, found
            options = replace(options, key=None if options.key is None else "")
        elif options.key is not None and found is None:
            problem = f"expected a member, found no {quoted(options.key)}"
            raise InputError("--key", problem, key_hint(document))
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not rows:
        raise InputError(name, f"expected an array of logits, found {shown(rows)}")
    if not isinstance(rows[0], list | dict):
        rows = [rows]

    where = place_of_sample(name)
    columns = settle(rows, where, name, options)
    classes = _classes(named, name, len(columns.logits), len(rows))
    batch = read_batch(rows, columns, where, 0, options)
    samples = strict_json.names(named, "samples", name, len(rows)) or batch.samples
    return replace(
        columns.source(iter([replace(batch, samples=samples)])),
        class_names=classes or columns.names,
        names_samples=samples is not None,
        n_samples=len(rows),
    )


def _records(document: Any, name: str, options: InputOptions) -> Any:
    """Make records of a table that pandas wrote in another of its ways; leave others alone."""
    if not isinstance(document, dict) or not document:
        return document
    data: Any = document.get("data")
    parts = list(document.values())
    if document.keys() - {"index"} == {"columns", "data"} and _are_all(data, list):
        header = strict_json.names(document, "columns", name) or ()
        check_lengths(data, len(header), place_in(place_of_sample(name)), '"columns"')
        return [dict(zip(header, row, strict=True)) for row in data]
    if _are_all(parts, dict) and all(part.keys() == parts[0].keys() for part in parts):
        if all(map(str.isdecimal, document)):
            return parts
        if all(map(str.isdecimal, parts[0])):
            parts = [list(part.values()) for part in parts]
    are_columns = options.columns is not None or not isinstance(document[min(document)], list)
    if are_columns and _are_all(parts, list) and len(set(map(len, parts))) == 1:
        return [dict(zip(document, row, strict=True)) for row in zip(*parts, strict=True)]
    return document


def _are_all(values: Any, kind: type) -> bool:
    return isinstance(values, list) and all(isinstance(each, kind) for each in values)


def _classes(
    document: dict[str, Any], place: str, n_classes: int, n_samples: int = 1
) -> tuple[str, ...] | None:
    """Read the names of the classes; labels may be true labels unless they are as many names."""
    labels = document.get("labels")
    if (
        _are_all(labels, str)
        and len(labels or ()) == n_classes != n_samples
        and "classes" not in document
    ):
        return strict_json.names(document, "labels", place)
    return strict_json.names(document, "classes", place, n_classes)


def settle(samples: Sequence[Any], where: Where, name: str, options: InputOptions) -> Columns:
    """Find the form of the first samples.

    Parameters
    ----------
    samples
        Their JSON values.
    where
        Names the place of sample k.
    name
        What messages call the source.
    options
        What the user said; columns can be chosen in records only.
    """
    first = samples[0]
    if not isinstance(first, dict) or not first:
        without = options if isinstance(first, dict) else replace(options, key=None)
        refuse_columns(without, f"expected named columns, found none in {name}")
        header = (options.key,) if options.key else None
        return _with_array(Columns((), header=header, array=0), first, where(0))
    said = (options.key, options.id_column, *options.keep)
    paths = [path for path in said if path and path not in first and member(first, path)]
    keys = (*first, *paths)
    kinds = kinds_of([member(each, key) for key in keys] for each in samples)
    if options.columns is None and not options.key and not isinstance(first.get("logits"), list):
        _refuse_nested(first, {*options.keep, options.id_column}, where(0))
    columns = choose_columns(keys, kinds, options, name)
    if columns.array is not None:
        columns = _with_array(columns, first, where(0))
        classes = _classes(first, where(0), len(columns.logits))
        used = (columns.array, columns.sample, *columns.kept)
        needed = {keys[c] for c in used if c is not None}
        return replace(columns, classes=classes, members=needed & first.keys())
    if "logits" in first and options.columns is None and options.axis is None:
        raise InputError(where(0), f"expected an array of logits, found {shown(first['logits'])}")
    return replace(columns, members=first.keys())


def _refuse_nested(sample: dict[str, Any], apart: set[str | None], place: str) -> None:
    for key, value in sample.items():
        if isinstance(value, list | dict) and key not in apart:
            hint, widths = (
                key_hint(sample),
                {len(v) if isinstance(v, list) else 0 for v in sample.values()},
            )
            if hint and len(sample) > 1 and len(widths) == 1:
                hint += f"; if each holds a class of all samples, --columns {','.join(sample)}"
            problem = f"expected a number, found {shown(value)}"
            raise InputError(f"{place}, {quoted(key)}", problem, hint)


def _with_array(columns: Columns, sample: Any, place: str) -> Columns:
    values = member(sample, columns.header[columns.array or 0]) if columns.header else sample
    if not isinstance(values, list) or not values:
        raise InputError(place, f"expected an array of logits, found {shown(values)}")
    return columns.with_array(values)


def read_batch(
    samples: Sequence[Any], columns: Columns, where: Where, start: int, options: InputOptions
) -> Batch:
    """Turn JSON values of that form into samples.

    Raises
    ------
    InputError
        For the first sample at fault.
    """
    n_classes = len(columns.logits)
    names = columns.names or () if columns.array is None else ()
    place = place_in(where, names)

    def numbers(values: list[Any]) -> FloatArray:
        def hint(i: int) -> str:
            value = values[i]
            if not isinstance(value, list | dict):
                return mending("" if value is None else str(value), options.decimal)
            return key_hint(samples[i // n_classes])

        in_quotes = options.key is not None
        return read_numbers(values, n_classes, place, hint, options, in_quotes)

    rows = [_row(each, columns, where(k)) for k, each in enumerate(samples)]
    return columns.batch(rows, start, place, numbers, "the first sample")


def _row(sample: Any, columns: Columns, place: str) -> list[Any]:
    """Return the values of a sample's members, if it is of that form."""
    row = [sample]
    if columns.header is not None:
        keys = sample.keys() if isinstance(sample, dict) else frozenset()
        if keys != columns.members and (columns.array is None or not columns.members <= keys):
            missing = columns.members - keys
            found = f"no {quoted(min(missing))}" if missing else quoted(min(keys - columns.members))
            raise InputError(place, f"expected the keys of the first sample, found {found}")
        row = [sample[key] if key in sample else member(sample, key) for key in columns.header]
        if columns.sample is not None:
            strict_json.name(row[columns.sample], place)
        if columns.array is not None and keys & {"classes", "labels"}:
            names = _classes(sample, place, len(columns.logits))
            check_classes(names or (), columns.classes or (), place, "the first sample")
    found = row[columns.array or 0]
    if columns.array is not None and not isinstance(found, list | None):
        raise InputError(place, f"expected an array of logits, found {shown(found)}")
    return row


def _load_at_once(block: TextBlock) -> tuple[list[Any], Sequence[int]] | None:
    """Load lines of an array each, or an object, with none inside, or return None.

    That is seen by counting: as many begin, and as many end, as there are lines. Two keys of the
    same name would be seen as fewer members than colons.
    """
    content = block.content.replace(b"\r\n", b"\n").removesuffix(b"\n")
    opening, closing = (b"{", b"}") if content.startswith(b"{") else (b"[", b"]")
    end, n = closing + b"\n" + opening, content.count(b"\n") + 1
    counts = {content.count(opening), content.count(closing), content.count(end) + 1, n}
    if len(counts) > 1 or not content.startswith(opening) or any(map(content.count, _DOUBTFUL)):
        return None
    try:
        values = fast.loads(b"[" + content.replace(end, closing + b",\n" + opening) + b"]")
    except (ValueError, RecursionError):
        return None
    if len(values) != n or (opening == b"{" and sum(map(len, values)) != content.count(b'":')):
        return None
    return values, range(block.line, block.line + n)
