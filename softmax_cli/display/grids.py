"""The cells that are shown of a result: made once, for all that is drawn and written for people."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import repeat

from rich.text import Text

from softmax_cli import result as results
from softmax_cli.checking.verdict import Verdict
from softmax_cli.display.heat import heat
from softmax_cli.display.numbers import beside_one, entry, given, significant
from softmax_cli.display.screen import ENDS, MOST_ROWS, Screen, Shown, show_rows
from softmax_cli.mathematics import core
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.samples import Batch, Logits, as_text, concatenate

QUIET = "dim"
LARGEST = "bold"
_NUMBERS_AT_ONCE = 1 << 18
Show = Callable[[int], str]  # a number, with so many significant digits


@dataclass(frozen=True)
class Cell:
    """What is shown in a place.

    Attributes
    ----------
    name, number
        Either, or one before the other.
    style, mark
        Its Rich style, and what stands behind it on a screen.
    show
        Shows the number with fewer digits; None where it must stay as it is.
    value
        The number to float64, for colours.
    """

    name: str = ""
    style: str = ""
    mark: str = ""
    number: str = ""
    show: Show | None = None
    value: float = 0.0

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.name} {self.number}".strip(" ")


def numeral(
    show: Show, precision: int, style: str = "", mark: str = "", name: str = "", value: float = 0.0
) -> Cell:
    """Make a cell of a number that can be shown with fewer digits."""
    return Cell(name, style, mark, show(precision), show, value)


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

    @property
    def inner(self) -> "Grid":
        """The grid without its margins."""
        end = len(self.headings) - self.margins
        return Grid(self.headings[:end], (row[:end] for row in self.rows), self.names)


def all_grids(result: results.Result, screen: Screen) -> Iterator[tuple[str, Grid]]:
    """Show all of a result in grids, each with its title, and texts, each with an empty grid."""
    match result:
        case results.Explanation(derivation=d):
            yield "", jacobian_grid(d.numbers, d.classes, screen)
        case results.Report(evidence=Verdict() as verdict):
            yield from _told(verdict, screen)
        case results.Report():
            rows = ([_of_report(each, screen.precision) for each in row] for row in result.rows)
            yield "", Grid(result.columns, rows)
        case results.Arrays(quantity=results.Jacobian(T, log), logits=logits):
            for batch in logits.batches:
                for k, z in enumerate(batch.logits):
                    is_titled = logits.is_named or batch.start + k
                    title = sample_title(logits, batch, k) if is_titled else ""
                    numbers = Numbers(z[None], T, log=log)
                    yield title, jacobian_grid(numbers, logits.classes, screen)
        case results.Arrays():
            yield "", samples_grid(result, result.logits.batches, screen)


def _told(verdict: Verdict, screen: Screen) -> Iterator[tuple[str, Grid]]:
    """Tell a verdict as a terminal does; its tables hold numbers behind their names."""
    from softmax_cli.display.evidence import tell

    for part in tell(verdict, screen):
        if isinstance(part, Text):
            yield part.plain, Grid((), ())
            continue
        n, grid = part.grid.names, part.grid
        rows = ([*row[:n], *(Cell(number=each.name) for each in row[n:])] for row in grid.rows)
        yield "", replace(grid, rows=rows)
        cut = [each for each in (part.rows, part.columns) if each and each.is_cut]
        yield from ((each.left_out(), Grid((), ())) for each in cut)


def sample_title(logits: Logits, batch: Batch, k: int) -> str:
    """Return what sample k is called, with what is kept of it."""
    label = batch.labels[k]
    return logits.title(label if logits.names_samples else f"sample {label}", batch, k)


def some_samples(
    batches: Iterable[Batch], n_classes: int, most: int = MOST_ROWS, ends: tuple[int, int] = ENDS
) -> tuple[Batch, Shown]:
    """Walk all batches; return up to so many samples, or else those at the ends, with labels."""
    kept: list[Batch] = []
    count = 0
    for batch in batches:
        n_samples = len(batch.logits)
        positions = {*range(n_samples)[:most], *range(n_samples)[-most:]}
        kept += (batch.part(slice(k, k + 1)) for k in sorted(positions))
        del kept[most:-most]
        count += n_samples
    shown = show_rows("sample", range(1, count + 1), most, ends)
    del kept[shown.head : len(kept) - shown.tail]
    return concatenate((replace(part, samples=part.labels) for part in kept), n_classes), shown


def _of_report(value: object, p: int) -> Cell:
    return Cell(number=entry(value, p)) if isinstance(value, float) else Cell(as_text(value))


def show_probability(numbers: Numbers, k: int, j: int) -> Show:
    """Return what shows y_j of sample k."""
    y = numbers.probability(k, j)
    return partial(beside_one, y, numbers.rest(k, j) if y > 0.5 else 1 - y)


def is_softmax(result: results.Arrays) -> bool:
    """Whether it is probabilities, or their logarithms."""
    return isinstance(result.quantity, results.Probabilities | results.LogProbabilities)


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
    *,
    winners: bool = False,
) -> Grid:
    """Show a row a sample, of all columns or some.

    The largest probability is marked; it may stand in front too, with its class.
    """
    names, classes, p = sample_columns(result), result.logits.classes, screen.precision
    chosen = range(len(names)) if columns is None else columns
    name = classes if result.top else ("",) * len(classes)
    top, other = ("", ""), ("", "")
    if is_softmax(result) and not result.top:
        top, other = (LARGEST, screen.glyph(" ◂", " <")), ("", "  ")

    def rows() -> Iterator[list[Cell]]:
        for batch in result.quantity.pieces(batches):
            numbers, values, show = sample_numbers(result, batch)
            tops = batch.logits.argmax(axis=1).tolist()
            order = result.order(batch)[:, chosen].tolist() if result.top else repeat(chosen)
            for k, (label, row) in enumerate(zip(batch.labels, order, strict=False)):
                first = [label, *map(as_text, batch.kept[k] if batch.kept else ())]
                cells = list(map(Cell, first))
                if winners:
                    y = show_probability(numbers, k, tops[k])
                    # All its digits stand in its own column.
                    cells.append(Cell(classes[tops[k]], number=y(min(p, 3))))
                for c in row:
                    style, mark = top if c == tops[k] else other
                    cells.append(numeral(show(k, c), p, style, mark, name[c], values[k][c]))
                yield cells

    first = ["sample", *result.logits.kept_names, *["top"] * winners]
    return Grid([*first, *(names[c] for c in chosen)], rows(), names=len(first))


def sample_numbers(
    result: results.Arrays, batch: Batch
) -> tuple[Numbers, list[list[float]], Callable[[int, int], Show]]:
    """Return a batch's numbers, the values of its columns, and what shows column c of sample k."""
    quantity, is_probability = result.quantity, isinstance(result.quantity, results.Probabilities)
    log = quantity.log or isinstance(quantity, results.LogProbabilities)
    numbers = Numbers(batch.logits, quantity.temperature, batch.upstream, log=log)
    values = quantity.compute(batch).reshape(len(batch.logits), -1).tolist()
    kind = "jacobian" if result.entry else quantity.key

    def show(k: int, c: int) -> Show:
        if is_probability:
            return show_probability(numbers, k, c)
        return partial(significant, numbers.of(kind, k, result.entry or [c], values[k][c]))

    return numbers, values, show


