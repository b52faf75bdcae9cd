"""What results are compared with, and how; and the comparison itself, block by block."""

from dataclasses import KW_ONLY, dataclass, replace
from itertools import product

import numpy as np

from softmax_cli.checking import formulas
from softmax_cli.checking.candidate import Array, RangeError
from softmax_cli.checking.formulas import Case, FloatArray, Kind, Precision, Task, deviation
from softmax_cli.checking.mistakes import diagnose, explain
from softmax_cli.checking.verdict import Check, Samples, Verdict
from softmax_cli.mathematics.exact import Numbers

# How many entries are held: of all results that are told in full, and at a time.
HELD = 1 << 22
_AT_ONCE = 1 << 20


@dataclass(frozen=True, eq=False)
class Setting:
    """What results are compared with, and how, and functions differentiated; None is the default.

    Attributes
    ----------
    z, g
        Logits, of any shape with an axis of classes, and upstream gradients for the vjp.
    classes, labels
        Names of the classes and of the samples.
    drawn, ours
        Whether the upstream gradient is our own, and whether the logits are.
    """

    temperature: float = 1.0
    log: bool = False
    dtype: str | None = None
    atol: float | None = None
    rtol: float | None = None
    method: str | None = None
    step: float | None = None
    forward_only: bool = False
    stress: bool = False
    ours: bool = False
    _: KW_ONLY
    z: FloatArray
    g: FloatArray | None = None
    axis: int = -1
    classes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    drawn: bool = False

    @property
    def precision(self) -> Precision:
        """The number format that the user named, or float64."""
        return formulas.precision_of(self.dtype)

    def rows(self, values: FloatArray) -> FloatArray:
        """Bring logits or gradients to the shape (K, C)."""
        last = np.moveaxis(values, self.axis, -1)
        return last.reshape(-1, last.shape[-1])

    def like_logits(self, rows: Array) -> Array:
        """Bring rows, shape (K, C), to the shape of the logits."""
        return np.moveaxis(rows.reshape(np.moveaxis(self.z, self.axis, -1).shape), -1, self.axis)

    def task(self, quantity: Kind, precision: Precision) -> Task:
        """Say what is computed, of logits and gradients in this precision."""
        given = (self.z, self.g) if quantity == "vjp" else (self.z,)
        rows = np.stack([self.rows(each) for each in given if each is not None])
        rounded = precision.round(rows)
        if (beyond := rows[np.isinf(rounded) & np.isfinite(rows)]).size:
            raise RangeError(f"expected numbers in range of {precision.name}, found {beyond[0]:g}")
        z, g = rounded[0], rounded[1] if len(rounded) > 1 else None
        lead = tuple(np.delete(self.z.shape, self.axis).tolist())
        return Task(quantity, z, g, self.temperature, self.log, precision, lead)

    def with_gradient(self, upstream: FloatArray | None) -> "Setting":
        """Add an upstream gradient, or draw a general one; ValueError if it does not fit."""
        if upstream is None:
            # No entry is 0, 1 or -1, no two are equal, and no sum of a sample's is 0 or 1.
            size = np.random.default_rng(1).permuted(np.linspace(0.2, 0.9, self.z.size))
            sign = np.random.default_rng(2).choice([-1.0, 1.5], self.z.size)
            return replace(self, g=self.like_logits(size * sign), drawn=True)
        if not np.isfinite(upstream).all():
            raise ValueError("expected a finite upstream gradient")
        try:
            return replace(self, g=np.broadcast_to(upstream, self.z.shape))
        except ValueError:
            found = f"for logits of shape {self.z.shape}, found shape {upstream.shape}"
            raise ValueError(f"expected an upstream gradient {found}") from None

    def verdict(self, *checks: Check) -> Verdict:
        """Give the verdict of these checks."""
        drawn = self.rows(self.g) if self.drawn and self.g is not None else None
        return Verdict(checks, self.classes, drawn)


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
        atol, rtol = tolerances or task.tolerances(ours=setting.ours)
        self.atol = atol if setting.atol is None else np.full(len(atol), setting.atol)
        self.rtol = rtol if setting.rtol is None else setting.rtol
        self.below, self.needs_unit = 0, False
        K, size = len(task.z), int(np.prod(task.shape[1:]))
        self._unit = None if unit is None else unit.reshape(K, size)
        self._samples = Samples(task.quantity, task.shape[1:], setting.labels)
        # All results where they are few, and else those of the worst sample.
        self._kept = np.empty((K if K * size <= HELD else int(size <= HELD), size))

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
    def compare(self, samples: slice, at: Array, expected: FloatArray, actual: FloatArray) -> None:
        """Compare blocks of shape (n, m), whose entries stand at these positions of a result.

        An entry passes within its bound, and NaN or infinity does not.
        """
        # What the format has no number for is infinite in it.
        is_beyond = np.isinf(actual) & (self.task.precision.round(expected) == actual)
        actual = np.where(is_beyond, expected, actual)
        error, size = deviation(expected, actual), np.abs(expected)
        size[np.isinf(size)] = 0.0  # to log 0, no number is near
        bound = self.atol[samples, None] + self.rtol * size
        self.needs_unit |= bool((error > bound).any())
        if self._unit is not None:
            bound = np.maximum(bound, self._unit[samples][:, at])
        self.below += int(np.count_nonzero((size <= bound) & (size != 0)))
        scales = np.ones_like(size), size, self.task.precision.ulp(size), bound
        errors = np.stack([np.where(error == 0, 0.0, error / scale) for scale in scales])
        found, there = self._samples, (np.arange(len(error)), errors[-1].argmax(axis=1))
        is_worse = errors[-1][there] > found.errors[-1, samples]
        worst = np.stack([at[there[1]], expected[there], actual[there]])
        found.worst[:, samples] = np.where(is_worse, worst, found.worst[:, samples])
        found.errors[:, samples] = np.maximum(found.errors[:, samples], errors.max(axis=2))
        found.failed[samples] += (errors[-1] > 1).sum(axis=1)
        if len(self._kept) == len(found):
            self._kept[samples, at] = actual
        elif len(self._kept) and samples.start <= (k := found.furthest) < samples.stop:
            self._kept[0, at] = actual[k - samples.start]

    @np.errstate(all="ignore")
    def check(self, across: float = 0.0) -> Check:
        """End it: give the verdict, and the known mistakes that explain a failure.

        Samples must not be connected: the largest entry across two of them is given.
        """
        task, found, k = self.task, self._samples, self._samples.furthest
        numbers = Numbers(task.z, task.T, task.g, log=task.log)
        # What is too small for float64.
        for small in np.flatnonzero(np.abs(found.worst[1]) < np.finfo(np.float64).tiny).tolist():
            place, value = found.place(small), float(found.worst[1, small])
            found.exact[small] = numbers.of(task.quantity, small, place, value)
        bound = float(self.atol[k]), self.rtol
        check = Check(task.quantity, found, *bound, task.log, task.precision.name)
        if across > check.atol:
            told = f"an entry that connects two samples is {across:.6g}, expected 0"
            cause = explain("samples depend on each other", task)
            check = replace(check, unstable=told, diagnoses=(cause,))
        if check.passed or not self._kept.size:
            return check
        # All samples are explained, or else the worst one.
        samples = slice(None) if len(self._kept) == len(found) else slice(k, k + 1)
        task = task.some(samples)
        unit = 0.0 if self._unit is None else self._unit[samples].reshape(task.shape)
        expected, actual = task.exact(), self._kept.reshape(task.shape)
        atol, rtol = self.atol[samples], self.rtol
        case = Case(**vars(task), expected=expected, actual=actual, atol=atol, rtol=rtol, unit=unit)
        excess = case.excess[k if len(case.z) > 1 else 0]
        return replace(check, excess=excess, diagnoses=diagnose(case) or check.diagnoses)


