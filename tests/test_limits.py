"""What needs more memory than there is, under a limit that stands for a small machine."""

import os
import resource
import subprocess
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from softmax_cli.__main__ import main
from softmax_cli.mathematics import memory
from tests.program import PROGRAM, Outcome, environment

WIDE = ",".join(map(str, range(100_000))) + "\n"
LEAST = 400 << 20  # of address space, which numpy alone takes 130 MB of


def run_limited(*words: str, stdin: bytes = b"", cwd: Path | None = None) -> Outcome:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (LEAST, LEAST))

    done = subprocess.run(
        [*PROGRAM, *words],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env=environment({}),
        preexec_fn=limit,
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize(
    "words",
    [["jacobian"], ["jacobian", "--explain"], ["jacobian", "-o", "J.svg"]],
    ids=" ".join,
)
def test_a_table_of_a_large_jacobian_takes_memory_for_what_it_shows(
    words: list[str], tmp_path: Path
) -> None:
    outcome = run_limited(*words, stdin=WIDE.encode(), cwd=tmp_path)
    assert (outcome.status, outcome.stderr) == (0, "")
    shown = (tmp_path / "J.svg").read_text() if "-o" in words else outcome.stdout
    assert "left" in shown


@pytest.mark.parametrize(
    ("words", "stdin", "message"),
    [
        (["check"], WIDE.encode(), "1 x 100000 x 100000 entries, compared, need 560 GB, "),
        (["check", "--sweep"], WIDE.encode(), "1 x 100000 x 100000 entries, compared, need"),
        (["jacobian", "--explain", "-f", "json"], WIDE.encode(), "unable to allocate"),
        (["forward"], b"1," * (20 << 20), "its first "),
        (["forward"], b"[1" + b",1" * (20 << 20), "its first "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_does_not_fit_is_refused_in_one_line(
    words: list[str], stdin: bytes, message: str
) -> None:
    outcome = run_limited(*words, stdin=stdin)
    assert (outcome.status, outcome.stdout) == (2, "")
    error, hint = outcome.stderr.splitlines()
    expected = "error: expected an input that fits in memory, found a larger one: "
    assert error.startswith(expected + message)
    assert hint.startswith("hint: forward and jacobian need little memory")


def test_an_array_larger_than_memory_streams(tmp_path: Path) -> None:
    with (tmp_path / "z.npy").open("wb") as file:
        header = {"descr": "<f8", "fortran_order": False, "shape": (7_000_000, 10)}
        np.lib.format.write_array_header_1_0(file, header)
        file.truncate(file.tell() + 560_000_000)
    outcome = run_limited("forward", "z.npy", "--sample", "7000000", "-f", "csv", cwd=tmp_path)
    assert (outcome.status, outcome.stdout) == (0, ",".join(["0.1"] * 10) + "\n")


def test_memory_is_refused_by_what_is_left() -> None:
    memory.require(1 << 27, "these")
    with pytest.raises(MemoryError, match=r"^these need 1e\+06 TB, .* are left$"):
        memory.require(10**18, "these")


def test_polars_is_left_alone_where_it_would_end_the_program(tmp_path: Path) -> None:
    pl.DataFrame({"a": [1.0], "b": [1.0]}).write_parquet(tmp_path / "z.parquet")
    refused = run_limited("forward", "z.parquet", cwd=tmp_path)
    assert refused.status == 2
    assert "larger one: polars needs 2 GB of addresses, " in refused.stderr
    text = b"1.5,2.5,3.5\n" * 400_000
    outcome = run_limited("forward", "-o", "y.csv", stdin=text, cwd=tmp_path)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert (tmp_path / "y.csv").read_bytes().count(b"\n") == 400_000


def test_threads_of_blas_are_for_code_that_may_use_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    for words, expected in ((["forward"], "7"), (["check"], None), (["jacobian"], "1")):
        with pytest.raises(SystemExit):
            main([*words, "1", "2", "-f", "csv"])
        assert os.environ.get("OPENBLAS_NUM_THREADS") == expected
        os.environ.pop("OPENBLAS_NUM_THREADS", None)
