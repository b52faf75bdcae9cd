"""JSON: arrays, an object with "logits", or records; JSON lines hold one of them a line."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import Any

from softmax_cli import fast
from softmax_cli.ending import uninterrupted
from softmax_cli.errors import InputError, quoted, warn
from softmax_cli.options import InputOptions
from softmax_cli.reading import columns as rules
from softmax_cli.reading import strict_json, validity
from softmax_cli.reading.columns import Columns
from softmax_cli.reading.strict_json import load, load_lines, member
from softmax_cli.reading.text import Stream, count_lines, decode, read_lines, take_all
from softmax_cli.reading.validity import Where
from softmax_cli.samples import Batch, Logits, TextBlock


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
    if not (content := take_all(stream)).strip():
        raise InputError(name, "expected logits, found nothing")
    with uninterrupted():
        if strict_json.looks_like_lines(content):
            document, _ = load_lines(content, name, as_text=bool(options.quantity))
        else:
            document = load(decode(content, name), name, as_text=bool(options.quantity))
    return (_read_results if options.quantity else _read_document)(document, name, options)


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
    if options.quantity is not None:
        return read_json(stream, name, options)
    _, head = stream.take_head()
    samples, lines = load_lines(head, name)
    if not samples:
        raise InputError(name, "expected logits, found nothing")
    keys = samples[0] if isinstance(samples[0], dict) else ()
    while len(samples) < rules.n_needed(keys, options) and (more := stream.take(len(head))):
        head += more
        samples, lines = load_lines(head, name)
    columns = _settle(samples, lambda k: f"{name}:{lines[k]}", name, options)

    text = head.strip().partition(b"\n")[0]
    prefix, suffix = text[: text.find(b"[") + 1], text[text.rfind(b"]") :]
    is_array_alone = columns.array is not None and columns.sample is None and not columns.kept

    def parse(block: TextBlock) -> Batch:
        content = block.content.removesuffix(b"\n")
        # Around plain numbers each line may have the text that the first one has.
        if is_array_alone and content.startswith(prefix) and content.endswith(suffix):
            inner = content[len(prefix) : -len(suffix)].replace(suffix + b"\n" + prefix, b"\n")
            if (logits := fast.load_rows(inner, len(columns.logits))) is not None:
                place = validity.place_in(lambda k: f"{name}:{block.line + k}")
                return Batch(logits, block.start, place=place)
        values, lines = load_lines(block.content, name, block.line)
        return _batch(values, columns, lambda k: f"{name}:{lines[k]}", block.start, options)

    def read(block: TextBlock) -> tuple[Batch, int]:
        return parse(block), block.line + block.content.count(b"\n")

    first, line = read(TextBlock(1, head))
    blocks = read_lines(stream, line, first, count_lines, read)
    return columns.source(blocks, parse=parse, is_ready=stream.is_ready)


def _read_document(document: Any, name: str, options: InputOptions) -> Logits:
    """Read logits from a JSON value."""
    rows, named = _records(document, name, options), dict[str, Any]()
    if isinstance(rows, dict):
        key = options.key or next((x for x in rules.keys_of(options) if x in rows), "logits")
        if (found := member(rows, key)) is None and options.key:
            problem = f"expected a member, found no {quoted(options.key)}"
            raise InputError("--key", problem, strict_json.key_hint(rows))
        is_array = isinstance(found, list) and found and not isinstance(_first(found), list | dict)
        if found is None or (is_array and "samples" not in rows):
            rows = [rows]
        else:
            top, inner = key.split(".")[0], member(rows, key.partition("*")[0].rstrip(".")) or rows
            named = {x: rows[x] for x in rows if x not in (key, top) and top != "*"}
            # The keys of all.
            named |= {"samples": [*inner]} if "*" in key and isinstance(inner, dict) else {}
            if isinstance(holder := member(rows, key.rpartition(".")[0]), dict):
                named |= {x: holder[x] for x in ("classes", "samples") if x in holder}
            if options.axis in (0, -2) and not (options.results_of or "*" in key):  # it is turned
                named |= {"classes": named.get("samples"), "samples": named.get("classes")}
            found = [found] if isinstance(found, dict) else found
            is_one = isinstance(found, list) and len(found) == 1
            for x in filter(rules.names_samples, [*named] * is_one):
                named[x] = named[x] if isinstance(named[x], list) else [named[x]]
            rows = _with_columns(found, named, name, options)
            if rows is found or isinstance(_first(found), dict):
                options = replace(options, key=None if options.key is None else "")
    return _read_rows(rows, named, name, options)


def _read_rows(rows: Any, named: dict[str, Any], name: str, options: InputOptions) -> Logits:
    """Read arrays or records, of which one may stand alone; what they are named may be beside."""
    rows = [rows] if isinstance(rows, dict) else rows
    if not isinstance(rows, list) or not rows:
        raise InputError(name, f"expected an array of logits, found {validity.shown(rows)}")
    is_alone = not isinstance(_first(rows), list | dict)
    rows, shape = [rows] if is_alone else rows, [len(rows)] * (not is_alone)
    is_result = options.quantity is not None
    where = validity.place_of_sample(name, noun="row" if is_result else "sample")
    while is_result and isinstance(rows[0], list) and rows[0] and isinstance(rows[0][0], list):
        shape.append(len(rows[0]))
        rows = [row if isinstance(row, list) else [] for row in rows]
        validity.check_lengths(rows, shape[-1], validity.place_in(where), "the first")
        rows = list(chain.from_iterable(rows))
    titles = (options.id_column, *(x for x in named if rules.names_samples(x.removesuffix("s"))))
    title = next((x for x in titles if x and isinstance(named.get(x), list)), "samples")
    columns = _settle(rows, where, name, options)
    batch = _batch(rows, columns, where, 0, options)
    K, C = batch.logits.shape
    classes = strict_json.names(named, "classes", name, C) or columns.names
    validity.check_classes(classes or (), columns.names or classes or (), name, "the logits")
    # Each sample may have many rows of results.
    samples = strict_json.names(named, title, name, None if is_result else K) or batch.samples
    source = columns.source(iter([replace(batch, samples=samples)]))
    source = replace(source, class_names=classes, names_samples=samples is not None, n_samples=K)
    return replace(source, shape=(*shape, C)) if is_result else source


def _with_columns(found: Any, named: dict[str, Any], name: str, options: InputOptions) -> Any:
    """Make records of rows and of the lists beside them that are as long.

    Beside records, where numbers would be logits, only names are.
    """
    lists = [x for x in named if x != "classes" and isinstance(named[x], list)]
    first = _first(found) if isinstance(found, list) else None
    width = len(first) if isinstance(first, list) and not isinstance(_first(first), list) else 0
    for x in (x for x in lists if "classes" not in named and len(named[x]) == width):
        if isinstance(_first(named[x]), str) and not rules.names_samples(x.removesuffix("s")):
            warn(name, f"if {quoted(x)} names the classes, call it classes")
    columns = [x for x in lists if isinstance(found, list) and len(named[x]) == len(found)]
    if columns and options.results_of is None and {*map(type, found)} == {dict}:
        text = {x for x in columns if rules.kinds_of([each] for each in named[x]) == ["text"]}
        numbers = {*columns} - {"samples", *text, *filter(rules.names_samples, columns)}
        if numbers and options.keep:
            raise InputError("--keep", f"expected records that hold {quoted(min(numbers))}")
        columns, rows = [x for x in columns if x not in numbers], found
    elif width and not {*columns} <= {"samples"}:
        rows = [{options.key or rules.keys_of(options)[0]: row} for row in found]
    else:
        return found
    said = {options.id_column, *",".join(options.keep).split(",")}
    singular = [x if x in said else x.removesuffix("s") for x in columns]
    header = [y if rules.names_samples(y) else x for x, y in zip(columns, singular, strict=True)]
    beside = list(zip(*map(named.pop, columns), strict=True)) or [()] * len(rows)
    cells = (zip(header, each, strict=True) for each in beside)
    return [strict_json.unique([*x, *y.items()], name) for x, y in zip(cells, rows, strict=True)]


def _holder(sample: Any, key: str | None) -> Any:
    """Return the object that names an array's classes: what holds it, or the whole; or nothing."""
    holders = member(sample, (key or "").rpartition(".")[0]), sample
    return next((x for x in holders if isinstance(x, dict) and "classes" in x), {})