def positions(shape: tuple[int, ...], axis: int = -1) -> list[str]:
    """Name the samples of logits by their positions from 1: ``3``, or ``1-3`` of more axes."""
    return ["-".join(str(k + 1) for k in at) or "1" for at in np.ndindex(*np.delete(shape, axis))]


def note_on_gradient(g: FloatArray) -> str:
    """Say what a special upstream gradient, shape (K, C), hides; or ""."""
    powers, are_bits = "a squared or absolute gradient", np.isin(g, (0, 1)).all()
    is_single = ((g != 0).sum(axis=1) == 1).all()
    kinds = (
        ("zero", (g == 0).all(), "everything but a constant that is added"),
        ("constant", (g == g[:, :1]).all(), "everything but the sums of J's columns"),
        ("one-hot", is_single, f"{powers}, and " * bool(are_bits) + "wrong sums over the classes"),
        ("of entries 0 and 1", are_bits, powers),
    )
    found = next((f"{kind} hides {hides}" for kind, is_so, hides in kinds if is_so), "")
    return found and f"an upstream gradient that is {found}; leave it out to have one drawn"


def stress_samples(C: int, temperature: float) -> tuple[FloatArray, tuple[str, ...]]:
    """Return logits, shape (n, C), that are hard to get right, and what is hard about each."""
    z, position = np.random.default_rng(3).normal(0, 2, (14, C)), np.arange(C)
    named = {
        "of +-800": 800 * np.where(position % 3, -1.0, 1.0) + z[0],
        "of -+800": 800 * np.where(position % 3, 1.0, -1.0) + z[1],
        "around 800": z[2] + 800,
        "around -800": z[3] - 800,
        "all equal": np.full(C, 0.75),
        "tied": np.where(position < 2, z[4].max(), z[4]),
        "every second one masked": np.where(position % 2 == 1, -np.inf, z[5]),
        "masked at first": np.where(position < C // 2, -np.inf, z[6]),
        "all masked but the last": np.where(position < C - 1, -np.inf, z[7]),
        "saturated": np.where(position == 0, 40.0, z[8]),
        "saturated at last": np.where(position == C - 1, 40.0, z[9]),
        "small": 1e-3 * z[10],
        "masked at last": np.where(position > (C - 1) // 2, -np.inf, z[12]),
        "all masked but the first": np.where(position > 0, -np.inf, z[13]),
    }
    return temperature * np.stack(list(named.values())), tuple(named)
