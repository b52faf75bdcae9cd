"""The catalogue of mistakes: each is produced, recognised and not mistaken for another."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli import check_jacobian, check_probabilities, check_vjp
from softmax_cli.checking.mistakes import CATALOGUE
from softmax_cli.checking.verdict import Verdict
from tests import wrong
from tests.program import run
from tests.wrong import JACOBIANS, PROBABILITIES, PRODUCTS, Array, T, Z, logits_for, tolerances_for


def names(verdict: Verdict) -> list[str]:
    assert not verdict
    return [diagnosis.name for diagnosis in verdict.decisive.diagnoses]


def gradient(z: Array) -> Array:
    return np.random.default_rng(3).normal(0, 1, z.shape)


def stacked(values: Array) -> str:
    rows = values.reshape(-1, values.shape[-1]).tolist()
    return "".join(",".join(map(repr, row)) + "\n" for row in rows)


def test_every_row_has_its_case_here() -> None:
    assert {*CATALOGUE} == {*JACOBIANS, *PROBABILITIES, *PRODUCTS}


@pytest.mark.parametrize("name", CATALOGUE)
def test_every_mistake_is_recognised_by_the_program(tmp_path: Path, name: str) -> None:
    z = logits_for(name)
    (tmp_path / "z.csv").write_text(stacked(z))
    (tmp_path / "g.csv").write_text(stacked(gradient(z)))
    words = ["-f", "json"]
    if name in JACOBIANS:
        values, words = JACOBIANS[name](z), [*words, "--jacobian", "c.csv", "-t", str(T)]
    elif name in PROBABILITIES:
        values, words = PROBABILITIES[name](z), [*words, "--probabilities", "c.csv", "-t", str(T)]
    else:
        values = PRODUCTS[name](z, gradient(z))
        words += ["--vjp", "c.csv", "--upstream", "g.csv"]
    (tmp_path / "c.csv").write_text(stacked(values))
    for option, tolerance in tolerances_for(name).items():
        words += [f"--{option}", str(tolerance)]
    outcome = run("check", "z.csv", *words, cwd=tmp_path)
    assert (outcome.status, outcome.stderr) == (1, "")
    diagnosis = outcome.json["diagnosis"]
    assert diagnosis["name"] == name
    assert diagnosis["advice"].startswith(CATALOGUE[name].advice.partition("{")[0].rstrip("."))
    assert "{" not in diagnosis["advice"]
    assert "alternatives" not in diagnosis


@pytest.mark.parametrize("name", JACOBIANS)
def test_it_is_recognised_in_jacobians_and_in_products(name: str) -> None:
    z = logits_for(name)
    g = gradient(z)
    given: dict[str, Any] = {"temperature": T, **tolerances_for(name)}
    assert names(check_jacobian(JACOBIANS[name](z), z, **given)) == [name]
    exact = wrong.product(wrong.exact(z), g)
    v: Array = {
        "samples in another order": exact[::-1],
        "classes in another order": exact[:, ::-1],
        "classes sorted in each sample": np.take_along_axis(exact, np.argsort(-z, axis=1), axis=1),
        "float16 results": wrong.half(exact),
        "float32 results": wrong.single(exact),
        "rounded results": exact.round(7),
    }.get(name, wrong.product(JACOBIANS[name](z), g))
    assert names(check_vjp(v, z, g, **given)) == [name]


@pytest.mark.parametrize("name", PROBABILITIES)
def test_it_is_recognised_in_probabilities(name: str) -> None:
    z = logits_for(name)
    assert names(check_probabilities(PROBABILITIES[name](z), z, temperature=T)) == [name]


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("a constant factor", 0.7),
        ("divided by the batch size", 0.25),
        ("factor 1/T missing", T),
        ("factor 1/T squared", 1 / T),
    ],
)
def test_factors_are_reported(name: str, factor: float) -> None:
    verdict = check_jacobian(JACOBIANS[name](Z), Z, temperature=T)
    (diagnosis,) = verdict.decisive.diagnoses
    assert diagnosis.factor == pytest.approx(factor)
    assert name != "a constant factor" or "0.7 times" in str(verdict)


def test_one_number_is_no_evidence_of_a_factor() -> None:
    assert names(check_probabilities([0.75], [3.0])) == []
    assert names(check_probabilities([0.0, 1.5], [-900.0, 0.0])) == []
    assert names(check_probabilities([0.75, 0.75], [0.0, 0.0])) == ["a constant factor"]


def test_float32_suggests_tolerances_that_pass() -> None:
    z = logits_for("")
    J = JACOBIANS["float32 results"](z)
    verdict = check_jacobian(J, z, temperature=T)
    (diagnosis,) = verdict.decisive.diagnoses
    allowance: dict[str, Any] = {**diagnosis.allowance}
    assert 1e-9 < allowance["atol"] < 1e-5
    assert check_jacobian(J, z, temperature=T, **allowance)
    # In the words of Python, in which it is asked.
    assert str(verdict).endswith(f"check with atol={allowance['atol']:.6g}, rtol=1e-05.")
    assert "--" not in str(verdict)


@pytest.mark.parametrize("z", [Z, Z[:1]], ids=["batch", "sample"])
def test_it_is_recognised_in_a_product_as_it_is_written(z: Array) -> None:
    y, g = wrong.softmax(z), gradient(z)
    for name, v in (
        ("sign of the outer product", y * (g + (g * y).sum(-1, keepdims=True))),
        ("a factor y is missing", y * (g - g.sum(-1, keepdims=True))),
        ("a factor y is missing", y * g - (g * y).sum(-1, keepdims=True)),
        ("the upstream gradient is left out", y * (1 - y)),
        ("the upstream gradient is left out", y),
    ):
        assert names(check_vjp(v, z, g)) == [name]
    # With g = 1 nothing is left out by what leaves g out.
    left_out = names(check_vjp(y * (1 - y), z, np.ones(z.shape)))
    assert "the upstream gradient is left out" not in left_out


@pytest.mark.parametrize(("value", "count"), [("nan,0,0", 1), ("nan,nan,nan", 3)])
def test_nan_is_said_and_counted(value: str, count: int) -> None:
    shown = run("check", "1", "2", "3", "--vjp", value, "--upstream", "0,0,1").stdout
    assert "cause: NaN among the results\n" in shown
    assert f"NaN in {count} of 3 entries: look for" in shown


LOW = """
import numpy as np

