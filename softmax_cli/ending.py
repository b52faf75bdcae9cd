"""What is undone in the end, also where a signal ends the program."""

import os
import signal
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_actions: list[Callable[[], object]] = []
os.register_at_fork(after_in_child=_actions.clear)  # they are the parent's


@contextmanager
def undone_by(action: Callable[[], object]) -> Iterator[None]:
    """Call this in the end; it takes no lock, writes to no buffer, and may find nothing to do."""
    _actions.append(action)
    try:
        yield
    finally:
        with suppress(OSError):
            action()
        _actions.remove(action)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Make a long call of C, which no handler interrupts: with nothing to undo, signals kill."""
    ours = [n for n in SIGNALS if signal.getsignal(n) is leave and not _actions]
    for number in ours:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, leave)


def forked(work: Callable[[], object]) -> int:
    """Let a new process do this work; Linux kills it when this one ends, however that ends."""
    parent = os.getpid()
    with warnings.catch_warnings(action="ignore"):  # of the threads of BLAS, which are at rest
        process = os.fork()
    if process == 0:
        try:
            import ctypes

            with suppress(AttributeError, OSError):
                ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
            if os.getppid() == parent:  # or it has ended before this could follow
                work()
        finally:
            os._exit(0)
    return process


def finish() -> None:
    """Let no signal end the program from here on: the result takes its place."""
    for number in SIGNALS:
        if signal.getsignal(number) is leave:
            signal.signal(number, signal.SIG_IGN)


def leave(number: int, frame: FrameType | None) -> None:
    """End at once, with the status of a signal, whatever was going on: nothing is raised."""
    for action in _actions:
        with suppress(OSError):
            action()
    os._exit(128 + number)
