"""What a comparison with the exact results found: verdict, place and cause."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from softmax_cli.checking.diagnosis import Diagnosis
from softmax_cli.checking.formulas import FloatArray, Kind


@dataclass(frozen=True)
class Worst:
    """The entry furthest over its bound: dy_output/dz_input.

    A probability has no input, an upstream gradient times J no output.

    Attributes
    ----------
    output, input
        Positions of classes.
    expected, actual
        The exact entry, to float64, and the one compared with it.
    """

    output: int | None
    input: int | None
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


@dataclass(frozen=True, eq=False)
class Check:
    """One quantity compared for all samples, and how.

    Attributes
    ----------
    quantity
        What was compared.
    samples
        A label and its comparison each; empty where there was nothing to compare.
    labels
        All samples' labels.
    atol, rtol
        The bound atol + rtol abs(expected).
    method, step, step_is_relative
        The finite difference, a relative step on max(1, abs(z)); or ``exact`` without a step.
    called, one_by_one
        What the candidate function was given, in words, or ""; whether that was sample by sample.
    candidate
        What the user calls it; "" where softmax itself is checked.
    problem
        What it returned, where that cannot be compared; or "".
    worst, excess
        The position of the worst sample, and its errors in units of their bounds.
    error_estimate
        The largest estimate of its own error that the method gives, or None.
    diagnoses
        The known mistakes that explain a failure.
    """

    quantity: Kind
    samples: tuple[tuple[str, SampleCheck], ...]
    labels: tuple[str, ...]
    atol: float
    rtol: float
    method: str = "exact"
    step: float | None = None
    step_is_relative: bool = False
    called: str = ""
    one_by_one: bool = False
    candidate: str = ""
    problem: str = ""
    worst: int = 0
    excess: FloatArray | None = None
    error_estimate: float | None = None
    diagnoses: tuple[Diagnosis, ...] = ()

    @property
    def worst_excess(self) -> float:
        """The largest error in units of its bound."""
        return self.samples[self.worst][1].worst_excess

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return len(self.labels)

    @property
    def entries(self) -> int:
        """How many entries were compared."""
        return sum(each.entries for _, each in self.samples)

    @property
    def failed(self) -> list[tuple[str, SampleCheck]]:
        """The samples with an entry over its bound."""
        return [(label, check) for label, check in self.samples if not check.passed]

    @property
    def passed(self) -> bool:
        """Whether every sample passed."""
        return not self.failed and not self.problem


def compare(
    quantity: Kind,
    labels: tuple[str, ...],
    expected: FloatArray,
    actual: FloatArray,
    bound: tuple[float, float],
) -> Check:
    """Compare samples, shape (K, C, C) or (K, C); an entry passes within atol + rtol |expected|.

    NaN or infinity in ``actual`` is an infinite error.
    """
    atol, rtol = bound
    exact, found = (each.reshape(len(each), -1) for each in (expected, actual))
    with np.errstate(all="ignore"):
        error = np.where(np.isfinite(found), np.abs(found - exact), np.inf)
        allowed = atol + rtol * np.abs(exact)
        excess = np.where(error == 0, 0.0, error / allowed)
        relative = np.where(error == 0, 0.0, error / np.abs(exact))
    at = excess.argmax(axis=1)
    there = np.arange(len(at)), at
    failed = (~(error <= allowed)).sum(axis=1)
    largest = [failed, error.max(axis=1), relative.max(axis=1)]
    columns = [at, *largest, exact[there], found[there], excess[there]]
    samples = [
        SampleCheck(
            error.shape[1], n_failed, absolute, in_part,
            Worst(*_place(j, expected.shape[-1], quantity), right, wrong), over,
        )
        for j, n_failed, absolute, in_part, right, wrong, over in zip(
            *(column.tolist() for column in columns), strict=True
        )
    ]  # fmt: skip
    worst = int(excess[there].argmax())
    shown = excess[worst].reshape(expected.shape[1:])
    named = tuple(zip(labels, samples, strict=True))
    return Check(quantity, named, labels, atol, rtol, worst=worst, excess=shown)


def _place(at: int, n_classes: int, quantity: Kind) -> tuple[int | None, int | None]:
    match quantity:
        case "probabilities":
            return at, None
        case "jacobian":
            return divmod(at, n_classes)
        case "vjp":
            return None, at


@dataclass(frozen=True, eq=False)
class Verdict:
    """All that was checked; true when everything passed.

    ``str()`` gives the verdict, the worst entry and the cause, for the message of an assertion.

    Attributes
    ----------
    checks
        One a quantity.
    classes
        The classes' names.
    temperature
        Of softmax.
    """

    checks: tuple[Check, ...]
    classes: tuple[str, ...]
    temperature: float

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def decisive(self) -> Check:
        """The first check that failed, or else the last."""
        return next((check for check in self.checks if not check.passed), self.checks[-1])

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        check = self.decisive
        lines = [headline(each) for each in self.checks if each.passed == self.passed]
        if not check.passed and check.samples:
            label, sample = check.samples[check.worst]
            worst = sample.worst
            lines.append(
                f"worst: {entry_name(check.quantity, worst, self.classes)} of sample {label}: "
                f"expected {worst.expected:.6g}, actual {worst.actual:.6g}, "
                f"{sample.worst_excess:.3g} times its bound"
            )
        for each in check.diagnoses:
            lines.append(f"{each.name}: {each.advice_in('{}={:.6g}', ', ')}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{'; '.join(str(self).splitlines())}>"


def headline(check: Check) -> str:
    """Say in one line how a check ended."""
    if check.problem:
        return f"FAIL: {check.quantity}: found {check.problem}"
    samples = f"{check.n_samples} sample{'s' if check.n_samples > 1 else ''}"
    entries = "entries" if check.entries > 1 else "entry"
    if check.passed:
        return f"PASS: {check.quantity}: all {check.entries} {entries} of {samples} agree"
    failed = sum(each.failed for _, each in check.samples)
    return (
        f"FAIL: {check.quantity}: {failed} of {check.entries} {entries} over the bound, "
        f"in {len(check.failed)} of {samples}"
    )


def entry_name(quantity: str, worst: Worst, classes: Sequence[str]) -> str:
    """Name an entry: ``dy_cat/dz_dog``, ``y_cat`` or ``v_dog``."""
    output, input_ = (classes[position or 0] for position in (worst.output, worst.input))
    names = {"probabilities": f"y_{output}", "vjp": f"v_{input_}"}
    return names.get(quantity, f"dy_{output}/dz_{input_}")