def jacobian_grid(
    numbers: Numbers,
    classes: Sequence[str],
    screen: Screen,
    outputs: Sequence[int] | None = None,
    inputs: Sequence[int] | None = None,
) -> Grid:
    """Show all or some of the Jacobian of the first sample, beside row sums, z and y."""
    z, T, log, p = numbers.z[0], numbers.T, numbers.log, screen.precision
    chosen, shown = (list(range(len(z)) if each is None else each) for each in (outputs, inputs))
    # |y_j y_i| <= y_j (1 - y_j), which is largest for the most probable class; 1 - y_j <= 1.
    largest = 1 / T
    if screen.has_shades and not log:
        largest = float(core.jacobian_rows(z, [int(z.argmax())], T).max())

    def row(j: int, values: list[float]) -> Iterator[Cell]:
        yield Cell(f"{_output(log)}_{classes[j]}")
        for i in shown:
            style = heat(values[i], largest) + " bold" * (i == j) if screen.has_shades else ""
            show = partial(significant, numbers.partial(0, j, i, values[i]))
            yield numeral(show, p, style, value=values[i])
        yield Cell(number=significant(math.fsum(values), 2), style=QUIET)
        yield Cell(number=given(z[j]))
        yield numeral(show_probability(numbers, 0, j), p)

    def rows() -> Iterator[list[Cell]]:
        step = max(1, _NUMBERS_AT_ONCE // len(z))
        for k in range(0, len(chosen), step):
            block = chosen[k : k + step]
            yield from map(list, map(row, block, core.jacobian_rows(z, block, T, log).tolist()))

    headings = ["", *(f"dz_{classes[i]}" for i in shown), "row sum", "z", "y"]
    return Grid(headings, rows(), margins=3)
