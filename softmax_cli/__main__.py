"""The program: runs the app and turns every ending into an exit status."""

import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from softmax_cli.errors import InputError, SoftmaxCliError

_OBJECTS_BETWEEN_COLLECTIONS = 100_000
INTERRUPTED = 130
TERMINATED = 143


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, or these words, and exit with its status."""
    # Imports make many objects, and all of them stay: to look for cycles among them after every
    # 700 new ones takes a tenth of the start.
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    # Raised as SystemExit, an interruption passes every `finally` and no traceback is shown.
    signal.signal(signal.SIGINT, _exit_with(INTERRUPTED))
    signal.signal(signal.SIGTERM, _exit_with(TERMINATED))
    _occupy_closed_streams()
    if words is not None:
        sys.exit(_run(list(words)))
    try:
        status = _run(sys.argv[1:])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0
    _end(status)


def _occupy_closed_streams() -> None:
    """Keep a file from being opened as a standard stream that is closed.

    What is written to ``/dev/stdout``, or by a library to stderr, would be written into it.
    """
    for stream, nowhere in (
        (sys.stdin, os.devnull),
        (sys.stdout, "/dev/full"),
        (sys.stderr, os.devnull),
    ):
        if stream is None:
            os.open(nowhere if os.path.exists(nowhere) else os.devnull, os.O_RDWR)  # noqa: PTH110


def _end(status: int) -> NoReturn:
    """Exit, and leave the memory to the system, unless somebody else's code was loaded.

    To free all of it first takes a fifth of a short run, and a thread that still reads ahead
    could not be ended in an orderly way.
    """
    if "softmax_cli.loading" not in sys.modules:
        with suppress(
            AttributeError, OSError, ValueError
        ):  # what is closed or full, sys.exit tells
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    sys.exit(status)


def _exit_with(status: int) -> Callable[[int, FrameType | None], NoReturn]:
    def handler(number: int, frame: FrameType | None) -> NoReturn:
        raise SystemExit(status)

    return handler


def _run(words: list[str]) -> int:
    # Imported under the handlers, so that an interruption during start-up is silent too.
    from softmax_cli.app import app
    from softmax_cli.command_line import usage_error
    from softmax_cli.errors import InputError, PipeClosedError, SoftmaxCliError, silence

    try:
        status = app(words, prog_name="softmax-cli", standalone_mode=False)
        return status if isinstance(status, int) else 0
    except PipeClosedError as closed:
        silence(sys.stdout)
        return closed.exit_status
    except SoftmaxCliError as error:
        return _report(error)
    except MemoryError as error:
        return _report(_too_large(str(error)))
    except ImportError as error:  # of numpy, say, where there is no memory for it
        reason = str(error).strip().splitlines()[-1]
        return _report(InputError("", f"a part of the program cannot be loaded: {reason}"))
    except OSError as error:
        return _report(InputError("", f"cannot be read: {error.strerror or error}"))
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
    from softmax_cli.errors import tell

    tell(error)
    return error.exit_status


if __name__ == "__main__":
    # With -m, Python looks for modules in the working directory first: for its numpy.py, say.
    with suppress(OSError):  # the directory may be gone
        if sys.path[0] == os.getcwd():  # noqa: PTH109
            del sys.path[0]
    main()
