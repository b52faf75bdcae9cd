"""The catalogue of mistakes: each is produced, recognised and not mistaken for another."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli import check_jacobian, check_probabilities, check_vjp, softmax, vjp
from softmax_cli.checking.candidate import as_rows
from softmax_cli.checking.check import check_results
from softmax_cli.checking.formulas import PRECISIONS, Kind, precision_of, printed_digits
from softmax_cli.checking.mistakes import CATALOGUE
from softmax_cli.checking.setting import Setting, positions
from softmax_cli.checking.verdict import Check, Verdict
from tests import wrong
from tests.program import ROOT, run
from tests.wrong import Array, T, Z

Results = Callable[[Array, Array], Array]


def names(verdict: Verdict) -> list[str]:
    assert not verdict
    return [diagnosis.name for diagnosis in verdict.decisive.diagnoses]


def gradient(z: Array) -> Array:
    return np.random.default_rng(3).normal(0, 1, z.shape).astype(z.dtype)


def stacked(values: Array) -> str:
    rows = values.reshape(-1, values.shape[-1]).tolist()
    return "".join(",".join(map(repr, row)) + "\n" for row in rows)


def with_digits(values: Array, digits: int = 6) -> Array:
    return np.array([float(f"{x:.{digits}g}") for x in values.ravel()]).reshape(values.shape)


def checked(
    kind: Kind, values: Array, z: Array, g: Array, *, printed: bool = False, **how: Any
) -> Check:
    """Check results as the command does, which knows whether they are text."""
    z = z.astype(float)
    classes = tuple(map(str, range(z.shape[1])))
    labels = tuple(positions(z.shape))
    names: dict[str, Any] = {"classes": classes, "labels": labels, "temperature": T}
    setting = Setting(z=z, g=g.astype(float), **names | how)
    rows = as_rows(values, z.shape, -1, kind, file=True)
    digits = printed_digits(values) if printed else (0, 0)
    return check_results(kind, rows, precision_of(values.dtype), setting, digits)


@dataclass(frozen=True, eq=False)
class Example:
    """Somebody's wrong results: a function of logits and upstream gradients, in their dtype."""

    name: str
    kind: Kind
    log: bool
    results: Results

    def __str__(self) -> str:
        return f"{self.name}, {'log ' if self.log else ''}{self.kind}"

    def compute(self, dtype: str = "float64") -> tuple[Array, Array, Array]:
        """Return logits, gradients and results."""
        z = wrong.logits_for(self.name, dtype)
        with np.errstate(all="ignore"):
            return z, gradient(z), self.results(z, gradient(z)).astype(dtype)


def of_logits(f: wrong.Logits) -> Results:
    return lambda z, g: f(z)


def of_matrix(name: str, log: bool, J: wrong.Logits) -> Iterator[Example]:
    yield Example(name, "jacobian", log, of_logits(J))
    if name != "one triangle":
        yield Example(name, "vjp", log, lambda z, g: wrong.product(J(z), g))


def derived(f: wrong.Logits) -> wrong.Logits:
    return lambda z: np.asarray(wrong.derivative(f(z)) / T)


def changed(results: Results, change: Results) -> Results:
    return lambda z, g: change(results(z, g), z.astype(float))


def right(kind: Kind, log: bool) -> Results:
    """Return the right results of a kind, in the dtype of the logits."""
    J = wrong.exact_of_log if log else wrong.exact
    match kind:
        case "probabilities":
            return lambda z, g: np.log(wrong.y(z)) if log else wrong.y(z)
        case "jacobian":
            return lambda z, g: J(z)
        case "vjp":
            return lambda z, g: wrong.product(J(z), g)


def examples() -> Iterator[Example]:
    """Produce every mistake in each kind of result."""
    for name, functions in (wrong.PROBABILITIES | wrong.PROBABILITIES_ALONE).items():
        for f in functions:
            yield Example(name, "probabilities", False, of_logits(f))
    for name, functions in wrong.LOGARITHMS.items():
        for f in functions:
            yield Example(name, "probabilities", True, of_logits(f))
    for name, functions in wrong.PROBABILITIES.items():
        for f in functions:
            yield from of_matrix(name, False, derived(f))
    for log, matrices in ((False, wrong.JACOBIANS), (True, wrong.JACOBIANS_OF_LOG)):
        for name, functions in matrices.items():
            for f in functions:
                yield from of_matrix(name, log, f)
    # Of the derivative along the samples, that of each sample's own logits.
    for name, f in wrong.BLOCKS.items():
        yield Example(name, "jacobian", False, of_logits(f))
    for log, products in ((False, wrong.PRODUCTS), (True, wrong.PRODUCTS_OF_LOG)):
        for name, both in products.items():
            for p in both:
                yield Example(name, "vjp", log, p)
    for name, changes in wrong.RESULTS.items():
        for change in changes:
            for log in (False, True):
                for kind in KINDS:
                    if (name, kind) != ("transposed batch", "jacobian"):
                        yield Example(name, kind, log, changed(right(kind, log), change))


