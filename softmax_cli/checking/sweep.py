"""Finite differences against the exact Jacobian, of softmax itself or of somebody's.

They have one step each, or are swept over many: the error against the step is a V of truncation
and rounding.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np

from softmax_cli.checking.calls import Calls, called
from softmax_cli.checking.candidate import CheckingError, Function, NotComplexError
from softmax_cli.checking.formulas import FLOAT32, FLOAT64, FloatArray, Task
from softmax_cli.checking.setting import Run, Setting
from softmax_cli.checking.verdict import Check
from softmax_cli.mathematics import core, finite_difference
from softmax_cli.mathematics.finite_difference import METHODS

# Twice a decade from 1e-1 to 1e-15.
STEPS = tuple(float(step) for p in range(1, 16) for step in (f"1e-{p}", f"3e-{p + 1}"))[:-1]


@dataclass(frozen=True, eq=False)
class Sweep:
    """The largest absolute error in J at each step.

    Attributes
    ----------
    steps
        Absolute, falling.
    errors
        By method, one a step. A logit that the step is too small to move is left out; NaN where
        none is left.
    n_samples
        How many samples the error is the largest of.
    candidate
        What the user calls the function; softmax, or log-softmax, for our own.
    """

    steps: tuple[float, ...]
    errors: Mapping[str, tuple[float, ...]]
    n_samples: int
    candidate: str

    @property
    def best(self) -> Mapping[str, tuple[float, float] | None]:
        """Each method's step with the smallest error, and that error; None if all are NaN."""
        best = {}
        for method, errors in self.errors.items():
            pairs = [(h, error) for h, error in zip(self.steps, errors, strict=True) if error >= 0]
            best[method] = min(pairs, key=lambda pair: pair[1], default=None)
        return best


class StepError(CheckingError, ValueError):
    """A finite difference would fail by its step, whatever it differentiates."""


def check_softmax(setting: Setting) -> Check:
    """Check our own exact Jacobian against finite differences."""
    check = replace(_differentiated(setting.task("jacobian", FLOAT64), setting), diagnoses=())
    # What is exact can fail at a default step by nothing but that, and nowhere gives NaN.
    is_default = {setting.step, setting.atol, setting.rtol} == {None}
    if check.failed and (is_default or np.isnan(check.samples.worst[2]).any()):
        raise _unsuited(setting.step, check)
    return check


def _unsuited(step: float | None, own: Check) -> StepError:
    """Blame the step with which softmax itself fails, or has no number."""
    found, way_out = ("none", "") if step is None else (f"{step:g}", "leave it out, or ")
    problem = f"expected a step that suits {own.method} differences, found {found}"
    fault = f"right values fail in sample {own.samples.labels[own.failed[0]]}"
    way_out += "use `method='complex-step'`, which needs no such step"
    return StepError(f"{problem}: {fault}", "`step`", way_out)


def with_derivative(check: Check, task: Task, calls: Calls, setting: Setting) -> list[Check]:
    """Check also the derivative of a function that was checked for probabilities."""
    fault = f"{task.precision.name} is too coarse to differentiate"
    if task.precision.bits >= FLOAT32.bits:
        values, rounded, task = task, task.precision.round, replace(task, quantity="jacobian")
        derivative = _differentiated(task, setting, calls.of_logits)
        # A right function of this precision: its differences can only fail by their step.
        is_complex = setting.method == "complex-step"
        right = None if is_complex else lambda z: rounded(values.given(z=rounded(z)))
        own = derivative if derivative.passed else _differentiated(task, setting, right)
        # Values that are off by as much as their bound allows may have differences that fail.
        off = check.atol + check.rtol if check.passed and own.passed and derivative.failed else 0.0
        if off and _differentiated(task, setting, calls.of_logits, off).passed:
            own = derivative
        if own.passed or derivative.passed:
            # What computes the right values has a right derivative but for its precision; that of
            # wrong values is wrong for their reason.
            names = {each.name for each in check.diagnoses}
            causes = tuple(each for each in derivative.diagnoses if each.name in names)
            return [check, replace(derivative, diagnoses=causes)]
        if setting.step is not None:
            raise _unsuited(setting.step, own)
        fault = f"no {own.method} step is fine enough at sample {setting.labels[own.failed[0]]}"
    return [replace(check, notes=(*check.notes, f"{fault}: no derivative was compared"))]


