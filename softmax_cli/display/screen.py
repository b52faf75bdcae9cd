"""What must be known of the place that something is drawn on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rich.text import Text

from softmax_cli.errors import plural, visible

T = TypeVar("T")
Limit = tuple[int, int, int]  # all of up to so many are shown, else so many at each end


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
    has_shades
        Whether it has colours, and shades of them.
    is_drawn
        Whether formulas and a summary stand beside what was computed.
    samples, rows, columns
        How many are shown; None where all are.
    """

    width: int | None = None
    precision: int = 6
    ascii_only: bool = False
    has_shades: bool = False
    is_drawn: bool = False
    samples: Limit | None = None
    rows: Limit | None = None
    columns: Limit | None = None

    def glyph(self, unicode: str, plain: str) -> str:
        """Choose the sign that can be shown."""
        return plain if self.ascii_only else unicode

    def text(self, shown: str, style: str = "") -> Text:
        """Show a text, which may hold names, as data."""
        return Text(printable(shown, self.ascii_only), style)


def printable(text: str, ascii_only: bool) -> str:
    """Show a name as data: what does not print, or not here, is escaped."""
    shown = visible(text)
    return shown.encode("ascii", "backslashreplace").decode() if ascii_only else shown


def parted(items: Iterable[T], size: Callable[[T], float], room: float) -> Iterator[list[T]]:
    """Part items where there is no room for one more; each part has one at least."""
    part: list[T] = []
    left = room
    for item in items:
        if part and size(item) > left:
            yield part
            part, left = [], room
        part.append(item)
        left -= size(item)
    yield part


@dataclass(frozen=True)
class Shown:
    """Which things in a row are shown: so many from the first, and so many up to the last.

    Attributes
    ----------
    noun, names
        What they are, and what each is called.
    head, tail
        How many at each end; all are in the head where none is left out.
    """

    noun: str
    names: Sequence[object]
    head: int
    tail: int = 0

    @property
    def positions(self) -> list[int]:
        """All positions shown."""
        count = len(self.names)
        return [*range(self.head), *range(count - self.tail, count)]

    @property
    def is_cut(self) -> bool:
        """Whether some are left out of the middle."""
        return self.head + self.tail < len(self.names)

    def left_out(self) -> str:
        """Say how many were left out, and which."""
        missing = self.names[self.head : len(self.names) - self.tail]
        span = " to ".join(dict.fromkeys(str(missing[end]) for end in (0, -1)))
        return f"{plural(len(missing), self.noun)} left out ({span})"


def show(noun: str, names: Sequence[object], limit: Limit | None) -> Shown:
    """Show all, or else some at the ends."""
    most, *ends = limit or (len(names), 0, 0)
    return Shown(noun, names, *(ends if len(names) > most else (len(names),)))
