"""Tables for people, through the program, in pipes and in terminals."""

import json
import re
from pathlib import Path

import mpmath
import pytest
from mpmath import mpf

from softmax_cli.display.notation import latex_number
from tests import oracle
from tests.program import PETS, SAMPLES, run, run_in_terminal

IRIS = str(SAMPLES / "iris_logits.csv")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("forward 2 1 0.1", r"^class +logit +probability\n─+\n1 +2 +0\.659001 ◂ +(█+)\S?\n2 .*█"),
        (
            f"forward {PETS}",
            r"^photo of a cat +cat 0\.659 +0\.659001 ◂ +0\.242433 +0\.0985659 .*\n.*dog .* ◂ ",
        ),
        ("forward --log 40 0", r"^class .*  log probability\n─+\n.*\n2 .* -40\.0000 "),
        ("jacobian 1 2 3", r"^ +dz_1 +dz_2 +dz_3 +row sum +z +y$"),
        (
            "jacobian 1 2 3",
            r"^dy_1 +0\.0819251 +-0\.0220330 +-0\.0598920 +(0|-?\d\.\de-1\d) +1 +0\.09",
        ),
    ],
)
def test_a_table_shows_names_numbers_bars_and_marks(line: str, shown: str) -> None:
    assert re.search(shown, run(*line.split()).stdout, re.MULTILINE)


def test_the_jacobian_is_a_heatmap_whose_diagonal_stands_out_in_a_terminal_only() -> None:
    shown = run_in_terminal("jacobian", "1", "2", "3", env={"COLORTERM": "truecolor"}).stdout
    assert re.search(r"\x1b\[1;[0-9;]*48;2;230;97;1m *0\.222695\x1b", shown)
    assert re.search(r"\x1b\[[0-9;]*48;2;\d+;\d+;\d+m *-0\.0220330\x1b", shown)
    assert not re.search(r"\x1b\[1;[0-9;]*m *-0\.0220330", shown)
    assert re.search(r"48;5;\d+m *0\.222695", run_in_terminal("jacobian", "1", "2", "3").stdout)


TRUTHS = [
    ("forward 40 0 1", r"^1 +40 +1 - 1\.58e-17 "),
    ("forward 40 0 1 -p 17", r"^1 +40 +1 - 1\.5796\d{12}e-17 "),
    ("forward 20 0 -p 1", r"^1 +20 +1 - 2e-09 "),
    ("forward 800 0", r"^1 +800 +1 - 3\.67e-348 "), ("forward 800 0", r"^2 +0 +3\.66787e-348$"),
    ("forward 800 -inf", r"^1 +800 +1 "), ("forward 800 -inf", r"^2 +-inf +0$"),
    ("forward 740 0 --log", r"^1 +740 +1 - 4\.19e-322 ◂ +-4\.18874e-322 "),
    ("forward 800 0 --log", r"^1 +800 +1 - 3\.67e-348 ◂ +-3\.66787e-348 "),
    ("forward 1e308 -1e308 -inf --log", r"^1 +1e\+308 +>1 - 1e-999999999 ◂ +>-1e-999999999 "),
    ("forward 1e308 -1e308 -inf --log", r"^2 +-1e\+308 +<1e-999999999 +-2\.00000e\+308$"),
    ("forward 1e308 -1e308 -inf --log", r"^3 +-inf +0 +-inf$"),
    ("forward 1e308 -1e308 --log -f latex", r"& -2\.00000 .times 10\^\{308\} "),
    ("forward 800,0 900,0", r"; most probable: 1 \(2 samples\)$"),
    ("forward 1 3 3 2 -t 0 -p 3", r"^1 +1 +0\n2 +3 +0\.500 "),
    ("forward 1 3 3 2 -t 0 --log", r"^3 +3 +0\.500000 +-0\.693147 .*\n4 +2 +0 +-inf$"),
    ("jacobian 5 -inf", r"^dy_1 +0 +0 +0 +5 +1$"),
    ("jacobian 1e308 -1e308", r"^dy_1 +<1e-999999999 +>-1e-999999999 "),
    ("forward 740 0", r"^2 +0 +4\.18874e-322 "),
    ("jacobian 40 0 1", r"^dy_1 +1\.57966e-17 +-4\.24835e-18 +-1\.15482e-17 "),
    ("jacobian 40 0 1", r"^dy_1.* 1 - 1\.58e-17$"),
    ("jacobian 40 0 1 --entry 1,1", r"^1 +1\.57966e-17$"),
    ("jacobian 800,0,1 0,0,0 --vjp 1,2,3", r"^2 +-0\.333333 +0 +0\.333333$"),
    ("jacobian 800 0 1 --vjp 2,2,2", r"^2 +0 +3\.66787e-348 +2 +0$"),
    ("jacobian 800 0 -inf --vjp 1,2,3", r"^3 +-inf +0 +3 +0$"),
    ("jacobian 1 1 -t 1e-307 --vjp 1e5,0", r"^1 .* 2\.50000e\+311$"),
    ("jacobian 1 1 -t 1e-307 --vjp 1e5,0", r"^2 .* -2\.50000e\+311$"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "truth"), TRUTHS, ids=str)
