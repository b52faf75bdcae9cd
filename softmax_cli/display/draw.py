"""Results drawn for people: which drawing it is, the type of the result says."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray
from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from softmax_cli import result as results
from softmax_cli.display import grids
from softmax_cli.display.explain import Equation, explain
from softmax_cli.display.grids import QUIET, Cell, Grid, numeral
from softmax_cli.display.notation import Plain
from softmax_cli.display.numbers import given, significant
from softmax_cli.display.screen import MOST_ROWS, Screen, Shown, parted, show_columns, show_rows
from softmax_cli.display.tables import HINT, draw_grid
from softmax_cli.errors import plural
from softmax_cli.mathematics import core
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.mathematics.inputs import or_limit
from softmax_cli.samples import Batch, concatenate
from softmax_cli.words import is_number

_MOST_WINNERS = 10
_LARGE_BAR, _SMALL_BAR = 30, 10
_INDENT = "   "
# An equation may be broken before a sign.
_SIGN = re.compile(r" (?=[-+*/·] )")
_LEAST_ROOM = 20
# Prose is broken where nothing else bounds it.
_WIDEST_PROSE = 91


def draw(result: results.Result, screen: Screen) -> Iterator[RenderableType]:
    """Draw any result, part by part."""
    match result:
        case results.Explanation():
            return _explanation(result, screen)
        case results.Report():
            from softmax_cli.display.evidence import draw_report

            return draw_report(result, screen)
        case results.Arrays(quantity=results.Jacobian()):
            return _jacobians(result, screen)
        case results.Arrays():
            return _by_sample(result, screen)


def keep_ends(batches: Iterable[Batch], n_classes: int) -> tuple[Batch, Shown]:
    """Walk all batches; return the samples that are shown of them, each with its label."""
    kept: list[Batch] = []
    count = 0
    for batch in batches:
        positions = range(len(batch.logits))
        for k in sorted({*positions[:MOST_ROWS], *positions[-MOST_ROWS:]}):
            part = batch.part(slice(k, k + 1))
            kept.append(replace(part, samples=part.labels))
        del kept[MOST_ROWS:-MOST_ROWS]
        count += len(batch.logits)
    shown = show_rows("sample", range(1, count + 1))
    del kept[shown.head : len(kept) - shown.tail]
    return concatenate(kept, n_classes), shown


def _by_sample(result: results.Arrays, screen: Screen) -> Iterator[RenderableType]:
    """Draw one sample class by class, several as a row each."""
    logits, T, is_softmax = result.logits, result.temperature, grids.is_softmax(result)
    tally = Tally(np.zeros(logits.n_classes, dtype=np.int64))
    batches = tally.watch(logits.batches, T) if is_softmax else logits.batches
    kept, shown = keep_ends(batches, logits.n_classes)
    if isinstance(result.quantity, results.Vjp):
        v = "(g_i - y_i sum_j g_j)" if result.quantity.log else "y_i (g_i - sum_j g_j y_j)"
        yield Text(f"v_i = sum_j g_j J[j][i] = {v}{_by_T(T)}", QUIET)
        yield Text()
    if len(shown.names) == 1 and result.entry is None:
        yield from _class_by_class(result, kept, screen)
        return
    columns = show_columns("class", grids.sample_columns(result))
    grid = grids.samples_grid(
        result, [kept], screen, columns.positions, winners=is_softmax and not result.top
    )
    y = core.softmax(kept.logits, temperature=T).max(axis=1).tolist() if is_softmax else []
    yield from draw_grid(grid, screen, shown, columns, ("largest", _SMALL_BAR, y))
    if is_softmax:
        yield Text()
        yield screen.text(tally.told(logits.classes, len(shown.names), screen.precision), QUIET)


@dataclass
class Tally:
    """How often each class is the most probable, and the entropies, gathered as samples pass.

    Attributes
    ----------
    wins
        By class.
    entropy
        The sum of H = -sum_j y_j log y_j, in nats (Shannon 1948).
    certain
        Whether each sample had one class only that is not masked, so that H is exactly 0.
    """

    wins: NDArray[np.int64]
    entropy: float = 0.0
    certain: bool = True

    def watch(self, batches: Iterable[Batch], temperature: float) -> Iterator[Batch]:
        """Pass batches on, counting."""
        for batch in batches:
            log_y = core.log_softmax(batch.logits, temperature=temperature)
            y = np.exp(log_y)
            # A masked class adds nothing: y log y goes to 0 with y.
            self.entropy -= float((y * np.where(y > 0, log_y, 0)).sum())
            self.wins += np.bincount(batch.logits.argmax(axis=1), minlength=len(self.wins))
            z, _ = or_limit(batch.logits, temperature)
            self.certain &= bool((np.isfinite(z).sum(axis=1) == 1).all())
            yield batch

    def told(self, classes: tuple[str, ...], n_samples: int, precision: int) -> str:
        """Tell of so many samples."""
        order = sorted(range(len(classes)), key=lambda j: -self.wins[j])
        counted = [(classes[j], int(self.wins[j])) for j in order[:_MOST_WINNERS]]
        winners = [f"{name} {n}" for name, n in counted]
        if any(map(is_number, classes)):
            winners = [f"class {name}: {plural(n, 'sample')}" for name, n in counted if n]
        winners += [f"{len(order) - _MOST_WINNERS} more"] if len(order) > _MOST_WINNERS else []
        # Where it is too small for float64 it is not 0 all the same.
        is_known = self.entropy or self.certain
        mean = significant(self.entropy / n_samples, precision) if is_known else "<5e-324"
        return (
            f"{plural(n_samples, 'sample')}, {plural(len(classes), 'class')}; "
            f"most probable: {', '.join(winners)}; mean entropy {mean} nats"
        )


def _class_by_class(
    result: results.Arrays, batch: Batch, screen: Screen
) -> Iterator[RenderableType]:
    """Draw one sample, a row a class."""
    classes, p, z, g = result.logits.classes, screen.precision, batch.logits, batch.upstream
    numbers, _, show = grids.sample_numbers(result, batch)
    headings = ["class", "logit", "probability"]
    if g is not None:
        headings = ["class", "z", "y", "g", "v"]
    elif isinstance(result.quantity, results.LogProbabilities):
        headings.append("log probability")
    order = result.order(batch)[0].tolist() if result.top else range(len(classes))
    top, shown, rows = int(z[0].argmax()), show_rows("class", [classes[j] for j in order]), []
    positions = [order[place] for place in shown.positions]
    for j in positions:
        style = grids.LARGEST if j == top and g is None else ""
        y = numeral(grids.show_probability(numbers, 0, j), p, style)
        cells = [Cell(classes[j], style), Cell(number=given(z[0, j])), y]
        cells += [Cell(number=given(g[0, j]))] if g is not None else []
        rows.append([*cells, numeral(show(0, j), p)][: len(headings)])
    fractions = numbers.y[0, positions].tolist() if g is None else []
    if result.logits.names_samples or batch.kept:
        title = batch.labels[0] if result.logits.names_samples else f"sample {batch.labels[0]}"
        yield screen.text(result.logits.title(title, batch, 0), "bold")
    yield from draw_grid(Grid(headings, rows), screen, shown, bars=("", _LARGE_BAR, fractions))


def _jacobians(result: results.Arrays, screen: Screen) -> Iterator[RenderableType]:
    """Draw matrices one below the other."""
    logits = result.logits
    kept, shown = keep_ends(logits.batches, logits.n_classes)
    delta = screen.glyph("δ_ij", "delta_ij")
    T, log = result.temperature, result.quantity.log
    formula = f"dlog y_j/dz_i = ({delta} - y_i)" if log else f"dy_j/dz_i = y_j ({delta} - y_i)"
    yield Text(f"J[j][i] = {formula}{_by_T(T)}", QUIET)
    for position, (label, z) in enumerate(zip(kept.labels, kept.logits, strict=True)):
        yield Text()
        if position == shown.head:
            yield screen.text(shown.left_out() + HINT, QUIET)
            yield Text()
        if logits.names_samples or len(shown.names) > 1:
            title = label if logits.names_samples else f"sample {label}"
            yield screen.text(logits.title(title, kept, position), "bold")
        yield from _jacobian(Numbers(z[np.newaxis], T, log=log), logits.classes, screen)
    yield Text()
    yield Text("Every row of J sums to 0, up to the rounding of its entries.", QUIET)


def _by_T(temperature: float) -> str:  # noqa: N802
    return "" if temperature == 1 else f" / T,  T = {given(temperature)}"


def _jacobian(
    numbers: Numbers, classes: tuple[str, ...], screen: Screen
) -> Iterator[RenderableType]:
    """Draw the Jacobian of a sample; only the rows shown are computed."""
    rows, columns = show_rows("output", classes), show_columns("input", classes)
    grid = grids.jacobian_grid(numbers, classes, screen, rows.positions, columns.positions)
    yield from draw_grid(grid, screen, rows, columns)


def _explanation(result: results.Explanation, screen: Screen) -> Iterator[RenderableType]:
    """Draw the steps one below the other, the matrix last."""
    d = result.derivation
    if result.heading is not None:
        yield screen.text(result.heading, "bold")
        yield Text()
    notation = Plain(screen.precision, screen.ascii_only)
    for position, step in enumerate(explain(d, notation), start=1):
        yield Text(f"{position}. {step.title}", "bold")
        for prose in wrap(step.text, (screen.width or _WIDEST_PROSE) - len(_INDENT)):
            yield Text(_INDENT + prose)
        for line in step.lines:
            if isinstance(line, str):
                yield screen.text(_INDENT + line, QUIET)
            else:
                yield _equation(line, screen.width)
        yield Text()
    yield from _jacobian(Numbers(d.numbers.z, d.temperature, log=d.log), d.classes, screen)


def _equation(equation: Equation, width: int | None) -> Text:
    """Draw an equation on one line; where that is too long, begin one at every equals sign.

    What is too long still is broken before its signs.
    """
    indent, joint, sides = 2 * _INDENT, " = ", equation.sides
    if width is not None and cell_len(indent + joint.join(sides)) > width:
        room = max(width - len(indent) - 4, _LEAST_ROOM)
        joint = f"\n{indent}  = "
        lines = (parted(_SIGN.split(side), lambda part: cell_len(part) + 1, room) for side in sides)
        sides = [f"\n{indent}    ".join(map(" ".join, each)) for each in lines]
    *parts, last = sides
    style = "" if equation.value is None else "bold"
    return Text(indent + joint.join(parts)).append(joint + last, style)
