"""The promises of the mathematics, held against exact values."""

import re
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from softmax_cli.mathematics.core import (
    complement,
    jacobian,
    jacobian_rows,
    log_softmax,
    softmax,
    vjp,
)
from tests.families import Family, families
from tests.oracle import EXACT, QUICK, SMALLEST_NORMAL, Arithmetic, Oracle, errors_in_units

pytestmark = pytest.mark.filterwarnings("error")

Floats = NDArray[np.float64]
Function = Callable[..., Floats]
Errors = Callable[[Floats, Floats, float, Arithmetic], Floats]  # of z, g and T, a sample each

FUNCTIONS: list[Function] = [
    softmax, log_softmax, complement, jacobian, partial(jacobian, log=True),
]  # fmt: skip
inf, nan = np.inf, np.nan


def and_vjp(upstream: Any) -> list[Function]:
    return [
        *FUNCTIONS, lambda z, **options: vjp(z, upstream, **options),
        lambda z, **options: vjp(z, upstream, log=True, **options),
    ]  # fmt: skip


def bits(array: Floats) -> bytes:
    return np.ascontiguousarray(array).tobytes()


def errors_of_vector(function: Function) -> Errors:
    def errors(z: Floats, g: Floats, T: float, arithmetic: Arithmetic) -> Floats:
        exact = getattr(Oracle(z, T, arithmetic), function.__name__)()
        worst: Floats = errors_in_units(function(z, temperature=T), exact).max(axis=-1)
        return worst

    return errors


def errors_of_jacobian(log: bool) -> Errors:
    def errors(z: Floats, g: Floats, T: float, arithmetic: Arithmetic) -> Floats:
        exact = Oracle(z, T, arithmetic).jacobian(log)
        found = jacobian(z, temperature=T, log=log)
        worst: Floats = errors_in_units(found, exact).max(axis=(-1, -2))
        return worst

    return errors


def errors_of_vjp(log: bool) -> Errors:
    def errors(z: Floats, g: Floats, T: float, arithmetic: Arithmetic) -> Floats:
        oracle, found = Oracle(z, T, arithmetic), vjp(z, g, temperature=T, log=log)
        exact, size = oracle.vjp(g, log)
        y = oracle.softmax()
        least = np.minimum(size, np.where(y == 0, 1.0, y).min(-1, keepdims=True))
        units = np.where(least < SMALLEST_NORMAL, 0.0, errors_in_units(found, exact, size))
        return np.asarray(units.max(axis=-1))

    return errors


# Errors, bound, and how many numbers an exact value takes: about C to this power.
PROMISES: dict[str, tuple[Errors, float, int]] = {
    "softmax": (errors_of_vector(softmax), 5, 1),
    "log_softmax": (errors_of_vector(log_softmax), 5, 1),
    "1 - y": (errors_of_vector(complement), 5, 1),
    "J": (errors_of_jacobian(log=False), 9, 2),
    "J of log": (errors_of_jacobian(log=True), 9, 2),
    "vjp": (errors_of_vjp(log=False), 16, 2),
    "vjp of log": (errors_of_vjp(log=True), 16, 2),
}


# A temperature, and what the logits lie around: exponentials of z, of z/T, and of (z - m)/T.
PATHS = {"near": (1.0, 0.0), "divided": (0.7, 0.0), "far": (1e-3, 1.0)}


