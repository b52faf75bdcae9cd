"""Markdown: tables, and derivations with their mathematics as $...$."""

import re
from collections.abc import Iterable, Iterator

from softmax_cli.display.explain import explain
from softmax_cli.display.grids import Cell, all_grids
from softmax_cli.display.notation import Latex
from softmax_cli.display.screen import Screen
from softmax_cli.errors import visible
from softmax_cli.options import OutputOptions
from softmax_cli.result import Explanation, Result
from softmax_cli.writing.target import Target

# A full stop within a word, a colon and an at sign make links.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&:@-]|(?<=\w)\.(?=[^\W\d_]))")


def write_markdown(result: Result, target: Target, options: OutputOptions) -> None:
    """Write the steps of a derivation, and tables."""
    screen = Screen(precision=options.precision)
    lines = [*_steps(result, screen)] if isinstance(result, Explanation) else []
    lines += _tables(result, screen)
    target.write(re.sub(r"\n{3,}", "\n\n", "".join(f"{line}\n" for line in lines)).encode())


def escaped(text: str) -> str:
    """Show a name as it stands: no markup, no HTML, no link, no end of the table's cell."""
    # GitHub makes links of addresses whose at sign is escaped, too.
    return re.sub(r"(?<=\S)(?=\\@)", "<!-- -->", _SPECIAL.sub(r"\\\1", visible(text)))


def _tables(result: Result, screen: Screen) -> Iterator[str]:
    """Write a table for each grid; its numbers stand on the right, and are no markup."""
    for position, (title, grid) in enumerate(all_grids(result, screen)):
        if position:
            yield ""
        if title:
            yield f"**{escaped(title)}**\n" if grid.headings else escaped(title)
        if not grid.headings:
            continue
        names, headings = grid.names, grid.inner.headings
        yield _row(map(Cell, headings))
        yield f"| {' | '.join(['---'] * names + ['---:'] * (len(headings) - names))} |"
        yield from map(_row, grid.inner.rows)


def _row(cells: Iterable[Cell]) -> str:
    shown = (f"{escaped(cell.name)} {cell.number}".strip() for cell in cells)
    return f"| {' | '.join(shown)} |"


def _steps(result: Explanation, screen: Screen) -> Iterator[str]:
    if result.heading is not None:
        yield f"**{escaped(result.heading)}**\n"
    for position, step in enumerate(explain(result.derivation, Latex(screen.precision)), 1):
        yield f"### {position}. {step.title}\n\n{step.text}\n"
        for line in step.lines:
            if isinstance(line, str):
                yield f"\n{escaped(line)}\n"
            else:
                yield f"- ${' = '.join(line.sides)}$"
        yield ""
