"""The comparison of results with the exact ones, block by block."""

import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.candidate import Answer
from softmax_cli.checking.diagnosis import Diagnosis, diagnose
from softmax_cli.checking.formulas import Case, FloatArray, Task
from softmax_cli.checking.setting import Setting
from softmax_cli.checking.verdict import Check, Samples
from softmax_cli.mathematics.exact import Number, Numbers

# How many entries are held: of all results that are told in full, and at a time.
HELD = 1 << 22
_AT_ONCE = 1 << 20


class Run:
    """One comparison on its way: results are added as they come.

    Attributes
    ----------
    task, setting
        What is compared.
    atol, rtol
        The bound: atol for each sample.
    below, entries
        How many exact entries, other than 0, are below their bound, of how many.
    needs_unit
        Whether an entry passes only by half a unit of its last printed digit.
    """

    def __init__(
        self,
        task: Task,
        setting: Setting,
        tolerances: tuple[FloatArray, float] | None = None,
        unit: FloatArray | float = 0.0,
    ) -> None:
        self.task, self.setting = task, setting
        self.atol, self.rtol = tolerances or setting.tolerances(task)
        self.below = self.entries = 0
        self.needs_unit = False
        self._across = 0.0
        K, size = len(task.z), int(np.prod(task.shape[1:]))
        unit = np.reshape(unit, (K, size)) if np.ndim(unit) else unit
        self._has_unit = np.ndim(unit) > 0
        self._unit = np.broadcast_to(unit, (K, size) if self._has_unit else ())
        self._failed: NDArray[np.intp] = np.zeros(K, dtype=np.intp)
        # Of each sample: the worst entry's position, exact and actual value, and the largest errors
        # (absolute, relative, in ulps, in units of the bound).
        self._worst = np.zeros((3, K))
        self._errors = np.full((4, K), -1.0)
        # All results where they are few, and else those of the worst sample.
        self._kept = np.empty((K, size)) if K * size <= HELD else None
        self._of_worst = np.empty((1, size)) if size <= HELD else None

    def add(self, samples: slice, answer: Answer) -> None:
        """Compare results of some samples."""
        start, stop, _ = samples.indices(len(self.task.z))
        C = self.task.z.shape[1]
        per = C if self.task.quantity == "jacobian" else 1
        self._across = max(self._across, answer.across)
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
    def compare(
        self, samples: slice, at: NDArray[np.intp], expected: FloatArray, actual: FloatArray
    ) -> None:
        """Compare blocks of shape (n, m), whose entries stand at these positions of a result.

        An entry passes within its bound, and NaN or infinity does not.
        """
        error, size = np.abs(actual - expected), np.abs(expected)
        if not np.isfinite(error).all():
            error = np.where(actual == expected, 0.0, np.where(np.isnan(error), np.inf, error))
        bound = self.atol[samples, None] + self.rtol * size
        self.needs_unit |= bool((error > bound).any())
        if self._has_unit:
            bound = np.maximum(bound, self._unit[samples][:, at])
        self.below += int(np.count_nonzero((size <= bound) & (size != 0)))
        self.entries += expected.size
        errors = [error, error / size, self.task.precision.in_ulps(error, size), error / bound]
        if not error.all():
            errors = [np.where(error == 0, 0.0, each) for each in errors]
        there = np.arange(len(error)), errors[-1].argmax(axis=1)
        is_worse = errors[-1][there] > self._errors[-1, samples]
        found = np.stack([at[there[1]], expected[there], actual[there]])
        self._worst[:, samples] = np.where(is_worse, found, self._worst[:, samples])
        largest = np.stack([each.max(axis=1) for each in errors])
        self._errors[:, samples] = np.maximum(self._errors[:, samples], largest)
        self._failed[samples] += (errors[-1] > 1).sum(axis=1)
        k = int(self._errors[-1].argmax())
        if self._kept is not None:
            self._kept[samples, at] = actual
        elif self._of_worst is not None and samples.start <= k < samples.stop:
            self._of_worst[:, at] = actual[k - samples.start]

    @np.errstate(all="ignore")
    def check(self, notes: Sequence[str] = ()) -> Check:
        """End it: give the verdict, and the known mistakes that explain a failure."""
        task, labels, k = self.task, self.setting.labels, int(self._errors[-1].argmax())
        check = Check(
            task.quantity,
            self._samples(labels),
            labels,
            float(self.atol[k]),
            self.rtol,
            task.log,
            task.precision.name,
            worst=k,
            notes=tuple(notes),
        )
        if self._across > check.atol:
            cause = Diagnosis(
                "samples depend on each other",
                "differentiate each sample's probabilities by its own logits alone.",
            )
            told = f"an entry that connects two samples is {self._across:.6g}, expected 0"
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
            actual, atol = self._of_worst, atol[k : k + 1]
            unit = unit[k : k + 1] if self._has_unit else unit
            g = None if task.g is None else task.g[k : k + 1]
            task = replace(task, z=task.z[k : k + 1], g=g, lead=())
        if actual is None:
            return None
        parts = task.quantity, task.z, task.g, task.T, task.log, task.precision, task.lead
        return Case(
            *parts,
            expected=task.exact(),
            actual=actual.reshape(task.shape),
            atol=atol,
            rtol=self.rtol,
            unit=unit.reshape(task.shape) if self._has_unit else 0.0,
        )

    def _samples(self, labels: tuple[str, ...]) -> Samples:
        """Return how each sample fared, under its label."""
        task, (at, expected, _) = self.task, self._worst
        C, absent = task.z.shape[1], np.full(len(at), -1.0)
        match task.quantity:
            case "probabilities":
                places = at, absent
            case "jacobian":
                places = at // C, at % C
            case "vjp":
                places = absent, at
        worst = np.vstack([*places, self._worst[1:]])
        numbers = Numbers(task.z, task.T, task.g, log=task.log)
        exact = {}
        for k in np.flatnonzero(np.abs(expected) < sys.float_info.min).tolist():
            output, input_ = worst[:2, k].astype(int).tolist()
            exact[k] = _of_any_size(task, numbers, k, output, input_, float(expected[k]))
        entries = int(np.prod(task.shape[1:]))
        return Samples(labels, entries, worst, self._failed, self._errors, exact)


def _of_any_size(
    task: Task, numbers: Numbers, k: int, output: int, input_: int, value: float
) -> Number:
    """Return an exact entry that float64 may have no room for."""
    match task.quantity:
        case "probabilities":
            if task.log:
                return numbers.log_probability(k, output, value)
            return numbers.probability(k, output)
        case "jacobian":
            return numbers.partial(k, output, input_, value)
        case "vjp":
            return numbers.product(k, input_, value)
