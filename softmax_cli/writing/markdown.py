"""Markdown: tables, and derivations with their mathematics as $...$."""

import re
from collections.abc import Iterable

from rich.text import Text

from softmax_cli.display.parts import parts
from softmax_cli.display.screen import Cell, Equation, Part, Screen, Step, Table
from softmax_cli.errors import visible
from softmax_cli.options import OutputOptions
from softmax_cli.result import Result

# A full stop within a word, a colon and an at sign make links.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&:@-]|(?<=\w)\.(?=[^\W\d_]))")


def markdown(result: Result, options: OutputOptions) -> bytes:
    """Write the steps of a derivation, and tables."""
    written = "\n".join(map(_written, parts(result, Screen(precision=options.precision))))
    return (re.sub(r"\n{3,}", "\n\n", written).strip() + "\n").encode()


def escaped(text: str) -> str:
    """Show a name as it stands: no markup, no HTML, no link, no end of the table's cell."""
    # GitHub makes links of addresses whose at sign is escaped, too.
    return re.sub(r"(?<=\S)(?=\\@)", "<!-- -->", _SPECIAL.sub(r"\\\1", visible(text)))


def _written(part: Part) -> str:
    """Write a part with empty lines around it; a table's numbers are no markup, on the right."""
    match part:
        case Table(headings, rows, names):
            rule = f"| {' | '.join(['---'] * names + ['---:'] * (len(headings) - names))} |"
            left_out = "\n\n".join(map(escaped, part.left_out))
            lines = _row(map(Cell, headings)), rule, *map(_row, rows)
            return "\n".join(["", *lines, "", left_out])
        case Step(title, text):
            return f"\n### {title}\n\n{text}\n"
        case Equation(sides):
            return f"- ${' = '.join(sides)}$"
        case Text(style="bold"):
            return f"\n**{escaped(part.plain)}**\n"
    return f"\n{escaped(str(part))}\n"


def _row(cells: Iterable[Cell]) -> str:
    shown = (f"{escaped(cell.name)} {cell.number}".strip() for cell in cells)
    return f"| {' | '.join(shown)} |"
