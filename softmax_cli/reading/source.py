"""From the words on the command line to a source, and from the source to its format."""

import io
import os
import select
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from softmax_cli.errors import InputError, quoted, reason, visible, warn
from softmax_cli.lookup import load
from softmax_cli.options import InputOptions
from softmax_cli.reading.arguments import read_arguments
from softmax_cli.reading.formats import READERS, SUFFIXES
from softmax_cli.reading.text import BYTE_ORDER_MARK, take_lines
from softmax_cli.samples import Logits
from softmax_cli.words import is_number, split_row, starts_like_number

STDIN = "<stdin>"
_PEEKED = 1 << 16  # how much of the content can be looked at before it is read
NPY_MARK = b"\x93NUMPY"
_PARQUET_MARK = b"PAR1"
_COMPRESSED = (
    (b"\x1f\x8b", "gzip", "gzip -dc"),
    (b"BZh", "bzip2", "bzip2 -dc"),
    (b"\xfd7zXZ\x00", "xz", "xz -dc"),
    (b"\x28\xb5\x2f\xfd", "zstd", "zstd -dc"),
    (b"PK\x03\x04", "zip", "unzip -p"),
)
_NO_SUCH_FILE = "no such file; expected numbers, a file or -"


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
        _refuse_file_options(options)
        yield read_arguments(words, options, name)
        return
    name = STDIN if path == "-" else visible(path)
    with open_stream(path) as stream:
        input_format = options.input_format
        if input_format is None:
            input_format, stream = guess_format(path, stream, name)
        logits: Logits = load(READERS[input_format])(stream, name, options)
        if options.check is None:
            _warn_of_repeats(logits.class_names or (), name)
        yield replace(logits, progress=_progress(stream)) if logits.n_samples is None else logits


def _warn_of_repeats(names: Sequence[str], place: str) -> None:
    if len(set(names)) < len(names):
        repeated = next(name for name, following in pairwise(sorted(names)) if name == following)
        warn(place, f"{quoted(repeated)} names {names.count(repeated)} classes")


def _progress(stream: io.BufferedReader) -> Callable[[], tuple[int, int]] | None:
    found = os.fstat(stream.fileno())
    if not stat.S_ISREG(found.st_mode):
        return None
    return lambda: (stream.tell(), found.st_size)


def _only_path(words: Sequence[str]) -> str | None:
    """Return the one file meant ("-": standard input), or None if numbers are meant."""
    if not words:
        return "-"
    # A token that reads as a number is a number, even beside a file of that name.
    others = [w for w in words if not all(is_number(piece) for piece in split_row(w))]
    if not others:
        return None
    if not all(word.strip() for word in words):
        return None
    files = [word for word in others if word == "-" or exists(word)]
    if not files:
        if any(starts_like_number(word) for word in words):
            return None
        raise InputError(visible(others[0]), _NO_SUCH_FILE)
    if len(words) == 1:
        return files[0]
    found = f"the file {quoted(files[0])} and {len(words) - 1} more"
    raise InputError(
        f"argument {words.index(files[0]) + 1}", f"expected one file or only numbers, found {found}"
    )


def exists(path: str) -> bool:
    """Tell whether there is such a file, or one that may not be looked at: opening it will tell."""
    try:
        return bool(path) and Path(path).exists()
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False


def _refuse_file_options(options: InputOptions) -> None:
    for option, value in (
        ("--input-format", options.input_format),
        ("--delimiter", options.delimiter),
        ("--columns", options.columns),
        ("--id", options.id_column),
    ):
        if value is not None:
            raise InputError(option, "expected a file or standard input, found numbers")


