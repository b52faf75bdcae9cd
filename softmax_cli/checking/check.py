"""Checking somebody's softmax, Jacobian or backward pass against the exact one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.checking import signs
from softmax_cli.checking.candidate import (
    Called,
    Function,
    ShapeFoundError,
    call,
    derivative_function,
)
from softmax_cli.checking.mistakes import (
    Case,
    Diagnosis,
    diagnose,
    diagnose_precision,
    diagnose_shape,
)
from softmax_cli.checking.verdict import Check, Compared, SampleCheck, Verdict, compare
from softmax_cli.errors import InputError, given_sample, visible
from softmax_cli.mathematics import core, finite_difference, memory
from softmax_cli.mathematics.finite_difference import METHODS, default_steps

FloatArray = NDArray[np.float64]
Candidate = ArrayLike | Callable[..., Any]

# What any right float64 implementation keeps, also where softmax saturates; atol at T = 1.
ATOL, RTOL = 1e-12, 1e-9
# How many arrays of the size of the Jacobians a comparison takes.
_MATRICES = 7


def check_probabilities(
    candidate: Candidate,
    logits: ArrayLike,
    *,
    temperature: float = 1.0,
    method: str = "central",
    step: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    classes: Sequence[str] | None = None,
    samples: Sequence[str] | None = None,
) -> Verdict:
    """Check somebody's softmax; of a function also its derivative, by finite differences.

    Parameters
    ----------
    candidate
        Probabilities of shape (K, C), or (C,) for one sample; or a function of the logits, which
        is given shape (K, C), or (C,) sample by sample if it cannot take a batch.
    logits
        Shape (K, C), or (C,) for one sample.
    temperature
        Of softmax.
    method, step
        The finite difference for a function's derivative, as in
        `softmax_cli.mathematics.finite_difference.jacobian`.
    atol, rtol
        An entry passes within atol + rtol abs(exact). By default atol is 1e-12 and rtol 1e-9;
        for the finite difference, what suits the method.
    classes, samples
        Names for the report; by default positions from 1.

    Returns
    -------
    The verdict: true if everything passed, with a readable ``str()``.

    Raises
    ------
    ValueError
        For logits or an array of a wrong shape; whatever a function returns is a finding instead.
    softmax_cli.checking.candidate.CandidateError
        When the function raises.

    Examples
    --------
    >>> import numpy as np
    >>> print(check_probabilities(lambda z: np.exp(z) / np.exp(z).sum(), [1.0, 2.0, 3.0]))
    PASS: probabilities: all 3 entries of 1 sample agree
    PASS: jacobian: all 9 entries of 1 sample agree
    """
    setting = _setting(logits, None, temperature, atol, rtol, classes, samples)
    check = _against_exact(setting, "probabilities", candidate)
    if callable(candidate) and not check.problem:
        function = derivative_function(candidate, check.one_by_one)
        derivative = _differentiated(setting, function, method, step)
        if not (check.passed and derivative.passed):
            found = _low_precision(setting, function, method, step, check)
            if found is not None:
                same = [found if each.name == found.name else each for each in check.diagnoses]
                check = replace(check, diagnoses=tuple(same))
                derivative = replace(derivative, diagnoses=() if derivative.passed else (found,))
        return _verdict(setting, check, derivative)
    return _verdict(setting, check)


def check_jacobian(
    candidate: Candidate,
    logits: ArrayLike,
    *,
    temperature: float = 1.0,
    atol: float | None = None,
    rtol: float | None = None,
    classes: Sequence[str] | None = None,
    samples: Sequence[str] | None = None,
) -> Verdict:
    """Check somebody's Jacobian, J[..., j, i] = dy_j/dz_i.

    Parameters
    ----------
    candidate
        Shape (K, C, C), stacked (K*C, C), or (C, C) for one sample; or a function that returns
        it. Otherwise as in `check_probabilities`.
    logits, temperature, atol, rtol, classes, samples
        As in `check_probabilities`; by default atol is 1e-12 / temperature.

    Returns
    -------
    The verdict: true if everything passed, with a readable ``str()``.

    Raises
    ------
    ValueError, softmax_cli.checking.candidate.CandidateError
        As in `check_probabilities`.

    Examples
    --------
    >>> import numpy as np
    >>> verdict = check_jacobian(lambda z: np.diag(np.exp(z)), [0.0, 0.0])
    >>> bool(verdict)
    False
    """
    setting = _setting(logits, None, temperature, atol, rtol, classes, samples)
    return _verdict(setting, _against_exact(setting, "jacobian", candidate))


def check_vjp(
    candidate: Candidate,
    logits: ArrayLike,
    upstream: ArrayLike,
    *,
    temperature: float = 1.0,
    atol: float | None = None,
    rtol: float | None = None,
    classes: Sequence[str] | None = None,
    samples: Sequence[str] | None = None,
) -> Verdict:
    """Check somebody's backward pass: the upstream gradient times the Jacobian.

    Parameters
    ----------
    candidate
        Shape (K, C), or (C,) for one sample; or a function of logits and upstream gradient.
        Otherwise as in `check_probabilities`.
    upstream
        The gradient g, which broadcasts to the shape of the logits.
    logits, temperature, atol, rtol, classes, samples
        As in `check_probabilities`; by default atol is 1e-12 max(1, abs(g)) / temperature.

    Returns
    -------
    The verdict: true if everything passed, with a readable ``str()``.

    Raises
    ------
    ValueError, softmax_cli.checking.candidate.CandidateError
        As in `check_probabilities`, and for an upstream gradient that does not fit.

    Examples
    --------
    >>> print(check_vjp([[0.25, -0.25]], [[0.0, 0.0]], [1.0, 0.0]))
    PASS: vjp: all 2 entries of 1 sample agree
    """
    setting = _setting(logits, upstream, temperature, atol, rtol, classes, samples)
    return _verdict(setting, _against_exact(setting, "vjp", candidate))


def check_softmax(
    pieces: Iterable[tuple[Sequence[str], FloatArray]],
    *,
    temperature: float,
    method: str,
    step: float | None,
    atol: float | None,
    rtol: float | None,
) -> Check:
    """Check our own exact Jacobian against finite differences, piece by piece.

    Parameters
    ----------
    pieces
        Labels and logits, shape (K, C), of some samples each.
    temperature, method, step, atol, rtol
        As in `check_probabilities`.
    """
    atol, rtol = _method_tolerances(method, temperature, atol, rtol)
    samples: list[tuple[str, SampleCheck]] = []
    worst, excess, estimates = 0, None, []
    for labels, z in pieces:
        _require_memory(z)
        numeric, errors = finite_difference.estimate(z, method, step, temperature)
        exact = core.jacobian(z, temperature=temperature)
        sign = _signs("jacobian", z, None, temperature)
        found = compare(exact, numeric, atol, rtol, sign=sign)
        if step is None:
            _refuse_coarse_steps(labels, z, found, method, temperature)
        if excess is None or found.excess.max() > excess.max():
            worst, excess = len(samples) + found.worst, found.excess
        samples += zip(labels, found.samples, strict=True)
        if errors is not None:
            estimates.append(float(errors.max()))
    return Check(
        "jacobian",
        tuple(samples),
        tuple(label for label, _ in samples),
        atol,
        rtol,
        **_how(method, step, temperature),
        worst=worst,
        excess=excess,
        error_estimate=max(estimates, default=None),
    )


def _signs(
    quantity: str, z: FloatArray, g: FloatArray | None, temperature: float
) -> Callable[[int, int | None, int | None], int]:
    """Tell the sign of the entry of a sample at an output and an input."""

    def sign(k: int, output: int | None, input_: int | None) -> int:
        gradient = None if g is None else g[k]
        return signs.entry(quantity, z[k], gradient, temperature, output, input_)

    return sign


def _refuse_coarse_steps(
    labels: Sequence[str], z: FloatArray, found: Compared, method: str, temperature: float
) -> None:
    """Refuse a verdict against logits whose float64 neighbours are further off than softmax bends.

    Raises
    ------
    InputError
        For the first sample that failed only for want of a smaller step.
    """
    steps = np.where(np.isfinite(z), default_steps(z, method, temperature), 0.0).max(axis=1)
    for label, sample, step in zip(labels, found.samples, steps, strict=True):
        if not sample.passed and step > 2 * METHODS[method].largest_step * temperature:
            raise InputError(
                f"sample {visible(label)}",
                f"expected logits nearer to 0 for {method} differences, found some where the "
                f"smallest step is {step:.3g}, too coarse to check with",
                "use --method complex-step, which needs no such step",
            )


def candidate_array(values: NDArray[Any], shape: tuple[int, ...]) -> FloatArray:
    """Bring an array to the shape (K, C, C) or (K, C): see the message for what is accepted.

    Raises
    ------
    ValueError
        For an array of another shape; the message says what was expected and found.
    """
    n_samples, n_classes = shape[:2]
    accepted = [shape]
    if len(shape) == 3 and n_samples > 1:
        accepted.append((n_samples * n_classes, n_classes))
    if n_samples == 1:
        accepted.append(shape[1:])
    if values.shape not in accepted:
        *others, last = map(str, accepted)
        expected = f"{', '.join(others)} or {last}" if others else last
        raise ValueError(f"expected shape {expected}, found {values.shape}")
    return np.asarray(values, dtype=np.float64).reshape(shape)


@dataclass(frozen=True, eq=False)
class _Setting:
    z: FloatArray
    g: FloatArray | None
    temperature: float
    atol: float | None
    rtol: float | None
    classes: tuple[str, ...]
    labels: tuple[str, ...]


def _setting(
    logits: ArrayLike,
    upstream: ArrayLike | None,
    temperature: float,
    atol: float | None,
    rtol: float | None,
    classes: Sequence[str] | None,
    samples: Sequence[str] | None,
) -> _Setting:
    z = np.atleast_2d(np.asarray(logits, dtype=np.float64))
    if z.ndim != 2 or 0 in z.shape:
        raise ValueError(f"expected logits of shape (K, C) or (C,), found {np.shape(logits)}")
    if not np.isfinite(core.softmax(z, temperature=temperature)).all():
        raise ValueError("expected finite logits or -inf, with at least one finite in each sample")
    g = None
    if upstream is not None:
        try:
            g = np.broadcast_to(np.asarray(upstream, dtype=np.float64), z.shape)
        except ValueError:
            found = f"{np.shape(upstream)} for logits of {z.shape}"
            raise ValueError(f"expected an upstream gradient that fits, found {found}") from None
        if not np.isfinite(g).all():
            raise ValueError("expected a finite upstream gradient")
    return _Setting(
        z, g, temperature, atol, rtol,
        _names(classes, z.shape[1], "classes"), _names(samples, z.shape[0], "samples"),
    )  # fmt: skip


def _names(names: Sequence[str] | None, count: int, what: str) -> tuple[str, ...]:
    if names is None:
        return tuple(str(position) for position in range(1, count + 1))
    if len(names) != count:
        raise ValueError(f"expected {count} names of {what}, found {len(names)}")
    return tuple(names)


def _verdict(setting: _Setting, *checks: Check) -> Verdict:
    return Verdict(checks, setting.classes, setting.temperature)


def _require_memory(z: FloatArray) -> None:
    """Ask for that of the Jacobians, exact and compared, with their errors and bounds."""
    K, C = z.shape
    memory.require(_MATRICES * 8 * K * C * C, f"{K} x {C} x {C} entries, compared,")


def _exact(setting: _Setting, quantity: str) -> FloatArray:
    if quantity == "probabilities":
        return core.softmax(setting.z, temperature=setting.temperature)
    if quantity == "jacobian":
        _require_memory(setting.z)
        return core.jacobian(setting.z, temperature=setting.temperature)
    assert setting.g is not None
    return core.vjp(setting.z, setting.g, temperature=setting.temperature)


def _exact_tolerances(setting: _Setting, quantity: str) -> tuple[float, float]:
    atol = ATOL if quantity == "probabilities" else ATOL / setting.temperature
    if setting.g is not None:
        atol *= max(1.0, float(np.abs(setting.g).max()))
    return (
        atol if setting.atol is None else setting.atol,
        RTOL if setting.rtol is None else setting.rtol,
    )


def _method_tolerances(
    method: str, temperature: float, atol: float | None, rtol: float | None
) -> tuple[float, float]:
    chosen = METHODS[method]
    return (
        chosen.atol / temperature if atol is None else atol,
        chosen.rtol if rtol is None else rtol,
    )


def _how(method: str, step: float | None, temperature: float) -> dict[str, Any]:
    """Say which finite difference it is, as `Check` does."""
    return {
        "method": method,
        "step": METHODS[method].relative_step * temperature if step is None else step,
        "step_is_relative": step is None and method in ("central", "forward"),
    }


def _against_exact(setting: _Setting, quantity: str, candidate: Candidate) -> Check:
    expected = _exact(setting, quantity)
    bound = _exact_tolerances(setting, quantity)
    if not callable(candidate):
        values = candidate_array(np.asarray(candidate), expected.shape)
        return _compared(setting, quantity, expected, values, bound)
    inputs = [setting.z] if quantity != "vjp" or setting.g is None else [setting.z, setting.g]
    try:
        called = call(candidate, inputs, expected.ndim - 1)
    except ShapeFoundError as error:
        diagnoses = _shape_diagnoses(expected, error, bound)
        given = "" if error.sample is None else given_sample(setting.labels[error.sample])
        problem = f"{error}{given}"
        return Check(quantity, (), setting.labels, *bound, problem=problem, diagnoses=diagnoses)
    return _compared(setting, quantity, expected, called.values, bound, called=called)


def _differentiated(
    setting: _Setting, function: Function, method: str, step: float | None
) -> Check:
    """Check the finite-difference Jacobian of somebody's softmax."""
    bound = _method_tolerances(method, setting.temperature, setting.atol, setting.rtol)
    _require_memory(setting.z)
    numeric, errors = finite_difference.estimate(
        setting.z, method, step, setting.temperature, function, inputs_at_once=1
    )
    how = _how(method, step, setting.temperature)
    how["error_estimate"] = None if errors is None else float(errors.max())
    return _compared(setting, "jacobian", _exact(setting, "jacobian"), numeric, bound, **how)


