"""What a comparison with the exact results found: verdict, place, cause and notes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.diagnosis import Diagnosis
from softmax_cli.checking.formulas import FloatArray, Kind, Task
from softmax_cli.mathematics.exact import Number, Numbers, is_held

# Options in advice and notes: a name and its value, in the words of Python or of the command line.
_OPTION = re.compile(r"<(\w+)=([^>]*)>")


def in_python(text: str) -> str:
    """Write the options in a text as Python's: ``atol=0``."""
    return _OPTION.sub(lambda found: f"{found[1]}={found[2]}", text)


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
    exact
        The exact entry, also where it is too small for float64.
    """

    output: int | None
    input: int | None
    expected: float
    actual: float
    exact: Number


@dataclass(frozen=True)
class SampleCheck:
    """How one sample compares.

    Attributes
    ----------
    worst
        The entry with the largest error in units of its bound.
    entries, failed
        How many entries were compared, and how many are over their bound.
    max_abs_error, max_rel_error, max_ulp_error
        The largest errors; relative to the expected value, and in its units in the last place.
    worst_excess
        The worst entry's error in units of its bound; above 1 it fails.
    """

    worst: Worst
    entries: int
    failed: int
    max_abs_error: float
    max_rel_error: float
    max_ulp_error: float
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
    quantity, log, precision
        What was compared, whether of log-softmax, and in which number format.
    samples
        A label and its comparison each; empty where there was nothing to compare.
    labels
        All samples' labels.
    atol, rtol
        The bound atol + rtol abs(expected); the largest atol of a sample.
    method, step, step_is_relative
        The finite difference, a relative step on max(1, abs(z)); or ``exact`` without a step.
    called
        What the candidate function was given, in words, or "".
    candidate
        What the user calls it; "" where softmax itself is checked.
    problem
        What it returned, where that cannot be compared; or "".
    unstable
        Where the results of a function depend on more than its input: what was found; or "".
    worst, excess
        The position of the worst sample, and its errors in units of their bounds; None where there
        are too many to show.
    error_estimate
        The largest estimate of its own error that the method gives, or None.
    diagnoses
        The known mistakes that explain a failure.
    notes
        What the comparison could not see, or did on the way.
    """

    quantity: Kind
    samples: tuple[tuple[str, SampleCheck], ...]
    labels: tuple[str, ...]
    atol: float
    rtol: float
    log: bool = False
    precision: str = "float64"
    method: str = "exact"
    step: float | None = None
    step_is_relative: bool = False
    called: str = ""
    candidate: str = ""
    problem: str = ""
    unstable: str = ""
    worst: int = 0
    excess: FloatArray | None = None
    error_estimate: float | None = None
    diagnoses: tuple[Diagnosis, ...] = ()
    notes: tuple[str, ...] = ()

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
        return not self.failed and not self.problem and not self.unstable


class Tally:
    """The comparisons of each sample, gathered block by block.

    Parameters
    ----------
    task
        What is compared.
    """

    def __init__(self, task: Task) -> None:
        K = len(task.z)
        self._task = task
        self._errors = np.zeros((4, K))  # absolute, relative, in ulps, in units of the bound
        self._errors[3] = -1.0
        self._worst = np.zeros((2, K))  # expected, actual
        self._at: NDArray[np.intp] = np.zeros(K, dtype=np.intp)
        self._failed: NDArray[np.intp] = np.zeros(K, dtype=np.intp)

    @np.errstate(all="ignore")
    def add(
        self,
        samples: slice,
        at: NDArray[np.intp],
        expected: FloatArray,
        actual: FloatArray,
        bound: FloatArray,
    ) -> None:
        """Compare blocks of shape (n, m), whose entries stand at these positions of a result.

        An entry passes within its bound, and NaN or infinity does not.
        """
        error = np.abs(actual - expected)
        error = np.where(actual == expected, 0.0, np.where(np.isnan(error), np.inf, error))
        excess = np.where(error == 0, 0.0, error / bound)
        relative = np.where(error == 0, 0.0, error / np.abs(expected))
        ulps = error / self._task.precision.ulp(expected)
        there = np.arange(len(excess)), excess.argmax(axis=1)
        worse = excess[there] > self._errors[3, samples]
        for kept, found in (
            (self._worst[0], expected[there]),
            (self._worst[1], actual[there]),
            (self._at, at[there[1]]),
        ):
            kept[samples] = np.where(worse, found, kept[samples])
        found = np.stack([each.max(axis=1) for each in (error, relative, ulps, excess)])
        self._errors[:, samples] = np.maximum(self._errors[:, samples], found)
        self._failed[samples] += (excess > 1).sum(axis=1)

    @property
    def worst(self) -> int:
        """The position of the sample that is furthest over its bound."""
        return int(self._errors[3].argmax())

    def samples(self, labels: Sequence[str]) -> tuple[tuple[str, SampleCheck], ...]:
        """Return how each sample fared, under its label."""
        task = self._task
        entries = int(np.prod(task.shape[1:]))
        numbers = Numbers(task.z, task.T, task.g)
        found = []
        for k, label in enumerate(labels):
            expected, actual = self._worst[:, k].tolist()
            output, input_ = self._place(int(self._at[k]))
            exact = expected
            if not is_held(expected) and not task.log and np.isfinite(task.z[k]).all():
                exact = _of_any_size(task, numbers, k, output, input_)
            worst = Worst(output, input_, expected, actual, exact)
            errors = self._errors[:, k].tolist()
            found.append((label, SampleCheck(worst, entries, int(self._failed[k]), *errors)))
        return tuple(found)

    def _place(self, at: int) -> tuple[int | None, int | None]:
        match self._task.quantity:
            case "probabilities":
                return at, None
            case "jacobian":
                C = self._task.z.shape[1]
                return at // C, at % C
            case "vjp":
                return None, at


