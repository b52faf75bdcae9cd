"""Hostile input: a short run of what ``python -m tests.benchmarks.fuzz`` does at length."""

import subprocess
import sys

import pytest

from tests.program import ROOT


@pytest.mark.parametrize("seed", [2026, 2027])
def test_hostile_input_ends_in_one_line_or_in_the_right_numbers(seed: int) -> None:
    """From a process of its own, which is small to fork and has no threads."""
    command = [sys.executable, "-m", "tests.benchmarks.fuzz", "250", str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "250 cases" in done.stdout
