"""Cells drawn by Rich: what the tables of all commands share."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from rich.box import ASCII2, SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from softmax_cli.display.grids import LARGEST, QUIET, Cell, Grid, bar
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
# A heading, and the cells below it.
_Column = list[Text]


@dataclass(frozen=True)
class Ends:
    """The samples that are shown: all in one batch, or the first and the last ones in two."""

    batches: tuple[Batch, ...]
    shown: Shown
    count: int


def keep_ends(batches: Iterable[Batch]) -> Ends:
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
    joined = (concatenate(part, part[0].logits.shape[1]) for part in ends if part)
    return Ends(tuple(joined), shown, count)


def _copy(batch: Batch, k: int) -> Batch:
    """Let go of the large arrays that one sample is a view of."""
    part = batch.part(slice(k, k + 1))
    upstream = None if part.upstream is None else part.upstream.copy()
    return replace(part, logits=part.logits.copy(), upstream=upstream)


def text(shown: str, screen: Screen, style: str = "") -> Text:
    """Show a text, which may hold names, as data."""
    return Text(printable(shown, screen.ascii_only), style)


def _table(columns: Sequence[_Column], left: set[int], gap_at: int | None, screen: Screen) -> Table:
    """Draw columns; those whose positions are in `left` stand on that side, numbers do not."""
    table = Table(
        box=ASCII2 if screen.ascii_only else SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 0, 0, 0) if screen.ascii_only else (0, 1, 0, 0),
        header_style="bold",
    )
    for c, (heading, *_) in enumerate(columns):
        table.add_column(heading, justify="left" if c in left else "right", overflow="fold")
    for k, row in enumerate(zip(*(cells for _, *cells in columns), strict=True)):
        if k == gap_at:
            table.add_row(Text(screen.glyph("⋮", ":"), QUIET))
        table.add_row(*row)
    return table


def _column(heading: str, cells: Iterable[Cell], screen: Screen) -> _Column:
    return [text(heading, screen), *(text(cell.text, screen, cell.style) for cell in cells)]


def _width(column: _Column) -> int:
    heading, *cells = (cell.cell_len for cell in column)
    return max([*cells, min(heading, LONGEST_HEADING)]) + GAP


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
    names = _column(grid.corner, (Cell(row.name) for row in rows), screen)
    sides = zip(*(row.margins() for row in rows), strict=True)
    margins = [_column(*each, screen) for each in zip(grid.margins, sides, strict=True)]
    all_may_fit = screen.width is None and count <= WIDEST_UNBOUNDED_TABLE
    ends = count if all_may_fit else min(_CANDIDATES, count)
    body = {
        c: _column(grid.columns[c], (row.cell(c) for row in rows), screen)
        for c in {*range(ends), *range(count - ends, count)}
    }
    if grid.marked:
        mark = screen.glyph(" ◂", " <")
        for cell in chain(*body.values()):
            cell.append(mark if cell.style == LARGEST else " " * len(mark))
    widths = [_width(body[c]) if c in body else GAP + 1 for c in range(count)]
    for kept in range(len(margins), -1, -1):
        taken = sum(map(_width, [names, *margins[:kept]]))
        room = None if screen.width is None else screen.width - taken + GAP
        shown = show_columns(widths, room, gap=GAP + 3)
        if not shown.left_out or (kept == 1 and shown.tail):
            break
    gap = [Text(screen.glyph("…", "..."), QUIET) for _ in names]
    head, tail = ([body[c] for c in part] for part in (shown.head, shown.tail))
    columns = [names, *head, *([gap] if shown.left_out else []), *tail, *margins[:kept]]
    # The margin beside marked cells is a bar.
    left = {0, len(columns) - 1} if grid.marked and kept else {0}
    return _table(columns, left, gap_at, screen), shown


def records(
    headings: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    gap_at: int | None,
    screen: Screen,
    *,
    names: int = 1,
    fractions: Sequence[float] = (),
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
    fractions
        What is drawn as bars, in the room that is left.
    """
    cells = zip(*rows, strict=True)
    columns = [_column(*each, screen) for each in zip(headings, cells, strict=True)]
    needed = sum(max(cell.cell_len for cell in column) + GAP for column in columns) - GAP
    if screen.width is not None and screen.width < needed:
        yield from _stacked(columns, gap_at, screen)
        return
    width = BAR_WIDTH if screen.width is None else min(BAR_WIDTH, screen.width - needed - GAP)
    if fractions:
        columns.append(_column("", (bar(each, width, screen) for each in fractions), screen))
    yield _table(columns, {*range(names), len(headings)}, gap_at, screen)


def _stacked(columns: list[_Column], gap_at: int | None, screen: Screen) -> Iterator[Text]:
    headings, *rows = zip(*columns, strict=True)
    longest = max(heading.cell_len for heading in headings)
    for k, row in enumerate(rows):
        if k:
            yield Text()
        if k == gap_at:
            yield Text(screen.glyph("⋮", ":") + "\n", QUIET)
        for heading, cell in zip(headings, row, strict=True):
            label = heading.plain.ljust(longest + GAP)
            yield Text.assemble((label, "bold"), cell, overflow="fold")


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
