"""Parquet, by polars: float64 columns, and the one of names."""

import io
from collections import Counter

from softmax_cli.errors import InputError, quoted
from softmax_cli.fast_lane import import_polars
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Explanation, Report, Result
from softmax_cli.writing.formats import refuse_explanation
from softmax_cli.writing.target import Target


def write_parquet(result: Result, target: Target, options: OutputOptions) -> None:
    """Write the columns that csv has; they are held in memory until all are there.

    Raises
    ------
    InputError
        Where polars is missing.
    """
    try:
        pl = import_polars()
    except ImportError:
        hint = "install polars, or this program with its extra named fast"
        raise InputError("--format", "expected polars to write parquet, found none", hint) from None
    if isinstance(result, Explanation):
        raise refuse_explanation("parquet")
    if isinstance(result, Report):
        frame = pl.DataFrame([list(row) for row in result.rows], list(result.columns), orient="row")
    else:
        _refuse_repeated(result)
        blocks = result.quantity.blocks(result.logits.batches)
        frame = pl.concat([pl.DataFrame(_columns(block, result)) for block in blocks])
    content = io.BytesIO()
    frame.write_parquet(content)
    target.stream.write(content.getbuffer())


def _refuse_repeated(result: Arrays) -> None:
    logits, rank = result.logits, result.quantity.rank
    names = ["sample", "output"] if rank == 2 else [logits.sample_header] * logits.names_samples
    names += logits.classes if rank else [result.quantity.key_of_one]
    repeated = next((name for name, times in Counter(names).items() if times > 1), None)
    if repeated is not None:
        problem = f"expected columns of different names for parquet, found {quoted(repeated)} twice"
        raise InputError("--format", problem)


def _columns(block: Block, result: Arrays) -> dict[str, object]:
    logits, values = result.logits, block.values
    named: dict[str, object] = {}
    if result.quantity.rank == 2:
        outputs = [logits.classes[j] for j in block.outputs]
        labels = block.batch.labels
        named["sample"] = [sample for sample in labels for _ in outputs]
        named["output"] = outputs * len(labels)
    elif logits.names_samples:
        named[logits.sample_header] = block.batch.labels
    if result.quantity.rank == 0:
        return {**named, result.quantity.key_of_one: values}
    rows = values.reshape(-1, logits.n_classes)
    return {**named, **{name: rows[:, i] for i, name in enumerate(logits.classes)}}
