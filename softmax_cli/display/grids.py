"""The cells that are shown of a result: made once, for terminals, Markdown and LaTeX alike."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from softmax_cli.display.heat import heat
from softmax_cli.display.numbers import beside_one, entry, given, significant
from softmax_cli.display.screen import Screen
from softmax_cli.mathematics import core
from softmax_cli.mathematics.derivation import Derivation
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.result import Arrays, LogProbabilities, Partial, Probabilities, Report, Vjp
from softmax_cli.samples import Batch, FloatArray

QUIET = "dim"
LARGEST = "bold green"
BAR = "cyan"
SMALL_BAR_WIDTH = 10
_EIGHTHS = ("", *"▏▎▍▌▋▊▉")
_NUMBERS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Cell:
    """A number as it is shown, and its Rich style."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Row:
    """A named row: cells by the position of their column, made when they are looked at.

    Attributes
    ----------
    name
        Of a sample or an output, to be escaped.
    cell
        From a column's position to what stands there.
    margins
        Makes the cells of the columns beside the matrix.
    """

    name: str
    cell: Callable[[int], Cell]
    margins: Callable[[], Sequence[Cell]] = tuple


@dataclass(frozen=True)
class Grid:
    """Rows under named columns.

    Attributes
    ----------
    corner
        The heading of the row names.
    columns
        The names of all columns, to be escaped.
    rows
        Those that are to be shown.
    margins
        The headings of the columns beside the matrix.
    marked
        Whether the largest cell of each row is marked.
    """

    corner: str
    columns: Sequence[str]
    rows: Iterable[Row]
    margins: Sequence[str] = ()
    marked: bool = False

    def texts(self) -> Iterator[tuple[str, list[str]]]:
        """Walk the rows with the texts of all their cells."""
        for row in self.rows:
            yield row.name, [row.cell(c).text for c in range(len(self.columns))]


def probability(numbers: Numbers, k: int, j: int, precision: int) -> str:
    """Show y_j of sample k."""
    y = numbers.probability(k, j)
    return beside_one(y, numbers.rest(k, j) if y > 0.5 else 1 - y, precision)


def partial(numbers: Numbers, k: int, j: int, i: int, value: float, precision: int) -> str:
    """Show dy_j/dz_i of sample k, of which float64 has this value."""
    return significant(numbers.partial(k, j, i, value), precision)


def samples_grid(result: Arrays, batches: Iterable[Batch], screen: Screen) -> Grid:
    """Show a row a sample: probabilities, products, or one partial derivative."""
    classes, pieces = result.logits.classes, result.quantity.pieces(batches)
    rows = (row for batch in pieces for row in _sample_rows(result, batch, screen))
    match result.quantity:
        case Partial(entry=(j, i)):
            return Grid("sample", [f"dy_{classes[j]}/dz_{classes[i]}"], rows)
        case Vjp():
            return Grid("sample", [f"v_{name}" for name in classes], rows)
        case LogProbabilities():
            columns = [f"log y_{name}" for name in classes]
        case _:
            columns = [f"y_{name}" for name in classes]
    return Grid("sample", columns, rows, ("largest",), marked=True)


def _sample_rows(result: Arrays, batch: Batch, screen: Screen) -> Iterator[Row]:
    numbers = Numbers(batch.logits, result.temperature, batch.upstream)
    text = _sample_text(result, batch, numbers, screen.precision)
    marked = isinstance(result.quantity, Probabilities | LogProbabilities)

    def row(k: int, label: str) -> Row:
        top = int(numbers.z[k].argmax()) if marked else -1
        return Row(
            label,
            lambda c: Cell(text(k, c), LARGEST if c == top else ""),
            lambda: [bar(float(numbers.y[k, top]), SMALL_BAR_WIDTH, screen)] if marked else [],
        )

    yield from (row(k, label) for k, label in enumerate(batch.labels))


def _sample_text(
    result: Arrays, batch: Batch, numbers: Numbers, precision: int
) -> Callable[[int, int], str]:
    """Return what shows column c of sample k."""
    match result.quantity:
        case Partial(entry=(j, i)):
            values = result.quantity.compute(batch)
            return lambda k, _: partial(numbers, k, j, i, float(values[k]), precision)
        case Vjp():
            return lambda k, i: significant(numbers.product(k, i), precision)
        case LogProbabilities():
            return lambda k, j: significant(numbers.log_probability(k, j), precision)
        case _:
            return lambda k, j: probability(numbers, k, j, precision)


def jacobian_grid(
    z: FloatArray,
    classes: Sequence[str],
    temperature: float,
    outputs: Sequence[int],
    screen: Screen,
) -> Grid:
    """Show some rows of the Jacobian at z, shape (C,), as a heatmap beside row sums, z and y."""
    numbers, precision = Numbers(z[np.newaxis], temperature), screen.precision
    # |y_j y_i| <= y_j (1 - y_j), which is largest for the most probable class.
    top = int(z.argmax())
    largest = float(core.jacobian_rows(z, [top], temperature)[0, top])

    def row(j: int, values: FloatArray) -> Row:
        def cell(i: int) -> Cell:
            value = float(values[i])
            style = heat(value, largest, screen.colours) + (" bold" if i == j else "")
            return Cell(partial(numbers, 0, j, i, value, precision), style)

        def margins() -> list[Cell]:
            row_sum = Cell(significant(math.fsum(values), 2), QUIET)
            return [row_sum, Cell(given(z[j])), Cell(probability(numbers, 0, j, precision))]

        return Row(f"dy_{classes[j]}", cell, margins)

    def rows() -> Iterator[Row]:
        step = max(1, _NUMBERS_AT_ONCE // len(z))
        for k in range(0, len(outputs), step):
            block = list(outputs[k : k + step])
            yield from map(row, block, core.jacobian_rows(z, block, temperature))

    return Grid("", [f"dz_{name}" for name in classes], rows(), ("row sum", "z", "y"))


def jacobian_grids(result: Arrays, screen: Screen) -> Iterator[tuple[str, Grid]]:
    """Show the whole Jacobian of each sample; yield the sample's label with it."""
    classes = result.logits.classes
    for batch in result.logits.batches:
        for label, z in zip(batch.labels, batch.logits, strict=True):
            outputs = range(len(classes))
            yield label, jacobian_grid(z, classes, result.temperature, outputs, screen)


def derived_grid(derivation: Derivation, screen: Screen) -> Grid:
    """Show the whole Jacobian that a derivation ends with."""
    d = derivation
    return jacobian_grid(d.z, d.classes, d.temperature, range(len(d.z)), screen)


def report_rows(report: Report, precision: int) -> Iterator[list[str]]:
    """Show the rows of a report; its numbers as those of its table are shown."""
    for row in report.rows:
        yield [_of_report(value, precision) for value in row]


def _of_report(value: object, precision: int) -> str:
    if isinstance(value, float):
        return entry(value, precision)
    return str(value).lower() if isinstance(value, bool) else str(value)


def bar(fraction: float, width: int, screen: Screen) -> Cell:
    """Draw a fraction of a width; what is not 0 shows at least the thinnest bar."""
    steps = 1 if screen.ascii_only else len(_EIGHTHS)
    length = max(round(fraction * width * steps), int(fraction > 0)) if width > 0 else 0
    whole, part = divmod(length, steps)
    text = "#" * whole if screen.ascii_only else "█" * whole + _EIGHTHS[part]
    return Cell(text, BAR)
