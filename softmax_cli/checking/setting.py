"""What results are compared with, and how; and inputs of our own, on which wrong code differs."""

from dataclasses import dataclass, replace

import numpy as np

from softmax_cli.checking.candidate import Array
from softmax_cli.checking.formulas import FloatArray, Kind, Task
from softmax_cli.checking.precision import PRECISIONS, Precision
from softmax_cli.checking.verdict import Check, Verdict


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """What results are compared with, and how, and functions differentiated; None is the default.

    Attributes
    ----------
    z, g
        Logits, of any shape with an axis of classes, and upstream gradients for the vjp.
    classes, labels
        Names of the classes and of the samples.
    drawn
        Whether the upstream gradient is our own.
    """

    z: FloatArray
    g: FloatArray | None = None
    classes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    drawn: bool = False
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

    @property
    def precision(self) -> Precision:
        """The number format that the user named, or float64."""
        return PRECISIONS[self.dtype or "float64"]

    def rows(self, values: FloatArray) -> FloatArray:
        """Bring logits or gradients to the shape (K, C)."""
        last = np.moveaxis(values, self.axis, -1)
        return last.reshape(-1, last.shape[-1])

    def like_logits(self, rows: Array) -> Array:
        """Bring rows, shape (K, C), to the shape of the logits."""
        last = np.moveaxis(self.z, self.axis, -1).shape
        return np.moveaxis(rows.reshape(last), -1, self.axis)

    def task(self, quantity: Kind, precision: Precision) -> Task:
        """Say what is computed, of logits and gradients in this precision."""
        g = None
        if quantity == "vjp" and self.g is not None:
            g = precision.round(self.rows(self.g))
        z = precision.round(self.rows(self.z))
        lead = tuple(np.delete(self.z.shape, self.axis).tolist())
        return Task(quantity, z, g, self.temperature, self.log, precision, lead)

    def with_gradient(self, upstream: FloatArray | None) -> "Setting":
        """Add an upstream gradient, or draw one; a ValueError says what does not fit."""
        if upstream is None:
            drawn = draw_gradient(*self.rows(self.z).shape)
            return replace(self, g=self.like_logits(drawn), drawn=True)
        try:
            g = np.broadcast_to(upstream, self.z.shape)
        except ValueError:
            found = f"{upstream.shape} for logits of {self.z.shape}"
            raise ValueError(f"expected an upstream gradient that fits, found {found}") from None
        if not np.isfinite(g).all():
            raise ValueError("expected a finite upstream gradient")
        return replace(self, g=g)

    def tolerances(self, atol: FloatArray, rtol: float) -> tuple[FloatArray, float]:
        """Return the bound, as given or these by default: atol for each sample, and rtol."""
        given = atol if self.atol is None else np.full(len(atol), self.atol)
        return given, rtol if self.rtol is None else self.rtol

    def verdict(self, *checks: Check) -> Verdict:
        """Give the verdict of these checks."""
        drawn = self.rows(self.g) if self.drawn and self.g is not None else None
        return Verdict(checks, self.classes, self.temperature, drawn)


def positions(shape: tuple[int, ...], axis: int = -1) -> list[str]:
    """Name the samples of logits by their positions from 1: ``3``, or ``1-3`` of more axes."""
    lead = np.delete(shape, axis)
    return ["-".join(str(k + 1) for k in each) or "1" for each in np.ndindex(*lead)]


def draw_gradient(K: int, C: int) -> FloatArray:
    """Draw a general upstream gradient, shape (K, C): the same one in every run.

    No entry is 0, 1 or -1, no two are equal, and no sum of a sample's is 0 or 1.
    """
    size = np.random.default_rng(1).permuted(np.linspace(0.2, 0.9, K * C))
    sign = np.random.default_rng(2).choice([-1.0, 1.5], K * C)
    return np.asarray(size * sign).reshape(K, C)


def note_on_gradient(g: FloatArray) -> str:
    """Say what a special upstream gradient, shape (K, C), hides; or ""."""
    wrong_sums = "a squared or absolute gradient, and wrong sums over the classes"
    for kind, is_so, hides in (
        ("zero", (g == 0).all(), "everything but a constant that is added"),
        ("constant", (g == g[:, :1]).all(), "everything but the row sums of J, which are 0"),
        ("one-hot", ((g != 0).sum(axis=1) == 1).all(), wrong_sums),
        ("of entries 0, 1 and -1", np.isin(g, (-1, 0, 1)).all(), wrong_sums),
    ):
        if is_so:
            told = f"an upstream gradient that is {kind} hides {hides}"
            return f"{told}; leave it out to have one drawn"
    return ""


def stress_samples(C: int, temperature: float) -> tuple[FloatArray, tuple[str, ...]]:
    """Return logits, shape (n, C), that are hard to get right, and what is hard about each."""
    z = np.random.default_rng(3).normal(0, 2, (12, C))
    position = np.arange(C)
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
    }
    return temperature * np.stack(list(named.values())), tuple(named)
