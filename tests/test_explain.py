"""The derivation: what it shows is the algebra, and every equation in it is true."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import mpmath
import pytest

from tests.program import PETS, SAMPLES, refused, run
from tests.typeset import compiled, typeset

IN_ASCII = partial(exec, "import sys; sys.stdout.reconfigure(encoding='ascii')")


def equations(*words: str) -> list[list[str]]:
    """Return the sides of all equations, with all digits, in ASCII."""
    outcome = run("jacobian", *words, "--explain", "-p", "17", first=IN_ASCII)
    assert (outcome.status, bool(outcome.stderr)) == (0, words[:1] == ("5",))
    return [x.split(" = ") for x in re.findall(r"^ {6}(\S.*)$", outcome.stdout, re.MULTILINE)]


def is_value(side: str) -> bool:
    return re.fullmatch(r"-?[\d.]+(e[-+]\d+)?( [-+] [\d.]+e[-+]\d+)?", side) is not None


def test_it_walks_from_the_definition_by_the_quotient_rule_to_the_result() -> None:
    assert [sides for sides in equations("2", "1", "0.1") if not is_value(sides[-1])] == [
        ["y_j", "e^z_j / S"], ["S", "sum_c e^z_c"], ["f", "e^z_j"], ["g", "S", "sum_c e^z_c"],
        ["dy_j/dz_i", "(f' g - f g') / g^2"], ["f'", "e^z_j delta_ij"], ["g'", "e^z_i"],
        ["dy_j/dz_i", "(e^z_j delta_ij S - e^z_j * e^z_i) / S^2"],
        ["dy_j/dz_i", "e^z_j / S^2 * (delta_ij S - e^z_i)", "y_j / S * (delta_ij S - e^z_i)"],
        ["dy_j/dz_i", "y_j * (delta_ij - y_i)"], ["dy_j/dz_i", "y_j * (1 - y_j)"],
        ["dy_j/dz_i", "-y_j y_i"],
    ]  # fmt: skip


def evaluate(text: str, names: dict[str, Any]) -> Any:
    """Evaluate what is shown, by rules of its own: ^ is a power, a space between is a product."""
    text = re.sub(r"(?<=[\w)']) (?=[\w(])", "*", text).replace("^", "**")
    text = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?(?:e[-+]\d+)?)", r"mpf('\1')", text)
    return eval(text, {"mpf": mpmath.mpf, "e": mpmath.e, "inf": mpmath.mpf(10**6), **names})


CASES = [
    "2 1 0.1", "1 2 3 --entry 2,3", "1 2 3 --entry 3,3", "2 1 0.1 --temperature 0.5", "5", "0 0",
    "2 1 0.1 --temperature 3", "40 0 1", "1000 1001 1002", "-1000 -1001 -999", "0 -inf",
    "1000 1001 --temperature 7", "-inf 0 1", "1 2 3 4 5 6 7 8 9 10 11 12",
]  # fmt: skip


@pytest.mark.parametrize("line", CASES)
def test_every_equation_is_true(line: str) -> None:
    words, _, temperature = line.partition(" --temperature ")
    logits = [max(float(z), -(10.0**6)) for z in words.partition(" --")[0].split()]
    shown = equations(*line.split())
    with mpmath.workdps(60):
        T = mpmath.mpf(temperature or 1)
        is_shifted = any("- m" in side for sides in shown for side in sides)
        m = mpmath.mpf(max(logits) if is_shifted else 0)
        z = dict(enumerate(map(mpmath.mpf, logits), start=1))
        terms = {j: mpmath.exp((each - m) / T) for j, each in z.items()}
        S = sum(terms.values())
        names = {"T": T, "m": m, "S": S}
        names |= {f"z_{j}": each for j, each in z.items()}
        names |= {f"y_{j}": term / S for j, term in terms.items()}
        names |= {f"delta_{i}{j}": int(i == j) for i in z for j in z if max(i, j) < 10}
        checked = 0
        for _, *formulas, last in filter(lambda sides: is_value(sides[-1]), shown):
            value = evaluate(last, names)
            for formula in formulas:
                if "..." in formula or ("delta_" in formula and "," in formula):
                    continue
                found = evaluate(formula, names)
                assert abs(found - value) <= 2e-14 * abs(value) + mpmath.mpf("1e-320"), formula
                checked += 1
        assert checked >= 8


def test_the_numbers_are_the_ones_the_program_computes() -> None:
    jacobian = run("jacobian", "2", "1", "0.1", "-f", "json").json
    values = {left: last for left, *_, last in equations("2", "1", "0.1")}
    assert [float(values[f"y_{j}"]) for j in (1, 2, 3)] == jacobian["probabilities"][0]
    assert [float(values[f"dy_1/dz_{i}"]) for i in (1, 2)] == jacobian["jacobian"][0][0][:2]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("1000 1001", r"shifted by\s+the\s+largest logit m(?s:.*)y_j = e\^\(z_j - m\) / S"),
        ("0.54 511.1 -p 15", r"e\^\(0.54 - 511.1\) = 1.84760581090293e-222\n"),
        ("40 0 1", r"S = e\^\(z_1 - m\) \+ e\^\(z_2 - m\) \+ e\^\(z_3 - m\) = .* = 1 \+ 1\.58e-17"),
        ("2 1", r"^(?!.*shifted)(?s:.*)y_j = e\^z_j / S"),
        ("2 1 -t 2", r"e\^\(z_j / T\) δ_ij / T\n +g' = e\^\(z_i / T\) / T\n"),
        ("2 1 -t 2", r"y_j · \(δ_ij - y_i\) / T"),
        (
            "2 1 0.1 --entry 1,2",
            r"For j = 1, i = 2:(?s:(?!.*(For i = j|on the diagonal)).*)-y_1 y_2",
        ),
        (PETS, r"^photo of a cat\n\n1\. (?s:.*) y_cat = e\^z_cat / S"),
        (f"{PETS} --sample 2", r"^photo of a dog\n"),
        (f"{PETS} --sample blurred\N{NO-BREAK SPACE}photo", r"^blurred photo\n"),
        ("1000 -1000 5 --entry 1,2", r"g' = e\^\(z_2 - m\) = 2\.57654e-869\n"),
        (
            "1000 -1000 5 --entry 1,2",
            r" S = .* = 1 \+ 7\.53e-433\n(?s:.*)y_1 = .* = 1 - 7\.53e-433\n",
        ),
        ("1 -1e9 0 -t 3 --entry 1,2", r"g' = .* = 4\.99938e-144764828 / 3 = 1\.66646e-144764828"),
        ("0 -inf", r" y_1 = e\^z_1 / S = e\^0 / 1 = 1\n"),
    ],
)
def test_it_shows_shifts_temperatures_entries_names_and_numbers(line: str, shown: str) -> None:
    words = [word.replace("\N{NO-BREAK SPACE}", " ") for word in line.split(" ")]
    assert re.search(shown, run("jacobian", *words, "--explain").stdout)


@pytest.mark.parametrize("command", ["forward", "jacobian"])
def test_a_sample_is_picked_from_any_source(command: str) -> None:
    assert run(command, PETS, "--sample", "2", "-f", "json").json["samples"] == ["photo of a dog"]
    by_position = run(command, "1,2", "3,4", "5,7", "--sample", "3", "-f", "csv")
    assert by_position == run(command, "5,7", "-f", "csv")
    many = "".join(f"{k},0\n" for k in range(20_000))
    alone = run(command, "15000,0", "-f", "csv")
    assert run(command, "--sample", "15001", "-f", "csv", stdin=many) == alone


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["1,2", "3,4", "--sample", "3"], "--sample: expected a sample's name or a position"),
        (["1,2", "--sample", "x"], "--sample: expected a sample's name or a position from 1 to 1"),
        (["1", "2", "--explain", "-f", "csv"], "--explain: expected the format table, markdown"),
        (["1", "2", "--explain", "--vjp", "1,0"], "--explain: expected either --explain or --vjp"),
        (["1", "2", "--explain", "--entry", "3,1"], "--entry: expected a position from 1 to 2"),
    ],
)
def test_what_cannot_be_explained_is_refused(words: list[str], message: str) -> None:
    assert refused("jacobian", *words).startswith(f"error: {message}")


def test_a_name_that_stands_twice_is_ambiguous() -> None:
    outcome = run("forward", "--sample", "x", stdin="id,a,b\nx,1,2\ny,1,2\nx,3,4\n")
    assert outcome.stderr.startswith("error: --sample: 'x' names 2 samples, at positions 1, 3\n")


STRANGE = "name,a_b,x^2 & more,50% {of} #1\\~$,猫\nfirst_one,1,2,3,0.5\nsecond,1,1,1,1\n"


def test_the_mathematics_of_markdown_is_typeset_without_complaint() -> None:
    formulas = []
    for words, text, least in (
        (["2", "1", "0.1"], "", 25), (["--temperature", "2"], STRANGE, 25),
        (["40", "0", "1", "-p", "17"], "", 25), (["-inf", "0"], "", 20),
    ):  # fmt: skip
        outcome = run("jacobian", *words, "--explain", "-f", "markdown", stdin=text)
        assert outcome.status == 0
        assert "\n\n\n" not in outcome.stdout
        found = re.findall(r"(?<![\\$])\$(.+?)(?<!\\)\$(?!\$)", outcome.stdout)
        assert len(found) >= least, words
        formulas += found
    typeset(formulas)


FORTY = [str(k * 7 % 11 / 3) for k in range(40)]
LONG = json.dumps({
    "classes": [f"photo of a very particular cat {k}" for k in range(5)] + ["W%" * 30],
    "samples": ["one of many samples with a long name", "M" * 50],
    "logits": [[1, 2, 3, 0.5, -1e-3, -30]] * 2,
})  # fmt: skip
PAPERS: list[tuple[list[str], str]] = [
    (["forward", "5"], ""), (["forward", "--log", "40", "0", "-inf"], ""),
    (["forward", *FORTY, "-p", "17"], ""), (["forward", str(SAMPLES / "iris_logits.csv")], ""),
    (["jacobian", *FORTY[:11]], ""), (["jacobian", *FORTY[:12], "--log"], ""),
    (["jacobian", *FORTY], ""), (["jacobian", PETS], ""),
    (["jacobian", PETS, "--entry", "cat,dog"], ""),
    (["jacobian", "--vjp", "1,0,0,-1"], STRANGE), (["jacobian", "--explain"], STRANGE),
    (["jacobian", "40", "0", "1", "--explain", "-p", "12"], ""),
    (["jacobian", "1000", "1001", "-t", "7", "--explain", "--log"], ""),
    (["jacobian", *FORTY, "--explain"], ""), (["jacobian", "--explain"], LONG),
    (["forward"], LONG), (["jacobian"], LONG), (["check", "1", "2", "3"], ""),
    (["check"], LONG), (["check", "1", "2", "--sweep"], ""),
]  # fmt: skip


def test_latex_is_ready_to_paste_and_stays_on_its_page(tmp_path: Path) -> None:
    pieces = []
    for words, text in PAPERS:
        outcome = run(*words, "-f", "latex", stdin=text)
        assert (outcome.status, bool(outcome.stderr)) == (0, words[1:] == ["5"])
        pieces.append(outcome.stdout)
    shown = compiled(pieces, tmp_path).replace("\N{MINUS SIGN}", "~")
    for text in (
        "~0.159764", "photoofacat", "50%{of}#1", "&more", "[U+732B]", "×max(1,|z|)",
        "onlytheterm", "particularcat4",
    ):  # fmt: skip
        assert text in shown, text


def test_latex_shows_one_array_a_sample_with_names_beside_it() -> None:
    named = run("jacobian", "-f", "latex", "-p", "3", stdin="id,a_b,c\nx%,0,0\n").stdout
    assert named.splitlines() == [
        r"{\raggedright\noindent x\%\par}", r"\[\begin{array}{l|rr}",
        r" & \partial z_{\text{a\_b}} & \partial z_{\text{c}} \\ \hline \\[-2ex]",
        r"\partial y_{\text{a\_b}} & 0.250 & -0.250 \\",
        r"\partial y_{\text{c}} & -0.250 & 0.250 \\", r"\end{array}\]",
    ]  # fmt: skip
    two = run("jacobian", "0,0", "0,0", "-f", "latex").stdout
    assert [two.count(each) for each in ("begin{array}", "sample 2", "sample 1")] == [2, 1, 1]


def test_markdown_is_a_table_whatever_the_names_are() -> None:
    shown = run("forward", "-f", "markdown", stdin="name,a|b,*c*\n<b>x</b>,0,0\n").stdout
    assert shown.splitlines() == [
        r"| sample | y\_a\|b | y\_\*c\* |", "| --- | ---: | ---: |",
        r"| \<b\>x\</b\> | 0.500000 | 0.500000 |",
    ]  # fmt: skip
    shown = run("jacobian", "0", "0", "-f", "markdown", "-p", "2").stdout
    assert shown.splitlines() == [
        r"|  | dz\_1 | dz\_2 |", "| --- | ---: | ---: |", r"| dy\_1 | 0.25 | -0.25 |",
        r"| dy\_2 | -0.25 | 0.25 |",
    ]  # fmt: skip


def test_no_logits_make_a_warning() -> None:
    for words in (["1e308", "-1e308"], ["9e307", "-9e307", "0"], ["1.7e308", "1.7e308"]):
        outcome = run("jacobian", *words, "--explain")
        assert (outcome.status, outcome.stderr) == (0, "")
