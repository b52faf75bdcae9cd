"""Tables for people, through the program, in pipes and in terminals."""

import re
from pathlib import Path

import pytest

from tests.program import SAMPLES, run, run_in_terminal

IRIS = str(SAMPLES / "iris_logits.csv")


def test_one_sample_shows_class_logit_probability_and_bar() -> None:
    lines = run("forward", "2", "1", "0.1").stdout.splitlines()
    assert lines[0].split() == ["class", "logit", "probability"]
    assert lines[2].split()[:3] == ["1", "2", "0.659001"]
    assert lines[4].split()[:3] == ["3", "0.1", "0.0985659"]
    lengths = [line.count("█") for line in lines[2:]]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[0] > lengths[1] > lengths[2] > 0


def test_a_batch_marks_the_largest_probability_of_each_sample() -> None:
    lines = run("forward", str(SAMPLES / "pets.csv")).stdout.splitlines()
    assert re.search(r"photo of a cat +0\.659001 ◂ +0\.242433 +0\.0985659", lines[2])
    assert [line.count("◂") for line in lines[2:]] == [1, 1, 1, 0, 0]


def test_log_probabilities_stand_beside_the_probabilities() -> None:
    lines = run("forward", "--log", "40", "0").stdout.splitlines()
    assert "log probability" in lines[0]
    assert "-40.0000" in lines[3]


def test_the_jacobian_shows_outputs_down_inputs_across_and_row_sums() -> None:
    lines = run("jacobian", "1", "2", "3").stdout.splitlines()
    heading = next(line for line in lines if "dz_1" in line)
    assert heading.split() == ["dz_1", "dz_2", "dz_3", "row", "sum", "z", "y"]
    row = next(line for line in lines if line.startswith("dy_1")).split()
    assert row[1:4] == ["0.0819251", "-0.0220330", "-0.0598920"]
    assert abs(float(row[4])) < 1e-15


def test_the_jacobian_is_a_heatmap_in_a_terminal_only() -> None:
    truecolor = {"COLORTERM": "truecolor"}
    shown = run_in_terminal("jacobian", "1", "2", "3", env=truecolor).stdout
    assert re.search(r"\x1b\[1;[0-9;]*48;2;230;97;1m *0\.222695\x1b", shown)
    assert re.search(r"\x1b\[[0-9;]*48;2;\d+;\d+;\d+m *-0\.0220330\x1b", shown)
    assert "\x1b" not in run("jacobian", "1", "2", "3").stdout


def test_the_diagonal_stands_out_in_a_terminal_only() -> None:
    shown = run_in_terminal("jacobian", "1", "2", "3").stdout
    assert re.search(r"\x1b\[1;[0-9;]+m *0\.0819251\x1b", shown)
    assert not re.search(r"\x1b\[1;[0-9;]*m *-0\.0220330", shown)
    assert "\x1b" not in run("jacobian", "1", "2", "3").stdout


