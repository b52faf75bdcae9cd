"""Parquet, by pyarrow: float64 columns, those of names, and what is kept; a row group a block."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from softmax_cli.errors import InputError, quoted, visible
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Report, Result
from softmax_cli.samples import from_text
from softmax_cli.writing.delimited import column_names, name_columns, result_columns
from softmax_cli.writing.target import Target


def write_parquet(result: Result, target: Target, options: OutputOptions) -> None:
    """Write the columns that csv has.

    Raises
    ------
    InputError
        Where pyarrow is missing, or two columns have one name.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError:
        problem = "expected pyarrow to write parquet, found none"
        hint = "pip install pyarrow, which the extra named parquet brings too"
        raise InputError("--format", problem, hint) from None
    if isinstance(result, Report):
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        batches = iter(pa.Table.from_pylist(rows).to_batches())
    elif isinstance(result, Arrays):
        batches = _batches(result)
    first = next(batches)
    with target.whole() as whole, pq.ParquetWriter(whole.stream, first.schema) as writer:
        for batch in chain([first], batches):
            writer.write_batch(batch)


def _batches(result: Arrays) -> Iterator[Any]:
    """Make a batch of each block; the types of the first are those of all."""
    import pyarrow as pa

    names = column_names(result)
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        found = f"found {quoted(repeated[0])} twice"
        raise InputError("--format", f"expected columns of different names for parquet, {found}")
    types: list[Any] = list(map(result.logits.kept_types.get, names))
    for block in result.quantity.blocks(result.logits.batches):
        columns = [*name_columns(result, block), *result_columns(result, block)]
        if result.logits.names_samples:
            integers = list(map(from_text, columns[0]))
            columns[0] = integers if {*map(type, integers)} == {int} else columns[0]
        try:
            arrays = list(map(_array, columns, types))
        except (TypeError, ValueError, OverflowError) as error:
            raise InputError(
                "--id or --keep", visible(f"expected one type a column: {error}")
            ) from None
        types = [array.type for array in arrays]
        yield pa.record_batch(arrays, names=names)


def _array(values: Sequence[object], kind: Any) -> Any:
    """Make a column; of times in nanoseconds, for which Python has no type, there is text."""
    import pyarrow as pa

    if str(kind) == "time64[ns]":  # to which no text is cast
        days = [each and f"1970-01-01 {each}" for each in values]
        return pa.array(days, "string").cast("timestamp[ns]").cast(kind)
    is_text = str(kind).startswith("timestamp[ns")
    return pa.array(values, "string").cast(kind) if is_text else pa.array(values, kind)
