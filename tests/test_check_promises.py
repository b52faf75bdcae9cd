"""What a verdict promises: nothing wrong passes, nothing right fails, and what was not seen."""

import signal
import subprocess
import time
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmax_cli import check_jacobian, check_probabilities, check_vjp
from softmax_cli.mathematics import core
from tests import wrong
from tests.program import PROGRAM, Outcome, environment, refused, run, run_cold
from tests.wrong import Array, softmax

Z = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 0.0], [2.0, 0.1, -0.3]])
G = np.array([[1.25, -0.5, 0.75], [0.3, 2.5, -1.5], [-0.7, 0.9, 0.4]])


def vjp(z: Array, g: Array) -> Array:
    y = softmax(z)
    return np.asarray(y * (g - (y * g).sum(axis=-1, keepdims=True)))


def jacobian(z: Array) -> Array:
    y = softmax(z)
    return np.asarray(y[..., :, None] * (np.eye(z.shape[-1]) - y[..., None, :]))


def log_softmax(z: Array) -> Array:
    s = z - z.max(axis=-1, keepdims=True)
    return np.asarray(s - np.log(np.exp(s).sum(axis=-1, keepdims=True)))


def causes(verdict: Any) -> list[str]:
    return [each.name for each in verdict.decisive.diagnoses]


def test_no_sample_loosens_the_bound_of_another() -> None:
    z, g = np.array([[0.0, 1, 2], [1.0, 0, 3]]), np.array([[1e12, 0, 0], [1.0, 0, 0]])
    v = core.vjp(z, g)
    v[1] = 0
    for results in (v, lambda z, g: v[: len(z)]):
        assert check_vjp(results, z, g).decisive.failed == [1]


class Counter:
    calls = 0

    def __call__(self, z: Array) -> Array:
        self.calls += 1
        return softmax(z) * (1 + 0.1 * (self.calls > 1))


class Cache:
    known: Array | None = None

    def __call__(self, z: Array) -> Array:
        if self.known is None or self.known.shape != z.shape:
            self.known = softmax(z)
        return np.asarray(self.known)


EVERY_THIRD = cycle([1.0, 1.0, 2.0])


def of_the_company(z: Array) -> Array:
    return softmax(z) * (1.0 if len(z) > 1 else 1.01)


def over_the_batch(z: Array) -> Array:
    return softmax(z, axis=0) if len(z) > 1 else softmax(z)


@pytest.mark.parametrize(
    ("function", "cause", "said"),
    [
        (Counter(), "state between calls", "given the same input again it returns another result"),
        (Cache(), "depends on more than the sample", "given alone it returns another result: "),
        (type("Late", (Counter,), {"calls": -1})(), "state between calls", "another result: 0.099"),
        (of_the_company, "depends on more than the sample", "0.09093087890208426 in place of 0.09"),
        (lambda z: next(EVERY_THIRD) * softmax(z), "state between calls", "another result: 0.18"),
        (over_the_batch, "softmax along the wrong axis", "given alone it returns another result"),
    ],
)
def test_a_result_depends_on_its_input_alone(
    function: Callable[[Array], Array], cause: str, said: str
) -> None:
    verdict = check_probabilities(function, Z, forward_only=True)
    assert not verdict
    assert causes(verdict) == [cause]
    assert said in str(verdict)


@np.errstate(divide="ignore")
def test_zeros_and_the_ends_of_a_range_are_judged_as_they_are() -> None:
    z = np.array([[0.0, -np.inf, 1.0], [800.0, 0.0, -800.0]])
    log = check_probabilities(lambda z: np.log(softmax(z)), z, log=True)
    assert {cause for check in log.checks for cause in check.diagnoses} == {*log.decisive.diagnoses}
    assert causes(log) == ["underflow before the logarithm"]
    assert causes(check_jacobian(np.zeros((1, 3, 3)), z[:1])) == ["nothing but zeros"]
    for T in (2e-300, 2e155, 1e308):
        assert not check_jacobian(np.ones((1, 3, 3)), z[:1], temperature=T, log=True)
    assert not check_probabilities(lambda z: np.round(z - 1e8, 2), [[1e8, 1.0]], log=True)
    assert check_probabilities(np.array([[0, -np.inf]], "e"), [[6e4, -6e4]], log=True)
    with pytest.raises(ValueError, match="step that suits"):  # which float32 does not see
        check_probabilities(lambda z: softmax(z.astype("f")), [[1e5, 99999, 3]], step=1e-3)
    cold = {"temperature": 0.01, "log": True}  # of which float32 has no differences
    for x in ([-99, 59], [84.455, -14.369, 78.72]):
        assert check_probabilities(lambda z: log_softmax(np.divide(z, 0.01, dtype="f")), x, **cold)
    masked = [[1.0, 2.0, -1e9]]  # of which float32 tells every 64th number
    assert check_probabilities(lambda z: core.log_softmax(z).astype("f"), masked, log=True)
    half = {"temperature": 200.0, "dtype": "float16", "stress": True}
    assert check_probabilities(lambda z: core.softmax(z, -1, 200.0), Z, **half)


def skips_the_first(z: Array) -> Array:
    return np.vstack([0 * z[:1], softmax(z[1:])])


