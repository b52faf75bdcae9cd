"""Finite differences against the exact Jacobian: of softmax itself, or of somebody's."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from softmax_cli.checking.calls import Calls
from softmax_cli.checking.candidate import Answer, Array, CheckingError
from softmax_cli.checking.compare import Run
from softmax_cli.checking.diagnosis import Diagnosis
from softmax_cli.checking.formulas import Task
from softmax_cli.checking.mistakes import CATALOGUE
from softmax_cli.checking.precision import FLOAT32, FLOAT64
from softmax_cli.checking.setting import Setting
from softmax_cli.checking.verdict import Check
from softmax_cli.mathematics import finite_difference
from softmax_cli.mathematics.finite_difference import METHODS, default_steps, is_lost

# How many entries of softmax's own Jacobians are differentiated at a time.
_ENTRIES_AT_ONCE = 1 << 18


class StepError(CheckingError, ValueError):
    """A finite difference would fail by its step, whatever it differentiates."""


def check_softmax(setting: Setting) -> Check:
    """Check our own exact Jacobian against finite differences."""
    return _differentiated(setting.task("jacobian", FLOAT64), setting, None)


def with_derivative(check: Check, task: Task, calls: Calls, setting: Setting) -> list[Check]:
    """Check also the derivative of a function that was checked for probabilities."""
    if task.precision.bits < FLOAT32.bits:
        told = f"{task.precision.name} is too coarse to differentiate: no derivative was compared"
        return [replace(check, notes=(*check.notes, told))]

    function = calls.of_logits(setting)
    _refuse_lost_step(task, setting)
    derivative = _differentiated(replace(task, quantity="jacobian"), setting, function)
    if derivative.passed:
        return [check, derivative]
    own = _differentiated(replace(task, quantity="jacobian"), setting, None, is_peer=True)
    fault = next((label for label, _ in own.failed), None)
    if fault is not None:
        if setting.comparison.step is not None:
            raise _coarse(fault, setting, given=True)
        told = f"no {own.method} step is fine enough at sample {fault}: no derivative was compared"
        return [replace(check, notes=(*check.notes, told))]
    if check.passed:  # what computes the right values has a right derivative but for its precision
        found = _precision_nearby(task, setting, function)
        derivative = replace(derivative, diagnoses=found)
    return [check, derivative]


def _precision_nearby(
    task: Task, setting: Setting, function: Callable[[Array], Array]
) -> tuple[Diagnosis, ...]:
    """Look for a lack of precision nearby: of round logits a result may be exact by chance."""
    z = task.z + task.T * np.random.default_rng(0).uniform(0.1, 0.2, task.z.shape)
    near = replace(task, z=z)
    run = Run(near, setting)
    run.add(slice(None), Answer(function(z)))
    return tuple(each for each in run.check().diagnoses if CATALOGUE[each.name].is_precision)


def _differentiated(
    task: Task,
    setting: Setting,
    function: Callable[[Array], Array] | None,
    *,
    is_peer: bool = False,
) -> Check:
    """Check the finite-difference Jacobian of softmax itself, or of somebody's."""
    how, T = setting.comparison, task.T
    name = how.method or "central"
    method = METHODS[name].for_roundoff(task.precision.eps)
    if function is None and not is_peer:
        _refuse_lost_step(task, setting)
    atol, rtol = (
        default if given is None else given
        for default, given in ((method.atol / T, how.atol), (method.rtol, how.rtol))
    )
    atols = np.full(len(task.z), atol)
    if task.log and how.atol is None:  # differences of larger values lose more
        log_y = replace(task, quantity="probabilities").exact()
        atols *= np.maximum(1.0, np.abs(np.where(task.z > -np.inf, log_y, 0.0)).max(axis=1))
    run = Run(task, setting, (atols, rtol))
    C, estimate = task.z.shape[1], 0.0
    eps = task.precision.eps
    K = len(task.z)
    # A function is given all samples: its results may depend on how many there are.
    K_at_once = K if function else max(1, _ENTRIES_AT_ONCE // C**2)
    for start in range(0, K, K_at_once):
        part = slice(start, min(start + K_at_once, K))
        some = replace(task, z=task.z[part], g=None)
        found = finite_difference.columns(some.z, name, how.step, T, function, eps, task.log)
        for inputs, (slopes, *errors) in found:
            expected = some.columns(inputs)
            if task.log:  # -inf - -inf
                masked = np.broadcast_to((some.z == -np.inf)[:, None, :], slopes.shape)
                slopes[masked] = expected[masked]
            at = (np.arange(C) * C + inputs[:, None]).ravel()
            n = part.stop - start
            run.compare(part, at, expected.reshape(n, -1), slopes.reshape(n, -1))
            estimate = max(estimate, *(float(each.max()) for each in errors), 0.0)
    check = replace(
        run.check(),
        method=name,
        step=method.relative_step * T if how.step is None else how.step,
        step_is_relative=how.step is None and name in ("central", "forward"),
        error_estimate=estimate if name == "richardson" else None,
    )
    if function is not None or is_peer:
        return check
    # What is exact can fail at a default step by nothing but that.
    if how.step is None and how.atol is None and how.rtol is None and check.failed:
        raise _coarse(check.failed[0][0], setting, given=False)
    return replace(check, diagnoses=())


def _coarse(label: str, setting: Setting, given: bool) -> StepError:
    how = setting.comparison
    k = setting.labels.index(label)
    z = setting.rows(setting.z)[k]
    name = how.method or "central"
    if given:
        problem = f"expected a step that suits {name} differences, found {how.step:g}"
        return _fault(label, f"{problem}: with it softmax itself fails", given)
    step = np.where(np.isfinite(z), default_steps(z, name, how.temperature), 0.0).max()
    found = f"found some where the smallest step is {step:.3g}, too coarse to check with"
    return _fault(label, f"expected logits nearer to 0 for {name} differences, {found}", given)


def _fault(label: str, problem: str, given: bool) -> StepError:
    """Blame the step, where the user gave it, or else the sample."""
    hint = "use <method='complex-step'>, which needs no such step"
    if given:
        return StepError(f"{problem} in sample {label}", "<step>", f"leave it out, or {hint}")
    return StepError(problem, f"sample {label}", hint)


def _refuse_lost_step(task: Task, setting: Setting) -> None:
    """Raise StepError for a step that does not move a logit."""
    step = setting.comparison.step
    if step is None or setting.comparison.method == "complex-step":
        return
    for k, i in np.argwhere(is_lost(task.z, step)):
        problem = f"expected a step that moves every logit, found {step:g} at {task.z[k, i]:g}"
        raise _fault(setting.labels[k], problem, given=True)
