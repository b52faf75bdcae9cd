"""Drawn lines: their columns stay in place, and nothing unseen stands at their ends.

Terminals do not agree on how wide many signs are (vowel signs, joined emoji, variation selectors),
so that behind such a name the cursor is moved to where the next text begins.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.control import Control
from rich.segment import Segment
from rich.style import Style

# All but the letters, marks and lines of which everyone draws one in a column.
DISPUTED = re.compile("[^ -~\xa0-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2190-\u25ff]")


@dataclass(frozen=True)
class ByLine:
    """What is drawn of a part, with something done to each line."""

    part: RenderableType
    change: Callable[[list[Segment]], Iterable[Segment]]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(self.part, options, pad=False):
            yield from self.change(line)
            yield Segment.line()


def in_place(line: list[Segment]) -> Iterator[Segment]:
    """Move to where a text begins, behind one of which the width is disputed."""
    column, moved = 0, False
    for segment in line:
        text, style, _ = segment
        begin, column = column, column + cell_len(text)
        # What fills a cell up would wipe out what the name takes of it.
        if moved and _is_unseen(text.strip(), style):
            continue
        if moved:
            yield Control.move_to_column(begin).segment
        yield segment
        moved = DISPUTED.search(text) is not None


def trimmed(line: list[Segment]) -> list[Segment]:
    """Leave out the spaces at the end of a line, but those with a background."""
    while line and _is_unseen(line[-1].text[-1:], line[-1].style):
        text, style, _ = line.pop()
        if kept := text.rstrip(" "):
            line.append(Segment(kept, style))
    return line


def _is_unseen(end: str, style: Style | None) -> bool:
    return not end.strip(" ") and (style is None or style.bgcolor is None)