MASKED = np.where(np.eye(3)[::-1] > 0, -np.inf, np.add(Z, [[0, 1, 0.5]]))


@pytest.mark.parametrize(
    ("function", "z", "cause", "log"),
    [
        (lambda z: softmax(z).cumsum(0), Z[[0, 0, 1]], "depends on more than the sample", False),
        (skips_the_first, Z, "a class or a sample is left at 0", False),
        (lambda z: log_softmax(z)[:, ::-1], MASKED, "classes in another order", True),
        (lambda z: log_softmax(z)[::-1], MASKED, "samples in another order", True),
        (np.where([[0], [1], [0]], np.nan, softmax(Z)), Z, "NaN among the results", False),
    ],
)
def test_what_explains_the_batch_is_no_state_no_overflow_and_no_nan(
    function: Any, z: Array, cause: str, log: bool
) -> None:
    assert causes(check_probabilities(function, z, log=log)) == [cause]


def test_values_within_their_bound_are_not_failed_by_their_differences() -> None:
    def rounded(z: Array) -> Array:
        return np.round(softmax(z), 12)

    logits = np.array([[1.0, 2.0, 3.0, 0.5], [0.3, -1.0, 2.0, 1.0]])
    verdict = check_probabilities(rounded, logits)
    assert verdict
    assert any("no central step is fine enough" in note for note in verdict.notes)
    with pytest.raises(ValueError, match="right values fail in sample 1"):
        check_probabilities(rounded, logits, step=1e-6)
    assert not check_probabilities(lambda z: softmax(np.asarray(z).round(2)), logits)
    for z, T, method in (([1e8, 1e8], 0.01, "central"), ([1e5, 1e5 + 1], 0.7, "complex-step")):

        def divided(z: Array, T: float = T) -> Array:
            e = np.exp(z / T - (z / T).real.max())
            return np.asarray(e / e.sum())

        assert check_probabilities(divided, z, temperature=T, method=method)


def test_input_that_is_overwritten_is_noted_and_spoils_nothing() -> None:
    def in_place(z: Array) -> Array:
        z -= z.max(axis=-1, keepdims=True)
        np.exp(z, out=z)
        z /= z.sum(axis=-1, keepdims=True)
        return z

    verdict = check_probabilities(in_place, Z)
    assert verdict, verdict
    assert "the function overwrites its input" in verdict.notes


def test_a_batch_that_fails_where_single_samples_work_is_noted() -> None:
    def one(z: Array) -> Array:
        y = softmax(z)
        return np.asarray(np.diag(y) - np.outer(y, y))

    verdict = check_jacobian(one, Z)
    assert verdict
    assert any(n.startswith("given all samples at once, shape (3, 3), it") for n in verdict.notes)
    first = check_jacobian(lambda z: one(np.atleast_2d(z)[0]), Z)
    assert "FAIL: jacobian: found shape (3, 3), expected (3, 3, 3)" in str(first)
    assert check_jacobian(lambda z: one(np.atleast_2d(z)[0]), Z[:1])
    assert "found shape (2, 3)," in str(check_probabilities(lambda z: softmax(z)[-2:], Z))
    needs_two = check_jacobian(lambda z: jacobian(z) + 0 * z[1, 0], Z)
    assert needs_two
    assert any("given a single sample, shape (1, 3), it raised Index" in n for n in needs_two.notes)
    assert check_probabilities(lambda z: softmax(z) + 0 * z[1, 0], Z, stress=True)
    fewer = check_jacobian(lambda z: jacobian(z)[:2], Z)
    assert "FAIL: jacobian: found shape (2, 3, 3), expected (3, 3, 3)" in str(fewer)


def test_a_single_sample_that_is_answered_in_another_shape_is_a_finding() -> None:
    y, J, v = softmax(Z), jacobian(Z), vjp(Z, Z)
    checked = [check_probabilities(lambda z: y, Z), check_jacobian(lambda z: J, Z)]
    for verdict in (*checked, check_vjp(lambda z, g: v, Z, Z)):
        assert not verdict
        assert "given a single sample, shape (1, 3)" in str(verdict)
    assert check_jacobian(lambda z: jacobian(z).reshape(-1, 3).squeeze(), Z)
    assert check_probabilities(lambda z: softmax(z).squeeze(), Z)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_functions_of_a_row_or_of_a_batch_are_differentiated_in_any_shape(axis: int) -> None:
    def of(z: Array, ndim: int) -> Array:
        if z.ndim != ndim:
            raise TypeError
        return softmax(z)

    z = np.random.default_rng(4).normal(0, 2, (2, 3, 4))
    assert check_probabilities(lambda z: of(z, 1), z, axis=axis)
    assert check_probabilities(lambda z: of(z, 2), z[0, 0])
    assert check_probabilities(softmax, z[0, 0], axis=0, stress=True)
    assert check_probabilities(lambda z: softmax(z, axis=0), z[0, 0], axis=0, stress=True)


