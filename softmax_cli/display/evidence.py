"""A verdict, then its evidence and its cause; or the errors of a sweep."""

import math
import re
from collections.abc import Iterator

import numpy as np
from rich.text import Text

from softmax_cli.checking.formulas import FloatArray
from softmax_cli.checking.mistakes import CATALOGUE
from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Check, Verdict, apart, entry_name, headline, worst_entry
from softmax_cli.display.numbers import entry, given, significant
from softmax_cli.display.screen import Cell, Screen, Table, show
from softmax_cli.errors import plural

_MARKS = {"forward": "f", "central": "c", "complex-step": "i"}
_STYLES = {"f": "bold magenta", "c": "bold blue", "i": "bold red"}
_STEP = 8  # columns before the curves
_LOWEST = -18


def tell(found: Verdict | Sweep, screen: Screen) -> Iterator[Text | Table]:
    """Tell a verdict or a sweep."""
    return _sweep(found, screen) if isinstance(found, Sweep) else _verdict(found, screen)


def _verdict(verdict: Verdict, screen: Screen) -> Iterator[Text | Table]:
    """Tell the verdict; the evidence lists what failed, or everything if nothing did."""
    check = verdict.decisive
    for each in sorted(verdict.checks, key=lambda check: check.passed):
        end, quantity, said = headline(each).split(": ", 2)
        said = f"{quantity.replace('jacobian', 'Jacobian')}: {said}" if verdict.checks[1:] else said
        found = screen.text(f" {screen.glyph('–', '-')} {said}", "default")
        yield Text(end, "bold green" if each.passed else "bold red").append_text(found)
        yield from map(screen.quiet, _method(each, screen.glyph("×", "*")))
        if each.diagnoses and each is not check:
            yield from _cause(each, screen)
    if not check.problem:
        yield from (Text(), _samples(verdict, check, screen))
    if check.excess is not None:
        yield from (Text(), screen.text(worst_entry(verdict, entry, screen.precision)), Text())
        label, _ = check.samples[check.samples.furthest]
        yield screen.text(f"error/bound in sample {label}", "bold")
        yield _heatmap(check.excess, verdict, screen)
    cause = [] if check.passed or not check.candidate else [*_cause(check, screen)]
    for part in (cause, [screen.quiet(f"note: {note}") for note in verdict.notes]):
        yield from (Text(), *part) if part else ()


def _method(check: Check, times: str) -> Iterator[str]:
    """Say what was compared with what, and how closely."""
    if check.step is None:
        what = check.quantity.replace("jacobian", "Jacobian")
        if check.log:
            what = {"probabilities": "log-probabilities"}.get(what, f"{what} of log-softmax")
        yield f"{what} from {check.candidate} against the exact {what}"
    else:
        scale = f" {times} {check.step_scale}" if check.step_scale else ""
        whose = f" of {check.candidate}" if check.candidate else ""
        step = significant(check.step, 3)
        yield f"exact Jacobian against {check.method} differences{whose}, step {step}{scale}"
    if check.called:
        yield f"the function was given {check.called}"
    if check.error_estimate is not None:
        estimate = significant(check.error_estimate, 2)
        yield f"the extrapolation estimates its own error at up to {estimate}"
    dtype = "" if check.precision == "float64" else f"{check.precision}, "
    yield f"bound: {dtype}atol + rtol {times} |exact|, atol {check.atol:.3g}, rtol {check.rtol:.3g}"


def _samples(verdict: Verdict, check: Check, screen: Screen) -> Table:
    """List the samples, each with its worst entry."""
    listed, p = check.failed or range(len(check.samples)), screen.precision
    noun = "failed sample" if check.failed else "sample"
    shown = show(noun, [check.samples.labels[k] for k in listed], screen.rows)
    rows = []
    for label, worst in (check.samples[listed[place]] for place in shown.positions):
        found = apart(worst, entry, p)
        numbers = abs(worst.actual - worst.expected), worst.worst_excess
        error, excess = (significant(each, 3) for each in numbers)
        names = map(Cell, (label, entry_name(check, worst, verdict.classes)))
        over = Cell(number=excess, style="bold red" if worst.failed else "")
        rows.append([*names, *(Cell(number=each) for each in (*found, error)), over])
    theirs = "yours" if check.candidate and check.step is None else "numeric"
    headings = ("sample", "worst entry", "exact", theirs, "error", "error/bound")
    return Table(headings, rows, names=2, outputs=shown)


