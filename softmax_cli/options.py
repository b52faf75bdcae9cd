"""What the user may say about input and output, as the commands receive it."""

from dataclasses import dataclass
from pathlib import Path


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
    """

    input_format: str | None = None
    delimiter: str | None = None
    columns: str | None = None
    id_column: str | None = None


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
    """

    output_format: str = "table"
    path: Path | None = None
    precision: int = 6
