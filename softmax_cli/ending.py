"""What is undone in the end, also where a signal ends the program."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_PR_SET_PDEATHSIG = 1
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_actions: list[Callable[[], object]] = []
_deferred: list[list[int]] = []  # signals that wait, of each block that defers them
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
def deferred() -> Iterator[None]:
    """Let a signal end the program only behind this, when what begins here can be undone."""
    # To mask signals would not do: a thread of BLAS takes them for this one.
    _deferred.append([])
    try:
        yield
    finally:
        for number in _deferred.pop():
            leave(number, None)


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


def follow_parent() -> None:
    """Let the system kill this process when its parent ends, however that ends; Linux can."""
    import ctypes

    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def finish() -> None:
    """Let no signal end the program from here on: the result takes its place."""
    for number in SIGNALS:
        if signal.getsignal(number) is leave:
            signal.signal(number, signal.SIG_IGN)


def leave(number: int, frame: FrameType | None) -> None:
    """End at once, with the status of a signal, whatever was going on: nothing is raised."""
    if _deferred:
        _deferred[-1].append(number)
        return
    for action in _actions:
        with suppress(OSError):
            action()
    os._exit(128 + number)