def _first(values: Sequence[Any]) -> Any:
    return next((each for each in values if each is not None), None)


def _records(document: Any, name: str, options: InputOptions) -> Any:
    """Make records of a table by its columns, or as pandas splits it; leave others alone."""
    if not isinstance(document, dict) or not document:
        return document
    parts, index, header = list(document.values()), None, [*map(str, document)]
    first, is_said, ours = parts[0], options.columns is not None, options.results_of
    is_found = options.key and isinstance(member(document, options.key), list)
    is_pandas = isinstance(first, dict) and first and (is_said or all(map(str.isdecimal, first)))
    try:
        if document.keys() - {"index"} == {"columns", "data"}:
            rows, index = document["data"], document.get("index")
            header = list(strict_json.names(document, "columns", name) or ())
        elif is_said and {*map(type, parts)} == {list} and not isinstance(_first(first), dict):
            rows = list(zip(*parts, strict=True))
        elif is_found or not is_pandas or {*map(len, parts)} != {len(first)}:
            return document
        else:
            index, rows = list(first), [[each[key] for each in parts] for key in first]
            if not (is_said or (ours and header != index) or {*map(type, rows[0])} - {int, float}):
                warn(name, f"{quoted(header[0])} is read as a column; if it is a sample: --key '*'")
        if index and [*map(str, index)] != [*map(str, range(len(rows)))]:
            header = ["", *header]
            rows = [[label, *row] for label, row in zip(index, rows, strict=True)]
        return [strict_json.unique(list(zip(header, row, strict=True))) for row in rows]
    except (InputError, KeyError, TypeError, ValueError):  # of no such table
        return document