def test_a_batch_of_one_may_come_without_its_dimension_and_as_a_list() -> None:
    def of_batches(z: Array) -> Array:
        assert z.ndim == 2
        return np.concatenate(core.jacobian(z))

    assert check_jacobian(of_batches, Z, stress=True)
    assert check_jacobian(of_batches, Z[:1])
    assert check_probabilities(lambda z: np.squeeze(softmax(z[:, :])), Z[:1])
    assert check_probabilities(lambda z: [softmax(each) for each in z], Z, stress=True)


@pytest.mark.parametrize("how", [np.sum, np.mean, lambda J, axis: J[0]])
def test_a_jacobian_that_is_right_for_single_samples_must_not_lose_the_others(how: Any) -> None:
    found = check_jacobian(lambda z: how(core.jacobian(z).reshape(-1, 3, 3), axis=0), Z[:2])
    assert causes(found) in (["summed over the batch"], ["one sample for all"])


@pytest.mark.parametrize("theirs", ["cat,dog,owl", "cat,dog,cat", "owl,cat,dog"])
def test_more_classes_and_more_digits_are_no_results(tmp_path: Path, theirs: str) -> None:
    (tmp_path / "z.csv").write_text("cat,dog\n1,1\n")
    (tmp_path / "y.csv").write_text(f"{theirs}\n.5,.5,.5\n")
    assert "shape (1, 3)" in refused("check", "z.csv", "--probabilities", "y.csv", cwd=tmp_path)
    for digits, status in (("0.7311,0.2689", 0), ("0.7311000000,0.2689000000", 1)):
        (tmp_path / "y.csv").write_text(digits)
        assert run("check", "1,0", "--probabilities", "y.csv", "-q", cwd=tmp_path).status == status
    (tmp_path / "y.csv").write_text("cat,dog,p_cat,p_dog\n.9,.1,.5,.5\n")
    words = ["check", "z.csv", "--probabilities", "y.csv", "-q"]
    assert "found 'p_cat' as well\nhint: if it stands" in refused(*words, cwd=tmp_path)
    assert run(*words, "--columns", "cat,dog", "--keep", "cat,dog", cwd=tmp_path).status == 0
    (tmp_path / "z.csv").write_text("id,x,y,label,w\na,1,1,u,7\nb,1,1,v,8\n")
    words = ["check", "z.csv", "--columns", "x,y", "--keep", "4", "--probabilities", "-", "-q"]
    for names, status in (("ab", 0), ("ba", 2)):  # of the column that is not kept
        theirs = "label,w,who,x,y\nu,7,{},.5,.5\nv,8,{},.5,.5\n".format(*names)
        assert run(*words, stdin=theirs, cwd=tmp_path).status == status


def test_arrays_are_found_by_what_they_are_called(tmp_path: Path) -> None:
    for name, text in (
        ("z.jsonl", '{"id":"a","logits":[1,1],"probabilities":[0.5,0.5],"upstream":[0,0]}\n'),
        ("z.csv", 'id,logits,probabilities,upstream\na,"[1,1]","[0.5,0.5]","[0,0]"\n'),
    ):
        (tmp_path / name).write_text(text)
        words = (name, "--id", "id")
        assert run("check", *words, "--probabilities", name, "-q", cwd=tmp_path).status == 0
        v = run("jacobian", *words, "--vjp", name, "-f", "csv", cwd=tmp_path)
        assert v.stdout == "id,1,2\na,0.0,0.0\n"


@pytest.mark.parametrize(
    ("text", "words"), [("s0,1,2,3\ns1,4,2,0\n", ["--no-header"]), ('"#",##b\n1,2\n', [])]
)
def test_names_are_checked_as_they_are_printed(tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "z.csv").write_text(text)
    for command, option in (("forward", "--probabilities"), ("jacobian", "--jacobian")):
        run(command, "z.csv", *words, "-o", "y.csv", cwd=tmp_path)
        outcome = run("check", "z.csv", *words, option, "y.csv", "-q", cwd=tmp_path)
        assert outcome == Outcome(0, "", "")


def test_complex_step_sees_masked_classes_that_are_divided_first() -> None:
    def softened(z: Array) -> Array:
        e = np.exp(z / 3)
        return np.asarray(e / e.sum(axis=-1, keepdims=True))

    z = np.where(np.eye(3) > 0, -np.inf, Z)
    assert check_probabilities(softened, z, temperature=3.0, method="complex-step")


@pytest.mark.parametrize("log", [False, True])
def test_as_many_samples_as_classes_that_stand_last_are_named(log: bool) -> None:
    J = np.moveaxis(core.jacobian(Z, log=log), 0, -1)
    assert "transposed batch" in causes(check_jacobian(J, Z, log=log))


def test_a_gradient_that_is_left_out_is_drawn_and_hides_nothing() -> None:
    def squared(z: Array, g: Array) -> Array:
        return vjp(z, g * g)

    assert check_vjp(vjp, Z)
    assert not check_vjp(squared, Z)
    verdict = check_vjp(squared, Z, [1.0, 0.0, 0.0])
    assert verdict
    assert any("an upstream gradient that is one-hot hides" in note for note in verdict.notes)
    drawn = check_vjp(vjp, Z).upstream
    assert drawn is not None
    assert (drawn == check_vjp(vjp, Z).upstream).all()
    assert len(np.unique(drawn)) == drawn.size
    assert not np.isin(drawn, (0, 1, -1)).any()
    outcome = run("check", "1,2,3", "0.5,-1,0", "--vjp", "softmax_cli:vjp", "-f", "json")
    assert np.shape(outcome.json["upstream"]) == (2, 3)
    assert any("the upstream gradient was drawn: " in note for note in outcome.json["notes"])


