"""Logits written on the command line."""

from collections.abc import Sequence

import numpy as np

from softmax_cli.errors import InputError, quoted
from softmax_cli.options import InputOptions
from softmax_cli.reading.validity import check_length, check_logits
from softmax_cli.samples import Batch, Logits
from softmax_cli.words import NotANumberError, read_number, split_row


def read_arguments(tokens: Sequence[str], options: InputOptions, name: str = "argument") -> Logits:
    """Read plain numbers as one sample, or separated tokens as a sample each.

    Raises
    ------
    InputError
        For a piece that is not a number, ragged samples, and what the check refuses.
    """
    pieces = [split_row(token) for token in tokens]
    one_sample = all(len(row) == 1 for row in pieces)
    rows = [[row[0] for row in pieces]] if one_sample else pieces

    def place(k: int, c: int | None) -> str:
        if name != "argument":
            return name if c is None else f"{name}, value {c + 1}"
        if not one_sample:
            return f"argument {k + 1}" if c is None else f"argument {k + 1}, value {c + 1}"
        return "arguments" if c is None else f"argument {c + 1}"

    values = [
        [_number(piece, place(k, c)) for c, piece in enumerate(row)] for k, row in enumerate(rows)
    ]
    for k, row in enumerate(rows):
        check_length(len(row), len(rows[0]), place(k, None), place(0, None))
    logits = np.array(values, dtype=np.float64)
    (options.check or check_logits)(logits, place)
    return Logits(logits.shape[1], iter([Batch(logits, 0)]), n_samples=len(logits))


def _number(piece: str, place: str) -> float:
    try:
        return read_number(piece)
    except NotANumberError as error:
        raise InputError(place, f"{error}, found {quoted(piece)}") from None
