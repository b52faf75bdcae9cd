"""Another process, which runs a script of this package and serves this one.

It ends with its standard input, so that nothing outlives this process, however it ends.
"""

import subprocess
import sys
from io import BufferedReader, FileIO
from types import ModuleType
from typing import cast

# So that a block fits, and no one waits for the other end to be read.
_BYTES_OF_PIPE = 1 << 20


class Process:
    """A script at work; it reads its standard input and answers on its standard output.

    Where it is lost, nothing can be sent to it, and what is read ends early.
    """

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._stdin = cast(FileIO, process.stdin)
        self._stdout = BufferedReader(cast(FileIO, process.stdout))
        self.read = self._stdout.read
        self.read_line = self._stdout.readline

    @staticmethod
    def start(script: ModuleType) -> "Process | None":
        """Start a script, without the modules of any installation; None where it cannot be."""
        if not sys.executable or hasattr(sys, "frozen") or script.__file__ is None:
            return None
        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", script.__file__],
                bufsize=0,
                pipesize=_BYTES_OF_PIPE,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                process_group=0,  # where the terminal's interruptions do not reach it
            )
        except OSError:
            return None
        return Process(process)

    def send(self, *contents: bytes) -> bool:
        """Write all of it; tell whether it could be, for it is lost on a process that ended."""
        try:
            for content in contents:
                rest = memoryview(content)
                while rest:
                    rest = rest[self._stdin.write(rest) :]
        except (OSError, ValueError):  # it ended, or was ended
            return False
        return True

    def wait(self) -> int:
        """Wait for its own end; return its exit status, or minus the signal that ended it."""
        return self._process.wait()

    def end(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        self._stdin.close()
        self._stdout.close()
