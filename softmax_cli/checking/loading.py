"""Somebody's code, by its name: ``file.py:function`` or ``package.module:function``.

It is loaded, and so run, only because the user names it.
"""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from softmax_cli.checking.candidate import CandidateError, CodeError, Function

# What our own signal handlers exit with.
_INTERRUPTIONS = (129, 130, 143)
_PACKAGE = str(Path(__file__).parent.parent) + os.sep


class ExitedError(Exception):
    """The candidate wanted to end the program; its SystemExit or the like is the cause."""


@dataclass(frozen=True)
class Code:
    """A function, the file that it is in, and its place there, as messages name it."""

    function: Function
    file: str
    place: str


@contextmanager
def running(word: str, labels: Sequence[str]) -> Iterator[Function]:
    """Load a function and let it run, printing to stderr; raise CodeError for what it raises."""
    sys.stdout.flush()
    # The descriptor itself is redirected: code in C and child processes print there too.
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        code = _load(word)
        try:
            yield code.function
        except CandidateError as error:
            raise _told(error, code, labels) from None
    finally:
        with suppress(OSError, ValueError):  # a candidate may have closed it
            sys.stdout.flush()
        os.dup2(ours, 1)
        os.close(ours)


@contextmanager
def _their_turn(path: list[str]) -> Iterator[None]:
    """Let somebody's code run: it finds what lies beside it, and does not end the process."""
    ours, leave, process = sys.path[:], os._exit, os.getpid()

    def refuse(status: int) -> NoReturn:
        if os.getpid() != process:  # forked
            leave(status)
        raise SystemExit(f"os._exit({status})")

    sys.path[:], os._exit = path, refuse
    try:
        yield
    except (SystemExit, KeyboardInterrupt) as error:
        if isinstance(error, SystemExit) and error.code in _INTERRUPTIONS:
            raise
        raise ExitedError from error
    finally:
        path[:], sys.path[:], os._exit = sys.path, ours, leave


def _load(word: str) -> Code:
    module_name, _, name = word.rpartition(":")
    is_file = module_name.endswith(".py")
    try:
        folder = Path(module_name).resolve().parent if is_file else Path.cwd()
    except OSError as error:
        raise CodeError(f"no working folder to find it in: {error.strerror}") from None
    source = _read(module_name) if is_file else b""
    path = [str(folder), *sys.path]
    try:
        with _their_turn(path):
            module = _execute(module_name, source) if is_file else import_module(module_name)
            value = _find(module, name)
    except CodeError:
        raise
    except SyntaxError as error:
        place = _place(error.filename or module_name, error.lineno)
        raise CodeError(f"expected Python, found a SyntaxError: {error.msg}", place) from None
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and f"{module_name}.".startswith(
            f"{error.name}."
        ):
            raise CodeError(f"no such module: {module_name!r}") from None
        place = _place_of(error, Code(print, module_name, module_name))
        problem = f"the candidate raised {_in_words(error)}, while {module_name} was loaded"
        raise CodeError(problem, place) from None
    if not callable(value):
        raise CodeError(f"expected a function, found {name!r}, of type {type(value).__name__}")

    def function(*arguments: Any) -> Any:
        with _their_turn(path):
            return value(*arguments)

    code = getattr(value, "__code__", None)
    place = word if code is None else _place(code.co_filename, code.co_firstlineno)
    return Code(function, str(getattr(module, "__file__", "")), place)


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except FileNotFoundError:
        raise CodeError(f"no such file: {name!r}") from None
    except OSError as error:
        raise CodeError(f"{name!r} cannot be read: {error.strerror}") from None


def _execute(name: str, source: bytes) -> ModuleType:
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
            file = module.__file__ or module.__name__
            raise CodeError(f"no {part!r} in {_short(file)}", hint=hint)
        value = getattr(value, part)
    return value


def _told(error: CandidateError, code: Code, labels: Sequence[str]) -> CodeError:
    """Say what the candidate raised, where, and given which sample."""
    raised, before = error.__cause__, error.at_once
    assert raised is not None
    given = "all samples" if error.sample is None else f"sample {labels[error.sample]!r}"
    hint = ""
    if before is not None and _in_words(before) != _in_words(raised):
        place = _place_of(before, code)
        hint = f"given all samples at once it raised {_in_words(before)} ({place})"
    problem = f"the candidate raised {_in_words(raised)}, given {given}"
    return CodeError(problem, _place_of(raised, code), hint)


def _place_of(error: BaseException, code: Code) -> str:
    """Return the line to blame: the last one of the candidate's own file, or else of others'."""
    frames = [
        frame
        for frame in traceback.extract_tb(_unwrapped(error).__traceback__)
        if not frame.filename.startswith((_PACKAGE, "<frozen"))
    ]
    if not frames:  # it was not even entered, for example with two arguments for one
        return code.place
    frame = ([each for each in frames if each.filename == code.file] or frames)[-1]
    return _place(frame.filename, frame.lineno)


def _unwrapped(error: BaseException) -> BaseException:
    return error.__cause__ if isinstance(error, ExitedError) and error.__cause__ else error


def _in_words(error: BaseException) -> str:
    error = _unwrapped(error)
    message = str(error).strip()[:300]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _place(filename: str, line: int | None) -> str:
    return f"{_short(filename)}:{line}" if line else _short(filename)


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return filename
