"""The comparison of results with the exact ones, block by block."""

import math
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.formulas import Case, FloatArray, Task, deviation
from softmax_cli.checking.mistakes import diagnose, explain
from softmax_cli.checking.setting import Setting
from softmax_cli.checking.verdict import Check, Samples
from softmax_cli.mathematics.exact import Numbers

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
        The bound: atol for each sample; by default the tolerances that are given.
    below
        How many exact entries, other than 0, are below their bound.
    needs_unit
        Whether an entry passes only by half a unit of its last printed digit.
    """

    def __init__(
        self,
        task: Task,
        setting: Setting,
        tolerances: tuple[FloatArray, float] | None = None,
        unit: FloatArray | None = None,
    ) -> None:
        self.task, self.setting = task, setting
        self.atol, self.rtol = setting.tolerances(*(tolerances or task.tolerances()))
        self.below = 0
        self.needs_unit = False
        K, size = len(task.z), math.prod(task.shape[1:])
        self._unit = None if unit is None else unit.reshape(K, size)
        self._samples = Samples(task.quantity, task.shape[1:], setting.labels)
        # All results where they are few, and else those of the worst sample.
        self._kept = np.empty((K if K * size <= HELD else 1, size if size <= HELD else 0))

    def add(self, samples: slice, rows: FloatArray) -> None:
        """Compare results of some samples."""
        start, stop, _ = samples.indices(len(self.task.z))
        C = self.task.z.shape[1]
        per = C if self.task.quantity == "jacobian" else 1
        samples_at_once, rows_at_once = max(1, _AT_ONCE // (per * C)), max(1, _AT_ONCE // C)
        for k, j in product(range(start, stop, samples_at_once), range(0, per, rows_at_once)):
            part = slice(k, min(k + samples_at_once, stop))
            expected = self.task.exact(part, slice(j, j + rows_at_once))
            first = (k - start) * per + j
            actual = rows[first : first + expected.size // C]
            n = part.stop - k
            at = j * C + np.arange(expected.size // n)
            self.compare(part, at, expected.reshape(n, -1), actual.reshape(n, -1))

    @np.errstate(all="ignore")
    def compare(
        self, samples: slice, at: NDArray[np.intp], expected: FloatArray, actual: FloatArray
    ) -> None:
        """Compare blocks of shape (n, m), whose entries stand at these positions of a result.

        An entry passes within its bound, and NaN or infinity does not.
        """
        error, size = deviation(expected, actual), np.abs(expected)
        bound = self.atol[samples, None] + self.rtol * size
        self.needs_unit |= bool((error > bound).any())
        if self._unit is not None:
            bound = np.maximum(bound, self._unit[samples][:, at])
        self.below += int(np.count_nonzero((size <= bound) & (size != 0)))
        errors = [error, error / size, error / self.task.precision.ulp(size), error / bound]
        if not error.all():
            errors = [np.where(error == 0, 0.0, each) for each in errors]
        found, there = self._samples, (np.arange(len(error)), errors[-1].argmax(axis=1))
        is_worse = errors[-1][there] > found.errors[-1, samples]
        worst = np.stack([at[there[1]], expected[there], actual[there]])
        found.worst[:, samples] = np.where(is_worse, worst, found.worst[:, samples])
        largest = np.stack([each.max(axis=1) for each in errors])
        found.errors[:, samples] = np.maximum(found.errors[:, samples], largest)
        found.failed[samples] += (errors[-1] > 1).sum(axis=1)
        if not self._kept.size:
            return
        if len(self._kept) == len(found):
            self._kept[samples, at] = actual
        elif samples.start <= (k := self._k) < samples.stop:
            self._kept[0, at] = actual[k - samples.start]

    @property
    def _k(self) -> int:
        """The position of the worst sample."""
        return int(self._samples.errors[-1].argmax())

    @np.errstate(all="ignore")
    def check(self, notes: Sequence[str] = (), across: float = 0.0) -> Check:
        """End it: give the verdict, and the known mistakes that explain a failure.

        Samples must not be connected: the largest entry across two of them is given.
        """
        task, labels, k = self.task, self.setting.labels, self._k
        atol, name = float(self.atol[k]), task.precision.name
        found = self._with_exact(), labels, atol, self.rtol, task.log, name
        check = Check(task.quantity, *found, worst=k, notes=tuple(notes))
        if across > check.atol:
            told = f"an entry that connects two samples is {across:.6g}, expected 0"
            cause = explain("samples depend on each other", task)
            check = replace(check, unstable=told, diagnoses=(cause,))
        if check.passed or not self._kept.size:
            return check
        case = self._case(slice(None) if len(self._kept) == len(labels) else slice(k, k + 1))
        excess = case.excess[k if len(case.z) > 1 else 0]
        return replace(check, excess=excess, diagnoses=diagnose(case) or check.diagnoses)

    def _case(self, samples: slice) -> Case:
        """Return what is explained: all samples, or else the worst one."""
        task = self.task.some(samples)
        unit = 0.0 if self._unit is None else self._unit[samples].reshape(task.shape)
        return Case(
            **vars(task),
            expected=task.exact(),
            actual=self._kept.reshape(task.shape),
            atol=self.atol[samples],
            rtol=self.rtol,
            unit=unit,
        )

    def _with_exact(self) -> Samples:
        """Return how each sample fared, with what is too small for float64."""
        task, found = self.task, self._samples
        numbers = Numbers(task.z, task.T, task.g, log=task.log)
        for k in np.flatnonzero(np.abs(found.worst[1]) < sys.float_info.min).tolist():
            value = float(found.worst[1, k])
            found.exact[k] = numbers.of(task.quantity, k, found.place(k), value)
        return found