def climb(errors: Errors, C: int, path: str, K: int, steps: int) -> tuple[Floats, Floats]:
    """Return the worst of K samples, each of which takes the steps that make its error larger."""
    rng, (T, center) = np.random.default_rng(C), PATHS[path]
    z = center + T * rng.choice([0.1, 1, 3, 20], (K, 1)) * rng.normal(size=(K, C))
    g = rng.normal(size=(K, C))
    worst = errors(z, g, T, QUICK)
    for step in range(steps):
        size = 10.0 ** rng.uniform(-17, 0.5, (K, 1)) * (rng.random((K, C)) < rng.choice([0.1, 1]))
        new_z = z + T * size * rng.normal(size=(K, C))
        new_g = g + size * rng.normal(size=(K, C)) * rng.integers(2)
        error = errors(new_z, new_g, T, QUICK)
        up = error > worst
        z[up], g[up], worst[up] = new_z[up], new_g[up], error[up]
        if step % 10 == 9:  # the better half goes on twice
            order = np.argsort(worst)
            low, high = order[: K // 2], order[-(K // 2) :]
            z[low], g[low], worst[low] = z[high], g[high], worst[high]
    return z[[worst.argmax()]], g[[worst.argmax()]]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("name", PROMISES)
def test_no_climber_gets_beyond_the_bound(name: str, path: str) -> None:
    errors, bound, power = PROMISES[name]
    sizes = {1: (2, 3, 10, 15, 17, 31, 32, 100, 112, 127, 255, 1000), 2: (2, 3, 5, 10, 15, 32, 65)}
    for C in sizes[power]:
        z, g = climb(errors, C, path, K=max(4, 1000 // C**power), steps=40)
        assert errors(z, g, PATHS[path][0], EXACT).max() <= bound, (z.tolist(), g.tolist())


UPSTREAMS: dict[str, Callable[[np.random.Generator, int], NDArray[Any]]] = {
    "normal": lambda rng, C: rng.normal(0, 1, C),
    "common offset": lambda rng, C: 1e16 + 2 * rng.integers(-3, 4, C),
    "one outlier": lambda rng, C: np.where(np.arange(C) == 0, 1e16, rng.normal(0, 1, C)),
    "huge": lambda rng, C: rng.choice([-1e300, 1e300, 0.0, -0.0], C),
    "scales": lambda rng, C: rng.normal(0, 1, C) * np.power(10.0, rng.integers(-90, 90, C)),
    "tiny": lambda rng, C: rng.normal(0, 1, C) * 1e-300,
    "one-hot": lambda rng, C: np.eye(C)[rng.integers(C)],
}
SMALL = list(families(K=4, sizes=(1, 2, 3, 10)))


@pytest.mark.parametrize("family", SMALL, ids=[case.name for case in SMALL])
def test_each_result_is_within_its_bound(family: Family) -> None:
    z, T = family.logits, family.temperature
    rng = np.random.default_rng(1)
    for upstream in UPSTREAMS.values():
        g = np.array([upstream(rng, z.shape[1]) for _ in z])
        for name, (errors, bound, _) in PROMISES.items():
            if "vjp" in name or upstream is UPSTREAMS["normal"]:
                assert errors(z, g, T, EXACT).max() <= bound, name


HARD_PULLS: dict[str, tuple[Any, Any, float]] = {
    "an outlier at the maximum of many equal logits": (
        np.zeros(200),
        np.r_[1e16, np.random.default_rng(0).normal(0, 1, 199)],
        1.0,
    ),
    "all equal but at the maximum": (np.r_[1e-9, np.zeros(199)], np.r_[0.0, np.full(199, 0.3)], 1),
    "two equal maxima, and a tail": ([0.0, 0.0, -23.0], [1e16, 1e16, 1e16 + 2], 1.0),
    "deep saturation": ([700.0, 0.0, 1.0], [1.0, 2.0, 3.0], 1.0),
    "deep saturation, huge gradient": ([700.0, 0.0, 1.0], [1.7e308, -1.7e308, 3.0], 1.0),
    "saturation on the near path": ([300.0, -300.0, -299.0], [0.0, 0.0, 1.7e308], 1.0),
    "a probability below the smallest number": ([1000.0, 0.0, 1.0], [0.0, 1e300, -1e300], 1.0),
    "it alone is large": ([0.0, 0.0, -inf], [1e-300, 2e-300, 1.7e308], 1.0),
    "both signs at the end of the range": ([0.0, 0.5], [1.7e308, -1.7e308], 1.0),
    "e below the smallest number, 1/T large": ([0.0, -0.693, -0.1], [0.0, 1e-8, 3e-9], 1e-3),
    "e/T below it, g large": ([0.0, -692 * 2**99.5, -650 * 2**99.5], [0, 1e270, 3e270], 2**99.5),
    "the target of cross-entropy is certain": ([40.0, 0.0, 1.0], [-1.0, 0.0, 0.0], 1.0),
}


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("case", HARD_PULLS)
def test_vjp_is_within_its_bound_on_hard_cases(case: str, log: bool) -> None:
    z, g, T = HARD_PULLS[case]
    exact, size = Oracle(z, T).vjp(g, log)
    assert errors_in_units(vjp(z, g, temperature=T, log=log), exact, size).max() <= 16


@pytest.mark.parametrize(("offset", "spread"), [(0.0, 2.0), (1e6, 150.0)])
def test_many_classes_are_within_the_bounds(offset: float, spread: float) -> None:
    z = offset + np.random.default_rng(2).normal(0, spread, 100_000)
    for name in ("softmax", "log_softmax", "1 - y"):
        assert PROMISES[name][0](z, z, 1.0, QUICK).max() <= 5


def test_the_oracle_agrees_with_the_textbook() -> None:
    oracle = Oracle(z := np.array([3.0, -1.0, 0.5, 700.0, 699.0]))
    y = np.exp(z - 700) / np.exp(z - 700).sum()
    J = np.diag(y) - np.outer(y, y)
    for found, textbook in (
        (oracle.softmax(), y), (oracle.log_softmax(), z - 700 - np.log(np.exp(z - 700).sum())),
        (oracle.complement(), 1 - y), (oracle.jacobian(), J),
        (oracle.jacobian(log=True), np.eye(5) - y), (oracle.vjp(z)[0], z @ J),
        (oracle.vjp(z, log=True)[0], z - y * z.sum()),
    ):  # fmt: skip
        np.testing.assert_allclose(found.astype(float), textbook, rtol=1e-12, atol=1e-15)


def test_published_hard_values() -> None:
    # From 2400-bit arithmetic: every library that subtracts from 1 answers 0. (scipy issue 19521
    # and pytorch issue 113708 are of this kind.)
    assert jacobian([40.0, 0.0, 1.0])[0, 0] == pytest.approx(1.579659747e-17, rel=1e-9)
    assert vjp([40.0, 0.0, 1.0], [-1, 0, 0], log=True)[0] == pytest.approx(-1.57966e-17, rel=1e-5)
    assert log_softmax([40.0, 0.0])[0] == pytest.approx(-4.248354255291589e-18, rel=1e-15)
    assert log_softmax([-1e308, 1e308], temperature=1.5).tolist() == [-1e308 / 0.75, 0]


@pytest.mark.parametrize("C", [1, 2, 3, 10, 33, 1000])
def test_equal_logits_give_equal_results_and_equal_gradients_none(C: int) -> None:
    z = np.full(C, 0.1)
    assert len(set(softmax(z))) == len(set(complement(z))) == 1
    assert (vjp(z, np.full(C, 1e16 / 3)) == 0).all()


def test_one_class_is_certain() -> None:
    for z in (0.0, -5.5, 1e300, -1.7976931348623157e308):
        assert softmax([z]) == 1
        assert bits(log_softmax([z])) == bits(np.zeros(1))
        assert bits(complement([z])) == bits(np.zeros(1))
        assert bits(jacobian([z])) == bits(np.zeros((1, 1)))
        assert bits(vjp([z], [1e300])) == bits(vjp([z], [1e300], log=True)) == bits(np.zeros(1))


@pytest.mark.parametrize("C", [3, 50])
def test_masked_classes_are_exactly_out(C: int) -> None:
    z = np.linspace(0, 5, C)
    z[1] = -inf
    assert softmax(z)[1] == 0
    assert log_softmax(z)[1] == -inf
    assert complement(z)[1] == 1
    J = jacobian(z)
    assert bits(J[1]) == bits(J[:, 1]) == bits(np.zeros(C))
    assert bits(vjp(z, np.arange(C))[1:2]) == bits(np.zeros(1))
    kept = np.delete(np.arange(C), 1)
    np.testing.assert_allclose(softmax(z)[kept], softmax(z[kept]), rtol=1e-15)


def test_derivatives_of_a_masked_log_probability_are_their_limits() -> None:
    g = [0.5, -1.5, 2.0]
    masked, nearly = [0.25, -inf, 1.0], [0.25, -800.0, 1.0]
    for function in (jacobian, partial(vjp, upstream=g)):
        limit = function(nearly, log=True)
        np.testing.assert_allclose(function(masked, log=True), limit, rtol=1e-15)
    assert vjp(masked, g, log=True)[1] == -1.5


def test_no_negative_zero_where_a_result_vanishes() -> None:
    z, g = [0.0, -800.0, -1000.0, -inf], [-1.0, -2.0, 0.0, -0.0]
    for result in [function(z) for function in and_vjp(g) if function is not log_softmax]:
        assert not np.signbit(result[result == 0]).any()


@pytest.mark.parametrize("bad", [[nan, 0.0, 1.0], [inf, 0.0, 1.0], [inf, nan, inf], [-inf] * 3])
def test_a_sample_without_an_answer_is_nan_and_leaves_the_others_alone(bad: list[float]) -> None:
    z = np.array([[1.0, 2.0, 3.0], bad, [-inf, 1e308, -1e308]])
    for function in and_vjp([1.0, 0.0, 2.0]):
        results = function(z)
        assert np.isnan(results[1]).all()
        assert bits(results[0]) == bits(function(z[0]))
        assert bits(results[2]) == bits(function(z[2]))


@pytest.mark.parametrize("T", [5e-324, 1e-308, 1e-300, 1e300, 1.7e308])
def test_extreme_temperatures_never_give_nan(T: float) -> None:
    z = np.array([[1.0, 2.0, 2.0], [1e308, -1e308, 0.0], [1e-320, 0.0, -inf], [0.0, 0.0, 0.0]])
    for function in FUNCTIONS:
        assert not np.isnan(function(z, temperature=T)).any()
    for g in ([1.0, 0.0, 2.0], [1.7e308, -1.7e308, 0.0], [1.0, 1.0, 1.0], [5e-324, 0.0, 0.0]):
        assert not np.isnan(vjp(z, g, temperature=T)).any()


LOGITS = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 4), st.integers(1, 40)),
    elements=st.floats(-1.7e308, 1.7e308) | st.floats(-800, 800),
)


