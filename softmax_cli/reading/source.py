"""From the words on the command line to a source, and from the source to its format."""

import os
import re
import shlex
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import FileIO
from itertools import chain
from pathlib import Path

from softmax_cli.errors import InputError, quoted, reason, visible, warn
from softmax_cli.options import InputOptions
from softmax_cli.reading.columns import refuse_columns
from softmax_cli.reading.formats import SUFFIXES, read
from softmax_cli.reading.text import Stream, readable
from softmax_cli.reading.validity import check_lengths, place_in, read_numbers, sift
from softmax_cli.samples import Batch, Logits
from softmax_cli.words import has_decimal_comma, is_number, split_row, starts_like_number

# How files of other kinds begin, which help/input.md lists with the command that prints numbers.
_OTHERS = (
    (rb"PK.*(\[Content_Types|opendocument)|\xd0\xcf\x11\xe0", "an Excel workbook"),
    (rb"PK.*/data\.pkl", "a pickle of torch"),
    (rb"\x80[\x02-\x05]", "a pickle, which is never loaded"),
    (rb"PK\x03\x04", "a zip or npz file"),
    (rb"\x28\xb5\x2f\xfd", "a zstd file"),
    (rb"ARROW1|FEA1", "an arrow file"),
    (rb"([^\n]*\n)?(?=[^\n]*---)[|+: -]++\r?\n", "a table drawn with lines"),
    ("(shape: .{,30}\n)?(\u250c|\u256d)\u2500".encode(), "a table drawn in boxes"),
    (rb"(?i)\s*<(!doctype|html|table)\b", "a web page"),
    (rb"\s+\S[^\n]*\n\[1,\]", "a matrix as R prints it"),
    (rb"\s*((tensor|array)\(|\[+\s*[-+.\de]+\s+[-+.\d])", "an array as Python prints it"),
)


@contextmanager
def open_logits(
    words: Sequence[str], options: InputOptions, name: str = "argument"
) -> Iterator[Logits]:
    """Open what the words name: numbers, one file, or standard input for none or ``-``.

    Parameters
    ----------
    words
        From the command line.
    options
        How to read them.
    name
        What messages call a word.

    Raises
    ------
    InputError
        When there is no such source, or its beginning is not what its format asks for;
        walking the batches raises it for the rest.
    """
    if (path := _only_path(words)) is None:
        problem = "expected a file or standard input, found numbers"
        refuse_columns(options, problem, "input_format", "delimiter", "decimal", "header")
        yield read_arguments(words, options, name)
        return
    name = "<stdin>" if path == "-" else visible(path)
    try:
        with open_stream(path, name) as stream:
            input_format = options.input_format or guess_format(path, stream, name)
            logits = read(input_format, stream, name, options)
            if logits.n_samples is None:
                logits = replace(logits, progress=lambda: (stream.n_read, stream.size))
            yield logits
    except InputError as error:
        if path != "-" and error.place.startswith(name):
            error.hint = error.hint.replace("FILE", shlex.quote(path))
        raise


def read_arguments(tokens: Sequence[str], options: InputOptions, name: str = "argument") -> Logits:
    """Read plain numbers as one sample, or separated tokens as a sample each.

    Raises
    ------
    InputError
        For a piece that is not a number, ragged samples, and what the check refuses.
    """
    tokens = [line for token in tokens for line in token.splitlines() or [""]]
    tokens = [token.removesuffix(",") for token in tokens[:-1]] + list(tokens[-1:])
    pieces = [split_row(token) for token in tokens]
    one_sample = all(len(row) == 1 for row in pieces)
    rows = [[row[0] for row in pieces]] if one_sample else pieces

    def place(k: int, c: int | None) -> str:
        if name == "argument" and one_sample:
            return "arguments" if c is None else f"argument {c + 1}"
        return place_in(lambda k: f"argument {k + 1}" if name == "argument" else name)(k, c)

    decimals = [token for token in tokens if re.search(r",(\d*5|\d\d+)$", token)]
    if decimals and len(tokens) > 1 and all(map(has_decimal_comma, tokens)) and name == "argument":
        told = f"a comma separates, so these are {len(tokens)} samples of 2 classes"
        warn("arguments", f"{told}; if {quoted(decimals[0])} is one number, write a point")
    width, cells = len(rows[0]), list(chain.from_iterable(rows))
    check_lengths(rows, width, place, place(0, None))
    batch = Batch(read_numbers(cells, width, place, options), 0, place=place)
    return sift(Logits(width, iter([batch]), n_samples=len(rows)), options, name)


def _only_path(words: Sequence[str]) -> str | None:
    """Return the one file meant ("-": standard input), or None if numbers are meant."""
    if not words:
        return "-"
    # A token that reads as a number is a number, even beside a file of that name.
    others = [word for word in words if not all(map(is_number, split_row(word)))]
    there = [word for word in others if word == "-" or os.access(word, os.F_OK)]
    if there and len(words) > 1:
        found = f"the file {quoted(there[0])} and {len(words) - 1} more"
        problem = f"expected one file or only numbers, found {found}"
        raise InputError(f"argument {words.index(there[0]) + 1}", problem)
    if there:
        return there[0]
    if others and all(map(str.strip, words)) and not any(map(starts_like_number, words)):
        try:
            os.stat(others[0])  # noqa: PTH116
        except OSError as error:
            problem = f"{reason(error).lower()}; expected numbers, a file or -"
            raise InputError(visible(others[0]), problem) from None
    return None


@contextmanager
def open_stream(path: str, name: str) -> Iterator[Stream]:
    """Open a file, or standard input for ``-``.

    Raises
    ------
    InputError
        When it cannot be opened, or is what standard output goes to; reading raises it too.
    """
    with readable(name):
        raw = FileIO(0 if path == "-" else path, closefd=path != "-")
        os.set_blocking(raw.fileno(), True)  # whoever shares it may have set it otherwise
    with raw:
        found = os.fstat(raw.fileno())
        is_file = stat.S_ISREG(found.st_mode)
        if is_file and os.path.samestat(found, os.fstat(1)):
            hint = "write to a file with -o, which may be the one that is read"
            raise InputError(name, "expected an input, found what standard output goes to", hint)
        yield Stream(raw, name, found.st_size if is_file else None)


def guess_format(path: str, stream: Stream, name: str) -> str:
    """Tell the format by the suffix, or else by how the content begins.

    Raises
    ------
    InputError
        For other kinds of files.
    """
    beginning = stream.peek()
    for mark, kind in _OTHERS:
        if re.match(mark, beginning, re.DOTALL):
            from importlib.resources import files

            page = (files("softmax_cli") / "help" / "input.md").read_text("utf-8")
            command = page.partition(f"\n    {kind}: ")[2].partition("\n")[0]
            hint = f"{command} | softmax-cli forward -"
            raise InputError(name, f"expected numbers, found {kind}", hint)
    suffix = Path(re.sub(r"(?i)\.(gz|bz2|xz)$", "", path)).suffix.lower()
    known = SUFFIXES.get(suffix) or {b"\x93NUM": "npy", b"PAR1": "parquet"}.get(beginning[:4])
    if known:
        return known
    if not beginning.lstrip().startswith((b"[", b"{")):
        return "csv"
    from softmax_cli.reading.strict_json import looks_like_lines

    return "jsonl" if looks_like_lines(beginning) else "json"
