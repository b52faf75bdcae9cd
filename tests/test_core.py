"""The promises of the mathematics, held against exact values."""

import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from softmax_cli.mathematics.core import complement, jacobian, log_softmax, softmax, vjp
from tests import oracle
from tests.families import Family, families
from tests.oracle import errors_in_units

pytestmark = pytest.mark.filterwarnings("error")

Floats = NDArray[np.float64]
Function = Callable[..., Floats]

SMALL = list(families(K=4, sizes=(1, 2, 3, 10)))
FUNCTIONS: list[Function] = [softmax, log_softmax, complement, jacobian]
inf, nan = np.inf, np.nan


def and_vjp(upstream: Any) -> list[Function]:
    return [*FUNCTIONS, lambda z, **options: vjp(z, upstream, **options)]


def named(cases: list[Family]) -> dict[str, Any]:
    return {"argvalues": cases, "ids": [case.name for case in cases]}


def bits(array: Floats) -> bytes:
    return np.ascontiguousarray(array).tobytes()


# --- accuracy -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("function", "bound"), [(softmax, 3), (log_softmax, 3), (complement, 3)])
@pytest.mark.parametrize("family", **named(SMALL))
def test_each_result_is_within_its_bound(family: Family, function: Function, bound: int) -> None:
    results = function(family.logits, temperature=family.temperature)
    exact = getattr(oracle, function.__name__)
    for z, result in zip(family.logits, results, strict=True):
        assert errors_in_units(result, exact(z, family.temperature)).max() <= bound


@pytest.mark.parametrize("family", **named(SMALL))
def test_each_entry_of_the_jacobian_is_within_its_bound(family: Family) -> None:
    results = jacobian(family.logits, temperature=family.temperature)
    for z, J in zip(family.logits, results, strict=True):
        assert errors_in_units(J, oracle.jacobian(z, family.temperature)).max() <= 6


UPSTREAMS: dict[str, Callable[[np.random.Generator, int], NDArray[Any]]] = {
    "normal": lambda rng, C: rng.normal(0, 1, C),
    "common offset": lambda rng, C: 1e16 + 2 * rng.integers(-3, 4, C),
    "one outlier": lambda rng, C: np.where(np.arange(C) == 0, 1e16, rng.normal(0, 1, C)),
    "whole range": lambda rng, C: rng.choice([-1.7e308, 1.7e308, 1e-300, 0.0, -0.0], C),
    "scales": lambda rng, C: rng.normal(0, 1, C) * np.power(10.0, rng.integers(-200, 300, C)),
    "tiny": lambda rng, C: rng.normal(0, 1, C) * 1e-300,
    "one-hot": lambda rng, C: np.eye(C)[rng.integers(C)],
}


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("family", **named(SMALL))
def test_vjp_is_within_its_bound(family: Family, upstream: str) -> None:
    rng = np.random.default_rng(1)
    g = np.array([UPSTREAMS[upstream](rng, z.size) for z in family.logits])
    results = vjp(family.logits, g, temperature=family.temperature)
    for z, g_k, v in zip(family.logits, g, results, strict=True):
        exact, scale = oracle.vjp(z, g_k, family.temperature)
        assert errors_in_units(v, exact, scale).max() <= 16


HARD_PULLS: dict[str, tuple[Any, Any]] = {
    "an outlier at the maximum of many equal logits": (
        np.zeros(200),
        np.r_[1e16, np.random.default_rng(0).normal(0, 1, 199)],
    ),
    "two equal maxima, and a tail": ([0.0, 0.0, -23.0], [1e16, 1e16, 1e16 + 2]),
    "deep saturation": ([700.0, 0.0, 1.0], [1.0, 2.0, 3.0]),
    "deep saturation, huge gradient": ([700.0, 0.0, 1.0], [1.7e308, -1.7e308, 3.0]),
    "a probability below the smallest number": ([1000.0, 0.0, 1.0], [0.0, 1e300, -1e300]),
    "half of it": ([1300.0, 0.0], [0.0, 1.7e308]),
    "a masked class with a huge gradient": ([0.0, 1.0, -inf], [1.0, 2.0, 1e308]),
    "gradients of both signs at the end of the range": ([0.0, 0.5], [1.7e308, -1.7e308]),
}


@pytest.mark.parametrize("case", HARD_PULLS)
def test_vjp_is_within_its_bound_on_hard_cases(case: str) -> None:
    z, g = HARD_PULLS[case]
    exact, scale = oracle.vjp(z, g)
    assert errors_in_units(vjp(z, g), exact, scale).max() <= 16


