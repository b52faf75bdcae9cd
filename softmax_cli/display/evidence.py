"""A verdict, then its evidence and its cause; or the errors of a sweep."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from rich.console import RenderableType
from rich.text import Text

from softmax_cli.checking.mistakes import CATALOGUE
from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Check, Verdict, apart, entry_name, headline, worst_entry
from softmax_cli.display.curve import draw_sweep
from softmax_cli.display.grids import QUIET, Cell, Grid
from softmax_cli.display.numbers import entry, given, significant
from softmax_cli.display.screen import Screen, Shown, show_columns, show_rows
from softmax_cli.display.tables import HINT, draw_grid
from softmax_cli.mathematics.finite_difference import METHODS
from softmax_cli.result import Report

_ERROR_DIGITS = 3
_HEAT_DIGITS = 2


class Table(NamedTuple):
    """A grid, and which rows and columns it has of what there is."""

    grid: Grid
    rows: Shown
    columns: Shown | None = None
    hint: str = HINT


def draw_report(report: Report, screen: Screen) -> Iterator[RenderableType]:
    """Draw what a check found."""
    if isinstance(report.evidence, Sweep):
        yield from draw_sweep(report.evidence, screen)
        return
    for part in tell(report.evidence, screen):
        if isinstance(part, Text):
            yield part
        else:
            yield from draw_grid(part.grid, screen, part.rows, part.columns, hint=part.hint)


def tell(verdict: Verdict, screen: Screen) -> Iterator[Text | Table]:
    """Tell the verdict; the evidence lists what failed, or everything if nothing did."""
    check = verdict.decisive
    for each in sorted(verdict.checks, key=lambda check: check.passed):
        end, quantity, said = headline(each).split(": ", 2)
        said = f"{_proper(quantity)}: {said}" if len(verdict.checks) > 1 else said
        found = screen.text(f" {screen.glyph('–', '-')} {said}", "default")
        yield Text(end, "bold green" if each.passed else "bold red").append_text(found)
        for line in _method(each, verdict, screen.glyph("×", "*")):
            yield screen.text(line, QUIET)
        if each.diagnoses and each is not check:
            yield from _cause(each, screen)
    parts: list[list[Text | Table]] = []
    if check.samples:
        parts.append([_samples(verdict, check, screen)])
    if check.excess is not None and not check.passed:
        parts.append([screen.text(worst_entry(verdict, entry, screen.precision))])
        title = f"error/bound in sample {check.samples[check.worst][0]}"
        parts.append([screen.text(title, "bold"), _heatmap(verdict, check)])
    parts.append([] if check.passed else [*_cause(check, screen)])
    parts.append([screen.text(f"note: {note}", QUIET) for note in verdict.notes])
    for part in filter(None, parts):
        yield Text()
        yield from part


def _proper(quantity: str) -> str:
    return quantity.replace("jacobian", "Jacobian")


def _method(check: Check, verdict: Verdict, times: str) -> Iterator[str]:
    """Say what was compared with what, and how closely."""
    size = "|z|" if verdict.temperature == 1 else "|z/T|"
    if check.step is None:
        quantity = _proper(check.quantity)
        if check.log:
            is_vector = check.quantity == "probabilities"
            quantity = f"log-{quantity}" if is_vector else f"{quantity} of log-softmax"
        yield f"{quantity} from {check.candidate} against the exact {quantity}"
    else:
        largest = given(METHODS[check.method].largest_step * verdict.temperature)
        scale = f" {times} max(1, {size}), at most {largest}" if check.step_is_relative else ""
        whose = f" of {check.candidate}" if check.candidate else ""
        step = significant(check.step, _ERROR_DIGITS)
        yield f"exact Jacobian against {check.method} differences{whose}, step {step}{scale}"
    if check.failed and check.unstable:
        yield check.unstable
    if check.called:
        yield f"the function was given {check.called}"
    if check.error_estimate is not None:
        estimate = significant(check.error_estimate, 2)
        yield f"the extrapolation estimates its own error at up to {estimate}"
    dtype = "" if check.precision == "float64" else f"{check.precision}, "
    bound = f"atol {check.atol:.3g}, rtol {check.rtol:.3g}"
    yield f"bound: {dtype}atol + rtol {times} |exact|, {bound}"


def _samples(verdict: Verdict, check: Check, screen: Screen) -> Table:
    """List the samples, each with its worst entry."""
    listed, p = check.failed or range(len(check.samples)), screen.precision
    noun = "failed sample" if check.failed else "sample"
    shown = show_rows(noun, [check.labels[k] for k in listed])
    rows = []
    for label, worst in (check.samples[listed[place]] for place in shown.positions):
        found = entry(worst.exact, p), entry(worst.actual, p)
        if not worst.passed:
            found = apart(worst, entry, p)
        numbers = abs(worst.actual - worst.expected), worst.worst_excess
        error, excess = (significant(each, _ERROR_DIGITS) for each in numbers)
        cells = map(Cell, (label, entry_name(check, worst, verdict.classes), *found, error))
        rows.append([*cells, Cell(excess, "" if worst.passed else "bold red")])
    theirs = "yours" if check.candidate and check.step is None else "numeric"
    headings = ("sample", "worst entry", "exact", theirs, "error", "error/bound")
    return Table(Grid(headings, rows, names=2), shown)


def _heatmap(verdict: Verdict, check: Check) -> Table:
    """Show the errors of the worst sample; over 1 fails."""
    assert check.excess is not None
    is_matrix = check.excess.ndim == 2
    letter = {"jacobian": "dz", "probabilities": "y", "vjp": "v"}[check.quantity]
    names = [f"dy_{name}" for name in verdict.classes] if is_matrix else [""]
    columns = [f"{letter}_{name}" for name in verdict.classes]
    outputs = show_rows("output", names)
    inputs = show_columns("input" if is_matrix else "class", columns)
    shown = np.atleast_2d(check.excess)[np.ix_(outputs.positions, inputs.positions)].tolist()
    rows = (
        [Cell(names[j]), *map(_heat, row)] for j, row in zip(outputs.positions, shown, strict=True)
    )
    headings = ["", *(columns[i] for i in inputs.positions)]
    return Table(Grid(headings, rows), outputs, inputs, hint="")


def _heat(excess: float) -> Cell:
    bad = significant(excess, _HEAT_DIGITS), "white on red"
    return Cell(*bad, value=excess) if excess > 1 else Cell("ok", QUIET)


def _cause(check: Check, screen: Screen) -> Iterator[Text | Table]:
    found, count = check.diagnoses, len(check.diagnoses)
    if not check.candidate:
        return
    if not found and check.failed:
        yield Text(f"cause: none of the {len(CATALOGUE)} known mistakes explains every entry")
    if count > 1:
        yield Text(f"cause: {count} known mistakes explain every entry here")
    for each in found:
        yield screen.text(f"{'cause:' if count == 1 else '-'} {each.name}", "bold")
        # A symbol or a formula begins as it is.
        is_word = re.match(r"[A-Za-z]{2,}[ ,:]", each.advice)
        yield screen.text(each.advice[0].upper() + each.advice[1:] if is_word else each.advice)
