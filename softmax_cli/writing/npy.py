"""NPY: float64, the header first and then block after block."""

import io

import numpy as np
from numpy.lib import format as npy_format

from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Result
from softmax_cli.writing.target import Target, write_pieces


def write_npy(result: Result, target: Target, options: OutputOptions) -> None:
    """Write an array of shape (K,), (K, C) or (K, C, C), with the dimensions of the input for K."""
    assert isinstance(result, Arrays)
    known, shape = result.logits.n_samples, result.logits.shape
    if shape and result.quantity.rank == 1 and result.logits.axis not in (-1, len(shape) - 1):
        blocks = result.quantity.blocks(result.logits.batches)
        rows = np.concatenate([block.values for block in blocks])
        np.save(stream := io.BytesIO(), result.logits.restored(rows))
        target.write(stream.getvalue())
        return
    with target.whole() as whole:
        head = _header(result, known or 0)
        n_samples = write_pieces(result, whole, options, head, _numbers)
        if known is None:  # they are counted now; numpy leaves room for the digits
            whole.stream.seek(0)
            whole.write(_header(result, n_samples))


def _header(result: Arrays, n_samples: int) -> bytes:
    shape = (*result.logits.lead(n_samples), *[result.logits.n_classes] * result.quantity.rank)
    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": shape}
    npy_format.write_array_header_1_0(stream, header)
    return stream.getvalue()


def _numbers(block: Block) -> bytes:
    return block.values.astype("<f8", copy=False).tobytes()
