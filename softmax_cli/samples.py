"""The one thing that flows from reading to writing: batches of named samples."""

import json
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Place = Callable[[int, int | None], str]  # of row k, and of its value c


@dataclass(frozen=True)
class Batch:
    """Some consecutive samples."""

    logits: FloatArray  # shape (K, C)
    start: int  # how many samples came before this batch
    samples: tuple[str, ...] | None = None  # the K names, or None where the input has none
    upstream: FloatArray | None = None  # a gradient each, (K, C), where a command takes one
    kept: tuple[tuple[object, ...], ...] | None = None  # values to pass on, a tuple a sample
    place: Place | None = None  # until it is checked
    printed: tuple[int, ...] = (0, 0)  # how many digits and decimals text has in a number, at most

    @property
    def labels(self) -> tuple[str, ...]:
        """The samples' names, or their positions from 1."""
        positions = range(self.start + 1, self.start + 1 + len(self.logits))
        return tuple(map(str, positions)) if self.samples is None else self.samples

    def part(self, rows: slice) -> "Batch":
        """Return some of the samples, as views."""
        start = self.start + rows.indices(len(self.logits))[0]
        upstream = None if self.upstream is None else self.upstream[rows]
        samples, kept = self.samples and self.samples[rows], self.kept and self.kept[rows]
        place, before = self.place, start - self.start
        moved = None if place is None else lambda k, c: place(before + k, c)
        return Batch(self.logits[rows], start, samples, upstream, kept, moved)


@dataclass(frozen=True)
class TextBlock:
    """Some consecutive lines that are not parsed yet."""

    line: int  # the number of the first, from 1
    content: bytes  # with line ends; only the last line of a file may lack its own
    start: int = 0  # how many samples came before this block


@dataclass(frozen=True)
class Logits:
    """A source of logits: what all its samples share, and the samples in blocks."""

    n_classes: int
    blocks: Iterator[Batch | TextBlock]  # in order; can be walked once
    class_names: tuple[str, ...] | None = None  # C names from a header
    names_samples: bool = False  # whether the batches carry sample names
    sample_header: str = "sample"  # what the input calls the column of sample names
    kept_names: tuple[str, ...] = ()  # of the columns that are passed on
    others: Collection[str] = frozenset()  # columns beside the logits and the samples' names
    kept_types: Mapping[str, Any] = field(default_factory=dict)  # pyarrow's, of parquet
    n_samples: int | None = None  # K, or None where only the end of the input tells
    # How many bytes were read, and how many there are if that is known.
    progress: Callable[[], tuple[int, int | None]] | None = None
    parse: Callable[[TextBlock], Batch] | None = None  # in this process or another
    check: Callable[[Batch], Batch] | None = None  # raises for what are no logits, or leaves it out
    shape: tuple[int, ...] | None = None  # of an array; its samples are in the order of its memory
    axis: int = -1  # of the classes in that shape
    dtype: np.dtype[np.generic] | None = None  # of an array or a binary table; None: text
    is_ready: Callable[[], bool] = lambda: True  # or the next block has to be waited for

    def parsed(self, block: Batch | TextBlock) -> Batch:
        """Return the samples of a block."""
        if isinstance(block, TextBlock):
            assert self.parse
            block = self.parse(block)
        return self.check(block) if self.check and block.place else block

    def lead(self, n_samples: int) -> tuple[int, ...]:
        """Return the dimensions of so many samples: of some of an array's, the first and ones."""
        if self.shape is None:
            return (n_samples,)
        lead = np.delete(self.shape, self.axis).tolist()
        is_whole = self.n_samples is not None and math.prod(lead) == n_samples
        return tuple(lead) if is_whole else (n_samples, *[1] * len(lead))[: len(lead)]

    def restored(self, rows: FloatArray) -> FloatArray:
        """Bring a row for each sample, shape (K, C), to the shape of the input."""
        return np.moveaxis(rows.reshape(*self.lead(len(rows)), -1), -1, self.axis)

    @property
    def batches(self) -> Iterator[Batch]:
        """The samples in order, parsed here."""
        return (batch for batch in map(self.parsed, self.blocks) if len(batch.logits))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes' names, or their positions from 1."""
        return self.class_names or tuple(map(str, range(1, self.n_classes + 1)))

    def title(self, batch: Batch, k: int = 0, n: int = 1) -> str:
        """Name sample k of n, with what is kept of it; one that stands alone may have no name."""
        if not (self.names_samples or batch.kept or batch.start + n > 1):
            return ""
        label = "sample " * (not self.names_samples) + batch.labels[k]
        kept = zip(self.kept_names, batch.kept[k], strict=True) if batch.kept else ()
        return ", ".join([label, *(f"{name} {as_text(value)}".strip() for name, value in kept)])


def from_text(cell: object) -> object:
    """Return the integer that prints as the text does, or else the text."""
    return int(text) if re.fullmatch("0|-?[1-9][0-9]{0,17}", text := str(cell)) else cell


def as_text(value: object) -> str:
    """Return a value of the input, or of a verdict, as a cell."""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, default=str)
    text = value.decode(errors="backslashreplace") if isinstance(value, bytes) else value
    return "" if text is None else str(text)


def concatenate(batches: Iterable[Batch], n_classes: int) -> Batch:
    """Join all batches into one; no batches make a batch of no samples."""
    if len(parts := list(batches) or [Batch(np.empty((0, n_classes)), 0)]) == 1:
        return parts[0]
    logits = np.concatenate([part.logits for part in parts])
    names = tuple(name for part in parts for name in part.samples or ())
    gradients = [part.upstream for part in parts if part.upstream is not None]
    upstream = np.concatenate(gradients) if gradients else None
    kept = tuple(values for part in parts for values in part.kept or ())
    printed = tuple(map(max, zip(*(part.printed for part in parts), strict=True)))
    return Batch(logits, parts[0].start, names or None, upstream, kept or None, printed=printed)
