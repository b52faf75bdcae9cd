"""Hostile input: a short run of what ``python -m tests.benchmarks.fuzz`` does at length."""

import subprocess
import sys

from tests.program import ROOT


def test_hostile_input_ends_in_one_line_or_in_the_right_numbers() -> None:
    """From a process of its own, which is small to fork and has no threads.

    A case runs in up to seven ways, so that these are more than 500 runs.
    """
    command = [sys.executable, "-m", "tests.benchmarks.fuzz", "90", "2026"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "90 cases" in done.stdout