def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

single = lambda z: softmax(z.astype(np.float32))
half = lambda z: softmax(z.astype(np.float16))
rounded = lambda z: softmax(z).round(6)
steps = lambda z: softmax(z) + z * (z != z.round()).any()
"""


@pytest.mark.parametrize("logits", ["1,2,3", "0,0", "100.3,99,98.7"])
@pytest.mark.parametrize("words", ["", "--method forward", "--method richardson"])
@pytest.mark.parametrize(
    ("function", "name"),
    [("single", "float32 results"), ("half", "float16 results"), ("rounded", "rounded results")],
)
def test_a_function_of_low_precision_passes_as_advised(
    tmp_path: Path, function: str, name: str, words: str, logits: str
) -> None:
    (tmp_path / "low.py").write_text(LOW)
    command = ["check", logits, logits, "--probabilities", f"low.py:{function}", *words.split()]
    first = run(*command, "-f", "json", cwd=tmp_path)
    if first.status == 0:  # richardson finds the step by itself
        assert "richardson" in words
        return
    diagnosis = first.json["diagnosis"]
    assert diagnosis["name"] == name
    options = diagnosis["advice"].partition("or check with ")[2].rstrip(".").split()
    assert run(*command, *options, cwd=tmp_path).status == 0


def test_a_function_whose_derivative_alone_is_wrong_is_not_of_low_precision(tmp_path: Path) -> None:
    (tmp_path / "low.py").write_text(LOW)
    words = ["check", "0", "0", "--probabilities", "low.py:steps", "-f", "json"]
    outcome = run(*words, cwd=tmp_path)
    assert (outcome.status, outcome.json["diagnosis"]) == (1, None)


def test_what_no_mistake_explains_stays_unexplained() -> None:
    one_entry = wrong.exact(Z)
    one_entry[2, 1, 0] += 0.25
    # One entry apart from a known mistake is another mistake.
    apart = JACOBIANS["only the diagonal"](Z)
    apart[0, 0, 1] = 0.125
    noise = np.random.default_rng(1).normal(0, 1e-9, one_entry.shape)
    for J in (one_entry, apart, wrong.exact(Z) + noise):
        assert names(check_jacobian(J, Z, temperature=T)) == []
    words = ["check", "1", "2", "3", "--vjp", "0.1,0.1,0.1", "--upstream", "1,0,0"]
    shown = run(*words)
    assert shown.status == 1
    assert f"cause: none of the {len(CATALOGUE)} known mistakes" in shown.stdout
    assert run(*words, "-f", "json").json["diagnosis"] is None


def test_where_mistakes_coincide_all_are_listed(tmp_path: Path) -> None:
    # At z = (0, 0) sigmoid and softmax are both one half.
    words = ["check", "0", "0", "--jacobian", "c.csv"]
    (tmp_path / "c.csv").write_text("0.25,0\n0,0.25\n")
    diagnosis = run(*words, "-f", "json", cwd=tmp_path).json["diagnosis"]
    assert [diagnosis["name"], *(each["name"] for each in diagnosis["alternatives"])] == [
        "only the diagonal",
        "sigmoid's derivative",
    ]
    shown = run(*words, cwd=tmp_path).stdout
    assert "2 known mistakes explain every entry here" in shown
    assert "- sigmoid's derivative\n" in shown


@pytest.mark.parametrize("rtol", [1e-9, 1e-14, 0.0])
@pytest.mark.parametrize("z", [
    [[40.0, 0.0, 1.0]], [[40.5, -0.25], [1.0, 2.0]], [[700.3, 0.0, 0.1]], [[0.0, 0.0]], [[3.0]],
], ids=str)  # fmt: skip
def test_what_is_no_mistake_there_is_never_named(z: list[list[float]], rtol: float) -> None:
    # Of one sample, at T = 1, or with g = 1 many a wrong formula is the right one: what fails where
    # nothing is allowed for is its rounding.
    y = wrong.softmax(np.array(z))
    exact = wrong.derivative(y)
    given: dict[str, Any] = {"atol": 0.0, "rtol": rtol}
    for J in (exact, wrong.diagonal(y) - wrong.outer(y, y)):
        verdict = check_jacobian(J, z, **given)
        assert verdict or names(verdict) in ([], ["cancellation in 1 - y"])
    for g in (np.ones(y.shape), gradient(y)):
        v = y * (g - (y * g).sum(axis=1, keepdims=True))
        verdict = check_vjp(v, z, g, **given)
        assert verdict or names(verdict) in ([], ["cancellation in 1 - y"])
    verdict = check_probabilities(y, z, **given)
    assert verdict or names(verdict) == []


@pytest.mark.parametrize("temperature", [1.0, 0.25, 3.0])
@pytest.mark.parametrize("shape", [(1, 2), (1, 5), (2, 2), (5, 2), (3, 10), (40, 7)])
def test_right_results_pass_in_any_form(shape: tuple[int, int], temperature: float) -> None:
    z = np.random.default_rng(12).normal(0, 5, shape)
    z[0, 0] = 700.0
    y = wrong.softmax(z / temperature)
    J = wrong.derivative(y) / temperature
    g = 1e3 * gradient(z)
    v = y * (g - (y * g).sum(axis=1, keepdims=True)) / temperature
    assert check_probabilities(y, z, temperature=temperature)
    assert check_jacobian(J, z, temperature=temperature)
    assert check_jacobian(J.reshape(-1, shape[1]), z, temperature=temperature)
    assert check_vjp(v, z, g, temperature=temperature)


def test_advice_begins_with_a_capital_letter_or_with_a_symbol_as_it_is() -> None:
    z, g = np.array([[0.5, -1.0, 2.0]]), np.array([[1.0, -0.5, 0.25]])
    products = {
        "Fill in -y_j y_i": wrong.product(T * JACOBIANS["only the diagonal"](T * z), g),
        "y - g belongs": PRODUCTS["gradient of cross-entropy"](z, g),
    }
    for advice, v in products.items():
        words = ["--vjp", stacked(v).strip(), "--upstream", stacked(g).strip()]
        assert f"\n{advice}" in run("check", stacked(z).strip(), *words).stdout
