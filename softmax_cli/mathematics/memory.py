"""Memory: asked for before work that is known to need much, rather than running out of it."""

import os
import sys
from contextlib import suppress

# Less is not worth asking for.
_LEAST = 1 << 26
_UNITS = ((1e12, "TB"), (1e9, "GB"), (0.0, "MB"))


def require(size: int, what: str) -> None:
    """Refuse work that does not fit, before the system ends the program or slows to a crawl.

    Parameters
    ----------
    size
        How many bytes it takes at least.
    what
        What takes them: words that "need" goes with.

    Raises
    ------
    MemoryError
        Where less is left; the message says so.
    """
    if size < _LEAST:
        return
    left = min(address_space(), *_limits())
    if size > left:
        raise MemoryError(f"{what} need {_told(size)}, {_told(left)} are left")


def address_space() -> int:
    """Return how many addresses are left under ``ulimit -v``; without one, more than needed.

    What starts many threads, as polars does, takes them without using the memory behind them.
    """
    with suppress(ImportError, OSError, ValueError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            pages = int(_content("/proc/self/statm").split()[0])
            return max(0, limit - pages * os.sysconf("SC_PAGE_SIZE"))
    return sys.maxsize


def _limits() -> list[int]:
    """Return what the system, and a container around us, have left."""
    limits = [sys.maxsize]
    with suppress(OSError, ValueError, IndexError):
        known = _content("/proc/meminfo")
        limits.append(1024 * int(known.split("MemAvailable:")[1].split()[0]))
    with suppress(OSError, ValueError):  # of a container
        limits.append(int(_content("/sys/fs/cgroup/memory.max")))
    with suppress(OSError, ValueError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return limits


def _content(path: str) -> str:
    with open(path) as file:
        return file.read()


def _told(size: int) -> str:
    unit, name = next(each for each in _UNITS if size >= each[0])
    return f"{size / (unit or 1e6):.3g} {name}"
