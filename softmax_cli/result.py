"""What a command hands to a writer: quantities computed from logits, a verdict, a derivation."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core
from softmax_cli.mathematics.inputs import or_limit
from softmax_cli.samples import Batch, FloatArray, Logits

if TYPE_CHECKING:
    from softmax_cli.checking.sweep import Sweep
    from softmax_cli.checking.verdict import Verdict
    from softmax_cli.mathematics.exact import Derivation

_VALUES_AT_ONCE = 1 << 17


@dataclass(frozen=True)
class Quantity(ABC):
    """What is computed for each sample; which one it is, its type says."""

    temperature: float = 1.0
    log: bool = False  # whether it is that of log-softmax
    entry: tuple[int, int] | None = None  # positions of output and input, where it is one of J

    rank: ClassVar[int] = 1  # dimensions a sample: a number, a row of C or a matrix of (C, C)

    @property
    @abstractmethod
    def key(self) -> str:
        """Its name in JSON."""

    @abstractmethod
    def compute(self, batch: Batch, outputs: slice) -> FloatArray:
        """Compute K samples, of n rows of a matrix: shape (K,), (K, C) or (K, n, C)."""

    def pieces(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Split batches into pieces whose results have a bounded size, whatever the rank."""
        for batch in batches:
            n_samples, n_classes = batch.logits.shape
            step = max(1, _VALUES_AT_ONCE // n_classes**self.rank)
            for k in range(0, n_samples, step):
                yield batch.part(slice(k, k + step))

    def blocks(self, batches: Iterable[Batch]) -> Iterator["Block"]:
        """Compute in blocks of bounded size: a large matrix comes some rows at a time."""
        for piece in self.pieces(batches):
            every = range(piece.logits.shape[1])
            step = max(1, _VALUES_AT_ONCE // len(every)) if self.rank == 2 else len(every)
            for j in every[::step]:
                rows = slice(j, j + step)
                yield Block(piece, every[rows], self.compute(piece, rows))


class Probabilities(Quantity):
    """Softmax, or its logarithm."""

    @property
    def key(self) -> str:
        """Its name in JSON."""
        return "log_" * self.log + "probabilities"

    def compute(self, batch: Batch, outputs: slice) -> FloatArray:
        """Compute y or log y, shape (K, C)."""
        softmax = core.log_softmax if self.log else core.softmax
        return softmax(batch.logits, temperature=self.temperature)


class Jacobian(Quantity):
    """The Jacobian of softmax."""

    key, rank = "jacobian", 2

    def compute(self, batch: Batch, outputs: slice) -> FloatArray:
        """Compute some rows of J, shape (K, n, C)."""
        return core.jacobian_rows(batch.logits, outputs, self.temperature, self.log)


class Partial(Quantity):
    """One entry of J."""

    key, rank = "partials", 0

    def compute(self, batch: Batch, outputs: slice) -> FloatArray:
        """Compute dy_j/dz_i, shape (K,)."""
        assert self.entry is not None
        j, i = self.entry
        return core.jacobian_rows(batch.logits, [j], self.temperature, self.log)[:, 0, i]


class Vjp(Quantity):
    """The upstream gradient of each sample times J."""

    key = "vjp"

    def compute(self, batch: Batch, outputs: slice) -> FloatArray:
        """Compute v, shape (K, C)."""
        assert batch.upstream is not None
        return core.vjp(batch.logits, batch.upstream, -1, self.temperature, self.log)


@dataclass(frozen=True)
class Block:
    """What is written at a time: a quantity of some samples, or some rows of one's matrix."""

    batch: Batch
    outputs: range  # the rows of each matrix that are here, from 0; all but for a large one
    values: FloatArray  # shape (K,), (K, C) or (K, n, C), with n outputs

    @property
    def rows(self) -> FloatArray:
        """The values line by line, shape (..., C), or (K, 1) for a number a sample."""
        return self.values.reshape(-1, self.values.shape[-1] if self.values.ndim > 1 else 1)

    @property
    def begins(self) -> bool:
        """Whether nothing of its samples was written before it."""
        return self.outputs.start == 0

    @property
    def ends(self) -> bool:
        """Whether it completes its samples."""
        return bool(self.outputs.stop == self.batch.logits.shape[1])


@dataclass(frozen=True)
class Arrays:
    """Arrays computed from logits."""

    command: str
    logits: Logits
    quantity: Quantity
    prefix: str = ""  # of class names in headers
    top: int | None = None  # how many of the largest are shown, with their classes; None: all

    @property
    def has_header(self) -> bool:
        """Whether columns are named; unless something is, a header would be numbers as well."""
        given = self.logits.names_samples, self.logits.class_names, self.logits.kept_names
        return any(given) or bool(self.prefix or self.top)

    def order(self, batch: Batch) -> NDArray[np.intp]:
        """Return the positions of the largest probabilities, shape (K, N); ties keep the order."""
        # Logits tell apart what float64 has for 0; at T = 0 it is 0.
        z, _ = or_limit(batch.logits, self.quantity.temperature)
        return np.argsort(-z, axis=1, kind="stable")[:, : self.top]

    def derivation(self, batch: Batch, n_samples: int = 1) -> "Derivation":
        """Derive the derivative of the first of so many samples."""
        from softmax_cli.mathematics.exact import derive

        logits, quantity = self.logits, self.quantity
        how = quantity.entry, quantity.temperature, logits.title(batch, 0, n_samples), quantity.log
        return derive(batch.logits[0], logits.classes, *how)

    def largest(self, block: Block) -> tuple[NDArray[np.object_], FloatArray]:
        """Return the classes and the values of the largest of each sample, shape (K, N)."""
        order = self.order(block.batch)
        classes = np.array(self.logits.classes, dtype=object)[order]
        return classes, np.take_along_axis(block.values, order, axis=1)


@dataclass(frozen=True)
class Report:
    """A verdict with its evidence."""

    columns: tuple[str, ...]
    rows: Iterable[Sequence[object]]  # one a sample, for csv and tsv
    document: Callable[[], Mapping[str, Any]]  # the whole, for JSON
    evidence: "Verdict | Sweep"  # as it is drawn


Result: TypeAlias = "Arrays | Report | Derivation"
