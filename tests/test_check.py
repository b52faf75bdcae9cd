"""The check command and the mathematics below it."""

import re
from typing import Any

import numpy as np
import pytest

from softmax_cli import check_jacobian, check_probabilities
from softmax_cli.checking.sweep import StepError
from softmax_cli.commands import check
from softmax_cli.mathematics import core, finite_difference
from softmax_cli.mathematics.finite_difference import FloatArray
from tests.program import PETS, SAMPLES, refused, run

METHODS = ["central", "forward", "complex-step", "richardson"]


def differentiated(z: FloatArray, method: str = "central", **how: Any) -> FloatArray:
    return np.stack([slopes for slopes, *_ in finite_difference.columns(z, method, **how)], axis=2)


INPUTS = sorted(path.name for path in SAMPLES.iterdir() if path.suffix in (".csv", ".json"))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", INPUTS)
def test_the_exact_jacobian_passes_on_every_sample_input(name: str, method: str) -> None:
    mine = ["--probabilities", f"{SAMPLES / 'candidates/my_softmax.py'}:softmax"]
    for candidate in ([], mine) if method == "central" else ([],):
        columns = ["--id", "image_id", "--keep", "label"] if "labelled" in name else []
        outcome = run("check", str(SAMPLES / name), *columns, "--method", method, *candidate)
        assert (outcome.status, outcome.stderr) == (0, ""), outcome.stdout
        assert outcome.stdout.startswith("PASS")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("temperature", ["1e-3", "0.1", "1", "3", "1e6"])
def test_it_passes_at_every_temperature_and_far_from_zero(temperature: str, method: str) -> None:
    words = ["1,2,3", "-4,0.5,1e3"] + ["1e9,1000000001,1000000002"] * (temperature == "1")
    assert run("check", *words, "-t", temperature, "--method", method).status == 0


def test_a_step_too_coarse_fails_with_the_worst_entry() -> None:
    outcome = run("check", "1", "2", "3", "--step", "1", "-f", "json")
    assert outcome.status == 1
    report = outcome.json
    assert (report["passed"], report["checked"], report["failed"]) == (False, 1, 1)
    assert report["step"] == 1.0
    worst = report["samples"][0]["worst"]
    entry = np.array([[int(worst["output"]), int(worst["input"])]]) - 1
    expected = core.jacobian([1.0, 2.0, 3.0])
    actual = differentiated(np.array([[1.0, 2.0, 3.0]]), step=1.0)[0]
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
        "command", "passed", "checked", "failed", "method", "step", "atol", "rtol", "dtype",
        "samples", "diagnosis", "notes",
    ]  # fmt: skip
    assert report["step"] == pytest.approx(6.05e-06, rel=1e-3)
    assert (report["atol"], report["rtol"], report["diagnosis"]) == (1e-08, 1e-05, None)
    assert list(report["samples"][0]) == [
        "sample", "passed", "max_abs_error", "max_rel_error", "max_ulp_error", "worst",
    ]  # fmt: skip


def test_csv_has_a_row_a_sample() -> None:
    lines = run("check", PETS, "-f", "csv").stdout.splitlines()
    assert lines[0].startswith("sample,passed,max_abs_error,max_rel_error")
    assert [line.split(",")[:2] for line in lines[1:]] == [
        ["photo of a cat", "true"], ["photo of a dog", "true"], ["blurred photo", "true"],
    ]  # fmt: skip


def test_tolerances_decide() -> None:
    assert run("check", "1", "2", "--atol", "0", "--rtol", "0").status == 1
    assert run("check", "1", "2", "--step", "1", "--atol", "1").status == 0
    assert run("check", "1", "2", "--step", "1", "--atol", "0", "--rtol", "1").status == 0
    assert "atol 0.25" in run("check", "1", "2", "--atol", "0.25").stdout


def test_failed_samples_are_the_evidence() -> None:
    # A step of 0.1 is too coarse for the curved sample and harmless for the saturated one.
    shown = run("check", "1,2,3", "900,0,0", "--step", "0.1", "--atol", "1e-12").stdout
    assert "in 1 of 2 samples" in shown
    rows = [line for line in shown.splitlines() if re.search(r"^\d+ .*/dz_", line)]
    assert len(rows) == 1
    assert rows[0].split()[0] == "1"


