"""A grid drawn by Rich, within the width there is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from os.path import commonprefix
from typing import NamedTuple

from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len, set_cell_size
from rich.console import JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from softmax_cli.display.grids import QUIET, Cell, Grid
from softmax_cli.display.screen import Screen, Shown, printable, show_columns

_UNBOUNDED = 1 << 20
# A long heading is broken into lines.
_LONGEST_HEADING, _LINES = 16, 4
_ASCII_HEAD = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
_EIGHTHS = ("", *"▏▎▍▌▋▊▉")
HINT = "; see all with -f csv"


class _Fit(NamedTuple):
    """How wide the text of a cell, and a number, may be; and what lies between columns."""

    text: int = _UNBOUNDED
    number: int = _UNBOUNDED
    gap: int = 2


# One after the other, until all fits; numbers in a matrix shrink to their signs.
_FITS = (_Fit(), _Fit(24, 11), _Fit(24, 9), _Fit(24, 8), _Fit(20, 7), _Fit(16, 6), _Fit(12, 5))
_TIGHT, _SIGNS, _NAMES = _Fit(12, 5, 1), (_Fit(12, 2, 1), _Fit(12, 1, 1)), _Fit(12)


@dataclass(frozen=True)
class _Column:
    """A column as it is shown."""

    heading: str
    texts: Sequence[Text]
    is_name: bool
    width: int


def draw_grid(
    grid: Grid,
    screen: Screen,
    rows: Shown,
    columns: Shown | None = None,
    bars: tuple[str, int, Sequence[float]] = ("", 0, ()),
    hint: str = HINT,
) -> Iterator[RenderableType]:
    """Draw a grid, and say which rows and columns were left out.

    Where there is no room for all columns the margins give way, the last first; then names and
    numbers are shortened; then the middle of the columns is left out.

    Parameters
    ----------
    grid, screen
        What is drawn, and where.
    rows, columns
        Which rows it has, and which columns between names and margins; None where it has all.
    bars
        The heading, the largest width and the fractions of what is drawn in the room that is left.
    hint
        How to see what was left out.
    """
    room = _UNBOUNDED if screen.width is None else screen.width
    every = [(heading, cells) for heading, *cells in zip(grid.headings, *grid.rows, strict=True)]
    least = len(every) - grid.margins

    def show(fit: _Fit) -> list[_Column]:
        return [_shown(*each, k < grid.names, fit, screen) for k, each in enumerate(every)]

    while _total(whole := show(_FITS[0])) > room and len(every) > least:
        every.pop()
    columns = columns or show_columns("column", grid.headings[grid.names : least])
    for fit in (*_FITS, _TIGHT, *(_SIGNS if grid.margins else ())):
        drawn = show(fit)
        if columns.is_cut or _total(drawn, fit.gap) <= room:
            break
    if columns.is_cut or _total(drawn, fit.gap) > room:
        fit = _FITS[0] if screen.width is None else _NAMES
        drawn, columns = _cut(show(fit), grid.names, columns, room, screen)
    is_short = [each.texts for each in drawn] != [each.texts for each in whole]
    title, widest, fractions = bars
    width = min(widest, room - _total(drawn) - fit.gap)
    if fractions and width >= max(1, len(title)):
        cells = [Cell(_bar(each, width, screen), "cyan") for each in fractions]
        drawn.append(_shown(title, cells, True, _FITS[0], screen))
    yield _table(drawn, rows, screen, fit.gap)
    for shown in (rows, columns):
        if shown.is_cut:
            yield screen.text(shown.left_out() + hint, QUIET)
    if is_short and hint and not columns.is_cut:
        signs = ", some to their signs" if fit in _SIGNS else ""
        yield screen.text(f"shortened to fit{signs}{hint}", QUIET)


def _total(columns: Sequence[_Column], gap: int = _Fit().gap) -> int:
    return sum(column.width + gap for column in columns) - gap


def _shown(
    heading: str, cells: Sequence[Cell], is_name: bool, fit: _Fit, screen: Screen
) -> _Column:
    """Show a column, in which the longest text or number decides how wide it is."""
    heading = printable(heading, screen.ascii_only)
    numbers = [_number(cell, fit, screen) for cell in cells]
    names = [printable(cell.name, screen.ascii_only) for cell in cells]
    if is_name or any(cell.show for cell in cells):
        names = _distinct(names, max(fit.text - max(map(len, numbers), default=0) - 1, 4), screen)
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


def _distinct(names: list[str], width: int, screen: Screen) -> list[str]:
    """Shorten names: where they would be alike, by what all share, or else not at all."""
    head = _n_shared(names)
    tail = _n_shared([name[head:][::-1] for name in names])
    dots = screen.glyph("…", "..")
    longest = max(map(len, names), default=0) - head - tail + 2 * len(dots)
    spare = max(0, width - longest) // 2
    start, end = max(0, head - spare), max(0, tail - spare)
    before, behind = dots * (start > 0), dots * (end > 0)
    apart = [before + name[start : len(name) - end] + behind for name in names]
    for each in (names, apart):
        short = [_clipped(name, width, screen) for name in each]
        if len({*short}) == len({*names}):
            return short
    return names


def _n_shared(names: list[str]) -> int:
    """Count the letters with which all begin."""
    return len(commonprefix(names))  # noqa: RUF071 - no paths


def _cut(
    drawn: Sequence[_Column], names: int, candidates: Shown, room: int, screen: Screen
) -> tuple[list[_Column], Shown]:
    """Leave out the middle of the columns behind the names; return which they are, too."""
    end = names + len(candidates.positions)
    before, middle, behind = drawn[:names], list(drawn[names:end]), drawn[end:]
    dots = screen.glyph("…", "...")
    cut = _Column(dots, [Text(dots, QUIET)] * len(drawn[0].texts), False, len(dots))
    # Behind more than one column of names, none need be left.
    while len(middle) > (names == 1) and _total([*before, cut, *middle, *behind]) > room:
        del middle[(len(middle) - 1) // 2]
    head = len(middle) // 2
    tail = len(middle) - head
    shown = replace(candidates, head=head, tail=tail)
    return [*before, *middle[:head], cut, *middle[head:], *behind], shown


def _table(columns: Sequence[_Column], rows: Shown, screen: Screen, gap: int) -> Table:
    table = Table(
        box=_ASCII_HEAD if screen.ascii_only else SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),
        header_style="bold",
    )
    for column in columns:
        justify: JustifyMethod = "left" if column.is_name else "right"
        table.add_column(column.heading, justify=justify, overflow="fold", width=column.width)
    for k, row in enumerate(zip(*(column.texts for column in columns), strict=True)):
        if k == rows.head:
            table.add_row(Text(screen.glyph("⋮", ":"), QUIET))
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
    tail = set_cell_size(name[::-1], room // 2)[::-1]
    return set_cell_size(name, room - room // 2) + dots + tail


def _bar(fraction: float, width: int, screen: Screen) -> str:
    """Draw a fraction of a width; what is not 0 shows at least the thinnest bar."""
    steps = 1 if screen.ascii_only else len(_EIGHTHS)
    whole, part = divmod(max(round(fraction * width * steps), int(fraction > 0)), steps)
    return "#" * whole if screen.ascii_only else "█" * whole + _EIGHTHS[part]
