"""Parquet, by pyarrow: columns of numbers, and one of names."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np

from softmax_cli.errors import InputError, quoted, visible
from softmax_cli.options import InputOptions, Place
from softmax_cli.reading import strict_json
from softmax_cli.reading.columns import (
    SAMPLES_OF_COLUMN,
    Columns,
    choose_columns,
    is_doubtful,
    kinds_of,
)
from softmax_cli.reading.text import Stream, take_all
from softmax_cli.reading.validity import check_lengths, place_in, place_of_sample
from softmax_cli.samples import Batch, FloatArray, Logits
from softmax_cli.words import mending

_VALUES_A_BATCH = 1 << 17


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
        Where pyarrow is missing, and for what is no table of logits.
    """
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError:
        hint = "pip install pyarrow, which the extra named parquet brings too"
        raise InputError(name, "expected pyarrow to read parquet, found none", hint) from None
    with _told(name):
        if is_file := not stream.is_packed and stream.raw.seekable():
            stream.raw.seek(0)
        file = ParquetFile(stream.raw if is_file else pyarrow.BufferReader(take_all(stream)))
        header = file.schema_arrow.names
        least = SAMPLES_OF_COLUMN if is_doubtful(header, options) else 1
        rows = max(least, _VALUES_A_BATCH // max(1, len(header)))
        tables = file.iter_batches(rows, use_threads=False)
        first = next(tables, None)
        if not header or not first:
            raise InputError(name, "expected logits, found no rows")
        kinds = list(map(_kind, first.columns))
    columns = choose_columns(header, kinds, options, name)
    if columns.array is not None:
        columns = columns.with_array(first.column(columns.array)[0].as_py() or ())
    for c in columns.logits if columns.array is None else ():
        if kinds[c] in ("text", "arrays"):
            problem = f"expected a column of numbers, found {first.column(c).type}"
            hint = f"if it holds the logits, give --key {header[c]}" if kinds[c] == "arrays" else ""
            raise InputError(f"{name}: {quoted(header[c])}", problem, hint)

    def batches() -> Iterator[Batch]:
        start = 0

        with _told(name):
            for table in chain([first], tables):
                place = place_in(place_of_sample(name, start), columns.names)
                logits = _logits(table, columns, place, options)
                ids = None if columns.sample is None else table.column(columns.sample).to_pylist()
                names = ids and tuple("" if i is None else str(i) for i in ids)
                kept = [table.column(c).to_pylist() for c in columns.kept]
                rows = tuple(zip(*kept, strict=True)) or None
                yield Batch(logits, start, names, kept=rows, place=place)
                start += len(logits)

    return columns.source(batches())


def _logits(table: Any, columns: Columns, place: Place, options: InputOptions) -> FloatArray:
    """Take the numbers of some rows; missing ones are nan where samples may be left out."""
    if columns.array is not None:
        column, width = table.column(columns.array), len(columns.logits)
        blank = (None,) * width if options.skip_invalid else ()
        rows = [row or blank for row in column.to_pylist()]
        check_lengths(rows, width, place, "the first sample")
        flat = list(chain.from_iterable(rows))
        values = strict_json.numbers(flat, lambda i: place(*divmod(i, width)), options.skip_invalid)
        return values.reshape(-1, width)
    picked = [table.column(c) for c in columns.logits]
    for c, column in enumerate(picked):
        if column.null_count and not options.skip_invalid:
            k = column.to_pylist().index(None)
            raise InputError(place(k, c), "expected a number, found null", mending(""))
    numbers = [column.cast("float64") for column in picked]
    return np.column_stack([each.to_numpy(zero_copy_only=False) for each in numbers])


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell what pyarrow raises for a damaged file in one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # of no one kind
        raise InputError(name, f"expected a parquet file: {visible(str(error))[:200]}") from None


def _kind(column: Any) -> str:
    from pyarrow import types

    numeric = (types.is_integer, types.is_floating, types.is_decimal)
    if not any(is_a(column.type) for is_a in numeric):
        return "arrays" if types.is_nested(column.type) else "text"
    return kinds_of([[value] for value in column.to_pylist()])[0]
