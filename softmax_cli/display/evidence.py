"""A verdict, then its evidence and its cause; or the errors of a sweep."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from softmax_cli.checking.mistakes import CATALOGUE
from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Check, SampleCheck, Verdict, entry_name
from softmax_cli.display.curve import draw_sweep
from softmax_cli.display.grids import QUIET, Cell, Grid, Row
from softmax_cli.display.numbers import entry, given, significant
from softmax_cli.display.screen import Screen, show_rows
from softmax_cli.display.tables import left_out, matrix, records, text
from softmax_cli.errors import plural
from softmax_cli.mathematics.finite_difference import METHODS
from softmax_cli.result import Report

_ERROR_DIGITS = 3
_HEAT_DIGITS = 2
# From which error/bound on a cell has which background; the numbers say the same.
_HEAT = ((1e6, "white on red"), (1e3, "black on dark_orange"), (1.0, "black on yellow"))
_QUANTITIES = {"probabilities": "probabilities", "jacobian": "Jacobian", "vjp": "vjp"}


def draw_report(report: Report, screen: Screen) -> Iterator[RenderableType]:
    """Draw what a check found."""
    if isinstance(report.evidence, Sweep):
        return draw_sweep(report.evidence, screen)
    return _verdict(report.evidence, screen)


def _verdict(verdict: Verdict, screen: Screen) -> Iterator[RenderableType]:
    """Draw the verdict; the evidence lists what failed, or everything if nothing did."""
    for check in sorted(verdict.checks, key=lambda check: check.passed):
        yield _headline(check, screen, named=len(verdict.checks) > 1)
        yield _method(check, verdict, screen)
        yield Text()
    check = verdict.decisive
    if check.samples:
        yield from _samples(verdict, check, screen)
    if not check.passed and check.excess is not None:
        yield Text()
        yield _worst(verdict, check, screen)
        yield Text()
        yield from _heatmap(verdict, check, screen)
    if check.candidate and (check.diagnoses or check.failed):
        if check.samples:
            yield Text()
        yield from _cause(check, screen)


def _headline(check: Check, screen: Screen, named: bool) -> Text:
    verdict = Text("PASS", "bold green") if check.passed else Text("FAIL", "bold red")
    quantity = f"{_QUANTITIES[check.quantity]}: " if named else ""
    samples = plural(check.n_samples, "sample")
    if check.problem:
        said = f"found {check.problem}"
    elif check.passed:
        entries = f"all {check.entries} entries" if check.entries > 1 else "the one entry"
        said = f"{entries} of {samples} {'agree' if check.entries > 1 else 'agrees'}"
    else:
        failed = sum(each.failed for _, each in check.samples)
        said = (
            f"{failed} of {plural(check.entries, 'entry')} over the bound, "
            f"in {len(check.failed)} of {samples}"
        )
    dash = screen.glyph("–", "-")
    return verdict.append(text(f" {dash} {quantity}{said}", screen).plain, "default")


def _method(check: Check, verdict: Verdict, screen: Screen) -> Text:
    times = screen.glyph("×", "*")
    size = "|z|" if verdict.temperature == 1 else "|z/T|"
    lines = []
    if check.step is None:
        quantity = _QUANTITIES[check.quantity]
        lines.append(f"{quantity} from {check.candidate} against the exact {quantity}")
    else:
        largest = given(METHODS[check.method].largest_step * verdict.temperature)
        scale = f" {times} max(1, {size}), at most {largest}" if check.step_is_relative else ""
        whose = f" of {check.candidate}" if check.candidate else ""
        lines.append(
            f"exact Jacobian against {check.method} differences{whose}, step "
            f"{significant(check.step, _ERROR_DIGITS)}{scale}"
        )
    if check.called:
        lines.append(f"the function was given {check.called}")
    if check.error_estimate is not None:
        estimate = significant(check.error_estimate, 2)
        lines.append(f"the extrapolation estimates its own error at up to {estimate}")
    lines.append(
        f"bound: atol + rtol {times} |exact|, atol {given(check.atol)}, rtol {given(check.rtol)}"
    )
    return Text("\n").join(text(line, screen, QUIET) for line in lines)


def _samples(verdict: Verdict, check: Check, screen: Screen) -> Iterator[RenderableType]:
    listed = check.failed or list(check.samples)
    shown = show_rows(len(listed))
    theirs = "yours" if check.candidate and check.step is None else "numeric"
    headings = ("sample", "worst entry", "exact", theirs, "error", "error/bound")
    rows = [_evidence(verdict, check, *listed[k], screen) for k in shown.positions]
    yield from records(headings, rows, shown.gap_at, screen, names=2)
    what = "failed sample" if check.failed else "sample"
    yield from left_out(what, shown, [label for label, _ in listed], screen)


def _evidence(
    verdict: Verdict, check: Check, label: str, sample: SampleCheck, screen: Screen
) -> list[Cell]:
    worst = sample.worst
    return [
        Cell(label),
        Cell(entry_name(check.quantity, worst, verdict.classes)),
        Cell(entry(worst.expected, screen.precision)),
        Cell(entry(worst.actual, screen.precision)),
        Cell(significant(abs(worst.actual - worst.expected), _ERROR_DIGITS)),
        Cell(significant(sample.worst_excess, _ERROR_DIGITS), "" if sample.passed else "bold red"),
    ]


def _worst(verdict: Verdict, check: Check, screen: Screen) -> Text:
    label, sample = check.samples[check.worst]
    worst, classes = sample.worst, verdict.classes
    places = [
        f"{what} {classes[position]}"
        for what, position in (("output", worst.output), ("input", worst.input))
        if position is not None
    ]
    expected, actual = (entry(x, screen.precision) for x in (worst.expected, worst.actual))
    bound = check.atol + check.rtol * abs(worst.expected)
    return text(
        f"worst: sample {label}, {', '.join(places)}: "
        f"expected {expected}, actual {actual}, bound {significant(bound, _ERROR_DIGITS)}",
        screen,
    )


def _heatmap(verdict: Verdict, check: Check, screen: Screen) -> Iterator[RenderableType]:
    """Draw the errors of the worst sample; over 1 fails."""
    assert check.excess is not None
    label, _ = check.samples[check.worst]
    yield text(f"error/bound in sample {label}", screen, "bold")
    is_jacobian = check.quantity == "jacobian"
    excess = check.excess if is_jacobian else check.excess[None, :]
    outputs = show_rows(len(excess))
    letter = {"jacobian": "dz", "probabilities": "y", "vjp": "v"}[check.quantity]

    def row(j: int) -> Row:
        name = f"dy_{verdict.classes[j]}" if is_jacobian else ""
        return Row(name, lambda i: _heat(float(excess[j, i])))

    columns = [f"{letter}_{name}" for name in verdict.classes]
    grid = Grid("", columns, map(row, outputs.positions))
    table, inputs = matrix(grid, outputs.gap_at, screen)
    yield table
    yield from left_out("output", outputs, verdict.classes, screen, hint="")
    what = "input" if is_jacobian else "class"
    yield from left_out(what, inputs, verdict.classes, screen, hint="")


def _heat(excess: float) -> Cell:
    if excess <= 1:
        return Cell("ok", QUIET)
    style = next(style for least, style in _HEAT if excess > least)
    return Cell(significant(excess, _HEAT_DIGITS), style)


def _cause(check: Check, screen: Screen) -> Iterator[RenderableType]:
    if not check.diagnoses:
        yield Text(f"cause: none of the {len(CATALOGUE)} known mistakes explains every entry")
        return
    if len(check.diagnoses) > 1:
        yield Text(f"cause: {len(check.diagnoses)} known mistakes explain every entry here")
    for each in check.diagnoses:
        name = f"cause: {each.name}" if len(check.diagnoses) == 1 else f"- {each.name}"
        yield text(name, screen, "bold")
        yield text(_sentence(each.advice), screen)


def _sentence(advice: str) -> str:
    """Begin with a capital letter, unless it begins with a symbol or a formula."""
    first = advice.partition(" ")[0].rstrip(",:")
    return advice[0].upper() + advice[1:] if first.isalpha() and len(first) > 1 else advice
