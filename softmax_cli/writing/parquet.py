"""Parquet, by pyarrow: float64 columns, and the one of names; a row group a block."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from softmax_cli.errors import InputError, quoted
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Report, Result
from softmax_cli.samples import FloatArray
from softmax_cli.writing.delimited import column_names
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
        hint = "install pyarrow, or this program with its extra named parquet"
        raise InputError(
            "--format", "expected pyarrow to write parquet, found none", hint
        ) from None
    if isinstance(result, Report):
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        table = pa.Table.from_pylist(rows)
        schema, batches = table.schema, iter(table.to_batches())
    elif isinstance(result, Arrays):
        schema = _schema(result)
        batches = (
            pa.record_batch([*_names(block, result), *_numbers(block)], schema=schema)
            for block in result.quantity.blocks(result.logits.batches)
        )
    with target.whole() as whole, pq.ParquetWriter(whole.stream, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _schema(result: Arrays) -> Any:
    import pyarrow as pa

    names = column_names(result)
    _refuse_repeated(names)
    n_numbers = result.logits.n_classes if result.quantity.rank else 1
    types = [pa.string()] * (len(names) - n_numbers) + [pa.float64()] * n_numbers
    return pa.schema(list(zip(names, types, strict=True)))


def _refuse_repeated(names: Sequence[str]) -> None:
    repeated = next((name for name, times in Counter(names).items() if times > 1), None)
    if repeated is not None:
        problem = f"expected columns of different names for parquet, found {quoted(repeated)} twice"
        raise InputError("--format", problem)


def _names(block: Block, result: Arrays) -> list[Sequence[str]]:
    labels = block.batch.labels
    if result.quantity.rank == 2:
        outputs = [result.logits.classes[j] for j in block.outputs]
        return [[sample for sample in labels for _ in outputs], outputs * len(labels)]
    return [labels] if result.logits.names_samples else []


def _numbers(block: Block) -> Iterable[FloatArray]:
    values = block.values
    return values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1).T.copy()
