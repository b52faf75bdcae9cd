"""Checking somebody's softmax, Jacobian or backward pass against the exact one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.checking.candidate import Function, ShapeFoundError, call, derivative_function
from softmax_cli.checking.diagnosis import diagnose, diagnose_shape, tolerances
from softmax_cli.checking.formulas import Case, FloatArray, Kind
from softmax_cli.checking.verdict import Check, Verdict, compare
from softmax_cli.mathematics import core, finite_difference, memory
from softmax_cli.mathematics.finite_difference import METHODS, default_steps, is_lost

Candidate = ArrayLike | Callable[..., Any]

# What any right float64 implementation keeps, also where softmax saturates; atol at T = 1.
ATOL, RTOL = 1e-12, 1e-9
# How many arrays of the size of the Jacobians a comparison takes.
_MATRICES = 7


class StepError(ValueError):
    """A finite difference would fail by its step, whatever it differentiates.

    Attributes
    ----------
    sample
        The label of the first sample that is concerned.
    problem
        What was found and what was expected.
    given
        Whether the user gave the step.
    """

    def __init__(self, sample: str, problem: str, given: bool) -> None:
        leave_out = "leave step out, or " if given else ""
        super().__init__(f"sample {sample}: {problem}; {leave_out}pass method='complex-step'")
        self.sample = sample
        self.problem = problem
        self.given = given


@dataclass(frozen=True)
class Comparison:
    """How results are compared, and functions differentiated; None is the default."""

    method: str | None = None
    step: float | None = None
    atol: float | None = None
    rtol: float | None = None
    temperature: float = 1.0


@dataclass(frozen=True, eq=False)
class Setting:
    """What results are compared with.

    Attributes
    ----------
    z, g
        Logits, and upstream gradients for the vjp, shape (K, C).
    classes, labels
        Names of the classes and of the samples.
    comparison
        How.
    """

    z: FloatArray
    g: FloatArray | None
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    comparison: Comparison

    @property
    def gradient(self) -> FloatArray:
        """The upstream gradient, which a vjp has."""
        assert self.g is not None
        return self.g

    def case(self, quantity: Kind, atol: float, rtol: float) -> Case:
        """Describe what a right candidate gives, and tolerances, atol at T = 1, as defaults."""
        how, z, (K, C) = self.comparison, self.z, self.z.shape
        g, T = None, how.temperature
        match quantity:
            case "probabilities":
                exact = core.softmax(z, temperature=T)
            case "jacobian":
                memory.require(_MATRICES * 8 * K * C * C, f"{K} x {C} x {C} entries, compared,")
                exact = core.jacobian(z, temperature=T)
                atol /= T
            case "vjp":
                g = self.gradient
                exact = core.vjp(z, g, temperature=T)
                atol *= max(1.0, float(np.abs(g).max())) / T
        atol = atol if how.atol is None else how.atol
        rtol = rtol if how.rtol is None else how.rtol
        return Case(quantity, z, g, T, exact, exact, atol, rtol)

    def verdict(self, *checks: Check) -> Verdict:
        """Give the verdict of these checks."""
        return Verdict(checks, self.classes, self.comparison.temperature)


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
    softmax_cli.checking.check.StepError
        When a finite difference would fail by its step: a ValueError too.

    Examples
    --------
    >>> import numpy as np
    >>> print(check_probabilities(lambda z: np.exp(z) / np.exp(z).sum(), [1.0, 2.0, 3.0]))
    PASS: probabilities: all 3 entries of 1 sample agree
    PASS: jacobian: all 9 entries of 1 sample agree
    """
    comparison = Comparison(method, step, atol, rtol, temperature)
    setting = _setting(logits, comparison, classes, samples)
    return check_candidate("probabilities", candidate, setting)


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
    comparison = Comparison(atol=atol, rtol=rtol, temperature=temperature)
    setting = _setting(logits, comparison, classes, samples)
    return check_candidate("jacobian", candidate, setting)


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
    comparison = Comparison(atol=atol, rtol=rtol, temperature=temperature)
    setting = _setting(logits, comparison, classes, samples, upstream)
    return check_candidate("vjp", candidate, setting)


def check_candidate(quantity: Kind, candidate: Candidate, setting: Setting) -> Verdict:
    """Check somebody's results; of a function for probabilities also its derivative."""
    case = setting.case(quantity, ATOL, RTOL)
    if not callable(candidate):
        values = candidate_array(np.asarray(candidate), case.expected.shape)
        return setting.verdict(_explained(replace(case, actual=values), setting))
    inputs = [setting.z, setting.gradient] if quantity == "vjp" else [setting.z]
    try:
        called = call(candidate, inputs, case.expected.ndim - 1)
    except ShapeFoundError as error:
        return setting.verdict(_unusable(case, setting, error))
    values = called.values.astype(np.float64)
    check = replace(_explained(replace(case, actual=values), setting), called=called.how)
    if quantity != "probabilities":
        return setting.verdict(check)
    function = derivative_function(candidate, called.one_by_one)
    return setting.verdict(*_with_derivative(setting, function, check))


def check_softmax(pieces: Iterable[Setting]) -> Check:
    """Check our own exact Jacobian against finite differences, some samples at a time."""
    checks = [_differentiated(piece) for piece in pieces]
    worst = max(checks, key=lambda check: check.worst_excess)
    before = sum(check.n_samples for check in checks[: checks.index(worst)])
    return replace(
        worst,
        samples=tuple(sample for check in checks for sample in check.samples),
        labels=tuple(label for check in checks for label in check.labels),
        worst=before + worst.worst,
        error_estimate=max(check.error_estimate or 0.0 for check in checks) or None,
    )


