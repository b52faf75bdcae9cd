"""Logits and options on the command line, through the program."""

from pathlib import Path

import pytest

from tests.program import PETS, refused, run, run_in_terminal


@pytest.mark.parametrize(
    ("words", "logits"),
    [
        (["2", "1", "0.1"], [[2, 1, 0.1]]), (["2,1,0.1", "1,2,3"], [[2, 1, 0.1], [1, 2, 3]]),
        (["2 1 0.1", "1 2 3"], [[2, 1, 0.1], [1, 2, 3]]),
        (["-1", "-.5", "-1e3"], [[-1, -0.5, -1000]]), (["+2", "\N{MINUS SIGN}1"], [[2, -1]]),
        (["--", "-1", "2"], [[-1, 2]]), (["-1", "--", "-2"], [[-1, -2]]),
        (["-1,2", "-3,4"], [[-1, 2], [-3, 4]]),
    ],
)  # fmt: skip
def test_numbers_need_no_dashes_anywhere(words: list[str], logits: list[list[float]]) -> None:
    expected = run("forward", "-f", "csv", stdin="".join(f"{str(z)[1:-1]}\n" for z in logits))
    assert expected.status == 0
    assert run("forward", "-f", "csv", *words) == expected
    if "--" not in words:
        assert run("forward", *words, "-f", "csv") == expected


@pytest.mark.parametrize(
    "words", ["-fcsv -1 2", "-1 --format=csv 2", "-ot -f csv -1 2", "-o t -1 -f csv -- 2"]
)
def test_numbers_and_options_stand_in_any_order(words: str, tmp_path: Path) -> None:
    outcome = run("forward", *words.split(), cwd=tmp_path)
    shown = (tmp_path / "t").read_text() if "-o" in words else outcome.stdout
    assert shown == run("forward", "-1", "2", "-f", "csv").stdout


def test_the_value_of_an_option_may_be_a_negative_number(tmp_path: Path) -> None:
    run("forward", "-o", "-1", "-f", "csv", "-1", "-1", cwd=tmp_path)
    assert (tmp_path / "-1").read_text() == "0.5,0.5\n"


def test_minus_inf_is_a_number_not_an_option() -> None:
    outcome = run("forward", "-inf", "0", "1", "-f", "json")
    assert outcome.json["classes"] == ["1", "2", "3"]
    assert outcome.json["probabilities"][0][0] == 0.0
    assert outcome.json["probabilities"][0][1:] == pytest.approx([0.2689414213699951, 0.7310585786])


def test_a_token_that_reads_as_a_number_is_never_a_file(tmp_path: Path) -> None:
    (tmp_path / "1").write_text("5,5\n")
    assert run("forward", "1", "-f", "csv", cwd=tmp_path).stdout == "1.0\n"
    assert run("forward", "./1", "-f", "csv", cwd=tmp_path).stdout == "0.5,0.5\n"
    (tmp_path / "2024.csv").write_text("5,5\n")
    assert run("forward", "2024.csv", "-f", "csv", cwd=tmp_path).stdout == "0.5,0.5\n"


