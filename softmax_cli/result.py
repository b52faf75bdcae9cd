"""What a command hands to a writer."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from softmax_cli.batch import Batch, FloatArray, Logits

if TYPE_CHECKING:
    from softmax_cli.derivation import Derivation

_VALUES_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Quantity:
    """One array a batch, computed when it is written.

    Attributes
    ----------
    key
        Its name in JSON.
    rank
        Dimensions a sample: 0 a number, 1 a row of C, 2 a matrix of (C, C).
    compute
        From a batch of K samples to shape (K,), (K, C) or (K, C, C).
    compute_rows
        For rank 2, from a batch and some outputs j to those rows of every matrix: (K, n, C).
    """

    key: str
    rank: int
    compute: Callable[[Batch], FloatArray]
    compute_rows: Callable[[Batch, range], FloatArray] | None = None

    def pieces(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, FloatArray]]:
        """Compute batch by batch, in pieces whose size does not grow with the rank."""
        for batch in batches:
            n_samples, n_classes = batch.logits.shape
            step = max(1, _VALUES_AT_ONCE // n_classes**self.rank)
            for k in range(0, n_samples, step):
                piece = batch.part(slice(k, k + step))
                yield piece, self.compute(piece)

    def blocks(self, batches: Iterable[Batch]) -> Iterator["Block"]:
        """Compute in blocks of bounded size: a matrix that is larger comes some rows at a time."""
        for batch in batches:
            n_samples, n_classes = batch.logits.shape
            everything = range(n_classes)
            if self.compute_rows is None or n_classes**2 <= _VALUES_AT_ONCE:
                for piece, values in self.pieces([batch]):
                    yield Block(piece, everything, values)
                continue
            step = max(1, _VALUES_AT_ONCE // n_classes)
            for k in range(n_samples):
                piece = batch.part(slice(k, k + 1))
                for j in range(0, n_classes, step):
                    outputs = everything[j : j + step]
                    yield Block(piece, outputs, self.compute_rows(piece, outputs))


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
    view
        Where the function is that draws it: (result, screen) -> renderables.
    temperature
        The temperature that the quantities were computed with, for the view.
    entry
        Positions of output and input, where the quantity is a single entry of J.
    """

    command: str
    logits: Logits
    quantities: tuple[Quantity, ...]
    view: str
    temperature: float = 1.0
    entry: tuple[int, int] | None = None

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
    view
        Where the function is that draws it: (result, screen) -> renderables.
    evidence
        What the view draws from.
    signs
        By row and column, the sign of an exact number of which the row has only 0.
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    document: Mapping[str, Any]
    view: str
    evidence: Any
    signs: Mapping[tuple[int, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Explanation:
    """A derivation of one sample's Jacobian.

    Attributes
    ----------
    derivation
        Its steps.
    heading
        What the sample is called, or None where there is only one without a name.
    view
        Where the function is that draws it: (result, screen) -> renderables.
    """

    derivation: "Derivation"
    heading: str | None
    view: str


Result = Arrays | Report | Explanation
