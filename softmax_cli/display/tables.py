"""A grid drawn by Rich, within the width there is."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.box import ASCII2, SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from softmax_cli.display.grids import QUIET, Grid
from softmax_cli.display.screen import Screen, Shown, show_columns

_GAP = 2
_UNBOUNDED = 1 << 20
_LONGEST_HEADING = 16
HINT = "; see all with -f csv"
_EIGHTHS = ("", *"▏▎▍▌▋▊▉")
# A heading, and the cells below it.
_Column = list[Text]


def draw_grid(
    grid: Grid,
    screen: Screen,
    rows: Shown,
    columns: Shown | None = None,
    bars: tuple[str, int, Sequence[float]] = ("", 0, ()),
    hint: str = HINT,
) -> Iterator[RenderableType]:
    """Draw a grid, and say which rows and columns were left out.

    Where there is no room for all columns the margins give way, the last first; then the middle
    of the others.

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
    texts = ([screen.text(cell.text + cell.mark, cell.style) for cell in row] for row in grid.rows)
    headings = [screen.text(heading) for heading in grid.headings]
    for heading in headings[: grid.names]:
        heading.justify = "left"
    drawn: list[_Column] = [list(column) for column in zip(headings, *texts, strict=True)]
    room = (_UNBOUNDED if screen.width is None else screen.width) + _GAP
    least = len(drawn) - grid.margins
    while len(drawn) > least and _width(*drawn) > room:
        drawn.pop()
    candidates = columns or show_columns("column", grid.headings[grid.names : least])
    drawn, columns = _fitted(drawn, grid.names, candidates, room, screen)
    title, widest, fractions = bars
    width = min(widest, room - _width(*drawn) - _GAP)
    if fractions and width >= max(1, len(title)):
        heading = Text(title, justify="left")
        drawn.append([heading, *(_bar(each, width, screen) for each in fractions)])
    yield _table(drawn, rows, screen)
    for shown in (rows, columns):
        if shown.is_cut:
            yield screen.text(shown.left_out() + hint, QUIET)


def _width(*columns: _Column) -> int:
    """Measure columns with their spacing; a long heading can be broken."""
    return sum(
        max(min(heading.cell_len, _LONGEST_HEADING), *(cell.cell_len for cell in cells), 0) + _GAP
        for heading, *cells in columns
    )


def _fitted(
    drawn: list[_Column], names: int, candidates: Shown, room: int, screen: Screen
) -> tuple[list[_Column], Shown]:
    """Leave out the middle of the columns between names and margins, as far as need be."""
    gap = [Text(screen.glyph("…", "..."), QUIET) for _ in drawn[0]]
    end = names + len(candidates.positions)
    room -= _width(*drawn[:names], *drawn[end:])
    widths = [_width(column) for column in drawn[names:end]]
    if not candidates.is_cut and sum(widths) <= room:
        return drawn, candidates
    # Behind more than one column of names, none need be left.
    while len(widths) > (names == 1) and sum(widths) > room - _width(gap):
        del widths[len(widths) // 2]
    tail = len(widths) // 2
    shown = replace(candidates, head=len(widths) - tail, tail=tail)
    return [*drawn[: names + shown.head], gap, *drawn[end - tail :]], shown


def _table(columns: list[_Column], rows: Shown, screen: Screen) -> Table:
    table = Table(
        box=ASCII2 if screen.ascii_only else SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 0, 0, 0) if screen.ascii_only else (0, 1, 0, 0),
        header_style="bold",
    )
    for heading, *_ in columns:
        table.add_column(heading, justify=heading.justify or "right", overflow="fold")
    for k, row in enumerate(zip(*(cells for _, *cells in columns), strict=True)):
        if k == rows.head:
            table.add_row(Text(screen.glyph("⋮", ":"), QUIET))
        table.add_row(*row)
    return table


def _bar(fraction: float, width: int, screen: Screen) -> Text:
    """Draw a fraction of a width; what is not 0 shows at least the thinnest bar."""
    steps = 1 if screen.ascii_only else len(_EIGHTHS)
    whole, part = divmod(max(round(fraction * width * steps), int(fraction > 0)), steps)
    return Text("#" * whole if screen.ascii_only else "█" * whole + _EIGHTHS[part], "cyan")
