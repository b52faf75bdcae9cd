"""What the tables of all commands share."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from rich.box import ASCII2, SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from softmax_cli.display.screen import (
    MOST_ROWS,
    ROWS_AT_EACH_END,
    WIDEST_UNBOUNDED_TABLE,
    Screen,
    Shown,
    show_columns,
    show_rows,
)
from softmax_cli.errors import plural, visible
from softmax_cli.samples import Batch, concatenate

GAP = 2
BAR_WIDTH = 30
LONGEST_HEADING = 16
QUIET = "dim"
_CANDIDATES = 200


@dataclass(frozen=True)
class Ends:
    """The samples that are shown of a batch of any size.

    Attributes
    ----------
    batches
        All samples in one batch, or the first and the last ones in two.
    count
        How many samples there were.
    """

    batches: tuple[Batch, ...]
    count: int

    @property
    def shown(self) -> Shown:
        """Which of all samples are shown."""
        return show_rows(self.count)

    @property
    def labels(self) -> list[str]:
        """The names of the samples shown."""
        return [label for batch in self.batches for label in batch.labels]


def keep_ends(batches: Iterable[Batch], n_classes: int) -> Ends:
    """Walk all batches, keeping what `show_rows` shows of them and little more."""
    first: list[Batch] = []
    last: deque[Batch] = deque()
    count = 0
    for batch in batches:
        if count < MOST_ROWS:
            first.append(_copy(batch.part(slice(0, MOST_ROWS - count))))
        last.append(_copy(batch.part(slice(-ROWS_AT_EACH_END, None))))
        while sum(len(part.logits) for part in last) - len(last[0].logits) >= ROWS_AT_EACH_END:
            last.popleft()
        count += len(batch.logits)
    shown = show_rows(count)
    ends = [concatenate(first, n_classes).part(slice(len(shown.head)))]
    if shown.left_out:
        ends.append(concatenate(last, n_classes).part(slice(-len(shown.tail), None)))
    return Ends(tuple(ends), count)


def _copy(batch: Batch) -> Batch:
    """Let go of the large arrays that a small part is a view of."""
    upstream = None if batch.upstream is None else batch.upstream.copy()
    return replace(batch, logits=batch.logits.copy(), upstream=upstream)


def name_text(text: str, screen: Screen, style: str = "") -> Text:
    """Show a name as data: what does not print, or not here, is escaped."""
    shown = visible(text)
    if screen.ascii_only:
        shown = shown.encode("ascii", "backslashreplace").decode()
    return Text(shown, style=style)


def sample_heading(label: str, is_name: bool, screen: Screen) -> Text:
    """Head what is shown of one sample: by its name, or as ``sample 3``."""
    return name_text(label if is_name else f"sample {label}", screen, style="bold")


def new_table(screen: Screen) -> Table:
    """Return an empty table in the house style."""
    return Table(
        box=ASCII2 if screen.ascii_only else SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 0, 0, 0) if screen.ascii_only else (0, 1, 0, 0),
        header_style="bold",
    )


@dataclass(frozen=True)
class Margin:
    """A column beside a matrix.

    Attributes
    ----------
    heading
        Its heading.
    cell
        From the row (among those shown) to what stands there.
    justify
        On which side it stands there.
    """

    heading: str
    cell: Callable[[int], Text]
    justify: JustifyMethod = "right"


def matrix_table(
    screen: Screen,
    corner: str,
    row_names: Sequence[str],
    gap_at: int | None,
    column_names: Sequence[str],
    cell: Callable[[int, int], Text],
    margins: Sequence[Margin] = (),
) -> tuple[Table, Shown]:
    """Draw named rows and columns, leaving out the middle of what does not fit.

    Parameters
    ----------
    screen
        Where it is drawn.
    corner
        The heading of the row names.
    row_names, gap_at
        The names of the rows shown, and before which of them some were left out.
    column_names
        All columns' names.
    cell
        From row (among those shown) and column to what stands there.
    margins
        Further columns on the right. They give way, the last first, before columns are left
        out; the first gives way when not two columns fit.

    Returns
    -------
    The table, and which columns it shows.
    """
    count = len(column_names)
    names = [name_text(name, screen) for name in row_names]
    headings = {}
    body: dict[int, list[Text]] = {}
    all_may_fit = screen.width is None and count <= WIDEST_UNBOUNDED_TABLE
    ends = count if all_may_fit else min(_CANDIDATES, count)
    for c in {*range(ends), *range(count - ends, count)}:
        headings[c] = name_text(column_names[c], screen)
        body[c] = [cell(k, c) for k in range(len(names))]
    sides = [[margin.cell(k) for k in range(len(names))] for margin in margins]

    def width(heading: str, cells: Sequence[Text]) -> int:
        longest = max((text.cell_len for text in cells), default=0)
        return max(longest, min(cell_len(heading), LONGEST_HEADING)) + GAP

    widths = [width(headings[c].plain, body[c]) if c in body else GAP + 1 for c in range(count)]
    side_widths = [
        width(margin.heading, cells) for margin, cells in zip(margins, sides, strict=True)
    ]
    for kept in range(len(margins), -1, -1):
        taken = width(corner, names) + sum(side_widths[:kept])
        room = None if screen.width is None else screen.width - taken + GAP
        shown = show_columns(widths, room, gap=GAP + 3)
        if not shown.left_out or (kept == 1 and shown.tail):
            break
    sides = sides[:kept]

    table = new_table(screen)
    table.add_column(Text(corner), overflow="fold")
    gap = screen.glyph("…", "...")
    for c in shown.head:
        table.add_column(headings[c], justify="right", overflow="fold")
    if shown.left_out:
        table.add_column(Text(gap, style=QUIET), justify="center")
    for c in shown.tail:
        table.add_column(headings[c], justify="right", overflow="fold")
    for margin in margins[:kept]:
        table.add_column(Text(margin.heading), justify=margin.justify, overflow="fold")

    middle = [Text(gap, style=QUIET)] if shown.left_out else []
    for k, name in enumerate(names):
        if k == gap_at:
            add_gap_row(table, screen)
        table.add_row(
            name,
            *(body[c][k] for c in shown.head),
            *middle,
            *(body[c][k] for c in shown.tail),
            *(cells[k] for cells in sides),
        )
    return table, shown


def record_table(
    screen: Screen,
    headings: Sequence[str],
    records: Sequence[Sequence[Text]],
    gap_at: int | None,
    *,
    names: int = 1,
    bars: Callable[[int, int], Text] | None = None,
) -> Iterator[RenderableType]:
    """Draw records as rows, or, where those have no room, one below the other.

    Parameters
    ----------
    screen
        Where they are drawn.
    headings
        Of the columns.
    records, gap_at
        The records shown, and before which of them some were left out.
    names
        How many of the first columns are names, which stand on the left.
    bars
        From a record and a width to a bar, drawn in the room that is left.
    """
    widths = [
        max(cell_len(heading), *(record[c].cell_len for record in records))
        for c, heading in enumerate(headings)
    ]
    room = None if screen.width is None else screen.width - sum(widths) - GAP * (len(widths) - 1)
    if room is not None and room < 0:
        yield from _stacked(screen, headings, records, gap_at)
        return
    table = new_table(screen)
    for c, heading in enumerate(headings):
        table.add_column(heading, justify="left" if c < names else "right", no_wrap=True)
    if bars is not None:
        table.add_column("", no_wrap=True)
    for k, record in enumerate(records):
        if k == gap_at:
            add_gap_row(table, screen)
        width = BAR_WIDTH if room is None else min(BAR_WIDTH, room - GAP)
        table.add_row(*record, *([bars(k, width)] if bars is not None else []))
    yield table


def _stacked(
    screen: Screen, headings: Sequence[str], records: Sequence[Sequence[Text]], gap_at: int | None
) -> Iterator[RenderableType]:
    longest = max(map(cell_len, headings))
    for k, record in enumerate(records):
        if k:
            yield Text()
        if k == gap_at:
            yield Text(screen.glyph("⋮", ":"), style=QUIET)
            yield Text()
        for heading, text in zip(headings, record, strict=True):
            label = heading + " " * (longest - cell_len(heading) + GAP)
            yield Text.assemble((label, "bold"), text, overflow="fold")


def add_gap_row(table: Table, screen: Screen) -> None:
    """Mark where rows are left out."""
    table.add_row(Text(screen.glyph("⋮", ":"), style=QUIET))


def left_out_note(what: str, shown: Shown, names: Sequence[str] | None, screen: Screen) -> Text:
    """Say how many were left out, and how to see all."""
    count = plural(len(shown.left_out), what)
    first, last = shown.left_out.start, shown.left_out.stop - 1
    ends = [names[first], names[last]] if names else [str(first + 1), str(last + 1)]
    span = " to ".join(dict.fromkeys(ends))
    text = f"{count} left out ({span}); see all with -f csv"
    return name_text(text, screen, style=QUIET)