@pytest.mark.parametrize(
    ("name", "suffix"), [("-x.csv", ".csv"), ("--logits.csv", ""), ("--format.csv", "")]
)
def test_a_file_whose_name_begins_with_a_dash_is_written_with_its_folder(
    tmp_path: Path, name: str, suffix: str
) -> None:
    (tmp_path / name).write_text("5,5\n")
    error = refused("forward", name, cwd=tmp_path)
    assert error.startswith(f"error: '{name.removesuffix(suffix)}': no such option\n")
    assert run("forward", "-f", "csv", f"./{name}", cwd=tmp_path).stdout == "0.5,0.5\n"
    assert run("forward", "-f", "csv", "--", name, cwd=tmp_path).stdout == "0.5,0.5\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("forward 1 x", "argument 2: expected a number, found 'x'"),
        ("forward 1,2 3", "argument 2: expected 2 values as in argument 1, found 1"),
        ("forward 1,", "argument 1, value 2: expected a number, found ''"),
        ("forward 1e400 1", "argument 1: expected a number within the range of float64"),
        ("forward 1 nan", "argument 2: found nan"), ("forward 1 +inf", "argument 2: found +inf"),
        ("forward -inf -inf", "arguments: every logit is -inf"),
        ("forward missing.csv", "missing.csv: no such file"),
        ("forward README.md 1", "argument 1: expected one file or only numbers, found the file '"),
        ("forward 1 --encoding x", "'--encoding': no such option\nhint: see softmax-cli forward -"),
        ("forward -x 1", "'-x': no such option"), ("forward -inff 1", "'-i': no such option"),
        ("forward 1/3 2", "argument 1: expected a number, found '1/3'"),
        ("forward ln(2) 1", "argument 1: expected a number, found 'ln(2)'"),
        ("forward 1 2 --version", "'--version': no such option\nhint: it stands before"),
        ("forward 1 2 -p=10", "-p=10: expected a space"),
        ("forward 1 --top", "option '--top' requires an argument\nhint: see softmax-cli forward -"),
        ("forward 1 2 -f csv --format csv", "--format: expected once, found 2 times"),
        ("forward 1 2 --decimal ,", "--decimal: expected a file"),
        ("forward --temperature x 1", "--temperature: expected a finite number of at least 0"),
        ("jacobian -t 0 1 1", "--temperature: expected a finite number of at least 2.23e-308"),
        ("check --jobs 2 1", "'--jobs': no such option"), ("forward 1 --log=yes", "log"),
        ("check --method cental 1 2", "--method: expected one of central, forward, complex-step"),
    ],
)  # fmt: skip
def test_bad_usage_is_one_clear_line(words: str, message: str) -> None:
    outcome = run(*words.split())
    assert outcome.status == 2
    assert outcome.stdout == ""
    assert outcome.stderr.lower().startswith(f"error: {message}".lower()) or (
        message == "log" and "does not take a value" in outcome.stderr
    )
    lines = outcome.stderr.splitlines()
    assert len(lines) <= 2
    assert all(line.startswith("hint: ") for line in lines[1:])


@pytest.mark.parametrize("command", ["forward", "jacobian", "check"])
def test_at_a_terminal_with_nothing_a_command_shows_its_help(command: str) -> None:
    outcome = run_in_terminal(command)
    assert outcome.status == 2
    assert f"Usage: softmax-cli {command}" in outcome.plain


@pytest.mark.parametrize("words", ["", "--help", "forward --help", "check -h"])
def test_help_is_a_result_where_it_was_asked_for(words: str) -> None:
    outcome = run(*words.split())
    assert outcome.status == (0 if words else 2)
    assert "Usage: softmax-cli" in (outcome.stdout if words else outcome.stderr)
    assert (outcome.stderr if words else outcome.stdout) == ""


def test_temperature_divides_the_logits_and_the_derivative() -> None:
    warm = run("forward", "2", "4", "--temperature", "2", "-f", "csv")
    assert warm == run("forward", "1", "2", "-f", "csv")
    warm_jacobian = run("jacobian", "2", "4", "-t", "2", "-f", "csv").rows
    cold_jacobian = run("jacobian", "1", "2", "-f", "csv").rows
    assert [[2 * d for d in row] for row in warm_jacobian] == cold_jacobian


def test_what_looks_like_a_decimal_comma_is_told() -> None:
    outcome = run("forward", "1,5", "2,0", "-f", "csv")
    assert (outcome.status, len(outcome.rows)) == (0, 2)
    assert "2 samples of 2 classes" in outcome.stderr
    assert run("forward", "1,2", "3,0", "-f", "csv").stderr == ""
    assert run("forward", "1,1\n3,3", "-f", "csv").stdout == "0.5,0.5\n" * 2


def test_positions_and_names_choose_an_entry() -> None:
    by_name = run("jacobian", PETS, "--entry", "dog,owl", "-f", "csv")
    assert by_name == run("jacobian", PETS, "--entry", "2,3", "-f", "csv")
    assert by_name.stdout.splitlines()[0] == "name,partial"
    full = run("jacobian", PETS, "-f", "json").json["jacobian"]
    both = refused("jacobian", "--header", "--entry", "3,2", stdin="0,1,2\n1,2,3\n")
    assert both == "error: --entry: expected names or positions, found both\n"
    entry = run("jacobian", PETS, "--entry", "dog,owl", "-f", "json").json
    assert entry["partials"] == [J[1][2] for J in full]
    assert entry["entry"] == {"output": "dog", "input": "owl"}