@pytest.mark.parametrize("env", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_where_it_is_not_wanted(env: dict[str, str]) -> None:
    for words in (["jacobian", "1", "2"], ["forward", "1", "2"], ["check", "1", "2"]):
        assert "\x1b" not in run_in_terminal(*words, env=env).stdout


def test_colour_is_never_forced_into_a_pipe() -> None:
    outcome = run("check", "1", "2", env={"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"})
    assert "\x1b" not in outcome.stdout


@pytest.mark.parametrize(
    ("words", "truth"),
    [
        (["forward", "40", "0", "1"], r"^1 +40 +1 - 1\.58e-17 "),
        (["forward", "40,0,1", "0,0,0"], r"^1 +1 - 1\.58e-17 ◂"),
        (["forward", "40", "0", "1", "-p", "17"], r"^1 +40 +1 - 1\.5796\d{12}e-17 "),
        (["forward", "20", "0", "-p", "1"], r"^1 +20 +1 - 2e-09 "),
        (["forward", "800", "0"], r"^1 +800 +>1 - 5e-324 "),
        (["forward", "800", "0"], r"^2 +0 +<5e-324$"),
        (["forward", "800", "-inf"], r"^1 +800 +1 "),
        (["forward", "800", "-inf"], r"^2 +-inf +0$"),
        (["forward", "800", "0", "--log"], r"^1 +800 +>1 - 5e-324 +>-5e-324 "),
        (["forward", "1e308", "-1e308", "-inf", "--log"], r"^2 +-1e\+308 +<5e-324 +<-1\.79e\+308$"),
        (["forward", "1e308", "-1e308", "-inf", "--log"], r"^3 +-inf +0 +-inf$"),
        (["forward", "1e308", "-1e308", "--log", "-f", "latex"], r"& <-1\.79 .times 10\^\{308\}$"),
        (["forward", "800,0", "900,0"], r"; mean entropy <5e-324 nats$"),
        (["forward", "800,-inf", "900,0"], r"; mean entropy <5e-324 nats$"),
        (["forward", "800,-inf", "-inf,0"], r"; mean entropy 0 nats$"),
        (["forward", "0,0", "0,-inf"], r"; mean entropy 0\.346574 nats$"),
        (["jacobian", "800", "0", "-inf"], r"^dy_1 +<5e-324 +>-5e-324 +0 +0 +800 +>1 - 5e-324$"),
        (["jacobian", "5", "-inf"], r"^dy_1 +0 +0 +0 +5 +1$"),
        (["forward", "740", "0"], r"^2 +0 +4e-322 "),
        (["jacobian", "40", "0", "1"], r"^dy_1 +1\.57966e-17 +-4\.24835e-18 +-1\.15482e-17 "),
        (["jacobian", "40", "0", "1"], r"^dy_1.* 1 - 1\.58e-17$"),
        (["jacobian", "40", "0", "1", "--entry", "1,1"], r"^1 +1\.57966e-17$"),
        (["jacobian", "700", "0"], r"^dy_1 +9\.85968e-305 "),
        (["jacobian", "800", "0", "1", "--vjp", "1,2,3"], r"^1 .* >-5e-324$"),
        (["jacobian", "800", "0", "1", "--vjp", "1,2,3"], r"^2 .* <5e-324$"),
        (["jacobian", "800,0,1", "0,0,0", "--vjp", "1,2,3"], r"^1 +>-5e-324 +<5e-324 +<5e-324$"),
        (["jacobian", "800,0,1", "0,0,0", "--vjp", "1,2,3"], r"^2 +-0\.333333 +0 +0\.333333$"),
        (["jacobian", "800,0", "--vjp", "1,2", "-f", "markdown"], r"^. 1 . >-5e-324 . <5e-324 .$"),
        (
            ["jacobian", "800,0", "--vjp", "2,1", "-f", "latex"],
            r"^  <5 .times 10\^\{-324\} & >-5 .times 10\^\{-324\}$",
        ),
        (
            ["jacobian", "1", "1", "--temperature", "1e-307", "--vjp", "1e5,0"],
            r"^1 .* >1\.79e\+308$",
        ),
        (
            ["jacobian", "1", "1", "--temperature", "1e-307", "--vjp", "1e5,0"],
            r"^2 .* <-1\.79e\+308$",
        ),
    ],
)
def test_a_table_never_lies(words: list[str], truth: str) -> None:
    assert re.search(truth, run(*words).stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("words", "theirs", "exact"),
    [
        (["800", "0", "1"], None, "<5e-324"),
        (["-inf", "0", "1000"], None, "0"),
        (["0", "-inf"], None, "0"),
        (["800", "0", "1", "--probabilities"], "1,0,.5", "<5e-324"),
        (["800", "0", "-inf", "--probabilities"], "1,0,.5", "0"),
        (["800", "0", "1", "--jacobian"], "0,.5,0\n0,0,0\n0,0,0", ">-5e-324"),
        (["800", "0", "1", "--jacobian"], "0,0,0\n0,0,0\n0,0,.5", "<5e-324"),
        (["800", "0", "-inf", "--jacobian"], "0,0,.5\n0,0,0\n0,0,0", "0"),
        (["800", "-inf", "-inf", "--jacobian"], ".5,0,0\n0,0,0\n0,0,0", "0"),
        (["800", "0", "1", "--upstream", "1,2,3", "--vjp"], ".5,0,0", ">-5e-324"),
        (["800", "0", "1", "--upstream", "1,2,3", "--vjp"], "0,0,.5", "<5e-324"),
        (["800", "0", "1", "--upstream", "2,2,2", "--vjp"], "0,0,.5", "0"),
    ],
)
def test_a_check_shows_an_exact_entry_that_underflows_and_a_computed_0_as_it_is(
    tmp_path: Path, words: list[str], theirs: str | None, exact: str
) -> None:
    (tmp_path / "theirs.csv").write_text(f"{theirs}\n")
    given = [] if theirs is None else ["theirs.csv"]
    lines = run("check", *words, *given, cwd=tmp_path).stdout.splitlines()
    row = next(line for line in lines if line.startswith("1  ")).split()
    assert row[2:4] == [exact, "0" if theirs is None else "0.500000"]
    if theirs is not None:
        assert any(f": expected {exact}, actual 0.500000, " in line for line in lines)


@pytest.mark.parametrize(
    ("logits", "theirs", "exact"),
    [
        ("40 0 1", ".5,0,0", ">1 - 1.2e-16"),
        ("-inf 40 0", "0,.5,0", ">1 - 1.2e-16"),
        ("5 -inf -inf", ".5,0,0", "1.00000"),
        ("-inf 5 -inf", "0,.5,0", "1.00000"),
    ],
)
def test_a_check_shows_a_probability_below_1_as_that(
    tmp_path: Path, logits: str, theirs: str, exact: str
) -> None:
    (tmp_path / "theirs.csv").write_text(f"{theirs}\n")
    shown = run("check", *logits.split(), "--probabilities", "theirs.csv", cwd=tmp_path).stdout
    assert f": expected {exact}, actual 0.500000, " in shown


@pytest.mark.parametrize(
    ("words", "cells"),
    [
        (["1", "2", "3"], ["3.82896e-12", "3.32538e-11", "3", "1", "-0.0598920", "-0.0598920"]),
        (["1", "2", "3", "-p", "2"], ["3.8e-12", "3.3e-11", "3", "1", "-0.060", "-0.060"]),
        (
            ["1", "2", "3", "-p", "17"],
            [
                "3.8289649229028555e-12",
                "3.3253776907784669e-11",
                *("3", "1", "-0.059892024544818928", "-0.059892024542827292"),
            ],
        ),
        (["800", "0", "1"], ["0", "0", "1", "1", "<5e-324", "0"]),
        (["0", "-inf", "1000"], ["0", "0", "1", "1", "<5e-324", "0"]),
        (["-inf", "0", "1000"], ["0", "0", "1", "1", "0", "0"]),
        (
            ["20", "0", "--probabilities", "theirs.csv"],
            ["0.500000", "1.00000", "1", "", "0.9999999979388463", "0.500000"],
        ),
    ],
)
@pytest.mark.parametrize("output_format", ["markdown", "latex"])
def test_a_written_check_has_the_precision_and_the_truth_of_its_table(
    tmp_path: Path, words: list[str], cells: list[str], output_format: str
) -> None:
    (tmp_path / "theirs.csv").write_text(".5,0\n")
    lines = run("check", *words, "-f", output_format, cwd=tmp_path).stdout.splitlines()
    if output_format == "markdown":
        written = lines[2].replace("\\", "").strip("|").split("|")
    else:
        written = lines[2].removesuffix(r" \\").replace(r"\textless{}", "<").split("&")
    assert [cell.strip() for cell in written][2:8] == cells


def test_a_written_sweep_has_the_precision_asked_for() -> None:
    lines = run("check", "--sweep", "1", "2", "-p", "2", "-f", "latex").stdout.splitlines()
    steps = [line.split(" & ")[0] for line in lines[2:6]]
    assert steps == ["0.10", "0.030", "0.010", "0.0030"]


def test_a_long_batch_shows_both_ends_and_how_to_see_all() -> None:
    for words, ends in ((["forward", IRIS], 1), (["jacobian", IRIS], 1), (["check", IRIS], 1)):
        shown = run(*words).stdout
        names = re.findall(r"^(?:sample )?(\d+)(?: (?!samples)|$)", shown, re.MULTILINE)
        assert names == [str(k) for k in [*range(1, 11), *range(141, 151)]], words
        assert shown.count("130 samples left out") == ends
        assert "-f csv" in shown
    assert len(run("forward", "-f", "csv", IRIS).stdout.splitlines()) == 151


def test_sixty_samples_are_all_shown() -> None:
    rows = [f"{k},0" for k in range(60)]
    assert "left out" not in run("forward", *rows).stdout
    assert "41 samples left out" in run("forward", *rows, "1,1").stdout


def test_classes_beyond_the_width_are_left_out_of_the_middle() -> None:
    digits = str(SAMPLES / "digits_logits.json")
    shown = run_in_terminal("forward", digits, columns=60, env={"NO_COLOR": "1"}).stdout
    assert all(len(line) <= 60 for line in shown.splitlines())
    heading = shown.splitlines()[0]
    assert heading.split()[:2] == ["sample", "y_0"]
    assert "y_9" in heading
    assert "…" in heading
    assert re.search(r"\d+ classes left out", shown)
    piped = run("forward", digits).stdout
    assert piped.splitlines()[0].split() == ["sample", *(f"y_{c}" for c in range(10)), "largest"]


def test_a_table_in_a_pipe_is_never_cut() -> None:
    logits = [str(k / 10) for k in range(40)]
    lines = run("jacobian", *logits, env={"COLUMNS": "80"}).stdout.splitlines()
    heading = next(line for line in lines if "dz_1" in line)
    assert [f"dz_{k}" for k in range(1, 41)] == heading.split()[:40]


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("command", ["forward", "jacobian", "check"])
def test_lines_fit_the_terminal(command: str, columns: int) -> None:
    shown = run_in_terminal(command, IRIS, columns=columns, env={"NO_COLOR": "1"})
    assert shown.status == 0
    assert all(len(line) <= columns for line in shown.stdout.splitlines())


def test_names_are_data_not_markup_or_escapes() -> None:
    shown = run("forward", stdin="name,[red]x,\x1b[31mb\nr\u202et,1,2\n").stdout
    assert "[red]x" in shown
    assert "\\x1b[31mb" in shown
    assert "r\\u202et" in shown
    assert "\x1b" not in shown


def test_wide_names_keep_the_columns_aligned() -> None:
    lines = run("forward", stdin="name,猫,b\n長い名前,1,1\nx,1,1\n").stdout.splitlines()
    assert lines[2].index("0.5") + 4 == lines[3].index("0.5")


@pytest.mark.parametrize(
    "words",
    [["forward", "1", "2"], ["forward", IRIS], ["jacobian", IRIS], ["check", IRIS], ["forward"]],
)
def test_under_an_ascii_locale_everything_prints_in_ascii(words: list[str]) -> None:
    env = {"LC_ALL": "C"}
    outcome = run(*words, env=env, stdin="name,naïve,猫\n長,1,2\nx,1,2\n")
    assert outcome.status == 0
    assert outcome.stdout.isascii()
    if len(words) == 1:
        assert "y_na\\xefve" in outcome.stdout


def test_every_format_reads_names_in_the_same_order() -> None:
    shown = run("forward", stdin="id,b,a\n2,1,1\n1,1,1\n").stdout.splitlines()
    assert shown[0].split() == ["sample", "y_b", "y_a", "largest"]
    assert [line.split()[0] for line in shown[2:4]] == ["2", "1"]
