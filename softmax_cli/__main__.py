"""The program: runs the app and turns every ending into an exit status."""

import os
import sys

# With -m, Python looks for modules in the working directory first: for its numpy.py, say.
if __name__ == "__main__" and not sys.flags.safe_path:
    sys.path.pop(0)

import gc
import signal


def main(words: list[str] | None = None) -> None:
    """Run the command line, or these words, and exit with its status."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # or an import is told as the place of Ctrl-C
    from contextlib import suppress
    from functools import partial

    from softmax_cli.ending import SIGNALS, leave

    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:  # as nohup, and a shell's &, want it
            signal.signal(number, leave)
    signal.signal(signal.SIGPIPE, leave)  # the reader went away
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPIPE})  # which some parents leave blocked
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # who ignores it never hears how a child ended
    os.register_at_fork(after_in_child=partial(signal.signal, signal.SIGPIPE, signal.SIG_IGN))
    # Imports make many objects that stay: to look for cycles among them after every 700 new
    # ones takes a tenth of the start.
    gc.set_threshold(100_000)
    _open_what_is_closed()
    _keep_to_the_locale()
    status = _run(sys.argv[1:] if words is None else words)
    # To free all memory first takes a fifth of a short run; matplotlib has a folder to remove.
    if words is None and "matplotlib" not in sys.modules:
        with suppress(OSError, ValueError):  # what is closed or full, sys.exit tells
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    sys.exit(status)


def _open_what_is_closed() -> None:
    """Open standard streams that the caller closed, so that no file of ours takes their places."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # It takes the lowest number that is free, this one. No more than before can be read
            # from stdin, or written to stdout.
            os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_WRONLY)
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))


def _keep_to_the_locale() -> None:
    """Write text for people in ASCII under LC_ALL=C, which Python takes for UTF-8."""
    from io import TextIOWrapper

    told = "PYTHONUTF8" in os.environ or "PYTHONIOENCODING" in os.environ
    encoding = "ascii" if os.environ.get("LC_ALL") in ("C", "POSIX") and not told else None
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(encoding=encoding, errors="backslashreplace")


def _run(words: list[str]) -> int:
    from softmax_cli.memory import has_room_for_numpy, is_limited, limit_memory

    # Softmax has no use for threads of BLAS, or much memory; code that the user names may have.
    names_code = any(":" in word for word in words)
    if not names_code:
        limit_memory()
    # Where ulimit -v leaves it no room, BLAS ends the process.
    if not names_code or is_limited():
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # They make Typer colour a help text that goes into a pipe; in no columns Rich draws nothing.
    unwanted = [] if sys.stdout.isatty() else ["PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE"]
    unwanted += ["COLUMNS"] * (not 0 < len(os.environ.get("COLUMNS", "80").lstrip("0")) < 6)
    for name in unwanted:
        os.environ.pop(name, None)
    from softmax_cli.errors import InputError, failure, silence, tell

    try:
        if not has_room_for_numpy():
            raise InputError("ulimit", "expected at least 120 MB of -v and 70 MB of -d, found less")
        from softmax_cli.app import PROGRAM, app

        return int(app(words, prog_name=PROGRAM, standalone_mode=False) or 0)
    except Exception as error:
        told = failure(error)
    if not isinstance(told, InputError):
        silence(1)
    tell(told)
    return told.exit_status


if __name__ == "__main__":
    main()
