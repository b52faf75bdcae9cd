"""Runs the program as a user does: a process, with its exit status, stdout and stderr."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import warm

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_inputs"
PROGRAM = [sys.executable, "-m", "softmax_cli"]
SCRIPT = [str(Path(sys.executable).parent / "softmax-cli")]
# What would change a table's looks, or a process's start, from the outside; and what pytest
# changes from test to test.
_UNWANTED = (
    "NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONIOENCODING", "COLORTERM", "CI",
    "PYTHONSAFEPATH", "PYTEST_CURRENT_TEST",
)  # fmt: skip
# Set it to start an interpreter for every run.
COLD = "SOFTMAX_TESTS_COLD"


@dataclass(frozen=True)
class Outcome:
    """What a run left behind."""

    status: int
    stdout: str
    stderr: str

    @property
    def plain(self) -> str:
        """Return stdout without its colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self.stdout)

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)

    @property
    def rows(self) -> list[list[float]]:
        """The numbers of a csv without names."""
        return [[float(cell) for cell in line.split(",")] for line in self.stdout.splitlines()]


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if key not in _UNWANTED}
    return {**clean, "LC_ALL": "C.UTF-8", "TERM": "xterm-256color", **changes}


def run(
    *words: str,
    stdin: str | bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Outcome:
    """Run with pipes for all three streams, in a process that need not make its imports again.

    A change of the environment may concern the interpreter's start, so that it gets one.
    """
    if env or os.environ.get(COLD):
        return run_cold(*words, stdin=stdin, cwd=cwd, env=env)
    text = stdin.encode() if isinstance(stdin, str) else stdin
    status, stdout, stderr = warm.run(words, text, (cwd or Path()).absolute(), environment({}))
    return Outcome(status, stdout.decode(), stderr.decode())


def run_cold(
    *words: str,
    stdin: str | bytes = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    program: Sequence[str] = PROGRAM,
) -> Outcome:
    """Run with pipes for all three streams, in an interpreter of its own."""
    done = subprocess.run(
        [*program, *words],
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        cwd=cwd,
        env=environment(env or {}),
        timeout=warm.TIMEOUT,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def run_in_terminal(
    *words: str, columns: int = 80, env: Mapping[str, str] | None = None
) -> Outcome:
    """Run with a terminal of its own for all three streams; stdout and stderr come as one."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [*PROGRAM, *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment(env or {}),
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 60)[0]:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return Outcome(process.wait(60), shown.decode().replace("\r\n", "\n"), "")