@settings(deadline=None, max_examples=100)
@given(LOGITS)
def test_probabilities_sum_to_one_rows_to_zero_and_jacobians_are_symmetric(z: Floats) -> None:
    y, J = softmax(z), jacobian(z)
    assert (np.abs(y.sum(axis=-1) - 1) <= 4 * 2.0**-52).all()
    assert (np.abs(J.sum(axis=-1)) <= np.abs(J).sum(axis=-1) * 8 * 2.0**-52 + 40 * 2.0**-1074).all()
    assert bits(J) == bits(np.swapaxes(J, -1, -2))


@settings(deadline=None, max_examples=100)
@given(LOGITS, st.sampled_from([1.0, 0.1, 3.0, 1e-300]))
def test_vjp_is_the_upstream_times_the_jacobian(z: Floats, T: float) -> None:
    g = np.random.default_rng(z.size).normal(0, 1, z.shape)
    if np.isfinite(J := jacobian(z, temperature=T)).all():
        expected = np.einsum("kj,kji->ki", g, J)
        size = np.einsum("kj,kji->ki", np.abs(g), np.abs(J))
        assert (np.abs(vjp(z, g, temperature=T) - expected) <= 60 * 2.0**-52 * size + 1e-320).all()


CALLS: dict[str, Function] = {
    "softmax": softmax,
    "log_softmax": log_softmax,
    "complement": complement,
    "vjp": lambda z, **options: vjp(z, np.cos(z), **options),
    "vjp of log": lambda z, **options: vjp(z, np.cos(z), log=True, **options),
    "vjp of gradients of all sizes": lambda z, **options: vjp(
        z, np.cos(z) * 10.0 ** np.clip(5 * z, -300, 300), **options
    ),
}


