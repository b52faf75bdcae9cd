"""JSON: arrays, an object with "logits", or records; JSON lines hold one of them a line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BufferedReader
from itertools import chain
from typing import Any

from softmax_cli.errors import InputError, plural, quoted, warn
from softmax_cli.options import InputOptions
from softmax_cli.reading import strict_json
from softmax_cli.reading.columns import (
    SAMPLES_OF_COLUMN,
    choose_columns,
    kinds_of,
    refuse_columns,
)
from softmax_cli.reading.strict_json import shown, shown_with_keys
from softmax_cli.reading.text import take_all
from softmax_cli.reading.validity import check_classes, check_length, check_logits
from softmax_cli.samples import Batch, Logits

Where = Callable[[int], str]


@dataclass(frozen=True)
class Form:
    """What the first samples have settled for all.

    Attributes
    ----------
    n_classes
        How many logits each has.
    first
        What messages call the first sample.
    options
        What the user said.
    member
        Whether the logits are an array under "logits".
    record
        The first record, where each class has a key of its own.
    keys
        The keys of a record's logits.
    sample
        The key of the samples' names, or None.
    classes
        The classes' names, or None.
    """

    n_classes: int
    first: str
    options: InputOptions
    member: bool = False
    record: Mapping[str, Any] | None = None
    keys: tuple[str, ...] = ()
    sample: str | None = None
    classes: tuple[str, ...] | None = None


def read_json(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
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
    document = strict_json.load_all(take_all(stream), name, mask_hint(options))
    return read_document(document, name, options)


def read_document(document: Any, name: str, options: InputOptions) -> Logits:
    """Read logits from a JSON value."""
    classes = samples = None
    if isinstance(document, dict) and "logits" in document:
        _warn_of_others(document, ("logits", "classes", "samples"), name)
        classes = strict_json.names(document, "classes", name)
        samples = strict_json.names(document, "samples", name)
        document = document["logits"]
        if not isinstance(document, list) or not document:
            raise InputError(name, f'expected an array as "logits", found {shown(document)}')
    elif not isinstance(document, list | dict):
        raise InputError(name, f"expected an array or an object, found {shown(document)}")
    elif isinstance(document, list) and not document:
        raise InputError(name, "expected logits, found an empty array")
    if isinstance(document, dict) or not isinstance(document[0], list | dict):
        document = [document]

    def where(k: int) -> str:
        return f"{name}: sample {k + 1}"

    form = settle(document, where, "sample 1", name, options)
    _check_count(classes, form.n_classes, "classes", name)
    _check_count(samples, len(document), "samples", name)
    batch = read_batch(document, form, where, 0)
    if samples is not None:
        batch = replace(batch, samples=samples)
    return Logits(
        n_classes=form.n_classes,
        blocks=iter([batch]),
        class_names=classes or form.classes,
        names_samples=batch.samples is not None,
        sample_header=form.sample or "sample",
        n_samples=len(document),
    )


def settle(
    samples: Sequence[Any], where: Where, first: str, name: str, options: InputOptions
) -> Form:
    """Find the form of the first samples.

    Parameters
    ----------
    samples
        Their JSON values.
    where
        Names the place of sample k.
    first
        What messages call the first.
    name
        What messages call the source.
    options
        What the user said; columns can be chosen in records only.
    """
    value, place = samples[0], where(0)
    if isinstance(value, dict) and "logits" not in value:
        return _settle_records(samples, where, first, name, options)
    refuse_columns(options, name)
    if not isinstance(value, dict):
        return Form(len(_array(value, place)), first, options)
    _warn_of_others(value, ("logits", "classes", "sample"), place)
    n_classes = len(_array(value["logits"], place))
    classes = strict_json.names(value, "classes", place)
    _check_count(classes, n_classes, "classes", place)
    sample = "sample" if "sample" in value else None
    return Form(n_classes, first, options, member=True, sample=sample, classes=classes)


def _settle_records(
    samples: Sequence[Any], where: Where, first: str, name: str, options: InputOptions
) -> Form:
    record: dict[str, Any] = samples[0]
    if not record:
        raise InputError(where(0), "expected at least one logit, found an empty object")
    for k, each in enumerate(samples[:SAMPLES_OF_COLUMN]):
        _check_record(each, record, where(k), first)
    header = tuple(record)
    kinds = kinds_of([each[key] for each in samples[:SAMPLES_OF_COLUMN]] for key in header)
    columns = choose_columns(header, kinds, options, name)
    keys = tuple(header[c] for c in columns.logits)
    for key in keys:
        if isinstance(record[key], list):
            hint = 'logits in arrays go under the key "logits", as in {"logits": [1, 2]}'
            problem = f"expected a number, found {shown(record[key])}"
            raise InputError(f"{where(0)}, {quoted(key)}", problem, hint)
    sample = None if columns.sample is None else header[columns.sample]
    return Form(len(keys), first, options, record=record, keys=keys, sample=sample, classes=keys)


def read_batch(samples: Sequence[Any], form: Form, where: Where, start: int) -> Batch:
    """Turn JSON values of that form into samples.

    Raises
    ------
    InputError
        For the first sample at fault.
    """
    rows = _records(samples, form, where) if form.keys else _arrays(samples, form, where)

    def place(k: int, c: int | None) -> str:
        if c is None:
            return where(k)
        return f"{where(k)}, {quoted(form.keys[c]) if form.keys else f'value {c + 1}'}"

    flat = list(chain.from_iterable(rows))
    values = strict_json.numbers(
        flat, lambda i: place(*divmod(i, form.n_classes)), mask_hint(form.options)
    )
    logits = values.reshape(len(samples), form.n_classes)
    (form.options.check or check_logits)(logits, place)
    key = form.sample
    if key is None:
        return Batch(logits, start)
    for k, each in enumerate(samples):
        if key not in each:
            problem = f"expected {quoted(key)} as in {form.first}, found none"
            raise InputError(where(k), problem)
    names = (strict_json.name(each[key], where(k)) for k, each in enumerate(samples))
    return Batch(logits, start, tuple(names))


def mask_hint(options: InputOptions) -> str:
    """Say how to write infinity, where logits are read: in nothing else it masks a class."""
    return strict_json.MASK_HINT if options.check is None else ""


def _records(samples: Sequence[Any], form: Form, where: Where) -> list[list[Any]]:
    assert form.record is not None
    for k, each in enumerate(samples):
        _check_record(each, form.record, where(k), form.first)
    return [[each[key] for key in form.keys] for each in samples]


def _arrays(samples: Sequence[Any], form: Form, where: Where) -> list[list[Any]]:
    rows = list(samples)
    for k, each in enumerate(samples if form.member else ()):
        if not isinstance(each, dict) or "logits" not in each:
            problem = f'expected an object with "logits", found {shown_with_keys(each)}'
            raise InputError(where(k), problem)
        if "classes" in each:
            names = strict_json.names(each, "classes", where(k)) or ()
            check_classes(names, form.classes or (), where(k), form.first)
        rows[k] = each["logits"]
    for k, row in enumerate(rows):
        check_length(len(_array(row, where(k))), form.n_classes, where(k), form.first)
    return rows


def _array(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(place, f"expected an array of one sample's logits, found {shown(value)}")
    if not value:
        raise InputError(place, "expected at least one logit, found an empty array")
    return value


def _check_record(record: Any, first: Mapping[str, Any], place: str, first_place: str) -> None:
    """Refuse what is no object with the keys of the first record."""
    if not isinstance(record, dict):
        raise InputError(place, f"expected an object, found {shown(record)}")
    if record.keys() != first.keys():
        odd = min(record.keys() ^ first.keys())
        found = f"found an object that {'misses' if odd in first else 'has besides'} {quoted(odd)}"
        raise InputError(place, f"expected the keys of {first_place}, {found}")


def _warn_of_others(document: Mapping[str, Any], known: Sequence[str], place: str) -> None:
    """Say which key beside the logits is not read: its name may be mistyped."""
    others = [key for key in document if key not in known]
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        read = " and ".join(f'"{key}"' for key in known[1:])
        warn(place, f'{quoted(others[0])}{more} is not read: beside "logits" only {read} are')


def _check_count(names: Sequence[str] | None, count: int, key: str, place: str) -> None:
    """Refuse more names, or fewer, than there are things to be named."""
    if names is not None and len(names) != count:
        problem = f'expected {plural(count, "name")} in "{key}", found {len(names)}'
        raise InputError(place, problem)
