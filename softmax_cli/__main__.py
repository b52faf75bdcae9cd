"""The program: runs the app and turns every ending into an exit status."""

import gc
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from io import TextIOWrapper
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from softmax_cli.errors import InputError, SoftmaxCliError

# What makes Typer colour a help text that goes into a pipe.
_FORCE_COLOUR = ("FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE")
_OBJECTS_BETWEEN_COLLECTIONS = 100_000


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, or these words, and exit with its status."""
    # Imports make many objects, and all of them stay: to look for cycles among them after every
    # 700 new ones takes a tenth of the start.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    _open_what_is_closed()
    _keep_to_the_locale()
    interrupt = _interruption()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup, and a shell's &, want it
            signal.signal(number, interrupt)
    if words is not None:
        sys.exit(_run(list(words)))
    try:
        status = _run(sys.argv[1:])
    except SystemExit as end:
        if not isinstance(end.code, int):  # a text, say, which Python prints
            raise
        status = end.code
    _end(status)


def _end(status: int) -> NoReturn:
    """Exit, and leave the memory to the system, unless somebody else's code was loaded.

    To free all of it first takes a fifth of a short run, and a thread that still reads ahead
    could not be ended in an orderly way.
    """
    if "softmax_cli.checking.loading" not in sys.modules:
        with suppress(OSError, ValueError):  # what is closed or full, sys.exit tells
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    sys.exit(status)


def _open_what_is_closed() -> None:
    """Open standard streams that the caller closed, so that no file of ours takes their places.

    Such a stdin cannot be read and such a stdout not be written; what such a stderr is told goes
    nowhere.
    """
    for number, name, mode, flags in (
        (0, "stdin", "r", os.O_WRONLY),
        (1, "stdout", "w", os.O_RDONLY),
        (2, "stderr", "w", os.O_WRONLY),
    ):
        if getattr(sys, name) is None:
            os.open(os.devnull, flags)  # takes the lowest number that is free: this one
            setattr(sys, name, open(number, mode, closefd=False))


def _keep_to_the_locale() -> None:
    """Write text for people in ASCII where the user wants it.

    Python takes the C locale for one of UTF-8, unless it is told otherwise; whoever sets it for
    all of the locale means ASCII.
    """
    told = "PYTHONUTF8" in os.environ or "PYTHONIOENCODING" in os.environ
    if os.environ.get("LC_ALL") in ("C", "POSIX") and not told:
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(encoding="ascii", errors="backslashreplace")


def _interruption() -> Callable[[int, FrameType | None], None]:
    """Return a handler of signals that passes every `finally`, and shows no traceback.

    A second signal often follows at once, from the shell or an impatient user; it must not
    interrupt the first one's way out.
    """
    again = 0.0

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal again
        if time.monotonic() >= again:
            again = time.monotonic() + 1
            raise SystemExit(128 + number)

    return interrupt


def _run(words: list[str]) -> int:
    # Softmax has no use for the threads of BLAS, which take processes and addresses where both may
    # be short; somebody's code, which check runs, may have.
    if "check" not in words:
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    if not sys.stdout.isatty():
        for name in _FORCE_COLOUR:
            os.environ.pop(name, None)
    # Imported under the handlers, so that an interruption during start-up is silent too.
    from softmax_cli.app import app
    from softmax_cli.command_line import usage_error
    from softmax_cli.errors import (
        InputError,
        OutputError,
        PipeClosedError,
        SoftmaxCliError,
        reason,
    )

    try:
        status = app(words, prog_name="softmax-cli", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except SoftmaxCliError as error:
        return _report(error)
    except MemoryError as error:
        return _report(_too_large(str(error)))
    except ImportError as error:  # of numpy, say, where there is no memory for it
        why = str(error).strip().splitlines()[-1]
        return _report(InputError("", f"a part of the program cannot be loaded: {why}"))
    except SystemExit as end:
        # So Typer ends when the reader of a help text goes away.
        if isinstance(end.__context__, BrokenPipeError):
            return _report(PipeClosedError("<stdout>", "the reader went away"))
        raise
    except OSError as error:
        return _report(OutputError("<stdout>", f"cannot be written: {reason(error)}"))
    except Exception as error:
        usage = usage_error(error)
        if usage is None:
            raise
        return _report(usage)


def _too_large(why: str) -> "InputError":
    from softmax_cli.errors import InputError

    problem = "expected an input that fits in memory, found a larger one"
    hint = "forward and jacobian need little memory to read and print csv, tsv, jsonl and npy"
    return InputError("", f"{problem}: {why[0].lower()}{why[1:]}" if why else problem, hint)


def _report(error: "SoftmaxCliError") -> int:
    from softmax_cli.errors import OutputError, PipeClosedError, silence, tell

    if isinstance(error, OutputError | PipeClosedError):
        silence(1)
    if not isinstance(error, PipeClosedError):
        tell(error)
    return error.exit_status


if __name__ == "__main__":
    # With -m, Python looks for modules in the working directory first: for its numpy.py, say.
    with suppress(OSError):  # the directory may be gone
        if sys.path[0] == os.getcwd():  # noqa: PTH109
            del sys.path[0]
    main()
