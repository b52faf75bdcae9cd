"""The tables that are shown of arrays: made once, for all that is drawn and written for people."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, repeat

from softmax_cli import result as results
from softmax_cli.display.numbers import beside_one, given, significant
from softmax_cli.display.screen import Cell, Limit, Screen, Show, Shown, Table, show
from softmax_cli.mathematics import core
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.samples import Batch, as_text, concatenate

_LARGE_BAR, _SMALL_BAR = 30, 10


def some_samples(
    batches: Iterable[Batch], n_classes: int, limit: Limit | None
) -> tuple[Batch, Shown]:
    """Walk all batches; return all samples, or else those at the ends, with labels."""
    kept: list[Batch] = []
    count, most = 0, limit[0] if limit else 0
    for batch in batches:
        rows = range(len(batch.logits))
        if limit is None:
            kept.append(batch)
        else:
            positions = sorted({*rows[:most], *rows[-most:]})
            kept += (batch.part(slice(k, k + 1)) for k in positions)
            del kept[most:-most]
        count += len(rows)
    shown = show("sample", range(1, count + 1), limit)
    if shown.is_cut:
        del kept[shown.head : len(kept) - shown.tail]
    return concatenate((replace(part, samples=part.labels) for part in kept), n_classes), shown


def show_probability(numbers: Numbers, k: int, j: int) -> Show:
    """Return what shows y_j of sample k."""
    y = numbers.probability(k, j)
    return partial(beside_one, y, numbers.rest(k, j) if y > 0.5 else 1 - y)


def sample_columns(result: results.Arrays) -> list[str]:
    """Name what is shown of each sample: probabilities, products, or one partial derivative."""
    classes, quantity = result.logits.classes, result.quantity
    y = "log y" if quantity.log else "y"
    if result.entry is not None:
        j, i = result.entry
        return [f"d{y}_{classes[j]}/dz_{classes[i]}"]
    if result.top:
        return [f"top{place}" for place in range(1, min(result.top, len(classes)) + 1)]
    letter = "v" if isinstance(quantity, results.Vjp) else y
    return [(result.prefix or f"{letter}_") + name for name in classes]


def samples_table(result: results.Arrays, samples: Batch, screen: Screen, shown: Shown) -> Table:
    """Show a row a sample; a drawn one marks the largest probability and names it in front."""
    names, classes, p = sample_columns(result), result.logits.classes, screen.precision
    columns = show("class", names, screen.columns)
    name = classes if result.top else ("",) * len(classes)
    is_softmax = isinstance(result.quantity, results.Probabilities)
    is_marked = is_softmax and not result.top
    is_named = is_marked and screen.is_drawn
    fractions: list[float] = []

    def rows() -> Iterator[list[Cell]]:
        for batch in result.quantity.pieces([samples]):
            numbers, values, show = sample_numbers(result, batch)
            tops = batch.logits.argmax(axis=1).tolist()
            chosen = columns.positions
            order = result.order(batch)[:, chosen].tolist() if result.top else repeat(chosen)
            for k, (label, row) in enumerate(zip(batch.labels, order, strict=False)):
                first = [label, *map(as_text, batch.kept[k] if batch.kept else ())]
                cells = list(map(Cell, first))
                if is_named:
                    y = show_probability(numbers, k, tops[k])
                    # All its digits stand in its own column.
                    cells.append(Cell(classes[tops[k]], number=y(min(p, 3))))
                for c in row:
                    look = _marked(c == tops[k], screen) if is_marked else ()
                    cells.append(Cell.of(show(k, c), p, *look, name=name[c], value=values[k][c]))
                yield cells
            if is_softmax and screen.is_drawn:
                fractions.extend(numbers.y.max(axis=1).tolist())

    first = ["sample", *result.logits.kept_names, *["top"] * is_named]
    headings = [*first, *(names[c] for c in columns.positions)]
    bars = "largest", _SMALL_BAR, fractions
    return Table(headings, rows(), len(first), 0, shown, columns, bars)


def _marked(is_largest: bool, screen: Screen) -> tuple[str, str]:
    """Return the style of a probability, and what stands behind it."""
    return ("bold", screen.glyph(" ◂", " <")) if is_largest else ("", "  ")


def class_table(result: results.Arrays, batch: Batch, screen: Screen) -> Table:
    """Show the first sample, a row a class."""
    classes, p, z, g = result.logits.classes, screen.precision, batch.logits[0], batch.upstream
    numbers, _, show_result = sample_numbers(result, batch)
    order = result.order(batch)[0].tolist() if result.top else range(len(z))
    shown = show("class", [classes[j] for j in order], screen.rows)
    order = [order[place] for place in shown.positions]
    headings = ["class", "logit", "probability", "log probability"]
    if g is not None:
        headings = ["class", "z", "y", "g", "v"]
    elif not result.quantity.log:
        headings.pop()
    rows = []
    for j in order:
        look = _marked(j == z.argmax(), screen) if g is None else ("", "")
        y = Cell.of(show_probability(numbers, 0, j), p, *look)
        upstream = [] if g is None else [Cell(number=given(g[0, j]))]
        cells = [Cell(classes[j], look[0]), Cell(number=given(z[j])), y, *upstream]
        rows.append([*cells, Cell.of(show_result(0, j), p)][: len(headings)])
    fractions = numbers.y[0, order].tolist() if g is None else []
    return Table(headings, rows, outputs=shown, bars=("", _LARGE_BAR, fractions))


def sample_numbers(
    result: results.Arrays, batch: Batch
) -> tuple[Numbers, list[list[float]], Callable[[int, int], Show]]:
    """Return a batch's numbers, the values of its columns, and what shows column c of sample k."""
    quantity = result.quantity
    numbers = Numbers(batch.logits, quantity.temperature, batch.upstream, log=quantity.log)
    values = quantity.compute(batch).reshape(len(batch.logits), -1).tolist()
    kind = "jacobian" if result.entry else quantity.key

    def show(k: int, c: int) -> Show:
        if quantity.key == "probabilities":
            return show_probability(numbers, k, c)
        return partial(significant, numbers.of(kind, k, result.entry or [c], values[k][c]))

    return numbers, values, show


