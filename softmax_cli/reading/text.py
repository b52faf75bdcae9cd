"""Text from a stream in blocks of whole lines, and what its bytes must be."""

import re
import select
from functools import partial
from io import BufferedReader

import numpy as np

from softmax_cli.errors import InputError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
HEAD = 1 << 16
_SILENCE = 0.01  # seconds after which what a pipe has brought is answered
_LEAST_READ = 1 << 16
_BLANK = re.compile(rb"(?:\A|\n)[ \t]*(?:\r?\n|(?<=[ \t])\Z)")
_WIDE_MARKS = (
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_BYTES_OF_A_GUESS = 1 << 12
_LINE_END = re.compile(r"\r\n?|\n")


class Lines:
    """Whole lines of a stream, as they arrive."""

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self._rest = b""

    def take_head(self, size: int) -> bytes:
        """Take the lines that settle what all of them are, without a byte order mark."""
        return self.take(min(HEAD, size), least=2).removeprefix(BYTE_ORDER_MARK)

    def take(self, size: int, least: int = 1) -> bytes:
        """Take about `size` bytes, and fewer where a pipe falls silent, but some lines at least."""
        parts, length, count = [self._rest], len(self._rest), self._rest.count(b"\n")
        is_end = False
        while not is_end and (count < least or (length < size and self._brings_more())):
            part = self._stream.read1(max(size - length, _LEAST_READ))
            parts.append(part)
            length += len(part)
            count += part.count(b"\n")
            is_end = not part
        content = b"".join(parts)
        end = length if is_end and length <= size else content.rfind(b"\n", 0, size) + 1
        at_least = 0
        for _ in range(least):
            at_least = content.find(b"\n", at_least) + 1 or length
        end = max(end, at_least)
        self._rest = content[end:]
        return content[:end]

    def is_ready(self) -> bool:
        """Tell whether there are lines to take without waiting for them."""
        return b"\n" in self._rest or self._brings_more(0)

    def _brings_more(self, seconds: float = _SILENCE) -> bool:
        return bool(select.select([self._stream], [], [], seconds)[0])


def take_all(stream: BufferedReader) -> bytes:
    """Read to the end, without a byte order mark."""
    return b"".join(iter(partial(stream.read1, 1 << 20), b"")).removeprefix(BYTE_ORDER_MARK)


def count_lines(content: bytes) -> int:
    """Count the lines; the last one may lack its end."""
    return content.count(b"\n") + (not content.endswith(b"\n"))


def has_blank_lines(content: bytes) -> bool:
    """Tell whether a line holds nothing but spaces and tabs."""
    # One look at what each line begins with is four times as fast as to search for pairs.
    characters = np.frombuffer(content, np.uint8)
    begins = characters[np.flatnonzero(characters[:-1] == ord("\n")) + 1]
    suspect = content[:1].isspace() or bool((begins <= ord(" ")).any())
    return suspect and _BLANK.search(content) is not None


def decode(content: bytes, name: str, line: int = 1) -> str:
    """Decode UTF-8 that begins on a line of the file.

    Raises
    ------
    InputError
        With line and column of the first byte that is something else, or is no text.
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
