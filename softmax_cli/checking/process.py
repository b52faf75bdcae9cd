"""Code named on the command line: loaded and called in a process of its own.

Whatever it does to its interpreter, the verdict is ours. It is loaded, and so run, only because
the user names it.
"""

import mmap
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

import numpy as np

from softmax_cli.checking.candidate import (
    Answer,
    Array,
    CandidateError,
    CodeError,
    Form,
    Function,
    in_words,
    local,
)
from softmax_cli.ending import undone_by

_PACKAGE = str(Path(__file__).parent.parent) + os.sep
_BETWEEN_LOOKS = 0.1
# Bytes of numbers that come with an answer; more are taken from a window of memory.
_SMALL = 1 << 16
_WINDOW = 1 << 25


@contextmanager
def running(word: str, timeout: float | None = None) -> Iterator[Function]:
    """Load a function in a process of its own, and let it be called for so many seconds.

    It prints to stderr and reads nothing. Raises `CodeError` where it cannot be loaded.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    ours, theirs = Pipe()
    window = mmap.mmap(-1, _WINDOW)
    with warnings.catch_warnings(action="ignore"):  # of the threads of BLAS, which are at rest
        process = os.fork()
    if process == 0:
        ours.close()
        _serve(theirs, window, word)
    theirs.close()
    with suppress(OSError):  # it has done so itself
        os.setpgid(process, process)
    remote = _Remote(process, ours, window, timeout)
    try:
        with undone_by(partial(os.killpg, process, signal.SIGKILL)):
            remote.receive("while it was loaded")
            yield remote
    finally:
        remote.wait()
        ours.close()


class _Remote:
    """The function, as it is called from here."""

    def __init__(
        self, process: int, connection: Connection, window: mmap.mmap, timeout: float | None
    ) -> None:
        self._process, self._connection, self._timeout = process, connection, timeout
        self.window = window
        self._end = None if timeout is None else time.monotonic() + timeout
        self._status: int | None = None

    def __call__(self, inputs: Sequence[Array], form: Form) -> Answer:
        """Call it once."""
        answer: Answer = self.ask((list(inputs), form))
        if isinstance(answer.rows, _Distant):
            answer.rows.remote = self
        return answer

    def ask(self, question: Any) -> Any:
        """Send a question and wait for its answer."""
        try:
            self._connection.send(question)
        except OSError:
            raise self._ended("before it was called") from None
        return self.receive()

    def receive(self, when: str = "") -> Any:
        """Wait for what it answers; an exception is raised here."""
        while not self._connection.poll(_BETWEEN_LOOKS):
            if self._end is not None and time.monotonic() > self._end:
                problem = f"took longer than {self._timeout:g} s {when}".strip()
                raise CandidateError(problem, ended=True)
            # Another process of its own may hold the pipe open when it has ended.
            if self.wait(os.WNOHANG) is not None and not self._connection.poll():
                raise self._ended(when)
        try:
            answer = self._connection.recv()
        except EOFError:
            self.wait()
            raise self._ended(when) from None
        except Exception as error:
            problem = f"answered what cannot be read: {in_words(error)}"
            raise CandidateError(problem, ended=True) from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait(self, options: int = 0) -> int | None:
        """Wait for its end; return its status, or None where it still runs."""
        if self._status is None:
            process, status = os.waitpid(self._process, options)
            self._status = os.waitstatus_to_exitcode(status) if process else None
        return self._status

    def _ended(self, when: str) -> CandidateError:
        status = self.wait() or 0
        how = f"with status {status}" if status >= 0 else f"by {signal.Signals(-status).name}"
        return CandidateError(f"ended its process {how} {when}".strip(), ended=True)


class _Distant:
    """Rows that lie in the candidate's process, until it is called again."""

    remote: _Remote

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.shape, self.dtype = shape, dtype

    def __getitem__(self, part: slice) -> Array:
        start, stop, _ = part.indices(self.shape[0])
        rows = np.empty((stop - start, *self.shape[1:]), self.dtype)
        step = max(1, _WINDOW // rows[:1].nbytes)
        for k in range(0, len(rows), step):
            some = rows[k : k + step]
            self.remote.ask((start + k, start + k + len(some)))
            shown = np.frombuffer(self.remote.window, self.dtype, some.size)
            some[:] = shown.reshape(some.shape)
        return rows


def _serve(connection: Connection, window: mmap.mmap, word: str) -> NoReturn:
    """Load the function and answer calls until there are no more; never return."""
    # Code may replace these.
    leave, process, current = os._exit, os.getpid(), os.getpid
    try:
        os.setpgid(0, 0)
        # Ctrl-C ends it at once, also where it swallows exceptions.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(2, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        answers = iter(_answers(connection, window, word))
        while current() == process:
            answer = next(answers)
            with suppress(Exception):  # it may be gone
                sys.stdout.flush()
            if current() == process:  # and not a fork of its own that has come back
                connection.send(answer)
    finally:
        leave(0)


def _answers(connection: Connection, window: mmap.mmap, word: str) -> Iterator[Any]:
    """Yield what is answered: nothing but that it is loaded, and then to each call."""
    try:
        module, function = _load(word)
    except CodeError as error:
        yield error
        return
    yield None
    call = local(function, partial(_blamed, module, function))
    rows = np.empty((0, 0))
    while True:
        inputs, form = connection.recv()
        if isinstance(form, int):  # rows from one to another
            shown = rows[inputs:form]
            np.frombuffer(window, rows.dtype, shown.size)[:] = shown.ravel()
            yield None
            continue
        try:
            answer = call(inputs, form)
            rows = answer.rows[:]
            is_small = rows.nbytes <= _SMALL
            yield answer if is_small else replace(answer, rows=_Distant(rows.shape, rows.dtype))
        except Exception as error:
            yield error
        except BaseException as error:
            yield CandidateError(f"raised {in_words(error)}", _blamed(module, function, error))


def _load(word: str) -> tuple[ModuleType, Any]:
    module_name, _, name = word.rpartition(":")
    is_file = module_name.endswith(".py")
    try:
        folder = Path(module_name).resolve().parent if is_file else Path.cwd()
        source = Path(module_name).read_bytes() if is_file else b""
    except FileNotFoundError as error:
        no_folder = f"no working folder to find it in: {error.strerror}"
        raise CodeError(f"no such file: {module_name!r}" if error.filename else no_folder) from None
    except OSError as error:
        raise CodeError(f"{module_name!r} cannot be read: {error.strerror}") from None
    sys.path.insert(0, str(folder))
    try:
        module = _execute(module_name, source) if is_file else import_module(module_name)
        return module, _find(module, name)
    except CodeError:
        raise
    except SyntaxError as error:
        place = _place(error.filename or module_name, error.lineno)
        raise CodeError(f"expected Python, found a SyntaxError: {error.msg}", place) from None
    except BaseException as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{module_name}.".startswith(f"{missing}."):
            raise CodeError(f"no such module: {module_name!r}") from None
        problem = f"the candidate raised {in_words(error)}, while {module_name} was loaded"
        hint = ""
        if is_file and "relative import" in in_words(error):
            package = f"{folder.name}.{Path(module_name).stem}:{name}"
            hint = f"name it by its package, from the folder above: {package}"
        raise CodeError(problem, _place_of(error, module_name) or module_name, hint) from None


def _execute(name: str, source: bytes) -> ModuleType:
    if b"\0" in source:
        raise CodeError("expected Python, found a NUL byte", name)
    module = ModuleType(f"candidate_{Path(name).stem}")
    module.__file__ = name
    sys.modules[module.__name__] = module
    exec(compile(source, name, "exec"), module.__dict__)
    return module


def _find(module: ModuleType, name: str) -> Any:
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            close = get_close_matches(part, [each for each in dir(value) if each[0] != "_"], n=1)
            hint = f"did you mean {close[0]}?" if close else ""
            raise CodeError(f"no {part!r} in {_short(module.__file__ or name)}", hint=hint)
        value = getattr(value, part)
    if not callable(value):
        raise CodeError(f"expected a function, found {name!r}, of type {type(value).__name__}")
    return value


def _blamed(module: ModuleType, function: Any, error: BaseException) -> str:
    """Return the line where it raised; or of its head where it was not even entered."""
    file = module.__file__ or ""
    code = getattr(function, "__code__", None)
    return _place_of(error, file) or _place(file, code.co_firstlineno if code else None)


def _place_of(error: BaseException, file: str) -> str:
    """Return the line to blame: the last one of the candidate's own file, or else of others'."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_PACKAGE, "<frozen"))
    ]
    own = [frame for frame in frames if frame.filename == file] or frames
    return _place(own[-1].filename, own[-1].lineno) if own else ""


def _place(filename: str, line: int | None) -> str:
    return f"{_short(filename)}:{line}" if line else _short(filename)


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return filename
