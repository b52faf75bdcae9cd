"""A function is called for all samples, a second time, and with single ones."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from softmax_cli.checking.candidate import (
    Answer,
    Array,
    CandidateError,
    Form,
    Function,
    NotComplexError,
    ShapeFoundError,
)
from softmax_cli.checking.compare import Run
from softmax_cli.checking.diagnosis import Diagnosis
from softmax_cli.checking.formulas import Task
from softmax_cli.checking.setting import Setting

# How many entries of Jacobians a function is asked for at a time.
_OF_A_BATCH = 1 << 25
# How many samples are given alone.
_ALONE = 16


@dataclass(frozen=True, eq=False)
class Calls:
    """How a function is called for results of all samples.

    Attributes
    ----------
    function, form
        Of arrays of logits, and of gradients; and how its results lie.
    inputs
        The arrays that it is given: logits, and perhaps gradients.
    how
        The same in words.
    alone
        Whether samples are given one at a time, as (C,).
    at_once
        What the function raised before, when it was given all samples at once, or None.
    """

    function: Function
    form: Form
    inputs: tuple[Array, ...]
    how: str
    alone: bool = False
    at_once: CandidateError | None = None

    def answers(self, first: Answer | None = None) -> Iterator[tuple[slice, Answer]]:
        """Call it for all samples, some at a time; the first answer may be known."""
        start = 0
        for inputs in self._batches():
            answer = first or self._answer(inputs, start)
            n = answer.rows.shape[0] // (answer.rows.shape[1] if self.form.rank == 2 else 1)
            yield slice(start, start + n), answer
            start, first = start + n, None

    def first(self) -> Answer:
        """Call it for the first samples."""
        return next(self.answers())[1]

    def of_logits(self, setting: Setting) -> Callable[[Array], Array]:
        """Return the function of logits, shape (K, C), that is differentiated.

        It raises `CandidateError` where the function raises, and `NotComplexError` where it is
        given complex numbers and does not return them. A result of another shape is NaN.
        """

        def function(z: Array) -> Array:
            given = replace(self, inputs=(setting.like_logits(z),))
            try:
                values = np.concatenate([answer.rows[:] for _, answer in given.answers()])
            except (CandidateError, ShapeFoundError) as error:
                if np.iscomplexobj(z):
                    raise NotComplexError from error
                if isinstance(error, CandidateError):
                    raise
                return np.full(z.shape, np.nan)
            if np.iscomplexobj(z) and not np.iscomplexobj(values):
                raise NotComplexError
            return values

        return function

    def _batches(self) -> Iterator[list[Array]]:
        z, axis = self.inputs[0], self.form.axis % self.inputs[0].ndim
        step = len(z)
        if self.alone:
            step = 1
        elif self.form.rank == 2 and axis > 0:
            step = max(1, _OF_A_BATCH // (z[:1].size * z.shape[axis]))
        for k in range(0, len(z), step):
            part = k if self.alone else slice(k, k + step)
            yield [each[part] for each in self.inputs]

    def _answer(self, inputs: list[Array], k: int) -> Answer:
        try:
            answer = self.function(inputs, self.form)
        except (CandidateError, ShapeFoundError) as error:
            error.sample = k if self.alone else None
            if isinstance(error, CandidateError):
                error.at_once = self.at_once
            raise
        n = inputs[0].size // (1 if self.form.rank == 2 else inputs[0].shape[self.form.axis])
        if answer.rows.shape != (n, inputs[0].shape[self.form.axis]):
            raise CandidateError("answered what cannot be read", sample=k if self.alone else None)
        return answer


def called(function: Function, task: Task, setting: Setting) -> tuple[Calls, Answer, list[str]]:
    """Find how a function can be called: with all samples, or one at a time; call it once."""
    form, rows = setting.form(task.quantity), [task.z, *([] if task.g is None else [task.g])]
    inputs = tuple(setting.like_logits(each) for each in rows)
    shape, C = inputs[0].shape, task.z.shape[1]
    given = "all samples at once" if len(shape) > 1 else "one sample"
    calls = Calls(function, form, inputs, f"{given}, shape {shape}")
    try:
        first = calls.first()
        return replace(calls, form=replace(form, tensors=first.tensors)), first, []
    except (CandidateError, ShapeFoundError) as error:
        at_once = error
        if isinstance(error, CandidateError) and error.ended:
            raise
    found = at_once.array if isinstance(at_once, ShapeFoundError) else None
    is_turned = found is not None and found.shape == task.z.T.shape
    if len(task.z) > 1 and task.quantity != "jacobian" and is_turned:
        raise at_once  # it takes a batch, and turns it
    form = replace(form, axis=-1)
    if len(shape) > 1:
        how = f"one sample at a time, shape ({C},)"
        raised = at_once if isinstance(at_once, CandidateError) else None
        calls = Calls(function, form, tuple(rows), how, alone=True, at_once=raised)
    else:
        calls = Calls(function, form, tuple(rows), f"all samples at once, shape (1, {C})")
    try:
        first = calls.first()
    except (CandidateError, ShapeFoundError):
        if isinstance(at_once, ShapeFoundError):
            raise at_once from None
        raise
    did = at_once.problem if isinstance(at_once, CandidateError) else f"returned {at_once}"
    notes = [f"given {given}, shape {shape}, it {did}"]
    return replace(calls, form=replace(form, tensors=first.tensors)), first, notes


@dataclass(frozen=True)
class Dependence:
    """A result that depends on more than its input: what was found, and why.

    It yields to a known mistake that explains the results of the batch.
    """

    told: str
    cause: Diagnosis
    yields: bool


def dependence(calls: Calls, run: Run, first: Array, notes: list[str]) -> Dependence | None:
    """Call a function a second time with equal input, and with single samples of its first batch.

    These have as many dimensions; where it cannot take them, that is noted. The first rows of its
    first answer are known.
    """
    found = _difference(run, 0, first, calls.first().rows[: len(first)])
    if found:
        advice = "compute the result from the input alone: no counters, caches or random numbers."
        cause = Diagnosis("state between calls", advice)
        told = f"given the same input again it returns another result: {found}"
        return Dependence(told, cause, yields=False)
    z, axis = calls.inputs[0], calls.form.axis
    C = z.shape[axis]
    n = len(first) // (C if calls.form.rank == 2 else 1)
    shape = [1] * z.ndim
    shape[axis] = C
    rows = [run.setting.rows(each) for each in calls.inputs]
    is_alone = calls.alone or len(run.task.z) == 1
    alone = range(0) if is_alone else range(0, n, max(1, n // _ALONE))
    for k in alone:
        inputs = [each[k].reshape(shape) for each in rows]
        try:
            answer = calls.function(inputs, calls.form)
        except (CandidateError, ShapeFoundError) as error:
            if isinstance(error, CandidateError) and error.ended:
                raise
            did = error.problem if isinstance(error, CandidateError) else f"returned {error}"
            notes.append(f"given a single sample, shape {tuple(shape)}, it {did}")
            break
        found = _difference(run, k, first, answer.rows[:])
        if found:
            advice = "compute each sample from its own logits: no sum or maximum over the batch."
            cause = Diagnosis("depends on the other samples", advice)
            told = f"given alone it returns another result: {found}"
            return Dependence(told, cause, yields=True)
    return None


@np.errstate(all="ignore")
def _difference(run: Run, k: int, batch: Array, again: Array) -> str:
    """Tell the first entry, from sample k on, that differs by more than its bound, or ""."""
    per = batch.shape[1] if run.task.quantity == "jacobian" else 1
    before = batch[k * per :][: len(again)]
    atol = np.repeat(run.atol[k:], per)[: len(before), None]
    same = (before == again) | (np.isnan(before) & np.isnan(again))
    differs = ~same & ~(np.abs(before - again) <= atol + run.rtol * np.abs(before))
    if not differs.any():
        return ""
    at, i = np.argwhere(differs)[0]
    label = run.setting.labels[k + at // per]
    return f"{again[at, i]:.6g} in place of {before[at, i]:.6g} in sample {label!r}"
