"""Markdown: tables, and derivations with their mathematics as $...$."""

import re
from collections.abc import Iterator

from softmax_cli.display.explain import explain
from softmax_cli.display.grids import all_grids
from softmax_cli.display.notation import Latex
from softmax_cli.display.screen import Screen
from softmax_cli.errors import visible
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Explanation, Report, Result
from softmax_cli.writing.latex import bmatrix
from softmax_cli.writing.target import Target

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&-])")


def write_markdown(result: Result, target: Target, options: OutputOptions) -> None:
    """Write tables, or the steps of a derivation."""
    screen = Screen(precision=options.precision)
    lines = _steps(result, screen) if isinstance(result, Explanation) else _tables(result, screen)
    target.write("".join(f"{line}\n" for line in lines).encode())


def escaped(text: str) -> str:
    """Show a name as it stands: no markup, no HTML, no end of the table's cell."""
    return _SPECIAL.sub(r"\\\1", visible(text))


def _tables(result: Arrays | Report, screen: Screen) -> Iterator[str]:
    """Write a table for each grid; its numbers stand on the right, and are no markup."""
    for position, (label, grid) in enumerate(all_grids(result, screen)):
        if position:
            yield ""
        if label:
            yield f"**sample {escaped(label)}**\n"
        headings, *rows = grid.texts()
        names, numbers = grid.names, len(headings) - grid.names
        yield f"| {' | '.join(map(escaped, headings))} |"
        yield f"| {' | '.join(['---'] * names + ['---:'] * numbers)} |"
        for row in rows:
            yield f"| {' | '.join([*map(escaped, row[:names]), *row[names:]])} |"


def _steps(result: Explanation, screen: Screen) -> Iterator[str]:
    if result.heading is not None:
        yield f"**{escaped(result.heading)}**\n"
    for position, step in enumerate(explain(result.derivation, Latex(screen.precision)), 1):
        yield f"### {position}. {step.title}\n\n{step.text}\n"
        for k, line in enumerate(step.lines):
            if isinstance(line, str):
                yield f"\n{escaped(line)}\n" if k else f"{escaped(line)}\n"
            else:
                yield f"- ${' = '.join(line.sides)}$"
        if step.lines:
            yield ""
    for _, grid in all_grids(result, screen):
        yield f"$$J = {bmatrix(grid)}$$"
