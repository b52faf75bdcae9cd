"""The check command and the mathematics below it."""

import numpy as np
import pytest

from softmax_cli.checking.verdict import SampleCheck, compare
from softmax_cli.mathematics import core, finite_difference
from tests.program import SAMPLES, run

METHODS = ["central", "forward", "complex-step", "richardson"]
INPUTS = sorted(path.name for path in SAMPLES.iterdir() if path.suffix in (".csv", ".json"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", INPUTS)
def test_the_exact_jacobian_passes_on_every_sample_input(name: str, method: str) -> None:
    outcome = run("check", str(SAMPLES / name), "--method", method)
    assert outcome.status == 0, outcome.stdout
    assert outcome.stdout.startswith("PASS")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("temperature", ["1e-3", "0.1", "3", "1e6"])
def test_it_passes_at_every_temperature(temperature: str, method: str) -> None:
    words = ["check", "1,2,3", "-4,0.5,1e3", "-t", temperature, "--method", method]
    assert run(*words).status == 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("offset", ["1e3", "1e6", "1e9"])
def test_it_passes_far_from_zero(offset: str, method: str) -> None:
    logits = [str(float(offset) + k) for k in range(3)]
    assert run("check", *logits, "--method", method).status == 0


def test_a_step_too_coarse_fails_with_the_worst_entry() -> None:
    outcome = run("check", "1", "2", "3", "--step", "1", "-f", "json")
    assert outcome.status == 1
    report = outcome.json
    assert (report["passed"], report["checked"], report["failed"]) == (False, 1, 1)
    assert report["step"] == 1.0
    worst = report["samples"][0]["worst"]
    entry = np.array([[int(worst["output"]), int(worst["input"])]]) - 1
    expected = core.jacobian([1.0, 2.0, 3.0])
    actual = finite_difference.jacobian([[1.0, 2.0, 3.0]], step=1.0)[0]
    excess = np.abs(actual - expected) / (report["atol"] + report["rtol"] * np.abs(expected))
    assert tuple(entry[0]) == np.unravel_index(excess.argmax(), excess.shape)
    assert worst["expected"] == expected[tuple(entry[0])]
    assert worst["actual"] == actual[tuple(entry[0])]
    assert report["samples"][0]["max_abs_error"] == np.abs(actual - expected).max()

    shown = run("check", "1", "2", "3", "--step", "1")
    assert shown.status == 1
    assert shown.stdout.startswith("FAIL")


def test_the_json_report_has_the_contracted_members() -> None:
    report = run("check", "1,2", "3,4", "-f", "json").json
    assert list(report) == [
        "command", "passed", "checked", "failed", "method", "step", "atol", "rtol",
        "samples", "diagnosis",
    ]  # fmt: skip
    assert report["step"] == pytest.approx(6.05e-06, rel=1e-3)
    assert (report["atol"], report["rtol"], report["diagnosis"]) == (1e-08, 1e-05, None)
    assert list(report["samples"][0]) == [
        "sample", "passed", "max_abs_error", "max_rel_error", "worst",
    ]  # fmt: skip


def test_csv_has_a_row_a_sample() -> None:
    lines = run("check", str(SAMPLES / "pets.csv"), "-f", "csv").stdout.splitlines()
    assert lines[0].startswith("sample,passed,max_abs_error,max_rel_error")
    assert [line.split(",")[:2] for line in lines[1:]] == [
        ["photo of a cat", "true"],
        ["photo of a dog", "true"],
        ["blurred photo", "true"],
    ]


def test_tolerances_decide() -> None:
    assert run("check", "1", "2", "--atol", "0", "--rtol", "0").status == 1
    assert run("check", "1", "2", "--step", "1", "--atol", "1").status == 0
    assert run("check", "1", "2", "--step", "1", "--atol", "0", "--rtol", "1").status == 0
    assert "atol 0.25" in run("check", "1", "2", "--atol", "0.25").stdout


def test_failed_samples_are_the_evidence() -> None:
    # A step of 0.1 is too coarse for the curved sample and harmless for the saturated one.
    shown = run("check", "1,2,3", "900,0,0", "--step", "0.1", "--atol", "1e-12").stdout
    assert "in 1 of 2 samples" in shown
    rows = [line for line in shown.splitlines() if "/dz_" in line]
    assert len(rows) == 1
    assert rows[0].split()[0] == "1"


def _compared(expected: list[list[float]], actual: object, atol: float, rtol: float) -> SampleCheck:
    (found,) = compare(np.array([expected]), np.array([actual]), atol, rtol).samples
    return found


def test_an_entry_passes_up_to_its_bound_and_nan_fails() -> None:
    expected = [[1.0, -2.0], [0.0, 4.0]]
    result = _compared(expected, [[1.5, -1.25], [0.25, 5.25]], atol=0.25, rtol=0.25)
    assert (result.passed, result.failed, result.entries) == (True, 0, 4)
    assert result.max_abs_error == 1.25
    result = _compared(expected, [[1.5, -1.0], [0.25, 5.25]], atol=0.25, rtol=0.25)
    assert (result.failed, result.worst.output, result.worst.input) == (1, 0, 1)
    result = _compared(expected, [[1.0, -2.0], [0.0, np.nan]], atol=9.0, rtol=9.0)
    assert (result.failed, result.worst.output, result.worst.input) == (1, 1, 1)
    assert result.max_abs_error == np.inf


@pytest.mark.parametrize(
    ("method", "error"),
    [("central", 1e-9), ("forward", 1e-6), ("complex-step", 1e-14), ("richardson", 2e-12)],
)
def test_every_method_is_as_accurate_as_it_says(method: str, error: float) -> None:
    z = np.random.default_rng(20).normal(0, 3, (20, 7))
    z[3, 2] = -np.inf
    numeric = finite_difference.jacobian(z, method)
    assert np.abs(numeric - core.jacobian(z)).max() < error
    assert (numeric[3, 2] == 0).all()
    assert (numeric[3, :, 2] == 0).all()


def test_steps_are_the_ones_that_were_taken() -> None:
    # f(z) = z has the slope 1 exactly when the division is by the step really taken.
    z = np.array([[1e6 / 3, 0.1, -7e3 / 9]])
    for method in ("central", "forward", "richardson"):
        numeric = finite_difference.jacobian(z, method, function=lambda x: x)
        assert (numeric == np.eye(3)).all()


def test_any_function_of_logits_can_be_differentiated() -> None:
    z = np.array([[0.5, -1.0, 2.0]])
    for method in METHODS:
        numeric = finite_difference.jacobian(z, method, function=lambda x: x**3)
        assert numeric[0] == pytest.approx(np.diag(3 * z[0] ** 2), abs=1e-5)


def test_logits_too_far_from_zero_are_refused_and_not_failed() -> None:
    for logits in (["1e17", "1e17"], ["1.7e308", "1.7e308"]):
        outcome = run("check", *logits)
        assert (outcome.status, outcome.stdout) == (2, "")
        assert outcome.stderr.startswith("error: sample 1: expected logits nearer to 0 for central")
        assert "hint: use --method complex-step" in outcome.stderr
        assert run("check", *logits, "--method", "complex-step").status == 0


def test_no_step_makes_a_warning_or_a_false_pass() -> None:
    for words in (
        ["1", "2", "3", "--step", "1e-16"],
        ["1e308", "2", "3", "--step", "1e308"],
        ["1e300", "2", "3", "--step", "1e-6"],
    ):
        for output_format in ("json", "csv", "table"):
            outcome = run("check", *words, "-f", output_format)
            assert (outcome.status, outcome.stderr) == (1, "")


def test_the_report_says_where_the_step_stops_growing() -> None:
    assert "max(1, |z|), at most 0.001" in run("check", "1e6", "1e6").stdout
