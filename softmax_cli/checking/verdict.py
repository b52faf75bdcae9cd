"""What a comparison with the exact results found: verdict, place and cause."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from softmax_cli.checking.diagnosis import Diagnosis
from softmax_cli.checking.formulas import Case, FloatArray, Kind


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
    worst
        The entry with the largest error in units of its bound.
    entries, failed
        How many entries were compared, and how many are over their bound.
    max_abs_error, max_rel_error
        The largest errors; relative to the expected value.
    worst_excess
        The worst entry's error in units of its bound; above 1 it fails.
    """

    worst: Worst
    entries: int
    failed: int
    max_abs_error: float
    max_rel_error: float
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
    called
        What the candidate function was given, in words, or "".
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


@np.errstate(all="ignore")
def compare(case: Case, labels: tuple[str, ...]) -> Check:
    """Compare samples; an entry passes within its bound, and NaN or infinity does not."""
    arrays = case.excess, case.error, case.expected, case.actual
    excess, error, exact, found = (each.reshape(len(labels), -1) for each in arrays)
    relative = np.where(error == 0, 0.0, error / np.abs(exact))
    at = excess.argmax(axis=1)
    there = np.arange(len(at)), at
    largest = [error.max(axis=1), relative.max(axis=1), excess[there]]
    columns = [at, exact[there], found[there], (excess > 1).sum(axis=1), *largest]
    samples = [
        SampleCheck(Worst(*_place(case, j), right, wrong), exact.shape[1], *fared)
        for j, right, wrong, *fared in zip(*(each.tolist() for each in columns), strict=True)
    ]
    worst = int(excess[there].argmax())
    shown = excess[worst].reshape(case.expected.shape[1:])
    named = tuple(zip(labels, samples, strict=True))
    return Check(case.quantity, named, labels, case.atol, case.rtol, worst=worst, excess=shown)


def _place(case: Case, at: int) -> tuple[int | None, int | None]:
    match case.quantity:
        case "probabilities":
            return at, None
        case "jacobian":
            return at // case.z.shape[1], at % case.z.shape[1]
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
    return f"{'PASS' if check.passed else 'FAIL'}: {check.quantity}: {outcome(check)}"


def outcome(check: Check) -> str:
    """Say how many entries of a check agree, or what was found in their place."""
    if check.problem:
        return f"found {check.problem}"
    samples = "1 sample" if check.n_samples == 1 else f"{check.n_samples} samples"
    one = check.entries == 1
    if check.passed:
        entries = "the one entry" if one else f"all {check.entries} entries"
        return f"{entries} of {samples} agree{'s' if one else ''}"
    failed = sum(each.failed for _, each in check.samples)
    entries = "1 entry" if one else f"{check.entries} entries"
    return f"{failed} of {entries} over the bound, in {len(check.failed)} of {samples}"


def entry_name(quantity: str, worst: Worst, classes: Sequence[str]) -> str:
    """Name an entry: ``dy_cat/dz_dog``, ``y_cat`` or ``v_dog``."""
    output, input_ = (classes[position or 0] for position in (worst.output, worst.input))
    names = {"probabilities": f"y_{output}", "vjp": f"v_{input_}"}
    return names.get(quantity, f"dy_{output}/dz_{input_}")
