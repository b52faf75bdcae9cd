"""How much memory a run may take: half of what is available, or what ulimit -d says."""

import os
import resource
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

# Of a control group: what it may take, what it takes, and how much of that is files.
_GROUPS = {
    "": ("", "max", "current", "inactive_file"),
    "memory": ("/memory", "limit_in_bytes", "usage_in_bytes", "total_inactive_file"),
}


def limit_memory() -> None:
    """Let what would take more than half of what is available raise MemoryError instead."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if soft == resource.RLIM_INFINITY:  # or the user has set it
        # Every run needs some.
        resource.setrlimit(resource.RLIMIT_DATA, (max(1 << 27, min(_available()) // 2), hard))


def is_limited() -> bool:
    """Tell whether ulimit -v or -d limits the memory of a run, or -u its threads to few."""
    sizes = {resource.getrlimit(each)[0] for each in (resource.RLIMIT_AS, resource.RLIMIT_DATA)}
    # A desktop gives a run more than 1000 threads.
    few = resource.getrlimit(resource.RLIMIT_NPROC)[0] in range(1000)
    return few or sizes != {resource.RLIM_INFINITY}


def has_room_for_numpy() -> bool:
    """Tell whether ulimit leaves numpy as much as its BLAS takes, or else ends the process."""
    return not (0 < resource.getrlimit(resource.RLIMIT_AS)[0] < 100 << 20 or 0 < limit() < 50 << 20)


def limit() -> int:
    """Return how many bytes a run may take, or a negative number where there is no limit."""
    return resource.getrlimit(resource.RLIMIT_DATA)[0]


def require(size: int, what: str) -> None:
    """Raise MemoryError if something will take more bytes than a run may."""
    if 0 < limit() < size:
        raise MemoryError(f"{what} takes about {size / 1e6:,.0f} MB")


def _available() -> Iterator[int]:
    """Walk what is left: of the machine, by ulimit -v, and of each control group."""
    page = os.sysconf("SC_PAGE_SIZE")
    yield os.sysconf("SC_PHYS_PAGES") * page
    if not Path("/proc/meminfo").exists():
        return
    yield int(_words("/proc/meminfo")["MemAvailable:"]) << 10
    most, _ = resource.getrlimit(resource.RLIMIT_AS)
    if most != resource.RLIM_INFINITY:
        yield most - int(Path("/proc/self/statm").read_text().split()[0]) * page
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controller, path = line.split(":", 2)
        root, most_, used, files = _GROUPS.get(controller, ("", "", "", ""))
        group = Path(f"/sys/fs/cgroup{root}{path}")
        for folder in (group, *group.parents):
            with suppress(OSError, ValueError):  # there is no such group, or no limit
                left = int((folder / f"memory.{most_}").read_text())
                left -= int((folder / f"memory.{used}").read_text())
                yield left + int(_words(str(folder / "memory.stat"))[files])


def _words(path: str) -> dict[str, str]:
    return dict(line.split()[:2] for line in Path(path).read_text().splitlines())
