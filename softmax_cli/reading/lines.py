"""Text from a stream in blocks of whole lines, each with its place in the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from os import fstat

from softmax_cli.errors import InputError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_WIDE_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_BYTES_OF_A_GUESS = 1 << 12
_BYTES_A_BLOCK = 1 << 18


@dataclass(frozen=True)
class TextBlock:
    """Some consecutive lines.

    Attributes
    ----------
    line
        The number of the first, from 1.
    content
        The lines with their ends; only the last one of a file may lack its own.
    """

    line: int
    content: bytes


def text_blocks(stream: BufferedReader) -> Iterator[TextBlock]:
    """Read whole lines, as many as make a block; a byte order mark is left out."""
    line = 1
    while content := take_lines(stream, _BYTES_A_BLOCK):
        yield TextBlock(line, content.removeprefix(BYTE_ORDER_MARK) if line == 1 else content)
        line += content.count(b"\n")


def size_of(stream: BufferedReader) -> int:
    """Return how many bytes a file has; 0 for a pipe, where nobody knows."""
    try:
        return fstat(stream.fileno()).st_size
    except OSError:
        return 0


def take_lines(stream: BufferedReader, size: int) -> bytes:
    """Read about so many bytes, and on to the end of the line; nothing at the end."""
    content = stream.read(size)
    return content if content.endswith(b"\n") else content + stream.readline()


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
    place = f"{name}:{line + before.count(chr(10))}:{len(before) - before.rfind(chr(10))}"
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