@pytest.mark.parametrize(
    ("upstream", "kind"),
    [
        ([0.0, 0, 0], "zero"), ([2.0, 2, 2], "constant"), ([0, 3.0, 0], "one-hot"),
        ([1, 1, 0], "of"),
    ],
)  # fmt: skip
def test_a_special_gradient_is_noted(upstream: list[float], kind: str) -> None:
    notes = check_vjp(vjp, Z, upstream).notes
    assert any(note.startswith(f"an upstream gradient that is {kind}") for note in notes)
    assert not any("upstream gradient that is" in note for note in check_vjp(vjp, Z, G).notes)


def test_a_pass_says_what_it_could_not_see() -> None:
    one = str(check_jacobian(jacobian, [[40.0, 0.0, 1.0]]))
    assert "note: one sample cannot show a wrong axis" in one
    assert "note: all samples are saturated" in one
    assert "entries below the bound, where zeros pass: 9 of 9; atol=0 compares" in one
    assert "exp that is not shifted by the maximum passes logits this small; stress=True" in one
    zeros = check_jacobian(lambda z: np.zeros((*z.shape, 3)), [[40.0, 0.0, 1.0]], atol=0.0)
    assert not zeros
    assert ", actual 0, 1e+09 times its bound" in str(zeros)
    assert "unshifted" not in str(check_probabilities(softmax, Z, stress=True))
    words = ["check", "40,0,1", "--jacobian", "softmax_cli:jacobian"]
    assert "where zeros pass: 9 of 9; --atol 0 compares their digits" in run(*words).stdout
    assert any("--atol 0" in note for note in run(*words, "-f", "json").json["notes"])


@pytest.mark.parametrize(
    "function",
    [wrong.naive, lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(-1, keepdims=True)],
)
def test_stress_finds_what_small_logits_hide(function: Callable[[Array], Array]) -> None:
    def quiet(z: Array) -> Array:
        with np.errstate(all="ignore"):
            return function(z)

    assert check_probabilities(quiet, Z)
    verdict = check_probabilities(quiet, Z, stress=True)
    assert not verdict
    assert "(ours)" in str(verdict)
    for right in (softmax, lambda z: np.exp(core.log_softmax(z))):
        assert check_probabilities(right, Z, stress=True)
        assert check_probabilities(right, Z.reshape(1, 3, 1, 3), stress=True)
    assert check_vjp(vjp, Z, stress=True)
    assert check_jacobian(jacobian, Z, stress=True)
    assert check_probabilities(log_softmax, Z, log=True, stress=True)


@pytest.mark.parametrize("dtype", ["float32", "float16", ">f4"])
def test_stress_allows_for_a_quotient_that_is_rounded(dtype: str) -> None:
    def divided(z: Array) -> Array:  # by T, in the format of what it is given
        e = np.exp(z / z.dtype.type(3) - (z / z.dtype.type(3)).max(-1, keepdims=True))
        return np.asarray(e / e.sum(-1, keepdims=True)).astype(dtype)

    given = None if dtype == ">f4" else dtype
    options = {"temperature": 3, "forward_only": True, "dtype": given}
    assert check_probabilities(divided, Z, stress=True, **options)


@pytest.mark.parametrize("where", ["first", "last", "running", "two", "masked", "alone"])
def test_stress_has_its_hard_logits_at_every_position_and_other_sizes(where: str) -> None:
    def shifted(z: Array) -> Array:
        if where == "two":
            return softmax(z) * (1.5 if len(z) == 2 else 1.0)
        masks = {"masked": np.isneginf(z[..., -1]), "alone": np.isneginf(z[..., 1:]).all(-1)}
        if where in masks:
            return softmax(z) * np.where(masks[where], 2.0, 1.0)[..., None]
        shift = {"first": z[..., :1], "last": z[..., -1:], "running": z[..., :2].max(-1)[..., None]}
        with np.errstate(all="ignore"):
            e = np.exp(z - shift[where])
            return np.asarray(e / e.sum(-1, keepdims=True))

    assert check_probabilities(shifted, Z)
    assert not check_probabilities(shifted, Z, stress=True)


def test_stress_passes_jacobians_of_which_the_batch_stands_last() -> None:
    for C in (3, 5, 14):
        z = np.random.default_rng(1).normal(0, 1, (4, C))
        verdict = check_jacobian(lambda z: np.moveaxis(jacobian(z), 0, -1), z, stress=True)
        assert verdict, verdict


@pytest.mark.parametrize(
    "options", [{"atol": np.nan}, {"rtol": np.inf}, {"atol": -1.0}, {"step": np.nan}, {"step": 0.0}]
)
def test_a_tolerance_is_a_number_that_can_be_kept(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="to be finite and "):
        check_vjp(lambda z, g: 0 * z, Z, **options)


