"""Results drawn by Rich, within the width there is."""

import io
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from textwrap import wrap
from typing import Any, Literal, NamedTuple

from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len, set_cell_size
from rich.console import Console, JustifyMethod, RenderableType
from rich.table import Table as Drawing
from rich.text import Text

from softmax_cli.display.heat import heat
from softmax_cli.display.parts import parts
from softmax_cli.display.screen import Cell, Equation, Part, Screen, Shown, Step, Table, parted
from softmax_cli.options import OutputOptions
from softmax_cli.progress import plain_terminal
from softmax_cli.result import Result
from softmax_cli.writing.target import Target

_WITH_SHADES = ("256", "truecolor")
_ENDS = 60, 10, 10
_INDENT = "   "
# An equation may be broken before a sign.
_SIGN = re.compile(r" (?=[-+*/·] )")
_LEAST_ROOM = 20
_UNBOUNDED = 1 << 20
# A long heading is broken into lines.
_LONGEST_HEADING, _LINES = 16, 4
_ASCII_HEAD = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
_EIGHTHS = ("", *"▏▎▍▌▋▊▉")


class _Fit(NamedTuple):
    """How wide the text of a cell, and a number, may be; and what lies between columns."""

    text: int = _UNBOUNDED
    number: int = _UNBOUNDED
    gap: int = 2


# One after the other, until all fits; numbers in a matrix shrink to their signs.
_FITS = (_Fit(), _Fit(24, 11), _Fit(24, 9), _Fit(24, 8), _Fit(20, 7), _Fit(16, 6), _Fit(12, 5))
_TIGHT, _SIGNS, _NAMES = _Fit(12, 5, 1), (_Fit(12, 2, 1), _Fit(12, 1, 1)), _Fit(12)


class _Column(NamedTuple):
    """A column as it is shown."""

    heading: str
    texts: Sequence[Text]
    is_name: bool
    width: int


def write_drawn(result: Result, target: Target, options: OutputOptions) -> None:
    """Draw the result: as wide as a terminal and in its colours, or as wide as it is."""
    size, text = None if target.is_terminal else _UNBOUNDED, io.StringIO()
    look: Literal["auto"] | None = "auto" if _has_colours(target, options) else None
    how: dict[str, Any] = {"file": text, "width": size, "height": size, "color_system": look}
    console = Console(force_terminal=bool(look) or target.is_terminal, no_color=False, **how)
    width = console.width if target.is_terminal else None
    ascii_only = not target.encoding.lower().startswith("utf")
    place = width, options.precision, ascii_only, console.color_system in _WITH_SHADES, True, 3
    # More columns than any terminal is wide.
    screen = Screen(*place, samples=_ENDS, rows=_ENDS, columns=(1000, 200, 200))
    for part in parts(result, screen):
        for drawn in _drawn(part, screen):
            console.print(drawn)
    lines = text.getvalue().lstrip("\n").splitlines()
    target.write_text("".join(line.rstrip() + "\n" for line in lines))


def _has_colours(target: Target, options: OutputOptions) -> bool:
    """Tell by --color, or else by NO_COLOR, FORCE_COLOR and whether it is a terminal."""
    if options.color != "auto":
        return options.color == "always"
    is_forced = options.path is None and bool(os.environ.get("FORCE_COLOR"))
    return not plain_terminal() and (target.is_terminal or is_forced)


def _drawn(part: Part, screen: Screen) -> Iterator[RenderableType]:
    """Draw a part; those of a step are indented."""
    match part:
        case Table():
            yield from _table(part, screen)
        case Step(title, text):
            yield Text(f"\n{title}", "bold")
            # Prose is broken where nothing else bounds it.
            room = max((screen.width or 91) - len(_INDENT), _LEAST_ROOM)
            yield from (Text(_INDENT + line) for line in wrap(screen.text(text).plain, room))
        case Equation():
            yield _equation(part, screen)
        case str():
            yield screen.quiet(_INDENT + part)
        case Text():
            yield part


def _equation(equation: Equation, screen: Screen) -> Text:
    """Draw an equation on one line; where that is too long, begin one at every equals sign.

    What is too long still is broken before its signs.
    """
    indent, joint, width = 2 * _INDENT, " = ", screen.width or _UNBOUNDED
    sides = [screen.text(side).plain for side in equation.sides]
    if cell_len(indent + joint.join(sides)) > width:
        room = max(width - len(indent) - 4, _LEAST_ROOM)
        joint = f"\n{indent}  = "
        lines = (parted(_SIGN.split(side), lambda part: cell_len(part) + 1, room) for side in sides)
        sides = [f"\n{indent}    ".join(map(" ".join, each)) for each in lines]
    *parts, last = sides
    style = "" if equation.value is None else "bold"
    return Text(indent + joint.join(parts)).append(joint + last, style)


