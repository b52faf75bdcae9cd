"""Text from a stream in blocks of whole lines, each with its place in the file."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from os import fstat

from softmax_cli.errors import InputError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
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
        With the line of the first byte that is something else.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line += content.count(b"\n", 0, error.start)
        raise InputError(
            f"{name}:{line}",
            f"expected UTF-8 text, found the byte 0x{content[error.start]:02x}",
            "convert the file first, for example with iconv -f LATIN1 -t UTF-8",
        ) from None
