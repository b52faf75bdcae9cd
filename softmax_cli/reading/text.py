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
_SILENCE_OF_HEAD = 0.3
_LEAST_READ = 1 << 16
_BLANK = re.compile(rb"(?:\A|\n)[ \t]*(?:\r?\n|(?<=[ \t])\Z)")
_LINE_END = re.compile(r"\r\n?|\n")


class Lines:
    """Whole lines of a stream, as they arrive."""

    def __init__(self, stream: BufferedReader) -> None:
        self._stream = stream
        self._rest = b""

    def take_head(self, size: int) -> bytes:
        """Take what settles the rest, two lines that hold something, without a byte order mark."""
        head = self.take(min(HEAD, size), _SILENCE_OF_HEAD)
        while b"\n" not in head.strip() and (line := self.take(0)):
            head += line
        return head.removeprefix(BYTE_ORDER_MARK)

    def take(self, size: int, silence: float = _SILENCE) -> bytes:
        """Take about `size` bytes, and fewer where a pipe falls silent, but a line at least."""
        parts, length, has_end = [self._rest], len(self._rest), b"\n" in self._rest
        is_all = False
        while not has_end or (length < size and self._brings_more(silence)):
            part = self._stream.read1(max(size - length, _LEAST_READ))
            if not part:
                is_all = length <= size
                break
            parts.append(part)
            length += len(part)
            has_end = has_end or b"\n" in part
        content = b"".join(parts)
        end = content.rfind(b"\n", 0, size) + 1 or content.find(b"\n") + 1
        end = length if is_all or not end else end
        self._rest = content[end:]
        return content[:end]

    def is_ready(self) -> bool:
        """Tell whether there are lines to take without waiting for them."""
        return b"\n" in self._rest or self._brings_more(0)

    def _brings_more(self, seconds: float) -> bool:
        return bool(select.select([self._stream], [], [], seconds)[0])


def take_all(stream: BufferedReader) -> bytes:
    """Read to the end, without a byte order mark."""
    return b"".join(iter(partial(stream.read1, 1 << 20), b"")).removeprefix(BYTE_ORDER_MARK)


def count_lines(content: bytes) -> int:
    """Count the lines; the last one may lack its end."""
    # Ten times as fast as to let bytes count.
    ends = np.count_nonzero(np.frombuffer(content, np.uint8) == ord("\n"))
    return int(ends) + (not content.endswith(b"\n"))


def has_blank_lines(content: bytes) -> bool:
    """Tell whether a line holds nothing but spaces and tabs."""
    characters = np.frombuffer(content, np.uint8)
    begins = (characters[:-1] == ord("\n")) & (characters[1:] <= ord(" "))
    suspect = content[:1].isspace() or begins.any()
    return bool(suspect) and _BLANK.search(content) is not None


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
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        hint = "convert it first, for example with iconv -f UTF-16 -t UTF-8"
        return InputError(name, "expected UTF-8 text, found UTF-16", hint)
    *lines, start = _LINE_END.split(content[:at].decode())
    place = f"{name}:{line + len(lines)}:{len(start) + 1}"
    if not content[at]:
        return InputError(place, "expected text, found a NUL byte")
    hint = "if it is Latin text, convert it first with iconv -f LATIN1 -t UTF-8"
    return InputError(place, f"expected UTF-8 text, found the byte 0x{content[at]:02x}", hint)
