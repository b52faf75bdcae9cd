"""From the words on the command line to a source, and from the source to its format."""

import os
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import FileIO
from pathlib import Path

from softmax_cli.errors import InputError, quoted, visible, warn
from softmax_cli.options import InputOptions
from softmax_cli.reading.arguments import read_arguments
from softmax_cli.reading.formats import SUFFIXES, reader
from softmax_cli.reading.text import Stream, readable
from softmax_cli.samples import Logits
from softmax_cli.words import is_number, split_row, starts_like_number

STDIN = "<stdin>"
_COMPRESSED = {
    b"\x1f\x8b": "gzip -dc",
    b"BZh": "bzip2 -dc",
    b"\xfd7zXZ": "xz -dc",
    b"\x28\xb5\x2f\xfd": "zstd -dc",
    b"PK\x03\x04": "unzip -p",
}


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
    path = _only_path(words)
    if path is None:
        if options.results_of is None:
            _refuse_file_options(options)
        yield read_arguments(words, options, name)
        return
    name = STDIN if path == "-" else visible(path)
    with open_stream(path) as stream:
        input_format = options.input_format or guess_format(path, stream, name)
        logits = reader(input_format)(stream, name, options)
        if options.check is None:
            _warn_of_repeats(logits.class_names or (), name)
        if logits.n_samples is None:
            logits = replace(logits, progress=lambda: (stream.n_read, stream.size))
        yield logits


def _warn_of_repeats(names: Sequence[str], place: str) -> None:
    if len(set(names)) < len(names):
        name, count = Counter(names).most_common(1)[0]
        warn(place, f"{quoted(name)} names {count} classes")


def _only_path(words: Sequence[str]) -> str | None:
    """Return the one file meant ("-": standard input), or None if numbers are meant."""
    if not words:
        return "-"
    # A token that reads as a number is a number, even beside a file of that name.
    others = [word for word in words if not all(map(is_number, split_row(word)))]
    files = [word for word in others if word == "-" or exists(word)]
    if files and len(words) > 1:
        found = f"the file {quoted(files[0])} and {len(words) - 1} more"
        problem = f"expected one file or only numbers, found {found}"
        raise InputError(f"argument {words.index(files[0]) + 1}", problem)
    if files:
        return files[0]
    are_numbers = not all(map(str.strip, words)) or any(map(starts_like_number, words))
    if others and not are_numbers:
        raise InputError(visible(others[0]), "no such file; expected numbers, a file or -")
    return None


def exists(path: str) -> bool:
    """Tell whether there is such a file, or one that may not be looked at: opening it will tell."""
    try:
        return bool(path) and Path(path).exists()
    except OSError as error:
        return isinstance(error, PermissionError)


def _refuse_file_options(options: InputOptions) -> None:
    for option, value in (
        ("--input-format", options.input_format),
        ("--delimiter", options.delimiter),
        ("--decimal", None if options.decimal == "." else options.decimal),
        ("--header", options.header),
        ("--columns", options.columns),
        ("--id", options.id_column),
        ("--keep", options.keep or None),
        ("--key", options.key),
    ):
        if value is not None:
            raise InputError(option, "expected a file or standard input, found numbers")


@contextmanager
def open_stream(path: str) -> Iterator[Stream]:
    """Open a file, or standard input for ``-``.

    Raises
    ------
    InputError
        When it cannot be opened, or is what standard output goes to; reading raises it too.
    """
    name = STDIN if path == "-" else visible(path)
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
        For compressed data.
    """
    beginning = stream.peek()
    for mark, command in _COMPRESSED.items():
        if beginning.startswith(mark):
            hint = f"decompress it first, for example with {command} FILE | softmax-cli ..."
            raise InputError(name, "expected numbers, found compressed data", hint)
    suffix = Path(path).suffix.lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    if beginning.startswith(b"\x93NUMPY"):
        return "npy"
    if beginning.startswith(b"PAR1"):
        return "parquet"
    content = beginning.lstrip()
    if not content.startswith((b"[", b"{")):
        return "csv"
    from softmax_cli.reading.strict_json import looks_like_lines

    return "jsonl" if looks_like_lines(content) else "json"
