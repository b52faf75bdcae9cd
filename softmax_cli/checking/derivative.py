"""Finite differences against the exact Jacobian: of softmax itself, or of somebody's."""

from dataclasses import replace

import numpy as np

from softmax_cli.checking.calls import Calls
from softmax_cli.checking.candidate import CheckingError
from softmax_cli.checking.compare import Run
from softmax_cli.checking.formulas import Task
from softmax_cli.checking.precision import FLOAT32, FLOAT64
from softmax_cli.checking.setting import Setting
from softmax_cli.checking.verdict import Check
from softmax_cli.mathematics import finite_difference
from softmax_cli.mathematics.finite_difference import METHODS, Function, is_lost

# How many entries of softmax's own Jacobians are differentiated at a time.
_ENTRIES_AT_ONCE = 1 << 18
_WAY_OUT = "use `method='complex-step'`, which needs no such step"


class StepError(CheckingError, ValueError):
    """A finite difference would fail by its step, whatever it differentiates."""


def check_softmax(setting: Setting) -> Check:
    """Check our own exact Jacobian against finite differences."""
    task = setting.task("jacobian", FLOAT64)
    _refuse_lost_step(task, setting)
    check = replace(_differentiated(task, setting), diagnoses=())
    # What is exact can fail at a default step by nothing but that.
    if check.failed and {setting.step, setting.atol, setting.rtol} == {None}:
        found = "found some where every step is too coarse to check with"
        problem = f"expected logits nearer to 0 for {check.method} differences, {found}"
        raise StepError(problem, f"sample {check.labels[check.failed[0]]}", _WAY_OUT)
    return check


def with_derivative(check: Check, task: Task, calls: Calls, setting: Setting) -> list[Check]:
    """Check also the derivative of a function that was checked for probabilities."""
    if task.precision.bits < FLOAT32.bits:
        told = f"{task.precision.name} is too coarse to differentiate: no derivative was compared"
        return [replace(check, notes=(*check.notes, told))]
    _refuse_lost_step(task, setting)
    task = replace(task, quantity="jacobian")
    derivative = _differentiated(task, setting, calls.of_logits)
    if derivative.passed or (own := _differentiated(task, setting)).passed:
        # What computes the right values has a right derivative but for its precision.
        return [check, replace(derivative, diagnoses=() if check.passed else derivative.diagnoses)]
    fault, step = own.labels[own.failed[0]], setting.step
    if step is not None:
        problem = f"expected a step that suits {own.method} differences, found {step:g}"
        fails = f"with it softmax itself fails in sample {fault}"
        raise StepError(f"{problem}: {fails}", "`step`", f"leave it out, or {_WAY_OUT}")
    told = f"no {own.method} step is fine enough at sample {fault}: no derivative was compared"
    return [replace(check, notes=(*check.notes, told))]


def _differentiated(task: Task, setting: Setting, function: Function | None = None) -> Check:
    """Check the finite-difference Jacobian of softmax itself, or of somebody's."""
    T, eps, (K, C) = task.T, task.precision.eps, task.z.shape
    name, step = setting.method or "central", setting.step
    method = METHODS[name].for_roundoff(eps)
    atols = np.full(K, method.atol / T if setting.atol is None else setting.atol)
    if task.log and setting.atol is None:  # differences of larger values lose more
        log_y = replace(task, quantity="probabilities").exact()
        atols *= np.maximum(1.0, np.abs(np.where(task.z > -np.inf, log_y, 0.0)).max(axis=1))
    run = Run(task, setting, (atols, method.rtol if setting.rtol is None else setting.rtol))
    estimate = 0.0
    # A function is given all samples: its results may depend on how many there are.
    K_at_once = K if function else max(1, _ENTRIES_AT_ONCE // C**2)
    for start in range(0, K, K_at_once):
        part = slice(start, min(start + K_at_once, K))
        some = replace(task, z=task.z[part], g=None)
        found = finite_difference.columns(some.z, name, step, T, function, eps, task.log)
        for inputs, (slopes, *errors) in found:
            expected = some.columns(inputs)
            if task.log:  # -inf - -inf
                masked = np.broadcast_to((some.z == -np.inf)[:, None, :], slopes.shape)
                slopes[masked] = expected[masked]
            at = (np.arange(C) * C + inputs[:, None]).ravel()
            n = part.stop - start
            run.compare(part, at, expected.reshape(n, -1), slopes.reshape(n, -1))
            estimate = max(estimate, *(float(each.max()) for each in errors), 0.0)
    return replace(
        run.check(),
        method=name,
        step=method.relative_step * T if step is None else step,
        step_is_relative=step is None and name in ("central", "forward"),
        error_estimate=estimate if name == "richardson" else None,
    )


def _refuse_lost_step(task: Task, setting: Setting) -> None:
    """Raise StepError for a step that does not move a logit."""
    step = setting.step
    if step is None or setting.method == "complex-step":
        return
    for k, i in np.argwhere(is_lost(task.z, step)):
        problem = f"expected a step that moves every logit, found {step:g} at {task.z[k, i]:g}"
        where = f" in sample {setting.labels[k]}"
        raise StepError(problem + where, "`step`", f"leave it out, or {_WAY_OUT}")
