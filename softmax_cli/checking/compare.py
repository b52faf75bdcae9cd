"""The comparison of results with the exact ones, block by block."""

import math
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.formulas import Case, FloatArray, Task, deviation
from softmax_cli.checking.mistakes import Diagnosis, diagnose
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
        unit: FloatArray | None = None,
    ) -> None:
        self.task, self.setting = task, setting
        self.atol, self.rtol = tolerances or setting.tolerances(task)
        self.below = self.entries = 0
        self.needs_unit = False
        K, size = len(task.z), math.prod(task.shape[1:])
        self._unit = None if unit is None else unit.reshape(K, size)
        self._failed: NDArray[np.intp] = np.zeros(K, dtype=np.intp)
        # Of each sample: the worst entry's position, exact and actual value, and the largest errors
        # (absolute, relative, in ulps, in units of the bound).
        self._worst = np.zeros((3, K))
        self._errors = np.full((4, K), -1.0)
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
        if not self._kept.size:
            return
        if len(self._kept) == len(self._failed):
            self._kept[samples, at] = actual
        elif samples.start <= (k := self._k) < samples.stop:
            self._kept[0, at] = actual[k - samples.start]

    @property
    def _k(self) -> int:
        """The position of the worst sample."""
        return int(self._errors[-1].argmax())

    @np.errstate(all="ignore")
    def check(self, notes: Sequence[str] = (), across: float = 0.0) -> Check:
        """End it: give the verdict, and the known mistakes that explain a failure.

        Samples must not be connected: the largest entry across two of them is given.
        """
        task, labels, k = self.task, self.setting.labels, self._k
        atol, name = float(self.atol[k]), task.precision.name
        found = self._samples(labels), labels, atol, self.rtol, task.log, name
        check = Check(task.quantity, *found, worst=k, notes=tuple(notes))
        if across > check.atol:
            cause = Diagnosis(
                "samples depend on each other",
                "differentiate each sample's probabilities by its own logits alone.",
            )
            told = f"an entry that connects two samples is {across:.6g}, expected 0"
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
            **{each.name: getattr(task, each.name) for each in fields(task)},
            expected=task.exact(),
            actual=self._kept.reshape(task.shape),
            atol=self.atol[samples],
            rtol=self.rtol,
            unit=unit,
        )

    def _samples(self, labels: tuple[str, ...]) -> Samples:
        """Return how each sample fared, under its label."""
        shape, quantity = self.task.shape[1:], self.task.quantity
        at, expected, _ = self._worst
        places = np.stack(np.unravel_index(at.astype(np.intp), shape), axis=1)
        numbers = Numbers(self.task.z, self.task.T, self.task.g, log=self.task.log)
        exact = {
            k: numbers.of(quantity, k, places[k].tolist(), float(expected[k]))
            for k in np.flatnonzero(np.abs(expected) < sys.float_info.min).tolist()
        }
        absent = np.full((len(at), 1), -1)
        ends = (absent, places) if quantity == "vjp" else (places, absent)
        worst = np.vstack([np.hstack(ends).T[:2], self._worst[1:]])
        return Samples(labels, math.prod(shape), worst, self._failed, self._errors, exact)
