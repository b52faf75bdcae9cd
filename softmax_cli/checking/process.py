"""Code named on the command line: loaded and checked in a process of its own.

Whatever it does to its interpreter, the verdict is ours. It is loaded, and so run, only because
the user names it.
"""

import builtins
import os
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from difflib import get_close_matches
from functools import partial
from multiprocessing.connection import Connection, Pipe, wait
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import numpy as np

from softmax_cli.checking.candidate import CandidateError, CheckingError, Function, in_words
from softmax_cli.ending import SIGNALS, forked, undone_by

_PACKAGE = str(Path(__file__).parent.parent) + os.sep
Result = TypeVar("Result")


def isolated(job: Callable[[Function], Result], word: str, timeout: float | None = None) -> Result:
    """Load a function and do a job with it in a process of its own; return or raise its result.

    The function prints to stderr and reads nothing. To load and to do may take so many seconds
    each. Raises `CandidateError` where there is no result.
    """
    ours, theirs = Pipe(duplex=False)
    try:
        process = forked(partial(_work, theirs, job, word, min(timeout + 1, 1e9) if timeout else 0))
    except OSError as error:
        raise CandidateError(f"no process can be started to run it: {error.strerror}") from None
    with ours, undone_by(partial(os.killpg, process, signal.SIGKILL)):
        theirs.close()
        ends: list[int] = []
        with suppress(AttributeError, OSError):  # not every system has it
            # A child of its own may hold the pipe when it has ended.
            ends.append(os.pidfd_open(process))
        # It says that it is loaded, and then its result.
        for when in (" while it was loaded", ""):
            left = timeout or float("inf")
            # In pieces: Python hears a signal that comes just before a wait only behind it.
            while not (ready := wait([ours, *ends], min(left, 0.5))) and left > 0.5:
                left -= 0.5
            if not ready:
                raise CandidateError(f"the candidate took longer than {timeout:g} s{when}")
            try:
                if ours not in ready:
                    raise EOFError
                answer = ours.recv()
            except EOFError:
                code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
                by = f"with status {code}" if code >= 0 else f"by {signal.Signals(-code).name}"
                raise CandidateError(f"the candidate ended its process {by}{when}") from None
            except Exception:
                raise CandidateError("the candidate wrote into the pipe of its process") from None
            if isinstance(answer, Exception):
                raise answer
    return cast(Result, answer)


def _work(pipe: Connection, job: Callable[[Function], Any], word: str, limit: float) -> None:
    """Load the function, do the job and send its result."""
    # One that closes the pipe, or writes into it, and goes on is not heard of.
    signal.setitimer(signal.ITIMER_REAL, limit)
    os.setpgid(0, 0)
    # Ctrl-C ends it at once, also where it swallows exceptions.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = sys.stderr
    try:
        # numpy's error settings, too, are of a context.
        theirs = sys.path.copy(), copy_context()
        module, function = _apart(*theirs, _load, word)
        pipe.send(None)
        signal.setitimer(signal.ITIMER_REAL, limit)
        answer = job(partial(_apart, *theirs, function))
    except CheckingError as error:
        answer = error
        if error.__cause__:  # raised when it was called; or its head, where it was not entered
            file, code = _file_of(module), getattr(function, "__code__", None)
            head = _place(file, getattr(code, "co_firstlineno", None))
            error.place = _place_of(error.__cause__, file) or head
    except BaseException as error:
        answer = CandidateError(f"the candidate raised {in_words(error)}")
    with suppress(Exception):  # it may be gone
        sys.stdout.flush()
    pipe.send(answer)


def _apart(path: list[str], context: Context, function: Function, *given: Any) -> Any:
    """Call a function with its own path; undo what it does to what we import and compute with."""
    process, before = os.getpid(), [(vars(each), dict(vars(each))) for each in (builtins, np)]
    ours, sys.path[:] = sys.path.copy(), path
    try:
        return context.run(function, *given)
    finally:
        path[:], sys.path[:] = sys.path.copy(), ours
        for names, known in before:
            names.update(known)
        if os.getpid() != process:  # a fork of its own has come back, and each call makes more
            os._exit(0)


def _load(word: str) -> tuple[ModuleType, Any]:
    file, _, name = word.rpartition(":")
    if word.endswith(".py"):
        hint = f"name the function in it: {word}:FUNCTION"
        raise CandidateError(f"expected a function, found {word!r}", hint=hint)
    is_file = file.endswith(".py")
    try:
        source = Path(file).read_bytes() if is_file else b""
    except OSError as error:
        raise CandidateError(f"{file!r} cannot be read: {error.strerror}") from None
    sys.path.insert(0, str(Path(file).resolve().parent) if is_file else "")
    try:
        if is_file:  # its source: a cached module may be that of a moment ago
            stem = Path(file).stem  # by which a process of its own can import it
            taken = stem in sys.modules or stem in sys.stdlib_module_names
            module = ModuleType(f"candidate_{stem}" if taken else stem)
            module.__file__ = file
            sys.modules[module.__name__] = module
            exec(compile(source, file, "exec"), module.__dict__)
        else:
            __import__(file)
            module = sys.modules[file]
    except SyntaxError as error:
        place = _place(error.filename or file, error.lineno)
        raise CandidateError(f"expected Python, found a SyntaxError: {error.msg}", place) from None
    except BaseException as error:
        problem, hint = f"the candidate raised {in_words(error)}, while {file} was loaded", ""
        if is_file and "relative import" in in_words(error):
            package = f"{Path(file).resolve().parent.name}.{Path(file).stem}:{name}"
            hint = f"name it by its package, from the folder above: {package}"
        raise CandidateError(problem, _place_of(error, file) or file, hint) from None
    return module, _find(module, name)


def _find(module: ModuleType, name: str) -> Any:
    try:
        value = attrgetter(name)(module)
    except AttributeError as error:
        close = get_close_matches(str(error.name), dir(error.obj), n=1)
        problem = f"no {error.name!r} in {_place(_file_of(module) or module.__name__)}"
        raise CandidateError(problem, hint=f"did you mean {close[0]}?" if close else "") from None
    if not callable(value):
        raise CandidateError(f"expected a function, found {name!r}, of type {type(value).__name__}")
    return value


def _file_of(module: ModuleType) -> str:
    return getattr(module, "__file__", None) or ""  # what is built in has none


def _place_of(error: BaseException, file: str) -> str:
    """Return the line to blame: the last one of the candidate's own file, or else of others'."""
    frames = traceback.extract_tb(error.__traceback__)
    others = [each for each in frames if not each.filename.startswith((_PACKAGE, "<frozen"))]
    own = [each for each in others if each.filename == file] or others
    return _place(own[-1].filename, own[-1].lineno) if own else ""


def _place(filename: str, line: int | None = None) -> str:
    with suppress(OSError):  # where the folder is gone
        filename = filename.removeprefix(f"{Path.cwd()}{os.sep}")
    return f"{filename}:{line}" if line else filename
