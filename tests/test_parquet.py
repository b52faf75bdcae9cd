"""Parquet in and out, through the program, with the extra and without."""

import csv
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.program import SAMPLES, environment, run, run_in_terminal

PETS = str(SAMPLES / "pets.csv")
WITHOUT = (
    "import sys; sys.modules['polars'] = None; "
    "from softmax_cli.__main__ import main; main(sys.argv[1:])"
)


@pytest.mark.parametrize(
    "words",
    [
        ["forward"],
        ["forward", "--log"],
        ["jacobian"],
        ["jacobian", "--entry", "cat,dog"],
        ["jacobian", "--vjp", "0,0,1"],
    ],
)
def test_it_holds_what_csv_holds_wherever_it_comes_from(words: list[str], tmp_path: Path) -> None:
    into = tmp_path / "z.parquet"
    pl.read_csv(PETS).write_parquet(into)
    expected = list(csv.reader(run(*words, PETS, "-f", "csv").stdout.splitlines()))
    assert list(csv.reader(run(*words, str(into), "-f", "csv").stdout.splitlines())) == expected
    piped = run(*words, "-f", "csv", stdin=into.read_bytes())
    assert list(csv.reader(piped.stdout.splitlines())) == expected
    out = tmp_path / "y.parquet"
    assert run(*words, PETS, "-o", str(out)).status == 0
    frame = pl.read_parquet(out)
    assert frame.columns == expected[0]
    assert set(frame.dtypes) == {pl.String, pl.Float64}
    assert [list(map(str, row)) for row in frame.rows()] == expected[1:]


def test_verdicts_and_numbers_alone_have_columns_too(tmp_path: Path) -> None:
    out = str(tmp_path / "out.parquet")
    assert run("check", PETS, "-o", out).status == 0
    assert pl.read_parquet(out)["passed"].to_list() == [True] * 3
    assert run("forward", "3", "3", "-o", out).status == 0
    assert pl.read_parquet(out).to_dict(as_series=False) == {"1": [0.5], "2": [0.5]}


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pl.DataFrame({"a": [1.0, None], "b": [1.0, 2.0]}), "z.parquet: sample 2, 'a': found nan"),
        (
            pl.DataFrame({"a": ["x"], "b": ["y"], "c": [1]}),
            "z.parquet: expected at most one column",
        ),
        (pl.DataFrame({"a": [], "b": []}), "z.parquet: expected logits, found no rows"),
    ],
)
def test_what_is_no_table_of_logits_is_refused(
    frame: pl.DataFrame, message: str, tmp_path: Path
) -> None:
    frame.write_parquet(tmp_path / "z.parquet")
    outcome = run("forward", "z.parquet", cwd=tmp_path)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(f"error: {message}")
    assert len(outcome.stderr.splitlines()) <= 2


def test_other_bytes_and_terminals_are_refused(tmp_path: Path) -> None:
    (tmp_path / "z.parquet").write_text("1,2\n")
    outcome = run("forward", "z.parquet", cwd=tmp_path)
    assert outcome.stderr.startswith("error: z.parquet: expected a parquet file: ")
    assert len(outcome.stderr.splitlines()) == 1
    assert run_in_terminal("forward", "1", "2", "-f", "parquet").status == 2


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "z.parquet").write_bytes(b"PAR1")
    for words in (["forward", str(tmp_path / "z.parquet")], ["forward", "1", "2", "-f", "parquet"]):
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT, *words],
            capture_output=True,
            text=True,
            env=environment({}),
            check=False,
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert "expected polars" in done.stderr
        assert done.stderr.splitlines()[1].startswith("hint: install polars")
