"""Progress: on standard error at a terminal, after a second, and gone in the end."""

import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from tests.program import environment

# A clock that runs faster, so that the test need not make work for a second, or slower.
CLOCK = (
    "import time; clock = time.monotonic; time.monotonic = lambda: {speed} * clock(); "
    "from softmax_cli.__main__ import main; main()"
)
ROWS = "1,2\n" * 200_000


def run_with_stderr_at_a_terminal(
    *words: str, stdin: str = "", speed: float = 1000, env: Mapping[str, str] | None = None
) -> tuple[int, str, str]:
    """Return the exit status, stdout, which is a pipe, and what the terminal was sent."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", CLOCK.format(speed=speed), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment({"COLUMNS": "100", "TERM": "xterm", **(env or {})}),
    )
    os.close(theirs)
    shown: list[bytes] = []

    def watch() -> None:
        with suppress(OSError):  # the other end is closed
            while True:
                shown.append(os.read(ours, 1 << 16))

    watching = Thread(target=watch, daemon=True)
    watching.start()
    stdout, _ = process.communicate(stdin.encode(), timeout=60)
    watching.join(10)
    os.close(ours)
    return process.returncode, stdout.decode(), b"".join(shown).decode()


def test_a_file_shows_its_bytes_and_the_bar_is_gone_in_the_end(tmp_path: Path) -> None:
    path, out = tmp_path / "z.csv", tmp_path / "y.csv"
    path.write_text(ROWS)
    status, stdout, shown = run_with_stderr_at_a_terminal("forward", str(path), "-o", str(out))
    assert (status, stdout) == (0, "")
    assert re.search(r"1 of 1 MB, [\d.]+ MB/s", shown)
    assert len(out.read_text().splitlines()) == 200_000
    assert shown.rstrip().endswith("\x1b[2K")  # the line is erased


@pytest.mark.parametrize("words", ["forward -f csv", "check -f jsonl"])
def test_a_pipe_shows_how_much_came(words: str) -> None:
    few, run = ROWS[:20_000], run_with_stderr_at_a_terminal
    status, stdout, shown = run(*words.split(), stdin=few, speed=1e5)
    assert (status, len(stdout.splitlines())) == (0, 5_000)
    assert "\x1b" not in stdout
    assert re.search(r"\d MB, [\d.]+ MB/s", shown)


def test_it_is_gone_before_an_error_is_told() -> None:
    text = ROWS * 3 + "x,1\n"
    status, _, shown = run_with_stderr_at_a_terminal("forward", "-f", "npy", stdin=text)
    assert status == 2
    assert re.search("samples|MB/s", shown)
    last = shown.rpartition("\x1b[2K")[2]
    assert "error: <stdin>:600001:1: " in last
    assert not re.search("samples|MB/s", last)


@pytest.mark.parametrize(
    ("speed", "env"), [(1000, {"TERM": "dumb"}), (1000, {"NO_COLOR": "1"}), (0.001, {})]
)
def test_no_progress_at_a_plain_terminal_or_too_early(speed: float, env: dict[str, str]) -> None:
    words = ("forward", "-f", "csv")
    status, stdout, shown = run_with_stderr_at_a_terminal(*words, stdin=ROWS, speed=speed, env=env)
    assert (status, len(stdout.splitlines()), shown) == (0, 200_000, "")