@pytest.mark.parametrize("T", [1.0, 0.1, 4.0])
@pytest.mark.parametrize("C", [1, 2, 3, 8, 10, 16, 17, 33, 100, 137, 260, 1000, 9001])
@pytest.mark.parametrize("name", CALLS)
def test_the_bits_do_not_depend_on_batch_or_layout(name: str, C: int, T: float) -> None:
    function = CALLS[name]
    rng = np.random.default_rng(C)
    K = max(7, min(5000, 20_000 // C))
    z = rng.normal(0, 30, (K, C))  # near and far in the same block
    z[rng.random((K, C)) < 0.1 / C] = -800.0
    together = function(z, temperature=T)
    for k in (0, 1, K // 2, K - 1):
        assert bits(function(z[k], temperature=T)) == bits(together[k])
        assert bits(function(z[k : k + 2], temperature=T)) == bits(together[k : k + 2])
    assert bits(function(np.asfortranarray(z), temperature=T)) == bits(together)
    assert bits(function(z[::-1], temperature=T)) == bits(together[::-1])
    assert bits(function(np.repeat(z, 2, axis=1)[:, ::2], temperature=T)) == bits(together)
    assert bits(function(z.T, axis=0, temperature=T).T) == bits(together)
    unaligned = np.frombuffer(b"\0" + z.tobytes(), offset=1, dtype=np.float64).reshape(z.shape)
    assert bits(function(unaligned, temperature=T)) == bits(together)
    stacked = np.moveaxis(np.stack([z, z]), -1, 1)
    assert bits(np.moveaxis(function(stacked, axis=1, temperature=T), 1, -1)[1]) == bits(together)


@pytest.mark.parametrize("T", [1.0, 0.1, 3.0])
@pytest.mark.parametrize("C", [1, 2, 3, 10, 33, 150])
def test_the_bits_of_a_jacobian_do_not_depend_on_batch_or_layout(C: int, T: float) -> None:
    z = np.random.default_rng(C).normal(0, 30, (7 if C > 100 else 600, C))
    together = jacobian(z, temperature=T)
    for k in (0, 1, 6):
        assert bits(jacobian(z[k], temperature=T)) == bits(together[k])
        assert bits(jacobian_rows(z[k], [C - 1, 0], T)) == bits(together[k, [C - 1, 0]])
    assert bits(jacobian(z.T, axis=0, temperature=T)) == bits(together)
    assert bits(jacobian(z[::-1], temperature=T)) == bits(together[::-1])


def test_the_class_axes_of_a_jacobian_stand_last() -> None:
    z = np.random.default_rng(0).normal(0, 1, (2, 3, 4))
    assert jacobian(z).shape == (2, 3, 4, 4)
    assert jacobian(z, axis=0).shape == (3, 4, 2, 2)
    assert bits(jacobian(z, axis=1)[1, 2]) == bits(jacobian(z[1, :, 2]))


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (0, 0, 1)])
def test_no_samples_give_no_results(shape: tuple[int, ...]) -> None:
    z = np.zeros(shape)
    for function in FUNCTIONS[:3]:
        assert function(z).shape == shape
    assert jacobian(z).shape == (*shape, shape[-1])
    assert vjp(z, np.zeros(shape[-1])).shape == shape


@pytest.mark.parametrize("dtype", ["i1", "u1", "i8", "u8", "f2", "f4", ">f8", "longdouble"])
def test_other_numbers_are_computed_in_float64(dtype: str) -> None:
    z = np.array([[2, 1, 0], [7, 3, 5]], dtype=dtype)
    for function in and_vjp([1, 0, 2]):
        result = function(z)
        assert result.dtype == np.float64
        assert bits(result) == bits(function(z.astype(np.float64)))


def test_the_input_is_never_modified() -> None:
    for C in (3, 50):
        z, g = np.random.default_rng(0).normal(0, 9, (2, 5, C))
        z[0, 0] = -inf
        copies = z.copy(), g.copy()
        z.flags.writeable = g.flags.writeable = False
        for T in (1.0, 0.1, 3.0):
            for function in FUNCTIONS:
                function(z, temperature=T)
            vjp(z, g, temperature=T)
        assert (bits(z), bits(g)) == (bits(copies[0]), bits(copies[1]))


def test_upstream_broadcasts_to_the_logits() -> None:
    z = np.random.default_rng(0).normal(0, 1, (2, 4, 3))
    for g in (np.array([1.0, 2.0, 4.0]), np.arange(12.0).reshape(4, 3), np.ones((2, 1, 3))):
        assert bits(vjp(z, g)) == bits(vjp(z, np.broadcast_to(g, z.shape)))


def test_vjp_needs_memory_for_the_classes_only() -> None:
    z = np.zeros(100_000)
    tracemalloc.start()
    vjp(z, z)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * z.nbytes


def test_the_state_of_numpy_is_left_as_it_was() -> None:
    before = np.geterr(), np.getbufsize()
    with np.errstate(all="raise"):
        for function in FUNCTIONS:
            function([[1e308, -1e308], [nan, 0.0], [-745.0, 0.0]], temperature=0.1)
    assert (np.geterr(), np.getbufsize()) == before


REFUSED: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (1.0, {}, ValueError, "not a single number"), ([], {}, ValueError, "at least one class"),
    (np.zeros((3, 0)), {}, ValueError, "at least one class"),
    ([[1.0, 2.0], [3.0]], {}, ValueError, "inhomogeneous"),
    ([True, False], {}, TypeError, "real numbers, not bool"),
    ([1j, 2.0], {}, TypeError, "real numbers, not complex"),
    (["1", "2"], {}, TypeError, "real numbers, not <U1"),
    ([None, 1.0], {}, TypeError, "real numbers, not object"),
    (np.array(["2020-01-01"], dtype="M8[D]"), {}, TypeError, "real numbers, not datetime64"),
    ([1.0, 2.0], {"axis": 1}, ValueError, "axis"),
    ([1.0, 2.0], {"axis": -2}, ValueError, "axis"),
    ([1.0, 2.0], {"temperature": -1}, ValueError, "greater than 0, not -1"),
    ([1.0, 2.0], {"temperature": nan}, ValueError, "finite"),
    ([1.0, 2.0], {"temperature": inf}, ValueError, "finite"),
    ([1.0, 2.0], {"temperature": "1"}, TypeError, "real number"),
    ([1.0, 2.0], {"temperature": 1j}, TypeError, "real number"),
]  # fmt: skip


