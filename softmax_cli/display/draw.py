"""Results drawn for people: which drawing it is, the type of the result says."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from textwrap import wrap

import numpy as np
from rich.cells import cell_len
from rich.console import RenderableType
from rich.text import Text

from softmax_cli import result as results
from softmax_cli.display import grids
from softmax_cli.display.explain import Equation, explain
from softmax_cli.display.grids import QUIET, Cell, Grid, numeral
from softmax_cli.display.notation import Plain
from softmax_cli.display.numbers import given, significant
from softmax_cli.display.screen import Screen, parted, show_columns, show_rows
from softmax_cli.display.tables import HINT, draw_grid
from softmax_cli.errors import plural
from softmax_cli.mathematics import core
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.samples import Batch
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


def _by_sample(result: results.Arrays, screen: Screen) -> Iterator[RenderableType]:
    """Draw one sample class by class, several as a row each."""
    logits, T, is_softmax = result.logits, result.temperature, grids.is_softmax(result)
    wins: Counter[int] = Counter()
    entropies: list[float] = []
    batches = _tallied(logits.batches, T, wins, entropies) if is_softmax else logits.batches
    kept, shown = grids.some_samples(batches, logits.n_classes)
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
        counted = [(logits.classes[j], n) for j, n in wins.most_common()]
        told = [f"{name} {n}" for name, n in counted]
        if any(map(is_number, logits.classes)):
            told = [f"class {name}: {plural(n, 'sample')}" for name, n in counted]
        told[_MOST_WINNERS:] = [f"{len(told) - _MOST_WINNERS} more"] * (len(told) > _MOST_WINNERS)
        counts = f"{plural(wins.total(), 'sample')}, {plural(logits.n_classes, 'class')}"
        mean = sum(entropies) / wins.total()
        # Of less than float64 can hold nothing is said.
        entropy = f"; mean entropy {significant(mean, screen.precision)} nats" if mean else ""
        yield Text()
        yield screen.text(f"{counts}; most probable: {', '.join(told)}{entropy}", QUIET)


def _tallied(
    batches: Iterable[Batch], T: float, wins: Counter[int], entropies: list[float]
) -> Iterator[Batch]:
    """Pass batches on; count how often each class is the most probable, and add up entropies.

    The entropy of a sample is H = -sum_j y_j log y_j, in nats (Shannon 1948).
    """
    for batch in batches:
        log_y = core.log_softmax(batch.logits, temperature=T)
        y = np.exp(log_y)
        # A masked class adds nothing: y log y goes to 0 with y.
        entropies.append(-float((y * np.where(y > 0, log_y, 0)).sum()))
        wins.update(batch.logits.argmax(axis=1).tolist())
        yield batch


def _class_by_class(
    result: results.Arrays, batch: Batch, screen: Screen
) -> Iterator[RenderableType]:
    """Draw one sample, a row a class."""
    logits, p, z, g = result.logits, screen.precision, batch.logits[0], batch.upstream
    numbers, _, show = grids.sample_numbers(result, batch)
    order = result.order(batch)[0].tolist() if result.top else range(len(z))
    shown = show_rows("class", [logits.classes[j] for j in order])
    order = [order[place] for place in shown.positions]
    headings = ["class", "logit", "probability", "log probability"]
    if g is not None:
        headings = ["class", "z", "y", "g", "v"]
    elif isinstance(result.quantity, results.Probabilities):
        headings.pop()
    rows = []
    for j in order:
        style, mark = "", "" if g is not None else "  "
        if j == z.argmax() and g is None:
            style, mark = grids.LARGEST, screen.glyph(" ◂", " <")
        y = numeral(grids.show_probability(numbers, 0, j), p, style, mark)
        upstream = [] if g is None else [Cell(number=given(g[0, j]))]
        cells = [Cell(logits.classes[j], style), Cell(number=given(z[j])), y, *upstream]
        rows.append([*cells, numeral(show(0, j), p)][: len(headings)])
    if logits.names_samples or batch.kept:
        yield screen.text(grids.sample_title(logits, batch, 0), "bold")
    fractions = numbers.y[0, order].tolist() if g is None else []
    yield from draw_grid(Grid(headings, rows), screen, shown, bars=("", _LARGE_BAR, fractions))


def _jacobians(result: results.Arrays, screen: Screen) -> Iterator[RenderableType]:
    """Draw matrices one below the other."""
    logits, T, log = result.logits, result.temperature, result.quantity.log
    kept, shown = grids.some_samples(logits.batches, logits.n_classes)
    delta = screen.glyph("δ_ij", "delta_ij")
    formula = f"dlog y_j/dz_i = ({delta} - y_i)" if log else f"dy_j/dz_i = y_j ({delta} - y_i)"
    yield Text(f"J[j][i] = {formula}{_by_T(T)}", QUIET)
    for k, z in enumerate(kept.logits):
        yield Text()
        if k == shown.head:
            yield screen.text(f"{shown.left_out()}{HINT}\n", QUIET)
        if logits.names_samples or len(shown.names) > 1:
            yield screen.text(grids.sample_title(logits, kept, k), "bold")
        yield from _jacobian(Numbers(z[np.newaxis], T, log=log), logits.classes, screen)
    yield Text("\nEvery row of J sums to 0, up to the rounding of its entries.", QUIET)


def _by_T(temperature: float) -> str:  # noqa: N802
    return "" if temperature == 1 else f" / T,  T = {given(temperature)}"


def _jacobian(
    numbers: Numbers, classes: tuple[str, ...], screen: Screen
) -> Iterator[RenderableType]:
    """Draw the Jacobian of a sample; only the rows shown are computed."""
    rows, columns = show_rows("output", classes), show_columns("input", classes)
    grid = grids.jacobian_grid(numbers, classes, screen, rows.positions, columns.positions)
    return draw_grid(grid, screen, rows, columns)


def _explanation(result: results.Explanation, screen: Screen) -> Iterator[RenderableType]:
    """Draw the steps one below the other, the matrix last."""
    d = result.derivation
    if result.heading is not None:
        yield screen.text(result.heading, "bold")
        yield Text()
    notation = Plain(screen.precision, screen.ascii_only)
    for position, step in enumerate(explain(d, notation), start=1):
        yield Text(f"{position}. {step.title}", "bold")
        prose = wrap(step.text, (screen.width or _WIDEST_PROSE) - len(_INDENT))
        yield from (Text(_INDENT + line) for line in prose)
        for line in step.lines:
            if isinstance(line, str):
                yield screen.text(_INDENT + line, QUIET)
            else:
                yield _equation(line, screen.width)
        yield Text()
    yield from _jacobian(d.numbers, d.classes, screen)


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
