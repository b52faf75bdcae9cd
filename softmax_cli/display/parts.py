"""What people look at: a list of the parts of any result, for all that draws and writes them."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice, repeat

import numpy as np
from rich.text import Text

from softmax_cli import result as results
from softmax_cli.display.numbers import beside_one, given, significant
from softmax_cli.display.screen import HINT, Cell, Limit, Part, Screen, Show, Shown, Table, show
from softmax_cli.errors import plural
from softmax_cli.mathematics import core
from softmax_cli.mathematics.exact import Derivation, Numbers
from softmax_cli.samples import Batch, as_text, concatenate

_MOST_WINNERS = 10
_TITLES = {
    "probabilities": "Probabilities",
    "log_probabilities": "Log-probabilities",
    "jacobian": "Jacobian ∂y_j/∂z_i",
    "partials": "Partial derivative ∂y_j/∂z_i",
    "vjp": "Upstream gradient times Jacobian, v_i = Σ_j g_j ∂y_j/∂z_i",
}


def parts(result: results.Result, screen: Screen) -> Iterator[Part]:
    """Make the parts of any result; which they are, its type says."""
    match result:
        case Derivation():
            from softmax_cli.display.explain import explain
            from softmax_cli.display.notation import Latex, Plain

            yield from _title(result.sample, screen)
            yield from explain(result, (Plain if screen.is_drawn else Latex)(screen.precision))
            yield from (Text(), jacobian_table(result.numbers, result.classes, screen))
        case results.Report():
            from softmax_cli.display.evidence import tell

            yield from tell(result.evidence, screen)
        case results.Arrays(quantity=results.Jacobian()):
            yield from _jacobians(result, screen)
        case results.Arrays():
            yield from _by_sample(result, screen)


def _title(title: str, screen: Screen) -> list[Part]:
    return [screen.text(title, "bold")] if title else []


def heading(result: results.Arrays) -> str:
    """Say what arrays are computed."""
    T, log = result.quantity.temperature, result.quantity.log
    title = _TITLES[result.quantity.key].replace("∂y", "∂log y" if log else "∂y")
    return title + f", T = {given(T)}" * (T != 1)


def _by_sample(result: results.Arrays, screen: Screen) -> Iterator[Part]:
    """Show one sample class by class, several as a row each; a file always has rows."""
    logits, T, wins = result.logits, result.quantity.temperature, Counter[int]()
    is_told = isinstance(result.quantity, results.Probabilities) and screen.is_drawn

    def tallied() -> Iterator[Batch]:
        for batch in logits.batches:
            wins.update(batch.logits.argmax(axis=1).tolist())
            yield batch

    batches = tallied() if is_told else logits.batches
    batch, shown = some_samples(batches, logits.n_classes, screen.samples)
    if isinstance(result.quantity, results.Vjp) and screen.is_drawn:
        v = "(g_i - y_i sum_j g_j)" if result.quantity.log else "y_i (g_i - sum_j g_j y_j)"
        yield from (screen.quiet(f"v_i = sum_j g_j J[j][i] = {v}{_by_T(T)}"), Text())
    if screen.is_drawn and len(shown.names) == 1 and result.quantity.entry is None:
        yield from _title(logits.title(batch), screen)
        yield class_table(result, batch, screen)
        return
    yield samples_table(result, batch, screen, shown)
    if is_told:
        told = [f"{logits.classes[j]} ({plural(n, 'sample')})" for j, n in wins.most_common()]
        told[_MOST_WINNERS:] = [f"{len(told) - _MOST_WINNERS} more"] * (len(told) > _MOST_WINNERS)
        counts = f"{plural(wins.total(), 'sample')}, {plural(logits.n_classes, 'class')}"
        yield from (Text(), screen.quiet(f"{counts}; most probable: {', '.join(told)}"))


def _jacobians(result: results.Arrays, screen: Screen) -> Iterator[Part]:
    """Show matrices one below the other."""
    logits, T, log = result.logits, result.quantity.temperature, result.quantity.log
    batch, shown = some_samples(logits.batches, logits.n_classes, screen.samples)
    if screen.is_drawn:
        formula = "dlog y_j/dz_i = (δ_ij - y_i)" if log else "dy_j/dz_i = y_j (δ_ij - y_i)"
        yield screen.quiet(f"J[j][i] = {formula}{_by_T(T)}")
    for k, z in enumerate(batch.logits):
        yield Text()
        if k == shown.head:
            yield from (screen.quiet(shown.left_out + HINT), Text())
        yield from _title(logits.title(batch, k, len(shown.names)), screen)
        yield jacobian_table(Numbers(z[np.newaxis], T, log=log), logits.classes, screen)
    if screen.is_drawn:
        told = "Every row of J sums to 0, up to the rounding of its entries."
        yield from (Text(), screen.quiet(told))


def _by_T(temperature: float) -> str:  # noqa: N802
    return "" if temperature == 1 else f" / T,  T = {given(temperature)}"


def some_samples(batches: Iterable[Batch], n_classes: int, limit: Limit) -> tuple[Batch, Shown]:
    """Walk all batches; return all samples, or else those at the ends, with labels."""
    kept: list[Batch] = []
    count, most = 0, limit[0] if limit else 0
    for batch in batches:
        rows = range(len(batch.logits))
        if limit is None:
            kept.append(batch)
        else:
            kept += (batch.part(slice(k, k + 1)) for k in sorted({*rows[:most], *rows[-most:]}))
            del kept[most:-most]
        count += len(rows)
    shown = show("sample", range(1, count + 1), limit)
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
    if result.quantity.entry is not None:
        j, i = result.quantity.entry
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
    numbers, values, show_result = sample_numbers(result, samples)
    tops, chosen = samples.logits.argmax(axis=1).tolist(), columns.positions
    order = result.order(samples)[:, chosen].tolist() if result.top else repeat(chosen)

    def rows() -> Iterator[list[Cell]]:
        for k, (label, row) in enumerate(zip(samples.labels, order, strict=False)):
            cells = list(map(Cell, [label, *map(as_text, samples.kept[k] if samples.kept else ())]))
            if is_named:
                y = show_probability(numbers, k, tops[k])
                # All its digits stand in its own column.
                cells.append(Cell(classes[tops[k]], number=y(min(p, 3))))
            for c in row:
                look = _marked(c == tops[k], screen) if is_marked else ()
                cells.append(Cell.of(show_result(k, c), p, *look, name=name[c], value=values[k][c]))
            yield cells

    first = ["sample", *result.logits.kept_names, *["top"] * is_named]
    headings = [*first, *(names[c] for c in columns.positions)]
    bars = "largest", 10, numbers.y.max(axis=1).tolist() if is_softmax and screen.is_drawn else []
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
    headings = ["class", "logit", "probability", *["log probability"] * result.quantity.log]
    if g is not None:
        headings = ["class", "z", "y", "g", "v"]
    rows = []
    for j in order:
        look = _marked(j == z.argmax(), screen) if g is None else ("", "")
        y = Cell.of(show_probability(numbers, 0, j), p, *look)
        upstream = [] if g is None else [Cell(number=given(g[0, j]))]
        cells = [Cell(classes[j], look[0]), Cell(number=given(z[j])), y, *upstream]
        rows.append([*cells, Cell.of(show_result(0, j), p)][: len(headings)])
    fractions = numbers.y[0, order].tolist() if g is None else []
    return Table(headings, rows, outputs=shown, bars=("", 30, fractions))


def sample_numbers(
    result: results.Arrays, batch: Batch
) -> tuple[Numbers, list[list[float]], Callable[[int, int], Show]]:
    """Return a batch's numbers, the values of its columns, and what shows column c of sample k."""
    quantity = result.quantity
    numbers = Numbers(batch.logits, quantity.temperature, batch.upstream, log=quantity.log)
    values = quantity.compute(batch, slice(0)).reshape(len(batch.logits), -1).tolist()
    kind = "jacobian" if result.quantity.entry else quantity.key

    def show(k: int, c: int) -> Show:
        if quantity.key == "probabilities":
            return show_probability(numbers, k, c)
        return partial(significant, numbers.of(kind, k, result.quantity.entry or [c], values[k][c]))

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
