"""Cells drawn by Rich: what the tables of all commands share."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich.box import ASCII2, SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from softmax_cli.display.grids import LARGEST, QUIET, Cell, Grid
from softmax_cli.display.screen import (
    MOST_ROWS,
    ROWS_AT_EACH_END,
    WIDEST_UNBOUNDED_TABLE,
    Screen,
    Shown,
    printable,
    show_columns,
    show_rows,
)
from softmax_cli.errors import plural
from softmax_cli.samples import Batch, concatenate

GAP = 2
BAR_WIDTH = 30
LONGEST_HEADING = 16
_CANDIDATES = 200


@dataclass(frozen=True)
class Ends:
    """The samples that are shown: all in one batch, or the first and the last ones in two."""

    batches: tuple[Batch, ...]
    shown: Shown
    count: int


def keep_ends(batches: Iterable[Batch], n_classes: int) -> Ends:
    """Walk all batches, keeping copies of the samples that `show_rows` shows of them."""
    first: list[Batch] = []
    last: deque[Batch] = deque(maxlen=ROWS_AT_EACH_END)
    count = 0
    for batch in batches:
        size = len(batch.logits)
        first += (_copy(batch, k) for k in range(min(size, MOST_ROWS - count)))
        last += (_copy(batch, k) for k in range(max(0, size - ROWS_AT_EACH_END), size))
        count += size
    shown = show_rows(count)
    ends = (first[: len(shown.head)], last if shown.tail else [])
    return Ends(tuple(concatenate(part, n_classes) for part in ends if part), shown, count)


def _copy(batch: Batch, k: int) -> Batch:
    """Let go of the large arrays that one sample is a view of."""
    part = batch.part(slice(k, k + 1))
    upstream = None if part.upstream is None else part.upstream.copy()
    return replace(part, logits=part.logits.copy(), upstream=upstream)


def text(shown: str, screen: Screen, style: str = "") -> Text:
    """Show a text, which may hold names, as data."""
    return Text(printable(shown, screen.ascii_only), style)


def new_table(screen: Screen) -> Table:
    """Return an empty table in the house style."""
    return Table(
        box=ASCII2 if screen.ascii_only else SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 0, 0, 0) if screen.ascii_only else (0, 1, 0, 0),
        header_style="bold",
    )


def matrix(grid: Grid, gap_at: int | None, screen: Screen) -> tuple[Table, Shown]:
    """Draw a grid, leaving out the middle of what does not fit.

    The margins give way, the last first, before columns are left out; the first of them gives
    way when not two columns fit.

    Parameters
    ----------
    grid
        With the rows that are shown.
    gap_at
        Before which of them some were left out.
    screen
        Where it is drawn.

    Returns
    -------
    The table, and which columns it shows.
    """
    rows, count = list(grid.rows), len(grid.columns)
    names = [text(row.name, screen) for row in rows]
    mark = screen.glyph(" ◂", " <") if grid.marked else ""

    def drawn(cell: Cell) -> Text:
        end = mark if cell.style == LARGEST else " " * len(mark)
        return text(cell.text + end, screen, cell.style)

    all_may_fit = screen.width is None and count <= WIDEST_UNBOUNDED_TABLE
    ends = count if all_may_fit else min(_CANDIDATES, count)
    headings, body = {}, {}
    for c in {*range(ends), *range(count - ends, count)}:
        headings[c] = text(grid.columns[c] + " " * len(mark), screen)
        body[c] = [drawn(row.cell(c)) for row in rows]
    margins = [
        [text(cell.text, screen, cell.style) for cell in column]
        for column in zip(*(row.margins() for row in rows), strict=True)
    ]

    def width(heading: str, cells: Sequence[Text]) -> int:
        longest = max((cell.cell_len for cell in cells), default=0)
        return max(longest, min(cell_len(heading), LONGEST_HEADING)) + GAP

    widths = [width(headings[c].plain, body[c]) if c in body else GAP + 1 for c in range(count)]
    margin_widths = list(map(width, grid.margins, margins))
    for kept in range(len(margins), -1, -1):
        taken = width(grid.corner, names) + sum(margin_widths[:kept])
        room = None if screen.width is None else screen.width - taken + GAP
        shown = show_columns(widths, room, gap=GAP + 3)
        if not shown.left_out or (kept == 1 and shown.tail):
            break

    gap = [text(screen.glyph("…", "..."), screen, QUIET)] * bool(shown.left_out)
    table = new_table(screen)
    table.add_column(grid.corner, overflow="fold")
    for heading in [*(headings[c] for c in shown.head), *gap, *(headings[c] for c in shown.tail)]:
        table.add_column(heading, justify="right", overflow="fold")
    for margin in grid.margins[:kept]:
        side: JustifyMethod = "left" if grid.marked else "right"
        table.add_column(margin, justify=side, overflow="fold")
    for k, name in enumerate(names):
        if k == gap_at:
            _add_gap_row(table, screen)
        head, tail = ([body[c][k] for c in part] for part in (shown.head, shown.tail))
        table.add_row(name, *head, *gap, *tail, *(column[k] for column in margins[:kept]))
    return table, shown


def records(
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    gap_at: int | None,
    screen: Screen,
    *,
    names: int = 1,
    bars: Callable[[int, int], Cell] | None = None,
) -> Iterator[RenderableType]:
    """Draw records as rows, or, where those have no room, one below the other.

    Parameters
    ----------
    headings, rows, gap_at
        Of the columns; the records shown, and before which of them some were left out.
    screen
        Where they are drawn.
    names
        How many of the first columns are names, which stand on the left.
    bars
        From a record and a width to a bar, drawn in the room that is left.
    """
    drawn = [[text(cell.text, screen, cell.style) for cell in row] for row in rows]
    columns = zip(headings, zip(*drawn, strict=True), strict=True)
    widths = [max(cell_len(head), *(cell.cell_len for cell in cells)) for head, cells in columns]
    needed = sum(widths) + GAP * (len(widths) - 1)
    if screen.width is not None and screen.width < needed:
        yield from _stacked(headings, drawn, gap_at, screen)
        return
    width = BAR_WIDTH if screen.width is None else min(BAR_WIDTH, screen.width - needed - GAP)
    table = new_table(screen)
    for c, heading in enumerate(headings):
        table.add_column(heading, justify="left" if c < names else "right", no_wrap=True)
    if bars is not None:
        table.add_column("", no_wrap=True)
    for k, row in enumerate(drawn):
        if k == gap_at:
            _add_gap_row(table, screen)
        bar = [] if bars is None else [bars(k, width)]
        table.add_row(*row, *(Text(cell.text, cell.style) for cell in bar))
    yield table


def _stacked(
    headings: Sequence[str], rows: Sequence[Sequence[Text]], gap_at: int | None, screen: Screen
) -> Iterator[RenderableType]:
    longest = max(map(cell_len, headings))
    for k, row in enumerate(rows):
        if k:
            yield Text()
        if k == gap_at:
            yield Text(screen.glyph("⋮", ":"), style=QUIET)
            yield Text()
        for heading, cell in zip(headings, row, strict=True):
            label = heading.ljust(longest + GAP)
            yield Text.assemble((label, "bold"), cell, overflow="fold")


def _add_gap_row(table: Table, screen: Screen) -> None:
    table.add_row(Text(screen.glyph("⋮", ":"), style=QUIET))


def left_out(
    what: str,
    shown: Shown,
    names: Sequence[str] | None,
    screen: Screen,
    hint: str = "; see all with -f csv",
) -> Iterator[Text]:
    """Say how many were left out, if any, and how to see all."""
    if not shown.left_out:
        return
    first, last = shown.left_out.start, shown.left_out.stop - 1
    ends = [names[first], names[last]] if names else [str(first + 1), str(last + 1)]
    span = " to ".join(dict.fromkeys(ends))
    count = plural(len(shown.left_out), what)
    yield text(f"{count} left out ({span}){hint}", screen, QUIET)
