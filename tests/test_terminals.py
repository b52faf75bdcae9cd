"""Columns stay in place in terminals that do not agree on how wide a name is."""

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from softmax_cli.display.heat import heat
from tests.program import run, run_in_terminal

NAMES = ("हिन्दी", "தமிழ்", "猫", "❤x", "👩\u200d🔬", "קו", "e\u0301", "한국어", "plain")


def by_code_points(c: str) -> int:
    """Measure as xterm does, and all that use the system's wcwidth."""
    if unicodedata.category(c) in ("Mn", "Me", "Cf"):
        return 0
    return 1 + (unicodedata.east_asian_width(c) in "WF")


def by_graphemes(c: str) -> int:
    """Measure as those do that draw a vowel sign in the column of its letter."""
    return 0 if unicodedata.category(c) == "Mc" else by_code_points(c)


def without_width(c: str) -> int:
    """Measure as the plainest do, of which every sign takes one column."""
    return 1


def drawn(printed: str, width: Callable[[str], int]) -> list[list[str]]:
    """Return the columns of each line as a terminal shows them."""
    lines = []
    for line in printed.splitlines():
        columns: list[str] = []
        at = 0
        for move, other, text in re.findall(r"\x1b\[(\d+)G|(\x1b\[[\d;]*m)|([^\x1b])", line):
            if move:
                at = int(move) - 1
            elif text:
                columns += [" "] * (at + 2 - len(columns))
                columns[at] = text if width(text) else columns[at]
                at += width(text)
            else:
                assert other
        lines.append(columns)
    return lines


@pytest.mark.parametrize("width", [by_code_points, by_graphemes, without_width])
@pytest.mark.parametrize("env", [{"COLORTERM": "truecolor"}, {"TERM": "xterm"}, {"NO_COLOR": "1"}])
@pytest.mark.parametrize("command", ["forward", "jacobian"])
def test_names_in_any_script_move_no_column(
    command: str, env: dict[str, str], width: Callable[[str], int], tmp_path: Path
) -> None:
    path = tmp_path / "z.csv"
    rows = [f"{name},{','.join('1' * len(NAMES))}" for name in NAMES]
    path.write_text("\n".join([",".join(["id", *NAMES]), *rows]), encoding="utf-8")
    words = [command, str(path), *(["--sample", "1"] if command == "jacobian" else [])]
    printed = run_in_terminal(*words, columns=200, env=env).stdout
    ends = set()
    rows_drawn = 0
    for columns in drawn(printed, width):
        line = "".join(columns)
        numbers = [match.end() for match in re.finditer(r"-?0\.\d{5,}", line)]
        if len(numbers) >= len(NAMES):
            ends.add(tuple(numbers))
            rows_drawn += 1
    assert (len(ends), rows_drawn) == (1, len(NAMES))


def test_a_name_is_not_wiped_out_where_it_is_drawn_wider(tmp_path: Path) -> None:
    path = tmp_path / "z.csv"
    path.write_text("id,हिन्दी,longer than it\nx,1,2\n", encoding="utf-8")
    shown = drawn(run_in_terminal("jacobian", str(path)).stdout, by_code_points)
    assert any("".join(columns).startswith("dy_हिनदी ") for columns in shown)


def test_plain_names_need_no_moves_and_a_dumb_terminal_gets_none() -> None:
    assert not re.search(r"\x1b\[\d+G", run_in_terminal("jacobian", "1", "2").stdout)
    text = "猫,b\n1,2\n"
    for outcome in (
        run("jacobian", stdin=text),
        run("jacobian", stdin=text, env={"TERM": "xterm"}),
    ):
        assert "\x1b" not in outcome.stdout


@pytest.mark.parametrize(
    ("value", "colours", "style"),
    [
        (0.0, 1 << 24, ""),
        (1.0, 0, ""),
        (1.0, 1 << 24, "#ffffff on #e66101"),
        (-1.0, 1 << 24, "#ffffff on #2166ac"),
        (1e-12, 1 << 24, "#000000 on #dedede"),
        (1.0, 256, "#ffffff on #d75f00"),
        (-1.0, 256, "#ffffff on #005faf"),
        (-1e-12, 256, "#000000 on #dadada"),
        (0.3, 16, "white on red"),
        (-0.3, 16, "white on blue"),
        (0.2, 16, ""),
    ],
)
def test_the_heatmap_has_its_ends_in_every_number_of_colours(
    value: float, colours: int, style: str
) -> None:
    assert heat(value, 1.0, colours) == style


@pytest.mark.parametrize(
    "words", [["--help"], ["forward", "-h"], ["jacobian", "é"], ["check", "\N{MINUS SIGN}1x"]]
)
@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_text_for_people_is_ascii_where_the_locale_is(words: list[str], locale: str) -> None:
    outcome = run(*words, env={"LC_ALL": locale})
    assert (outcome.stdout + outcome.stderr).isascii()
    assert len(outcome.stdout + outcome.stderr) > 10
    assert not run(*words).stdout.isascii() or not run(*words).stderr.isascii()


@pytest.mark.parametrize("name", ["FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "TTY_COMPATIBLE"])
def test_help_has_no_colour_in_a_pipe(name: str) -> None:
    for words in (["--help"], ["check", "--help"]):
        outcome = run(*words, env={name: "1"})
        assert (outcome.status, "\x1b" in outcome.stdout) == (0, False)


NO_LOGITS = "error: expected logits: numbers, a file or - for standard input, found none\n"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("forward --formt", "error: '--formt': no such option\nhint: did you mean --format"),
        ("forward --lgo", "error: '--lgo': no such option\nhint: did you mean --log?"),
        ("jacobian --temperature -1", "error: --temperature: expected a finite number"),
        ("check --probabilities x.csv", f"{NO_LOGITS}hint: see softmax-cli check --help"),
        ("forward -f csv", f"{NO_LOGITS}hint: see softmax-cli forward --help"),
    ],
)
def test_at_a_terminal_options_without_logits_are_told_what_is_missing(
    line: str, told: str
) -> None:
    outcome = run_in_terminal(*line.split())
    assert outcome.status == 2
    assert outcome.stdout.startswith(told)
