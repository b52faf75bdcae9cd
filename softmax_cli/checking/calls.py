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
from softmax_cli.checking.formulas import Task
from softmax_cli.checking.mistakes import Diagnosis
from softmax_cli.checking.setting import Setting

# How many entries of Jacobians a function is asked for at a time.
_OF_A_BATCH = 1 << 25
# How many samples are given alone.
_ALONE = 16
STATE = "state between calls"


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
    labels
        Of the samples, where they are given one at a time, as (C,).
    hint
        What the function did when it was given all samples at once, or "".
    """

    function: Function
    form: Form
    inputs: tuple[Array, ...]
    how: str
    labels: tuple[str, ...] = ()
    hint: str = ""

    def answers(self, first: Answer | None = None) -> Iterator[tuple[slice, Answer]]:
        """Call it for all samples, some at a time; the first answer may be known."""
        z, axis = self.inputs[0], self.form.axis % self.inputs[0].ndim
        step = len(z)
        if self.labels:
            step = 1
        elif self.form.rank == 2 and axis > 0:
            step = max(1, _OF_A_BATCH // (z[:1].size * z.shape[axis]))
        start = 0
        for k in range(0, len(z), step):
            part = k if self.labels else slice(k, k + step)
            answer = first or self._answer([each[part] for each in self.inputs], k)
            n = len(answer.rows) // (answer.rows.shape[1] if self.form.rank == 2 else 1)
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
                values = np.concatenate([answer.rows for _, answer in given.answers()])
            except (CandidateError, ShapeFoundError) as error:
                if isinstance(error, CandidateError) and not np.iscomplexobj(z):
                    raise
                values = np.full(z.shape, np.nan)
            if np.iscomplexobj(z) and not np.iscomplexobj(values):
                problem = "expected a function that takes complex numbers, found one that does not"
                hint = "choose `method='central'`, forward or richardson"
                raise NotComplexError(problem, "`method`", hint)
            return values

        return function

    def _answer(self, inputs: list[Array], k: int) -> Answer:
        try:
            return self.function(inputs, self.form)
        except CandidateError as error:
            error.given = f"sample {self.labels[k]!r}" if self.labels else "all samples"
            error.hint = "" if error.problem in self.hint else self.hint
            raise
        except ShapeFoundError as error:
            error.given = f"sample {self.labels[k]!r}" if self.labels else ""
            raise


def called(function: Function, task: Task, setting: Setting) -> tuple[Calls, Answer, list[str]]:
    """Find how a function can be called: with all samples, or one at a time; call it once.

    What raises or returns another shape, given a batch, is given single samples, but for a batch
    that is turned.
    """
    form, rows = setting.form(task.quantity), [task.z, *([] if task.g is None else [task.g])]
    inputs = tuple(setting.like_logits(each) for each in rows)
    shape, (K, C), notes = inputs[0].shape, task.z.shape, []
    given = f"{'all samples at once' if len(shape) > 1 else 'one sample'}, shape {shape}"
    calls = Calls(function, form, inputs, given)
    try:
        first = calls.first()
    except (CandidateError, ShapeFoundError) as error:
        found = error.array if isinstance(error, ShapeFoundError) else None
        if K > 1 and found is not None and found.shape == (C, K):
            raise
        did, hint = f"returned {error}", ""
        if isinstance(error, CandidateError):
            did, place = error.problem, f" ({error.place})" if error.place else ""
            hint = f"given all samples at once it {did}{place}"
        how = f"one sample at a time, shape ({C},)"
        calls = Calls(function, replace(form, axis=-1), tuple(rows), how, setting.labels, hint)
        if len(shape) == 1:
            calls = replace(calls, how=f"all samples at once, shape (1, {C})", labels=())
        try:
            first = calls.first()
        except (CandidateError, ShapeFoundError):
            if isinstance(error, ShapeFoundError):
                raise error from None
            raise
        notes.append(f"given {given}, it {did}")
    return replace(calls, form=replace(calls.form, tensors=first.tensors)), first, notes


def dependence(
    calls: Calls, run: Run, first: Array, notes: list[str]
) -> tuple[str, Diagnosis] | None:
    """Say how a result depends on more than its input, and why.

    The function is called a second time with equal input, and with single samples of its first
    batch, of as many dimensions; where it cannot take them, that is noted. The first rows of its
    first answer are known.
    """
    found = _difference(run, 0, first, calls.first().rows[: len(first)])
    if found:
        advice = "compute the result from the input alone: no counters, caches or random numbers."
        told = f"given the same input again it returns another result: {found}"
        return told, Diagnosis(STATE, advice)
    z, axis = calls.inputs[0], calls.form.axis
    C = z.shape[axis]
    n = len(first) // (C if calls.form.rank == 2 else 1)
    shape = [1] * z.ndim
    shape[axis] = C
    rows = [run.setting.rows(each) for each in calls.inputs]
    is_alone = calls.labels or len(run.task.z) == 1
    before = None
    for k in () if is_alone else range(0, n, max(1, n // _ALONE)):
        try:
            answer = calls.function([each[k].reshape(shape) for each in rows], calls.form)
        except (CandidateError, ShapeFoundError) as error:
            did = error.problem if isinstance(error, CandidateError) else f"returned {error}"
            notes.append(f"given a single sample, shape {tuple(shape)}, it {did}")
            break
        found = _difference(run, k, first, answer.rows)
        if found and before is not None and np.array_equal(before, answer.rows):
            advice = "compute the result from the input alone: it is that of the call before."
            return f"given alone it returns an old result: {found}", Diagnosis(STATE, advice)
        if found:
            advice = "compute each sample from its own logits: no sum or maximum over the batch."
            cause = Diagnosis("depends on the other samples", advice)
            return f"given alone it returns another result: {found}", cause
        before = answer.rows
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
