"""What a command hands to a writer: quantities computed from logits, a verdict, a derivation."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from softmax_cli.mathematics import core
from softmax_cli.samples import Batch, FloatArray, Logits

if TYPE_CHECKING:
    from softmax_cli.checking.sweep import Sweep
    from softmax_cli.checking.verdict import Verdict
    from softmax_cli.mathematics.derivation import Derivation

_VALUES_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Quantity(ABC):
    """What is computed for each sample; which one it is, its type says.

    Attributes
    ----------
    temperature
        T.
    key, key_of_one
        Its name in JSON, of all samples and of one.
    rank
        Dimensions a sample: 0 a number, 1 a row of C, 2 a matrix of (C, C).
    """

    temperature: float = 1.0

    key: ClassVar[str]
    key_of_one: ClassVar[str]
    rank: ClassVar[int]

    @abstractmethod
    def compute(self, batch: Batch) -> FloatArray:
        """Compute K samples: shape (K,), (K, C) or (K, C, C)."""

    def compute_rows(self, batch: Batch, outputs: range) -> FloatArray:
        """Compute some rows of each matrix, shape (K, n, C)."""
        raise TypeError(f"{self.key} have no rows")

    def pieces(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Split batches into pieces whose results have a bounded size, whatever the rank."""
        for batch in batches:
            n_samples, n_classes = batch.logits.shape
            step = max(1, _VALUES_AT_ONCE // n_classes**self.rank)
            for k in range(0, n_samples, step):
                yield batch.part(slice(k, k + step))

    def blocks(self, batches: Iterable[Batch]) -> Iterator["Block"]:
        """Compute in blocks of bounded size: a matrix that is larger comes some rows at a time."""
        for batch in batches:
            n_samples, n_classes = batch.logits.shape
            everything = range(n_classes)
            if self.rank < 2 or n_classes**2 <= _VALUES_AT_ONCE:
                for piece in self.pieces([batch]):
                    yield Block(piece, everything, self.compute(piece))
                continue
            step = max(1, _VALUES_AT_ONCE // n_classes)
            for k in range(n_samples):
                piece = batch.part(slice(k, k + 1))
                for j in range(0, n_classes, step):
                    outputs = everything[j : j + step]
                    yield Block(piece, outputs, self.compute_rows(piece, outputs))


class Probabilities(Quantity):
    """Softmax."""

    key, key_of_one, rank = "probabilities", "probabilities", 1

    def compute(self, batch: Batch) -> FloatArray:
        """Compute y, shape (K, C)."""
        return core.softmax(batch.logits, temperature=self.temperature)


class LogProbabilities(Quantity):
    """Log-softmax."""

    key, key_of_one, rank = "log_probabilities", "log_probabilities", 1

    def compute(self, batch: Batch) -> FloatArray:
        """Compute log y, shape (K, C)."""
        return core.log_softmax(batch.logits, temperature=self.temperature)


class Jacobian(Quantity):
    """The Jacobian of softmax."""

    key, key_of_one, rank = "jacobian", "jacobian", 2

    def compute(self, batch: Batch) -> FloatArray:
        """Compute J, shape (K, C, C)."""
        return core.jacobian(batch.logits, temperature=self.temperature)

    def compute_rows(self, batch: Batch, outputs: range) -> FloatArray:
        """Compute some rows of J, shape (K, n, C)."""
        rows = slice(outputs.start, outputs.stop)
        return core.jacobian_rows(batch.logits, rows, temperature=self.temperature)


@dataclass(frozen=True)
class Partial(Quantity):
    """One entry of J, at the positions of output and input."""

    entry: tuple[int, int] = (0, 0)

    key, key_of_one, rank = "partials", "partial", 0

    def compute(self, batch: Batch) -> FloatArray:
        """Compute dy_j/dz_i, shape (K,)."""
        j, i = self.entry
        return core.jacobian_rows(batch.logits, [j], temperature=self.temperature)[:, 0, i]


class Vjp(Quantity):
    """The upstream gradient of each sample times J."""

    key, key_of_one, rank = "vjp", "vjp", 1

    def compute(self, batch: Batch) -> FloatArray:
        """Compute v, shape (K, C)."""
        assert batch.upstream is not None
        return core.vjp(batch.logits, batch.upstream, temperature=self.temperature)


@dataclass(frozen=True)
class Block:
    """What is written at a time: a quantity of some samples, or some rows of one's matrix.

    Attributes
    ----------
    batch
        The samples.
    outputs
        The rows of each matrix that are here, from 0; all but for a large one.
    values
        Shape (K,), (K, C) or (K, n, C), with n outputs.
    """

    batch: Batch
    outputs: range
    values: FloatArray

    @property
    def begins(self) -> bool:
        """Whether nothing of its samples was written before it."""
        return self.outputs.start == 0

    @property
    def ends(self) -> bool:
        """Whether it completes its samples."""
        n_classes: int = self.batch.logits.shape[1]
        return self.outputs.stop == n_classes


@dataclass(frozen=True)
class Arrays:
    """Arrays computed from logits.

    Attributes
    ----------
    command
        The command's name.
    logits
        The source.
    quantities
        What JSON shows; the last is what the formats for one array show.
    """

    command: str
    logits: Logits
    quantities: tuple[Quantity, ...]

    @property
    def temperature(self) -> float:
        """T."""
        return self.quantity.temperature

    @property
    def entry(self) -> tuple[int, int] | None:
        """Positions of output and input, where the quantity is a single entry of J."""
        return self.quantity.entry if isinstance(self.quantity, Partial) else None

    @property
    def quantity(self) -> Quantity:
        """The array that the command is about."""
        return self.quantities[-1]

    @property
    def least_count(self) -> int:
        """How many numbers it has, or where only the end of the input tells, at least has."""
        a_sample: int = self.logits.n_classes**self.quantity.rank
        return max(self.logits.n_samples or 0, 1) * a_sample


@dataclass(frozen=True)
class Report:
    """A verdict with its evidence.

    Attributes
    ----------
    columns, rows
        A row a sample, for csv and tsv.
    document
        The whole, for JSON.
    evidence
        The verdict or the sweep, as it is drawn.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    document: Mapping[str, Any]
    evidence: "Verdict | Sweep"


@dataclass(frozen=True)
class Explanation:
    """A derivation of one sample's Jacobian.

    Attributes
    ----------
    derivation
        Its steps.
    heading
        What the sample is called, or None where there is only one without a name.
    """

    derivation: "Derivation"
    heading: str | None


Result = Arrays | Report | Explanation