@pytest.mark.parametrize("C", [31, 33, 40, 100, 135])
@pytest.mark.parametrize("T", [0.1, 0.3, 1.0, 3.0])
def test_rounding_in_long_sums_stays_within_the_bound(C: int, T: float) -> None:
    # one logit far ahead is the hard case: a sum that starts from its 1 loses an ulp a term
    for z in np.random.default_rng(C).normal(0, 2, (3, C)):
        large = oracle.Large(z, T)
        assert errors_in_units(softmax(z, temperature=T), large.softmax()).max() <= 3
        row = int(np.argmax(z))
        J = jacobian(z, temperature=T)
        assert errors_in_units(J[row], large.jacobian_row(row)).max() <= 6


@pytest.mark.parametrize(("offset", "spread"), [(0.0, 2.0), (1e6, 150.0)])
def test_many_classes_are_within_the_bounds(offset: float, spread: float) -> None:
    rng = np.random.default_rng(2)
    C = 10_000
    z, g = offset + rng.normal(0, spread, C), 1e16 + 2 * rng.integers(-9, 9, C)
    large, at = oracle.Large(z), [0, int(np.argmax(z)), C - 1]
    assert errors_in_units(softmax(z), large.softmax()).max() <= 3
    assert errors_in_units(log_softmax(z), large.log_softmax()).max() <= 3
    assert errors_in_units(complement(z), large.complement()).max() <= 3
    assert errors_in_units(vjp(z, g)[at], *large.vjp(g, at)).max() <= 16


@pytest.mark.parametrize("family", **named([f for f in SMALL if f.logits.shape[1] == 10][::3]))
def test_the_oracle_for_many_classes_agrees_with_the_textbook(family: Family) -> None:
    z, T = family.logits[0], family.temperature
    large, J = oracle.Large(z, T), oracle.jacobian(z, T)
    pairs = [
        (large.softmax(), oracle.softmax(z, T)),
        (large.log_softmax(), oracle.log_softmax(z, T)),
        (large.complement(), oracle.complement(z, T)),
        (large.jacobian_row(3), J[3]),
    ]
    for large_values, values in pairs:
        for a, b in zip(large_values, values, strict=True):
            assert a == b or abs(a - b) <= abs(b) * 2.0**-200


def test_published_hard_values() -> None:
    # J[0][0] at (40, 0, 1) and log y_0 at (40, 0), from 2400-bit arithmetic: every library that
    # subtracts from 1 answers 0. (scipy issue 19521 and pytorch issue 113708 are of this kind.)
    assert jacobian([40.0, 0.0, 1.0])[0, 0] == pytest.approx(1.579659747e-17, rel=1e-9)
    assert log_softmax([40.0, 0.0])[0] == pytest.approx(-4.248354255291589e-18, rel=1e-15)


# --- structure ----------------------------------------------------------------------------------


@pytest.mark.parametrize("C", [1, 2, 3, 10, 33, 1000])
def test_equal_logits_give_exact_results(C: int) -> None:
    z = np.full(C, 0.1)
    assert (softmax(z) == 1 / C).all()
    assert (complement(z) == (C - 1) / C).all()
    assert (vjp(z, np.full(C, 1e16 / 3)) == 0).all()


def test_one_class_is_certain() -> None:
    for z in (0.0, -5.5, 1e300, -1.7976931348623157e308):
        assert softmax([z]) == 1
        assert bits(log_softmax([z])) == bits(np.zeros(1))
        assert bits(complement([z])) == bits(np.zeros(1))
        assert bits(jacobian([z])) == bits(np.zeros((1, 1)))
        assert bits(vjp([z], [1e300])) == bits(np.zeros(1))


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


def test_no_negative_zero_where_a_result_vanishes() -> None:
    z, g = [0.0, -800.0, -1000.0, -inf], [-1.0, -2.0, 0.0, -0.0]
    for result in (softmax(z), complement(z), jacobian(z), vjp(z, g)):
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


@settings(deadline=None, max_examples=150)
@given(LOGITS)
def test_probabilities_sum_to_one_and_jacobian_rows_to_zero(z: Floats) -> None:
    y, J = softmax(z), jacobian(z)
    assert (np.abs(y.sum(axis=-1) - 1) <= 4 * 2.0**-52).all()
    size = np.abs(J).sum(axis=-1)
    assert (np.abs(J.sum(axis=-1)) <= size * 8 * 2.0**-52 + 40 * 2.0**-1074).all()


@settings(deadline=None, max_examples=150)
@given(LOGITS)
def test_the_jacobian_is_exactly_symmetric(z: Floats) -> None:
    J = jacobian(z)
    assert bits(J) == bits(np.swapaxes(J, -1, -2))


@settings(deadline=None, max_examples=150)
@given(
    hnp.arrays(np.float64, st.integers(1, 40), elements=st.integers(-(2**20), 2**20)),
    st.integers(-(2**20), 2**20),
)
def test_a_shift_without_rounding_changes_nothing(eighths: Floats, shift: int) -> None:
    z = eighths / 2**10
    for function in FUNCTIONS:
        assert bits(function(z)) == bits(function(z + shift))


