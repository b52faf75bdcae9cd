"""The checks as a library, and the clients that rely on our functions."""

import json
import re
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli import check_jacobian, check_probabilities, check_vjp
from softmax_cli.checking.candidate import CandidateError, NotComplexError
from softmax_cli.mathematics import core
from tests import wrong
from tests.program import run, run_cold
from tests.readme import PAGES

try:
    torch: Any = __import__("torch")
except ImportError:
    torch = types.SimpleNamespace()

EXAMPLES = [
    block
    for page in PAGES
    for block in re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S)
    if "def test_" in block
]
Z = np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]])
G = np.array([[0.0, 1.0, -2.0], [1.0, 0.5, 0.0]])


def wrong_jacobian(z: wrong.Array) -> wrong.Array:
    y = wrong.softmax(z)
    return np.asarray(np.diag(y * (1 - y)) + 0 * np.outer(z, z))


def test_a_verdict_is_true_or_false_and_says_why() -> None:
    assert check_jacobian(core.jacobian, Z)
    verdict = check_jacobian(wrong_jacobian, Z, classes=["a", "b", "c"], samples=["x", "y"])
    assert not verdict
    assert not verdict.passed
    headline, worst, cause, note = str(verdict).splitlines()
    assert headline == "FAIL: jacobian: 12 of 18 entries over the bound, in 2 of 2 samples"
    assert worst.startswith("worst: dy_b/dz_c of sample x: expected -0.162803, actual 0, 9.94e+08 ")
    assert cause.startswith("only the diagonal: fill in what is off the diagonal: J = diag(y) - ")
    assert note.startswith("note: given all samples at once, shape (2, 3), it raised ValueError: ")
    assert repr(verdict) == f"<{headline}; {worst}; {cause}; {note}>"


def test_pytest_shows_the_place_and_the_cause(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import numpy as np\n"
        "from softmax_cli import check_jacobian\n"
        "def mine(z):\n"
        "    y = np.exp(z) / np.exp(z).sum()\n"
        "    return np.diag(y * (1 - y))\n"
        "def test_mine():\n"
        "    verdict = check_jacobian(mine, [1.0, 2.0, 3.0])\n"
        "    verdict.raise_if_failed()\n"
    )
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(tmp_path)]
    done = run_cold(program=words)
    assert done.status == 1
    assert "FAIL: jacobian: 6 of 9 entries over the bound" in done.stdout
    assert "E       only the diagonal: fill in what is off the diagonal: J = " in done.stdout


def test_the_command_prints_the_same_numbers(tmp_path: Path) -> None:
    rows = wrong_rows = np.stack([wrong_jacobian(z) for z in Z])
    (tmp_path / "c.json").write_text(json.dumps(wrong_rows.tolist()))
    report = run("check", "1,2,3", "3,1,2", "--jacobian", "c.json", "-f", "json", cwd=tmp_path).json
    check = check_jacobian(rows, Z).decisive
    assert report["atol"] == check.atol
    assert [each["max_abs_error"] for each in report["samples"]] == [
        sample.max_abs_error for _, sample in check.samples
    ]
    assert report["diagnosis"]["name"] == check.diagnoses[0].name


@pytest.mark.parametrize("method", ["central", "forward", "complex-step", "richardson"])
@pytest.mark.parametrize("temperature", [0.01, 1.0, 30.0])
def test_a_right_function_passes(method: str, temperature: float) -> None:
    def mine(z: wrong.Array) -> wrong.Array:
        e = np.exp((z - z.real.max(axis=-1, keepdims=True)) / temperature)
        return np.asarray(e / e.sum(axis=-1, keepdims=True))

    z = np.array([[1.0, -np.inf, 3.0], [40.0, 0.0, 1.0], [1e6, 1e6 + 1, 0.0]])
    verdict = check_probabilities(mine, z, temperature=temperature, method=method)
    assert verdict, verdict
    assert [check.method for check in verdict.checks] == ["exact", method]
    assert (verdict.checks[1].error_estimate is None) == (method != "richardson")


@pytest.mark.parametrize("shape", [(3,), (2, 3), (1, 2, 3), (2, 2, 1, 3)])
def test_right_results_may_be_lists_and_objects(shape: tuple[int, ...]) -> None:
    z = np.linspace(-1.0, 2.0, int(np.prod(shape))).reshape(shape)
    for form in (list, lambda each: each.astype(object)):
        assert check_jacobian(lambda z, form=form: form(core.jacobian(z)), z)


def test_what_a_candidate_raises_keeps_its_traceback() -> None:
    def raises(z: wrong.Array) -> wrong.Array:
        raise ValueError("no such luck")

    said = "raised ValueError: no such luck, given all samples"
    with pytest.raises(CandidateError, match=said) as caught:
        check_jacobian(raises, Z)
    assert isinstance(caught.value.__cause__, ValueError)


def test_complex_step_is_refused_where_complex_numbers_are() -> None:
    def real(z: wrong.Array) -> wrong.Array:
        return wrong.softmax(np.real(z))

    with pytest.raises(NotComplexError, match="method: expected a function that takes complex"):
        check_probabilities(real, Z, method="complex-step")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_jacobian(Z, Z), "shape (2, 3), expected (2, 3, 3) or (6, 3)"),
        (lambda: check_vjp(Z, Z, [1.0, 2.0]), "for logits of shape (2, 3), found shape (2,)"),
        (lambda: check_vjp(Z, Z, [1.0, 2.0, np.inf]), "expected a finite upstream gradient"),
        (lambda: check_probabilities(Z, [np.nan, 1.0]), "expected finite logits or -inf"),
        (lambda: check_probabilities(Z, 1.0), "expected logits with classes on axis -1, found"),
        (lambda: check_probabilities(Z, np.ma.array(Z)), "expected logits as numbers, found a "),
        (lambda: check_jacobian(Z, Z, dtype="half"), "expected dtype to be one of float64, "),
        (lambda: check_jacobian(Z, Z, classes=["a"]), "expected 3 names of classes, found 1"),
        (lambda: check_vjp(np.float16(Z), Z, 7e4 * Z), "in range of float16, found 70000"),
        (
            lambda: check_probabilities(lambda z: 0 * np.float32(Z), 1e39 * Z),
            "of float32, found 1e+39",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_value_errors(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("example", [block for block in EXAMPLES if "torch" not in block])
def test_the_example_of_the_pages_runs(example: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for jacobian, passes in ((core.jacobian, True), (wrong_jacobian, False)):
        model = types.ModuleType("my_model")
        model.my_jacobian = jacobian  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "my_model", model)
        names: dict[str, Any] = {}
        exec(example, names)
        if passes:
            names["test_my_jacobian"]()
        else:
            with pytest.raises(AssertionError):
                names["test_my_jacobian"]()


@pytest.mark.skipif(not hasattr(torch, "tensor"), reason="torch is not installed")
@pytest.mark.parametrize("example", [block for block in EXAMPLES if "torch" in block])
def test_the_torch_example_of_the_pages_runs(example: str) -> None:
    names: dict[str, Any] = {}
    exec(example, names)
    names["test_backward"]()
