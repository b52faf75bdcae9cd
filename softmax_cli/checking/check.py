"""Checking somebody's softmax, Jacobian or backward pass against the exact one."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypedDict, Unpack

import numpy as np
from numpy.typing import ArrayLike

from softmax_cli.checking.candidate import (
    Answer,
    Array,
    CandidateError,
    Form,
    Function,
    NotComplexError,
    ShapeFoundError,
    as_numbers,
    as_rows,
    local,
    within_samples,
)
from softmax_cli.checking.diagnosis import Diagnosis, diagnose, diagnose_shape
from softmax_cli.checking.formulas import Case, FloatArray, Kind, Task
from softmax_cli.checking.mistakes import CATALOGUE
from softmax_cli.checking.precision import (
    FLOAT32,
    FLOAT64,
    PRECISIONS,
    Precision,
    printed_digits,
)
from softmax_cli.checking.trials import SIZES, draw_gradient, note_on_gradient, stress_samples
from softmax_cli.checking.verdict import Check, Tally, Verdict
from softmax_cli.mathematics import core, finite_difference
from softmax_cli.mathematics.finite_difference import METHODS, default_steps, is_lost

Candidate = ArrayLike | Callable[..., Any]

# How many entries are held at a time: of all results that are told in full, and of a batch's.
_HELD = 1 << 22
_AT_ONCE = 1 << 20
_OF_A_BATCH = 1 << 25
_ALONE = 16
_SATURATED = 1 - 1e-9


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
        self.sample, self.problem, self.given = sample, problem, given


@dataclass(frozen=True)
class Comparison:
    """How results are compared, and functions differentiated; None is the default."""

    temperature: float = 1.0
    axis: int = -1
    log: bool = False
    dtype: str | None = None
    atol: float | None = None
    rtol: float | None = None
    method: str | None = None
    step: float | None = None
    forward_only: bool = False
    stress: bool = False


class Options(TypedDict, total=False):
    """The keywords of the public checks."""

    temperature: float
    axis: int
    log: bool
    dtype: str | None
    atol: float | None
    rtol: float | None
    stress: bool
    classes: Sequence[str] | None
    samples: Sequence[str] | None


class ForwardOptions(Options, total=False):
    """Those of a check that differentiates."""

    method: str
    step: float | None
    forward_only: bool


@dataclass(frozen=True, eq=False)
class Setting:
    """What results are compared with.

    Attributes
    ----------
    z, g
        Logits, of any shape with an axis of classes, and upstream gradients for the vjp.
    classes, labels
        Names of the classes and of the samples.
    comparison
        How.
    drawn
        Whether the upstream gradient is our own.
    """

    z: FloatArray
    g: FloatArray | None
    classes: tuple[str, ...]
    labels: tuple[str, ...]
    comparison: Comparison = field(default_factory=Comparison)
    drawn: bool = False

    @property
    def precision(self) -> Precision:
        """The number format that the user named, or float64."""
        return PRECISIONS[self.comparison.dtype or "float64"]

    def rows(self, values: FloatArray) -> FloatArray:
        """Bring logits or gradients to the shape (K, C)."""
        last = np.moveaxis(values, self.comparison.axis, -1)
        return last.reshape(-1, last.shape[-1])

    def like_logits(self, rows: Array) -> Array:
        """Bring rows, shape (K, C), to the shape of the logits."""
        last = np.moveaxis(self.z, self.comparison.axis, -1).shape
        return np.moveaxis(rows.reshape(last), -1, self.comparison.axis)

    def form(self, quantity: Kind) -> Form:
        """Say how results of functions lie."""
        rank = 2 if quantity == "jacobian" else 1
        return Form(rank, self.comparison.axis, self.precision)

    def task(self, quantity: Kind, precision: Precision) -> Task:
        """Say what is computed, of logits and gradients in this precision."""
        how = self.comparison
        g = None
        if quantity == "vjp":
            assert self.g is not None
            g = precision.round(self.rows(self.g))
        z = precision.round(self.rows(self.z))
        return Task(quantity, z, g, how.temperature, how.log, precision)

    def tolerances(self, task: Task) -> tuple[FloatArray, float]:
        """Return the bound: atol for each sample, and rtol, as given or by default."""
        atol, rtol = task.tolerances()
        if self.comparison.atol is not None:
            atol = np.full(len(task.z), self.comparison.atol)
        return atol, rtol if self.comparison.rtol is None else self.comparison.rtol

    def verdict(self, *checks: Check) -> Verdict:
        """Give the verdict of these checks."""
        drawn = self.rows(self.g) if self.drawn and self.g is not None else None
        return Verdict(checks, self.classes, self.comparison.temperature, drawn)


def check_probabilities(
    candidate: Candidate, logits: ArrayLike, **options: Unpack[ForwardOptions]
) -> Verdict:
    """Check somebody's softmax; of a function also its derivative, by finite differences.

    Parameters
    ----------
    candidate
        Probabilities of the shape of the logits; or a function of the logits, which is given all
        of them, or one sample, (C,), at a time if it cannot take a batch. Numpy arrays and torch
        tensors are taken and returned.
    logits
        Any shape with an axis of classes: (C,), (K, C), (..., C).
    temperature : float, default 1
        Of softmax.
    axis : int, default -1
        The axis of the classes.
    log : bool, default False
        Check log-softmax, and log-probabilities, instead.
    dtype : {"float64", "float32", "float16", "bfloat16"}, optional
        The precision that results are judged in. By default that of the candidate's results. The
        exact results are those of the logits rounded to it.
    atol, rtol : float, optional
        An entry passes within atol + rtol abs(exact). By default atol is 1e-12 and rtol 1e-9 in
        float64, and what rounding leaves in others; for the finite difference, what suits it.
    stress : bool, default False
        Give a function samples of our own too: large, tied, masked, saturated, and batches of
        other sizes.
    method, step : optional
        The finite difference for a function's derivative, as in
        `softmax_cli.mathematics.finite_difference.jacobian`.
    forward_only : bool, default False
        Leave the derivative out.
    classes, samples : sequences of str, optional
        Names for the report; by default positions from 1.

    Returns
    -------
    The verdict: true if everything passed, with a readable ``str()`` and `raise_if_failed`.

    Raises
    ------
    ValueError
        For logits or an array of a wrong shape; whatever a function returns is a finding instead.
    softmax_cli.CandidateError
        When the function raises.
    softmax_cli.checking.check.StepError
        When a finite difference would fail by a step that was given: a ValueError too.

    Examples
    --------
    >>> import numpy as np
    >>> print(check_probabilities(lambda z: np.exp(z) / np.exp(z).sum(), [1.0, 2.0, 3.0]))
    PASS: probabilities: all 3 entries of 1 sample agree
    PASS: jacobian: all 9 entries of 1 sample agree
    note: one sample cannot show a wrong axis or a division by the batch size
    note: exp that is not shifted by the maximum passes logits this small; see stress=True
    """
    return _check("probabilities", candidate, logits, None, options)


def check_jacobian(candidate: Candidate, logits: ArrayLike, **options: Unpack[Options]) -> Verdict:
    """Check somebody's Jacobian, J[..., j, i] = dy_j/dz_i.

    Parameters
    ----------
    candidate
        Shape (..., C, C), stacked (K*C, C), batch last (C, C, ...), or as autograd tools return
        it for a batch, (K, C, K, C) or (K*C, K*C); or a function that returns it. Otherwise as in
        `check_probabilities`.
    logits, options
        As in `check_probabilities`; by default atol is 1e-12 / temperature.

    Returns
    -------
    The verdict: true if everything passed, with a readable ``str()`` and `raise_if_failed`.

    Raises
    ------
    ValueError, softmax_cli.CandidateError
        As in `check_probabilities`.

    Examples
    --------
    >>> import numpy as np
    >>> verdict = check_jacobian(lambda z: np.diag(np.exp(z)), [0.0, 0.0])
    >>> bool(verdict)
    False
    """
    return _check("jacobian", candidate, logits, None, options)


def check_vjp(
    candidate: Candidate,
    logits: ArrayLike,
    upstream: ArrayLike | None = None,
    **options: Unpack[Options],
) -> Verdict:
    """Check somebody's backward pass: the upstream gradient times the Jacobian.

    Parameters
    ----------
    candidate
        Of the shape of the logits; or a function of logits and upstream gradient. Otherwise as in
        `check_probabilities`.
    upstream
        The gradient g, which broadcasts to the shape of the logits. By default a general one is
        drawn, the same in every run: without zeros, equal entries or ones, which hide mistakes.
    logits, options
        As in `check_probabilities`; by default atol is 1e-12 max(1, abs(g)) / temperature, with
        the gradient of each sample.

    Returns
    -------
    The verdict: true if everything passed, with a readable ``str()`` and `raise_if_failed`.

    Raises
    ------
    ValueError, softmax_cli.CandidateError
        As in `check_probabilities`, and for an upstream gradient that does not fit.

    Examples
    --------
    >>> print(check_vjp([[0.25, -0.25], [0.5, -0.5]], [[0.0, 0.0]] * 2, [[1.0, 0.0], [2.0, 0.0]]))
    PASS: vjp: all 4 entries of 2 samples agree
    note: an upstream gradient that is one-hot hides a squared or absolute gradient, and wrong
    sums over the classes; leave it out to have one drawn
    """
    return _check("vjp", candidate, logits, upstream, options)


def _check(
    quantity: Kind,
    candidate: Candidate,
    logits: ArrayLike,
    upstream: ArrayLike | None,
    options: Any,
) -> Verdict:
    """Check results or a function of this process."""
    names = {each: options.pop(each, None) for each in ("classes", "samples")}
    comparison = Comparison(**options)
    if comparison.dtype not in (None, *PRECISIONS):
        known = ", ".join(PRECISIONS)
        raise ValueError(f"expected dtype to be one of {known}, found {comparison.dtype!r}")
    z = _real(logits, "logits")
    if z.ndim == 0 or 0 in z.shape:
        raise ValueError(f"expected logits with an axis of classes, found shape {z.shape}")
    setting = Setting(z, None, (), (), comparison)
    C = z.shape[comparison.axis]
    y = core.softmax(setting.rows(z), temperature=comparison.temperature)
    if not np.isfinite(y).all():
        raise ValueError("expected finite logits or -inf, with at least one finite in each sample")
    classes = _names(names["classes"], range(1, C + 1), "classes")
    labels = _names(names["samples"], positions(z.shape, comparison.axis), "samples")
    setting = replace(setting, classes=classes, labels=labels)
    if quantity == "vjp":
        setting = with_gradient(setting, None if upstream is None else _real(upstream, "upstream"))
    if callable(candidate):
        return setting.verdict(*check_function(quantity, local(candidate), setting))
    values, precision = as_numbers(candidate)
    return setting.verdict(check_results(quantity, values, precision, setting))


def positions(shape: tuple[int, ...], axis: int = -1) -> list[str]:
    """Name the samples of logits by their positions from 1: ``3``, or ``1-3`` of more axes."""
    lead = np.delete(shape, axis)
    return (
        ["-".join(str(k + 1) for k in each) for each in np.ndindex(*lead)] if len(lead) else ["1"]
    )


def with_gradient(setting: Setting, upstream: FloatArray | None) -> Setting:
    """Add an upstream gradient, a drawn one by default; a ValueError says what does not fit."""
    if upstream is None:
        K, C = setting.rows(setting.z).shape
        return replace(setting, g=setting.like_logits(draw_gradient(K, C)), drawn=True)
    try:
        g = np.broadcast_to(upstream, setting.z.shape)
    except ValueError:
        found = f"{upstream.shape} for logits of {setting.z.shape}"
        raise ValueError(f"expected an upstream gradient that fits, found {found}") from None
    if not np.isfinite(g).all():
        raise ValueError("expected a finite upstream gradient")
    return replace(setting, g=g)


def _real(values: ArrayLike, name: str) -> FloatArray:
    try:
        array, _ = as_numbers(values)
    except ShapeFoundError as error:
        raise ValueError(f"expected {name} as numbers, found {error}") from None
    return array.astype(np.float64)


def _names(names: Sequence[str] | None, default: Iterable[object], what: str) -> tuple[str, ...]:
    known = tuple(map(str, default))
    if names is None:
        return known
    if len(names) != len(known):
        raise ValueError(f"expected {len(known)} names of {what}, found {len(names)}")
    return tuple(names)


def check_results(
    quantity: Kind, values: Array, precision: Precision, setting: Setting, *, printed: bool = False
) -> Check:
    """Check somebody's results, perhaps from printed text; a ValueError says what does not fit."""
    if setting.comparison.dtype is not None:
        precision = setting.precision
    task = setting.task(quantity, precision)
    rows = as_rows(values, setting.z.shape, setting.form(quantity), file=True)
    rows, across = within_samples(rows) if rows.ndim == 3 else (rows, 0.0)
    answer = Answer(rows.astype(np.float64, copy=False), precision, across)
    digits = printed_digits(answer.rows.reshape(task.shape)) if printed else None
    run = _Run(task, setting, unit=digits[1] if digits else 0.0)
    run.add(slice(None), answer)
    notes = [] if setting.comparison.dtype or precision is FLOAT64 else [_judged_in(precision)]
    if digits and run.needs_unit:
        told = f"every cell has at most {digits[0]} significant digits"
        notes.append(f"{told}: half a unit in the last one passes too")
    return _with_notes_on_pass(run.check(notes), run, setting)


