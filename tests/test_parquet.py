"""Parquet in and out, through the program, with the extra and without."""

import csv
import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import polars as pl
import pytest

from softmax_cli.__main__ import main
from softmax_cli.process import Process
from softmax_cli.reading import parquet
from tests.program import PROGRAM, SAMPLES, environment, run, run_in_terminal

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
        (
            pl.DataFrame({"a": [1.0, None], "b": [1.0, 2.0]}),
            "z.parquet: sample 2, 'a': expected a number, found null",
        ),
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


ODD = pl.DataFrame(
    {"id": ["x", None], "*": [0, 0], "^.*$": [0.0, -np.inf], "z[1]": [0, 0]},
    schema_overrides={"*": pl.UInt8, "^.*$": pl.Float32, "z[1]": pl.Decimal(4, 2)},
)
ODD_RESULT = f"id,*,^.*$,z[1]\nx,{1 / 3},{1 / 3},{1 / 3}\n,0.5,0.0,0.5\n"


@pytest.mark.parametrize("name", ["[z].parquet", "*.parquet", "~", "z", os.fsdecode(b"\xff")])
def test_names_are_no_patterns(name: str, tmp_path: Path) -> None:
    ODD.write_parquet(tmp_path / "z.parquet")
    (tmp_path / "z.parquet").rename(tmp_path / name)
    (tmp_path / "other.parquet").write_bytes(b"PAR1")
    outcome = run("forward", name, "-f", "csv", cwd=tmp_path)
    assert (outcome.stdout, outcome.stderr) == (ODD_RESULT, "")
    picked = run("forward", name, "--columns", "z[1],*", "-f", "csv", cwd=tmp_path)
    assert picked.stdout == "id,z[1],*\nx,0.5,0.5\n,0.5,0.5\n"


def test_a_file_without_a_place_is_read_through_its_descriptor(tmp_path: Path) -> None:
    ODD.write_parquet(tmp_path / "z.parquet")
    with (tmp_path / "z.parquet").open("rb") as file:
        (tmp_path / "z.parquet").unlink()
        (tmp_path / "z.parquet").write_bytes(b"PAR1")
        for word in ("-", "/dev/stdin"):
            done = subprocess.run(
                [*PROGRAM, "forward", word, "-f", "csv"],
                stdin=file,
                capture_output=True,
                text=True,
                env=environment({}),
                check=True,
            )
            assert done.stdout == ODD_RESULT
            file.seek(0)


def killed(script: ModuleType) -> Process:
    process = Process.start(script)
    assert process is not None
    process._process.send_signal(signal.SIGABRT)
    return process


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (killed, "expected a parquet file: polars ended with SIGABRT"),
        (lambda script: None, "expected a process to read parquet in, could start none"),
    ],
)
@pytest.mark.parametrize(
    "line", ["forward z.parquet", "jacobian 1 2 --vjp z.parquet", "check 1 2 --jacobian z.parquet"]
)
def test_a_reader_that_is_lost_is_one_line(
    line: str,
    start: Callable[[ModuleType], Process | None],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pl.DataFrame({"a": [1.0], "b": [2.0]}).write_parquet(tmp_path / "z.parquet")
    monkeypatch.setattr(parquet, "Process", SimpleNamespace(start=start))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main(line.split())
    assert end.value.code == 2
    assert capsys.readouterr() == ("", f"error: z.parquet: {message}\n")


def test_rows_that_its_index_leaves_out_or_invents_are_noticed(tmp_path: Path) -> None:
    content = io.BytesIO()
    pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}).write_parquet(content)
    whole = content.getvalue()
    right = run("forward", "-f", "csv", stdin=whole)
    counts = [at for at in range(len(whole)) if whole[at : at + 2] == b"\x16\x04"]  # two rows
    messages = set[str]()
    for at in counts[-4:]:
        for n in (1, 3):
            damaged = whole[: at + 1] + bytes([2 * n]) + whole[at + 2 :]
            outcome = run("forward", "-f", "csv", stdin=damaged)
            assert outcome == right or (outcome.status, outcome.stdout) == (2, "")
            messages.add(outcome.stderr)
    for n in (1, 3):
        reason = f"the count of rows in its index, {n}, is not the one it has"
        assert f"error: <stdin>: expected a parquet file: {reason}\n" in messages


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
