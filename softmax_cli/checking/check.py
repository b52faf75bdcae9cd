"""Checking somebody's softmax, Jacobian or backward pass against the exact one."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from softmax_cli.checking import setting as settings
from softmax_cli.checking.calls import STATE, Calls, called, dependence
from softmax_cli.checking.candidate import Array, Function, ShapeFoundError, as_numbers, as_rows
from softmax_cli.checking.formulas import FLOAT64, PRECISIONS, Kind, Precision, Rows, half_units
from softmax_cli.checking.mistakes import CONNECTS_SAMPLES, diagnose_shape, explain
from softmax_cli.checking.setting import Run, Setting
from softmax_cli.checking.sweep import with_derivative
from softmax_cli.checking.verdict import Check, Verdict
from softmax_cli.mathematics import core, finite_difference

Candidate = ArrayLike | Function
Upstream = ArrayLike | None

_JUDGED_IN = "the results are {}: they are judged in it"


def check_probabilities(candidate: Candidate, logits: ArrayLike, **options: Any) -> Verdict:
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
        `softmax_cli.mathematics.finite_difference.columns`.
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
    softmax_cli.checking.sweep.StepError
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


def check_jacobian(candidate: Candidate, logits: ArrayLike, **options: Any) -> Verdict:
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
    candidate: Candidate, logits: ArrayLike, upstream: Upstream = None, **options: Any
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
    quantity: Kind, candidate: Candidate, logits: ArrayLike, upstream: Upstream, options: Any
) -> Verdict:
    """Check results or a function of this process."""
    classes, samples = options.pop("classes", None), options.pop("samples", None)
    setting = Setting(z=_real(logits, "logits"), **options)
    z, axis = setting.z, setting.axis
    if not -z.ndim <= axis < z.ndim or 0 in z.shape:
        raise ValueError(f"expected logits with classes on axis {axis}, found shape {z.shape}")
    for option, known in (("dtype", [*PRECISIONS]), ("method", [*finite_difference.METHODS])):
        if (found := options.get(option)) not in (None, *known):
            raise ValueError(f"expected {option} to be one of {', '.join(known)}, found {found!r}")
    for name, least in (("atol", 0.0), ("rtol", 0.0), ("step", 5e-324)):
        if (value := options.get(name)) is not None and not least <= value < math.inf:
            bound = "greater than 0" if least else "0 or more"
            raise ValueError(f"expected {name} to be finite and {bound}, found {value!r}")
    # Like derivatives, the complement refuses T = 0.
    if not np.isfinite(core.complement(setting.rows(z), temperature=setting.temperature)).all():
        raise ValueError("expected finite logits or -inf, with at least one finite in each sample")
    classes = _names(classes, range(1, z.shape[axis] + 1), "classes")
    labels = _names(samples, settings.positions(z.shape, axis), "samples")
    setting = replace(setting, classes=classes, labels=labels)
    if quantity == "vjp":
        if upstream is None and not callable(candidate):
            raise ValueError("expected the upstream gradient of these results, found none")
        setting = setting.with_gradient(None if upstream is None else _real(upstream, "upstream"))
    if callable(candidate):
        return setting.verdict(*check_function(quantity, candidate, setting))
    try:
        values, precision = as_numbers(candidate, kinds="biuf")
        results = as_rows(values, z.shape, axis, quantity, file=True)
    except ShapeFoundError as error:
        raise ValueError(f"expected results for these logits, found {error.found}") from None
    return setting.verdict(check_results(quantity, results, precision, setting, (0, 0)))


def _real(values: ArrayLike, name: str) -> Array:
    try:
        return as_numbers(values, kinds="biuf")[0].astype(np.float64)
    except ShapeFoundError as error:
        raise ValueError(f"expected {name} as numbers, found {error.found}") from None


def _names(names: Sequence[str] | None, default: Iterable[object], what: str) -> tuple[str, ...]:
    known = tuple(map(str, default))
    if names is not None and len(names) != len(known):
        raise ValueError(f"expected {len(known)} names of {what}, found {len(names)}")
    return known if names is None else tuple(names)


def check_results(
    quantity: Kind, results: Rows, precision: Precision, setting: Setting, printed: Sequence[int]
) -> Check:
    """Check somebody's results as `as_rows` gives them, of text with its digits, or (0, 0)."""
    notes = [] if setting.dtype or precision is FLOAT64 else [_JUDGED_IN.format(precision.name)]
    task = setting.task(quantity, setting.precision if setting.dtype else precision)
    rows, across = results
    unit = half_units(rows.reshape(task.shape), printed)
    run = Run(task, setting, unit=unit)
    run.add(slice(None), rows)
    if unit is not None and run.needs_unit:
        told = f"every cell has at most {printed[0]} significant digits"
        notes.append(f"{told}: half a unit in the last one passes too")
    return _with_notes(run.check(across), run, notes)


