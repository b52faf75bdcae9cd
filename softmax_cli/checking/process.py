"""Code named on the command line: loaded and checked in a process of its own.

Whatever it does to its interpreter, the verdict is ours. It is loaded, and so run, only because
the user names it.
"""

import builtins
import math
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn, TypeVar

import numpy as np

from softmax_cli.checking.candidate import CandidateError, Function, in_words, local
from softmax_cli.ending import undone_by

_PACKAGE = str(Path(__file__).parent.parent) + os.sep
_BETWEEN_LOOKS = 0.1
Result = TypeVar("Result")


def isolated(job: Callable[[Function], Result], word: str, timeout: float | None = None) -> Result:
    """Load a function and do a job with it in a process of its own; return or raise its result.

    The function prints to stderr and reads nothing. To load and to do may take so many seconds
    each. Raises `CandidateError` where there is no result.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    ours, theirs = Pipe(duplex=False)
    with warnings.catch_warnings(action="ignore"):  # of the threads of BLAS, which are at rest
        process = os.fork()
    if process == 0:
        _work(theirs, job, word)
    theirs.close()
    with suppress(OSError):  # it has done so itself
        os.setpgid(process, process)
    try:
        with undone_by(partial(os.killpg, process, signal.SIGKILL)):
            result: Result = _received(ours, process, math.inf if timeout is None else timeout)
        return result
    finally:
        with suppress(ChildProcessError):  # its end is known
            os.waitpid(process, 0)
        ours.close()


def _received(connection: Connection, process: int, timeout: float) -> Any:
    """Wait until it says that it is loaded, and then for its result."""
    ended, status, answer = 0, 0, None
    for when in (" while it was loaded", ""):
        end = time.monotonic() + timeout
        while not ended and not connection.poll(_BETWEEN_LOOKS):
            if time.monotonic() > end:
                raise CandidateError(f"the candidate took longer than {timeout:g} s{when}")
            # Another process of its own may hold the pipe open when it has ended.
            ended, status = os.waitpid(process, os.WNOHANG)
        try:
            answer = connection.recv() if connection.poll() else EOFError()
        except EOFError as error:
            answer = error
        if isinstance(answer, EOFError):
            code = os.waitstatus_to_exitcode(status if ended else os.waitpid(process, 0)[1])
            how = f"with status {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
            raise CandidateError(f"the candidate ended its process {how}{when}")
        if isinstance(answer, Exception):
            raise answer
    return answer


def _work(connection: Connection, job: Callable[[Function], Any], word: str) -> NoReturn:
    """Load the function, do the job and send its result; never return."""
    try:
        os.setpgid(0, 0)
        # Ctrl-C ends it at once, also where it swallows exceptions.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.dup2(2, 1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdout = sys.stderr
        context = copy_context()  # numpy's way with errors is each one's own

        def call(*given: Any) -> Any:
            return context.run(_apart, function, *given)

        try:
            module, function = context.run(_apart, _load, word)
            connection.send(None)
            answer = job(local(call, partial(_blamed, module, function)))
        except Exception as error:
            answer = error
        except BaseException as error:
            answer = CandidateError(f"the candidate raised {in_words(error)}")
        with suppress(Exception):  # it may be gone
            sys.stdout.flush()
        connection.send(answer)
    finally:
        os._exit(0)


def _apart(function: Callable[..., Any], *given: Any) -> Any:
    """Call a function, and undo what it does to what we compute with."""
    process, modules = os.getpid(), [vars(each) for each in (builtins, np, os)]
    before = [names.copy() for names in modules]
    try:
        return function(*given)
    finally:
        for k in range(3):
            modules[k].update(before[k])
        if os.getpid() != process:  # a fork of its own has come back
            os._exit(0)


def _load(word: str) -> tuple[ModuleType, Any]:
    module_name, _, name = word.rpartition(":")
    is_file = module_name.endswith(".py")
    try:
        folder = Path(module_name).resolve().parent if is_file else Path.cwd()
        source = Path(module_name).read_bytes() if is_file else b""
    except FileNotFoundError as error:
        no_folder = f"no working folder to find it in: {error.strerror}"
        raise CandidateError(
            f"no such file: {module_name!r}" if error.filename else no_folder
        ) from None
    except OSError as error:
        raise CandidateError(f"{module_name!r} cannot be read: {error.strerror}") from None
    sys.path.insert(0, str(folder))
    try:
        module = _execute(module_name, source) if is_file else import_module(module_name)
        return module, _find(module, name)
    except CandidateError:
        raise
    except SyntaxError as error:
        place = _place(error.filename or module_name, error.lineno)
        raise CandidateError(f"expected Python, found a SyntaxError: {error.msg}", place) from None
    except BaseException as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{module_name}.".startswith(f"{missing}."):
            raise CandidateError(f"no such module: {module_name!r}") from None
        problem = f"the candidate raised {in_words(error)}, while {module_name} was loaded"
        hint = ""
        if is_file and "relative import" in in_words(error):
            package = f"{folder.name}.{Path(module_name).stem}:{name}"
            hint = f"name it by its package, from the folder above: {package}"
        raise CandidateError(problem, _place_of(error, module_name) or module_name, hint) from None


def _execute(name: str, source: bytes) -> ModuleType:
    if b"\0" in source:
        raise CandidateError("expected Python, found a NUL byte", name)
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
            raise CandidateError(f"no {part!r} in {_place(module.__file__ or name)}", hint=hint)
        value = getattr(value, part)
    if not callable(value):
        problem = f"expected a function, found {name!r}, of type {type(value).__name__}"
        raise CandidateError(problem)
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


def _place(filename: str, line: int | None = None) -> str:
    short = filename.removeprefix(f"{Path.cwd()}{os.sep}")
    return f"{short}:{line}" if line else short