def _read_results(document: Any, name: str, options: InputOptions) -> Logits:
    """Read somebody's results: an array of any shape, alone or under its key, or numbers by class.

    Under its key it stands in an object, or a part of it in each of many.
    """
    # As we write a single line.
    if isinstance(document, dict) and isinstance(document.get("sample"), str | int):
        document = [document]
    is_list, rows, named = isinstance(document, list), document, dict[str, Any]()
    first = document[0] if is_list and document else document
    keys = [x for x in rules.keys_of(options) if x in first] if isinstance(first, dict) else []
    values = first[keys[0]] if keys else None
    # Rows of numbers in records are columns.
    if keys and not (is_list and type(values) is list and type(_first(values)) not in (list, dict)):
        at = "*." * is_list
        rows = member(document, at + keys[0])
        named = {x: member(document, at + x) for x in first if x != keys[0]}
        rows = _with_columns(rows, named, name, options)
        if at and "classes" in first:
            every = [strict_json.names(x, "classes", name) for x in document if isinstance(x, dict)]
            for each in every:
                validity.check_classes(each or (), every[0] or (), name, "the first sample")
            named["classes"] = first["classes"]
    return _read_rows(_records(rows, name, options), named, name, options)


def _settle(samples: Sequence[Any], where: Where, name: str, options: InputOptions) -> Columns:
    """Find the form of the first samples."""
    if not isinstance(first := _first(samples), dict) or not first:
        problem = f"expected named columns, found none in {name}"
        rules.refuse_columns(replace(options, key=None), problem)
        values = member(first, options.key) if options.key else first
        if not isinstance(values, list) or not values:
            raise _no_array(values, options.key, where(0))
        header = (options.key,) if options.key else None
        return Columns(tuple(range(len(values))), header=header, array=0)
    if isinstance(first.get("samples"), list) and "sample" not in first and not options.id_column:
        options = replace(options, id_column="samples.0")
    said = (options.key, options.id_column, *rules.split_names(",".join(options.keep), "--keep"))
    others = [p for p in said if p and p not in first]
    keys = (*first, *[p for p in others if any(member(each, p) is not None for each in samples)])
    rows = [[member(each, key) for key in keys] for each in samples]

    def hint(_: str) -> str:
        if options.key is not None or options.results_of is not None:
            return f'call it "{options.quantity}"' * bool(options.quantity)
        hint = strict_json.key_hint(first, kind=list if len(samples) > 1 else list | dict)
        if len(first) > 1 and {*map(type, first.values())} in ({list}, {dict}):
            hint += f"; if each holds a class, --columns {shlex.quote(','.join(first))}"
        return hint.removeprefix("; ")

    kinds = rules.kinds_of(rows)
    for c, cells in enumerate(zip(*rows[:1000], strict=True)):
        text = {type(x) is str and (x.strip().isdigit() or "arrays" in kinds) for x in cells if x}
        if text == {True} and kinds[c] != "text":
            kinds[c] = "digits"  # as text, which names
    columns = rules.choose_columns(keys, kinds, rows, options, name, hint)
    if columns.array is None:
        return replace(columns, members=first.keys())
    needed = {keys[c] for c in (columns.array, columns.sample, *columns.kept) if c is not None}
    members = first.keys() if "all" in options.keep else needed & first.keys()
    holder = _holder(first, options.key)
    classes = strict_json.names(holder, "classes", where(0), len(columns.logits))
    for x in first if classes is None and options.quantity is None else ():
        if isinstance(first[x], list) and [*map(type, first[x])] == [str] * len(columns.logits):
            warn(name, f"if {quoted(x)} names the classes, call it classes")
    return replace(columns, classes=classes, members=members)


