"""What the user may say about input and output, as the commands receive it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softmax_cli.samples import FloatArray

Place = Callable[[int, int | None], str]


@dataclass(frozen=True)
class InputOptions:
    """How to read the logits; None leaves it to the content.

    Attributes
    ----------
    input_format
        A name in `softmax_cli.reading.formats.READERS`.
    delimiter
        One character.
    columns
        Names, positions and ranges of the columns of logits.
    id_column
        Name or position of the column that names the samples.
    check
        What the numbers must be: takes the rows, shape (K, C), and a function that names the
        place of row k or of column c in it, and raises for the first one at fault. None: logits.
    stacked
        Whether the rows may be those of stacked Jacobians, named by columns sample and output.
    block_size
        About how many bytes of text make a block; fewer where much is computed of each.
    """

    input_format: str | None = None
    delimiter: str | None = None
    columns: str | None = None
    id_column: str | None = None
    check: "Callable[[FloatArray, Place], None] | None" = None
    stacked: bool = False
    block_size: int = 1 << 20


@dataclass(frozen=True)
class OutputOptions:
    """How and where to write the result.

    Attributes
    ----------
    output_format
        A name in `softmax_cli.writing.formats.WRITERS`.
    path
        The file to write, or None for standard output.
    precision
        Significant digits in tables.
    jobs
        How many processes convert large inputs; None for one a core.
    """

    output_format: str = "table"
    path: str | None = None
    precision: int = 6
    jobs: int | None = None
