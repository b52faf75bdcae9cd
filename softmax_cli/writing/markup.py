"""Markdown, and LaTeX that fits a page of A4 and needs amsmath alone: tables and derivations."""

import re
from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap
from typing import NamedTuple

from rich.text import Text

from softmax_cli.display.notation import latex_number, latex_text, typesettable
from softmax_cli.display.parts import parts
from softmax_cli.display.screen import Cell, Equation, Part, Screen, Step, Table, parted
from softmax_cli.errors import visible
from softmax_cli.options import OutputOptions
from softmax_cli.result import Result

# A full stop within a word, a colon and an at sign make links.
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&:@-]|(?<=\w)\.(?=[^\W\d_]))")
# Of the page that the class article makes of A4, in points and lines; what lies between columns.
_WIDTH, _LINES, _GAP = 340.0, 36, 14.0
_LEFT = 45.0  # of a derivative, before what it is equal to
# How much more than the line of usual size has room in a line of smaller ones.
_SIZES = {1.0: "", 1.15: r"\footnotesize", 1.23: r"\scriptsize"}
_UNSEEN = re.compile(r"\\[a-zA-Z]+|[{}^_\\ ]")


def markdown(result: Result, options: OutputOptions) -> bytes:
    """Write the steps of a derivation, and tables."""
    written = "\n".join(map(_markdown, parts(result, Screen(precision=options.precision))))
    return (re.sub(r"\n{3,}", "\n\n", written).strip() + "\n").encode()


def escaped(text: str) -> str:
    """Show a name as it stands: no markup, no HTML, no link, no end of the table's cell."""
    # GitHub makes links of addresses whose at sign is escaped, too.
    return re.sub(r"(?<=\S)(?=\\@)", "<!-- -->", _SPECIAL.sub(r"\\\1", visible(text)))


def _markdown(part: Part) -> str:
    """Write a part with empty lines around it; a table's numbers are no markup, on the right."""
    match part:
        case Table(headings, rows, names):
            rule = f"| {' | '.join(['---'] * names + ['---:'] * (len(headings) - names))} |"
            lines = _row(map(Cell, headings)), rule, *map(_row, rows)
            return "\n".join(["", *lines, "", "\n\n".join(map(escaped, part.left_out))])
        case Step(title, text):
            return f"\n### {title}\n\n{text}\n"
        case Equation(sides):
            return f"- ${' = '.join(sides)}$"
        case Text(style="bold"):
            return f"\n**{escaped(part.plain.strip())}**\n"
    return f"\n{escaped(str(part))}\n"


def _row(cells: Iterable[Cell]) -> str:
    return f"| {' | '.join(f'{escaped(each.name)} {each.number}'.strip() for each in cells)} |"


def latex(result: Result, options: OutputOptions) -> bytes:
    """Write the steps of a derivation, and arrays."""
    shown = parts(result, Screen(precision=options.precision))
    lines = (line for part in shown for line in _latex(part))
    return "".join(f"{line}\n" for line in lines).lstrip("\n").encode()


def _latex(part: Part) -> Iterator[str]:
    match part:
        case Table():
            yield from _arrays(part)
            yield from map(_paragraph, part.left_out)
        case Step(title, text):
            yield f"\n\\paragraph{{{title}.}}\n{text}"
        case Equation():
            yield _equation(part)
        case _ if text := str(part):
            yield _paragraph(text)


def _paragraph(text: str) -> str:
    """Write a text, of which long words may be broken."""
    words = wrap(typesettable(text.replace("–", "-")), 33, drop_whitespace=False)
    tex = r"\allowbreak{}".join(map(latex_text, words)).replace("{[}U+00D7]", r"$\times$")
    return rf"{{\raggedright\noindent {tex}\par}}"


class _Piece(NamedTuple):
    """What stands in a place, and the room it takes, in points and lines."""

    tex: str
    width: float
    lines: int = 1