def test_a_table_never_lies(words: str, truth: str) -> None:
    assert re.search(truth, run(*words.split()).stdout, re.MULTILINE)


BITS = 4000  # so that 1 - y has digits at all sizes
OF_ALL_SIZES = ["2,1,0.1", "40,0,1", "800,0,1", "-745,-700,0.5", "400,0,-400", "5,5,5"]
COMMANDS = (["forward"], ["forward", "--log"], ["jacobian"], ["jacobian", "--vjp", "1.5,-2,0.25"])


@pytest.mark.parametrize(("T", "precision"), [(1.0, 1), (1.0, 15), (0.37, 6)])
def test_every_number_shown_is_the_exact_one_rounded(T: float, precision: int) -> None:
    options = ["-t", str(T), "-p", str(precision), "-f", "markdown"]
    shown = [numbers(run(*command, *OF_ALL_SIZES, *options).stdout) for command in COMMANDS]
    exact: list[list[mpf]] = [[], [], [], []]
    with mpmath.workprec(BITS):
        for word in OF_ALL_SIZES:
            right = oracle.Oracle([float(each) for each in word.split(",")], T)
            exact[0] += right.softmax().tolist()
            exact[1] += right.log_softmax().tolist()
            exact[2] += right.jacobian().reshape(-1).tolist()
            exact[3] += right.vjp([1.5, -2.0, 0.25])[0].tolist()
    for texts, values in zip(shown, exact, strict=True):
        for text, value in zip(texts, values, strict=True):
            assert is_rounded(text, value, precision), text


def numbers(markdown: str) -> list[str]:
    """Return the cells that are not names, of all tables."""
    rows = re.findall(r"^\| (?:dy\S+|\d+) \| (.*) \|$", markdown, re.MULTILINE)
    return [cell for row in rows for cell in row.split(" | ")]


def is_rounded(text: str, exact: mpf, precision: int) -> bool:
    """Tell whether a number is shown to so many digits, but for half a unit and float64's own."""
    with mpmath.workprec(BITS):
        if text.startswith("1 - "):
            text, exact = text[4:], 1 - exact
            precision = precision if precision > 6 else min(precision, 3)
        if exact == 0 or float(text) == float(exact) == 1:
            return text in ("0", "1.00000")
        unit = mpf(10) ** (mpmath.floor(mpmath.log10(abs(exact))) + 1 - precision)
        return bool(abs(mpf(text) - exact) <= unit * mpf("0.5001") + abs(exact) * mpf("3e-15"))


def test_a_written_check_has_the_precision_of_its_table(tmp_path: Path) -> None:
    def cells(*words: str) -> list[list[str]]:
        forms = ("markdown", "latex")
        lines, latex = (run("check", *words, "-f", x, cwd=tmp_path).stdout for x in forms)
        table = [line for line in lines.splitlines() if line.startswith("| ")]
        rows = [re.sub(r"^[|] | [|]$", "", line).split(" | ") for line in table]
        for row in rows[2:]:
            assert all(latex_number(cell) in latex for cell in row if re.match(r"-?\d", cell))
        return rows

    number = {6: r"-?(0|\d\.\d{5}e-\d\d|0\.0*[1-9]\d{5})", 2: r"-?(0|\d\.\de-\d\d|0\.0*[1-9]\d)"}
    for precision, digits in number.items():
        row = cells("1", "2", "3", "-p", str(precision))[2]
        assert all(re.fullmatch(digits, row[k]) for k in (2, 3)), row
    (tmp_path / "theirs.csv").write_text(".5,0\n")
    row = cells("20", "0", "--probabilities", "theirs.csv")[2]
    assert any(re.fullmatch(r"0\.99999999793884\d+", cell) for cell in row)
    steps = [row[0] for row in cells("--sweep", "1", "2", "-p", "2")]
    assert steps[2:6] == ["0.1", "0.03", "0.01", "0.003"]


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