def test_results_of_a_vjp_belong_to_a_gradient() -> None:
    with pytest.raises(ValueError, match="expected the upstream gradient"):
        check_vjp(Z, Z)
    outcome = run("check", "1,2", "--vjp", "0.1,-0.1")
    assert outcome.stderr.startswith("error: --vjp: expected --upstream beside results, found none")


def test_a_batch_that_is_divided_by_its_size_is_named() -> None:
    for z in (Z[:2], np.stack([Z, Z + Z.T])):
        verdict = check_vjp(lambda z, g: vjp(z, g) / len(z), z)
        assert causes(verdict) == ["divided by the batch size"]
    by_two = check_vjp(lambda z, g: vjp(z / 2, g) / 2 / len(z), Z[:2], temperature=2.0)
    assert causes(by_two) == ["divided by the batch size"]  # and T is right in single ones
    flat = check_probabilities(lambda z: softmax(z, 0), Z[None], forward_only=True)
    assert causes(flat) == ["softmax along the wrong axis"]  # of one, also in single samples
    # One at a time, and beside single samples, it has the same.
    for half in (lambda z, g: vjp(z, g) / 2, lambda z, g: vjp(z, g) / 2 + 0 * np.dot(z, g)):
        assert causes(check_vjp(half, Z[:2])) == ["a constant factor"]


def test_what_holds_one_array_is_that_array() -> None:
    own = np.empty(12)  # which each call fills again
    into = lambda z: np.positive(softmax(z, 0), own[: z.size].reshape(z.shape))  # noqa: E731
    assert check_probabilities(into, np.vstack([Z, Z[0]]), axis=0)
    for wrap in (lambda y: (y,), lambda y: [y], lambda y: y.tolist()):
        assert check_probabilities(lambda z, wrap=wrap: wrap(softmax(z)), Z)
    for pair in (lambda y: (y, None), lambda y: (y, {"cache": 1}), lambda y: [y, y, y]):
        verdict = check_probabilities(lambda z, pair=pair: pair(softmax(z)), Z)
        assert not verdict
        assert "expected one array: return its first part alone, [0]" in str(verdict)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (4, 3), (2, 3, 4), (2, 2, 3, 3)], ids=str)
def test_logits_and_results_have_any_number_of_dimensions(shape: tuple[int, ...]) -> None:
    z = np.random.default_rng(1).normal(0, 2, shape)
    C = shape[-1]
    n = z.size // C

    def last(z: Array) -> Array:
        assert z.ndim == len(shape)
        return softmax(z)

    assert check_probabilities(last, z)
    assert check_vjp(vjp, z)
    assert check_probabilities(softmax(z), z)
    J = jacobian(z)
    twice = np.zeros(shape + shape)
    for k in np.ndindex(*shape[:-1]):
        twice[(*k, slice(None), *k, slice(None))] = J[k]
    flat = twice.reshape(z.size, z.size)
    for form in (J, J.reshape(n * C, C), np.moveaxis(J, (-2, -1), (0, 1)), twice, flat):
        assert check_jacobian(form, z), form.shape
        if form is not flat or n > 1:
            assert check_jacobian(lambda z, form=form: form if z.shape == shape else jacobian(z), z)
    if n > 1:
        twice[(*([0] * (len(shape) - 1)), 0, *[-1] * (len(shape) - 1), 0)] = 1e-5
        for form in (twice, twice.reshape(z.size, z.size)):
            verdict = check_jacobian(form, z)
            assert not verdict
            assert "an entry that connects two samples is 1e-05, expected 0" in str(verdict)


def test_the_classes_may_stand_on_any_axis(tmp_path: Path) -> None:
    z = np.random.default_rng(1).normal(0, 2, (2, 3, 4))
    np.save(tmp_path / "z.npy", z)
    for words, option in (("", "jacobian"), ("--vjp 1,3,2", "upstream 1,3,2 --vjp")):
        where, out = ["z.npy", "--axis", "1"], f"{option[:3]}.json"
        assert run("jacobian", *where, *words.split(), "-o", out, cwd=tmp_path).status == 0
        assert run("check", *where, *f"--{option}".split(), out, cwd=tmp_path).status == 0

    def along(z: Array) -> Array:
        return softmax(z, axis=1)

    assert check_probabilities(along, z, axis=1)
    assert not check_probabilities(along, z)
    verdict = check_probabilities(softmax, z, axis=1)
    assert not verdict
    assert "of sample 1-" in str(verdict) or "of sample 2-" in str(verdict)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_wrong_axis_of_many_is_named(axis: int) -> None:
    z = np.random.default_rng(2).normal(0, 2, (2, 3, 4, 5))
    verdict = check_probabilities(lambda z: softmax(z, axis=axis), z, forward_only=True)
    assert causes(verdict) == ["softmax along the wrong axis"]

    def summed(z: Array, g: Array) -> Array:
        y = softmax(z)
        return np.asarray(y * (g - (y * g).sum(axis=axis, keepdims=True)))

    assert causes(check_vjp(summed, z)) == ["the sum over y g along the wrong axis"]


