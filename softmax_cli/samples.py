"""The one thing that flows from reading to writing: batches of named samples."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

BYTES_A_NUMBER = 20


@dataclass(frozen=True)
class Batch:
    """Some consecutive samples.

    Attributes
    ----------
    logits
        Shape (K, C).
    start
        How many samples came before this batch.
    samples
        The K names, or None when the input does not name its samples.
    upstream
        An upstream gradient for each sample, shape (K, C), where a command takes one.
    """

    logits: FloatArray
    start: int
    samples: tuple[str, ...] | None = None
    upstream: FloatArray | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The samples' names, or their positions from 1."""
        if self.samples is not None:
            return self.samples
        return tuple(str(self.start + k) for k in range(1, len(self.logits) + 1))

    def part(self, rows: slice) -> "Batch":
        """Return some of the samples, as views."""
        first, stop, _ = rows.indices(len(self.logits))
        return Batch(
            self.logits[first:stop],
            self.start + first,
            self.samples and self.samples[first:stop],
            None if self.upstream is None else self.upstream[first:stop],
        )


@dataclass(frozen=True)
class TextBlock:
    """Some consecutive lines that are not parsed yet.

    Attributes
    ----------
    line
        The number of the first, from 1.
    content
        The lines with their ends; only the last one of a file may lack its own.
    start
        How many samples came before this block.
    """

    line: int
    content: bytes
    start: int = 0


def _is_parsed(block: TextBlock) -> Batch:
    raise TypeError("blocks of text come with a function that parses them")


@dataclass(frozen=True)
class Logits:
    """A source of logits: what all its samples share, and the samples in blocks.

    Attributes
    ----------
    n_classes
        C, the number of logits of every sample.
    blocks
        The samples in order, parsed or still as text; can be walked once.
    parse
        Parses a block of text, in this process or another.
    is_ready
        Tells whether the next block is there, or a pipe has to be waited for.
    class_names
        The C names from a header, or None.
    names_samples
        Whether the batches carry sample names.
    sample_header
        What the input calls the column of sample names.
    n_samples
        K, or None where only the end of the input tells.
    progress
        Tells how many bytes of the file were read, and how many it has; None where it is no file.
    """

    n_classes: int
    blocks: Iterator[Batch | TextBlock]
    class_names: tuple[str, ...] | None = None
    names_samples: bool = False
    sample_header: str = "sample"
    n_samples: int | None = None
    progress: Callable[[], tuple[int, int]] | None = None
    parse: Callable[[TextBlock], Batch] = _is_parsed
    is_ready: Callable[[], bool] = lambda: True

    @property
    def batches(self) -> Iterator[Batch]:
        """The samples in order, parsed here."""
        for block in self.blocks:
            yield block if isinstance(block, Batch) else self.parse(block)

    @property
    def is_named(self) -> bool:
        """Whether the input names its classes or its samples."""
        return self.names_samples or self.class_names is not None

    @property
    def size(self) -> int:
        """How many bytes of text its numbers are, about; 0 where only the end tells."""
        if self.n_samples is not None:
            return self.n_samples * self.n_classes * BYTES_A_NUMBER
        return 0 if self.progress is None else self.progress()[1]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names, or their positions from 1."""
        if self.class_names is not None:
            return self.class_names
        return tuple(str(j) for j in range(1, self.n_classes + 1))


def concatenate(batches: Iterable[Batch], n_classes: int) -> Batch:
    """Join all batches into one; no batches make a batch of no samples."""
    parts = list(batches)
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Batch(np.empty((0, n_classes)), 0)
    names = tuple(name for part in parts for name in part.samples or ())
    gradients = [part.upstream for part in parts if part.upstream is not None]
    return Batch(
        np.concatenate([part.logits for part in parts]),
        parts[0].start,
        None if parts[0].samples is None else names,
        np.concatenate(gradients) if gradients else None,
    )
