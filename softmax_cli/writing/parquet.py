"""Parquet, by pyarrow: float64 columns, and the one of names; a row group a block."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from softmax_cli.errors import InputError, quoted
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Report, Result
from softmax_cli.writing.delimited import column_names, name_columns
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
    except ImportError:
        problem = "expected pyarrow to write parquet, found none"
        hint = "pip install pyarrow, which the extra named parquet brings too"
        raise InputError("--format", problem, hint) from None
    if isinstance(result, Arrays):
        schema = _schema(result)
        batches = _batches(result, schema)
    else:
        assert isinstance(result, Report)
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        table = pa.Table.from_pylist(rows)
        schema, batches = table.schema, iter(table.to_batches())
    with target.whole() as whole, pq.ParquetWriter(whole.stream, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _schema(result: Arrays) -> Any:
    import pyarrow as pa

    names = column_names(result)
    repeated = [name for name, times in Counter(names).items() if times > 1]
    if repeated:
        found = f"found {quoted(repeated[0])} twice"
        raise InputError("--format", f"expected columns of different names for parquet, {found}")
    n_numbers = result.logits.n_classes if result.quantity.rank else 1
    types = [pa.string()] * (len(names) - n_numbers) + [pa.float64()] * n_numbers
    return pa.schema(list(zip(names, types, strict=True)))


def _batches(result: Arrays, schema: Any) -> Iterator[Any]:
    import pyarrow as pa

    for block in result.quantity.blocks(result.logits.batches):
        yield pa.record_batch([*name_columns(result, block), *block.rows.T.copy()], schema=schema)
