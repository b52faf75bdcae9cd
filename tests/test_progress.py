"""Progress: on standard error at a terminal, after a second, and gone in the end."""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.program import environment

# The second of patience is left out, so that the test need not make work for one.
IMPATIENT = (
    "import sys, softmax_cli.progress as progress; from softmax_cli.__main__ import main; "
    "progress._PATIENCE = progress._BETWEEN_UPDATES = 0; main(sys.argv[1:])"
)
ROWS = "1,2\n" * 200_000
XTERM = {"TERM": "xterm"}


def run_with_stderr_at_a_terminal(
    *words: str, stdin: str = "", code: str = IMPATIENT, env: Mapping[str, str] = XTERM
) -> tuple[int, str, str]:
    """Return the exit status, stdout, which is a pipe, and what the terminal was sent."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment({**env, "COLUMNS": "100"}),
    )
    os.close(theirs)
    stdout, _ = process.communicate(stdin.encode(), timeout=60)
    shown = b""
    while select.select([ours], [], [], 10)[0]:
        try:
            shown += os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    return process.returncode, stdout.decode(), shown.decode()


def test_a_file_shows_its_bytes_and_a_pipe_its_samples(tmp_path: Path) -> None:
    path = tmp_path / "z.csv"
    path.write_text(ROWS)
    out = tmp_path / "y.csv"
    status, stdout, shown = run_with_stderr_at_a_terminal("forward", str(path), "-o", str(out))
    assert (status, stdout) == (0, "")
    assert re.search(r"\d of 1 MB, [\d.]+ MB/s", shown)
    assert len(out.read_text().splitlines()) == 200_000
    status, stdout, shown = run_with_stderr_at_a_terminal("forward", "-f", "csv", stdin=ROWS)
    assert (status, len(stdout.splitlines())) == (0, 200_000)
    assert "\x1b" not in stdout
    assert re.search(r"[\d,]+ samples, [\d,]+/s", shown)
    # It ends with the line erased, and the cursor shown again.
    assert shown.rstrip().endswith("\x1b[2K")
    assert "\x1b[?25h" in shown


def test_check_shows_it_too() -> None:
    status, stdout, shown = run_with_stderr_at_a_terminal(
        "check", "-f", "jsonl", stdin=ROWS[:200_000]
    )
    assert (status, len(stdout.splitlines())) == (0, 50_000)
    assert "samples" in shown


def test_it_is_gone_before_an_error_is_told() -> None:
    status, _, shown = run_with_stderr_at_a_terminal("forward", "-f", "npy", stdin=ROWS + "x,1\n")
    assert status == 2
    assert "samples" in shown
    last = shown.rpartition("\x1b[2K")[2]
    assert last.endswith("error: <stdin>:200001:1: expected a number, found 'x'\r\n")


@pytest.mark.parametrize(
    ("code", "env"),
    [
        (IMPATIENT, {"TERM": "dumb"}),
        (IMPATIENT, {"NO_COLOR": "1"}),
        (IMPATIENT.replace("= 0", "= 60"), XTERM),
    ],
)
def test_no_progress_at_a_plain_terminal_or_before_its_time(code: str, env: dict[str, str]) -> None:
    status, stdout, shown = run_with_stderr_at_a_terminal(
        "forward", "-f", "csv", stdin=ROWS, code=code, env=env
    )
    assert (status, len(stdout.splitlines()), shown) == (0, 200_000, "")