def candidate_array(values: NDArray[Any], shape: tuple[int, ...]) -> FloatArray:
    """Bring an array to the shape (K, C, C) or (K, C); a ValueError says what is accepted."""
    K, C = shape[:2]
    other = shape[1:] if K == 1 else (K * C, C)
    accepted = [shape] if len(shape) == 2 and K > 1 else [shape, other]
    if values.shape not in accepted:
        expected = " or ".join(map(str, accepted))
        raise ValueError(f"expected shape {expected}, found {values.shape}")
    return np.asarray(values, dtype=np.float64).reshape(shape)


def _setting(
    logits: ArrayLike,
    comparison: Comparison,
    classes: Sequence[str] | None,
    samples: Sequence[str] | None,
    upstream: ArrayLike | None = None,
) -> Setting:
    z = np.atleast_2d(np.asarray(logits, dtype=np.float64))
    if z.ndim != 2 or 0 in z.shape:
        raise ValueError(f"expected logits of shape (K, C) or (C,), found {np.shape(logits)}")
    if not np.isfinite(core.softmax(z, temperature=comparison.temperature)).all():
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
    K, C = z.shape
    return Setting(z, g, _names(classes, C, "classes"), _names(samples, K, "samples"), comparison)


def _names(names: Sequence[str] | None, count: int, what: str) -> tuple[str, ...]:
    if names is None:
        return tuple(str(position) for position in range(1, count + 1))
    if len(names) != count:
        raise ValueError(f"expected {count} names of {what}, found {len(names)}")
    return tuple(names)


def _explained(case: Case, setting: Setting) -> Check:
    """Compare, and add the known mistakes that explain a failure."""
    check = compare(case, setting.labels)
    return check if check.passed else replace(check, diagnoses=diagnose(case))


def _unusable(case: Case, setting: Setting, error: ShapeFoundError) -> Check:
    """Make the check of a function that returned nothing to compare."""
    given = "" if error.sample is None else f", given sample {setting.labels[error.sample]!r}"
    check = Check(case.quantity, (), setting.labels, case.atol, case.rtol)
    found = diagnose_shape(case, error.array)
    return replace(check, problem=f"{error}{given}", diagnoses=found)


def _with_derivative(setting: Setting, function: Function, check: Check) -> tuple[Check, ...]:
    """Check also the derivative of a function that was checked for probabilities."""
    try:
        checks = check, _differentiated(setting, function)
    except StepError as error:
        if check.passed or error.given:
            raise
        return (check,)
    if all(each.passed for each in checks):
        return checks
    T = setting.comparison.temperature
    # Nearby, since of round logits a result may be exact, or say nothing of how it was rounded.
    z = setting.z + T * np.random.default_rng(0).uniform(0.1, 0.2, setting.z.shape)
    actual, expected = function(z).astype(np.float64), core.softmax(z, temperature=T)
    case = Case("probabilities", z, None, T, expected, actual, check.atol, check.rtol)
    found = next((cause for cause in diagnose(case) if cause.allowance), None)
    if found is None:
        return checks
    largest = max(sample.max_abs_error for each in checks for _, sample in each.samples)
    cause = replace(found, allowance=tolerances(largest))
    return tuple(each if each.passed else replace(each, diagnoses=(cause,)) for each in checks)


def _differentiated(setting: Setting, function: Function | None = None) -> Check:
    """Check the finite-difference Jacobian of softmax itself, or of somebody's."""
    step, T = setting.comparison.step, setting.comparison.temperature
    name = setting.comparison.method or "central"
    method = METHODS[name]
    if step is not None and name != "complex-step":
        _refuse_lost_step(setting, step)
    case = setting.case("jacobian", method.atol, method.rtol)
    numeric, errors = finite_difference.estimate(setting.z, name, step, T, function)
    case = replace(case, actual=numeric)
    check = compare(case, setting.labels) if function is None else _explained(case, setting)
    if step is None:
        _refuse_coarse_steps(setting, name, check)
    return replace(
        check,
        method=name,
        step=method.relative_step * T if step is None else step,
        step_is_relative=step is None and name in ("central", "forward"),
        error_estimate=None if errors is None else float(errors.max()),
    )


def _refuse_lost_step(setting: Setting, step: float) -> None:
    """Raise StepError for a step that does not move a logit."""
    for k, i in np.argwhere(is_lost(setting.z, step)):
        problem = f"expected a step that moves every logit, found {step:g} at {setting.z[k, i]:g}"
        raise StepError(setting.labels[k], problem, given=True)


def _refuse_coarse_steps(setting: Setting, method: str, check: Check) -> None:
    """Raise StepError for a failure at logits whose float64 neighbours are too far apart."""
    T = setting.comparison.temperature
    steps = np.where(np.isfinite(setting.z), default_steps(setting.z, method, T), 0.0).max(axis=1)
    for (label, sample), step in zip(check.samples, steps, strict=True):
        if not sample.passed and step > 2 * METHODS[method].largest_step * T:
            found = f"found some where the smallest step is {step:.3g}, too coarse to check with"
            problem = f"expected logits nearer to 0 for {method} differences, {found}"
            raise StepError(label, problem, given=False)
