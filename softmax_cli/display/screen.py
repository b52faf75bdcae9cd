"""The kinds of parts that people look at, and the place that they are shown on."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from rich.text import Text

from softmax_cli.errors import plural, visible
from softmax_cli.mathematics.exact import Number

T = TypeVar("T")
_ASCII = str.maketrans({"δ": "delta", "…": "...", "·": "*", "–": "-", "×": "*", "─": "-"})
HINT = "; see all with -f csv"
Show = Callable[[int], str]  # a number, with so many significant digits
# All of up to so many are shown, else so many at each end; None: all.
Limit = tuple[int, int, int] | None


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
    margins
        How many columns that are looked at beside those of a matrix are shown.
    samples, rows, columns
        How many are shown; None where all are.
    """

    width: int | None = None
    precision: int = 6
    ascii_only: bool = False
    has_shades: bool = False
    is_drawn: bool = False
    margins: int = 0
    samples: Limit = None
    rows: Limit = None
    columns: Limit = None

    def glyph(self, unicode: str, plain: str) -> str:
        """Choose the sign that can be shown."""
        return plain if self.ascii_only else unicode

    def text(self, shown: str, style: str = "") -> Text:
        """Show a text, which may hold names, as data."""
        shown = visible(shown)
        if self.ascii_only:
            shown = shown.translate(_ASCII).encode("ascii", "backslashreplace").decode()
        return Text(shown, style)

    def quiet(self, shown: str) -> Text:
        """Show a text of less weight."""
        return self.text(shown, "dim")


def parted(items: Iterable[T], size: Callable[[T], float], room: float) -> Iterator[list[T]]:
    """Part items where there is no room for one more; each part has one at least."""
    part, left = list[T](), room
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
        return [*range(self.head), *range(len(self.names) - self.tail, len(self.names))]

    @property
    def left_out(self) -> str:
        """How many were left out, and which; or nothing."""
        missing = self.names[self.head : len(self.names) - self.tail]
        span = " to ".join(dict.fromkeys(str(end) for end in (*missing[:1], *missing[-1:])))
        return f"{plural(len(missing), self.noun)} left out ({span})" if missing else ""


def show(noun: str, names: Sequence[object], limit: Limit) -> Shown:
    """Show all, or else some at the ends."""
    most, *ends = limit or (len(names), 0, 0)
    return Shown(noun, names, *(ends if len(names) > most else (len(names),)))


@dataclass(frozen=True)
class Cell:
    """What is shown in a place.

    Attributes
    ----------
    name, number
        Either, or one before the other.
    style, mark
        Its Rich style, and what stands behind it on a screen.
    show
        Shows the number with fewer digits; None where it must stay as it is.
    value
        The number to float64, for colours.
    """

    name: str = ""
    style: str = ""
    mark: str = ""
    number: str = ""
    show: Show | None = None
    value: float = 0.0

    @property
    def text(self) -> str:
        """All of it."""
        return f"{self.name} {self.number}".strip(" ")

    @staticmethod
    def of(show: Show, p: int, style: str = "", mark: str = "", **more: Any) -> "Cell":
        """Make a cell of a number that can be shown with fewer digits."""
        return Cell(style=style, mark=mark, number=show(p), show=show, **more)


@dataclass(frozen=True)
class Table:
    """Rows of cells under headings: columns of names, of numbers, and margins.

    Attributes
    ----------
    headings, rows
        Of all columns; names from the user are not escaped.
    names
        How many of the first columns are names.
    margins
        How many of the last columns are looked at beside the others.
    outputs, inputs
        Which rows, and which columns between names and margins, it has of all; None: all.
    bars
        The heading, the largest width and the fractions of what is drawn where there is room.
    hint
        How to see what was left out.
    largest
        The value that has the strongest colour, or 0.
    """

    headings: Sequence[str]
    rows: Iterable[Sequence[Cell]]
    names: int = 1
    margins: int = 0
    outputs: Shown | None = None
    inputs: Shown | None = None
    bars: tuple[str, int, Sequence[float]] = ("", 0, ())
    hint: str = HINT
    largest: float = 0.0

    @property
    def left_out(self) -> list[str]:
        """What it leaves out of its rows and columns."""
        return [each.left_out for each in (self.outputs, self.inputs) if each and each.left_out]


class Equation(NamedTuple):
    """Equal expressions: a name, formulas, and of this sample the last of them with numbers.

    Attributes
    ----------
    sides
        As they are written, without those that only repeat the one before.
    value
        The last one as a number, or None where the equation is general.
    entry
        The entry of J that it is about, or None.
    """

    sides: list[str]
    value: Number | None = None
    entry: tuple[int, int] | None = None


class Step(NamedTuple):
    """The beginning of a step: a title, and a sentence in the notation."""

    title: str
    text: str


# An empty text parts what stands before and behind it; a string belongs to a step.
Part = Text | Table | Step | Equation | str
