"""Parquet, by pyarrow: float64 columns, and the one of names; a row group a block."""

from collections import Counter
from collections.abc import Iterable, Sequence

from softmax_cli.errors import InputError, quoted
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Explanation, Report, Result
from softmax_cli.samples import FloatArray
from softmax_cli.writing.delimited import column_names
from softmax_cli.writing.formats import refuse_explanation
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
    match result:
        case Explanation():
            raise refuse_explanation("parquet")
        case Report():
            rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
            table = pa.Table.from_pylist(rows)
            with target.whole() as whole, pq.ParquetWriter(whole.stream, table.schema) as writer:
                writer.write_table(table)
        case Arrays():
            names = column_names(result)
            _refuse_repeated(names)
            n_numbers = result.logits.n_classes if result.quantity.rank else 1
            texts = len(names) - n_numbers
            types = [pa.string()] * texts + [pa.float64()] * n_numbers
            schema = pa.schema(list(zip(names, types, strict=True)))
            with target.whole() as whole, pq.ParquetWriter(whole.stream, schema) as writer:
                for block in result.quantity.blocks(result.logits.batches):
                    columns = [*_names(block, result), *_numbers(block)]
                    writer.write_batch(pa.record_batch(columns, schema=schema))


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
