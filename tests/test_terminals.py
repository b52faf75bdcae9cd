"""What a terminal can show: colours, ASCII, help and errors."""

import re
from pathlib import Path

import pytest

from softmax_cli.display.heat import heat
from tests.program import SAMPLES, run, run_in_terminal

IRIS = SAMPLES / "iris_logits.csv"


@pytest.mark.parametrize(
    ("value", "style"),
    [
        (0.0, ""), (1.0, "#000000 on #e66101"), (-1.0, "#ffffff on #2166ac"),
        (1e-12, "#000000 on #dedede"),
    ],
)  # fmt: skip
def test_the_heatmap_has_its_ends(value: float, style: str) -> None:
    assert heat(value, 1.0) == style


@pytest.mark.parametrize("command", ["forward", "jacobian", "check"])
def test_help_begins_with_its_purpose_and_examples_and_fits(command: str) -> None:
    shown = run_in_terminal(command, "--help", env={"NO_COLOR": "1"}).plain
    assert all(len(line) <= 80 for line in shown.splitlines())
    lines = [line.strip() for line in shown.splitlines()]
    examples = [line for line in lines if line.startswith(f"softmax-cli {command} ")]
    assert 3 <= len(examples) <= 4
    panels = [next(k for k, line in enumerate(lines) if f"─ {panel} ─" in line)
              for panel in ("Input", "Method", "Output")]  # fmt: skip
    assert lines.index(examples[-1]) < min(panels)


@pytest.mark.parametrize(
    "line",
    ["--help", "forward -h", "jacobian é", "check \N{MINUS SIGN}1x", "forward 1 2", "forward",
     f"forward {IRIS}", f"jacobian {IRIS}", f"check {IRIS}", "check 1 2 --sweep"],
)  # fmt: skip
def test_text_for_people_is_ascii_where_the_locale_is(line: str) -> None:
    stdin = "name,naïve,猫\n長,1,2\nx,1,2\n"
    ascii, usual = (run(*line.split(), env=env, stdin=stdin) for env in ({"LC_ALL": "C"}, {}))
    assert (ascii.stdout + ascii.stderr).isascii()
    assert not (usual.stdout + usual.stderr).isascii()
    assert ascii.status == usual.status
    assert not re.search(r"\\u25c2|\\u2500|\\u2588", ascii.stdout)
    assert line != "forward" or "y_na\\xefve" in ascii.stdout
    narrow = run(*line.split(), env={"PYTHONIOENCODING": "ascii", "COLUMNS": "40"}, stdin=stdin)
    assert narrow.status == usual.status


@pytest.mark.parametrize("name", ["PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE"])
def test_nothing_has_colour_in_a_pipe(name: str) -> None:
    for words in (["check", "--help"], ["jacobian", "1", "2"]):
        assert "\x1b" not in run(*words, env={name: "1"}).stdout


@pytest.mark.parametrize(
    ("words", "env", "coloured"),
    [
        ("--color always", {}, True), ("--color always", {"NO_COLOR": "1"}, True),
        ("", {"FORCE_COLOR": "1"}, True), ("", {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        ("--color never", {"FORCE_COLOR": "1"}, False), ("-o J.txt", {"FORCE_COLOR": "1"}, False),
    ],
)  # fmt: skip
def test_a_pipe_has_colour_if_it_is_asked_for(
    words: str, env: dict[str, str], coloured: bool, tmp_path: Path
) -> None:
    outcome = run("jacobian", "1", "2", *words.split(), env=env, cwd=tmp_path)
    assert ("\x1b" in (outcome.stdout or (tmp_path / "J.txt").read_text())) == coloured
    assert outcome.plain in ("", run("jacobian", "1", "2").stdout)


def test_a_terminal_has_no_colour_and_no_width_but_what_is_asked_for() -> None:
    assert "\x1b" not in run_in_terminal("jacobian", "1", "2", "--color", "never").stdout
    for columns in ("0", "9" * 30):
        assert " 0.731059 " in run_in_terminal("forward", "1", "2", env={"COLUMNS": columns}).plain


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("forward --formt", "error: '--formt': no such option\nhint: did you mean --format"),
        ("forward --lgo", "error: '--lgo': no such option\nhint: did you mean --log"),
        ("jacobian --temperature -1", "error: --temperature: expected a finite number"),
        ("check --probabilities x.csv", "error: expected logits: "),
        ("forward -f csv", "error: expected logits: "),
    ],
)
def test_at_a_terminal_options_alone_are_told_what_is_missing(line: str, told: str) -> None:
    outcome = run_in_terminal(*line.split())
    assert (outcome.status, outcome.stdout.startswith(told)) == (2, True)


def test_an_end_of_what_is_typed_is_asked_for_once() -> None:
    for command in (["forward", "-"], ["check", "-"], ["forward", "-", "--input-format", "json"]):
        assert run_in_terminal(*command, keys=b"\x04").status == 2
