"""Other processes that print rows of numbers, since one core prints slower than another computes.

Where one cannot be had, or is lost, the caller prints.
"""

import os
import sys
from collections.abc import Callable
from itertools import cycle

from softmax_cli.process import Process
from softmax_cli.samples import FloatArray
from softmax_cli.writing import rows

# More would wait for the one process that reads and computes.
_MOST = 3


class Processes:
    """As many as there are cores to print on; they take turns."""

    def __init__(self) -> None:
        started = [Process.start(rows) for _ in range(min(_cores(), _MOST))]
        self._processes = [process for process in started if process is not None]
        self._turns = cycle(self._processes)

    def print(self, values: FloatArray, delimiter: str) -> Callable[[], str | None] | None:
        """Have rows printed; return a function that waits for the text, or None.

        The functions are to be called in the order they were returned in, from one thread;
        one returns None where the text was lost.
        """
        process = next(self._turns, None)
        n, C = values.shape
        head = rows.head(n, C, delimiter)
        if process is None or not process.send(head, values.tobytes()):
            return None
        return lambda: _text(process)

    def end(self) -> None:
        """End all, at once."""
        for process in self._processes:
            process.end()


def _text(process: Process) -> str | None:
    size = process.read(8)
    if len(size) < 8:
        return None
    n = int.from_bytes(size, sys.byteorder)
    text = process.read(n)
    return text.decode("ascii") if len(text) == n else None


def _cores() -> int:
    """Return how many cores this process may use; with one there is nothing to gain."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return count if count > 1 else 0
