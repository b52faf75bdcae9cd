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
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from softmax_cli.calling import CandidateError
from softmax_cli.errors import InputError, did_you_mean, quoted, visible

_CODE = re.compile(r"(?P<module>.+\.py|[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):(?P<name>[A-Za-z_][\w.]*)")
# What our own signal handlers exit with.
_INTERRUPTIONS = (130, 143)


class ExitedError(Exception):
    """The candidate wanted to end the program; its SystemExit or the like is the cause."""


@dataclass(frozen=True)
class Code:
    """A function, and the file that it is in."""

    function: Callable[..., Any]
    file: Path | None


def names_code(word: str) -> bool:
    """Tell whether a word names code, and no file of that name is there."""
    return _CODE.fullmatch(word) is not None and not os.path.exists(word)  # noqa: PTH110


@contextmanager
def at_work(word: str) -> Iterator[None]:
    """Let somebody's code import what lies beside it, and print to stderr only."""
    module = word.rpartition(":")[0]
    folder = str(Path(module).resolve().parent if module.endswith(".py") else Path.cwd())
    sys.path.insert(0, folder)
    try:
        with _stdout_on_stderr():
            yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


@contextmanager
def _stdout_on_stderr() -> Iterator[None]:
    """Redirect the descriptor itself: code in C and child processes print there too."""
    if sys.stdout is None or sys.stderr is None:
        yield
        return
    sys.stdout.flush()
    ours = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        with suppress(ValueError):  # a candidate may have closed it
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
        if module_name.endswith(".py"):
            module = _load_file(Path(module_name), option)
        else:
            module = import_module(module_name)
    except InputError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise _raised(error, None, f"while {module_name} was loaded") from None
        raise InputError(option, f"no such module: {quoted(module_name)}") from None
    except SyntaxError as error:
        place = f"{visible(_short(error.filename or module_name))}:{error.lineno}"
        raise InputError(place, f"expected Python, found a SyntaxError: {error.msg}") from None
    except BaseException as error:
        _let_interruptions_pass(error)
        raise _raised(error, None, f"while {module_name} was loaded") from None
    value: Any = module
    for part in name.split("."):
        if not hasattr(value, part):
            hint = did_you_mean(part, [each for each in dir(value) if not each.startswith("_")])
            raise InputError(option, f"no {quoted(part)} in {visible(module_name)}", hint)
        value = getattr(value, part)
    if not callable(value):
        found = type(value).__name__
        raise InputError(option, f"expected a function, found {quoted(name)}, a {found}")
    file = getattr(module, "__file__", None)
    return Code(_guarded(value), None if file is None else Path(file))


def _load_file(path: Path, option: str) -> ModuleType:
    if not path.exists():
        raise InputError(option, f"no such file: {quoted(str(path))}")
    name = f"candidate_{path.stem}"
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    def guarded(*arguments: Any) -> Any:
        try:
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
    given = "all samples" if error.sample is None else f"sample {quoted(labels[error.sample])}"
    assert error.__cause__ is not None
    raised = _raised(error.__cause__, code.file, f"given {given}")
    if error.at_once is None or _in_words(error.at_once) == _in_words(error.__cause__):
        return raised
    before = _raised(error.at_once, code.file, "")
    hint = f"given all samples at once it raised {_in_words(error.at_once)} ({before.place})"
    return InputError(raised.place, raised.problem, hint)


def _raised(error: BaseException, file: Path | None, when: str) -> InputError:
    if isinstance(error, ExitedError) and error.__cause__ is not None:
        error = error.__cause__
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if not _is_ours(frame.filename)]
    own = [frame for frame in theirs if file is not None and Path(frame.filename) == file]
    frame = (own or theirs or list(frames))[-1]
    place = f"{visible(_short(frame.filename))}:{frame.lineno}"
    return InputError(place, f"the candidate raised {_in_words(error)}, {when}")


def _is_ours(filename: str) -> bool:
    package = str(Path(__file__).parent) + os.sep
    return filename.startswith(package) or filename.startswith("<frozen")


def _short(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else filename


def _in_words(error: BaseException) -> str:
    message = visible(str(error).strip())
    if len(message) > 300:
        message = message[:300] + "..."
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