@pytest.mark.parametrize("z", [[[40.0, 0.0, 1.0]], [[100.0, 0.0, 0.0], [1.0, 2.0, 3.0]]])
def test_zeros_are_named_zeros_where_every_probability_is_saturated(z: list[list[float]]) -> None:
    zeros = check_jacobian(lambda z: np.zeros((*z.shape, 3)), z, atol=0.0)
    assert causes(zeros)[0] == "nothing but zeros"


def test_a_flattened_batch_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "f.py").write_text(
        "import numpy as np\ndef flat(z):\n    e = np.exp(z.ravel())\n    p = e / e.sum()\n"
        "    return np.diag(p) - np.outer(p, p)\n"
    )
    words = ["--jacobian", "f.py:flat", "-f", "json"]
    outcome = run("check", "-", *words, stdin="0,1,2,3\n4,5,6,7\n", cwd=tmp_path)
    assert outcome.status == 1
    assert "an entry that connects two samples is " in outcome.json["problem"]


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("shape", [(20, 3), (20, 10), (2, 120)])
def test_right_results_of_fewer_digits_pass(dtype: str, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(4)
    normal, far = rng.normal(0, 2, shape), 80 * rng.choice([-1.0, 1.0], shape)
    masked = np.where(rng.random(shape) < 0.3, -np.inf, normal)
    masked[:, 0] = 0.5

    def rounded(values: Array) -> Array:
        return np.asarray(values, dtype=dtype)

    def inner(function: Callable[..., Array]) -> Callable[..., Array]:
        """Compute in float32 and store in the format, as kernels do."""
        return lambda *z: rounded(function(*(rounded(each).astype(np.float32) for each in z)))

    for z in (normal, far, far + normal, masked):
        for values in (inner(softmax), inner(softmax)(z)):
            assert check_probabilities(values, z), check_probabilities(values, z)
        assert check_vjp(inner(vjp), z), check_vjp(inner(vjp), z)
        if shape[1] < 100:
            assert check_jacobian(inner(jacobian), z)
    verdict = check_probabilities(inner(softmax), normal)
    assert f"the results are {dtype}: they are judged in it" in verdict.notes
    assert verdict.checks[0].precision == dtype
    assert not check_probabilities(inner(softmax), normal, dtype="float64")
    wider = check_probabilities(lambda z: softmax(1.01 * z).astype(dtype), normal)
    assert not wider or dtype == "float16"


def test_errors_are_told_in_ulps_of_the_format(tmp_path: Path) -> None:
    z = Z.astype(np.float32)
    exact = core.softmax(z)
    y = exact.astype(np.float32)
    y[0, 2] = np.nextafter(y[0, 2], np.float32(2))
    ((_, first), *_) = check_probabilities(y, z).checks[0].samples
    assert first.max_ulp_error == pytest.approx(np.abs(y[0] - exact[0]).max() / 2**-24, rel=1e-6)
    np.save(tmp_path / "y.npy", y)
    words = ["check", "1,2,3", "0.5,-1,0", "2,0.1,-0.3", "--probabilities", "y.npy", "-f", "json"]
    report = run(*words, cwd=tmp_path).json
    assert (report["passed"], report["dtype"]) == (True, "float32")
    assert 0 < report["samples"][0]["max_ulp_error"] < 2


def test_text_of_few_digits_is_read_as_what_it_was_rounded_from(tmp_path: Path) -> None:
    for digits, is_few in (("%.6f", True), ("%.7g", True), ("%.12f", False)):
        rows = ["".join([",".join(digits % v for v in row), "\n"]) for row in core.softmax(Z)]
        (tmp_path / "y.csv").write_text("".join(rows))
        logits = [",".join(map(str, row)) for row in Z.tolist()]
        outcome = run("check", *logits, "--probabilities", "y.csv", cwd=tmp_path)
        assert outcome.status == 0
        assert (
            "significant digits: half a unit in the last one passes too" in outcome.stdout
        ) == is_few
    (tmp_path / "y.csv").write_text("1,0,0\n" * 3)
    assert run("check", *logits, "--probabilities", "y.csv", cwd=tmp_path).status == 1
    for logit, digits, status in (
        ("20,0", "1.000000,0.000000", 0), ("0.001,0", "0.500,0.500", 0), ("1,0", "0.500,0.500", 1),
        ("-1.9475,0", "0.125,0.875", 0), ("-1.9475,0", "0.125000,0.875000", 1),
    ):  # fmt: skip
        for name, text in (("y.csv", digits), ("y.json", f'{{"probabilities": [[{digits}]]}}')):
            (tmp_path / name).write_text(text)
            found = run("check", logit, "--probabilities", name, "-q", cwd=tmp_path)
            assert (found.status, found.stderr) == (status, "")


def test_float32_printed_as_short_as_it_reads_back_is_told(tmp_path: Path) -> None:
    rows = [",".join(map(str, row)) + "\n" for row in core.softmax(Z).astype(np.float32)]
    (tmp_path / "y.csv").write_text("".join(rows))
    words = ["check", *(",".join(map(str, row)) for row in Z.tolist()), "--probabilities", "y.csv"]
    shown = run(*words, cwd=tmp_path).stdout
    assert "cause: float32 results\n" in shown
    assert "check with --dtype float32." in shown
    assert run(*words, "--dtype", "float32", cwd=tmp_path).status == 0


def test_numbers_that_agree_in_the_digits_shown_are_shown_with_more() -> None:
    y = core.softmax(Z)
    y[0, 0] += 1e-10
    assert "expected 0.0900305732, actual 0.0900305733" in str(check_probabilities(y, Z))


def test_log_softmax_and_cross_entropy() -> None:
    y, t = core.softmax(Z), np.eye(3)
    assert check_probabilities(log_softmax, Z, log=True)
    assert check_jacobian(np.eye(3) - y[:, None, :], Z, log=True)
    assert check_vjp(lambda z, g: g - softmax(z) * g.sum(-1, keepdims=True), Z, log=True)
    assert check_vjp(y - t, Z, -t, log=True)
    assert not check_vjp(y - t, Z, t)
    assert not check_jacobian(jacobian, Z, log=True)
    v = core.vjp([0.1, 0.9], [1.0, 1.0], log=True)
    assert v.tolist() == pytest.approx([0.379948962255225, -0.379948962255225])
    masked = np.array([1.5, 2.0, -np.inf])
    for value in (-1e9, 0.0, np.nan, np.inf):
        results = [*log_softmax(masked)[:2], value]
        assert "log y_3" in str(check_probabilities(results, masked, log=True))
    outcome = run("check", "1,2,3", "0,1,1", "--log", "--vjp", "0.1,0,0", "--upstream", "1,0,0")
    assert outcome.status == 2  # one row for two samples


def test_the_failure_is_an_assertion_that_says_why() -> None:
    check_probabilities(softmax, Z).raise_if_failed()
    verdict = check_jacobian(lambda z: np.stack([np.diag(y * (1 - y)) for y in softmax(z)]), Z)
    with pytest.raises(AssertionError, match="only the diagonal") as caught:
        verdict.raise_if_failed()
    assert str(caught.value) == str(verdict)
    assert "--" not in str(verdict)


@pytest.mark.parametrize(
    "words", ["", "--columns cat,dog --keep image_id", "--columns 2-3", "--keep label --key z"]
)
def test_what_is_printed_of_a_labelled_file_is_checked_as_it_is(tmp_path: Path, words: str) -> None:
    names = "p,p" if "2-3" in words else "cat,dog"
    rows = f"image_id,{names}\n1001,2.0,1.5\n1002,1,0.5\n"
    arrays = 'image_id,label,z\n1001,2,"[2.0,1.5]"\n1002,1,"[1,0.5]"\n'
    (tmp_path / "z.csv").write_text(arrays if "z" in words else rows)
    given = ["z.csv", "--id", "image_id", *words.split()]
    (tmp_path / "g.csv").write_text(f"image_id,{names}\n1001,0.5,-2.5\n1002,1.5,0.25\n")
    for command, option in (
        (["forward"], ["--probabilities"]),
        (["jacobian"], ["--jacobian"]),
        (["jacobian", "--vjp", "0.5,-2.5"], ["--upstream", "0.5,-2.5", "--vjp"]),
    ):
        for suffix in ("csv", "json", "jsonl", "tsv"):
            assert run(*command, *given, "-o", f"p.{suffix}", cwd=tmp_path) == Outcome(0, "", "")
            checked = run("check", *given, *option, f"p.{suffix}", "-q", cwd=tmp_path)
            assert checked == Outcome(0, "", ""), (command, suffix)
    for g in ("g.csv", "p.json")[: 2 - ("z" in words)][::-1]:
        ours = ["--vjp", "softmax_cli:vjp", "--upstream", g, "-q"]
        assert run("check", *given, *ours, cwd=tmp_path) == Outcome(0, "", "")


HOSTILE = """
import atexit, builtins, ctypes, multiprocessing, os, posix, signal, sys, threading, time
import numpy as np

def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

def exits(z): os._exit(0)
def exits_elsewhere(z): posix._exit(0)
def at_exit(z):
    atexit.register(os._exit, 0)
    return softmax(z) * 2
def killed(z): os.kill(os.getpid(), signal.SIGSEGV)
class Odd:
    def __array__(self, *a, **b): raise SystemExit(0)
def odd(z): return Odd()
def no_stdout(z):
    sys.stdout = sys.stderr = None
    return softmax(z) * 2
def other_exp(z):
    np.exp = lambda x: x
    return softmax(z)
def other_builtins(z):
    builtins.len = builtins.isinstance = None
    return softmax(z) * 2
def forks(z):
    print("forks", flush=True)
    os.fork()
    return softmax(z) * 2
def spawns(z, known=[]):
    known or known.append(multiprocessing.get_context("spawn").Pool(1).apply(softmax, [z]))
    return softmax(z) * 2
def endless_thread(z):
    threading.Thread(target=time.sleep, args=(1000,)).start()
    return softmax(z) * 2
def hangs(z):
    while True:
        try: time.sleep(1)
        except BaseException: pass
def writes_everywhere(z):
    for file in range(3, 99):
        try: os.write(file, b"x" * 500)
        except OSError: pass
    return softmax(z) * 2
def floods(z):
    for k in range(2000): print("x" * 500)
    return softmax(z) * 2
def eats(z): return np.ones((1 << 40, 1 << 10))
def leaves_a_child(z):
    if os.fork() == 0: time.sleep(600)
    os._exit(7)
def raises_exit(z): sys.exit(0)
def interrupts(z): raise KeyboardInterrupt
def closes(z):
    os.closerange(0, 100)
    return softmax(z)
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    (tmp_path / "h.py").write_text(HOSTILE)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "status", "said"),
    [
        ("exits", 2, "ended its process with status 0"),
        ("exits_elsewhere", 2, "ended its process with status 0"), ("at_exit", 1, "FAIL"),
        ("killed", 2, "ended its process by SIGSEGV"), ("odd", 1, "Odd (SystemExit: 0)"),
        ("no_stdout", 1, "FAIL"), ("other_exp", 1, "FAIL"), ("other_builtins", 1, "FAIL"),
        ("forks", 1, "FAIL"), ("endless_thread", 1, "FAIL"), ("spawns", 1, "FAIL"),
        ("floods", 1, "FAIL"), ("leaves_a_child", 2, "ended its process with status 7"),
        ("eats", 2, "raised MemoryError"), ("raises_exit", 2, "raised SystemExit: 0"),
        ("interrupts", 2, "raised KeyboardInterrupt"), ("closes", 2, "ended its process"),
    ],
)  # fmt: skip
def test_whatever_code_does_to_its_process_the_verdict_is_ours(
    hostile: Path, name: str, status: int, said: str
) -> None:
    outcome = run("check", "1,2,3", "0,1,1", "--probabilities", f"h.py:{name}", cwd=hostile)
    assert outcome.status == status, outcome
    assert said in outcome.stdout + outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert outcome.stderr.count("forks\n") < 20  # which a fork that calls it again doubles


def test_code_that_writes_into_all_files_of_its_process_is_told(hostile: Path) -> None:
    outcome = run_cold("check", "1,2", "--probabilities", "h.py:writes_everywhere", cwd=hostile)
    assert outcome.status == 2
    assert "wrote into the pipe" in outcome.stderr
    ignored = partial(signal.signal, signal.SIGCHLD, signal.SIG_IGN)
    outcome = run("check", "1,2", "--probabilities", "h.py:exits", cwd=hostile, first=ignored)
    assert "ended its process with status 0" in outcome.stderr


def running(word: str) -> list[bytes]:
    return subprocess.run(["pgrep", "-f", word], capture_output=True, check=False).stdout.split()


def test_code_that_hangs_ends_in_time_or_by_a_signal(hostile: Path) -> None:
    words = ["check", "1,2,3", "--probabilities", f"{hostile}/h.py:hangs"]
    error = refused(*words, "--timeout", "0.5", cwd=hostile)
    assert "the candidate took longer than 0.5 s\n" in error
    closes = "import os; os.closerange(3, 99)"  # and goes on
    for text, told in ("", "took longer than 0.2 s"), (closes, "ended its process by SIGALRM"):
        (hostile / "l.py").write_text(f"{text}\nwhile True: pass")
        loaded = run("check", "1,2", "--vjp", "l.py:f", "--timeout", "0.2", cwd=hostile).stderr
        assert loaded == f"error: --vjp: the candidate {told} while it was loaded\n"
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)):
        with subprocess.Popen([*PROGRAM, *words], cwd=hostile, env=environment({}), stdin=-3) as it:
            while it.poll() is None and len(running(words[-1])) < 2:
                time.sleep(0.1)
            it.send_signal(number)
            assert it.wait(10) == status
    time.sleep(1)
    assert running(words[-1]) == []


def test_code_that_cannot_be_loaded_has_its_hint(tmp_path: Path) -> None:
    for text, said in (
        ("from .helper import f\n", "hint: name it by its package, from the folder above: "),
        ("a = 1\0\n", "f.py: expected Python, found a SyntaxError: source code string cannot"),
    ):
        (tmp_path / "f.py").write_text(text)
        assert said in refused("check", "1,2", "--probabilities", "f.py:f", cwd=tmp_path)


def test_names_of_code_may_be_unicode(tmp_path: Path) -> None:
    (tmp_path / "größe.py").write_text(HOSTILE + "\nμ = softmax\n")
    words = ["check", "1,2", "--probabilities"]
    assert run(*words, "größe.py:μ", cwd=tmp_path).status == 0
    assert run(*words, "größe:μ", cwd=tmp_path).status == 0


def test_a_large_jacobian_is_compared_row_by_row(tmp_path: Path) -> None:
    z = np.random.default_rng(0).normal(0, 2, (1, 700))
    np.save(tmp_path / "z.npy", z)
    J = core.jacobian(z)
    assert check_jacobian(J, z)
    J[0, 699, 17] += 1e-6
    verdict = check_jacobian(J, z)
    assert not verdict
    assert "dy_700/dz_18 of sample 1" in str(verdict)
    words = ["check", "z.npy", "--jacobian", "softmax_cli:jacobian", "-q"]
    assert run(*words, cwd=tmp_path).status == 0