def check_function(quantity: Kind, function: Function, setting: Setting) -> tuple[Check, ...]:
    """Check somebody's function; for probabilities also its derivative."""
    task = setting.task(quantity, setting.precision)
    try:
        calls, first, notes = called(function, task, setting)
        if setting.comparison.dtype is None and first.precision is not FLOAT64:
            task = setting.task(quantity, first.precision)
            calls, first, notes = called(function, task, setting)
            notes.append(_judged_in(first.precision))
    except ShapeFoundError as error:
        return (_unusable(task, setting, error),)
    run = _Run(task, setting)
    for samples, answer in calls.answers(first):
        run.add(samples, answer)
    if first.overwrote:
        notes.append("the function overwrites its input")
    if first.tensors:
        notes.append("the function was given torch tensors")
    found = _depends_on_calls(calls, run, first) or _depends_on_company(calls, run, first, notes)
    check = replace(run.check(notes), called=calls.how)
    if found and not check.unstable:
        check = replace(check, unstable=found.advice, diagnoses=check.diagnoses or (found.cause,))
    check = _with_notes_on_pass(check, run, setting, calls)
    checks = [check]
    if quantity == "probabilities" and not setting.comparison.forward_only:
        checks = _with_derivative(check, task, calls, setting)
    if setting.comparison.stress:
        checks.append(_stressed(quantity, function, setting, task.precision))
    return tuple(checks)


