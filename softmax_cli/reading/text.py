"""Text from a stream in blocks of whole lines, each with its place in the file."""

import re
from collections.abc import Callable, Iterator
from io import BufferedReader
from os import fstat
from typing import NamedTuple

from softmax_cli.errors import InputError
from softmax_cli.mathematics import memory
from softmax_cli.samples import TextBlock

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_BYTES_OF_A_GUESS = 1 << 12
_BYTES_A_BLOCK = 1 << 18
_BYTES_AT_ONCE = 1 << 24
_SEPARATORS = b",;\t| "
_LINE_END = re.compile(r"\r\n?|\n")


class Cost(NamedTuple):
    """How many bytes of memory what is made of text takes at least: measured, and less."""

    a_byte: int
    a_number: int


_CELLS, _JSON_LINE, _JSON = Cost(8, 40), Cost(4, 30), Cost(2, 25)


def text_blocks(stream: BufferedReader) -> Iterator[TextBlock]:
    """Read whole lines, as many as make a block; a byte order mark is left out."""
    line = 1
    while content := take_lines(stream, _BYTES_A_BLOCK, _JSON_LINE):
        yield TextBlock(line, content.removeprefix(BYTE_ORDER_MARK) if line == 1 else content)
        line += content.count(b"\n")


def size_of(stream: BufferedReader) -> int:
    """Return how many bytes a file has; 0 for a pipe, where nobody knows."""
    try:
        return fstat(stream.fileno()).st_size
    except OSError:
        return 0


def take_lines(stream: BufferedReader, size: int, cost: Cost = _CELLS) -> bytes:
    """Read about so many bytes, and on to the end of the line; nothing at the end.

    Raises
    ------
    MemoryError
        Where there is none for what is to be made of a line.
    """
    content = stream.read(size)
    if content.endswith(b"\n"):
        return content
    return content + b"".join(_pieces(stream.readline, cost))


def take_all(stream: BufferedReader) -> bytes:
    """Read JSON to its end.

    Raises
    ------
    MemoryError
        Where there is none for what is to be made of it.
    """
    memory.require(size_of(stream) * _JSON.a_byte, "its text alone would")
    return b"".join(_pieces(stream.read, _JSON))


def _pieces(read: Callable[[int], bytes], cost: Cost) -> Iterator[bytes]:
    """Read on until less than a piece is there, as long as there is memory."""
    done = needed = 0
    while piece := read(_BYTES_AT_ONCE):
        yield piece
        if len(piece) < _BYTES_AT_ONCE:
            return
        done += len(piece)
        numbers = len(piece) - len(piece.translate(None, _SEPARATORS))
        needed += len(piece) * cost.a_byte + numbers * cost.a_number
        memory.require(needed, f"its first {done / 1e6:.0f} MB in one piece")


def decode(content: bytes, name: str, line: int = 1) -> str:
    """Decode UTF-8 that begins on a line of the file.

    Raises
    ------
    InputError
        With the line and the column, in characters, of the first byte that is something else,
        or is no text.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _foreign(content, error.start, name, line) from None
    if "\0" in text:
        raise _foreign(content, content.index(0), name, line)
    return text


def _foreign(content: bytes, at: int, name: str, line: int) -> InputError:
    """Say what is no UTF-8, and what it looks like."""
    encoding = _wide_encoding(content)
    if encoding:
        hint = f"convert it first, for example with iconv -f {encoding} -t UTF-8"
        return InputError(name, f"expected UTF-8 text, found {encoding}", hint)
    before = content[:at].decode("utf-8")
    *lines, start = _LINE_END.split(before)
    place = f"{name}:{line + len(lines)}:{len(start) + 1}"
    if not content[at]:
        return InputError(place, "expected text, found a NUL byte")
    if not before.isascii():
        hint = "what comes before it is UTF-8: the text may be damaged there"
    else:
        likely = "WINDOWS-1252" if content[at] in range(0x80, 0xA0) else "LATIN1"
        hint = f"if it is Latin text, convert it first with iconv -f {likely} -t UTF-8"
    return InputError(place, f"expected UTF-8 text, found the byte 0x{content[at]:02x}", hint)


def _wide_encoding(content: bytes) -> str | None:
    """Name the encoding of two or four bytes a character that the beginning of a text shows."""
    for mark, encoding in _WIDE_MARKS:
        if content.startswith(mark):
            return encoding
    beginning = content[:_BYTES_OF_A_GUESS]
    even, odd = beginning[::2].count(0), beginning[1::2].count(0)
    if max(even, odd) > 1 + len(beginning) / 8 and min(even, odd) * 4 < max(even, odd):
        return "UTF-16LE" if odd > even else "UTF-16BE"
    return None