def _table(table: Table, screen: Screen) -> Iterator[RenderableType]:
    """Draw a table, and say which rows and columns were left out.

    Where there is no room for all columns the margins give way, the last first; then names and
    numbers are shortened; then the middle of the columns is left out.
    """
    room = _UNBOUNDED if screen.width is None else screen.width
    rows = ([_shaded(cell, table.largest, screen) for cell in row] for row in table.rows)
    every = [(heading, cells) for heading, *cells in zip(table.headings, *rows, strict=True)]
    least = len(every) - table.margins

    def fitted(fit: _Fit) -> list[_Column]:
        return [_shown(*each, k < table.names, fit, screen) for k, each in enumerate(every)]

    while _total(whole := fitted(_FITS[0])) > room and len(every) > least:
        every.pop()
    numbers = table.headings[table.names : least]
    columns = table.inputs or Shown("column", numbers, len(numbers))
    for fit in (*_FITS, _TIGHT, *(_SIGNS if table.margins else ())):
        drawn = fitted(fit)
        if columns.left_out or _total(drawn, fit.gap) <= room:
            break
    if columns.left_out or _total(drawn, fit.gap) > room:
        fit = _FITS[0] if screen.width is None else _NAMES
        drawn, columns = _cut(fitted(fit), table.names, columns, room, screen)
    is_short = [each.texts for each in drawn] != [each.texts for each in whole]
    title, widest, fractions = table.bars
    width = min(widest, room - _total(drawn) - fit.gap)
    if fractions and width >= max(1, len(title)):
        cells = [Cell(_bar(each, width, screen), "cyan") for each in fractions]
        drawn.append(_shown(title, cells, True, _FITS[0], screen))
    yield _grid(drawn, table.outputs, screen, fit.gap)
    for told in replace(table, inputs=columns).left_out:
        yield screen.quiet(told + table.hint)
    if is_short and table.hint and not columns.left_out:
        yield screen.quiet(f"shortened to fit{table.hint}")


def _shaded(cell: Cell, largest: float, screen: Screen) -> Cell:
    shade = heat(cell.value, largest) if screen.has_shades else ""
    return replace(cell, style=f"{shade} {cell.style}") if shade else cell


def _total(columns: Sequence[_Column], gap: int = _Fit().gap) -> int:
    return sum(column.width + gap for column in columns) - gap


def _shown(title: str, cells: Sequence[Cell], is_name: bool, fit: _Fit, screen: Screen) -> _Column:
    """Show a column, in which the longest text or number decides how wide it is."""
    heading = screen.text(title).plain
    numbers = [_number(cell, fit, screen) for cell in cells]
    names = [screen.text(cell.name).plain for cell in cells]
    if is_name or any(cell.show for cell in cells):
        room = max(fit.text - max(map(len, numbers), default=0) - 1, 4)
        short = [_clipped(name, room, screen) for name in names]
        # They stay as they are if some would be alike then.
        names = short if len({*short}) == len({*names}) else names
    shown = zip(cells, map(" ".join, zip(names, numbers, strict=True)), numbers, strict=True)
    texts = [Text(text.strip(" ") + c.mark * (n == c.number), c.style) for c, text, n in shown]
    longest = min(cell_len(heading), _LONGEST_HEADING)
    least = longest if is_name else min(longest, max(fit.number, -(-longest // _LINES)))
    width = max([least, *(text.cell_len for text in texts)])
    return _Column(_clipped(heading, _LINES * width, screen), texts, is_name, width)


def _number(cell: Cell, fit: _Fit, screen: Screen) -> str:
    """Show a number; if need be, with fewer digits, or its sign alone."""
    if not cell.show or len(cell.number) <= fit.number:
        return cell.number
    shorter = (_compact(cell.show(p)) for p in range(screen.precision, 0, -1))
    return next((each for each in shorter if len(each) <= fit.number), _sign(cell.number))


def _cut(
    drawn: Sequence[_Column], names: int, candidates: Shown, room: int, screen: Screen
) -> tuple[list[_Column], Shown]:
    """Leave out the middle of the columns behind the names; return which they are, too."""
    end = names + len(candidates.positions)
    before, middle, behind = drawn[:names], list(drawn[names:end]), drawn[end:]
    dots = screen.glyph("…", "...")
    cut = _Column(dots, [screen.quiet(dots)] * len(drawn[0].texts), False, len(dots))
    # Behind more than one column of names, none need be left.
    while len(middle) > (names == 1) and _total([*before, cut, *middle, *behind]) > room:
        del middle[(len(middle) - 1) // 2]
    head = len(middle) // 2
    shown = replace(candidates, head=head, tail=len(middle) - head)
    return [*before, *middle[:head], cut, *middle[head:], *behind], shown


def _grid(columns: Sequence[_Column], rows: Shown | None, screen: Screen, gap: int) -> Drawing:
    box, padding = _ASCII_HEAD if screen.ascii_only else SIMPLE_HEAD, (0, gap - 1, 0, 0)
    table = Drawing(box=box, show_edge=False, pad_edge=False, padding=padding, header_style="bold")
    for column in columns:
        justify: JustifyMethod = "left" if column.is_name else "right"
        table.add_column(Text(column.heading), justify=justify, overflow="fold", width=column.width)
    for k, row in enumerate(zip(*(column.texts for column in columns), strict=True)):
        if rows and k == rows.head:
            table.add_row(screen.quiet(screen.glyph("⋮", ":")))
        table.add_row(*row)
    return table


def _compact(number: str) -> str:
    """Show a number by its exponent where that is shorter."""
    is_plain = " " not in number and number[0] not in "<>"
    return min(number, f"{Decimal(number):e}", key=len) if is_plain else number


def _sign(number: str) -> str:
    """Tell what is just below 1 from what is above 0, and below."""
    return "<1" if number.startswith("1 ") else "-" if "-" in number[:2] else "+"


def _clipped(name: str, width: int, screen: Screen) -> str:
    """Leave out the middle of a long name."""
    if cell_len(name) <= width:
        return name
    dots = screen.glyph("…", "..")
    room = max(0, width - cell_len(dots))
    return set_cell_size(name, room - room // 2) + dots + set_cell_size(name[::-1], room // 2)[::-1]


def _bar(fraction: float, width: int, screen: Screen) -> str:
    """Draw a fraction of a width; what is not 0 shows at least the thinnest bar."""
    steps = 1 if screen.ascii_only else len(_EIGHTHS)
    whole, part = divmod(max(round(fraction * width * steps), int(fraction > 0)), steps)
    return "#" * whole if screen.ascii_only else "█" * whole + _EIGHTHS[part]
