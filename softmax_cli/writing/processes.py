"""Other processes that print rows of numbers, since one core prints slower than another computes.

Each runs `softmax_cli/writing/rows.py` alone and ends with its standard input, so that nothing
outlives this process, however it ends. Where one cannot be had, or is lost, the caller prints.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from io import BufferedReader, FileIO
from itertools import cycle
from pathlib import Path
from typing import cast

from softmax_cli.batch import FloatArray
from softmax_cli.writing import rows

# More would wait for the one process that reads and computes.
_MOST = 3
# So that a block fits, and no one waits for the other end to be read.
_BYTES_OF_PIPE = 1 << 20


class Processes:
    """As many as there are cores to print on; they take turns."""

    def __init__(self) -> None:
        script = Path(rows.__file__)
        can = bool(sys.executable) and not hasattr(sys, "frozen") and script.is_file()
        started = [_Process.start(script) for _ in range(min(_cores(), _MOST) if can else 0)]
        self._processes = [process for process in started if process is not None]
        self._turns = cycle(self._processes)

    def print(self, values: FloatArray, delimiter: str) -> Callable[[], str | None] | None:
        """Have rows printed; return a function that waits for the text, or None.

        The functions are to be called in the order they were returned in, from one thread;
        one returns None where the text was lost.
        """
        process = next(self._turns, None)
        if process is None or not process.send(values, delimiter):
            return None
        return process.receive

    def end(self) -> None:
        """End all, at once."""
        for process in self._processes:
            process.end()


class _Process:
    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._stdin = cast(FileIO, process.stdin)
        self._stdout = BufferedReader(cast(FileIO, process.stdout))

    @staticmethod
    def start(script: Path) -> "_Process | None":
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", script],
                bufsize=0,
                pipesize=_BYTES_OF_PIPE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                process_group=0,  # where the terminal's interruptions do not reach it
            )
        except OSError:
            return None
        return _Process(process)

    def send(self, values: FloatArray, delimiter: str) -> bool:
        n, C = values.shape
        head = rows.head(n, C, delimiter)
        try:
            for content in (memoryview(head), memoryview(values.tobytes())):
                while content:
                    content = content[self._stdin.write(content) :]
        except (OSError, ValueError):  # it ended, or was ended
            return False
        return True

    def receive(self) -> str | None:
        size = self._stdout.read(8)
        if len(size) < 8:
            return None
        n = int.from_bytes(size, sys.byteorder)
        text = self._stdout.read(n)
        return text.decode("ascii") if len(text) == n else None

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()


def _cores() -> int:
    """Return how many cores this process may use; with one there is nothing to gain."""
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    return count if count > 1 else 0
