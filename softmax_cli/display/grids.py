"""The cells that are shown of a result: made once, for terminals, Markdown and LaTeX alike."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from softmax_cli import result as results
from softmax_cli.display.heat import heat
from softmax_cli.display.numbers import beside_one, entry, significant
from softmax_cli.display.screen import Screen
from softmax_cli.mathematics import core
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.samples import Batch, FloatArray

QUIET = "dim"
LARGEST = "bold green"
_NUMBERS_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Cell:
    """A name or a number as it is shown, its Rich style, and a mark behind it on a screen."""

    text: str
    style: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Grid:
    """Rows of cells under headings: columns of names, of numbers, and margins.

    Attributes
    ----------
    headings, rows
        Of all columns; names from the user are not escaped.
    names
        How many of the first columns are names.
    margins
        How many of the last columns are looked at beside the others.
    """

    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    names: int = 1
    margins: int = 0

    def texts(self) -> Iterator[Sequence[str]]:
        """Walk the headings and the rows."""
        yield self.headings
        for row in self.rows:
            yield [cell.text for cell in row]


def all_grids(result: results.Result, screen: Screen) -> Iterator[tuple[str, Grid]]:
    """Show all of a result in grids, with the sample's label where a grid needs it."""
    match result:
        case results.Explanation(derivation=d):
            everything = range(len(d.z))
            yield "", jacobian_grid(d.z, d.classes, d.temperature, everything, everything, screen)
        case results.Report():
            rows = ([_of_report(each, screen.precision) for each in row] for row in result.rows)
            yield "", Grid(result.columns, rows, names=len(result.columns))
        case results.Arrays(quantity=results.Jacobian(), logits=logits, temperature=T):
            everything = range(logits.n_classes)
            for batch in logits.batches:
                for k, (label, z) in enumerate(zip(batch.labels, batch.logits, strict=True)):
                    name = label if logits.is_named or batch.start + k else ""
                    yield name, jacobian_grid(z, logits.classes, T, everything, everything, screen)
        case results.Arrays():
            everything = range(len(sample_columns(result)))
            yield "", samples_grid(result, result.logits.batches, everything, screen)


def _of_report(value: object, precision: int) -> Cell:
    if isinstance(value, float):
        return Cell(entry(value, precision))
    return Cell(str(value).lower() if isinstance(value, bool) else str(value))


def probability(numbers: Numbers, k: int, j: int, precision: int) -> str:
    """Show y_j of sample k."""
    y = numbers.probability(k, j)
    return beside_one(y, numbers.rest(k, j) if y > 0.5 else 1 - y, precision)


def sample_columns(result: results.Arrays) -> list[str]:
    """Name what is shown of each sample: probabilities, products, or one partial derivative."""
    classes = result.logits.classes
    match result.quantity:
        case results.Partial(entry=(j, i)):
            return [f"dy_{classes[j]}/dz_{classes[i]}"]
        case results.Vjp():
            return [f"v_{name}" for name in classes]
        case results.LogProbabilities():
            return [f"log y_{name}" for name in classes]
        case _:
            return [f"y_{name}" for name in classes]


def samples_grid(
    result: results.Arrays, batches: Iterable[Batch], columns: Sequence[int], screen: Screen
) -> Grid:
    """Show a row a sample, of which the largest probability is marked."""
    names = sample_columns(result)
    pieces = result.quantity.pieces(batches)
    rows = (row for batch in pieces for row in _sample_rows(result, batch, columns, screen))
    return Grid(["sample", *(names[c] for c in columns)], rows)


def _sample_rows(
    result: results.Arrays, batch: Batch, columns: Sequence[int], screen: Screen
) -> Iterator[list[Cell]]:
    text = sample_text(result, batch, screen.precision)
    is_marked = isinstance(result.quantity, results.Probabilities | results.LogProbabilities)
    mark, no_mark = (screen.glyph(" ◂", " <"), "  ") if is_marked else ("", "")
    for k, (label, top) in enumerate(zip(batch.labels, batch.logits.argmax(axis=1), strict=True)):
        row = [Cell(label)]
        for c in columns:
            is_top = is_marked and c == top
            row.append(Cell(text(k, c), LARGEST if is_top else "", mark if is_top else no_mark))
        yield row


def sample_text(result: results.Arrays, batch: Batch, precision: int) -> Callable[[int, int], str]:
    """Return what shows column c of sample k."""
    numbers = Numbers(batch.logits, result.temperature, batch.upstream)
    match result.quantity:
        case results.Partial(entry=(j, i)):
            values = result.quantity.compute(batch).tolist()
            return lambda k, _: significant(numbers.partial(k, j, i, values[k]), precision)
        case results.Vjp():
            return lambda k, i: significant(numbers.product(k, i), precision)
        case results.LogProbabilities():
            return lambda k, j: significant(numbers.log_probability(k, j), precision)
        case _:
            return lambda k, j: probability(numbers, k, j, precision)


def jacobian_grid(
    z: FloatArray,
    classes: Sequence[str],
    temperature: float,
    outputs: Sequence[int],
    inputs: Sequence[int],
    screen: Screen,
) -> Grid:
    """Show entries of the Jacobian at z, shape (C,), as a heatmap."""
    numbers = Numbers(z[np.newaxis], temperature)
    largest = 0.0
    if screen.has_shades:
        # |y_j y_i| <= y_j (1 - y_j), which is largest for the most probable class.
        top = int(z.argmax())
        largest = float(core.jacobian_rows(z, [top], temperature)[0, top])

    def row(j: int, values: list[float]) -> list[Cell]:
        def entry_of(i: int) -> Cell:
            shown = significant(numbers.partial(0, j, i, values[i]), screen.precision)
            style = heat(values[i], largest)
            return Cell(shown, f"{style} bold" if i == j else style)

        return [Cell(f"dy_{classes[j]}"), *map(entry_of, inputs)]

    def rows() -> Iterator[list[Cell]]:
        step = max(1, _NUMBERS_AT_ONCE // len(z))
        for k in range(0, len(outputs), step):
            block = list(outputs[k : k + step])
            yield from map(row, block, core.jacobian_rows(z, block, temperature).tolist())

    return Grid(["", *(f"dz_{classes[i]}" for i in inputs)], rows())
