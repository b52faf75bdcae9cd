"""What needs more memory than there is, under a limit that stands for a small machine."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.program import PROGRAM, Outcome, run_cold

WIDE = ",".join(map(str, range(12_000))) + "\n"  # a Jacobian of 1.2 GB
LEAST = 400 << 20  # of address space, which numpy alone takes 130 MB of


def run_limited(
    *words: str, stdin: str = "", cwd: Path | None = None, bytes_: int = LEAST
) -> Outcome:
    limited = ["bash", "-c", f'ulimit -v {bytes_ >> 10}; exec "$@"', "bash", *PROGRAM]
    return run_cold(*words, stdin=stdin, cwd=cwd, program=limited)


def test_too_few_addresses_for_numpy_are_an_error_and_no_verdict() -> None:
    assert run_limited("check", "1", "2", bytes_=80 << 20).stderr.startswith("error: ulimit: ")


@pytest.mark.parametrize("words", ["jacobian", "jacobian --explain"])
def test_a_table_of_a_large_jacobian_takes_what_it_shows(words: str, tmp_path: Path) -> None:
    outcome = run_limited(*words.split(), stdin=WIDE, cwd=tmp_path)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert "left" in outcome.stdout


def test_an_array_larger_than_memory_streams(tmp_path: Path) -> None:
    with (tmp_path / "z.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (3_000_000, 10)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 240_000_000)
    words = "forward z.npy --sample 3000000 -f csv"
    outcome = run_limited(*words.split(), cwd=tmp_path, bytes_=240 << 20)
    assert (outcome.status, outcome.stdout) == (0, ",".join(["0.1"] * 10) + "\n")


@pytest.mark.parametrize(
    ("row", "n", "bytes_"), [("1.5,2,3\n", 400_000, LEAST), ('"x\ny",1.5,2\n', 200_000, 200 << 20)]
)
def test_text_larger_than_memory_streams(row: str, n: int, bytes_: int, tmp_path: Path) -> None:
    outcome = run_limited("forward", "-o", "y.csv", stdin=row * n, cwd=tmp_path, bytes_=bytes_)
    assert outcome.status == 0, outcome.stderr
    assert (tmp_path / "y.csv").read_bytes().count(b",") == 2 * n


@pytest.mark.parametrize("lines", ['"a",b', "# c\ra,b"])
def test_lines_that_end_in_a_carriage_return_stream(lines: str, tmp_path: Path) -> None:
    (tmp_path / "z.csv").write_bytes(lines.encode() + b"\r" + b"1.5,2.5\r" * 600_000)
    outcome = run_limited("forward", "z.csv", "-o", "y.csv", cwd=tmp_path, bytes_=160 << 20)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert (tmp_path / "y.csv").read_bytes().count(b"\n") == 600_001


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("forward /dev/zero --input-format csv", "/dev/zero:1:1: expected text, found a NUL"),
        ("forward /dev/zero --input-format jsonl", "/dev/zero:1:1: expected text, found a NUL"),
        ("forward /dev/zero --input-format json", "/dev/zero:1:1: expected text, found a NUL"),
        ("forward sparse.csv", "sparse.csv:1:1: expected text, found a NUL"),
        ("forward sparse.json", "expected what takes at most "),
        ("forward endless -f csv", "endless: expected lines of at most 256 MB"),
        ("forward endless -f tsv", "endless: expected samples in the first million lines"),
    ],
)
def test_what_is_no_text_or_too_large_is_refused(words: str, told: str, tmp_path: Path) -> None:
    for name in ("sparse.csv", "sparse.json"):
        (tmp_path / name).touch()
        os.truncate(tmp_path / name, 1 << 40)
    os.mkfifo(tmp_path / "endless")
    feed = "yes ''" if "tsv" in words else "yes 1, | tr -d '\\n'"
    script = f"{feed} > endless" if "endless" in words else ":"
    with subprocess.Popen(["sh", "-c", script], cwd=tmp_path):
        outcome = run_limited(*words.split(), cwd=tmp_path, bytes_=1 << 31)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert told in outcome.stderr.splitlines()[0]
    assert len(outcome.stderr.splitlines()) <= 2


@pytest.mark.parametrize("command", ["forward", "jacobian", "check", "jacobian --explain"])
@pytest.mark.parametrize("megabytes", [120, 140])
def test_a_little_memory_is_enough_or_an_error_says_so(command: str, megabytes: int) -> None:
    outcome = run_limited(*command.split(), "1", "2", bytes_=megabytes << 20)
    errors = [line for line in outcome.stderr.splitlines() if not line.startswith("hint: ")]
    assert (outcome.status, len(errors)) in [(0, 0), (2, 1)]
