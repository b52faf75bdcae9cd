"""What programs read: csv and tsv, JSON and JSON lines, NPY and parquet, each from its blocks."""

import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, repeat
from json.encoder import encode_basestring_ascii as encode
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from softmax_cli.errors import InputError, quoted, visible
from softmax_cli.fast import print_rows
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Probabilities, Report, Result
from softmax_cli.samples import Batch, FloatArray, Logits, as_text, concatenate, from_text
from softmax_cli.writing.target import Target, write_all


def write_delimited(result: Result, target: Target, options: OutputOptions) -> None:
    """Write rows as they are computed."""
    delimiter = "\t" if options.output_format == "tsv" else ","
    if isinstance(result, Arrays):
        header = _csv_lines([column_names(result)] if result.has_header else [], delimiter)
        # Without quotes a name that begins with # would begin a comment.
        head = re.sub(f"\\A *#[^\n{delimiter}]*", r'"\g<0>"', "".join(header)).encode()
        write_all(result, target, options.jobs, head, partial(_delimited, result, delimiter))
    elif isinstance(result, Report):
        rows = [map(as_text, row) for row in result.rows]
        target.write("".join(_csv_lines([result.columns, *rows], delimiter)).encode())


def column_names(result: Arrays) -> list[str]:
    """Name the columns: those of names, and those of numbers."""
    logits, quantity = result.logits, result.quantity
    numbers = [result.prefix + name for name in logits.classes]
    if quantity.rank == 0:
        numbers = ["partial"]
    elif result.top:
        places = range(1, min(result.top, logits.n_classes) + 1)
        pair = "top", "log_" * quantity.log + "p"
        numbers = [f"{name}{place}" for place in places for name in pair]
    if twice := {*logits.kept_names} & {*numbers}:
        problem = f"expected a column that names no class, found {quoted(min(twice))}"
        hint = f"give --prefix {result.prefix}p_" * (quantity.rank > 0 and not result.top)
        raise InputError("--keep", problem, hint)
    if quantity.rank == 2:
        return ["sample", *logits.kept_names, "output", *numbers]
    return [logits.sample_header] * logits.names_samples + [*logits.kept_names, *numbers]


def name_columns(result: Arrays, block: Block) -> list[Sequence[object]]:
    """Return the columns of names and of what is kept, which stand before the results."""
    logits, batch, is_matrix = result.logits, block.batch, result.quantity.rank == 2
    columns: list[Sequence[object]] = [batch.labels] if logits.names_samples or is_matrix else []
    columns += zip(*batch.kept or (), strict=True)
    if is_matrix:
        outputs = [logits.classes[j] for j in block.outputs]
        columns = [[value for value in column for _ in outputs] for column in columns]
        columns.append(outputs * len(batch.labels))
    return columns


def result_columns(result: Arrays, block: Block) -> list[Any]:
    """Return the columns of results: numbers, or classes and numbers by turns."""
    if not result.top:
        return list(block.rows.T.copy())
    classes, values = result.largest(block)
    return [each for pair in zip(classes.T, values.T, strict=True) for each in pair]


def _delimited(result: Arrays, delimiter: str, block: Block) -> bytes:
    columns: list[Iterable[object]] = [*name_columns(result, block)] if result.has_header else []
    if block.batch.kept:
        columns = [map(as_text, column) for column in columns]
    if result.top:
        columns += result_columns(result, block)
        return "".join(_csv_lines(zip(*columns, strict=True), delimiter)).encode()
    text = print_rows(block.rows, delimiter)
    if not columns:
        return text
    # The names before a row end in an empty cell, and so in the delimiter before its numbers.
    names = _csv_lines(zip(*columns, repeat(""), strict=False), delimiter)
    named = zip(names, text.decode().splitlines(keepends=True), strict=True)
    return "".join([name[:-1] + row for name, row in named]).encode()


