"""Parquet, by pyarrow: columns of numbers, and one of names."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np

from softmax_cli.errors import InputError, quoted, visible
from softmax_cli.options import InputOptions
from softmax_cli.reading.columns import choose_columns, kinds_of
from softmax_cli.reading.text import Stream, take_all
from softmax_cli.reading.validity import check_logits, place_in, place_of_sample
from softmax_cli.samples import Batch, Logits

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
        if is_file := stream.raw.seekable():
            stream.raw.seek(0)
        file = ParquetFile(stream.raw if is_file else pyarrow.BufferReader(take_all(stream)))
        header = file.schema_arrow.names
        rows = max(1, _VALUES_A_BATCH // max(1, len(header)))
        tables = file.iter_batches(rows, use_threads=False)
        first = next(tables, None)
        if not header or not first:
            raise InputError(name, "expected logits, found no rows")
        kinds = list(map(_kind, first.columns))
    columns = choose_columns(header, kinds, options, name)
    for c in columns.logits:
        if kinds[c] == "text":
            problem = f"expected a column of numbers, found {first.column(c).type}"
            raise InputError(f"{name}: {quoted(header[c])}", problem)

    def batches() -> Iterator[Batch]:
        start = 0

        with _told(name):
            for table in chain([first], tables):
                place = place_in(place_of_sample(name, start), columns.names)
                picked = [table.column(c) for c in columns.logits]
                for c, column in enumerate(picked):
                    if column.null_count:
                        k = column.to_pylist().index(None)
                        raise InputError(place(k, c), "expected a number, found null")
                numbers = [column.cast("float64") for column in picked]
                logits = np.column_stack([each.to_numpy(zero_copy_only=False) for each in numbers])
                (options.check or check_logits)(logits, place)
                ids = None if columns.sample is None else table.column(columns.sample).to_pylist()
                yield Batch(logits, start, ids and tuple("" if i is None else str(i) for i in ids))
                start += len(logits)

    return columns.source(batches())


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
        return "text"
    return kinds_of([[value] for value in column.to_pylist()])[0]
