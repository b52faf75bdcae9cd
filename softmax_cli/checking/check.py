"""Checking somebody's softmax, Jacobian or backward pass against the exact one."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from softmax_cli.checking.candidate import Function, ShapeFoundError, call, derivative_function
from softmax_cli.checking.diagnosis import Diagnosis, diagnose, diagnose_shape, find_precision
from softmax_cli.checking.formulas import Case, FloatArray, Kind
from softmax_cli.checking.mistakes import CATALOGUE, tolerances
from softmax_cli.checking.verdict import Check, SampleCheck, Verdict, compare
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

    def bound(self, atol: float, rtol: float) -> tuple[float, float]:
        """Return the tolerances, or these where they are left to us."""
        return atol if self.atol is None else self.atol, rtol if self.rtol is None else self.rtol


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

    def exact(self, quantity: Kind) -> FloatArray:
        """Compute what a right candidate gives."""
        T = self.comparison.temperature
        match quantity:
            case "probabilities":
                return core.softmax(self.z, temperature=T)
            case "jacobian":
                K, C = self.z.shape
                memory.require(_MATRICES * 8 * K * C * C, f"{K} x {C} x {C} entries, compared,")
                return core.jacobian(self.z, temperature=T)
            case "vjp":
                return core.vjp(self.z, self.gradient, temperature=T)

    def bound(self, quantity: Kind) -> tuple[float, float]:
        """Return atol and rtol, of which a right candidate stays within."""
        scale = 1.0 if quantity == "probabilities" else 1 / self.comparison.temperature
        if quantity == "vjp":
            scale *= max(1.0, float(np.abs(self.gradient).max()))
        return self.comparison.bound(ATOL * scale, RTOL)

    @property
    def gradient(self) -> FloatArray:
        """The upstream gradient, which a vjp has."""
        assert self.g is not None
        return self.g


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
    setting = _setting(logits, None, comparison, classes, samples)
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
    comparison = Comparison(None, None, atol, rtol, temperature)
    setting = _setting(logits, None, comparison, classes, samples)
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
    comparison = Comparison(None, None, atol, rtol, temperature)
    setting = _setting(logits, upstream, comparison, classes, samples)
    return check_candidate("vjp", candidate, setting)


def check_candidate(quantity: Kind, candidate: Candidate, setting: Setting) -> Verdict:
    """Check somebody's results; of a function for probabilities also its derivative."""
    check = _against_exact(quantity, candidate, setting)
    if quantity != "probabilities" or not callable(candidate) or check.problem:
        return _verdict(setting, check)
    function = derivative_function(candidate, check.one_by_one)
    try:
        derivative = _differentiated(setting, function)
    except StepError as error:
        if check.passed or error.given:
            raise
        return _verdict(setting, check)
    if not (check.passed and derivative.passed):
        found = _low_precision(setting, function, check)
        if found is not None:
            same = [found if each.name == found.name else each for each in check.diagnoses]
            check = replace(check, diagnoses=tuple(same))
            derivative = replace(derivative, diagnoses=() if derivative.passed else (found,))
    return _verdict(setting, check, derivative)


def check_softmax(pieces: Iterable[Setting]) -> Check:
    """Check our own exact Jacobian against finite differences, some samples at a time."""
    samples: list[tuple[str, SampleCheck]] = []
    worst, excess, estimates = None, -1.0, []
    for piece in pieces:
        check = _differentiated(piece)
        if check.worst_excess > excess:
            excess = check.worst_excess
            worst = replace(check, worst=len(samples) + check.worst)
        samples += check.samples
        estimates.append(check.error_estimate or 0.0)
    assert worst is not None
    labels = tuple(label for label, _ in samples)
    estimate = None if worst.error_estimate is None else max(estimates)
    return replace(worst, samples=tuple(samples), labels=labels, error_estimate=estimate)


def candidate_array(values: NDArray[Any], shape: tuple[int, ...]) -> FloatArray:
    """Bring an array to the shape (K, C, C) or (K, C); a ValueError says what is accepted."""
    n_samples, n_classes = shape[:2]
    accepted = [shape]
    if len(shape) == 3 and n_samples > 1:
        accepted.append((n_samples * n_classes, n_classes))
    if n_samples == 1:
        accepted.append(shape[1:])
    if values.shape not in accepted:
        expected = " or ".join(map(str, accepted))
        raise ValueError(f"expected shape {expected}, found {values.shape}")
    return np.asarray(values, dtype=np.float64).reshape(shape)


