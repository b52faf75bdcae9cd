"""Markdown: tables, and derivations with their mathematics as $...$."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from softmax_cli.display.grids import derived_grid, jacobian_grids, report_rows, samples_grid
from softmax_cli.display.notation import Latex
from softmax_cli.display.screen import Screen
from softmax_cli.errors import visible
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Explanation, Jacobian, Report, Result
from softmax_cli.writing.latex import bmatrix
from softmax_cli.writing.target import Target

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&-])")


def write_markdown(result: Result, target: Target, options: OutputOptions) -> None:
    """Write tables, or the steps of a derivation."""
    screen = Screen(precision=options.precision)
    match result:
        case Explanation():
            lines = _steps(result, screen)
        case Report():
            rows = report_rows(result, options.precision)
            lines = _table(result.columns, ([escaped(cell) for cell in row] for row in rows))
        case Arrays(quantity=Jacobian()):
            lines = _matrices(result, screen)
        case Arrays():
            grid = samples_grid(result, result.logits.batches, screen)
            header = [escaped(name) for name in (grid.corner, *grid.columns)]
            lines = _table(header, ([escaped(name), *cells] for name, cells in grid.texts()))
    with target.text() as text:
        text.writelines(f"{line}\n" for line in lines)


def escaped(text: str) -> str:
    """Show a name as it stands: no markup, no HTML, no end of the table's cell."""
    return _SPECIAL.sub(r"\\\1", visible(text))


def _table(header: Sequence[str], body: Iterable[Iterable[str]]) -> Iterator[str]:
    """Draw a table; all but the first column are numbers, and stand on the right."""
    for row in chain((header, ["---", *["---:"] * (len(header) - 1)]), body):
        yield f"| {' | '.join(row)} |"


def _matrices(result: Arrays, screen: Screen) -> Iterator[str]:
    named = result.logits.names_samples or result.logits.class_names is not None
    for position, (label, grid) in enumerate(jacobian_grids(result, screen)):
        if position:
            yield ""
        if named or position:
            yield f"**sample {escaped(label)}**"
            yield ""
        rows = ([escaped(name), *cells] for name, cells in grid.texts())
        yield from _table(["", *map(escaped, grid.columns)], rows)


def _steps(result: Explanation, screen: Screen) -> Iterator[str]:
    if result.heading is not None:
        yield f"**{escaped(result.heading)}**"
        yield ""
    for position, step in enumerate(result.derivation.steps(Latex(screen.precision)), start=1):
        yield f"### {position}. {step.title}"
        yield ""
        yield step.text
        yield ""
        for k, line in enumerate(step.lines):
            if isinstance(line, str):
                yield f"\n{escaped(line)}\n" if k else f"{escaped(line)}\n"
            else:
                yield f"- ${' = '.join(line.parts)}$"
        if step.lines:
            yield ""
    yield f"$$J = {bmatrix(derived_grid(result.derivation, screen))}$$"
