"""What a terminal can show: colours, ASCII, help and errors."""

import pytest

from softmax_cli.display.heat import heat
from tests.program import run, run_in_terminal


@pytest.mark.parametrize(
    ("value", "colours", "style"),
    [
        (0.0, 1 << 24, ""),
        (1.0, 1 << 24, "#ffffff on #e66101"),
        (-1.0, 1 << 24, "#ffffff on #2166ac"),
        (1e-12, 1 << 24, "#000000 on #dedede"),
        (1.0, 256, "#ffffff on #d75f00"),
        (-1.0, 256, "#ffffff on #005faf"),
        (-1e-12, 256, "#000000 on #dadada"),
        (1.0, 0, ""),
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
