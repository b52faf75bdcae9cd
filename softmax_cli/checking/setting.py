"""What results are compared with, and how."""

from dataclasses import dataclass, replace

import numpy as np

from softmax_cli.checking.candidate import Array
from softmax_cli.checking.formulas import FloatArray, Kind, Task
from softmax_cli.checking.precision import PRECISIONS, Precision
from softmax_cli.checking.trials import draw_gradient
from softmax_cli.checking.verdict import Check, Verdict


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


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting(Comparison):
    """What results are compared with, and how.

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

    def tolerances(self, task: Task) -> tuple[FloatArray, float]:
        """Return the bound: atol for each sample, and rtol, as given or by default."""
        atol, rtol = task.tolerances()
        if self.atol is not None:
            atol = np.full(len(task.z), self.atol)
        return atol, rtol if self.rtol is None else self.rtol

    def verdict(self, *checks: Check) -> Verdict:
        """Give the verdict of these checks."""
        drawn = self.rows(self.g) if self.drawn and self.g is not None else None
        return Verdict(checks, self.classes, self.temperature, drawn)


def positions(shape: tuple[int, ...], axis: int = -1) -> list[str]:
    """Name the samples of logits by their positions from 1: ``3``, or ``1-3`` of more axes."""
    lead = np.delete(shape, axis)
    return ["-".join(str(k + 1) for k in each) or "1" for each in np.ndindex(*lead)]


def with_gradient(setting: Setting, upstream: FloatArray | None) -> Setting:
    """Add an upstream gradient, a drawn one by default; a ValueError says what does not fit."""
    if upstream is None:
        drawn = draw_gradient(*setting.rows(setting.z).shape)
        return replace(setting, g=setting.like_logits(drawn), drawn=True)
    try:
        g = np.broadcast_to(upstream, setting.z.shape)
    except ValueError:
        found = f"{upstream.shape} for logits of {setting.z.shape}"
        raise ValueError(f"expected an upstream gradient that fits, found {found}") from None
    if not np.isfinite(g).all():
        raise ValueError("expected a finite upstream gradient")
    return replace(setting, g=g)