def _of_any_size(
    task: Task, numbers: Numbers, k: int, output: int | None, input_: int | None
) -> Number:
    match task.quantity:
        case "probabilities":
            return numbers.probability(k, output or 0)
        case "jacobian":
            return numbers.partial(k, output or 0, input_ or 0, 0.0)
        case "vjp":
            return numbers.product(k, input_ or 0)


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
    temperature
        Of softmax.
    upstream
        The upstream gradient that was drawn, shape (K, C), or None.
    """

    checks: tuple[Check, ...]
    classes: tuple[str, ...]
    temperature: float
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
        """What all checks noted, each once; options stand as ``<name=value>``."""
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
            label, sample = check.samples[check.worst]
            worst = sample.worst
            expected, actual = apart(worst.exact, worst.actual)
            lines.append(
                f"worst: {entry_name(check, worst, self.classes)} of sample {label}: "
                f"expected {expected}, actual {actual}, "
                f"{sample.worst_excess:.3g} times its bound"
            )
        lines += (f"{each.name}: {in_python(each.advice)}" for each in check.diagnoses)
        lines += (f"note: {in_python(note)}" for note in self.notes)
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<{'; '.join(str(self).splitlines())}>"


def apart(expected: Number, actual: float, precision: int = 6) -> tuple[str, str]:
    """Show two numbers with as many digits as it takes to tell them apart."""
    for digits in range(precision, 18):
        shown = f"{expected:.{digits}g}", f"{actual:.{digits}g}"
        if shown[0] != shown[1]:
            break
    return shown


def headline(check: Check) -> str:
    """Say in one line how a check ended."""
    return f"{'PASS' if check.passed else 'FAIL'}: {check.quantity}: {outcome(check)}"


def outcome(check: Check) -> str:
    """Say how many entries of a check agree, or what was found in their place."""
    if check.problem:
        return f"found {check.problem}"
    samples = "1 sample" if check.n_samples == 1 else f"{check.n_samples} samples"
    one = check.entries == 1
    failed = sum(each.failed for _, each in check.samples)
    if not failed:
        entries = "the one entry" if one else f"all {check.entries} entries"
        said = f"{entries} of {samples} agree{'s' if one else ''}"
        return f"{said}, but {check.unstable}" if check.unstable else said
    entries = "1 entry" if one else f"{check.entries} entries"
    return f"{failed} of {entries} over the bound, in {len(check.failed)} of {samples}"


def entry_name(check: Check, worst: Worst, classes: Sequence[str]) -> str:
    """Name an entry: ``dy_cat/dz_dog``, ``y_cat`` or ``v_dog``; of log-softmax ``dlog y_cat``."""
    output, input_ = (classes[position or 0] for position in (worst.output, worst.input))
    y = f"log y_{output}" if check.log else f"y_{output}"
    names = {"probabilities": y, "vjp": f"v_{input_}"}
    return names.get(check.quantity, f"d{y}/dz_{input_}")
