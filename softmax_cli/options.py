"""What the user may say about input and output, as the commands receive it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class InputOptions:
    """How to read the logits; None leaves it to the content."""

    input_format: str | None = None
    delimiter: str | None = None
    decimal: str = "."
    header: bool | None = None  # whether the first row is one
    columns: str | None = None
    id_column: str | None = None
    keep: tuple[str, ...] = ()  # columns that stand beside the results; "all" that are no logits
    key: str | None = None  # the member that holds arrays of logits
    axis: int | None = None  # of the classes; None: the last
    skip_invalid: bool = False
    # What somebody's results are, of any shape, which is their key in JSON; else None.
    quantity: str | None = None
    # The classes of the logits that these are results of, or a gradient for, which are looked up
    # by name; the column named by id_column may be missing. None where logits are read.
    results_of: tuple[str, ...] | None = None
    by_position: bool = False  # whether these are positions, since they have no names
    known: frozenset[str] = frozenset()  # the columns of their file that are no classes


@dataclass(frozen=True)
class OutputOptions:
    """How and where to write the result."""

    output_format: str = "table"
    path: str | None = None  # None: standard output
    precision: int = 6  # significant digits in tables
    color: str = "auto"  # of tables: also always, never
    jobs: int | None = None  # how many processes may work on it; None: as many as there are cores