KINDS: tuple[Kind, ...] = ("probabilities", "jacobian", "vjp")
EXAMPLES = list(examples())


def test_every_row_has_its_case_here_and_its_advice_in_the_reference() -> None:
    apart = {"cancellation in 1 - y", "the sum is in half precision"}
    assert {*CATALOGUE} == {each.name for each in EXAMPLES} | {*wrong.ROUNDED} | apart
    page = (ROOT / "softmax_cli" / "help" / "mistakes.md").read_text()
    functions = {"state between calls", "depends on more than the sample"}
    told = {*CATALOGUE, *functions, "samples depend on each other"}
    assert sorted(told) == sorted(re.findall(r"^- \*\*(.+?)\*\*: ", page, re.MULTILINE))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_mistake_is_named_and_no_other_in_any_precision(example: Example) -> None:
    double, single = example.compute(), example.compute("float32")
    for precision, (z, g, values) in {
        "float64": double,
        "float32": single,
        "float32 as float64": (*single[:2], single[2].astype(float)),
        "6 digits": (*double[:2], with_digits(double[2])),
    }.items():
        is_printed = precision == "6 digits"
        check = checked(example.kind, values, z, g, printed=is_printed, log=example.log)
        assert not check.passed, precision
        assert [each.name for each in check.diagnoses] == [example.name], precision
        assert "{" not in check.diagnoses[0].advice