@settings(deadline=None, max_examples=100)
@given(LOGITS, st.sampled_from([1.0, 0.1, 3.0, 1e-300]))
def test_vjp_is_the_upstream_times_the_jacobian(z: Floats, T: float) -> None:
    g = np.random.default_rng(z.size).normal(0, 1, z.shape)
    J = jacobian(z, temperature=T)
    if np.isfinite(J).all():
        expected = np.einsum("kj,kji->ki", g, J)
        size = np.einsum("kj,kji->ki", np.abs(g), np.abs(J))
        error = np.abs(vjp(z, g, temperature=T) - expected)
        assert (error <= 60 * 2.0**-52 * size + 1e-320).all()


# --- one sample, any batch, any layout ----------------------------------------------------------


CALLS: dict[str, Function] = {
    "softmax": softmax,
    "log_softmax": log_softmax,
    "complement": complement,
    "vjp": lambda z, **options: vjp(z, np.cos(z), **options),
}


@pytest.mark.parametrize("T", [1.0, 0.1, 3.0])
@pytest.mark.parametrize("C", [1, 2, 3, 5, 10, 32, 33, 100, 1000, 9001])
@pytest.mark.parametrize("name", CALLS)
def test_the_bits_do_not_depend_on_batch_or_layout(name: str, C: int, T: float) -> None:
    function = CALLS[name]
    rng = np.random.default_rng(C)
    K = max(7, min(5000, 60_000 // C))
    z = rng.normal(0, 30, (K, C))
    z[rng.random((K, C)) < 0.01] = -800.0
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
    for function in (softmax, log_softmax, complement):
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


# --- what is refused ----------------------------------------------------------------------------


REFUSED: list[tuple[Any, dict[str, Any], type[Exception], str]] = [
    (1.0, {}, ValueError, "not a single number"),
    ([], {}, ValueError, "at least one class"),
    (np.zeros((3, 0)), {}, ValueError, "at least one class"),
    ([[1.0, 2.0], [3.0]], {}, ValueError, "inhomogeneous"),
    ([True, False], {}, TypeError, "real numbers, not bool"),
    ([1j, 2.0], {}, TypeError, "real numbers, not complex"),
    (["1", "2"], {}, TypeError, "real numbers, not <U1"),
    ([None, 1.0], {}, TypeError, "real numbers, not object"),
    (np.array(["2020-01-01"], dtype="M8[D]"), {}, TypeError, "real numbers, not datetime64"),
    ([1.0, 2.0], {"axis": 1}, ValueError, "axis"),
    ([1.0, 2.0], {"axis": -2}, ValueError, "axis"),
    ([1.0, 2.0], {"temperature": 0.0}, ValueError, "greater than 0, not 0.0"),
    ([1.0, 2.0], {"temperature": -1}, ValueError, "greater than 0, not -1"),
    ([1.0, 2.0], {"temperature": nan}, ValueError, "finite"),
    ([1.0, 2.0], {"temperature": inf}, ValueError, "finite"),
    ([1.0, 2.0], {"temperature": "1"}, TypeError, "real number"),
    ([1.0, 2.0], {"temperature": 1j}, TypeError, "real number"),
]


@pytest.mark.parametrize(("z", "options", "error", "match"), REFUSED)
def test_what_has_no_meaning_is_refused(
    z: Any, options: dict[str, Any], error: type[Exception], match: str
) -> None:
    for function in and_vjp(1.0):
        with pytest.raises(error, match=match):
            function(z, **options)


@pytest.mark.parametrize("g", [[1.0, 2.0], np.ones((2, 3)), np.ones((1, 3))])
def test_an_upstream_of_another_shape_is_refused(g: Any) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        vjp([1.0, 2.0, 3.0], g)


def test_any_real_number_is_a_temperature() -> None:
    temperatures: list[Any] = [2, np.float32(2), np.int64(2), Decimal(2)]
    for T in temperatures:
        assert bits(softmax([1.0, 2.0], temperature=T)) == bits(softmax([0.5, 1.0]))


@pytest.mark.parametrize(
    ("shifted", "g", "T"),
    [
        # e is 1e-301, the gradient 1e-8 and 1/T 1000: the result is a normal number again.
        ([0.0, -693.0, -100.0], [0.0, 1e-8, 3e-9], 1e-3),
        # e/T is subnormal, and a large gradient makes a normal number of it.
        ([0.0, -692.0, -650.0], [0.0, 1e270, 3e270], 2.0**99.5),
    ],
)
def test_a_product_that_is_subnormal_on_the_way_keeps_its_digits(
    shifted: list[float], g: list[float], T: float
) -> None:
    z = np.multiply(shifted, T)
    exact, size = oracle.vjp(z, g, T)
    assert errors_in_units(vjp(z, g, temperature=T), exact, size).max() <= 16
