"""Runs the program as a user does: a process, with its exit status, stdout and stderr."""

import atexit
import fcntl
import gc
import json
import multiprocessing
import os
import pkgutil
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NoReturn

import softmax_cli.__main__
from softmax_cli import pipeline
from softmax_cli.reading.text import Stream

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_inputs"
PETS = str(SAMPLES / "pets.csv")
PROGRAM = [sys.executable, "-m", "softmax_cli"]
SCRIPT = [str(Path(sys.executable).parent / "softmax-cli")]
# What would change a table's looks, or a process's start, from the outside; and what pytest
# changes from test to test.
_UNWANTED = (
    "NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONIOENCODING", "COLORTERM", "CI",
    "PYTHONSAFEPATH", "PYTHONUNBUFFERED", "PYTEST_CURRENT_TEST", "OMP_NUM_THREADS",
)  # fmt: skip
# What a program looks at only when it draws; all else may concern an interpreter's start.
_LATE = {
    "NO_COLOR", "FORCE_COLOR", "COLUMNS", "COLORTERM", "TERM", "_SOFTMAX_CLI_COMPLETE",
    "COMP_WORDS", "COMP_CWORD",
}  # fmt: skip
TIMEOUT = 120
_SERVER = multiprocessing.get_context("forkserver")
_LIBRARIES = (
    "numpy", "orjson", "pyarrow.parquet", "rich.console", "rich.table", "rich.text",
    "typer.rich_utils",
)  # fmt: skip
_DRAWING = (
    "matplotlib.figure", "matplotlib.style", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_pdf", "matplotlib.backends.backend_svg",
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def plain(self) -> str:
        """Return stdout without its colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.stdout)

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def rows(self) -> list[list[float]]:
        """The numbers of a csv without names."""
        return [[float(cell) for cell in line.split(",")] for line in self.stdout.splitlines()]


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if key not in _UNWANTED}
    return {**clean, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", **changes}


def run(
    *words: str,
    stdin: str | bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    piece: int = 1 << 30,
    first: Callable[[], object] = dict,
) -> Outcome:
    """Run with pipes for all three streams, in a fork that need not make its imports again.

    Where the environment may concern the interpreter's start, it gets one. Standard input comes in
    pieces of so many bytes; in a fork, something may be done first.
    """
    if _is_cold(env):
        return run_cold(*words, stdin=stdin, cwd=cwd, env=env)
    (stdin_end, feed), (stdout, stdout_end), (stderr, stderr_end) = (os.pipe() for _ in range(3))
    child = _fork(words, cwd or Path(), env, (stdin_end, stdout_end, stderr_end), first)
    with ThreadPoolExecutor(2) as threads:
        told = threads.submit(_read, stderr)
        threads.submit(_write, feed, stdin.encode() if isinstance(stdin, str) else stdin, piece)
        printed = _read(stdout)
    status = _wait(child, words)
    return Outcome(status, printed.decode(errors="surrogateescape"), told.result().decode())


def wait_for(seconds: float, event: Callable[[], Any]) -> Any:
    """Wait until this returns something, for so many seconds at most, and return that."""
    until = time.monotonic() + seconds
    while not (found := event()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def without(module: str) -> Callable[[], object]:
    """Return what is to be done first, so that a module is missing."""
    return partial(exec, f"import sys; sys.modules[{module!r}] = None")


def refused(*words: str, **how: Any) -> str:
    """Run what has no result, and return its error: a line, with a hint at most."""
    outcome = run(*words, **how)
    assert (outcome.status, outcome.stdout) == (2, ""), outcome
    assert re.fullmatch(r"(warning: .+\n)*error: .+\n(hint: .+\n)?", outcome.stderr), outcome
    return outcome.stderr


def _is_cold(env: Mapping[str, str] | None) -> bool:
    return bool({*(env or ())} - _LATE)


def _fork(
    words: Sequence[str],
    cwd: Path,
    env: Mapping[str, str] | None,
    ends: Sequence[int],
    first: Callable[[], object] = dict,
) -> BaseProcess:
    """Run the program in a fork of a small process, with these ends for streams."""
    _SERVER.set_forkserver_preload([*_modules(), *_DRAWING])
    streams = [Connection(end) for end in ends]  # which can be sent to a process
    tuned = pipeline.WORTH, Stream.block_size
    args = words, cwd.absolute(), environment(env or {}), streams, first, tuned
    child = _SERVER.Process(target=_become_the_program, args=args)
    main = sys.modules["__main__"]
    sys.modules["__main__"] = softmax_cli.__main__  # a fork would import another again
    child.start()
    sys.modules["__main__"] = main
    for stream in streams:
        stream.close()
    return child


def _wait(child: BaseProcess, words: Sequence[str]) -> int:
    child.join()
    status = child.exitcode
    child.close()
    if status == -signal.SIGALRM:
        raise subprocess.TimeoutExpired(list(words), TIMEOUT)
    return int(status or 0)


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb") as stream:
        return stream.read()


def _write(descriptor: int, content: bytes, piece: int) -> None:
    with suppress(BrokenPipeError), open(descriptor, "wb") as stream:
        for k in range(0, len(content), piece):
            stream.write(content[k : k + piece])
            stream.flush()


@cache
def _modules() -> list[str]:
    """Name what a fork should not have to import."""
    ours = [found.name for found in pkgutil.walk_packages(softmax_cli.__path__, "softmax_cli.")]
    return [*ours, "tests.program", *_LIBRARIES]


@cache
def import_all() -> None:
    for name in _modules():
        import_module(name)


def take_streams(descriptors: Sequence[int]) -> None:
    """Make these the standard streams, as they are when the program begins."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", closefd=False)
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)


