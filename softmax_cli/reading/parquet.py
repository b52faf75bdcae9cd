"""Parquet, by pyarrow: columns of numbers, and one of names."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain
from typing import Any

import numpy as np

from softmax_cli.errors import InputError, warn
from softmax_cli.options import InputOptions
from softmax_cli.reading.columns import Columns, choose_columns, kinds_of, n_needed
from softmax_cli.reading.text import Stream, readable
from softmax_cli.reading.validity import place_in, place_of_sample
from softmax_cli.samples import Batch, Logits, Place, as_text

_EXPECTED = "cannot be read as parquet"


def read_parquet(stream: Stream, name: str, options: InputOptions) -> Logits:
    """Read a parquet file batch by batch; a pipe is read whole, for the format ends in its index.

    Parameters
    ----------
    stream
        The file, or a pipe.
    name
        What messages call the stream.
    options
        What the user said; columns are chosen as in delimited text.

    Raises
    ------
    InputError
        For what is no table of logits.
    """
    import pyarrow
    from pyarrow.parquet import ParquetFile

    with readable(name, _EXPECTED):
        if is_file := not stream.is_packed and stream.raw.seekable():
            stream.raw.seek(0)
        source = stream.raw if is_file else pyarrow.BufferReader(stream.read())
        file = ParquetFile(source, page_checksum_verification=True)
        header = file.schema_arrow.names
        rows = max(1, n_needed(header, options), (1 << 17) // max(1, len(header)))
        tables = file.iter_batches(rows, use_threads=False)
        first = next(tables, None)
        if not header or not first:
            raise InputError(name, "expected logits, found no rows")
        written = (file.schema_arrow.pandas_metadata or {}).get("index_columns", ())
        if any(type(x) is dict and x | {"name": None, "start": 0, "step": 1} != x for x in written):
            warn(name, "its index is not read; reset_index() keeps it")
        kinds = ["text" if x in written else _kind(first[c]) for c, x in enumerate(header)]
        cells = list(zip(*map(_values, first.columns), strict=True))
    columns = choose_columns(header, kinds, cells, options, name)
    if columns.array is not None and "classes" in header:
        warn(name, "'classes' is not read: classes are taken by place")

    def batches() -> Iterator[Batch]:
        start = 0
        with readable(name, _EXPECTED):
            for table in chain([first], tables):
                place = place_in(place_of_sample(name, start), columns.names)
                yield _batch(table, columns, place, start, options)
                start += len(table)

    every = file.schema_arrow.types
    types = {header[c]: every[c] for c in columns.kept}
    if (c := columns.sample) is not None and kinds[c] != "arrays" and "string" in str(every[c]):
        types[header[c]] = every[c]
    return columns.source(batches(), dtype=np.dtype(np.float64), kept_types=types)


def _batch(table: Any, columns: Columns, place: Place, start: int, options: InputOptions) -> Batch:
    used = {*columns.logits, columns.array, columns.sample, *columns.kept}
    cells = (_values(x) if c in used else [None] * len(table) for c, x in enumerate(table.columns))
    rows, in_quotes = list(zip(*cells, strict=True)), options.key is not None
    return columns.batch(rows, start, place, options, in_quotes=in_quotes, binary={Decimal})


def _values(column: Any) -> list[Any]:
    """Return Python's values; it has no type for nanoseconds: text, and numbers of durations."""
    if getattr(column.type, "unit", "") == "ns":
        column = column.cast("int64" if str(column.type).startswith("duration") else "string")
    return list(column.to_pylist())


def _kind(column: Any) -> str:
    from pyarrow import types

    if column.null_count < len(column) and types.is_nested(column.type):
        return "objects" if types.is_struct(column.type) or types.is_map(column.type) else "arrays"
    values = [each for each in _values(column[:1000]) if each is not None] or [None]
    is_text = isinstance(values[0], str | bytes)
    (kind,) = kinds_of([as_text(value) if is_text else value] for value in values)
    is_time = types.is_temporal(column.type)
    return "text" if is_time else "digits" if is_text and kind == "whole" else kind
