"""Text from a stream in blocks of whole lines, and what its bytes must be."""

import bz2
import gzip
import lzma
import os
import re
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO, FileIO
from typing import Any

import numpy as np

from softmax_cli.errors import InputError, reason
from softmax_cli.memory import require
from softmax_cli.samples import Batch, TextBlock

HEAD = 1 << 16
_AT_ONCE = 1 << 20
_BLANK = re.compile(rb"\n[ \t\r]*(?:\n|(?<=[ \t\r])\Z)")
_PACKED: dict[bytes, Callable[[Any], Any]]
_PACKED = {rb"\x1f\x8b": gzip.open, rb"BZh.(1AY&SY|\x17rE8P)": bz2.open, rb"\xfd7zXZ\0": lzma.open}

Count = Callable[[bytes], int | None]  # of lines, where each is a record
Read = Callable[[TextBlock], tuple[Batch, int]]  # and the line behind the samples


class Stream:
    """A file or a pipe, read as it comes: in whole lines, in bytes, or all of it."""

    block_size = 1 << 20  # bytes of text that are parsed at once
    line_end = b"\n"

    def __init__(self, raw: FileIO, name: str, size: int | None) -> None:
        self.raw, self.n_read, self._name, self._held = raw, 0, name, bytearray()
        with readable(name):
            source: Any = (file := BufferedReader(raw))
            beginning = file.peek(10)
            # The first piece of a pipe may be too short to tell.
            if len(beginning) < 10 and re.match(rb"[\x1f\xfd]|BZh|BZ?\Z", beginning):
                source = BytesIO(beginning := file.read())
            for mark, unpack in _PACKED.items():
                if re.match(mark, beginning, re.DOTALL):
                    source = unpack(source)
                    source._buffer.raw._trailing_error = ()  # or they would end where it is damaged
        self._source, self.is_packed, self._has_more = source, source is not file, bool(beginning)
        self.size = None if self.is_packed else size
        # What the beginning is taken for does not depend on the pieces in which a pipe brings it.
        while self._held.count(b"\n") < 2 and len(self._held) < HEAD and self._fill():
            pass  # until there are two lines
        if self._held.startswith(b"\xef\xbb\xbf"):
            self._cut(3)  # a byte order mark

    def peek(self) -> bytes:
        """Return the beginning, which stays to be read."""
        return bytes(self._held[:HEAD])

    def take_head(self, ignored: re.Pattern[bytes] = re.compile(b"")) -> tuple[bytes, bytes]:
        """Take what is ignored, and what settles the rest: two lines that hold something."""
        head = self.take(min(HEAD, self.block_size), silence=0.3)
        while True:
            found = ignored.match(head)
            end = found.end() if found else 0
            if re.search(rb"[\r\n]", head[end:].strip()) or not (more := self.take(len(head))):
                return head[:end], head[end:]
            if head.count(b"\n") > 1 << 20:
                raise InputError(self._name, "expected samples in the first million lines")
            head += more

    def take(self, size: int, silence: float = 0.01) -> bytes:
        """Take about `size` bytes, fewer if a pipe is silent for seconds, but a line at least."""
        first = self._held.find(self.line_end)
        while first < 0 or (len(self._held) < size and self.is_ready(silence)):
            seen, silence = len(self._held), 0.9 * silence  # or a steady trickle is never answered
            if not self._fill() or self._held.find(0, seen) >= 0:
                self._has_more = False  # to decode a NUL tells its place
                break
            first = self._held.find(self.line_end, seen) if first < 0 else first
            if first < 0 and seen > 1 << 28:
                raise InputError(self._name, "expected lines of at most 256 MB, found a longer one")
        end = self._held.rfind(self.line_end, 0, size) + 1 or first + 1
        is_all = not self._has_more and len(self._held) <= size
        content = self._cut(len(self._held) if is_all or not end else end)
        is_plain = self.line_end == b"\n" or b"\n" in content or b'"' in content
        return content if is_plain else content.replace(b"\r", b"\n")

    def put_back(self, content: bytes) -> None:
        """Return what was taken last, to be taken again."""
        self._held[:0] = content

    def read(self, size: int = sys.maxsize, /) -> Any:
        """Read so many bytes, fewer only at the end; memory is taken as they come."""
        content = bytearray(self._cut(size))  # which grows in place
        while len(content) < size and (part := self._read(min(size - len(content), _AT_ONCE))):
            content += part
        return content

    def is_ready(self, seconds: float = 0) -> bool:
        """Tell whether there is more to read, or the end, within some seconds."""
        return self.is_packed or bool(select.select([self.raw], [], [], seconds)[0])

    def _fill(self) -> bool:
        part = self._read(_AT_ONCE)
        self._held += part
        return bool(part)

    def _read(self, size: int) -> bytes:
        # An end is told only once: a terminal would ask the user for a second.
        with readable(self._name):
            part = self._source.read1(size) if self._has_more else b""
        self._has_more = bool(part)
        if not part and self.size and os.fstat(self.raw.fileno()).st_size < self.size:
            raise InputError(self._name, "expected the rest of it, found it cut while it was read")
        self.n_read += len(part)
        return part

    def _cut(self, end: int) -> bytes:
        content = bytes(memoryview(self._held)[:end])
        del self._held[:end]
        return content