class _PatientFile(io.FileIO):
    """A file that may be set not to block, by whoever shares it: waits until there is more.

    The first time it waits until the buffer is full, or the file at its end: what its beginning
    is taken for does not depend on the pieces in which a pipe brings it.
    """

    label = ""
    _is_begun = _is_ended = False

    def readinto(self, buffer: Any) -> int:
        count = self._read_some(buffer)
        while not self._is_begun and not self._is_ended and count < len(buffer):
            count += self._read_some(memoryview(buffer)[count:])
        self._is_begun = True
        return count

    def _read_some(self, buffer: Any) -> int:
        if self._is_ended:  # a terminal would ask for a second end
            return 0
        with _told(self.label):
            while (count := super().readinto(buffer)) is None:
                select.select([self], [], [])
        self._is_ended = not count
        return count

    def readall(self) -> bytes:
        parts = []
        with _told(self.label):
            while not self._is_ended and (part := super().readall()) != b"":
                if part is None:
                    select.select([self], [], [])
                else:
                    parts.append(part)
        return b"".join(parts)


@contextmanager
def _told(name: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(name, _NO_SUCH_FILE) from None
    except OSError as error:
        raise InputError(name, f"cannot be read: {reason(error)}") from None
    except ValueError as error:  # a NUL in its name
        raise InputError(name, f"cannot be read: {error}") from None


@contextmanager
def open_stream(path: str) -> Iterator[io.BufferedReader]:
    """Open a file, or standard input for ``-``.

    Raises
    ------
    InputError
        When it cannot be opened, or is what standard output goes to; reading raises it too.
    """
    name = STDIN if path == "-" else visible(path)
    with _told(name):
        raw = _PatientFile(0, closefd=False) if path == "-" else _PatientFile(path)
    raw.label = name
    try:
        found = os.fstat(raw.fileno())
        if stat.S_ISREG(found.st_mode) and os.path.samestat(found, os.fstat(1)):
            hint = "write to a file with -o, which may be the one that is read"
            raise InputError(name, "expected an input, found what standard output goes to", hint)
        yield io.BufferedReader(raw, _PEEKED)
    finally:
        # Not the buffer around it, which a thread that reads ahead may hold for as long as a
        # pipe stays silent.
        raw.close()


def guess_format(path: str, stream: io.BufferedReader, name: str) -> tuple[str, io.BufferedReader]:
    """Tell the format by the suffix, or else by how the content begins.

    Returns
    -------
    The format, and the stream from its beginning.

    Raises
    ------
    InputError
        For compressed data.
    """
    beginning = stream.peek()
    for mark, what, command in _COMPRESSED:
        if beginning.startswith(mark):
            hint = f"decompress it first, for example with {command} FILE | softmax-cli ..."
            raise InputError(name, f"expected numbers, found {what} data", hint)
    by_suffix = SUFFIXES.get(Path(path).suffix.lower())
    if by_suffix is not None:
        return by_suffix, stream
    if beginning.startswith(NPY_MARK):
        return "npy", stream
    if beginning.startswith(_PARQUET_MARK):
        return "parquet", stream
    content = beginning.removeprefix(BYTE_ORDER_MARK).lstrip()
    if not content.startswith((b"[", b"{")):
        return "csv", stream
    first, end, rest = content.partition(b"\n")
    if not end:
        whole = take_lines(stream, _PEEKED)
        first, rest = whole.removeprefix(BYTE_ORDER_MARK).lstrip(), stream.peek()
        stream = io.BufferedReader(_Rejoined(whole, stream), _PEEKED)
    by_line: bool = load("softmax_cli.reading.json_lines:looks_like_lines")(first, rest)
    return "jsonl" if by_line else "json", stream


class _Rejoined(io.RawIOBase):
    """A stream with what was taken from it before it again."""

    def __init__(self, taken: bytes, stream: io.BufferedReader) -> None:
        self._taken = memoryview(taken)
        self._stream = stream

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def tell(self) -> int:
        return self._stream.tell() - len(self._taken)

    def readinto(self, buffer: Any) -> int:
        part = self._taken[: len(buffer)] or self._stream.read1(len(buffer))
        self._taken = self._taken[len(part) :]
        buffer[: len(part)] = part
        return len(part)
