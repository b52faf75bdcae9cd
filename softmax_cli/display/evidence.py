"""A verdict, then its evidence and its cause; or the errors of a sweep."""

from collections.abc import Iterator
from dataclasses import dataclass

from rich.console import RenderableType
from rich.text import Text

from softmax_cli.checking.mistakes import CATALOGUE
from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Check, SampleCheck, Verdict, apart, entry_name, headline
from softmax_cli.display.curve import draw_sweep
from softmax_cli.display.grids import QUIET, Cell, Grid
from softmax_cli.display.numbers import entry, given, significant
from softmax_cli.display.screen import Screen, Shown, show_columns, show_rows
from softmax_cli.display.tables import HINT, draw_grid
from softmax_cli.mathematics.finite_difference import METHODS
from softmax_cli.result import Report

_ERROR_DIGITS = 3
_HEAT_DIGITS = 2
_QUANTITIES = {"probabilities": "probabilities", "jacobian": "Jacobian", "vjp": "vjp"}
_OF_LOG = {
    "probabilities": "log-probabilities",
    "jacobian": "Jacobian of log-softmax",
    "vjp": "vjp of log-softmax",
}


@dataclass(frozen=True)
class Table:
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
    for each in sorted(verdict.checks, key=lambda check: check.passed):
        end, _, said = headline(each).split(": ", 2)
        quantity = f"{_QUANTITIES[each.quantity]}: " if len(verdict.checks) > 1 else ""
        found = screen.text(f" {screen.glyph('–', '-')} {quantity}{said}", "default")
        yield Text(end, "bold green" if each.passed else "bold red").append_text(found)
        for line in _method(each, verdict, screen.glyph("×", "*")):
            yield screen.text(line, QUIET)
        if each.diagnoses and each is not verdict.decisive:
            yield from _cause(each, screen)
        yield Text()
    check = verdict.decisive
    if check.samples:
        yield _samples(verdict, check, screen)
    if not check.passed and check.excess is not None:
        yield Text()
        yield screen.text(_worst(verdict, check, screen.precision))
        yield Text()
        yield from _heatmap(verdict, check, screen)
    if check.candidate and not check.passed:
        if check.samples:
            yield Text()
        yield from _cause(check, screen)
    if verdict.notes:
        yield Text()
    for note in verdict.notes:
        yield screen.text(f"note: {note}", QUIET)


def _method(check: Check, verdict: Verdict, times: str) -> Iterator[str]:
    """Say what was compared with what, and how closely."""
    size = "|z|" if verdict.temperature == 1 else "|z/T|"
    if check.step is None:
        quantity = (_OF_LOG if check.log else _QUANTITIES)[check.quantity]
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
    def row(label: str, sample: SampleCheck) -> list[Cell]:
        worst = sample.worst
        exact, actual = (entry(each, screen.precision) for each in (worst.exact, worst.actual))
        if not sample.passed:
            exact, actual = apart(worst, entry, screen.precision)
        error = significant(abs(worst.actual - worst.expected), _ERROR_DIGITS)
        excess = significant(sample.worst_excess, _ERROR_DIGITS)
        return [
            Cell(label),
            Cell(entry_name(check, worst, verdict.classes)),
            Cell(exact),
            Cell(actual),
            Cell(error),
            Cell(excess, "" if sample.passed else "bold red"),
        ]

    listed = check.failed or list(check.samples)
    noun = "failed sample" if check.failed else "sample"
    shown = show_rows(noun, [label for label, _ in listed])
    theirs = "yours" if check.candidate and check.step is None else "numeric"
    headings = ("sample", "worst entry", "exact", theirs, "error", "error/bound")
    grid = Grid(headings, [row(*listed[k]) for k in shown.positions], names=2)
    return Table(grid, shown)


def _worst(verdict: Verdict, check: Check, precision: int) -> str:
    label, sample = check.samples[check.worst]
    worst, classes = sample.worst, verdict.classes
    positions = {"output": worst.output, "input": worst.input}
    places = [f"{end} {classes[k]}" for end, k in positions.items() if k is not None]
    expected, actual = apart(worst, entry, precision)
    bound = significant(check.atol + check.rtol * abs(worst.expected), _ERROR_DIGITS)
    ulps = f"{sample.max_ulp_error:.3g} ulp of {check.precision}"
    found = f"expected {expected}, actual {actual}, bound {bound}; up to {ulps}"
    return f"worst: sample {label}, {', '.join(places)}: {found}"


def _heatmap(verdict: Verdict, check: Check, screen: Screen) -> Iterator[Text | Table]:
    """Draw the errors of the worst sample; over 1 fails."""
    assert check.excess is not None
    label, _ = check.samples[check.worst]
    yield screen.text(f"error/bound in sample {label}", "bold")
    is_jacobian = check.quantity == "jacobian"
    excess = check.excess if is_jacobian else check.excess[None, :]
    letter = {"jacobian": "dz", "probabilities": "y", "vjp": "v"}[check.quantity]
    names = [f"dy_{name}" for name in verdict.classes] if is_jacobian else [""]
    columns = [f"{letter}_{name}" for name in verdict.classes]
    outputs = show_rows("output", names)
    inputs = show_columns("input" if is_jacobian else "class", columns)
    rows = (
        [Cell(names[j]), *(_heat(float(excess[j, i])) for i in inputs.positions)]
        for j in outputs.positions
    )
    grid = Grid(["", *(columns[i] for i in inputs.positions)], rows)
    yield Table(grid, outputs, inputs, hint="")


def _heat(excess: float) -> Cell:
    if excess <= 1:
        return Cell("ok", QUIET)
    return Cell(significant(excess, _HEAT_DIGITS), "white on red")


def _cause(check: Check, screen: Screen) -> Iterator[Text]:
    if not check.diagnoses:
        if check.failed:
            yield Text(f"cause: none of the {len(CATALOGUE)} known mistakes explains every entry")
        return
    if len(check.diagnoses) > 1:
        yield Text(f"cause: {len(check.diagnoses)} known mistakes explain every entry here")
    for each in check.diagnoses:
        name = f"cause: {each.name}" if len(check.diagnoses) == 1 else f"- {each.name}"
        yield screen.text(name, "bold")
        # A symbol or a formula begins as it is.
        first = each.advice.partition(" ")[0].rstrip(",:")
        is_word = first.isalpha() and len(first) > 1
        yield screen.text(each.advice[0].upper() + each.advice[1:] if is_word else each.advice)
