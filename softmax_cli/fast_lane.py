"""The fast lane: polars reads and prints numbers, where it is installed and worth its start-up."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType

from softmax_cli.errors import InputError
from softmax_cli.mathematics import memory

# Addresses that polars needs for its threads; it ends the program where it lacks them.
ADDRESSES = 1 << 31
# What else it needs, beside what this program starts itself: it panics where it lacks that.
_THREADS, _THREADS_A_CORE, _OPEN_FILES = 16, 3, 64
# Bytes of text that take about as long to read without polars as polars takes to load.
_WORTH = 1 << 22


def is_open() -> bool:
    """Tell whether polars is loaded, which no two runs need be at the same moment."""
    return sys.modules.get("polars") is not None


def is_worth(size: int) -> bool:
    """Tell whether so many bytes are enough for the fast lane."""
    return size >= _WORTH


def fast_lane(size: int) -> ModuleType | None:
    """Return `softmax_cli.polars_rows`, or None where polars is missing or not worth it.

    Parameters
    ----------
    size
        How many bytes there are to read or to print, as far as is known. Nothing else counts:
        the same input is read and printed in the same way in every run.
    """
    if is_worth(size):
        with suppress(ImportError, MemoryError, InputError):
            import_polars()
            return import_module("softmax_cli.polars_rows")
    return None


def require_polars() -> None:
    """Refuse what there is no way to do without polars, where polars cannot be had.

    Raises
    ------
    ImportError
        Where it is missing.
    MemoryError, InputError
        Where it would end the process for want of addresses, or of threads and open files.
    """
    from importlib.util import find_spec

    if is_open():
        return
    if find_spec("polars") is None:
        raise ImportError("no module named polars")
    left = memory.address_space()
    if left < ADDRESSES:
        raise MemoryError(f"polars needs 2 GB of addresses, {left / 1e9:.3g} GB are left")
    _require_threads_and_files()


def import_polars() -> ModuleType:
    """Return polars, to work in this process.

    Raises
    ------
    ImportError, MemoryError, InputError
        As `require_polars`.
    """
    require_polars()
    # Also where another thread has begun to load it, or has loaded it: only this one can take
    # SIGINT back from it.
    with _signals_held():
        return import_module("polars")


def _require_threads_and_files() -> None:
    """Try to start as many threads: what limits them (the user's, a container's) is not told."""
    import os
    from resource import RLIMIT_NOFILE, getrlimit
    from threading import Event, Thread

    if getrlimit(RLIMIT_NOFILE)[0] < _OPEN_FILES:
        raise InputError("", f"expected {_OPEN_FILES} open files for polars, fewer are allowed")
    count = _THREADS + _THREADS_A_CORE * (os.cpu_count() or 1)
    end, started = Event(), []
    try:
        for _ in range(count):
            thread = Thread(target=end.wait, daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError:
        problem = f"expected {count} threads for polars, fewer can be started"
        raise InputError("", problem) from None
    finally:
        end.set()
        for thread in started:
            thread.join()


@contextmanager
def _signals_held() -> Iterator[None]:
    """Handle signals afterwards: raised while polars is loaded, an exception may be lost in it."""
    import signal
    import threading

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = {number: signal.getsignal(number) for number in numbers}
    came: list[int] = []
    for number, handler in handlers.items():
        if callable(handler):
            signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)  # polars takes SIGINT, also where it is ignored
        for each in came[:1]:
            signal.raise_signal(each)