def check_softmax(pieces: Iterable[Setting]) -> Check:
    """Check our own exact Jacobian against finite differences, some samples at a time."""
    checks = [_differentiated(each.task("jacobian", FLOAT64), each, None) for each in pieces]
    worst = max(checks, key=lambda check: check.worst_excess)
    before = sum(check.n_samples for check in checks[: checks.index(worst)])
    return replace(
        worst,
        samples=tuple(sample for check in checks for sample in check.samples),
        labels=tuple(label for check in checks for label in check.labels),
        worst=before + worst.worst,
        error_estimate=max(check.error_estimate or 0.0 for check in checks) or None,
    )


def _judged_in(precision: Precision) -> str:
    return f"the results are {precision.name}: they are judged in it"


class _Run:
    """One comparison on its way: results are added as they come."""

    def __init__(
        self,
        task: Task,
        setting: Setting,
        tolerances: tuple[FloatArray, float] | None = None,
        unit: FloatArray | float = 0.0,
    ) -> None:
        self.task, self.setting = task, setting
        self.atol, self.rtol = tolerances or setting.tolerances(task)
        self.tally = Tally(task)
        self.below = self.entries = 0
        self.across = 0.0
        self.needs_unit = False
        K, size = len(task.z), int(np.prod(task.shape[1:]))
        self._unit = np.broadcast_to(unit, task.shape).reshape(K, size)
        # All results where they are few, and else those of the worst sample.
        self._kept = np.empty((K, size)) if K * size <= _HELD else None
        self._worst = np.empty((1, size)) if size <= _HELD else None

    def add(self, samples: slice, answer: Answer) -> None:
        """Compare results of some samples."""
        start, stop, _ = samples.indices(len(self.task.z))
        C = self.task.z.shape[1]
        per = C if self.task.quantity == "jacobian" else 1
        self.across = max(self.across, answer.across)
        samples_at_once = max(1, _AT_ONCE // (per * C))
        rows_at_once = min(per, max(1, _AT_ONCE // C))
        for k in range(start, stop, samples_at_once):
            part = slice(k, min(k + samples_at_once, stop))
            for j in range(0, per, rows_at_once):
                expected = self.task.exact(part, slice(j, j + rows_at_once))
                expected = expected.reshape(part.stop - k, -1)
                first = (k - start) * per + j
                actual = answer.rows[first : first + expected.size // C]
                at = j * C + np.arange(expected.shape[1])
                self.compare(part, at, expected, actual.reshape(expected.shape))

    @np.errstate(all="ignore")
    def compare(self, samples: slice, at: Array, expected: FloatArray, actual: FloatArray) -> None:
        """Compare blocks of shape (n, m), whose entries stand at these positions of a result."""
        bound = self.atol[samples, None] + self.rtol * np.abs(expected)
        unit = self._unit[samples][:, at]
        self.needs_unit |= bool((np.abs(actual - expected) > bound).any())
        bound = np.maximum(bound, unit)
        self.below += int(((np.abs(expected) <= bound) & (expected != 0)).sum())
        self.entries += expected.size
        self.tally.add(samples, at, expected, actual, bound)
        k = self.tally.worst
        if self._kept is not None:
            self._kept[samples, at] = actual
        elif self._worst is not None and samples.start <= k < samples.stop:
            self._worst[:, at] = actual[k - samples.start]

    def check(self, notes: Sequence[str] = ()) -> Check:
        """End it: give the verdict, and the known mistakes that explain a failure."""
        task, labels, k = self.task, self.setting.labels, self.tally.worst
        check = Check(
            task.quantity,
            self.tally.samples(labels),
            labels,
            float(self.atol.max()),
            self.rtol,
            task.log,
            task.precision.name,
            worst=k,
            notes=tuple(notes),
        )
        if self.across > check.atol:
            cause = Diagnosis(
                "samples depend on each other",
                "differentiate each sample's probabilities by its own logits alone.",
            )
            told = f"an entry that connects two samples is {self.across:.6g}, expected 0"
            check = replace(check, unstable=told, diagnoses=(cause,))
        case = None if check.passed else self._case(k)
        if case is None:
            return check
        shape = task.shape[1:]
        excess = case.excess.reshape(-1, *shape)[k if len(case.z) > 1 else 0]
        return replace(check, excess=excess, diagnoses=diagnose(case) or check.diagnoses)

    def _case(self, k: int) -> Case | None:
        """Return what is explained: all samples, or else the worst one, or None if it is large."""
        task, atol, unit, actual = self.task, self.atol, self._unit, self._kept
        if actual is None:
            actual, atol, unit = self._worst, atol[k : k + 1], unit[k : k + 1]
            g = None if task.g is None else task.g[k : k + 1]
            task = replace(task, z=task.z[k : k + 1], g=g)
        if actual is None:
            return None
        parts = task.quantity, task.z, task.g, task.T, task.log, task.precision
        return Case(
            *parts,
            expected=task.exact(),
            actual=actual.reshape(task.shape),
            atol=atol,
            rtol=self.rtol,
            unit=unit.reshape(task.shape),
        )


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
    """

    function: Function
    form: Form
    inputs: tuple[Array, ...]
    how: str
    alone: bool = False

    def answers(self, first: Answer | None = None) -> Iterator[tuple[slice, Answer]]:
        """Call it for all samples, some at a time; the first answer may be known."""
        start = 0
        for inputs in self._batches():
            answer = first or self._answer(inputs, start)
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
    found = at_once.array if isinstance(at_once, ShapeFoundError) else None
    is_turned = found is not None and found.shape == task.z.T.shape
    if len(task.z) > 1 and task.quantity != "jacobian" and is_turned:
        raise at_once  # it takes a batch, and turns it
    form = replace(form, axis=-1)
    if len(shape) > 1:
        how = f"one sample at a time, shape ({C},)"
        calls = Calls(function, form, tuple(rows), how, alone=True)
    else:
        calls = Calls(function, form, tuple(rows), f"all samples at once, shape (1, {C})")
    try:
        first = calls.first()
    except (CandidateError, ShapeFoundError) as error:
        if isinstance(at_once, ShapeFoundError):
            raise at_once from None
        if isinstance(error, CandidateError):
            error.at_once = at_once
        raise
    did = at_once.problem if isinstance(at_once, CandidateError) else f"returned {at_once}"
    notes = [f"given {given}, shape {shape}, it {did}"]
    return replace(calls, form=replace(form, tensors=first.tensors)), first, notes


@dataclass(frozen=True)
class _Found:
    """A result that depends on more than its input: where, and why."""

    advice: str
    cause: Diagnosis


def _depends_on_calls(calls: Calls, run: _Run, first: Answer) -> _Found | None:
    """Call a function a second time with equal input."""
    found = _difference(run, slice(0, None), first, calls.first())
    if not found:
        return None
    cause = Diagnosis(
        "state between calls",
        "compute the result from the input alone: no counters, caches or random numbers.",
    )
    return _Found(f"given the same input again it returns another result: {found}", cause)


def _depends_on_company(calls: Calls, run: _Run, first: Answer, notes: list[str]) -> _Found | None:
    """Give a function single samples of its first batch, with as many dimensions."""
    z, axis = calls.inputs[0], calls.form.axis
    C = z.shape[axis]
    n = len(first.rows) // (C if calls.form.rank == 2 else 1)
    if calls.alone or n == 1:
        return None
    shape = [1] * z.ndim
    shape[axis] = C
    rows = [run.setting.rows(each) for each in calls.inputs]
    for k in sorted({*np.linspace(0, n - 1, min(n, _ALONE)).astype(int).tolist()}):
        inputs = [each[k].reshape(shape) for each in rows]
        try:
            alone = calls.function(inputs, calls.form)
        except (CandidateError, ShapeFoundError) as error:
            did = error.problem if isinstance(error, CandidateError) else f"returned {error}"
            notes.append(f"given a single sample, shape {tuple(shape)}, it {did}")
            return None
        found = _difference(run, slice(k, k + 1), first, alone)
        if found:
            cause = Diagnosis(
                "depends on the other samples",
                "compute each sample from its own logits: no sum, maximum or mean over the batch.",
            )
            return _Found(f"given alone it returns another result: {found}", cause)
    return None


@np.errstate(all="ignore")
def _difference(run: _Run, samples: slice, batch: Answer, again: Answer) -> str:
    """Tell the first entry that differs by more than its bound between two answers, or ""."""
    C = batch.rows.shape[1]
    per = C if run.task.quantity == "jacobian" else 1
    n = len(again.rows) // per
    before = batch.rows[samples.start * per :][: len(again.rows)]
    atol = np.repeat(run.atol[samples.start :][:n], per)[:, None]
    same = (before == again.rows) | (np.isnan(before) & np.isnan(again.rows))
    differs = ~same & ~(np.abs(before - again.rows) <= atol + run.rtol * np.abs(before))
    if not differs.any():
        return ""
    at, i = np.argwhere(differs)[0]
    label = run.setting.labels[samples.start + at // per]
    return f"{again.rows[at, i]:.6g} in place of {before[at, i]:.6g} in sample {label!r}"


def _unusable(task: Task, setting: Setting, error: ShapeFoundError) -> Check:
    """Make the check of a function that returned nothing to compare."""
    given = "" if error.sample is None else f", given sample {setting.labels[error.sample]!r}"
    atol, rtol = setting.tolerances(task)
    check = Check(task.quantity, (), setting.labels, float(atol.max()), rtol, task.log)
    found = () if error.array is None else diagnose_shape(task, error.array)
    return replace(check, problem=f"{error}{given}", diagnoses=found)


def _with_notes_on_pass(
    check: Check, run: _Run, setting: Setting, calls: Calls | None = None
) -> Check:
    """Add what a comparison that passed could not see."""
    if not check.passed:
        return check
    task, notes = run.task, []
    if len(task.z) == 1:
        notes.append("one sample cannot show a wrong axis or a division by the batch size")
    if task.g is not None and not setting.drawn and (note := note_on_gradient(task.g)):
        notes.append(note)
    if task.g is not None and setting.drawn:
        shown = ", ".join(f"{value:g}" for value in task.g[0, :6])
        more = ", ..." if task.g.shape[1] > 6 else ""
        notes.append(f"the upstream gradient was drawn: {shown}{more} for the first sample")
    if (task.y.max(axis=1) > _SATURATED).all():
        notes.append("all samples are saturated: their derivatives are too small to tell much")
    if run.below:
        few = "entry is" if run.below == 1 else "entries are"
        told = f"{run.below} of {run.entries} exact {few} below the bound: zeros would pass"
        notes.append(f"{told}; <atol=0> compares their digits")
    finite = np.where(np.isfinite(task.z), np.abs(task.z), 0.0)
    is_small = finite.max() / task.T < math.log(task.precision.largest)
    if calls is not None and not setting.comparison.stress and is_small:
        unseen = "exp that is not shifted by the maximum passes logits this small"
        notes.append(f"{unseen}; <stress=True> tries others")
    return replace(check, notes=(*check.notes, *notes))


def _with_derivative(check: Check, task: Task, calls: Calls, setting: Setting) -> list[Check]:
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
    fault = next((label for label, sample in own.samples if not sample.passed), None)
    if fault is not None:
        if setting.comparison.step is not None:
            raise _coarse(fault, setting, given=True)
        told = f"no {own.method} step is fine enough at sample {fault}: no derivative was compared"
        return [replace(check, notes=(*check.notes, told))]
    if check.passed and not derivative.diagnoses:
        found = _precision_nearby(task, setting, function)
        derivative = replace(derivative, diagnoses=found)
    return [check, derivative]


def _precision_nearby(task: Task, setting: Setting, function: Any) -> tuple[Diagnosis, ...]:
    """Look for a lack of precision nearby: of round logits a result may be exact by chance."""
    z = task.z + task.T * np.random.default_rng(0).uniform(0.1, 0.2, task.z.shape)
    near = replace(task, z=z)
    run = _Run(near, setting)
    run.add(slice(None), Answer(function(z)))
    return tuple(each for each in run.check().diagnoses if CATALOGUE[each.name].is_precision)


def _differentiated(task: Task, setting: Setting, function: Any, *, is_peer: bool = False) -> Check:
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
    run = _Run(task, setting, (np.full(len(task.z), atol), rtol))
    C, estimate = task.z.shape[1], 0.0
    eps = task.precision.eps
    found = finite_difference.columns(task.z, name, how.step, T, function, eps, task.log)
    for inputs, (slopes, *errors) in found:
        expected = task.columns(inputs)
        if task.log:  # -inf - -inf
            slopes[np.broadcast_to((task.z == -np.inf)[:, None, :], slopes.shape)] = 0.0
        at = (np.arange(C) * C + inputs[:, None]).ravel()
        K = len(task.z)
        run.compare(slice(0, K), at, expected.reshape(K, -1), slopes.reshape(K, -1))
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
        return StepError(label, f"{problem}: with it softmax itself fails", given)
    step = np.where(np.isfinite(z), default_steps(z, name, how.temperature), 0.0).max()
    found = f"found some where the smallest step is {step:.3g}, too coarse to check with"
    return StepError(label, f"expected logits nearer to 0 for {name} differences, {found}", given)


def _refuse_lost_step(task: Task, setting: Setting) -> None:
    """Raise StepError for a step that does not move a logit."""
    step = setting.comparison.step
    if step is None or setting.comparison.method == "complex-step":
        return
    for k, i in np.argwhere(is_lost(task.z, step)):
        problem = f"expected a step that moves every logit, found {step:g} at {task.z[k, i]:g}"
        raise StepError(setting.labels[k], problem, given=True)


def _stressed(quantity: Kind, function: Function, setting: Setting, precision: Precision) -> Check:
    """Check a function on samples of our own, and in batches of other sizes."""
    how = replace(setting.comparison, stress=False, forward_only=True, atol=None, rtol=None)
    how = replace(how, dtype=how.dtype or (None if precision is FLOAT64 else precision.name))
    C, ndim = len(setting.classes), max(2, setting.z.ndim)
    z, names = stress_samples(C, how.temperature)
    lead = (8,) if ndim == 2 else (2, 4) if ndim == 3 else (2, 2, 2)
    shape = (*lead, *(1,) * (ndim - 1 - len(lead)), C)
    stress = replace(setting, z=np.moveaxis(z.reshape(shape), -1, how.axis), comparison=how)
    stress = replace(stress, labels=tuple(f"{name} (ours)" for name in names), g=None)
    if quantity == "vjp":
        stress = with_gradient(stress, None)
    (check,) = check_function(quantity, function, stress)
    for size in SIZES if ndim == 2 and how.axis in (-1, 1) and check.passed else ():
        g = None if stress.g is None else stress.g[:size]
        fewer = replace(stress, z=stress.z[:size], g=g, labels=stress.labels[:size])
        (other,) = check_function(quantity, function, fewer)
        if not other.passed:
            check = other
    return replace(check, notes=())