@pytest.mark.parametrize(("z", "options", "error", "match"), REFUSED)
def test_what_has_no_meaning_is_refused(
    z: Any, options: dict[str, Any], error: type[Exception], match: str
) -> None:
    for function in and_vjp(1.0):
        with pytest.raises(error, match=match):
            function(z, **options)


AT_ZERO = [
    ([1.0, 3.0, 3.0, 2.0], [0.0, 0.5, 0.5, 0.0]), ([[1, 3], [5, 5]], [[0.0, 1.0], [0.5, 0.5]]),
    ([1e308, -1e308], [1.0, 0.0]), ([-inf, -5.0], [0.0, 1.0]), ([3.0], [1.0]),
    ([[-inf, -inf], [nan, 1.0], [inf, 1.0]], [[nan, nan]] * 3),
]  # fmt: skip


@pytest.mark.parametrize(("z", "limit"), AT_ZERO)
@pytest.mark.parametrize("T", [0, 0.0, -0.0])
def test_at_zero_the_maximum_takes_all_and_ties_share(z: Any, limit: Any, T: float) -> None:
    with np.errstate(all="raise", divide="ignore"):
        np.testing.assert_array_equal(softmax(z, temperature=T), limit)
        np.testing.assert_array_equal(log_softmax(z, temperature=T), np.log(limit))
    turned = softmax(np.array(z)[..., np.newaxis], axis=-2, temperature=T)
    np.testing.assert_array_equal(turned[..., 0], limit)


