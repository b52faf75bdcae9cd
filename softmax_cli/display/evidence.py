"""A verdict, then its evidence and its cause."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from softmax_cli.checking.mistakes import CATALOGUE
from softmax_cli.checking.verdict import Check, SampleCheck, Verdict, entry_name
from softmax_cli.display.numbers import entry, given, significant
from softmax_cli.display.screen import Screen, show_rows
from softmax_cli.display.tables import (
    GAP,
    QUIET,
    add_gap_row,
    left_out_note,
    matrix_table,
    name_text,
    new_table,
)
from softmax_cli.errors import plural
from softmax_cli.mathematics.finite_difference import METHODS
from softmax_cli.result import Report

_ERROR_DIGITS = 3
_HEAT_DIGITS = 2
# From which error/bound on a cell has which background; the numbers say the same.
_HEAT = ((1e6, "white on red"), (1e3, "black on dark_orange"), (1.0, "black on yellow"))
_QUANTITIES = {"probabilities": "probabilities", "jacobian": "Jacobian", "vjp": "vjp"}


def view(report: Report, screen: Screen) -> Iterator[RenderableType]:
    """Draw the verdict; the evidence lists what failed, or everything if nothing did."""
    assert isinstance(report.evidence, Verdict)
    verdict = report.evidence
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
    text = Text("PASS", "bold green") if check.passed else Text("FAIL", "bold red")
    quantity = f"{_QUANTITIES[check.quantity]}: " if named else ""
    samples = plural(check.n_samples, "sample")
    if check.problem:
        said = name_text(check.problem, screen).plain
        said = f"found {said}"
    elif check.passed:
        entries = f"all {check.entries} entries" if check.entries > 1 else "the one entry"
        said = f"{entries} of {samples} {'agree' if check.entries > 1 else 'agrees'}"
    else:
        failed = sum(each.failed for _, each in check.samples)
        said = (
            f"{failed} of {plural(check.entries, 'entry')} over the bound, "
            f"in {len(check.failed)} of {samples}"
        )
    return text.append(f" {screen.glyph('–', '-')} {quantity}{said}", "default")


def _method(check: Check, verdict: Verdict, screen: Screen) -> Text:
    times = screen.glyph("×", "*")
    size = "|z|" if verdict.temperature == 1 else "|z/T|"
    lines = []
    if check.step is None:
        quantity = _QUANTITIES[check.quantity]
        lines.append(f"{quantity} from {check.candidate} against the exact {quantity}")
    else:
        assert check.method is not None
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
    return Text("\n").join(name_text(line, screen, QUIET) for line in lines)


def _samples(verdict: Verdict, check: Check, screen: Screen) -> Iterator[RenderableType]:
    listed = check.failed or list(check.samples)
    shown = show_rows(len(listed))
    theirs = "yours" if check.candidate and check.step is None else "numeric"
    names = ("sample", "worst entry", "exact", theirs, "error", "error/bound")
    rows = [_evidence(verdict, check, *listed[k], screen) for k in shown.positions]
    widths = [max(len(name), *(row[c].cell_len for row in rows)) for c, name in enumerate(names)]
    if screen.width is None or sum(widths) + GAP * (len(widths) - 1) <= screen.width:
        yield _table(names, rows, shown.gap_at, screen)
    else:
        yield from _stacked(names, rows, shown.gap_at, screen)
    if shown.left_out:
        what = "failed sample" if check.failed else "sample"
        yield left_out_note(what, shown, [label for label, _ in listed], screen)


def _evidence(
    verdict: Verdict, check: Check, label: str, sample: SampleCheck, screen: Screen
) -> tuple[Text, ...]:
    worst = sample.worst
    return (
        name_text(label, screen),
        name_text(entry_name(check.quantity, worst, verdict.classes), screen),
        Text(entry(worst.expected, screen.precision)),
        Text(entry(worst.actual, screen.precision)),
        Text(significant(abs(worst.actual - worst.expected), _ERROR_DIGITS)),
        Text(significant(sample.worst_excess, _ERROR_DIGITS), "" if sample.passed else "bold red"),
    )


def _table(
    names: tuple[str, ...], rows: list[tuple[Text, ...]], gap_at: int | None, screen: Screen
) -> RenderableType:
    table = new_table(screen)
    for c, name in enumerate(names):
        table.add_column(name, justify="left" if c < 2 else "right", no_wrap=True)
    for k, row in enumerate(rows):
        if k == gap_at:
            add_gap_row(table, screen)
        table.add_row(*row)
    return table


def _stacked(
    names: tuple[str, ...], rows: list[tuple[Text, ...]], gap_at: int | None, screen: Screen
) -> Iterator[RenderableType]:
    """Draw the columns below one another, where they have no room side by side."""
    for k, row in enumerate(rows):
        if k:
            yield Text()
        if k == gap_at:
            yield Text(screen.glyph("⋮", ":"), style=QUIET)
        for name, cell in zip(names, row, strict=True):
            yield Text.assemble((f"{name:<13}", "bold"), cell)


def _worst(verdict: Verdict, check: Check, screen: Screen) -> Text:
    label, sample = check.samples[check.worst]
    worst, classes = sample.worst, verdict.classes
    places = [
        f"{what} {classes[position]}"
        for what, position in (("output", worst.output), ("input", worst.input))
        if position is not None
    ]
    expected = entry(worst.expected, screen.precision)
    actual = entry(worst.actual, screen.precision)
    bound = check.atol + check.rtol * abs(worst.expected)
    return name_text(
        f"worst: sample {label}, {', '.join(places)}: "
        f"expected {expected}, actual {actual}, bound {significant(bound, _ERROR_DIGITS)}",
        screen,
    )


def _heatmap(verdict: Verdict, check: Check, screen: Screen) -> Iterator[RenderableType]:
    """Draw the errors of the worst sample; over 1 fails."""
    assert check.excess is not None
    label, _ = check.samples[check.worst]
    yield name_text(f"error/bound in sample {label}", screen, "bold")
    excess = check.excess if check.excess.ndim == 2 else check.excess[None, :]
    rows = show_rows(len(excess))
    if check.quantity == "jacobian":
        row_names = [f"dy_{verdict.classes[j]}" for j in rows.positions]
        columns = [f"dz_{name}" for name in verdict.classes]
    else:
        letter = "y" if check.quantity == "probabilities" else "v"
        row_names = [""]
        columns = [f"{letter}_{name}" for name in verdict.classes]

    def cell(k: int, i: int) -> Text:
        value = float(excess[rows.positions[k], i])
        if value <= 1:
            return Text("ok", QUIET)
        style = next(style for least, style in _HEAT if value > least)
        return Text(significant(value, _HEAT_DIGITS), style)

    table, shown = matrix_table(screen, "", row_names, rows.gap_at, columns, cell)
    yield table
    what = "input" if check.quantity == "jacobian" else "class"
    for kind, part in (("output", rows), (what, shown)):
        if part.left_out:
            first, last = part.left_out.start, part.left_out.stop - 1
            span = " to ".join(dict.fromkeys([verdict.classes[first], verdict.classes[last]]))
            yield name_text(f"{plural(len(part.left_out), kind)} left out ({span})", screen, QUIET)


def _cause(check: Check, screen: Screen) -> Iterator[RenderableType]:
    if not check.diagnoses:
        yield Text(f"cause: none of the {len(CATALOGUE)} known mistakes explains every entry")
        return
    if len(check.diagnoses) > 1:
        yield Text(f"cause: {len(check.diagnoses)} known mistakes explain every entry here")
    for each in check.diagnoses:
        name = f"cause: {each.name}" if len(check.diagnoses) == 1 else f"- {each.name}"
        yield name_text(name, screen, "bold")
        yield name_text(_sentence(each.advice), screen)


def _sentence(advice: str) -> str:
    """Begin with a capital letter, unless it begins with a symbol or a formula."""
    first = advice.partition(" ")[0].rstrip(",:")
    return advice[0].upper() + advice[1:] if first.isalpha() and len(first) > 1 else advice
