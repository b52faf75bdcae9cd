"""JSON: arrays, an object with "logits", or records; JSON lines hold one of them a line."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from softmax_cli import fast
from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions
from softmax_cli.reading import strict_json, validity
from softmax_cli.reading.columns import Columns, choose_columns, kinds_of, refuse_columns
from softmax_cli.reading.strict_json import shown
from softmax_cli.reading.text import Stream, count_lines, read_lines, take_all
from softmax_cli.reading.validity import Where
from softmax_cli.samples import Batch, Logits, TextBlock

# What only one reader refuses, and keys that are counted as none.
_DOUBTFUL = (b"\\u", b" :", b"\t", b"\r", b"NaN", b"Infinity")


@dataclass(frozen=True)
class Form:
    """What the first samples have settled for all.

    Attributes
    ----------
    columns
        Which values are its logits, of an array or of a record's members.
    members
        The keys that each has; none if it is an array.
    keys
        The keys of its logits; none if they are an array.
    """

    columns: Columns
    members: AbstractSet[str] = frozenset()
    keys: tuple[str, ...] = ()


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
    form = settle(samples, lambda k: f"{name}:{lines[k]}", name, options)

    def parse(block: TextBlock) -> Batch:
        loaded = _load_at_once(block)
        values, lines = loaded or strict_json.load_lines(block.content, name, block.line)
        return read_batch(values, form, lambda k: f"{name}:{lines[k]}", block.start, options)

    def read(block: TextBlock) -> tuple[Batch, int]:
        return parse(block), block.line + block.content.count(b"\n")

    first, line = read(TextBlock(1, head))
    blocks = read_lines(stream, line, first, count_lines, read)
    return replace(form.columns.source(blocks), parse=parse, is_ready=stream.is_ready)


def read_document(document: Any, name: str, options: InputOptions) -> Logits:
    """Read logits from a JSON value."""
    named: dict[str, Any] = {}
    rows = document
    if isinstance(document, dict) and "logits" in document:
        named, rows = document, document["logits"]
    elif isinstance(document, dict):
        rows = [document]
    if not isinstance(rows, list) or not rows:
        raise InputError(name, f"expected an array of logits, found {shown(rows)}")
    if not isinstance(rows[0], list | dict):
        rows = [rows]

    where = validity.place_of_sample(name)
    form = settle(rows, where, name, options)
    classes = strict_json.names(named, "classes", name, len(form.columns.logits))
    batch = read_batch(rows, form, where, 0, options)
    samples = strict_json.names(named, "samples", name, len(rows)) or batch.samples
    source = form.columns.source(iter([replace(batch, samples=samples)]))
    names = classes or source.class_names
    return replace(source, class_names=names, names_samples=bool(samples), n_samples=len(rows))


def settle(samples: Sequence[Any], where: Where, name: str, options: InputOptions) -> Form:
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
    if isinstance(first, dict) and first and "logits" not in first:
        return _settle_records(samples, where, name, options)
    refuse_columns(options, name)
    members = first.keys() & {"logits", "sample"} if isinstance(first, dict) else set()
    row = first["logits"] if members else first
    if not isinstance(row, list) or not row:
        raise InputError(where(0), f"expected an array of logits, found {shown(row)}")
    classes = strict_json.names(first, "classes", where(0), len(row)) if members else None
    header = classes and (*classes, "sample")
    sample = len(row) if "sample" in members else None
    return Form(Columns(tuple(range(len(row))), sample, header), members)


def _settle_records(records: Sequence[Any], where: Where, name: str, options: InputOptions) -> Form:
    header = tuple(records[0])
    form = Form(Columns(tuple(range(len(header)))), records[0].keys(), header)
    rows = [_row(each, form, where, k) for k, each in enumerate(records)]
    chosen = choose_columns(header, kinds_of(rows), options, name)
    return Form(chosen, form.members, chosen.names or ())


def read_batch(
    samples: Sequence[Any], form: Form, where: Where, start: int, options: InputOptions
) -> Batch:
    """Turn JSON values of that form into samples.

    Raises
    ------
    InputError
        For the first sample at fault.
    """
    place, n_classes = validity.place_in(where, form.keys), len(form.columns.logits)
    rows = [_row(each, form, where, k) for k, each in enumerate(samples)]
    validity.check_lengths(rows, n_classes, place, "the first sample")
    flat = list(chain.from_iterable(rows))
    values = strict_json.numbers(flat, lambda i: place(*divmod(i, n_classes)))
    logits = values.reshape(len(rows), n_classes)
    (options.check or validity.check_logits)(logits, place)
    if form.columns.sample is None:
        return Batch(logits, start)
    key = form.columns.sample_header
    names = (strict_json.name(each[key], where(k)) for k, each in enumerate(samples))
    return Batch(logits, start, tuple(names))


def _row(sample: Any, form: Form, where: Where, k: int) -> list[Any]:
    """Return the values of a sample's logits, if it is of that form."""
    if form.members:
        keys = sample.keys() if isinstance(sample, dict) else frozenset()
        if keys != form.members and (form.keys or not form.members <= keys):
            missing = form.members - keys
            found = f"no {quoted(min(missing))}" if missing else quoted(min(keys - form.members))
            raise InputError(where(k), f"expected the keys of the first sample, found {found}")
    if form.keys:
        return [sample[key] for key in form.keys]
    if form.members:
        if "classes" in sample:
            names = strict_json.names(sample, "classes", where(k)) or ()
            validity.check_classes(names, form.columns.names or (), where(k), "the first sample")
        sample = sample["logits"]
    if not isinstance(sample, list):
        raise InputError(where(k), f"expected an array of logits, found {shown(sample)}")
    return sample


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
