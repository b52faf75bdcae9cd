"""The help: what a user sees who does not know the next word."""

import re
from pathlib import Path

import pytest

from softmax_cli.commands.help import TOPICS
from tests.program import ROOT, refused, run, run_in_terminal

PAGES = ROOT / "softmax_cli" / "help"


def test_help_lists_every_page_and_command_with_a_line() -> None:
    outcome = run("help")
    assert (outcome.status, outcome.stderr) == (0, "")
    names = re.findall(r"^- \*\*(\w+)\*\*: \S", outcome.stdout, re.MULTILINE)
    assert names == [*TOPICS, "forward", "jacobian", "check", "help"]
    assert {page.stem for page in PAGES.iterdir()} == {"contents", *TOPICS}
    assert all(map(run_in_terminal("help").plain.count, names))


@pytest.mark.parametrize("topic", TOPICS)
def test_a_page_is_markdown_in_a_pipe_and_drawn_at_a_terminal(topic: str) -> None:
    source = (PAGES / f"{topic}.md").read_text()
    assert source.startswith(f"# {topic}: ")
    assert (piped := run("help", topic)).stdout == source
    assert (piped.status, piped.stderr) == (0, "")
    drawn = run_in_terminal("help", topic)
    assert drawn.status == 0
    assert "\x1b[" in drawn.stdout
    assert "```" not in drawn.stdout
    assert max(map(len, drawn.plain.splitlines())) <= 80


def test_a_page_is_shown_in_any_locale() -> None:
    outcome = run("help", "output", env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii"})
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout.isascii()
    assert "\\u2022" not in run_in_terminal("help", "input", env={"LC_ALL": "C"}).stdout  # a bullet


@pytest.mark.parametrize("command", ["forward", "jacobian", "help"])
def test_help_of_a_command_is_its_options(command: str) -> None:
    assert run("help", command) == run(command, "--help")


@pytest.mark.parametrize(
    ("words", "place", "hint"),
    [
        ("help inptu", "argument 1", "did you mean input?"),
        ("help jacobain", "argument 1", "did you mean jacobian?"),
        ("help nothing-like-it", "argument 1", None),
        ("1 2 3", "argument 1", "did you mean softmax-cli forward 1 2 3?"),
        ("-1,2 -f csv", "argument 1", "did you mean softmax-cli forward -1,2 -f csv?"),
        ("-inf 0", "argument 1", "did you mean softmax-cli forward -inf 0?"),
        ("- -f csv", "argument 1", "did you mean softmax-cli forward - -f csv?"),
        ("logits.csv", "argument 1", "did you mean softmax-cli forward logits.csv?"),
        ("nosuch.csv", "", "see softmax-cli --help"), ("forwrd 1", "", "did you mean forward?"),
        ("--log 1", "'--log'", "see softmax-cli --help"),
    ],
)  # fmt: skip
def test_a_word_that_leads_nowhere_leads_on(
    words: str, place: str, hint: str | None, tmp_path: Path
) -> None:
    (tmp_path / "logits.csv").write_text("1,2\n")
    error, *hints = refused(*words.split(), cwd=tmp_path).splitlines()
    assert error.startswith(f"error: {place}")
    assert hints == ([] if hint is None else [f"hint: {hint}"])
    if hint and "forward " in hint and "- -f" not in hint:
        command = hint.removeprefix("did you mean softmax-cli ").removesuffix("?")
        assert run(*command.split(), cwd=tmp_path).status == 0


def test_the_help_of_the_program_has_examples_and_exit_statuses() -> None:
    shown = run("--help").stdout
    assert "softmax-cli forward 2 1 0.1\n" in re.sub(" +\n", "\n", shown)
    assert "Exit status" in shown
    assert {"0", "1", "2", "3", "130", "143", "129", "141"} <= set(re.findall(r"\d+", shown))


def test_the_help_of_a_command_has_its_defaults_and_suffixes() -> None:
    shown = re.sub(r"[\s│]+", " ", run("check", "--help").stdout)
    for default in ("table", "central", "6", "1.0"):
        assert f"[default: {default}]" in shown
    for suffix in (".csv", ".npy", ".md", ".tex", ".svg", ".html"):
        assert suffix in shown
