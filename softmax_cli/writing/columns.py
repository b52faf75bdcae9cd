"""Columns that stay in place, however wide a terminal draws the names in them.

Terminals do not agree on how wide many signs are (vowel signs, joined emoji, variation selectors),
so that behind such a name the cursor is moved to where the next text begins.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.control import Control
from rich.segment import Segment

# All but the letters, marks and lines of which everyone draws one in a column.
DISPUTED = re.compile("[^ -~\xa0-\u02ff\u0370-\u0482\u048a-\u052f\u2010-\u2027\u2190-\u25ff]")


@dataclass(frozen=True)
class InColumns:
    """What is drawn of a part, with its columns kept in place."""

    part: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(self.part, options, pad=False):
            yield from _in_place(line)
            yield Segment.line()


def _in_place(line: Iterable[Segment]) -> Iterator[Segment]:
    column, moved = 0, False
    for segment in line:
        text, style, _ = segment
        begin, column = column, column + cell_len(text)
        # What fills a cell up would wipe out what the name takes of it.
        if moved and not text.strip() and (style is None or style.bgcolor is None):
            continue
        if moved:
            yield Control.move_to_column(begin).segment
        yield segment
        moved = DISPUTED.search(text) is not None
