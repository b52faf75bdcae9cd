"""NPY: float64, the header first and then block after block."""

import shutil
from tempfile import TemporaryFile
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
    if result.logits.n_samples is not None:
        _write_header(result, target.stream, result.logits.n_samples)
        _write_blocks(result, target.stream)
    elif target.keeps_parts:
        # A pipe cannot be gone back on, and the number of samples comes first.
        with TemporaryFile() as spool:
            _write_counted(result, spool)
            spool.seek(0)
            shutil.copyfileobj(spool, target.stream)
    else:
        _write_counted(result, target.stream)


def _write_counted(result: Arrays, stream: BinaryIO) -> None:
    """Write the header again when the samples are counted; numpy leaves room for the digits."""
    _write_header(result, stream, 0)
    n_samples = _write_blocks(result, stream)
    stream.seek(0)
    _write_header(result, stream, n_samples)


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