def test_classes_beyond_the_width_are_left_out_of_the_middle_in_a_terminal_only() -> None:
    digits = str(SAMPLES / "digits_logits.json")
    shown = run_in_terminal("forward", digits, columns=60, env={"NO_COLOR": "1"}).stdout
    assert re.match(r"sample +top +y_0 .* …  .* y_9", shown)
    assert re.search(r"\d+ classes left out \(", shown)
    headings = ["sample", "top", *(f"y_{c}" for c in range(10)), "largest"]
    assert run("forward", digits, env={"COLUMNS": "60"}).stdout.split("\n")[0].split() == headings
    many = [str(k / 10) for k in range(40)]
    heading = run("jacobian", *many, env={"COLUMNS": "80"}).stdout.splitlines()[2]
    assert [f"dz_{k}" for k in range(1, 41)] == heading.split()[:40]


TEN = ["2", "1", "0.1", "-3", "0.5", "1.5", "-8", "0", "0.2", "3"]
LONG = "photo of a particular animal of the class {:03}"


def test_numbers_are_shortened_before_columns_are_left_out() -> None:
    env = {"NO_COLOR": "1"}
    shown = run_in_terminal("jacobian", *TEN, env=env).stdout
    assert re.search(r"^dy_10  -0\.09  -0\.03  -0\.01  -6e-4 .* 0\.250$", shown, re.MULTILINE)
    assert "shortened to fit" in shown
    signs = run_in_terminal("jacobian", *TEN, columns=32, env=env).stdout
    assert re.search(r"^dy_1 +\+( +-){9}$", signs, re.MULTILINE)
    assert "left out" not in shown + signs
    assert "shortened" not in run("jacobian", *TEN).stdout
    coloured = run_in_terminal("jacobian", *TEN, columns=32, env={"COLORTERM": "truecolor"}).stdout
    assert re.search(r"\x1b\[1;[0-9;]*48;2;\d+;\d+;\d+m *\+\x1b", coloured)


@pytest.mark.parametrize(("n_classes", "top", "columns"), [(5, 3, 80), (1000, 5, 80), (5, 1, 40)])
def test_the_columns_of_top_are_never_left_out(
    n_classes: int, top: int, columns: int, tmp_path: Path
) -> None:
    names = [LONG.format(k) for k in range(n_classes)]
    z = {"classes": names, "logits": [[k / 100 for k in range(n_classes)]] * 2}
    (tmp_path / "z.json").write_text(json.dumps(z))
    words = ["forward", str(tmp_path / "z.json"), "--top", str(top)]
    shown = run_in_terminal(*words, columns=columns, env={"NO_COLOR": "1"}).stdout
    assert shown.split()[: 1 + top] == ["sample", *(f"top{place}" for place in range(1, top + 1))]
    assert re.search(rf"^1 ( +ph.*?….*?\d [\d.e-]+){{{top}}}", shown, re.MULTILINE), shown
    plain = run_in_terminal(*words[:2], columns=columns, env={"NO_COLOR": "1"}).stdout
    assert re.search(r"^1 +ph.*….* [\d.]+ ", plain, re.MULTILINE), plain


def test_the_columns_that_a_check_is_about_are_there_at_80() -> None:
    words = ["check", PETS, "--probabilities", "softmax_cli:log_softmax", "--stress"]
    shown = run_in_terminal(*words, env={"NO_COLOR": "1"}).stdout
    assert re.search(r"(?m)^sample +worst entry +exact +yours +error +error/bound$", shown)


@pytest.mark.parametrize("columns", [20, 40, 80])
@pytest.mark.parametrize("words", [["forward"], ["jacobian"], ["check"], ["check", "--sweep"]])
def test_lines_fit_the_terminal(words: list[str], columns: int) -> None:
    shown = run_in_terminal(*words, IRIS, columns=columns, env={"NO_COLOR": "1"})
    assert shown.status == 0
    assert all(len(line) <= columns for line in shown.stdout.splitlines())


def test_long_names_stay_distinct_at_every_width(tmp_path: Path) -> None:
    names = [f"a rather long name {k} of a file.jpeg" for k in range(10, 19)]
    (path := tmp_path / "z.csv").write_text("name,cat,dog\n" + ",1,2\n".join([*names, ""]))
    for columns in (40, 60, 80):
        shown = run_in_terminal("forward", str(path), columns=columns).stdout
        assert all(name[19:21] in shown for name in names)