@pytest.mark.parametrize("log", [False, True], ids=["softmax", "log-softmax"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", wrong.ROUNDED)
def test_too_few_digits_are_named_alone(name: str, kind: Kind, log: bool) -> None:
    g = gradient(Z)
    values = wrong.ROUNDED[name](right(kind, log)(Z, g)).astype(float)
    check = checked(kind, values, Z, g, log=log)
    assert [each.name for each in check.diagnoses] == [name]
    # What is suggested, if anything, lets them pass.
    options = dict(re.findall(r"`(\w+)=([^`]*)`", check.diagnoses[0].advice))
    assert not options or checked(kind, values, Z, g, log=log, **options).passed


def test_few_digits_are_no_cause_where_the_results_fail_in_their_own_format() -> None:
    z, g = np.array([[5.0, 0.0, 1.0]]), np.array([[0.2, 1.0, 0.5]])
    y = softmax(z).astype(np.float16)
    values = y * (g - (y * g)[:, :2].sum(1)).astype(np.float16)  # the sum ends a class early
    assert not checked("vjp", values.astype(float), z, g).diagnoses


@pytest.mark.parametrize("log", [False, True], ids=["softmax", "log-softmax"])
def test_cancellation_is_named_where_nothing_is_allowed_for_it(log: bool) -> None:
    z = wrong.SATURATED
    g = gradient(z)
    kinds: tuple[Kind, ...] = ("jacobian",) if log else ("jacobian", "vjp")
    for kind in kinds:
        check = checked(kind, right(kind, log)(z, g), z, g, log=log, atol=0.0)
        assert [each.name for each in check.diagnoses] == ["cancellation in 1 - y"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_in_half_precision_are_named(dtype: str) -> None:
    to_half = PRECISIONS[dtype].round
    z = to_half(np.random.default_rng(5).normal(0, 1, (3, 3000)))
    g = to_half(np.random.default_rng(6).uniform(0.5, 1.5, z.shape))

    def total(terms: Array) -> Array:
        """Sum one after the other, as a loop over an array of this format does."""
        sums = np.zeros(len(terms))
        for column in terms.T:
            sums = to_half(sums + column)
        return np.asarray(sums[:, None])

    e = to_half(np.exp(z - z.max(axis=1, keepdims=True)))
    y = wrong.softmax(z)
    v = to_half(y * (g - total(to_half(y * g))))
    cases: dict[Kind, Array] = {"probabilities": to_half(e / total(e)), "vjp": v}
    for kind, values in cases.items():
        check = checked(kind, values, z, g, temperature=1.0, dtype=dtype)
        assert [each.name for each in check.diagnoses] == ["the sum is in half precision"]


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("a constant factor", 0.7), ("divided by the batch size", 0.25),
        ("factor 1/T missing", T), ("factor 1/T squared", 1 / T),
    ],
)  # fmt: skip
def test_factors_are_reported(name: str, factor: float) -> None:
    verdict = check_jacobian(factor * wrong.exact(Z), Z, temperature=T)
    (diagnosis,) = verdict.decisive.diagnoses
    assert diagnosis.name == name
    assert dict(diagnosis.numbers)["factor"] == pytest.approx(factor)
    assert name != "a constant factor" or "0.7 times" in str(verdict)


@pytest.mark.parametrize(
    ("name", "number", "function"),
    [
        ("another temperature", 50.0, lambda z: wrong.softmax(z / 50)),
        ("another temperature", 1 / 3, lambda z: wrong.softmax(3 * z)),
        ("a number is added below", 1.0, lambda z: wrong.below(np.exp(z), 1.0)),
        ("a number is added below", 1e-5, lambda z: wrong.below(np.exp(z), 1e-5)),
        ("eps is added", 1e-8, lambda z: wrong.softmax(z) + 1e-8),
        ("clipped probabilities", 1e-2, lambda z: np.clip(wrong.softmax(z), 0.01, 0.99)),
        ("smoothed probabilities", 0.1, lambda z: 0.9 * wrong.softmax(z) + 0.1 / z.shape[1]),
    ],
)
def test_the_number_of_a_mistake_is_given(name: str, number: float, function: wrong.Logits) -> None:
    z = np.random.default_rng(7).normal(0, 3, (4, 5))
    for values in (function(z), with_digits(function(z), 9)):
        verdict = check_probabilities(values, z)
        assert names(verdict) == [name]
        assert f"{number:g}" in verdict.decisive.diagnoses[0].advice
    for told in re.findall("give temperature=(.+?),", str(verdict)):
        assert check_probabilities(function(z), z, temperature=float(told))


def test_one_number_is_no_evidence_of_a_factor() -> None:
    assert names(check_probabilities([0.75], [3.0])) == []
    assert names(check_probabilities([0.0, 1.5], [-900.0, 0.0])) == []
    assert names(check_probabilities([0.75, 0.75], [0.0, 0.0])) == ["a constant factor"]


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


def test_what_no_mistake_explains_stays_unexplained() -> None:
    one_entry = wrong.exact(Z)
    one_entry[2, 1, 0] += 0.25
    # One entry apart from a known mistake is another mistake.
    apart = wrong.diagonal(wrong.y(Z) * (1 - wrong.y(Z))) / T
    apart[0, 0, 1] = 0.125
    noise = np.random.default_rng(1).normal(0, 1e-9, one_entry.shape)
    for J in (one_entry, apart, wrong.exact(Z) + noise):
        assert names(check_jacobian(J, Z, temperature=T)) == []
    assert names(check_vjp([0.1, 0.1, 0.1], [1, 2, 3], [1, 0, 0])) == []
    masked = np.array([[1, -np.inf, 3, 0], [0, 5, -np.inf, -np.inf], [2, 2, 1, -1]])
    rows = (np.eye(4) - wrong.softmax(masked)[:, None, :]) * (masked > -np.inf)[:, :, None]
    assert names(check_jacobian(rows, masked, log=True)) == []
    least = wrong.softmax(Z)  # where it alone is too large, it may be clipped, or just wrong
    least.flat[least.argmin()] *= 1.1234
    assert names(check_probabilities(least, Z)) == []


def test_results_of_almost_nothing_are_no_row_sums() -> None:
    z, g = np.array([[60.0, 12, -14], [44, -30, 3]]), gradient(Z)[:2]  # without T it saturates
    for v in (vjp(z, g), vjp(z, g) / 8):
        assert "temperature left out" in names(check_vjp(v, z, g, temperature=8.0))
    sums = check_vjp(wrong.exact(Z).sum(axis=1), Z, 1e-3 * gradient(Z), temperature=T)
    assert names(sums) == ["row sums of the Jacobian"]
    assert "row sums of the Jacobian" not in names(check_vjp(1e-25 * g, Z[:2], g))


@pytest.mark.parametrize("rtol", [1e-9, 1e-14, 0.0])
@pytest.mark.parametrize("z", [
    [[40.0, 0.0, 1.0]], [[40.5, -0.25], [1.0, 2.0]], [[700.3, 0.0, 0.1]], [[0.0, 0.0]], [[3.0]],
], ids=str)  # fmt: skip
def test_what_is_no_mistake_there_is_never_named(z: list[list[float]], rtol: float) -> None:
    # Of one sample, at T = 1, or with g = 1 many a wrong formula is the right one: what fails where
    # nothing is allowed for is its rounding.
    y = wrong.softmax(np.array(z))
    given: dict[str, Any] = {"atol": 0.0, "rtol": rtol}
    for J in (wrong.derivative(y), wrong.diagonal(y) - wrong.outer(y, y)):
        verdict = check_jacobian(J, z, **given)
        assert verdict or names(verdict) in ([], ["cancellation in 1 - y"])
    for g in (np.ones(y.shape), gradient(y)):
        verdict = check_vjp(y * (g - (y * g).sum(axis=1, keepdims=True)), z, g, **given)
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


@pytest.mark.parametrize("example", EXAMPLES[::23], ids=str)
def test_a_mistake_is_recognised_by_the_program(tmp_path: Path, example: Example) -> None:
    z, g, values = example.compute()
    (tmp_path / "z.csv").write_text(stacked(z))
    (tmp_path / "g.csv").write_text(stacked(g))
    (tmp_path / "c.csv").write_text(stacked(values))
    words = [f"--{example.kind}", "c.csv", "-t", str(T), *(["--log"] if example.log else [])]
    words += ["--upstream", "g.csv"] if example.kind == "vjp" else []
    outcome = run("check", "z.csv", *words, "-f", "json", cwd=tmp_path)
    assert (outcome.status, outcome.stderr) == (1, "")
    diagnosis = outcome.json["diagnosis"]
    assert diagnosis["name"] == example.name
    assert not {*"{}<>`"} & {*diagnosis["advice"]}
    assert "alternatives" not in diagnosis


@pytest.mark.parametrize(("value", "count"), [("nan,0,0", 1), ("nan,nan,nan", 3)])
def test_nan_is_said_and_counted(value: str, count: int) -> None:
    shown = run("check", "1", "2", "3", "--vjp", value, "--upstream", "0,0,1").stdout
    assert "cause: NaN among the results\n" in shown
    assert f"NaN in {count} of 3 entries: look for" in shown


def test_that_no_mistake_explains_it_is_said() -> None:
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
        "sigmoid in place of softmax",
    ]
    shown = run(*words, cwd=tmp_path).stdout
    assert "2 known mistakes explain every entry here" in shown
    assert "- sigmoid in place of softmax\n" in shown


