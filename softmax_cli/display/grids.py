"""The cells that are shown of a result: made once, for terminals, Markdown and LaTeX alike."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

from softmax_cli import result as results
from softmax_cli.display.heat import heat
from softmax_cli.display.numbers import beside_one, entry, given, significant
from softmax_cli.display.screen import Screen
from softmax_cli.mathematics import core
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.samples import Batch, as_text

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
        """Walk the headings and the rows, without margins."""
        end = len(self.headings) - self.margins
        yield self.headings[:end]
        for row in self.rows:
            yield [cell.text for cell in row[:end]]


def all_grids(result: results.Result, screen: Screen) -> Iterator[tuple[str, Grid]]:
    """Show all of a result in grids, with the sample's label where a grid needs it."""
    match result:
        case results.Explanation(derivation=d):
            numbers = Numbers(d.numbers.z, d.temperature, log=d.log)
            yield "", jacobian_grid(numbers, d.classes, screen)
        case results.Report():
            rows = ([_of_report(each, screen.precision) for each in row] for row in result.rows)
            yield "", Grid(result.columns, rows, names=len(result.columns))
        case results.Arrays(quantity=results.Jacobian(T, log), logits=logits):
            for batch in logits.batches:
                for k, (label, z) in enumerate(zip(batch.labels, batch.logits, strict=True)):
                    numbers = Numbers(z[None], T, log=log)
                    name = label if logits.is_named or batch.start + k else ""
                    title = logits.title(name, batch, k)
                    yield title, jacobian_grid(numbers, logits.classes, screen)
        case results.Arrays():
            yield "", samples_grid(result, result.logits.batches, screen)


def _of_report(value: object, precision: int) -> Cell:
    if isinstance(value, float):
        return Cell(entry(value, precision))
    return Cell(as_text(value))


def probability(numbers: Numbers, k: int, j: int, precision: int) -> str:
    """Show y_j of sample k."""
    y = numbers.probability(k, j)
    return beside_one(y, numbers.rest(k, j) if y > 0.5 else 1 - y, precision)


def _output(log: bool) -> str:
    return "dlog y" if log else "dy"


def sample_columns(result: results.Arrays) -> list[str]:
    """Name what is shown of each sample: probabilities, products, or one partial derivative."""
    classes = result.logits.classes
    if result.entry is not None:
        j, i = result.entry
        return [f"{_output(result.quantity.log)}_{classes[j]}/dz_{classes[i]}"]
    if result.top:
        return [f"top{place}" for place in range(1, min(result.top, len(classes)) + 1)]
    return [(result.prefix or f"{result.quantity.symbol}_") + name for name in classes]


def samples_grid(
    result: results.Arrays,
    batches: Iterable[Batch],
    screen: Screen,
    columns: Sequence[int] | None = None,
) -> Grid:
    """Show a row a sample, of which the largest probability is marked; of all columns or some."""
    names = sample_columns(result)
    chosen = range(len(names)) if columns is None else columns
    name = [f"{each} " if result.top else "" for each in result.logits.classes]
    top, other = ("", ""), ("", "")
    is_softmax = isinstance(result.quantity, results.Probabilities | results.LogProbabilities)
    if is_softmax and not result.top:
        top, other = (LARGEST, screen.glyph(" ◂", " <")), ("", "  ")

    def rows() -> Iterator[list[Cell]]:
        for batch in result.quantity.pieces(batches):
            text, tops = sample_text(result, batch, screen.precision), batch.logits.argmax(axis=1)
            order = result.order(batch)[:, chosen].tolist() if result.top else repeat(chosen)
            for k, (label, row) in enumerate(zip(batch.labels, order, strict=False)):
                kept = map(Cell, map(as_text, batch.kept[k] if batch.kept else ()))
                cells = (Cell(name[c] + text(k, c), *(top if c == tops[k] else other)) for c in row)
                yield [Cell(label), *kept, *cells]

    first = ["sample", *result.logits.kept_names]
    headings = [*first, *(names[c] for c in chosen)]
    return Grid(headings, rows(), names=len(headings if result.top else first))


def sample_text(result: results.Arrays, batch: Batch, precision: int) -> Callable[[int, int], str]:
    """Return what shows column c of sample k."""
    T, log = result.temperature, result.quantity.log
    numbers = Numbers(batch.logits, T, batch.upstream, log=log)
    values = result.quantity.compute(batch).tolist()
    match result.quantity:
        case results.Partial(entry=(j, i)):
            return lambda k, _: significant(numbers.partial(k, j, i, values[k]), precision)
        case results.Vjp():
            return lambda k, i: significant(numbers.product(k, i, values[k][i]), precision)
        case results.LogProbabilities():
            return lambda k, j: significant(numbers.log_probability(k, j, values[k][j]), precision)
        case _:
            return lambda k, j: probability(numbers, k, j, precision)


def jacobian_grid(
    numbers: Numbers,
    classes: Sequence[str],
    screen: Screen,
    outputs: Sequence[int] | None = None,
    inputs: Sequence[int] | None = None,
) -> Grid:
    """Show all or some of the Jacobian of the first sample, beside row sums, z and y."""
    z, T, log, precision = numbers.z[0], numbers.T, numbers.log, screen.precision
    chosen, shown = (list(range(len(z)) if each is None else each) for each in (outputs, inputs))
    # |y_j y_i| <= y_j (1 - y_j), which is largest for the most probable class.
    top = [int(z.argmax())]
    largest = float(core.jacobian_rows(z, top, T, log).max()) if screen.has_shades else 0.0
    largest = 1 / T if log else largest  # 1 - y_j is at most 1

    def row(j: int, values: list[float]) -> list[Cell]:
        texts = (significant(numbers.partial(0, j, i, values[i]), precision) for i in shown)
        styles = (heat(values[i], largest) + " bold" * (i == j) for i in shown)
        total = Cell(significant(math.fsum(values), 2), QUIET)
        margins = (total, Cell(given(z[j])), Cell(probability(numbers, 0, j, precision)))
        return [Cell(f"{_output(log)}_{classes[j]}"), *map(Cell, texts, styles), *margins]

    def rows() -> Iterator[list[Cell]]:
        step = max(1, _NUMBERS_AT_ONCE // len(z))
        for k in range(0, len(chosen), step):
            block = chosen[k : k + step]
            yield from map(row, block, core.jacobian_rows(z, block, T, log).tolist())

    headings = ["", *(f"dz_{classes[i]}" for i in shown), "row sum", "z", "y"]
    return Grid(headings, rows(), margins=3)
