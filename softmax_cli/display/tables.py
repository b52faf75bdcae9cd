"""A grid drawn by Rich, within the width there is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from rich.box import SIMPLE_HEAD, Box
from rich.cells import cell_len, set_cell_size
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from softmax_cli.display.grids import QUIET, Cell, Grid
from softmax_cli.display.screen import Screen, Shown, printable, show_columns

_UNBOUNDED = 1 << 20
# A long heading is broken into lines; a name is not shortened below so much.
_LONGEST_HEADING, _LINES = 16, 4
_SHORTEST_NAME = 12
# Between columns; and of numbers, which in a matrix shrink to their signs.
_GAP, _SHORTEST_NUMBER = 2, 5
_ASCII_HEAD = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
_EIGHTHS = ("", *"▏▎▍▌▋▊▉")
HINT = "; see all with -f csv"


@dataclass
class _Column:
    """A column of a grid, and the width that it is given."""

    heading: str
    cells: Sequence[Cell]
    is_name: bool = False
    width: int = 0

    def __post_init__(self) -> None:
        widths = (cell_len(cell.text + cell.mark) for cell in self.cells)
        self.width = max(min(cell_len(self.heading), _LONGEST_HEADING), *widths, 0)

    def least(self, digits: int) -> int:
        """Return the width that it can shrink to."""
        if self.is_name or any(cell.name and cell.show for cell in self.cells):
            whole = max((len(cell.number) + 4 for cell in self.cells if not cell.show), default=0)
            return min(self.width, max(whole, _SHORTEST_NAME))
        if any(cell.name for cell in self.cells):
            return self.width
        heading = min(cell_len(self.heading), _LONGEST_HEADING)
        return min(self.width, max(digits, -(-heading // _LINES)))


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
    drawn = [
        _Column(printable(heading, screen.ascii_only), _printable(cells, screen), k < grid.names)
        for k, (heading, *cells) in enumerate(zip(grid.headings, *grid.rows, strict=True))
    ]
    least = len(drawn) - grid.margins
    while len(drawn) > least and _total(drawn) > room:
        drawn.pop()
    candidates = columns or show_columns("column", grid.headings[grid.names : least])
    shortest = 1 if grid.margins else _SHORTEST_NUMBER
    drawn, gap, columns = _fitted(drawn, grid.names, candidates, room, screen, shortest)
    title, widest, fractions = bars
    width = min(widest, room - _total(drawn) - _GAP)
    if fractions and width >= max(1, len(title)):
        lines = [Cell(_bar(each, width, screen), "cyan") for each in fractions]
        drawn.append(_Column(title, lines, is_name=True))
    table, short = _table(drawn, rows, screen, gap)
    yield table
    for shown in (rows, columns):
        if shown.is_cut:
            yield screen.text(shown.left_out() + hint, QUIET)
    if short and hint and not columns.is_cut:
        signs = ", some to their signs" if short & {"+", "-"} else ""
        yield screen.text(f"shortened to fit{signs}{hint}", QUIET)


def _printable(cells: Sequence[Cell], screen: Screen) -> list[Cell]:
    return [replace(cell, name=printable(cell.name, screen.ascii_only)) for cell in cells]


def _total(columns: Sequence[_Column], gap: int = _GAP) -> int:
    return sum(column.width + gap for column in columns) - gap


def _fitted(
    drawn: list[_Column], names: int, candidates: Shown, room: int, screen: Screen, shortest: int
) -> tuple[list[_Column], int, Shown]:
    """Shorten columns, the widest first, or else leave out the middle of those behind the names.

    Return the columns, the gap between them, and which they are.
    """
    if not candidates.is_cut:
        for gap, least in ((_GAP, _SHORTEST_NUMBER), (1, shortest)):
            if _shrink(drawn, least, room - gap * (len(drawn) - 1)):
                return drawn, gap, candidates
    end = names + len(candidates.positions)
    before, middle, behind = drawn[:names], drawn[names:end], drawn[end:]
    dots = screen.glyph("…", "...")
    if _total(drawn) > room:
        for column in before:
            column.width = column.least(0)
    cut = _Column(dots, [Cell(dots, QUIET)] * len(drawn[0].cells))
    # Behind more than one column of names, none need be left.
    while len(middle) > (names == 1) and _total([*before, cut, *middle, *behind]) > room:
        del middle[len(middle) // 2]
    tail = len(middle) // 2
    head = len(middle) - tail
    shown = replace(candidates, head=head, tail=tail)
    return [*before, *middle[:head], cut, *middle[head:], *behind], _GAP, shown


def _shrink(columns: Sequence[_Column], digits: int, room: int) -> bool:
    """Take from the widest columns until all fit; return whether they can."""
    least = [column.least(digits) for column in columns]
    if sum(least) > room:
        return False
    while sum(column.width for column in columns) > room:
        pairs = zip(columns, least, strict=True)
        max((c for c, n in pairs if c.width > n), key=lambda c: c.width).width -= 1
    return True


def _table(
    columns: Sequence[_Column], rows: Shown, screen: Screen, gap: int
) -> tuple[Table, set[str]]:
    """Draw the columns at their widths; return what was shortened too."""
    table = Table(
        box=_ASCII_HEAD if screen.ascii_only else SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, gap - 1, 0, 0),
        header_style="bold",
    )
    for column in columns:
        heading = _clipped(column.heading, _LINES * column.width, screen)
        table.add_column(
            heading,
            justify="left" if column.is_name else "right",
            overflow="fold",
            width=column.width,
        )
    short: set[str] = set()
    shown = [[_within(cell, each.width, screen, short) for cell in each.cells] for each in columns]
    for k, row in enumerate(zip(*shown, strict=True)):
        if k == rows.head:
            table.add_row(Text(screen.glyph("⋮", ":"), QUIET))
        table.add_row(*row)
    return table, short


def _within(cell: Cell, width: int, screen: Screen, short: set[str]) -> Text:
    """Show a cell; if need be, with fewer digits, a sign alone or a part of its name."""
    whole = Text(cell.text + cell.mark, cell.style)
    if whole.cell_len <= width:
        return whole
    name, number = cell.name, cell.number
    if cell.show:
        least = min(width // 2, _SHORTEST_NUMBER)
        room = max(width - cell_len(name) - 1, least) if name else width
        shorter = (_compact(cell.show(p)) for p in range(screen.precision, 0, -1))
        number = next((each for each in shorter if len(each) <= room), _sign(number, room))
    if name:
        name = _clipped(name, width - len(number) - bool(number), screen)
    text = replace(cell, name=name, number=number).text
    short.add(text)
    return Text(text, cell.style)


def _compact(number: str) -> str:
    """Show a number by its exponent where that is shorter."""
    is_plain = " " not in number and number[0] not in "<>"
    return min(number, f"{Decimal(number):e}", key=len) if is_plain else number


def _sign(number: str, room: int) -> str:
    """Tell what is just below 1 from what is above 0, and below."""
    if number.startswith("1 ") and room > 1:
        return "<1"
    return "-" if "-" in number[:2] else "+"


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