def test_advice_begins_with_a_capital_letter_or_with_a_symbol_as_it_is() -> None:
    z, g = np.array([[0.5, -1.0, 2.0]]), np.array([[1.0, -0.5, 0.25]])
    products = {
        "Fill in what": wrong.softmax(z) * (1 - wrong.softmax(z)) * g,
        "y - t, not": wrong.softmax(z) - g,
    }
    for advice, v in products.items():
        words = ["--vjp", stacked(v).strip(), "--upstream", stacked(g).strip()]
        assert f"\n{advice}" in run("check", stacked(z).strip(), *words).stdout


def raw(z: Array) -> Array:
    """Return softmax in float32, without the shift."""
    e: Array = np.exp(z.astype(np.float32))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def masked_late(z: Array) -> Array:
    return np.asarray(wrong.softmax(np.where(z == -np.inf, 0, z)) * (z > -np.inf))


def test_small_inputs_get_their_cause() -> None:
    z = np.array([[1.0, 2.0, 1.5]])
    y = wrong.softmax(z)
    J = np.array([[float(f"{x:.4f}") for x in row] for row in np.diag((y * (1 - y))[0])])
    check = checked("jacobian", J, z, z, printed=True, temperature=1.0)
    assert [each.name for each in check.diagnoses] == ["only the diagonal"]
    z = np.array([[2.0, 1.0, 0.1], [0.3, -1.7, 2.2]])
    g = np.array([1.0, 0.0, -0.5])

    def v(z: Array, g: Array) -> Array:
        y = wrong.softmax(z.astype(np.float32))
        return np.asarray(g.astype(np.float32) * y * (1 - y))

    assert names(check_vjp(v, z, g)) == ["only the diagonal"]
    with np.errstate(all="ignore"):
        unshifted = check_probabilities(raw, [90.0, 2.0, -2.0])
    assert names(unshifted) == ["overflow: the maximum is not subtracted"]
    # They are the same where each sample has one sum.
    below = ["a number is added below", "masked after softmax", "a constant factor"]
    assert names(check_probabilities(masked_late, [1.0, 0.5, -np.inf, -0.3])) == below
    dropped = check_probabilities(lambda z: 0.9 * wrong.softmax(z), [[1.0, 2, 3], [3.0, 1, 2]])
    assert names(dropped) == below[::2]
    masks = np.array([[1, 2, -np.inf, 0.1], [0.5, -1, -np.inf, 0.4]])
    assert names(check_probabilities(lambda z: wrong.below(np.exp(z), 1e-6), masks)) == below[:2]
    along = names(check_jacobian(np.eye(3) - 1, [1.0, 2.0, 4.0], log=True))
    assert along == ["a factor y is missing", "softmax along the wrong axis"]
    assert names(check_vjp([[1e-7, -3e-7, 2e-7], [5e-7, 1e-8, -4e-7]], z, [1.0, 2.0, -4.0])) == []
    # Far from 0, exp(z - logsumexp(z)) has only the digits that z has.
    far, top = np.array([1e8, 1e8 + 1, 1e8 + 3]), 1e8 + 3
    rounded = check_probabilities(lambda z: np.exp(z - (top + np.log(np.exp(z - top).sum()))), far)
    assert names(rounded) == ["rounding of large logits"]
    # What a derivative looks like where the values are wrong is no mistake of its own.
    for logits in ([60.0, 0.0, 3.0], [[60.0, 0.0, 3.0], [1.0, 2.0, 3.0]]):
        added = check_probabilities(lambda z: np.log(wrong.softmax(z) + 1e-12), logits, log=True)
        assert not any(each.diagnoses for each in added.checks)


