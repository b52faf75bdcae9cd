"""Somebody's code, by its name: ``file.py:function`` or ``package.module:function``.

It is loaded, and so run, only because the user names it.
"""

import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from inspect import iscoroutinefunction
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NoReturn

from softmax_cli.checking.candidate import CandidateError
from softmax_cli.errors import (
    InputError,
    did_you_mean,
    given_sample,
    quoted,
    reason,
    silence,
    visible,
)

_CODE = re.compile(r"(?P<module>.+\.py|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):(?P<name>[A-Za-z_][\w.]*)")
# What our own signal handlers exit with.
_INTERRUPTIONS = (129, 130, 143)


class ExitedError(Exception):
    """The candidate wanted to end the program; its SystemExit or the like is the cause."""


@dataclass(frozen=True)
class Code:
    """A function, the file that it is in, and where, as messages name it."""

    function: Callable[..., Any]
    file: Path | None
    place: str


def names_code(word: str) -> bool:
    """Tell whether a word names code, and no file of that name is there."""
    return _CODE.fullmatch(word) is not None and not os.path.exists(word)  # noqa: PTH110


@dataclass
class _Place:
    """What imports find where somebody's code is: his path, and the modules found only there."""

    path: list[str]
    modules: dict[str, ModuleType]


_PLACES: dict[str, _Place] = {}


@contextmanager
def _at(folder: str) -> Iterator[None]:
    """Let imports find what lies in a folder, as long as somebody's own code runs.

    What the program imports itself is not to be found there: neither the file, nor a module of that
    name that his code has imported. No bytecode is left behind, since it counts as current for a
    second after the source was changed.
    """
    place = _PLACES.setdefault(folder, _Place([folder, *sys.path], {}))
    path, writes_none, count = sys.path[:], sys.dont_write_bytecode, len(sys.modules)
    sys.path[:], sys.dont_write_bytecode = place.path, True
    sys.modules.update(place.modules)
    try:
        with _no_exit():
            yield
    finally:
        place.path[:] = sys.path
        sys.path[:], sys.dont_write_bytecode = path, writes_none
        loaded = dict(list(sys.modules.items())[count:])
        folders = set(place.path) - set(path)
        found = {name for name, module in loaded.items() if _lies_in(folders, module)}
        place.modules |= {
            name: module for name, module in loaded.items() if name.partition(".")[0] in found
        }
        for name in place.modules:
            sys.modules.pop(name, None)


@contextmanager
def _no_exit() -> Iterator[None]:
    """Let os._exit raise as sys.exit does, but in processes that somebody's code forks.

    The program would end without a verdict, and with whatever status that code likes.
    """
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


def _lies_in(folders: set[str], module: ModuleType) -> bool:
    spec = getattr(module, "__spec__", None)
    if spec is None:
        return False
    places = [spec.origin or "", *(spec.submodule_search_locations or ())]
    return any(os.path.dirname(each) in folders for each in places)  # noqa: PTH120


