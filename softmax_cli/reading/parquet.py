"""Parquet, by polars: columns of numbers, and one of names."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader

from softmax_cli.batch import Batch, Logits
from softmax_cli.errors import InputError, quoted, visible
from softmax_cli.fast_lane import import_polars
from softmax_cli.options import InputOptions, Place
from softmax_cli.reading.columns import choose_columns
from softmax_cli.reading.validity import check_logits

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
        Where polars is missing, and for what is no table of logits.
    """
    try:
        pl = import_polars()
    except ImportError:
        hint = "install polars, or this program with its extra named fast"
        raise InputError(name, "expected polars to read parquet, found none", hint) from None
    path = getattr(stream.raw, "name", None)
    table = pl.scan_parquet(path if isinstance(path, str) else io.BytesIO(stream.read()))
    with _refused(name):
        schema = table.collect_schema()
        n_samples: int = table.select(pl.len()).collect().item()
    if not n_samples:
        raise InputError(name, "expected logits, found no rows")
    header = schema.names()
    text = [c for c, kind in enumerate(schema.dtypes()) if not kind.is_numeric()]
    columns = choose_columns(header, len(header), text, options, name)
    picked = [header[c] for c in columns.logits]
    for c in columns.logits:
        if c in text:
            problem = f"expected a column of numbers, found {schema.dtypes()[c]}"
            raise InputError(f"{name}: {quoted(header[c])}", problem)
    sample = None if columns.sample is None else header[columns.sample]

    def batches() -> Iterator[Batch]:
        step = max(1, _VALUES_A_BATCH // len(picked))
        for start in range(0, n_samples, step):
            # Read whole, a table with other rows than its file says is seen to be damaged.
            part = table if n_samples <= step else table.slice(start, step)
            with _refused(name):
                rows = part.collect()
            place = _place(name, picked, start)
            logits = rows.select(pl.col(picked).cast(pl.Float64)).to_numpy(order="c")
            (options.check or check_logits)(logits, place)  # a missing number is a null, so NaN
            names = None if sample is None else tuple(map(str, rows[sample].to_list()))
            yield Batch(logits, start, names)

    return Logits(
        len(picked),
        batches(),
        tuple(picked),
        sample is not None,
        sample or "sample",
        n_samples,
    )


@contextmanager
def _refused(name: str) -> Iterator[None]:
    """Say that the file is damaged, wherever polars comes upon it."""
    import polars as pl

    try:
        with _panics_unheard():
            yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        reason = visible(str(error).splitlines()[0])
        raise InputError(name, f"expected a parquet file: {reason}") from None


@contextmanager
def _panics_unheard() -> Iterator[None]:
    """Keep standard error clean of what the threads of polars print, beside what it raises."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _place(name: str, picked: list[str], start: int) -> Place:
    def place(k: int, c: int | None) -> str:
        where = f"{name}: sample {start + k + 1}"
        return where if c is None else f"{where}, {quoted(picked[c])}"

    return place