def jacobian_table(numbers: Numbers, classes: Sequence[str], screen: Screen) -> Table:
    """Show the Jacobian of the first sample, beside row sums, z and y."""
    z, T, log, p = numbers.z[0], numbers.T, numbers.log, screen.precision
    margins = ("row sum", "z", "y")[: screen.margins]
    outputs = show("output", classes, screen.rows)
    inputs = show("input", classes, screen.columns)
    # |y_j y_i| <= y_j (1 - y_j) <= 1/4, which is largest for the most probable class; 1 - y_j <= 1.
    largest = 1 / T if log else 0.25 / T
    if screen.has_shades and not log:
        largest = float(core.jacobian_rows(z, [int(z.argmax())], T).max())

    def row(j: int) -> Iterator[Cell]:
        values = core.jacobian_rows(z, [j], T, log)[0].tolist()
        yield Cell(f"{'dlog y' if log else 'dy'}_{classes[j]}")
        for i in inputs.positions:
            show = partial(significant, numbers.partial(0, j, i, values[i]))
            yield Cell.of(show, p, "bold" * (i == j), value=values[i])
        yield Cell(number=significant(math.fsum(values), 2), style="dim")
        yield Cell(number=given(z[j]))
        yield Cell.of(show_probability(numbers, 0, j), p)

    headings = ["", *(f"dz_{classes[i]}" for i in inputs.positions), *margins]
    rows = (list(islice(row(j), len(headings))) for j in outputs.positions)
    return Table(headings, rows, 1, len(margins), outputs, inputs, largest=largest)