RIGHT: dict[str, Callable[[Array], Array]] = {
    "shifted": wrong.softmax,
    "naive": wrong.naive,
    "log-sum-exp": lambda z: np.exp(
        z - ((m := z.max(-1, keepdims=True)) + np.log(np.exp(z - m).sum(-1, keepdims=True)))
    ),
    "sum of ratios": lambda z: 1 / np.exp(z[..., None, :] - z[..., :, None]).sum(axis=-1),
    "einsum": lambda z: np.einsum("kj,k->kj", np.exp(z), 1 / np.einsum("kj->k", np.exp(z))),
}


@pytest.mark.parametrize("temperature", [1.0, 0.5, 3.0])
@pytest.mark.parametrize("name", RIGHT)
def test_right_results_of_any_precision_pass_or_are_coarse(name: str, temperature: float) -> None:
    draw = np.random.default_rng(9)
    for z in (draw.normal(0, 2, (4, 3)), draw.normal(0, 2, (1, 90)), draw.normal(0, 8, (5, 7))):
        g = gradient(z)
        for dtype in ("float64", "float32"):
            y = RIGHT[name](z.astype(dtype) / np.dtype(dtype).type(temperature))
            J = wrong.derivative(y) / np.dtype(dtype).type(temperature)
            p, h = y * g.astype(dtype), g.astype(dtype)
            kinds: dict[Kind, list[Array]] = {"probabilities": [y], "jacobian": [J]}
            kinds["vjp"] = [
                each / np.dtype(dtype).type(temperature)
                for each in (p - y * p.sum(-1, keepdims=True), y * (h - p.sum(-1, keepdims=True)))
            ] + [wrong.product(J, h)]
            for kind, results in kinds.items():
                for values in results:
                    assert values.dtype == dtype
                    assert checked(kind, values, z, g, temperature=temperature).passed
                    check = checked(kind, values.astype(float), z, g, temperature=temperature)
                    assert check.passed == (dtype == "float64")
                    expected = [] if check.passed else ["float32 results"]
                    assert [each.name for each in check.diagnoses] == expected


SHAPES: dict[str, Callable[[Array], Array]] = {
    "only the diagonal": lambda z: wrong.softmax(z) * (1 - wrong.softmax(z)),
    "row sums of the Jacobian": lambda z: wrong.derivative(wrong.softmax(z)).sum(axis=1),
    "summed over the batch": lambda z: wrong.derivative(wrong.softmax(z)).sum(axis=0),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", SHAPES)
def test_right_numbers_in_a_wrong_shape_are_named(name: str, dtype: str) -> None:
    verdict = check_jacobian(lambda z: SHAPES[name](z).astype(dtype), Z)
    assert names(verdict) == [name]
    assert "{" not in str(verdict)