def _csv_lines(rows: Iterable[Iterable[object]], delimiter: str) -> list[str]:
    import csv

    lines: list[str] = []
    collect = SimpleNamespace(write=lambda line: lines.append(line[:-2] + "\n"))
    # The writer quotes what is in its line end; a carriage return alone ends a line for many.
    csv.writer(collect, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return lines


def write_json(result: Result, target: Target, options: OutputOptions) -> None:
    """Write one document; names come first, so the input is read whole before it begins."""
    if isinstance(result, Report):
        target.write(f"{_dump(result.document())}\n".encode())
        return
    assert isinstance(result, Arrays)
    logits = result.logits
    batch = concatenate(logits.batches, logits.n_classes)
    head = dict[str, Any](command=result.command, classes=logits.classes, samples=batch.labels)
    head |= {"kept": _kept(logits, batch)} if batch.kept else {}
    head |= {"log": True} if result.quantity.log and result.command == "jacobian" else {}
    if result.quantity.entry is not None:
        output, input_ = (logits.classes[position] for position in result.quantity.entry)
        head["entry"] = {"output": output, "input": input_}
    target.write(_dump(head)[:-1].encode())
    also = [Probabilities(result.quantity.temperature)] if result.quantity.rank == 2 else []
    for quantity in (*also, result.quantity):
        separator = f',"{"top" if result.top else quantity.key}":['
        for block in quantity.blocks([batch]):
            target.write((separator + ",".join(_json_samples(result, block))).encode())
            separator = ","
        target.write(b"]")
    target.write(b"}\n")


def write_jsonl(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a line a sample, as it is computed."""
    if isinstance(result, Arrays):
        keys = [encode(name).replace("%", "%%") for name in result.logits.class_names or ()]
        row = f"{{{':%s,'.join(keys)}:%s}}" if keys and len(set(keys)) == len(keys) else ""
        write_all(result, target, options.jobs, b"", partial(_json_lines, result, row))
    elif isinstance(result, Report):
        rows = (dict(zip(result.columns, row, strict=True)) for row in result.rows)
        samples = result.document().get("samples", rows)
        target.write("".join(f"{_dump(sample)}\n" for sample in samples).encode())


def _json_lines(result: Arrays, row: str, block: Block) -> bytes:
    end, values = "}\n" if block.ends else "", _json_samples(result, block, row)
    if not block.begins:
        return "".join(f",{value}{end}" for value in values).encode()
    key = "top" if result.top else "partial" if result.quantity.entry else result.quantity.key
    names: Iterable[str] = map(encode, block.batch.labels)
    if block.batch.kept:
        names = map('{},"kept":{}'.format, names, map(_dump, _kept(result.logits, block.batch)))
    named = zip(names, values, strict=True)
    return "".join([f'{{"sample":{name},"{key}":{value}{end}' for name, value in named]).encode()


def _dump(value: Any) -> str:
    """Dump with the shortest digits that read back; JSON lacks infinities and NaN: strings."""
    text = json.dumps(value, separators=(",", ":"), default=as_text)
    return re.sub(r'("(?:[^"\\]|\\.)*")|-?Infinity|NaN', lambda x: x[1] or f'"{x[0]}"', text)


def _refuse_repeated(names: Sequence[str]) -> None:
    if repeated := [name for name, times in Counter(names).items() if times > 1]:
        problem = f"expected columns of different names, found {quoted(repeated[0])} twice"
        raise InputError("--format", problem, "csv and tables take them")


def _kept(logits: Logits, batch: Batch) -> list[dict[str, object]]:
    """Return what is kept of each sample."""
    _refuse_repeated(logits.kept_names)
    return [dict(zip(logits.kept_names, row, strict=True)) for row in batch.kept or ()]


def _json_samples(result: Arrays, block: Block, row: str = "") -> list[str]:
    """Return each sample's number, array or array of arrays, as text.

    The numbers of the classes may be put into a text with so many ``%s``. A block that does not
    begin or end its sample leaves the bracket away.
    """
    if result.top:
        classes, values = result.largest(block)
        pair = f'{{"class":%s,"{"log_" * result.quantity.log}probability":%s}}'
        largest = zip(classes.tolist(), _print_lines(values), strict=True)
        rows = (zip(map(encode, names), line.split(","), strict=True) for names, line in largest)
        return [f"[{','.join([pair % each for each in pairs])}]" for pairs in rows]
    lines = _print_lines(block.rows)
    if block.values.ndim == 1:
        return lines
    row = row if block.values.ndim == 2 else ""
    arrays = [row % tuple(line.split(",")) if row else f"[{line}]" for line in lines]
    if block.values.ndim == 2:
        return arrays
    n, opening, closing = len(block.outputs), "[" * block.begins, "]" * block.ends
    matrices = (",".join(arrays[k : k + n]) for k in range(0, len(arrays), n))
    return [f"{opening}{matrix}{closing}" for matrix in matrices]


def _print_lines(values: FloatArray) -> list[str]:
    text = print_rows(values).decode()
    if "inf" in text:
        text = re.sub("(-?)inf", r'"\1Infinity"', text)
    return text.splitlines()


def write_npy(result: Result, target: Target, options: OutputOptions) -> None:
    """Write an array of shape (K,), (K, C) or (K, C, C), with the dimensions of the input for K."""
    assert isinstance(result, Arrays)
    known, n_axes = result.logits.n_samples, len(result.logits.shape or (0, 0))
    if result.quantity.rank == 1 and result.logits.axis not in (-1, n_axes - 1):
        blocks = result.quantity.blocks(result.logits.batches)
        rows = np.concatenate([block.values for block in blocks])
        np.save(stream := io.BytesIO(), result.logits.restored(rows))
        target.write(stream.getvalue())
        return
    with target.whole() as whole:
        head = _npy_header(result, known or 0)
        n_samples = write_all(result, whole, options.jobs, head, lambda each: each.values.tobytes())
        if known is None:  # they are counted now; numpy leaves room for the digits
            whole.stream.seek(0)
            whole.write(_npy_header(result, n_samples))


def _npy_header(result: Arrays, n_samples: int) -> bytes:
    shape = (*result.logits.lead(n_samples), *[result.logits.n_classes] * result.quantity.rank)
    stream = io.BytesIO()
    header = {"descr": np.dtype(float).str, "fortran_order": False, "shape": shape}
    npy_format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def write_parquet(result: Result, target: Target, options: OutputOptions) -> None:
    """Write the columns that csv has.

    Raises
    ------
    InputError
        Where two columns have one name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    if isinstance(result, Report):
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        batches = iter(pa.Table.from_pylist(rows).to_batches())
    elif isinstance(result, Arrays):
        batches = _record_batches(result)
    first = next(batches)
    with target.whole() as whole, pq.ParquetWriter(whole.stream, first.schema) as writer:
        for batch in chain([first], batches):
            writer.write_batch(batch)


def _record_batches(result: Arrays) -> Iterator[Any]:
    """Make a batch of each block; the types of the first are those of all."""
    import pyarrow as pa

    names = column_names(result)
    _refuse_repeated(names)
    known = list(map(result.logits.kept_types.get, names))
    types: list[Any] = known
    for block in result.quantity.blocks(result.logits.batches):
        named = name_columns(result, block)
        if result.logits.names_samples and not known[0]:
            named[0] = list(map(from_text, named[0]))
        try:
            arrays = list(map(_column, named, known, types))
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            problem = visible(f"expected one type a column for parquet: {error}")
            raise InputError("--id or --keep", problem, "csv and jsonl take them") from None
        types = [array.type for array in arrays]
        yield pa.record_batch([*arrays, *map(pa.array, result_columns(result, block))], names)


def _column(values: Sequence[object], known: Any, kind: Any) -> Any:
    """Make a column of the type it had, or of that of the block before, which changes no value."""
    import pyarrow as pa

    if known:
        is_text = str(known).startswith("timestamp[ns")  # for which Python has no type
        return pa.array(values, "string").cast(known) if is_text else pa.array(values, known)
    kinds = {*map(type, values)} - {type(None)}
    if kind == "string" or (str in kinds and len(kinds) > 1):
        values, kinds = [None if each is None else as_text(each) for each in values], {str}
    array = pa.array(values)
    fitted = array if kind is None else array.cast(kind)
    # To pyarrow, true is 1.0.
    are_flags = bool in kinds if kind is None else kind == "bool"
    if any((each is bool) != are_flags for each in kinds) or fitted.cast(array.type) != array:
        raise TypeError(f"found {array.type} behind or beside another type")
    return fitted