def _differentiated(
    task: Task, setting: Setting, function: Function | None = None, off: float = 0.0
) -> Check:
    """Check the finite-difference Jacobian of softmax itself, or of somebody's.

    The bound leaves room for values that are off by so much.
    """
    T, eps, (K, C) = task.T, task.precision.eps, task.z.shape
    name, step = setting.method or "central", setting.step
    method = METHODS[name].for_roundoff(eps)
    h = method.relative_step * T if step is None else step
    least = {"complex-step": T, "richardson": h / 2**finite_difference.ROWS}.get(name, h)
    atols = np.full(K, method.atol / T + 2 * off / max(least, 1e-300))
    if task.log:  # differences of larger values lose more
        log_y = replace(task, quantity="probabilities").exact()
        sizes = np.maximum(1.0, np.abs(np.where(task.z > -np.inf, log_y, 0.0)).max(axis=1))
        # Beside 0.1/T an entry of 1/T is not lost, but for what few digits lose.
        with np.errstate(over="ignore"):
            atols = np.minimum(atols * sizes, np.inf if off and eps > FLOAT64.eps else 0.1 / T)
    run = Run(task, setting, (atols, method.rtol))
    estimates: list[float] = []
    # A function is given all samples, as its results may depend on how many there are; softmax
    # itself so many logits at a time.
    K_at_once = K if function else max(1, (1 << 18) // C)
    for start in range(0, K, K_at_once):
        part = slice(start, min(start + K_at_once, K))
        for i, column in enumerate(_columns(task.some(part), name, step, function)):
            expected, slopes, *errors = column
            run.compare(part, np.arange(C) * C + i, expected, slopes)
            estimates += (float(each.max()) for each in errors)
    is_relative = step is None and name in ("central", "forward")
    scale = f"max(1, {'|z|' if T == 1 else '|z/T|'}), at most {method.largest_step * T:g}"
    check = replace(run.check(), method=name, step_scale=scale * is_relative)
    return replace(check, step=h, error_estimate=max(estimates, default=None))


def _columns(
    task: Task, method: str, step: float | None, function: Function | None
) -> Iterator[tuple[FloatArray, FloatArray, *tuple[FloatArray, ...]]]:
    """Yield the exact columns, the differences, and perhaps their estimated errors."""
    eps, masked = task.precision.eps, np.isneginf(task.z)
    found = finite_difference.columns(task.z, method, step, task.T, function, eps, task.log)
    for i, (slopes, *errors) in enumerate(found):
        expected = core.jacobian_rows(task.z, [i], task.T)[:, 0]  # it is symmetric
        if task.log:
            expected = ((i == np.arange(task.z.shape[1])) - task.y[:, i, None]) / task.T
        # No step shows the derivative of a logarithm that is -inf.
        yield expected, np.where(masked & task.log, expected, slopes), *errors


def sweep(setting: Setting, function: Function | None = None, name: str = "") -> Sweep:
    """Differentiate softmax, or somebody's, with every method and step."""
    task = setting.task("jacobian", FLOAT64)
    forward = replace(task, quantity="probabilities")
    theirs = called(function, forward, setting)[0].of_logits if function else None
    errors = {}
    for method in ("forward", "central", "complex-step"):
        with suppress(NotComplexError):  # it is left out
            errors[method] = tuple(_largest_error(task, method, h, theirs) for h in STEPS)
    return Sweep(STEPS, errors, len(task.z), name or "log-" * setting.log + "softmax")


def _largest_error(task: Task, method: str, h: float, function: Function | None) -> float:
    """Return the largest error in J of the logits that the step moves; NaN where it moves none."""
    moves = (task.z + h != task.z) | (method == "complex-step")
    columns = enumerate(_columns(task, method, h, function))
    errors = [np.abs(x[1] - x[0])[moves[:, i]].max(initial=-1) for i, x in columns]
    return float(np.max(errors)) if max(errors) != -1 else np.nan
