"""What must be known of the place that something is drawn on."""

from collections.abc import Sequence
from dataclasses import dataclass

from softmax_cli.errors import visible

WIDEST_UNBOUNDED_TABLE = 1000
MOST_ROWS = 60
ROWS_AT_EACH_END = 10


@dataclass(frozen=True)
class Screen:
    """A place to draw on.

    Attributes
    ----------
    width
        In columns of characters; None where nothing bounds it.
    precision
        Significant digits of a number.
    ascii_only
        Whether only ASCII can be shown.
    colours
        How many colours there are: 0, 16, 256 or 2 ** 24.
    """

    width: int | None = None
    precision: int = 6
    ascii_only: bool = False
    colours: int = 0

    def glyph(self, unicode: str, plain: str) -> str:
        """Choose the sign that can be shown."""
        return plain if self.ascii_only else unicode


def printable(text: str, ascii_only: bool) -> str:
    """Show a name as data: what does not print, or not here, is escaped."""
    shown = visible(text)
    return shown.encode("ascii", "backslashreplace").decode() if ascii_only else shown


@dataclass(frozen=True)
class Shown:
    """Which of some things in a row are shown: some at each end, the middle left out.

    Attributes
    ----------
    head, tail
        Positions from 0; the tail is empty when nothing is left out.
    """

    head: range
    tail: range

    @property
    def positions(self) -> list[int]:
        """All positions shown."""
        return [*self.head, *self.tail]

    @property
    def left_out(self) -> range:
        """The positions between head and tail."""
        return range(self.head.stop, self.tail.start)

    @property
    def gap_at(self) -> int | None:
        """How many are shown before the gap, or None where there is no gap."""
        return len(self.head) if self.left_out else None


def show_rows(count: int) -> Shown:
    """Show all of up to 60, else the first and the last 10."""
    if count <= MOST_ROWS:
        return Shown(range(count), range(count, count))
    return Shown(range(ROWS_AT_EACH_END), range(count - ROWS_AT_EACH_END, count))


def show_columns(widths: Sequence[int], available: int | None, gap: int) -> Shown:
    """Show as many columns as fit, from both ends inwards.

    Parameters
    ----------
    widths
        The width of every column, its spacing included.
    available
        The room there is, or None.
    gap
        The width of the column that stands for those left out.
    """
    count = len(widths)
    if available is None:
        available = sum(widths) if count <= WIDEST_UNBOUNDED_TABLE else sum(widths[:40])
    if sum(widths) <= available:
        return Shown(range(count), range(count, count))
    head, tail, room = 0, count, available - gap
    while head < tail:
        column = head if head <= count - tail else tail - 1
        room -= widths[column]
        if room < 0 and head + count - tail >= 1:
            break
        head, tail = (head + 1, tail) if column == head else (head, tail - 1)
    return Shown(range(head), range(tail, count))
