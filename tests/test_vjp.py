"""The upstream gradient times the Jacobian, through the program."""

from pathlib import Path

import numpy as np
import pytest

from softmax_cli.mathematics import core
from tests.program import PETS, refused, run


def test_one_gradient_serves_all_samples(tmp_path: Path) -> None:
    printed = run("jacobian", "1,2,3", "-1,0,4", "--vjp", "0,0,1", "-f", "csv")
    J = np.reshape(run("jacobian", "1,2,3", "-1,0,4", "-f", "csv").rows, (2, 3, 3))
    assert printed.rows == [pytest.approx(list(row), rel=1e-14) for row in J[:, 2, :]]
    (tmp_path / "g.csv").write_text("0,1\n1,2\n")  # under a header: the names of the classes
    text = '[{"0":1,"1":2},{"0":2,"1":1},{"0":0,"1":0}]'
    assert run("jacobian", "--vjp", "g.csv", stdin=text, cwd=tmp_path).status == 0
    (tmp_path / "g.csv").write_text("1,0\n1,2\n1,2\n")  # it may be a gradient
    (tmp_path / "g.json").write_text('[{"2":0,"0":0,"1":1}]')
    assert run("jacobian", "1", "2", "3", "--vjp", "g.json", cwd=tmp_path).status == 2
    warned = "warning: g.csv:1: taken as numbers; if it is the header, give --header\n"
    assert run("jacobian", "--vjp", "g.csv", stdin=text, cwd=tmp_path).stderr == warned


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_row_each_may_have_names_in_a_file_of_many_batches(tmp_path: Path, suffix: str) -> None:
    z = np.random.default_rng(5).normal(0, 3, (10_000, 3)).tolist()
    rows = {
        "csv": ["id,a,b,c\n", *(f"s{k},{a!r},{b!r},{c!r}\n" for k, (a, b, c) in enumerate(z))],
        "jsonl": [f'{{"sample":"s{k}","logits":{row!r}}}\n' for k, row in enumerate(z)],
    }
    name = f"z.{suffix}"
    (tmp_path / name).write_text("".join(rows[suffix]))
    printed = run("jacobian", name, "--vjp", name, "-f", "csv", cwd=tmp_path)
    assert (printed.status, printed.stderr) == (0, "")
    found = [line.split(",") for line in printed.stdout.splitlines()[1:]]
    assert [row[0] for row in found] == [f"s{k}" for k in range(len(z))]
    assert [[float(cell) for cell in row[1:]] for row in found] == core.vjp(z, z).tolist()
    run("jacobian", name, "--vjp", name, "-o", f"v.{suffix}", cwd=tmp_path)
    assert run("check", name, "--vjp", f"v.{suffix}", "--upstream", name, cwd=tmp_path).status == 0


def test_names_are_mirrored_and_json_has_its_key() -> None:
    lines = run("jacobian", PETS, "--vjp", "0,0,1", "-f", "csv").stdout.splitlines()
    assert lines[0] == "name,cat,dog,owl"
    assert lines[1].startswith("photo of a cat,-0.0649")
    report = run("jacobian", PETS, "--vjp", "0,0,1", "-f", "json").json
    assert list(report) == ["command", "classes", "samples", "vjp"]


def test_the_table_shows_what_goes_in_and_what_comes_out() -> None:
    lines = run("jacobian", "40", "0", "1", "--vjp", "0,1,0").stdout.splitlines()
    assert "v_i = sum_j g_j J[j][i]" in lines[0]
    assert lines[2].split() == ["class", "z", "y", "g", "v"]
    assert lines[5].split() == ["2", "0", "4.24835e-18", "1", "4.24835e-18"]


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        ("1,0", "--vjp: expected 3 values a sample, found 2"), ("g.csv", "g.csv: no such file"),
        ("1,0,x", "--vjp, value 3: expected a number, found 'x'"),
        ("1,0,inf", "--vjp, value 3: found inf, expected a finite number"),
        ("1,0,-inf", "--vjp, value 3: found -inf, expected a finite number"),
        ("-", "--vjp: expected numbers or a file, found standard input"),
        ("two.csv", "--vjp: expected a row a sample or an unnamed one, found 2 rows"),
        ("four.csv", "--vjp: expected a row each for 3 samples, found more"),
        ("classes.csv", "--vjp: expected 'cat' as class 1, as in the logits, found 'wolf'\n"),
        ("names.csv", "--vjp: expected sample 'blurred photo', found 'x'"),
        ("one.csv", "--vjp: expected a row a sample or an unnamed one, found 1 row"),
        ("nan.csv", "nan.csv:3:2: found nan, expected a finite number"),
    ],
)  # fmt: skip
def test_gradients_that_do_not_fit_are_refused(tmp_path: Path, gradient: str, message: str) -> None:
    files = {
        "two.csv": "1,2,3\n" * 2,
        "four.csv": "1,2,3\n" * 4,
        "one.csv": "name,cat,dog,owl\nphoto of a cat,0,0,0\n",
        "classes.csv": "wolf,cat,owl\n1,2,3\n",
        "names.csv": "who,cat,dog,owl\nphoto of a cat,0,0,0\nphoto of a dog,0,0,0\nx,0,0,0\n",
        "nan.csv": "1,2,3\n4,5,6\n7,nan,9\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    error = refused("jacobian", PETS, "--vjp", gradient, "-f", "json", cwd=tmp_path)
    assert error.startswith(f"error: {message}")


def test_an_entry_and_a_product_exclude_each_other() -> None:
    outcome = run("jacobian", "1", "2", "--vjp", "1,0", "--entry", "1,1")
    assert outcome.stderr == "error: --entry: expected either --entry or --vjp, found both\n"
