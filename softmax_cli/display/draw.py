"""Results drawn for people: which drawing it is, the type of the result says."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from textwrap import wrap

import numpy as np
from numpy.typing import NDArray
from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from softmax_cli.display.grids import LARGEST, QUIET, Cell, jacobian_grid, probability, samples_grid
from softmax_cli.display.notation import Plain
from softmax_cli.display.numbers import given, significant
from softmax_cli.display.screen import Screen, show_rows
from softmax_cli.display.tables import Ends, keep_ends, left_out, matrix, records, text
from softmax_cli.errors import plural
from softmax_cli.mathematics import core
from softmax_cli.mathematics.derivation import Equation
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.result import (
    Arrays,
    Explanation,
    Jacobian,
    LogProbabilities,
    Partial,
    Report,
    Result,
    Vjp,
)
from softmax_cli.samples import Batch, FloatArray

MOST_WINNERS = 10
_INDENT = 3
# Prose is broken where nothing else bounds it.
_PROSE_WIDTH = 88


def draw(result: Result, screen: Screen) -> Iterator[RenderableType]:
    """Draw any result, part by part."""
    match result:
        case Explanation():
            return _explanation(result, screen)
        case Report():
            from softmax_cli.display.evidence import draw_report

            return draw_report(result, screen)
    match result.quantity:
        case Jacobian():
            return _jacobians(result, screen)
        case Partial():
            return _samples(result, keep_ends(result.logits.batches), screen)
        case Vjp():
            return _products(result, screen)
        case _:
            return _probabilities(result, screen)


def _probabilities(result: Arrays, screen: Screen) -> Iterator[RenderableType]:
    """Draw one sample class by class, several as a row each."""
    classes = result.logits.classes
    tally = Tally(np.zeros(len(classes), dtype=np.int64))
    ends = keep_ends(tally.watch(result.logits.batches, result.temperature))
    if ends.count == 1:
        yield from _class_by_class(result, ends.batches[0], screen)
        return
    yield from _samples(result, ends, screen)
    order = sorted(range(len(classes)), key=lambda j: -tally.wins[j])
    winners = [f"{classes[j]} {tally.wins[j]}" for j in order[:MOST_WINNERS]]
    more = [f"{len(order) - MOST_WINNERS} more"] if len(order) > MOST_WINNERS else []
    entropy = tally.entropy / ends.count
    # Where it is too small for float64 it is not 0 all the same.
    mean = significant(entropy, screen.precision) if entropy or tally.certain else "<5e-324"
    yield Text()
    yield text(
        f"{plural(ends.count, 'sample')}, {plural(len(classes), 'class')}; "
        f"most probable: {', '.join([*winners, *more])}; mean entropy {mean} nats",
        screen,
        QUIET,
    )


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
            self.entropy -= float(np.multiply(y, log_y, out=np.zeros_like(y), where=y > 0).sum())
            self.wins += np.bincount(batch.logits.argmax(axis=1), minlength=len(self.wins))
            self.certain &= bool((np.isfinite(batch.logits).sum(axis=1) == 1).all())
            yield batch


def _class_by_class(result: Arrays, batch: Batch, screen: Screen) -> Iterator[RenderableType]:
    """Draw one sample, a row a class."""
    classes, precision = result.logits.classes, screen.precision
    numbers = Numbers(batch.logits, result.temperature, batch.upstream)
    is_vjp = isinstance(result.quantity, Vjp)
    top = -1 if is_vjp else int(batch.logits[0].argmax())

    def record(j: int) -> list[Cell]:
        style = LARGEST if j == top else ""
        cells = [
            Cell(classes[j], style),
            Cell(given(batch.logits[0, j])),
            Cell(probability(numbers, 0, j, precision), style),
        ]
        if isinstance(result.quantity, LogProbabilities):
            cells.append(Cell(significant(numbers.log_probability(0, j), precision)))
        if batch.upstream is not None:
            cells.append(Cell(given(batch.upstream[0, j])))
            cells.append(Cell(significant(numbers.product(0, j), precision), "bold"))
        return cells

    shown = show_rows(len(classes))
    rows = [record(j) for j in shown.positions]
    headings = ["class", "z", "y", "g", "v"]
    if not is_vjp:
        headings = ["class", "logit", "probability", "log probability"][: len(rows[0])]
    fractions = [] if is_vjp else numbers.y[0, shown.positions].tolist()
    if batch.samples is not None:
        yield text(batch.samples[0], screen, "bold")
    yield from records(headings, rows, shown.gap_at, screen, fractions=fractions)
    yield from left_out("class", shown, classes, screen)


def _samples(result: Arrays, ends: Ends, screen: Screen) -> Iterator[RenderableType]:
    """Draw a row a sample."""
    grid = samples_grid(result, ends.batches, screen)
    table, columns = matrix(grid, ends.shown.gap_at, screen)
    yield table
    yield from left_out("sample", ends.shown, None, screen)
    yield from left_out("class", columns, result.logits.classes, screen)


def _products(result: Arrays, screen: Screen) -> Iterator[RenderableType]:
    """Draw upstream gradients times J: one sample class by class, several as a row each."""
    ends = keep_ends(result.logits.batches)
    formula = f"v_i = sum_j g_j J[j][i] = y_i (g_i - sum_j g_j y_j){_by_T(result.temperature)}"
    yield Text(formula, QUIET)
    yield Text()
    if ends.count == 1:
        yield from _class_by_class(result, ends.batches[0], screen)
    else:
        yield from _samples(result, ends, screen)


def _jacobians(result: Arrays, screen: Screen) -> Iterator[RenderableType]:
    """Draw matrices one below the other."""
    logits = result.logits
    ends = keep_ends(logits.batches)
    delta = screen.glyph("δ_ij", "delta_ij")
    yield Text(f"J[j][i] = dy_j/dz_i = y_j ({delta} - y_i){_by_T(result.temperature)}", QUIET)
    labels = [label for batch in ends.batches for label in batch.labels]
    samples = [z for batch in ends.batches for z in batch.logits]
    for position, (label, z) in enumerate(zip(labels, samples, strict=True)):
        if position == ends.shown.gap_at:
            yield Text()
            yield from left_out("sample", ends.shown, None, screen)
        yield Text()
        if logits.names_samples or ends.count > 1:
            name = label if logits.names_samples else f"sample {label}"
            yield text(name, screen, "bold")
        yield from _jacobian(z, logits.classes, result.temperature, screen)
    yield Text()
    yield Text("Every row of J sums to 0, up to the rounding of its entries.", QUIET)


def _by_T(temperature: float) -> str:  # noqa: N802
    return "" if temperature == 1 else f" / T,  T = {given(temperature)}"


def _jacobian(
    z: FloatArray, classes: tuple[str, ...], temperature: float, screen: Screen
) -> Iterator[RenderableType]:
    """Draw the Jacobian at z; only the rows that are shown are computed."""
    rows = show_rows(len(classes))
    grid = jacobian_grid(z, classes, temperature, rows.positions, screen)
    table, columns = matrix(grid, rows.gap_at, screen)
    yield table
    yield from left_out("output", rows, classes, screen)
    yield from left_out("input", columns, classes, screen)


def _explanation(result: Explanation, screen: Screen) -> Iterator[RenderableType]:
    """Draw the steps one below the other, the matrix last."""
    derivation = result.derivation
    if result.heading is not None:
        yield text(result.heading, screen, "bold")
        yield Text()
    notation = Plain(screen.precision, screen.ascii_only)
    for position, step in enumerate(derivation.steps(notation), start=1):
        yield Text(f"{position}. {step.title}", "bold")
        for prose in wrap(step.text, _PROSE_WIDTH) if screen.width is None else [step.text]:
            yield Padding.indent(text(prose, screen), _INDENT)
        for line in step.lines:
            if isinstance(line, str):
                yield Padding.indent(text(line, screen, QUIET), _INDENT)
            else:
                yield _equation(line, screen)
        yield Text()
    yield from _jacobian(derivation.z, derivation.classes, derivation.temperature, screen)


def _equation(equation: Equation, screen: Screen) -> Text:
    """Draw an equation on one line, or where that is too long begin one at every equals sign."""
    *parts, last = equation.parts
    indent = " " * (2 * _INDENT)
    line = Text(indent + " = ".join(parts))
    style = "" if equation.value is None else "bold"
    value = Text(f" = {last}", style)
    if screen.width is None or line.cell_len + value.cell_len <= screen.width:
        return line.append_text(value)
    separator = f"\n{indent}  = "
    return Text(indent + separator.join(parts)).append(separator + last, style)
