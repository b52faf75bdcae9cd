"""A function is called for all samples, a second time, and with single ones."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from softmax_cli.checking import candidate
from softmax_cli.checking.candidate import Array, CandidateError, Function, ShapeFoundError
from softmax_cli.checking.formulas import FLOAT64, Precision, Task, deviation
from softmax_cli.checking.mistakes import diagnose_shape
from softmax_cli.checking.setting import Run, Setting

STATE = "state between calls"


@dataclass(eq=False)
class Calls:
    """How a function is called for results of all samples, and what it did.

    Attributes
    ----------
    function
        Of arrays of logits, and of gradients.
    task, setting
        What is computed.
    inputs, axis
        The arrays that it is given: logits, and perhaps gradients; and the axis of the classes.
    how
        The same in words.
    labels
        Of the samples, where they are given one at a time, as (C,).
    precision
        The format of what it returned.
    across
        The largest entry of a Jacobian that connects two samples, which must be 0.
    overwrote
        Whether it changed its input.
    takes_tensors
        Whether it is given torch tensors.
    is_alone
        Whether it may answer without the dimension of samples, since there is one.
    """

    function: Function
    task: Task
    setting: Setting
    inputs: tuple[Array, ...]
    axis: int
    how: str
    labels: tuple[str, ...] = ()
    precision: Precision = FLOAT64
    across: float = 0.0
    overwrote: bool = False
    takes_tensors: bool = False
    is_alone: bool = False

    def results(self, first: Array | None = None) -> Iterator[tuple[slice, Array]]:
        """Call it for all samples, some at a time; the first rows may be known."""
        z, axis = self.inputs[0], self.axis % self.inputs[0].ndim
        per, step = self.task.shape[1] if self.task.quantity == "jacobian" else 1, len(z)
        if self.labels:
            step = 1
        elif per > 1 and axis > 0:
            # So many entries of Jacobians are asked for at a time.
            step = max(1, (1 << 25) // (z[:1].size * per))
        for k in range(0, len(z), step):
            start, part = k * len(self.task.z) // len(z), k if self.labels else slice(k, k + step)
            try:
                rows = self.once([x[part] for x in self.inputs]) if first is None else first
            except CandidateError as error:
                error.given = f"sample {self.labels[k]!r}" if self.labels else "all samples"
                raise
            first = None
            yield slice(start, start + len(rows) // per), rows

    def once(self, inputs: Sequence[Array]) -> Array:
        """Call it once; return rows of C numbers, one a sample, or C for a Jacobian."""
        given = [self._as_given(each) for each in inputs]
        try:
            values = self.function(*given)
        except (Exception, SystemExit) as error:
            # torch's functions take nothing else, and say so in many ways.
            if "torch" in sys.modules and not self.takes_tensors:
                self.takes_tensors = True
                try:
                    return self.once(inputs)
                except ShapeFoundError:
                    raise
                except CandidateError:
                    self.takes_tensors = False
            raise CandidateError(f"raised {candidate.in_words(error)}") from error
        shape, quantity = inputs[0].shape, self.task.quantity
        array, self.precision = candidate.as_numbers(values, len(shape) + (quantity == "jacobian"))
        if np.iscomplexobj(array) and not np.iscomplexobj(inputs[0]):
            raise ShapeFoundError("complex numbers")
        try:
            rows, across = candidate.as_rows(array, shape, self.axis, quantity, file=self.is_alone)
        except ShapeFoundError as error:
            raise ShapeFoundError(candidate.tuple_of(values) or error.found, array) from None
        self.across = max(self.across, across)
        for before, after in zip(inputs, given, strict=True):
            was, now = (candidate.as_numbers(x)[0] for x in (self._as_given(before), after))
            self.overwrote |= not np.array_equal(was, now, equal_nan=True)
        # A copy, as the next call may overwrite what it returned.
        return rows.astype(complex if np.iscomplexobj(array) else float)

    def _as_given(self, values: Array) -> Any:
        """Copy numbers into the kind of array that the function is given."""
        name, torch = self.setting.precision.name, sys.modules.get("torch")
        if np.iscomplexobj(values):
            return values.copy()
        if torch and (self.takes_tensors or name == "bfloat16"):
            return torch.tensor(values, dtype=getattr(torch, name))
        return values.astype("float32" if name == "bfloat16" else name)

    def of_logits(self, z: Array) -> Array:
        """Call it for logits, shape (K, C), to be differentiated; a wrong shape is NaN.

        Raises
        ------
        CandidateError
            Where the function raises.
        NotComplexError
            Where it is given complex numbers and does not return them.
        """
        is_flat = self.inputs[0].ndim == 2 and self.axis == -1
        given = replace(self, inputs=(z if is_flat else self.setting.like_logits(z),))
        try:
            values = np.concatenate([rows for _, rows in given.results()])
        except CandidateError as error:
            if not isinstance(error, ShapeFoundError) and not np.iscomplexobj(z):
                raise
            values = np.full(z.shape, np.nan)
        if np.iscomplexobj(z) and not np.iscomplexobj(values):
            problem = "expected a function that takes complex numbers, found one that does not"
            hint = "choose `method='central'`, forward or richardson"
            raise candidate.NotComplexError(problem, "`method`", hint)
        return values


def called(function: Function, task: Task, setting: Setting) -> tuple[Calls, Array, list[str]]:
    """Find how a function can be called: with all samples, or one at a time; call it once.

    What raises, given a batch, is given single samples, as is what returns another shape where
    Jacobians are asked for; but for a batch that is turned.
    """
    rows = tuple(each for each in (task.z, task.g) if each is not None)
    inputs, (K, C) = tuple(map(setting.like_logits, rows)), task.z.shape
    shape = inputs[0].shape
    given = f"{'all samples at once' if len(shape) > 1 else 'one sample'}, shape {shape}"
    batched = Calls(function, task, setting, inputs, setting.axis, given)
    try:
        return batched, next(batched.results())[1], []
    except CandidateError as error:
        found = error
    if K > 1 and (theirs := found.array) is not None:
        # What is of one sample makes something else of a batch, but no batch of matrices.
        is_batch = theirs.shape == (C, K) or theirs.shape[1:] == (C, C)
        if task.quantity != "jacobian" or is_batch or diagnose_shape(task, theirs):
            raise found
    calls = Calls(function, task, setting, rows, -1, f"all samples at once, shape (1, {C})")
    if len(shape) > 1:
        calls = replace(calls, how=f"one sample at a time, shape ({C},)", labels=setting.labels)
    try:
        return calls, next(calls.results())[1], [f"given {given}, it {found.problem}"]
    except CandidateError as error:
        if K == 1 and found.array is not None:
            batched.is_alone = True
            return batched, next(batched.results())[1], []
        # What one of them returned is a finding; else the batch's own exception is told.
        raise max(found, error, key=lambda each: isinstance(each, ShapeFoundError))  # noqa: B904


def dependence(calls: Calls, run: Run, first: Array, notes: list[str]) -> tuple[str, str] | None:
    """Say how a result depends on more than its input, and why.

    The function is called a second time with equal input, and with single samples of its first
    batch, of as many dimensions; where it cannot take them, that is noted. The first rows of its
    first answer are known.
    """

    def repeated() -> str:
        return _difference(run, 0, first, next(calls.results())[1][: len(first)])

    if found := repeated():
        return f"given the same input again it returns another result: {found}", STATE
    z, C = calls.inputs[0], run.task.z.shape[1]
    n = len(first) // (C if run.task.quantity == "jacobian" else 1)
    shape = [C if axis == calls.axis % z.ndim else 1 for axis in range(z.ndim)]
    rows = [np.moveaxis(each, calls.axis, -1).reshape(-1, C) for each in calls.inputs]

    def given_alone(k: int) -> Array:
        return replace(calls, is_alone=True).once([each[k].reshape(shape) for each in rows])

    # Some 16 samples are given alone.
    for k in () if calls.labels or len(run.task.z) == 1 else range(0, n, max(1, n // 16)):
        try:
            alone = given_alone(k)
        except CandidateError as error:
            error.given = f"a single sample, shape {tuple(shape)}"
            if isinstance(error, ShapeFoundError):
                raise
            notes.append(f"given {error.given}, it {error.problem}")
            break
        if found := _difference(run, k, first, alone):
            changes = not np.allclose(given_alone(k), alone, equal_nan=True) or repeated()
            told = f"given alone it returns another result: {found}"
            return told, STATE if changes else "depends on more than the sample"
    return None


@np.errstate(all="ignore")
def _difference(run: Run, k: int, batch: Array, again: Array) -> str:
    """Tell the first entry, from sample k on, that differs by more than its bound, or ""."""
    per = batch.shape[1] if run.task.quantity == "jacobian" else 1
    before = batch[k * per :][: len(again)]
    atol = np.repeat(run.atol[k:], per)[: len(before), None]
    if not (differs := deviation(before, again, atol + run.rtol * np.abs(before)) > 1).any():
        return ""
    at, i = np.argwhere(differs)[0]
    label = run.setting.labels[k + at // per]
    return f"{again[at, i].item()} in place of {before[at, i].item()} in sample {label!r}"
