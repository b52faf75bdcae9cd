"""Logits written on the command line."""

import re
from collections.abc import Sequence
from itertools import chain

from softmax_cli.errors import quoted, warn
from softmax_cli.options import InputOptions
from softmax_cli.reading.sift import sift
from softmax_cli.reading.validity import check_lengths, place_in, read_numbers
from softmax_cli.samples import Batch, Logits
from softmax_cli.words import has_decimal_comma, mending, split_row


def read_arguments(tokens: Sequence[str], options: InputOptions, name: str = "argument") -> Logits:
    """Read plain numbers as one sample, or separated tokens as a sample each.

    Raises
    ------
    InputError
        For a piece that is not a number, ragged samples, and what the check refuses.
    """
    tokens = [token.removesuffix(",") for token in tokens[:-1]] + list(tokens[-1:])
    pieces = [split_row(token) for token in tokens]
    one_sample = all(len(row) == 1 for row in pieces)
    rows = [[row[0] for row in pieces]] if one_sample else pieces

    def where(k: int) -> str:
        if name != "argument":
            return name
        return "arguments" if one_sample else f"argument {k + 1}"

    def place(k: int, c: int | None) -> str:
        if one_sample and name == "argument" and c is not None:
            return f"argument {c + 1}"
        return place_in(where)(k, c)

    decimals = [token for token in tokens if re.search(r",(\d*5|\d\d+)$", token)]
    if decimals and len(tokens) > 1 and all(map(has_decimal_comma, tokens)) and name == "argument":
        told = f"a comma separates, so these are {len(tokens)} samples of 2 classes"
        warn("arguments", f"{told}; if {quoted(decimals[0])} is one number, write a point")
    width, cells = len(rows[0]), list(chain.from_iterable(rows))
    check_lengths(rows, width, place, where(0))
    logits = read_numbers(cells, width, place, lambda i: mending(cells[i], ","), options)
    batch = Batch(logits, 0, place=place)
    return sift(Logits(width, iter([batch]), n_samples=len(rows)), options, name)
