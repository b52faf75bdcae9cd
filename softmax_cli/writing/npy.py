"""NPY: float64, the header first and then block after block."""

from typing import BinaryIO

from numpy.lib import format as npy_format

from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Explanation, Report, Result
from softmax_cli.writing.formats import refuse_explanation, refuse_verdict
from softmax_cli.writing.target import Target


def write_npy(result: Result, target: Target, options: OutputOptions) -> None:
    """Write an array of shape (K,), (K, C) or (K, C, C).

    Raises
    ------
    InputError
        For a derivation or a verdict, which is no array.
    """
    if isinstance(result, Explanation):
        raise refuse_explanation("npy")
    if isinstance(result, Report):
        raise refuse_verdict("npy")
    with target.whole(8 * result.least_count) as whole:
        _write_header(result, whole.stream, result.logits.n_samples or 0)
        n_samples = _write_blocks(result, whole.stream)
        if result.logits.n_samples is None:
            # They are counted now; numpy leaves room for the digits.
            whole.stream.seek(0)
            _write_header(result, whole.stream, n_samples)


def _write_header(result: Arrays, stream: BinaryIO, n_samples: int) -> None:
    shape = (n_samples, *[result.logits.n_classes] * result.quantity.rank)
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    npy_format.write_array_header_1_0(stream, header)


def _write_blocks(result: Arrays, stream: BinaryIO) -> int:
    n_samples = 0
    for block in result.quantity.blocks(result.logits.batches):
        stream.write(block.values.astype("<f8", order="C", copy=False).data)
        n_samples += len(block.batch.logits) if block.ends else 0
    return n_samples
