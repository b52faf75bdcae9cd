"""What a comparison with the exact results found: verdict, place, cause and notes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from softmax_cli.checking.candidate import in_python
from softmax_cli.checking.formulas import FloatArray, Kind
from softmax_cli.checking.mistakes import Diagnosis
from softmax_cli.mathematics.exact import Number

ShowNumber = Callable[[Number, int], str]  # a number, with so many significant digits


@dataclass(frozen=True)
class SampleCheck:
    """How one sample compares, and its worst entry: the one furthest over its bound.

    Attributes
    ----------
    output, input
        Positions of the classes of dy_output/dz_input; a probability has no input, an upstream
        gradient times J no output.
    expected, actual
        The exact entry, to float64, and the one compared with it.
    exact
        The exact entry, also where it is too small for float64.
    failed
        How many entries are over their bound.
    max_abs_error, max_rel_error, max_ulp_error
        The largest errors; relative to the expected value, and in its units in the last place.
    worst_excess
        The worst entry's error in units of its bound; above 1 it fails.
    """

    output: int | None
    input: int | None
    expected: float
    actual: float
    exact: Number
    failed: int
    max_abs_error: float
    max_rel_error: float
    max_ulp_error: float
    worst_excess: float


class Samples(Sequence[tuple[str, SampleCheck]]):
    """How samples compare, each under its label: in columns, since there may be millions.

    Attributes
    ----------
    quantity, shape
        What they are, and the shape of one.
    labels
        Of all samples.
    worst
        Of the worst entries the position, and the exact and the actual value.
    failed, errors
        How many entries failed; the largest errors, as in `SampleCheck`.
    exact
        By position, the exact entries that are too small for float64.
    """

    def __init__(self, quantity: Kind, shape: tuple[int, ...], labels: tuple[str, ...]) -> None:
        self.quantity, self.shape, self.labels = quantity, shape, labels
        self.worst = np.full((3, len(labels)), np.nan)
        self.failed = np.zeros(len(labels), dtype=np.intp)
        self.errors = np.full((4, len(labels)), -1.0)
        self.exact: dict[int, Number] = {}

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def furthest(self) -> int:
        """The position of the worst sample."""
        return int(self.errors[-1].argmax())

    def place(self, k: int) -> list[int]:
        """Return where the worst entry of a sample is: output and input, or one of them."""
        return [int(i) for i in np.unravel_index(int(self.worst[0, k]), self.shape)]

    def __getitem__(self, k: Any) -> Any:
        cells: list[Any] = self.place(k)
        if self.quantity != "jacobian":
            cells.insert(0 if self.quantity == "vjp" else 1, None)
        expected, actual = self.worst[1:, k].tolist()
        cells += [expected, actual, self.exact.get(k, expected), int(self.failed[k])]
        return self.labels[k], SampleCheck(*cells, *self.errors[:, k].tolist())


@dataclass(frozen=True, eq=False)
class Check:
    """One quantity compared for all samples, and how.

    Attributes
    ----------
    quantity, log, precision
        What was compared, whether of log-softmax, and in which number format.
    samples
        A label and its comparison each, unless there is a problem.
    atol, rtol
        The bound atol + rtol abs(expected), with the atol of the worst sample.
    method, step, step_scale
        The finite difference, and what the step is multiplied by, in words, or ""; or ``exact``
        without a step.
    called
        What the candidate function was given, in words, or "".
    candidate
        What the user calls it; "" where softmax itself is checked.
    problem
        What it returned, where that cannot be compared; or "".
    unstable
        Where the results of a function depend on more than its input: what was found; or "".
    is_ours
        Whether the samples are our own, which are hard to get right.
    excess
        The worst sample's errors in units of their bounds; None where there are too many to show.
    error_estimate
        The largest estimate of its own error that the method gives, or None.
    diagnoses
        The known mistakes that explain a failure.
    notes
        What the comparison could not see, or did on the way.
    """

    quantity: Kind
    samples: Samples
    atol: float
    rtol: float
    log: bool = False
    precision: str = "float64"
    method: str = "exact"
    step: float | None = None
    step_scale: str = ""
    called: str = ""
    candidate: str = ""
    problem: str = ""
    unstable: str = ""
    is_ours: bool = False
    excess: FloatArray | None = None
    error_estimate: float | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def entries(self) -> int:
        """How many entries were compared."""
        return int(np.prod(self.samples.shape)) * len(self.samples)

    @property
    def failed(self) -> list[int]:
        """The positions of the samples with an entry over its bound."""
        return [*np.flatnonzero(self.samples.failed).tolist()]

    @property
    def passed(self) -> bool:
        """Whether every sample passed."""
        return not (self.samples.failed.any() or self.problem or self.unstable)


@dataclass(frozen=True, eq=False)
class Verdict:
    """All that was checked; true when everything passed.

    ``str()`` gives the verdict, the worst entry, the cause and notes, for the message of an
    assertion.

    Attributes
    ----------
    checks
        One a quantity.
    classes
        The classes' names.
    upstream
        The upstream gradient that was drawn, shape (K, C), or None.
    """

    checks: tuple[Check, ...]
    classes: tuple[str, ...]
    upstream: FloatArray | None = None

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def decisive(self) -> Check:
        """The first check that failed, or else the last."""
        return next((check for check in self.checks if not check.passed), self.checks[-1])

    @property
    def notes(self) -> tuple[str, ...]:
        """What all checks noted, each once; options stand as ```name=value```."""
        return tuple(dict.fromkeys(note for check in self.checks for note in check.notes))

    def raise_if_failed(self) -> None:
        """Raise an AssertionError that says why, unless everything passed."""
        __tracebackhide__ = True  # pytest shows the caller's line
        if not self.passed:
            raise AssertionError(str(self))

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        check = self.decisive
        lines = [headline(each) for each in self.checks if each.passed == self.passed]
        if check.failed:
            lines.append(worst_entry(self, lambda value, digits: f"{value:.{digits}g}"))
        lines += (f"{each.name}: {in_python(each.advice)}" for each in check.diagnoses)
        lines += (f"note: {in_python(note)}" for note in self.notes)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{'; '.join(str(self).splitlines())}>"


def apart(worst: SampleCheck, show: ShowNumber, precision: int = 6) -> tuple[str, str]:
    """Show the exact and the actual entry, with enough digits to tell them apart if it fails."""
    for digits in range(precision, 18):
        shown = show(worst.exact, digits), show(worst.actual, digits)
        if shown[0] != shown[1] or not worst.failed:
            break
    return shown


def worst_entry(verdict: Verdict, show: ShowNumber, precision: int = 6) -> str:
    """Say in one line which entry is the worst, and how wrong it is."""
    check = verdict.decisive
    label, worst = check.samples[check.samples.furthest]
    expected, actual = apart(worst, show, precision)
    return (
        f"worst: {entry_name(check, worst, verdict.classes)} of sample {label}: "
        f"expected {expected}, actual {actual}, {worst.worst_excess:.3g} times its bound; "
        f"up to {worst.max_ulp_error:.3g} ulp of {check.precision}"
    )


def headline(check: Check) -> str:
    """Say in one line how many entries of a check agree, or what was found in their place."""
    n, failed = check.entries, int(check.samples.failed.sum())
    ours, noun = " of our own" * check.is_ours, "entry" if n == 1 else "entries"
    samples = f"{len(check.samples)} sample{'s' * (len(check.samples) > 1)}{ours}"
    entries, end = ("the one entry", "s") if n == 1 else (f"all {n} entries", "")
    said = f"{entries} of {samples} agree{end}"
    if failed:
        said = f"{failed} of {n} {noun} over the bound, in {len(check.failed)} of {samples}"
    said = f"{said}; {check.unstable}" if check.unstable else said
    said = f"found {check.problem}" if check.problem else said
    return f"{'PASS' if check.passed else 'FAIL'}: {check.quantity}: {said}"


def entry_name(check: Check, worst: SampleCheck, classes: Sequence[str]) -> str:
    """Name an entry: ``dy_cat/dz_dog``, ``y_cat`` or ``v_dog``; of log-softmax ``dlog y_cat``."""
    output, input_ = (classes[position or 0] for position in (worst.output, worst.input))
    y = f"log y_{output}" if check.log else f"y_{output}"
    return {"probabilities": y, "vjp": f"v_{input_}"}.get(check.quantity, f"d{y}/dz_{input_}")