def _setting(
    logits: ArrayLike,
    upstream: ArrayLike | None,
    comparison: Comparison,
    classes: Sequence[str] | None,
    samples: Sequence[str] | None,
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
    class_names = _names(classes, z.shape[1], "classes")
    return Setting(z, g, class_names, _names(samples, z.shape[0], "samples"), comparison)


def _names(names: Sequence[str] | None, count: int, what: str) -> tuple[str, ...]:
    if names is None:
        return tuple(str(position) for position in range(1, count + 1))
    if len(names) != count:
        raise ValueError(f"expected {count} names of {what}, found {len(names)}")
    return tuple(names)


def _verdict(setting: Setting, *checks: Check) -> Verdict:
    return Verdict(checks, setting.classes, setting.comparison.temperature)


def _against_exact(quantity: Kind, candidate: Candidate, setting: Setting) -> Check:
    expected, bound = setting.exact(quantity), setting.bound(quantity)
    if not callable(candidate):
        values = candidate_array(np.asarray(candidate), expected.shape)
        check = compare(quantity, setting.labels, expected, values, bound)
        return _explained(setting, check, expected, values)
    try:
        inputs = [setting.z, setting.gradient] if quantity == "vjp" else [setting.z]
        called = call(candidate, inputs, expected.ndim - 1)
    except ShapeFoundError as error:
        given = "" if error.sample is None else f", given sample {setting.labels[error.sample]!r}"
        found = () if error.array is None else diagnose_shape(expected, error.array, *bound)
        problem = f"{error}{given}"
        return Check(quantity, (), setting.labels, *bound, problem=problem, diagnoses=found)
    values = called.values.astype(np.float64)
    check = compare(quantity, setting.labels, expected, values, bound)
    check = replace(check, called=called.how, one_by_one=called.one_by_one)
    return _explained(setting, check, expected, values)


def _differentiated(setting: Setting, function: Function | None = None) -> Check:
    """Check the finite-difference Jacobian of softmax itself, or of somebody's."""
    how = setting.comparison
    name = how.method or "central"
    method = METHODS[name]
    if how.step is not None and name != "complex-step":
        _refuse_lost_step(setting, how.step)
    expected = setting.exact("jacobian")
    numeric, errors = finite_difference.estimate(
        setting.z, name, how.step, how.temperature, function
    )
    bound = how.bound(method.atol / how.temperature, method.rtol)
    check = replace(
        compare("jacobian", setting.labels, expected, numeric, bound),
        method=name,
        step=method.relative_step * how.temperature if how.step is None else how.step,
        step_is_relative=how.step is None and name in ("central", "forward"),
        error_estimate=None if errors is None else float(errors.max()),
    )
    if how.step is None:
        _refuse_coarse_steps(setting, check)
    return check if function is None else _explained(setting, check, expected, numeric)


def _refuse_lost_step(setting: Setting, step: float) -> None:
    """Raise StepError for a step that does not move a logit."""
    lost = np.argwhere(is_lost(setting.z, step))
    if len(lost):
        k, i = lost[0]
        problem = f"expected a step that moves every logit, found {step:g} at {setting.z[k, i]:g}"
        raise StepError(setting.labels[k], problem, given=True)


def _refuse_coarse_steps(setting: Setting, check: Check) -> None:
    """Raise StepError for a failure where float64 has no step so small as softmax bends."""
    T = setting.comparison.temperature
    steps = np.where(np.isfinite(setting.z), default_steps(setting.z, check.method, T), 0.0)
    for (label, sample), step in zip(check.samples, steps.max(axis=1), strict=True):
        if not sample.passed and step > 2 * METHODS[check.method].largest_step * T:
            problem = (
                f"expected logits nearer to 0 for {check.method} differences, found some where "
                f"the smallest step is {step:.3g}, too coarse to check with"
            )
            raise StepError(label, problem, given=False)


def _low_precision(setting: Setting, function: Function, check: Check) -> Diagnosis | None:
    """Find out whether a function is of low precision, and with which parameters it passes."""
    how = setting.comparison
    T, method = how.temperature, how.method or "central"
    # Nearby, since of round logits a result may be exact, or say nothing of how it was rounded.
    z = setting.z + T * np.random.default_rng(0).uniform(0.1, 0.2, setting.z.shape)
    actual = function(z.copy()).astype(np.float64)
    expected = core.softmax(z, temperature=T)
    found = find_precision(
        Case("probabilities", z, None, T, expected, actual, check.atol, check.rtol)
    )
    if found is None:
        return None
    name, eps = found
    step = finite_difference.step_at_precision(method, eps, T)
    numeric = finite_difference.jacobian(setting.z, method, step or how.step, T, function)
    errors = [sample.max_abs_error for _, sample in check.samples]
    errors.append(float(np.abs(numeric - setting.exact("jacobian")).max()))
    allowance = {} if step is None else {"step": step}
    return Diagnosis(name, CATALOGUE[name].advice, None, allowance | tolerances(max(errors)))


def _explained(setting: Setting, check: Check, expected: FloatArray, actual: FloatArray) -> Check:
    """Add the known mistakes that explain a failure."""
    if check.passed:
        return check
    T = setting.comparison.temperature
    g = setting.g if check.quantity == "vjp" else None
    case = Case(check.quantity, setting.z, g, T, expected, actual, check.atol, check.rtol)
    return replace(check, diagnoses=diagnose(case))
