"""Where a result goes: standard output, or a file that appears whole or not at all."""

import os
import re
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path

from softmax_cli.ending import finish, undone_by
from softmax_cli.errors import InputError, OutputError, noted, plural, reason, visible
from softmax_cli.options import OutputOptions
from softmax_cli.pipeline import Encode, convert_all
from softmax_cli.progress import watched
from softmax_cli.result import Arrays, Report, Result
from softmax_cli.writing.formats import BINARY, PICTURES, STREAMED


@dataclass(frozen=True)
class Target:
    """An open target."""

    stream: FileIO  # unbuffered: what is written is out, whatever happens next
    encoding: str = "utf-8"  # of text for people; data is always UTF-8
    is_terminal: bool = False
    keeps_parts: bool = True  # whether what was written stays when the rest fails
    gzip: "zlib._Compress | None" = None  # compresses what is written

    def write(self, content: bytes) -> None:
        """Write all of it."""
        rest = memoryview(self.gzip.compress(content) if self.gzip else content)
        while rest:
            rest = rest[self.stream.write(rest) :]

    def write_text(self, text: str) -> None:
        """Write text for people; what the encoding lacks is escaped."""
        self.write(text.encode(self.encoding, "backslashreplace"))

    @contextmanager
    def whole(self) -> Iterator["Target"]:
        """Hold back what is written until it is complete, in a file that can be gone back in."""
        if not self.keeps_parts:
            yield self
            return
        import shutil
        import tempfile

        with tempfile.TemporaryFile(buffering=0) as spool:
            yield replace(self, stream=spool, keeps_parts=False)
            spool.seek(0)
            shutil.copyfileobj(spool, self)


def write_all(result: Arrays, target: Target, jobs: int | None, head: bytes, encode: Encode) -> int:
    """Write blocks as they are computed, the first behind the head; return how many samples."""
    n_samples = 0
    try:
        with closing(convert_all(result, encode, jobs)) as pieces:
            for content, completed in pieces:
                target.write(head + content if head else content)
                head = b""
                n_samples += completed
    except Exception as error:
        if n_samples and target.keeps_parts:
            error.add_note(f" ({plural(n_samples, 'sample')} printed before it)")
        raise
    return n_samples


def write(result: Result, options: OutputOptions) -> None:
    """Write a result where and how the user asked for it.

    Raises
    ------
    InputError
        For bytes to a terminal, and for a derivation in a format for numbers.
    OutputError
        When it cannot be written.
    """
    name, writer = options.output_format, _writer(options.output_format)
    if not isinstance(result, Arrays | Report) and name in STREAMED | BINARY | {"json"}:
        expected = "table, markdown, latex or html"
        hint = "write a page with -o FILE.html, or leave --explain out"
        raise InputError("--explain", f"expected the format {expected}, found {name}", hint)
    if isinstance(result, Arrays):
        _refuse_what_has_no_place(result, name)
    with open_target(options.path) as target:
        if target.is_terminal and name in BINARY:
            problem = f"expected a file or a pipe for {name}, found a terminal"
            raise InputError("--format", problem, f"write a file with -o FILE.{name}")
        if not isinstance(result, Arrays) or (target.is_terminal and name in STREAMED):
            writer(result, target, options)
            return
        with watched(result.logits) as logits:
            writer(replace(result, logits=logits), target, options)


def _refuse_what_has_no_place(result: Arrays, name: str) -> None:
    for option, given in (("--top", result.top), ("--keep", result.logits.kept_names)):
        if given and name in ("latex", "npy"):
            raise InputError(option, f"expected another format than latex and npy, found {name}")
    is_without = name in ("latex", "npy", "json", "jsonl") or result.quantity.rank == 0
    if result.prefix and (is_without or result.top):
        raise InputError("--prefix", f"expected classes in a header, found none in {name}")


def _writer(name: str) -> Callable[[Result, Target, OutputOptions], None]:
    # A machine does without Rich, and a terminal without what files are made of.
    if name == "table":
        from softmax_cli.writing.table import write_drawn

        return write_drawn
    if name in (*PICTURES, "markdown", "latex"):
        from softmax_cli.writing import chart, html, markup

        texts = {"html": html.page, "markdown": markup.markdown, "latex": markup.latex}
        made = texts.get(name, chart.chart)
        return lambda result, target, options: target.write(made(result, options))
    from softmax_cli.writing import data

    others = {"json": data.write_json, "jsonl": data.write_jsonl, "npy": data.write_npy}
    others |= {"parquet": data.write_parquet, **dict.fromkeys(("csv", "tsv"), data.write_delimited)}
    return others[name]


@contextmanager
def open_target(path: str | None) -> Iterator[Target]:
    """Open standard output (None) or a file.

    Raises
    ------
    OutputError
        When it cannot be opened or written.
    """
    name = "<stdout>" if path is None else visible(path)
    try:
        with _opened(1 if path is None else _descriptor(path)) as target:
            # A gzip file, without name and time.
            gzip = zlib.compressobj(wbits=31) if name.lower().endswith(".gz") else None
            yield replace(target, gzip=gzip)
            target.write(gzip.flush() if gzip else b"")
    except OSError as error:
        raise OutputError(name, f"cannot be written: {reason(error)}{noted(error)}") from None


def _descriptor(path: str) -> int | str:
    """Return N for ``/dev/fd/N``, its other names and what leads to stdout, and else the path.

    To open these by name would empty, or replace, the file that the shell opened to append to.
    """
    with suppress(OSError):
        if os.path.samestat(Path(path).stat(), os.fstat(1)):
            return 1
    name = {"/dev/stdout": "/dev/fd/1", "/dev/stderr": "/dev/fd/2"}.get(path, path)
    match = re.fullmatch("/(?:dev|proc/self)/fd/([0-9]{1,9})", name)
    return path if match is None else int(match[1])


@contextmanager
def _opened(where: int | str) -> Iterator[Target]:
    # To open a folder is an error of the system's own, also for one that is not there.
    if isinstance(where, str) and not where.endswith("/"):
        old = None
        with suppress(FileNotFoundError):
            old = Path(where).stat()
        if old is None or stat.S_ISREG(old.st_mode):
            with _replaced(Path(os.path.realpath(where)), old) as target:
                yield target
            return
    with FileIO(where, "wb", closefd=isinstance(where, str)) as stream:
        os.set_blocking(stream.fileno(), True)  # whoever shares it may have set it otherwise
        yield Target(stream, sys.stdout.encoding if where == 1 else "utf-8", stream.isatty())


@contextmanager
def _replaced(path: Path, old: os.stat_result | None) -> Iterator[Target]:
    """Write beside the target and move into its place when complete.

    An old file's mode is kept.
    """
    if old is not None:
        os.close(os.open(path, os.O_WRONLY))  # fails if it may not be written
    mode = 0o666 if old is None else stat.S_IMODE(old.st_mode)
    # With 50 characters, or 200 bytes, of its name, ours is not too long either.
    temporary = path.with_name(f".{path.name[:50]}.{os.urandom(4).hex()}.tmp")
    with undone_by(temporary.unlink):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with FileIO(descriptor, "wb") as stream:
            if old is not None:
                os.fchmod(descriptor, mode)
            yield Target(stream, keeps_parts=False)
            os.fsync(descriptor)
        finish()
        temporary.replace(path)