def _heatmap(excess: FloatArray, verdict: Verdict, screen: Screen) -> Table:
    """Show the errors of the worst sample; over 1 fails."""
    excess, is_matrix = np.atleast_2d(excess), excess.ndim == 2
    letter = {"jacobian": "dz", "probabilities": "y", "vjp": "v"}[verdict.decisive.quantity]
    names = [f"dy_{name}" for name in verdict.classes] if is_matrix else [""]
    columns = [f"{letter}_{name}" for name in verdict.classes]
    outputs = show("output", names, screen.rows)
    inputs = show("input" if is_matrix else "class", columns, screen.columns)

    def cell(value: float) -> Cell:
        number, style = ("ok", "dim") if value <= 1 else (significant(value, 2), "white on red")
        return Cell(number=number, style=style, value=value)

    shown = excess[:, inputs.positions].tolist()
    rows = [[Cell(names[j]), *map(cell, shown[j])] for j in outputs.positions]
    headings = ["", *(columns[i] for i in inputs.positions)]
    return Table(headings, rows, outputs=outputs, inputs=inputs, hint="")


def _cause(check: Check, screen: Screen) -> Iterator[Text | Table]:
    found, count = check.diagnoses, len(check.diagnoses)
    if not found and check.failed:
        yield Text(f"cause: none of the {len(CATALOGUE)} known mistakes explains every entry")
    if count > 1:
        yield Text(f"cause: {count} known mistakes explain every entry here")
    for each in found:
        yield screen.text(f"{'cause:' if count == 1 else '-'} {each.name}", "bold")
        # A symbol or a formula begins as it is.
        is_word = re.match(r"[A-Za-z]{2,}[ ,:]", each.advice)
        yield screen.text(each.advice[0].upper() + each.advice[1:] if is_word else each.advice)


def _sweep(found: Sweep, screen: Screen) -> Iterator[Text | Table]:
    """Draw the curves, a row a step, then each method's best step; a file has all errors."""
    whose, samples = found.candidate, plural(found.n_samples, "sample")
    yield screen.text(f"largest error in the Jacobian of {whose} over {samples}", "bold")
    every = zip(found.steps, *found.errors.values(), strict=True)
    if not screen.is_drawn:
        texts = ((given(h), *(entry(x, screen.precision) for x in errors)) for h, *errors in every)
        yield Table(("step", *found.errors), [[Cell(number=x) for x in row] for row in texts])
        return
    scale = 3 if (screen.width or 80) >= 68 else 1  # columns a power of ten
    axis = "".join(f"1e{power}".ljust(6 * scale) for power in range(_LOWEST, 0, 6)) + "1"
    width = 1 - _LOWEST * scale
    yield Text(f"{'step':{_STEP}}{axis}", "bold")
    yield Text(screen.glyph("─", "-") * (_STEP + width))
    for step, *errors in every:
        line: dict[int, str] = {}
        for method, error in zip(found.errors, errors, strict=True):
            if not math.isnan(error):
                place = round((math.log10(min(max(error, 1e-18), 1)) - _LOWEST) * scale)
                line[place] = "*" if place in line else _MARKS[method]
        marks = (line.get(place, " ") for place in range(width))
        yield Text.assemble(f"{step:<{_STEP}g}", *((mark, _STYLES.get(mark, "")) for mark in marks))
    yield Text()
    rows = []
    for method, best in found.best.items():
        numbers = (f"{best[0]:g}", significant(best[1], 1)) if best else ("none", "")
        rows.append([Cell(_MARKS[method]), Cell(method), *(Cell(number=each) for each in numbers)])
    yield Table(("mark", "method", "best step", "error"), rows, names=2)
    yield screen.quiet("* more than one of them")
    if "complex-step" not in found.errors:
        yield screen.quiet("no complex-step: the function does not take complex numbers")
