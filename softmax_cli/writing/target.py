"""Where a result goes: standard output, or a file that appears whole or not at all."""

import errno
import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

from softmax_cli.errors import InputError, OutputError, PipeClosedError, reason, visible
from softmax_cli.options import OutputOptions
from softmax_cli.pipeline import Encode, convert_all
from softmax_cli.result import Arrays

_BYTES_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Target:
    """An open target.

    Attributes
    ----------
    stream
        Takes bytes, unbuffered: what is written is out, whatever happens next.
    encoding
        What text for people is encoded in; data is always UTF-8.
    is_terminal
        Whether a person looks at it.
    keeps_parts
        Whether what was written stays when the rest fails.
    """

    stream: FileIO
    encoding: str = "utf-8"
    is_terminal: bool = False
    keeps_parts: bool = True

    def write(self, content: bytes) -> None:
        """Write all of it."""
        rest = memoryview(content)
        while rest:
            rest = rest[self.stream.write(rest) :]

    @contextmanager
    def text(self, encoding: str = "utf-8") -> Iterator[io.StringIO]:
        """Collect text with LF line ends and write it; what the encoding lacks is escaped."""
        text = io.StringIO(newline="\n")
        yield text
        self.write(text.getvalue().encode(encoding, "backslashreplace"))

    @contextmanager
    def whole(self) -> Iterator["Target"]:
        """Hold back what is written until it is complete, in a file that can be gone back in.

        Raises
        ------
        OutputError
            With the folder of a temporary file that cannot be written.
        """
        if not self.keeps_parts:
            yield self
            return
        import tempfile

        with tempfile.TemporaryFile(buffering=0) as spool:
            try:
                yield replace(self, stream=spool, keeps_parts=False)
            except OSError as error:
                place = f"temporary file in {visible(tempfile.gettempdir())}"
                hint = "name a folder with more room in TMPDIR, or the file to write with -o"
                raise OutputError(place, f"cannot be written: {reason(error)}", hint) from None
            spool.seek(0)
            while part := spool.read(_BYTES_AT_ONCE):
                self.write(part)


def write_pieces(
    result: Arrays,
    target: Target,
    options: OutputOptions,
    head: bytes,
    encode: Encode,
) -> int:
    """Write blocks as they are computed, the first behind the head; return how many samples."""
    n_samples = 0
    pieces = convert_all(result, encode, options.jobs)
    try:
        with closing(pieces):
            for piece in pieces:
                target.write(head + piece.content)
                head = b""
                n_samples += piece.n_samples
    except InputError as error:
        raise error.after(n_samples if target.keeps_parts else 0) from None
    return n_samples


@contextmanager
def open_target(path: str | None) -> Iterator[Target]:
    """Open standard output (None) or a file.

    Raises
    ------
    OutputError
        When it cannot be opened or written.
    PipeClosedError
        When the reader went away.
    """
    name = "<stdout>" if path is None else visible(path)
    try:
        with _opened(path) as target:
            yield target
    except BrokenPipeError:
        raise PipeClosedError(name, "the reader went away") from None
    except OSError as error:
        raise OutputError(name, f"cannot be written: {reason(error)}") from None


def _opened(path: str | None) -> AbstractContextManager[Target]:
    descriptor = 1 if path is None else _descriptor(path)
    if descriptor is not None:
        os.set_blocking(descriptor, True)  # whoever shares it may have set it otherwise
        return _written_through(FileIO(descriptor, "wb", closefd=False))
    assert path is not None
    if path.endswith("/"):
        raise _error(errno.EISDIR)
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        return _replaced(Path(path), None)
    if stat.S_ISREG(found.st_mode):
        return _replaced(Path(path), found)
    return _written_through(FileIO(path, "wb"))  # a fifo, say


def _error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def _descriptor(path: str) -> int | None:
    """Return N for ``/dev/fd/N`` and its other names.

    To open these by name would empty, or replace, the file that the shell opened to append to.
    """
    name = {"/dev/stdout": "/dev/fd/1", "/dev/stderr": "/dev/fd/2"}.get(path, path)
    match = re.fullmatch("/(?:dev|proc/self)/fd/([0-9]{1,9})", name)
    return None if match is None else int(match[1])


@contextmanager
def _written_through(stream: FileIO) -> Iterator[Target]:
    with stream:
        is_stdout = stream.fileno() == 1
        yield Target(stream, sys.stdout.encoding if is_stdout else "utf-8", stream.isatty())


@contextmanager
def _replaced(path: Path, old: os.stat_result | None) -> Iterator[Target]:
    """Write beside the target and move into its place when complete.

    A symlink is followed, and an old file's mode and, if possible, its owner are kept.
    """
    import tempfile

    if old is not None and not os.access(path, os.W_OK):
        raise _error(errno.EACCES)
    path = Path(os.path.realpath(path))
    # With 50 characters, or 200 bytes, of its name, ours is not too long either.
    descriptor, name = tempfile.mkstemp(".tmp", f".{path.name[:50]}.", path.parent)
    temporary = Path(name)
    try:
        with FileIO(descriptor, "wb") as stream:
            yield Target(stream, keeps_parts=False)
            if old is not None:
                with suppress(PermissionError):
                    os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, _default_mode() if old is None else stat.S_IMODE(old.st_mode))
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _default_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