def _batch(
    samples: Sequence[Any], columns: Columns, where: Where, start: int, options: InputOptions
) -> Batch:
    """Turn JSON values of that form into samples."""
    # Of results, numbers come as text.
    width, in_quotes = len(columns.logits), options.key is not None or options.quantity is not None
    place = validity.place_in(where, columns.names if columns.array is None else None)

    def hint(i: int, value: object) -> str:
        known = ("*", options.key or "logits")
        return strict_json.key_hint(samples[i // width], known) * isinstance(value, list | dict)

    rows = [_row(each, columns, where(k), options) for k, each in enumerate(samples)]
    return columns.batch(rows, start, place, options, hint=hint, in_quotes=in_quotes)


def _row(sample: Any, columns: Columns, place: str, options: InputOptions) -> list[Any]:
    """Return the values of a sample's members, if it is of that form."""
    row = [sample]
    if columns.header is not None:
        keys = sample.keys() if isinstance(sample, dict) else frozenset()
        missing, others = columns.members - keys, keys - columns.members
        if columns.array is not None and "all" not in options.keep:
            others = {x for x in others if columns.sample is None and rules.names_samples(x)}
        if missing or others:
            found = f"no {quoted(min(missing))}" if missing else quoted(min(others))
            raise InputError(place, f"expected the keys of the first sample, found {found}")
        row = [sample[key] if key in keys else member(sample, key) for key in columns.header]
        if columns.sample is not None:
            strict_json.name(row[columns.sample], place)
        if columns.array is not None and (holder := _holder(sample, options.key)):
            names = strict_json.names(holder, "classes", place)
            validity.check_classes(names or (), columns.classes or (), place, "the first sample")
    array = [] if columns.array is None else row[columns.array]
    if not isinstance(array, list) and not (array is None and options.skip_invalid):
        raise _no_array(array, options.key, place)
    return row


def _no_array(found: Any, key: str | None, place: str) -> InputError:
    shown = f"no {quoted(key)}" if found is None and key else validity.shown(found)
    return InputError(place, f"expected an array of logits, found {shown}")