def test_derivatives_refuse_temperature_0() -> None:
    for function in and_vjp(1.0)[2:]:
        with pytest.raises(ValueError, match="greater than 0, not 0"):
            function([1.0, 2.0], temperature=0)


def test_an_upstream_of_another_shape_is_refused() -> None:
    for g in ([1.0, 2.0], np.ones((2, 3)), np.ones((1, 3))):
        with pytest.raises(ValueError, match="does not fit"):
            vjp([1.0, 2.0, 3.0], g)


def test_any_real_number_is_a_temperature() -> None:
    temperatures: list[Any] = [2, np.float32(2), np.int64(2), Decimal(2)]
    for T in temperatures:
        assert bits(softmax([1.0, 2.0], temperature=T)) == bits(softmax([0.5, 1.0]))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: softmax([1.0, 2.0], axis=None), "axis must be one whole number, not None"),  # type: ignore[arg-type]
        (lambda: softmax([1.0, 2.0], axis=(0,)), "axis must be one whole number, not (0,)"),  # type: ignore[arg-type]
        (lambda: softmax([1.0, 2.0], axis=0.0), "axis must be one whole number, not 0.0"),  # type: ignore[arg-type]
        (lambda: softmax([1.0, 2.0], axis=True), "axis must be one whole number, not True"),
        (lambda: softmax([1.0, 2.0], axis=7), "axis 7 does not exist in logits of shape (2,)"),
        (lambda: softmax([1.0], temperature="a"), "temperature must be a real number, not 'a'"),  # type: ignore[arg-type]
        (lambda: softmax([1.0], temperature=np.ones(2)), "temperature must be a real number"),  # type: ignore[arg-type]
        (lambda: jacobian([1.0], temperature=10**400), "a finite number greater than 0, not 1000"),
        (lambda: vjp([1.0], [1.0], temperature=0.0), "a finite number greater than 0, not 0.0"),
        (lambda: softmax(np.ma.array([1.0])), "logits must not be masked: use .filled"),
        (lambda: softmax([[1.0, 2.0], [3.0]]), "logits must be an array of real numbers: setting"),
        (lambda: vjp([1.0, 2.0], ["a", "b"]), "upstream must be real numbers, not <U1"),
    ],
)
def test_what_is_no_input_is_told_in_words(call: Callable[[], object], said: str) -> None:
    with pytest.raises((TypeError, ValueError), match=re.escape(said)):
        call()