class _SourceLoader(SourceFileLoader):
    """Reads the source itself, and no bytecode that may be of an older one."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        try:
            source = self.get_data(path)
        except OSError as error:
            raise InputError(visible(path), f"cannot be read: {reason(error)}") from None
        return self.source_to_code(source, path)


@contextmanager
def at_work() -> Iterator[None]:
    """Let somebody's code print to stderr only.

    The descriptor itself is redirected: code in C and child processes print there too.
    """
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        with suppress(ValueError):  # a candidate may have closed it
            try:
                sys.stdout.flush()
            except OSError:
                silence(1)
                sys.stdout.flush()
        os.dup2(ours, 1)
        os.close(ours)


def load_code(word: str, option: str) -> Code:
    """Load what a word names.

    Raises
    ------
    InputError
        When there is no such module or function, or loading it raises.
    """
    module_name, _, name = word.rpartition(":")
    try:
        is_file = module_name.endswith(".py")
        folder = str(Path(module_name).resolve().parent if is_file else Path.cwd())
    except OSError as error:
        raise InputError(option, f"no working folder to find it in: {reason(error)}") from None
    try:
        with _at(folder):
            module = _load(module_name, option)
            value: Any = module
            for part in name.split("."):
                if not hasattr(value, part):
                    known = [each for each in dir(value) if not each.startswith("_")]
                    problem = f"no {quoted(part)} in {visible(module_name)}"
                    raise InputError(option, problem, did_you_mean(part, known))
                value = getattr(value, part)
    except InputError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise _raised(error, None, f", while {module_name} was loaded") from None
        raise InputError(option, f"no such module: {quoted(module_name)}") from None
    except SyntaxError as error:
        place = _place(error.filename or module_name, error.lineno)
        raise InputError(place, f"expected Python, found a SyntaxError: {error.msg}") from None
    except BaseException as error:
        _let_interruptions_pass(error)
        raise _raised(error, None, f", while {module_name} was loaded") from None
    if not callable(value):
        found = type(value).__name__
        raise InputError(option, f"expected a function, found {quoted(name)}, of type {found}")
    if iscoroutinefunction(value):
        raise InputError(option, f"expected a function, found {quoted(name)}, an async one")
    file = getattr(module, "__file__", None)
    code = getattr(value, "__code__", None)
    place = visible(word) if code is None else _place(code.co_filename, code.co_firstlineno)
    return Code(_guarded(value, folder), None if file is None else Path(file), place)


def _load(name: str, option: str) -> ModuleType:
    if not name.endswith(".py"):
        return import_module(name)
    path = Path(name)
    try:
        path.stat()
    except PermissionError:  # reading it tells
        pass
    except OSError:
        raise InputError(option, f"no such file: {quoted(name)}") from None
    name = f"candidate_{path.stem}"
    spec = spec_from_file_location(name, path, loader=_SourceLoader(name, str(path)))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _guarded(function: Callable[..., Any], folder: str) -> Callable[..., Any]:
    def guarded(*arguments: Any) -> Any:
        try:
            with _at(folder):
                return function(*arguments)
        except Exception:
            raise
        except BaseException as error:
            _let_interruptions_pass(error)
            raise ExitedError from error

    return guarded


def _let_interruptions_pass(error: BaseException) -> None:
    if isinstance(error, SystemExit) and error.code in _INTERRUPTIONS:
        raise error


def candidate_failed(error: CandidateError, code: Code, labels: tuple[str, ...]) -> InputError:
    """Say what the candidate raised, where, and given which sample."""
    given = ", given all samples" if error.sample is None else given_sample(labels[error.sample])
    assert error.__cause__ is not None
    raised = _raised(error.__cause__, code, given)
    if error.at_once is None or _in_words(error.at_once) == _in_words(error.__cause__):
        return raised
    before = _raised(error.at_once, code, "")
    hint = f"given all samples at once it raised {_in_words(error.at_once)} ({before.place})"
    return InputError(raised.place, raised.problem, hint)


def _raised(error: BaseException, code: Code | None, when: str) -> InputError:
    if isinstance(error, ExitedError) and error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not _is_ours(frame.filename)]
    own = [frame for frame in theirs if code and Path(frame.filename) == code.file]
    if code and not theirs:  # it was not even entered, for example with two arguments for one
        place = code.place
    else:
        frame = (own or theirs or list(frames))[-1]
        place = _place(frame.filename, frame.lineno)
    return InputError(place, f"the candidate raised {_in_words(error)}{when}")


def _is_ours(filename: str) -> bool:
    package = str(Path(__file__).parent.parent) + os.sep
    return filename.startswith(package) or filename.startswith("<frozen")


def _place(filename: str, line: int | None) -> str:
    path = Path(filename)
    short = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{visible(str(short))}:{line}"


def _in_words(error: BaseException) -> str:
    message = visible(str(error).strip())
    if len(message) > 300:
        message = message[:300] + "..."
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
