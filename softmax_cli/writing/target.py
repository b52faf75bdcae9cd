"""Where a result goes: standard output, or a file that appears whole or not at all."""

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

from softmax_cli.errors import OutputError, visible, written


@dataclass(frozen=True)
class Target:
    """An open target.

    Attributes
    ----------
    stream
        Takes bytes.
    encoding
        What text for people is encoded in; data is always UTF-8.
    is_terminal
        Whether a person looks at it.
    keeps_parts
        Whether what was written stays when the rest fails.
    """

    stream: BinaryIO
    encoding: str
    is_terminal: bool = False
    keeps_parts: bool = True

    @contextmanager
    def text(self, encoding: str = "utf-8") -> Iterator[TextIOWrapper]:
        """Write text with LF line ends; what the encoding lacks is escaped."""
        wrapper = TextIOWrapper(
            self.stream, encoding, errors="backslashreplace", newline="\n", write_through=False
        )
        try:
            yield wrapper
        finally:
            wrapper.detach()

    @contextmanager
    def whole(self) -> Iterator["Target"]:
        """Hold back what is written until it is complete, in a file that can be gone back in."""
        if not self.keeps_parts:
            yield self
            return
        import shutil
        from tempfile import TemporaryFile

        with TemporaryFile() as spool:
            yield replace(self, stream=spool, keeps_parts=False)
            spool.seek(0)
            shutil.copyfileobj(spool, self.stream)


@contextmanager
def open_target(path: Path | None) -> Iterator[Target]:
    """Open standard output (None or ``-``) or a file.

    Raises
    ------
    OutputError
        When it cannot be opened or written.
    PipeClosedError
        When the reader went away.
    """
    to_stdout = path is None or str(path) == "-"
    name = "<stdout>" if path is None or to_stdout else visible(str(path))
    with written(name):
        if path is None or to_stdout:
            with _standard_output() as target:
                yield target
        else:
            with _opened(path) as target:
                yield target


@contextmanager
def _standard_output() -> Iterator[Target]:
    if sys.stdout is None or sys.stdout.closed:
        raise OutputError("<stdout>", "cannot be written: it is closed")
    yield Target(sys.stdout.buffer, sys.stdout.encoding, sys.stdout.isatty())
    sys.stdout.buffer.flush()


@contextmanager
def _opened(path: Path) -> Iterator[Target]:
    """Write beside the target and move into its place when complete.

    A symlink is followed and the mode of an existing file kept; what is no regular file
    (a fifo, ``/dev/stdout``) is written through.
    """
    import tempfile

    mode = path.stat().st_mode if path.exists() else None
    if mode is not None and not stat.S_ISREG(mode):
        with path.open("wb") as stream:
            yield Target(stream, "utf-8")
        return
    path = Path(os.path.realpath(path))
    if mode is not None and not os.access(path, os.W_OK):
        raise PermissionError(13, "Permission denied")
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", dir=path.parent)
    temporary = Path(name)
    try:
        with open(descriptor, "wb") as stream:
            yield Target(stream, "utf-8", keeps_parts=False)
            stream.flush()
            os.fchmod(descriptor, _default_mode() if mode is None else stat.S_IMODE(mode))
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
