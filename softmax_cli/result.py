"""What a command hands to a writer."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from softmax_cli.batch import Batch, FloatArray, Logits
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
    """

    key: str
    rank: int
    compute: Callable[[Batch], FloatArray]

    def pieces(self, batches: Iterable[Batch]) -> Iterator[tuple[Batch, FloatArray]]:
        """Compute batch by batch, in pieces whose size does not grow with the rank."""
        for batch in batches:
            n_samples, n_classes = batch.logits.shape
            step = max(1, _VALUES_AT_ONCE // n_classes**self.rank)
            for k in range(0, n_samples, step):
                piece = batch.part(slice(k, k + step))
                yield piece, self.compute(piece)


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
    """

    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    document: Mapping[str, Any]
    view: str
    evidence: Any


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

    derivation: Derivation
    heading: str | None
    view: str


Result = Arrays | Report | Explanation