def _arrays(table: Table) -> Iterator[str]:
    """Write arrays of as many rows and columns as a page has room for, names beside them."""
    head = [_name(table.headings[0]), *map(_symbol, table.headings[1:])]
    # Without a heading, rows are named like the columns.
    first = _piece if table.headings[0] else lambda cell: _symbol(cell.name)
    rows = [head, *([first(row[0]), *map(_piece, row[1:])] for row in table.rows)]
    if len(rows) == 2 and sum(map(_width, zip(*rows, strict=True))) > _WIDTH:
        rows = list(map(list, zip(*rows, strict=True)))  # one long row is set downwards
    head, *rows = rows
    for page in parted(rows, lambda row: max(each.lines for each in row), _LINES):
        names, *columns = zip(head, *page, strict=True)
        for block in parted(columns, _width, _WIDTH - _width(names)):
            texts = ([each.tex for each in row] for row in zip(names, *block, strict=True))
            lines = [f"{' & '.join(row)} \\\\" for row in texts]
            lines[0] += r" \hline \\[-2ex]"
            begin = rf"\[\begin{{array}}{{l|{'r' * len(block)}}}"
            yield "\n".join([begin, *lines, r"\end{array}\]"])


def _width(column: Sequence[_Piece]) -> float:
    return max(each.width for each in column) + _GAP


def _piece(cell: Cell) -> _Piece:
    """Write a name, a number, or both."""
    name = _name(f"{cell.name} " if cell.name and cell.number else cell.name)
    width = name.width + sum(map(_breadth, cell.number))
    return _Piece(name.tex + latex_number(cell.number), width, name.lines)


def _symbol(text: str) -> _Piece:
    """Write what we call a class's column or row, such as ``dz_cat``."""
    found = re.fullmatch(r"(d?)(log )?([yzv])_((?:(?!/dz_).)*)", text, re.DOTALL)
    if found is None:
        return _name(text)
    name = _name(found[4])
    symbol = r"\partial " * bool(found[1]) + r"\log " * bool(found[2]) + found[3]
    return name._replace(tex=f"{symbol}_{{{name.tex}}}", width=name.width + 20)


def _name(text: str) -> _Piece:
    """Write a name, a long one in several lines."""
    # Two columns of names of so many characters fit.
    lines = wrap(typesettable(text), 15, drop_whitespace=False) or [""]
    width = max(sum(map(_breadth, line)) for line in lines)
    stack = r" \\ ".join(map(latex_text, lines))
    stack = rf"\shortstack[l]{{{stack}}}" if len(lines) > 1 else stack
    return _Piece(rf"\text{{{stack}}}" if text else "", width, len(lines))


def _breadth(c: str) -> float:
    """Return the points that a letter takes at most; before an exponent stand a cross and a 10."""
    return 10.0 if c in "mwMW%@" else 5.5 if c.islower() or c.isdigit() or c in " ." else 8.4


def _equation(equation: Equation) -> str:
    """Write each side on a line, or a long sum on several, in a size that fits."""
    left, *rest = equation.sides
    if _length(whole := " = ".join(rest)) <= _WIDTH - _LEFT:
        rest = [whole]
    sums = (side.split(" + ") if side.startswith("e^") else [side] for side in rest)
    sides = [list(map(" + ".join, parted(terms, _length, _WIDTH - _LEFT))) for terms in sums]
    scale = max(_length(line) for side in sides for line in side) / (_WIDTH - _LEFT)
    lines = " \\\\\n  &= ".join(" \\\\\n  &\\quad + ".join(side) for side in sides)
    before = f"{left} &= " if scale <= 1 else f"&{left} \\\\\n  &= "
    size = next((size for most, size in _SIZES.items() if scale <= most), r"\tiny")
    shown = f"\\begin{{align*}}\n{before}{lines}\n\\end{{align*}}"
    return f"{{{size}\n{shown}\n}}" if size else shown


def _length(formula: str) -> float:
    return 5.2 * len(_UNSEEN.sub("", formula)) + 3 * formula.count(" ")
