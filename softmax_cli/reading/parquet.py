"""Parquet, by pyarrow: columns of numbers, and one of names."""

import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BufferedReader
from os import fstat
from typing import Any

import numpy as np

from softmax_cli.errors import InputError, quoted, visible
from softmax_cli.options import InputOptions, Place
from softmax_cli.reading.columns import choose_columns, kinds_of
from softmax_cli.reading.text import take_all
from softmax_cli.reading.validity import check_logits
from softmax_cli.samples import Batch, FloatArray, Logits

_VALUES_A_BATCH = 1 << 17


def read_parquet(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
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
        import pyarrow.parquet
    except ImportError:
        hint = "install pyarrow, or this program with its extra: softmax-cli[parquet]"
        raise InputError(name, "expected pyarrow to read parquet, found none", hint) from None
    with _told(name):
        is_file = stat.S_ISREG(fstat(stream.fileno()).st_mode)
        source = stream if is_file else pyarrow.BufferReader(take_all(stream))
        file = pyarrow.parquet.ParquetFile(source)
        header, count = file.schema_arrow.names, file.metadata.num_rows
        step = max(1, _VALUES_A_BATCH // max(1, len(header)))
        tables = file.iter_batches(step, use_threads=False)
        first = next(tables, None)
    if not header or first is None or not len(first):
        raise InputError(name, "expected logits, found no rows")
    columns = choose_columns(header, list(map(_kind, first.columns)), options, name)
    names = [header[c] for c in columns.logits]
    for c in columns.logits:
        if not _is_numeric(first.column(c)):
            problem = f"expected a column of numbers, found {first.column(c).type}"
            raise InputError(f"{name}: {quoted(header[c])}", problem)

    def batches() -> Iterator[Batch]:
        start, table = 0, first
        while table is not None:
            with _told(name):
                logits = np.column_stack([_numbers(table.column(c)) for c in columns.logits])
                missing = [_first_null(table.column(c)) for c in columns.logits]
                ids = None if columns.sample is None else table.column(columns.sample).to_pylist()
            place = _place(name, names, start)
            k = min(missing)
            (options.check or check_logits)(logits[:k], place)
            if k < len(logits):
                raise InputError(place(k, missing.index(k)), "expected a number, found null")
            yield Batch(logits, start, ids and tuple("" if i is None else str(i) for i in ids))
            start += len(logits)
            with _told(name):
                table = next(tables, None)
                if start > count or (table is None and start < count):
                    raise ValueError(f"its index counts {count} rows, which it does not have")

    sample = "sample" if columns.sample is None else header[columns.sample] or "sample"
    return Logits(
        len(names), batches(), tuple(names), columns.sample is not None, sample, n_samples=count
    )


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Tell what pyarrow raises for a damaged file in one line."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:  # of no one kind
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(name, f"expected a parquet file: {visible(reason)}") from None


def _is_numeric(column: Any) -> bool:
    from pyarrow import types

    kind = column.type
    return any(is_a(kind) for is_a in (types.is_integer, types.is_floating, types.is_decimal))


def _kind(column: Any) -> str:
    return kinds_of([column.slice(0, 1000).to_pylist()])[0] if _is_numeric(column) else "text"


def _numbers(column: Any) -> FloatArray:
    numbers: FloatArray = column.cast("float64").to_numpy(zero_copy_only=False)
    return numbers


def _first_null(column: Any) -> int:
    """Return the position of the first null, or how many values there are."""
    if not column.null_count:
        return len(column)
    return int(np.argmax(column.is_null().to_numpy(zero_copy_only=False)))


def _place(name: str, picked: Sequence[str], start: int) -> Place:
    def place(k: int, c: int | None) -> str:
        where = f"{name}: sample {start + k + 1}"
        return where if c is None else f"{where}, {quoted(picked[c])}"

    return place
