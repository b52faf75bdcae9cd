"""Somebody's code, by its name: ``file.py:function`` or ``package.module:function``.

It is loaded, and so run, only because the user names it.
"""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

from softmax_cli.checking.candidate import INTERRUPTIONS, CandidateError, CodeError, Function

_PACKAGE = str(Path(__file__).parent.parent) + os.sep


@contextmanager
def running(word: str, labels: Sequence[str]) -> Iterator[Function]:
    """Load a function and let it run, printing to stderr; raise CodeError for what it raises."""
    with _printing_to_stderr(), _staying_alive():
        module, function = _load(word)
        try:
            yield function
        except CandidateError as error:
            raise _told(error, module, function, labels) from None
        except KeyboardInterrupt:  # no signal of ours
            raise CodeError("the candidate raised KeyboardInterrupt") from None


@contextmanager
def _printing_to_stderr() -> Iterator[None]:
    """Redirect the descriptor itself: code in C and child processes print there too."""
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        with suppress(OSError, ValueError):  # a candidate may have closed it
            sys.stdout.flush()
        os.dup2(ours, 1)
        os.close(ours)


@contextmanager
def _staying_alive() -> Iterator[None]:
    """Let os._exit raise as sys.exit does: no verdict is no success. Forks may still end."""
    leave, process = os._exit, os.getpid()

    def refuse(status: int) -> NoReturn:
        if os.getpid() != process:
            leave(status)
        raise SystemExit(f"os._exit({status})")

    os._exit = refuse
    try:
        yield
    finally:
        os._exit = leave


def _load(word: str) -> tuple[ModuleType, Function]:
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
    except SyntaxError as error:
        place = _place(error.filename or module_name, error.lineno)
        raise CodeError(f"expected Python, found a SyntaxError: {error.msg}", place) from None
    except BaseException as error:
        if isinstance(error, SystemExit) and error.code in INTERRUPTIONS:
            raise
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{module_name}.".startswith(f"{missing}."):
            raise CodeError(f"no such module: {module_name!r}") from None
        problem = f"the candidate raised {_in_words(error)}, while {module_name} was loaded"
        raise CodeError(problem, _place_of(error, module_name) or module_name) from None
    # Behind all others now: a file named json.py beside somebody's code is not what we import.
    with suppress(ValueError):
        sys.path.remove(str(folder))
    sys.path.append(str(folder))
    return module, _find(module, name)


def _execute(name: str, source: bytes) -> ModuleType:
    module = ModuleType(f"candidate_{Path(name).stem}")
    module.__file__ = name
    sys.modules[module.__name__] = module
    exec(compile(source, name, "exec"), module.__dict__)
    return module


def _find(module: ModuleType, name: str) -> Function:
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            close = get_close_matches(part, [each for each in dir(value) if each[0] != "_"], n=1)
            hint = f"did you mean {close[0]}?" if close else ""
            raise CodeError(f"no {part!r} in {_short(module.__file__ or name)}", hint=hint)
        value = getattr(value, part)
    if not callable(value):
        raise CodeError(f"expected a function, found {name!r}, of type {type(value).__name__}")
    return value  # type: ignore[no-any-return]


def _told(
    error: CandidateError, module: ModuleType, function: Function, labels: Sequence[str]
) -> CodeError:
    """Say what the candidate raised, where, and given which sample."""
    raised, before = error.__cause__, error.at_once
    assert raised is not None
    file = module.__file__ or ""
    given = "all samples" if error.sample is None else f"sample {labels[error.sample]!r}"
    hint = ""
    if before is not None and _in_words(before) != _in_words(raised):
        place = _place_of(before, file)
        hint = f"given all samples at once it raised {_in_words(before)} ({place})"
    code = getattr(function, "__code__", None)
    # It was not even entered where there is no line of it, as with two arguments for one.
    first_line = _place(file, code.co_firstlineno if code else None)
    problem = f"the candidate raised {_in_words(raised)}, given {given}"
    return CodeError(problem, _place_of(raised, file) or first_line, hint)


def _place_of(error: BaseException, file: str) -> str:
    """Return the line to blame: the last one of the candidate's own file, or else of others'."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((_PACKAGE, "<frozen"))
    ]
    own = [frame for frame in frames if frame.filename == file] or frames
    return _place(own[-1].filename, own[-1].lineno) if own else ""


def _in_words(error: BaseException) -> str:
    message = str(error).strip()[:300]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def _place(filename: str, line: int | None) -> str:
    return f"{_short(filename)}:{line}" if line else _short(filename)


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        return str(path.relative_to(Path.cwd()))
    return filename