def test_the_worst_of_many_samples_is_found_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softmax_cli.reading.text.Stream.block_size", 1 << 11)
    for worst in (10, 999):
        rows = ["900,0,0\n"] * 1_000
        rows[worst] = "1,0,0\n"
        shown = run("check", "-", "--step", "0.1", stdin="".join(rows)).stdout
        assert re.search(rf"\nworst: \S+ of sample {worst + 1}: ", shown)


def test_an_entry_passes_up_to_its_bound_and_nan_fails() -> None:
    # At (0, 0) every entry of J is 1/4 or -1/4.
    J = np.array([[0.5, -0.25], [-0.25, 0.25]])
    (check,) = check_jacobian(J, [0.0, 0.0], atol=0.125, rtol=0.5).checks
    ((_, sample),) = check.samples
    assert (sample.failed, check.entries) == (0, 4)
    assert (sample.max_abs_error, sample.worst_excess) == (0.25, 1.0)
    for entry, actual, error in ((1, 0.25, 0.5), (2, np.nan, np.inf)):
        J.flat[entry] = actual
        ((_, sample),) = check_jacobian(J, [0.0, 0.0], atol=0.125, rtol=0.5).decisive.samples
        assert (sample.output, sample.input) == divmod(entry, 2)
        assert sample.max_abs_error == error
    assert not check_jacobian(J, [0.0, 0.0], atol=9.0, rtol=9.0)


@pytest.mark.parametrize(
    ("method", "error"),
    [("central", 1e-9), ("forward", 1e-6), ("complex-step", 1e-14), ("richardson", 2e-12)],
)
def test_every_method_is_as_accurate_as_it_says(method: str, error: float) -> None:
    z = np.random.default_rng(20).normal(0, 3, (20, 7))
    z[3, 2] = -np.inf
    numeric = differentiated(z, method)
    assert np.abs(numeric - core.jacobian(z)).max() < error
    assert (numeric[3, 2] == 0).all()
    assert (numeric[3, :, 2] == 0).all()


def test_steps_are_the_ones_that_were_taken() -> None:
    # f(z) = z has the slope 1 exactly when the division is by the step really taken.
    z = np.array([[1e6 / 3, 0.1, -7e3 / 9]])
    for method in ("central", "forward", "richardson"):
        assert (differentiated(z, method, function=lambda x: x) == np.eye(3)).all()


def test_any_function_of_logits_can_be_differentiated() -> None:
    z = np.array([[0.5, -1.0, 2.0]])
    for method in METHODS:
        numeric = differentiated(z, method, function=lambda x: x**3)
        assert numeric[0] == pytest.approx(np.diag(3 * z[0] ** 2), abs=1e-5)


def test_logits_too_far_from_zero_are_refused_and_not_failed() -> None:
    for logits in (["1e17", "1e17"], ["1.7e308", "1.7e308"]):
        error = refused("check", *logits)
        assert error.startswith("error: --step: expected a step that suits central differences")
        assert "right values fail in sample 1\n" in error
        assert "hint: use --method complex-step" in error
        assert run("check", *logits, "--method", "complex-step").status == 0


MINE = "--probabilities softmax_cli:softmax"


@pytest.mark.parametrize(
    "words",
    ["1 2 3 --step 1e-16", "1e308 2 3 --step 1e308", "1e300 2 3 --step 1e-6",
     f"750 751 --step 1e-18 {MINE}", f"1,2,3 --step 1e-14 {MINE}", f"1,2,3 --step 3 {MINE}"],
)  # fmt: skip
def test_a_step_that_cannot_tell_is_at_fault_and_not_what_is_differentiated(words: str) -> None:
    error = refused("check", *words.split())
    assert error.startswith("error: --step: expected a step that suits central differences, found")
    assert "--method complex-step" in error
    with pytest.raises(StepError, match=r"step: .* sample 1; .* method='complex-step'"):
        check_probabilities(core.softmax, [750.0, 751.0], step=1e-18)


@pytest.mark.parametrize("z", [[1e17, 1e17], [1e14, 1e14 + 1, 1e14 + 3]])
def test_the_verdict_is_that_of_the_probabilities_where_no_step_is_fine(z: list[float]) -> None:
    for factor, passes in ((1, True), (2, False)):
        verdict = check_probabilities(lambda z, factor=factor: factor * core.softmax(z), z)
        assert [check.quantity for check in verdict.checks] == ["probabilities"]
        assert bool(verdict) == passes
        assert "no central step is fine enough at sample 1: no derivative" in str(verdict)


def test_the_methods_on_offer_are_the_ones_there_are() -> None:
    assert set(check.METHODS) == set(finite_difference.METHODS)
