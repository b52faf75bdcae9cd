"""Formats and targets, through the program."""

from pathlib import Path

import numpy as np
import pytest

from tests.program import PETS, refused, run


def test_a_batch_of_jacobians_is_stacked_and_named_where_names_came_in() -> None:
    alone = run("jacobian", "1,2", "3,4", "-f", "csv").rows
    assert len(alone) == 4
    assert all(len(row) == 2 for row in alone)
    lines = run("jacobian", PETS, "-f", "csv").stdout.splitlines()
    assert lines[0] == "sample,output,cat,dog,owl"
    assert [line.rsplit(",", 3)[0] for line in lines[1:4]] == [
        "photo of a cat,cat", "photo of a cat,dog", "photo of a cat,owl",
    ]  # fmt: skip
    headed = run("jacobian", "-f", "csv", stdin="a,b\n1,2\n").stdout.splitlines()
    assert [line.rsplit(",", 2)[0] for line in headed] == ["sample,output", "1,a", "1,b"]


def test_tsv_is_csv_with_tabs() -> None:
    as_csv = run("forward", PETS, "-f", "csv").stdout
    assert run("forward", PETS, "-f", "tsv").stdout == as_csv.replace(",", "\t")


def test_json_is_one_line_and_always_names() -> None:
    outcome = run("forward", "1,2", "3,4", "-f", "json")
    assert outcome.stdout.endswith("}\n")
    assert outcome.stdout.count("\n") == 1
    assert list(outcome.json) == ["command", "classes", "samples", "probabilities"]
    assert outcome.json["command"] == "forward"
    assert outcome.json["classes"] == ["1", "2"]
    assert outcome.json["samples"] == ["1", "2"]
    named = run("jacobian", PETS, "-f", "json").json
    assert list(named) == ["command", "classes", "samples", "probabilities", "jacobian"]
    assert named["classes"] == ["cat", "dog", "owl"]
    assert named["samples"][0] == "photo of a cat"
    assert named["probabilities"] == run("forward", PETS, "-f", "json").json["probabilities"]


def test_json_says_minus_infinity_in_a_string_that_is_read_back() -> None:
    outcome = run("forward", "--log", "-inf", "0", "-f", "json")
    assert outcome.json["log_probabilities"] == [["-Infinity", 0.0]]
    assert run("forward", "--log", "-inf", "0", "-f", "csv").stdout == "-inf,0.0\n"
    assert run("forward", "-f", "csv", stdin='{"logits":[["-Infinity",0.0]]}').stdout == "0.0,1.0\n"


@pytest.mark.parametrize("suffix", ["csv", "tsv", "json"])
def test_the_suffix_of_the_output_decides(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"out.{suffix}"
    outcome = run("jacobian", PETS, "-o", str(path))
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    assert path.read_text() == run("jacobian", PETS, "-f", suffix).stdout


def test_a_named_format_wins_over_the_suffix_without_a_word(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    outcome = run("forward", "1", "2", "-o", str(path), "-f", "csv")
    assert (outcome.status, outcome.stdout, outcome.stderr) == (0, "", "")
    assert path.read_text() == run("forward", "1", "2", "-f", "csv").stdout
    run("forward", "1", "2", "-o", str(path))
    assert path.read_text() == run("forward", "1", "2").stdout


def test_an_unknown_suffix_is_an_error_before_anything_is_read(tmp_path: Path) -> None:
    outcome = run("forward", "missing.csv", "-o", str(tmp_path / "out.xyz"))
    assert outcome.status == 2
    assert "expected a file name ending in .csv" in outcome.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["-f", "svg"], "write a file with -o FILE.svg"),
        (["-f", "PNG"], "write a file with -o FILE.png"),
        (["-f", "HTML"], "write a file with -o FILE.html"),
        (["-f", "md"], "did you mean markdown?"), (["-f", "tex"], "did you mean latex?"),
        (["-f", "txt"], "did you mean table?"), (["-f", ".csv"], "did you mean csv?"),
        (["-f", "ndjson"], "did you mean jsonl?"), (["-f", "cvs"], "did you mean csv?"),
    ],
)  # fmt: skip
def test_a_suffix_of_no_format_leads_to_one(tmp_path: Path, words: list[str], hint: str) -> None:
    assert refused("forward", "1", "2", *words, cwd=tmp_path).splitlines()[1:] == [f"hint: {hint}"]
    assert list(tmp_path.iterdir()) == []


def test_data_is_utf8_and_the_same_in_every_locale() -> None:
    for output_format in ("csv", "json"):
        outcomes = {
            run("forward", "-f", output_format, stdin="naïve,猫\n3,3\n", env=env)
            for env in (
                {},
                {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
                {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "COLUMNS": "20"},
            )
        }
        assert len(outcomes) == 1
    assert '"classes":["na\\u00efve","\\u732b"]' in outcomes.pop().stdout


@pytest.mark.parametrize("output_format", ["table", "json", "npy", "parquet", "markdown", "latex"])
def test_what_is_no_stream_leaves_no_part_on_stdout_when_the_input_is_bad(
    output_format: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "z.npy", [[1.0, 2.0]] * 30_000 + [[1.0, np.nan]])
    (tmp_path / "z.csv").write_text("1,2\n" * 30_000 + "1,x\n")
    for name in ("z.npy", "z.csv"):
        error = refused("forward", name, "-f", output_format, cwd=tmp_path)
        assert error.startswith(f"error: {name}:")