@contextmanager
def readable(name: str, problem: str = "cannot be read") -> Iterator[None]:
    """Say why a stream cannot be read."""
    try:
        yield
    except (InputError, MemoryError):
        raise
    except Exception as error:  # each kind of compression has its own, and each library
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise InputError(name, f"{problem}: {why[:200]}") from None


def take_all(stream: Stream) -> bytes:
    """Take text to its end, or to what is none."""
    # A byte of JSON takes three bytes of memory at least.
    require(3 * (stream.size or 0), "to read it whole")
    content = bytearray()
    while b"\0" not in content[-_AT_ONCE:] and (part := stream.read(_AT_ONCE)):
        content += part
    return bytes(content)


def count_lines(content: bytes) -> int | None:
    """Count the lines, of which the last may lack its end; None if some are blank."""
    # Ten times as fast as to let bytes count, and to search where no line begins with a space.
    characters = np.frombuffer(content, np.uint8)
    ends = characters == ord("\n")
    may_be_blank = (ends[:-1] & (characters[1:] <= ord(" "))).any()
    if content.lstrip(b" \t\r").startswith(b"\n") or (may_be_blank and _BLANK.search(content)):
        return None
    return int(np.count_nonzero(ends)) + (not content.endswith(b"\n"))


def read_lines(
    stream: Stream, line: int, first: Batch, count_plain: Count, read: Read
) -> Iterator[Batch | TextBlock]:
    """Yield the first samples, and the rest in blocks: to be parsed where each line is a sample.

    Others are read here, so that samples and lines can be counted: `read` returns the number of
    the line behind them too.
    """
    start, size = len(first.logits), stream.block_size // 4
    yield first
    while content := stream.take(size):
        block, count = TextBlock(line, content, start), count_plain(content)
        size = stream.block_size // (4 if count is None else 1)  # to hold cells takes much memory
        if count is not None:
            yield block
            line += count
        else:
            batch, line = read(block)
            yield batch
            count = len(batch.logits)
        start += count


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
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        kind = "UTF-32" if b"\0\0" in content[:4] else "UTF-16"
        hint = f"convert it: iconv -f {kind} -t UTF-8 FILE | softmax-cli forward -"
        return InputError(name, f"expected UTF-8 text, found {kind}", hint)
    *lines, start = re.split(r"\r\n?|\n", content[:at].decode())
    place = f"{name}:{line + len(lines)}:{len(start) + 1}"
    if not content[at]:
        return InputError(place, "expected text, found a NUL byte")
    hint = "if it is Latin text: iconv -f LATIN1 -t UTF-8 FILE | softmax-cli forward -"
    return InputError(place, f"expected UTF-8 text, found the byte 0x{content[at]:02x}", hint)
