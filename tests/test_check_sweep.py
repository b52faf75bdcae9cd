"""Ridders' extrapolation and the sweep over steps."""

import math

import numpy as np
import pytest

from softmax_cli.checking.setting import Setting
from softmax_cli.checking.sweep import STEPS, sweep
from softmax_cli.mathematics import core, finite_difference
from tests.program import PETS, SAMPLES, run


def of(logits: object) -> Setting:
    z = np.array(logits)
    classes, labels = tuple("abcdefg"[: z.shape[1]]), tuple(map(str, range(len(z))))
    return Setting(z=z, classes=classes, labels=labels)


def test_the_extrapolation_estimates_its_own_error() -> None:
    z = np.random.default_rng(20).normal(0, 3, (20, 7))
    found = finite_difference.columns(z, "richardson")
    slopes, estimates = (np.stack(each, axis=2) for each in zip(*found, strict=True))
    error = np.abs(slopes - core.jacobian(z)).max()
    assert error < 1e-13
    assert error / 20 < estimates.max() < 100 * error


def test_the_report_shows_the_estimate() -> None:
    shown = run("check", PETS, "--method", "richardson").stdout
    assert "the extrapolation estimates its own error at up to " in shown
    report = run("check", PETS, "--method", "richardson", "-f", "json").json
    assert 0 < report["error_estimate"] < 1e-12
    assert (report["step"], report["atol"], report["rtol"]) == (0.25, 1e-11, 1e-9)


def test_the_curves_are_a_v() -> None:
    found = sweep(of(np.random.default_rng(2).normal(0, 1, (3, 4))))
    assert (STEPS[0], STEPS[-1], len(STEPS)) == (1e-1, 1e-15, 29)
    assert list(STEPS) == sorted(STEPS, reverse=True)
    errors = {method: dict(zip(STEPS, each, strict=True)) for method, each in found.errors.items()}
    # Truncation falls as h^p, rounding rises as eps/h.
    assert errors["forward"][1e-2] / errors["forward"][1e-4] == pytest.approx(1e2, rel=0.1)
    assert errors["central"][1e-1] / errors["central"][1e-3] == pytest.approx(1e4, rel=0.1)
    for method in ("forward", "central"):
        assert errors[method][1e-14] > 1e-4 > 1e3 * errors[method][1e-8]
    assert errors["complex-step"][1e-15] < 1e-15
    best = {method: pair[0] for method, pair in found.best.items() if pair}
    assert 1e-9 < best["forward"] < 1e-6
    assert 1e-7 < best["central"] < 1e-4


def test_the_sweep_comes_as_csv_and_json() -> None:
    lines = run("check", PETS, "--sweep", "-f", "csv").stdout.splitlines()
    assert lines[0] == "step,forward,central,complex-step"
    assert len(lines) == 1 + len(STEPS)
    table = np.array([[float(cell) for cell in line.split(",")] for line in lines[1:]])
    report = run("check", PETS, "--sweep", "-f", "json").json
    assert report["command"] == "check"
    assert report["sweep"]["step"] == list(STEPS)
    assert pytest.approx(table) == np.array([report["sweep"][key] for key in lines[0].split(",")]).T
    assert report["best"]["central"]["error"] == min(report["sweep"]["central"])


def test_a_step_too_small_for_the_logits_is_no_number() -> None:
    assert sweep(of([[1e300, 0.5e300]]), lambda z: z).best["central"] is None
    found = sweep(of([[1e9, 1e9]]))
    assert math.isnan(found.errors["central"][-1])
    assert not math.isnan(found.errors["complex-step"][-1])
    found = sweep(of([[1.0, 2.0], [9.0, 8.0]]), lambda z: np.log(8.5 - z.real))
    assert math.isnan(found.errors["central"][0])  # a function may have none
    assert run("check", "1e9", "1e9", "--sweep", "-f", "json").json["sweep"]["central"][-1] == "NaN"


def test_a_masked_class_is_no_error() -> None:
    found = run("check", "1,2,-inf", "--sweep", "--log", "-f", "json").json["best"]
    assert all(0 <= best["error"] < 1e-8 for best in found.values())
    assert "Jacobian of log-softmax over" in run("check", "1,2,-inf", "--sweep", "--log").stdout


def test_sweeping_a_function_of_mine() -> None:
    candidate = f"{SAMPLES / 'candidates' / 'my_softmax.py'}:softmax"
    shown = run("check", PETS, "--sweep", "--probabilities", candidate)
    assert shown.status == 0
    assert shown.stdout.startswith("largest error in the Jacobian of ")
    assert "my_softmax.py:softmax over 3 samples" in shown.stdout
