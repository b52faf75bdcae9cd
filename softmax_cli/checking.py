"""Comparing Jacobians entry by entry, with a verdict and the worst entry of each sample."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Worst:
    """The entry furthest over its bound: dy_output/dz_input."""

    output: int
    input: int
    expected: float
    actual: float


@dataclass(frozen=True)
class SampleCheck:
    """How one sample compares.

    Attributes
    ----------
    entries, failed
        How many entries were compared, and how many are over their bound.
    max_abs_error, max_rel_error
        The largest errors; relative to the expected value.
    worst
        The entry with the largest error in units of its bound.
    worst_excess
        That error in units of the bound; above 1 it fails.
    """

    entries: int
    failed: int
    max_abs_error: float
    max_rel_error: float
    worst: Worst
    worst_excess: float

    @property
    def passed(self) -> bool:
        """Whether every entry is within its bound."""
        return self.failed == 0


def compare(expected: FloatArray, actual: FloatArray, atol: float, rtol: float) -> SampleCheck:
    """Compare two matrices of shape (C, C); an entry passes within atol + rtol abs(expected).

    NaN or infinity in ``actual`` is an infinite error.
    """
    with np.errstate(all="ignore"):
        error = np.where(np.isfinite(actual), np.abs(actual - expected), np.inf)
        bound = atol + rtol * np.abs(expected)
        excess = np.where(error == 0, 0.0, error / bound)
        relative = np.where(error == 0, 0.0, error / np.abs(expected))
    j, i = np.unravel_index(int(excess.argmax()), excess.shape)
    return SampleCheck(
        entries=error.size,
        failed=int((error > bound).sum()),
        max_abs_error=float(error.max()),
        max_rel_error=float(relative.max()),
        worst=Worst(int(j), int(i), float(expected[j, i]), float(actual[j, i])),
        worst_excess=float(excess[j, i]),
    )


@dataclass(frozen=True)
class Verdict:
    """All samples of a check, and how it was made.

    Attributes
    ----------
    samples
        A label and its comparison each.
    classes
        The classes' names.
    method, step, step_is_relative
        The finite difference; a relative step is on max(1, abs(z)).
    temperature
        Of softmax.
    atol, rtol
        The bound atol + rtol abs(expected).
    """

    samples: tuple[tuple[str, SampleCheck], ...]
    classes: tuple[str, ...]
    method: str
    step: float
    step_is_relative: bool
    temperature: float
    atol: float
    rtol: float

    @property
    def failed(self) -> list[tuple[str, SampleCheck]]:
        """The samples with an entry over its bound."""
        return [(label, check) for label, check in self.samples if not check.passed]

    @property
    def passed(self) -> bool:
        """Whether every sample passed."""
        return not self.failed