def check_function(quantity: Kind, function: Function, setting: Setting) -> tuple[Check, ...]:
    """Check somebody's function; for probabilities also its derivative."""
    task = setting.task(quantity, setting.precision)
    try:
        calls, first, notes = called(function, task, setting)
        if setting.dtype is None and calls.precision is not FLOAT64:
            task = setting.task(quantity, calls.precision)
            calls, first, notes = called(function, task, setting)
            notes.append(_JUDGED_IN.format(task.precision.name))
        run = Run(task, setting)
        for samples, rows in calls.results(first):
            run.add(samples, rows)
        notes += ["the function overwrites its input"] * calls.overwrote
        notes += ["the function was given torch tensors"] * calls.takes_tensors
        found = dependence(calls, run, first[: max(1, settings.HELD // first.shape[1])], notes)
        is_batched = any(note.startswith("given a single sample") for note in notes)
        run.task = task = replace(task, apart=not (found or is_batched or 1 in task.whole[:-1]))
    except ShapeFoundError as error:
        causes = () if error.array is None else diagnose_shape(task, error.array)
        problem = f"{error.found}, given {error.given}"
        return (replace(Run(task, setting).check(), problem=problem, diagnoses=causes),)
    check = replace(run.check(calls.across), called=calls.how)
    if found and not check.unstable:
        told, cause = found
        # A known mistake explains it if it is one of the batch, or of a sample's place in it.
        known = () if cause == STATE else check.diagnoses
        causes = tuple(x for x in known if CONNECTS_SAMPLES.search(x.name) or "a sample" in x.name)
        check = replace(check, unstable=told, diagnoses=causes or (explain(cause, task),))
    checks = [_with_notes(check, run, notes, is_function=True)]
    if quantity == "probabilities" and not setting.forward_only:
        checks = with_derivative(checks[0], task, calls, setting)
    if setting.stress:
        ours = _stressed(quantity, calls, setting, is_batched)
        if not ours.passed and (setting.z.ndim, setting.axis) == (1, 0):  # it is the last, too
            ours = _stressed(quantity, calls, replace(setting, z=setting.z[:, None]), is_batched)
        checks.append(ours)
    return tuple(checks)


def _with_notes(check: Check, run: Run, notes: list[str], *, is_function: bool = False) -> Check:
    """Add notes, the gradient that was drawn, and what a comparison that passed could not see."""
    task, drawn = run.task, run.setting.drawn
    if task.g is not None and drawn:
        shown = ", ".join(f"{value:g}" for value in task.g[0, :6])
        notes.append(f"the upstream gradient was drawn: it begins with {shown}")
    if check.passed:
        hidden = "" if task.g is None or drawn else settings.note_on_gradient(task.g)
        below = f"entries below the bound, where zeros pass: {run.below} of {check.entries}"
        saturated = not task.log and (task.y.max(axis=1) > 1 - 1e-9).all()
        small = np.abs(task.z[task.z > -np.inf]).max() / task.T < math.log(task.precision.largest)
        unseen = {
            "one sample cannot show a wrong axis or a division by the batch size": len(task.z) == 1,
            hidden: hidden != "",
            "all samples are saturated: their derivatives are too small to tell much": saturated,
            f"{below}; `atol=0` compares their digits": run.below > 0,
            "exp that is not shifted by the maximum passes logits this small; "
            "`stress=True` tries others": is_function and not run.setting.stress and small,
        }
        notes += (note for note, applies in unseen.items() if applies)
    return replace(check, notes=tuple(notes))


def _stressed(quantity: Kind, calls: Calls, setting: Setting, is_batched: bool) -> Check:
    """Check a function on samples of our own, and in batches of other sizes."""
    C, ndim = len(setting.classes), max(2, setting.z.ndim)
    largest = min(setting.precision.largest, calls.precision.largest)
    z, names = settings.stress_samples(C, min(setting.temperature, largest / 1000))
    axis = setting.axis if setting.z.ndim > 1 else -1
    # Of some sizes many a function has never been given a batch; in one of C samples the layout of
    # Jacobians is ambiguous.
    leads: list[tuple[int, ...]] = [(n,) for n in (14, 11, 5, 3, 2, 1)[: 6 - is_batched] if n != C]
    plain = replace(setting, stress=False, forward_only=True, atol=None, rtol=None, ours=True)
    found: list[Check] = []
    for lead in leads if ndim == 2 else [(2, 7)]:
        n = math.prod(lead)
        some = z[:n].reshape(*lead, *(1,) * (ndim - 1 - len(lead)), C)
        labels = tuple(f"{name} (ours)" for name in names[:n])
        stress = replace(plain, z=np.moveaxis(some, -1, axis), axis=axis, labels=labels)
        found += check_function(quantity, calls.function, stress.with_gradient(None))
        if not found[-1].passed:
            break
    told = [x for each in found for x in each.notes if x.startswith("given ") and not calls.labels]
    return replace(min(found, key=lambda check: check.passed), notes=tuple(told), is_ours=True)