def _low_precision(
    setting: _Setting, function: Function, method: str, step: float | None, check: Check
) -> Diagnosis | None:
    """Find out whether a function is of low precision, and with which options it passes."""
    T = setting.temperature

    def differentiate(eps: float) -> tuple[str, float]:
        suited = finite_difference.step_at_precision(method, eps, T)
        numeric, _ = finite_difference.estimate(
            setting.z, method, suited or step, T, function, inputs_at_once=1
        )
        errors = [sample.max_abs_error for _, sample in check.samples]
        errors.append(float(np.abs(numeric - _exact(setting, "jacobian")).max()))
        return "" if suited is None else f"--step {suited:.6g}", max(errors)

    # Nearby, since of round logits a result may be exact, or say nothing of how it was rounded.
    z = setting.z + T * np.random.default_rng(0).uniform(0.1, 0.2, setting.z.shape)
    actual = function(z.copy())
    if actual.dtype.kind not in "biuf":
        return None
    expected = core.softmax(z, temperature=T)
    case = Case(
        "probabilities", z, None, T,
        expected, actual.astype(np.float64), check.atol, check.rtol,
    )  # fmt: skip
    return diagnose_precision(case, differentiate)


def _compared(
    setting: _Setting,
    quantity: str,
    expected: FloatArray,
    values: NDArray[Any],
    bound: tuple[float, float],
    called: Called | None = None,
    **how: Any,
) -> Check:
    if np.iscomplexobj(values):
        return Check(quantity, (), setting.labels, *bound, problem="complex numbers", **how)
    actual = values.astype(np.float64)
    sign = _signs(quantity, setting.z, setting.g, setting.temperature)
    found: Compared = compare(expected, actual, *bound, quantity, sign)
    diagnoses: tuple[Diagnosis, ...] = ()
    if not all(sample.passed for sample in found.samples):
        diagnoses = diagnose(
            Case(quantity, setting.z, setting.g, setting.temperature, expected, actual, *bound)
        )
    return Check(
        quantity,
        tuple(zip(setting.labels, found.samples, strict=True)),
        setting.labels,
        *bound,
        called="" if called is None else called.how,
        one_by_one=called is not None and called.one_by_one,
        worst=found.worst,
        excess=found.excess,
        diagnoses=diagnoses,
        **how,
    )


def _shape_diagnoses(
    expected: FloatArray, error: ShapeFoundError, bound: tuple[float, float]
) -> tuple[Diagnosis, ...]:
    if error.array is None:
        return ()
    return diagnose_shape(expected, error.array, *bound)