def _become_the_program(
    words: Sequence[str],
    cwd: Path,
    variables: Mapping[str, str],
    streams: Sequence[Connection],
    first: Callable[[], object],
    tuned: tuple[int, int],
) -> NoReturn:
    """Make of a fork what ``python -m softmax_cli`` is when it begins, and run it to its end."""
    status = 1
    try:
        gc.freeze()
        atexit._clear()
        multiprocessing.set_start_method(None, force=True)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.alarm(TIMEOUT)
        if os.isatty(streams[0].fileno()):
            os.setsid()
        take_streams([stream.fileno() for stream in streams])
        pipeline.WORTH, Stream.block_size = tuned
        os.environ.clear()
        os.environ.update(variables)
        os.chdir(cwd)
        sys.modules["__main__"] = softmax_cli.__main__
        sys.argv = [str(softmax_cli.__main__.__file__), *words]
        first()
        softmax_cli.__main__.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    try:
        atexit._run_exitfuncs()
        sys.stdout.flush()
    except OSError:
        status = 120
    finally:
        os._exit(status & 0xFF)


def run_cold(
    *words: str,
    stdin: str | bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = PROGRAM,
) -> Outcome:
    """Run with pipes for all three streams, in an interpreter of its own."""
    done = subprocess.run(
        [*program, *words],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(env or {}),
        timeout=TIMEOUT,
        check=False,
    )
    stdout = done.stdout.decode(errors="surrogateescape")
    return Outcome(done.returncode, stdout, done.stderr.decode())


def run_in_shell(script: str, cwd: Path | None = None, **how: Any) -> Outcome:
    """Run a script of bash in which "$@" is the program."""
    return run_cold(cwd=cwd, program=["bash", "-c", script, "bash", *PROGRAM], **how)


def run_in_terminal(
    *words: str, columns: int = 80, env: Mapping[str, str] | None = None, keys: bytes = b""
) -> Outcome:
    """Run with a terminal for all three streams, on which keys are pressed; stdout has both."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    ends = theirs, os.dup(theirs), os.dup(theirs)
    if _is_cold(env):
        process = subprocess.Popen(
            [*PROGRAM, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=environment(env or {}),
            start_new_session=True,
        )
        for end in ends:
            os.close(end)
    else:
        child = _fork(words, Path(), env, ends)
    shown = b""
    os.write(ours, keys)
    while select.select([ours], [], [], 60)[0]:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    status = process.wait(60) if _is_cold(env) else _wait(child, words)
    return Outcome(status, shown.decode().replace("\r\n", "\n"), "")
