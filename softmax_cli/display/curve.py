"""The error against the step size, drawn as a log-log plot of characters."""

import math
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from softmax_cli.checking.sweep import Sweep
from softmax_cli.display.grids import QUIET, Cell
from softmax_cli.display.numbers import significant
from softmax_cli.display.screen import Screen
from softmax_cli.display.tables import records, text
from softmax_cli.errors import plural

# A letter and a colour each: the letter alone tells them apart.
MARKS = {"forward": ("f", "yellow"), "central": ("c", "cyan"), "complex-step": ("i", "green")}
_SEVERAL = Text("*", "bold")
_LOWEST, _HIGHEST = -18, 0
_WIDEST = 3
_MARGIN = 6


def draw_sweep(found: Sweep, screen: Screen) -> Iterator[RenderableType]:
    """Draw the curves, then each method's best step."""
    whose = found.candidate or "softmax"
    samples = plural(found.n_samples, "sample")
    yield text(f"largest error in the Jacobian of {whose} over {samples}", screen, "bold")
    yield from _plot(found, screen)
    yield Text()
    rows = []
    for method, best in found.best.items():
        step, error = (f"{best[0]:g}", significant(best[1], 1)) if best else ("none", "")
        rows.append([Cell(*MARKS[method]), Cell(method), Cell(step), Cell(error)])
    yield from records(("mark", "method", "best step", "error"), rows, None, screen, names=2)
    yield Text("* more than one of them", QUIET)
    if "complex-step" not in found.errors:
        yield Text("no complex-step: the function does not take complex numbers", QUIET)


def _plot(found: Sweep, screen: Screen) -> Iterator[Text]:
    count = len(found.steps)
    room = _WIDEST * count if screen.width is None else screen.width - _MARGIN
    spacing = max(1, min(_WIDEST, room // count))
    # With too little room for all steps, every second one: the whole decades.
    every = 1 if room >= count else 2
    steps = range(0, count, every)
    cells: dict[tuple[int, int], Text] = {}
    for method, errors in found.errors.items():
        mark, colour = MARKS[method]
        for column, k in enumerate(steps):
            if not math.isnan(errors[k]):
                place = _level(errors[k]), column
                cells[place] = _SEVERAL if place in cells else Text(mark, colour)
    bar = screen.glyph("│", "|")
    for level in range(_HIGHEST, _LOWEST - 1, -1):
        label = f"1e{level}" if level % 3 == 0 else ""
        line = Text(f"{label:>5}{bar}", QUIET)
        for column in range(len(steps)):
            line.append_text(cells.get((level, column), Text(" ")))
            line.append(" " * (spacing - 1))
        yield line
    corner, dash = screen.glyph("└", "+"), screen.glyph("─", "-")
    yield Text(f"     {corner}{dash * (len(steps) * spacing)}", QUIET)
    yield Text(" " * _MARGIN + _ticks(found.steps, steps, spacing), QUIET)
    yield Text(" " * _MARGIN + "step", QUIET)


def _level(error: float) -> int:
    """Return the row of an error; what is 0 or less than the lowest row lies in that."""
    if error == 0:
        return _LOWEST
    return max(_LOWEST, min(_HIGHEST, round(math.log10(error))))


def _ticks(steps: tuple[float, ...], shown: range, spacing: int) -> str:
    """Label the first step and whatever whole decades leave room for."""
    line = ""
    for column, k in enumerate(shown):
        label = f"{steps[k]:.0e}".replace("e-0", "e-")
        start = column * spacing
        if label.startswith("1") and (not line or start >= len(line) + 2):
            line = line.ljust(start) + label
    return line
