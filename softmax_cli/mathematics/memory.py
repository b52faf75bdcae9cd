"""Memory: asked for before work that is known to need much, rather than running out of it."""

import os
import sys
from contextlib import suppress


def require(size: int, what: str) -> None:
    """Raise MemoryError, in words that say how much, where fewer bytes than ``size`` are left."""
    left = address_space()
    with suppress(OSError, ValueError, IndexError):
        left = min(left, 1024 * int(_content("/proc/meminfo").split("MemAvailable:")[1].split()[0]))
    with suppress(OSError, ValueError):
        left = min(left, int(_content("/sys/fs/cgroup/memory.max")))
    if size > left:
        raise MemoryError(f"{what} need {_told(size)}, {_told(left)} are left")


def address_space() -> int:
    """Return how many addresses are left under ``ulimit -v``; without one, more than needed."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            pages = int(_content("/proc/self/statm").split()[0])
            return max(0, limit - pages * os.sysconf("SC_PAGE_SIZE"))
    return sys.maxsize


def _content(path: str) -> str:
    with open(path) as file:
        return file.read()


def _told(size: int) -> str:
    return f"{size / 1e12:.3g} TB" if size >= 1e12 else f"{size / 1e9:.3g} GB"
