"""What needs more memory than there is, under a limit that stands for a small machine."""

import resource
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.program import PROGRAM, Outcome, environment

WIDE = ",".join(map(str, range(100_000))) + "\n"
LEAST = 400 << 20  # of address space, which numpy alone takes 130 MB of


def run_limited(*words: str, stdin: str = "", cwd: Path | None = None) -> Outcome:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (LEAST, LEAST))

    done = subprocess.run(
        [*PROGRAM, *words],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment({}),
        preexec_fn=limit,
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("words", ["jacobian", "jacobian --explain"])
def test_a_table_of_a_large_jacobian_takes_memory_for_what_it_shows(
    words: str, tmp_path: Path
) -> None:
    outcome = run_limited(*words.split(), stdin=WIDE, cwd=tmp_path)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert "left" in outcome.stdout


def test_an_array_larger_than_memory_streams(tmp_path: Path) -> None:
    with (tmp_path / "z.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (7_000_000, 10)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 560_000_000)
    outcome = run_limited("forward", "z.npy", "--sample", "7000000", "-f", "csv", cwd=tmp_path)
    assert (outcome.status, outcome.stdout) == (0, ",".join(["0.1"] * 10) + "\n")


def test_text_larger_than_memory_streams(tmp_path: Path) -> None:
    text = "1.5,2.5,3.5\n" * 400_000
    outcome = run_limited("forward", "-o", "y.csv", stdin=text, cwd=tmp_path)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert (tmp_path / "y.csv").read_bytes().count(b"\n") == 400_000
