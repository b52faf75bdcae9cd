"""A verdict, then its evidence."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from softmax_cli.checking import SampleCheck, Verdict
from softmax_cli.display.numbers import given, significant
from softmax_cli.display.screen import Screen, show_rows
from softmax_cli.display.tables import (
    GAP,
    QUIET,
    add_gap_row,
    left_out_note,
    name_text,
    new_table,
)
from softmax_cli.errors import plural
from softmax_cli.result import Report

HEADINGS = tuple(enumerate(("sample", "worst entry", "exact", "numeric", "error", "error/bound")))
_ERROR_DIGITS = 3


def view(report: Report, screen: Screen) -> Iterator[RenderableType]:
    """Draw the verdict; the evidence lists what failed, or everything if nothing did."""
    verdict: Verdict = report.evidence
    yield _headline(verdict, screen)
    yield _method(verdict, screen)
    yield Text()
    listed = verdict.failed or list(verdict.samples)
    shown = show_rows(len(listed))
    rows = [_evidence(verdict, *listed[k], screen) for k in shown.positions]
    widths = [max(len(heading), *(row[c].cell_len for row in rows)) for c, heading in HEADINGS]
    if screen.width is None or sum(widths) + GAP * (len(widths) - 1) <= screen.width:
        yield _table(rows, shown.gap_at, screen)
    else:
        yield from _stacked(rows, shown.gap_at, screen)
    if shown.left_out:
        yield left_out_note(
            "failed sample" if verdict.failed else "sample",
            shown,
            [label for label, _ in listed],
            screen,
        )


def _evidence(verdict: Verdict, label: str, check: SampleCheck, screen: Screen) -> tuple[Text, ...]:
    worst = check.worst
    entry = f"dy_{verdict.classes[worst.output]}/dz_{verdict.classes[worst.input]}"
    return (
        name_text(label, screen),
        name_text(entry, screen),
        Text(significant(worst.expected, screen.precision)),
        Text(significant(worst.actual, screen.precision)),
        Text(significant(abs(worst.actual - worst.expected), _ERROR_DIGITS)),
        Text(
            significant(check.worst_excess, _ERROR_DIGITS),
            "" if check.passed else "bold red",
        ),
    )


def _table(rows: list[tuple[Text, ...]], gap_at: int | None, screen: Screen) -> RenderableType:
    table = new_table(screen)
    for c, heading in HEADINGS:
        table.add_column(heading, justify="left" if c < 2 else "right", no_wrap=True)
    for k, row in enumerate(rows):
        if k == gap_at:
            add_gap_row(table, screen)
        table.add_row(*row)
    return table


def _stacked(
    rows: list[tuple[Text, ...]], gap_at: int | None, screen: Screen
) -> Iterator[RenderableType]:
    """Draw the columns below one another, where they have no room side by side."""
    for k, row in enumerate(rows):
        if k == gap_at:
            yield Text(screen.glyph("⋮", ":"), style=QUIET)
        for c, heading in HEADINGS:
            yield Text.assemble((f"{heading:<13}", "bold"), row[c])
        yield Text()


def _headline(verdict: Verdict, screen: Screen) -> Text:
    entries = sum(check.entries for _, check in verdict.samples)
    failed = sum(check.failed for _, check in verdict.samples)
    samples = plural(len(verdict.samples), "sample")
    dash = screen.glyph("–", "-")
    if verdict.passed:
        text = Text("PASS", "bold green")
        said = f"all {entries} entries" if entries > 1 else "the entry"
        return text.append(f" {dash} {said} of {samples} agree", "default")
    text = Text("FAIL", "bold red")
    return text.append(
        f" {dash} {failed} of {plural(entries, 'entry')} over the bound, "
        f"in {len(verdict.failed)} of {samples}",
        "default",
    )


def _method(verdict: Verdict, screen: Screen) -> Text:
    times = screen.glyph("×", "*")
    size = "|z|" if verdict.temperature == 1 else "|z/T|"
    scale = f" {times} max(1, {size})" if verdict.step_is_relative else ""
    return Text(
        f"exact Jacobian against {verdict.method} differences, step "
        f"{significant(verdict.step, _ERROR_DIGITS)}{scale}\n"
        f"bound: atol + rtol {times} |exact|, "
        f"atol {given(verdict.atol)}, rtol {given(verdict.rtol)}",
        QUIET,
    )
