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
from typing import Any, cast

from softmax_cli.errors import InputError, quoted, reason, visible, warn
from softmax_cli.options import InputOptions
from softmax_cli.reading.arguments import read_arguments
from softmax_cli.reading.formats import SUFFIXES, reader
from softmax_cli.samples import Logits
from softmax_cli.words import is_number, split_row, starts_like_number

STDIN = "<stdin>"
_PEEKED = 1 << 16  # how much of the content can be looked at before it is read
_LINES_OF_HEAD, _SILENCE = 2, 0.3  # what a pipe must have brought before its silence is heeded
_MARKS = ((b"\x93NUMPY", "npy"), (b"PAR1", "parquet"))
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
        input_format = options.input_format or guess_format(path, stream, name)
        logits = reader(input_format)(stream, name, options)
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


class _Input(io.FileIO):
    """A file whose beginning comes in one piece, and whose end is told only once.

    What the beginning is taken for does not depend on the pieces in which a pipe brings it,
    unless it falls silent behind some lines. A terminal would ask the user for a second end.
    """

    label = ""
    _is_begun = _is_ended = False

    def readinto(self, buffer: Any) -> int:
        more = count = self._read(buffer)
        while more and not self._is_begun and count < len(buffer):
            lines = bytes(buffer[:count]).count(b"\n")
            if lines >= _LINES_OF_HEAD and not select.select([self], [], [], _SILENCE)[0]:
                break
            more = self._read(memoryview(buffer)[count:])
            count += more
        self._is_begun = True
        self._is_ended = not more and self.isatty()
        return count

    def _read(self, buffer: Any) -> int:
        with _told(self.label):
            return 0 if self._is_ended else super().readinto(buffer) or 0


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
        raw = _Input(0, closefd=False) if path == "-" else _Input(path)
        os.set_blocking(raw.fileno(), True)  # whoever shares it may have set it otherwise
    raw.label = name
    with raw:
        found = os.fstat(raw.fileno())
        if stat.S_ISREG(found.st_mode) and os.path.samestat(found, os.fstat(1)):
            hint = "write to a file with -o, which may be the one that is read"
            raise InputError(name, "expected an input, found what standard output goes to", hint)
        yield io.BufferedReader(cast(Any, raw), _PEEKED)


def guess_format(path: str, stream: io.BufferedReader, name: str) -> str:
    """Tell the format by the suffix, or else by how the content begins.

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
        return by_suffix
    for mark, input_format in _MARKS:
        if beginning.startswith(mark):
            return input_format
    content = beginning.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not content.startswith((b"[", b"{")):
        return "csv"
    from softmax_cli.reading.strict_json import looks_like_lines

    return "jsonl" if looks_like_lines(content) else "json"
