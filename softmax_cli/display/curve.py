"""The error against the step size, drawn as a log-log plot of characters."""

import math
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from softmax_cli.checking.sweep import Sweep
from softmax_cli.display.grids import QUIET, Cell, Grid
from softmax_cli.display.numbers import significant
from softmax_cli.display.screen import Screen, show_rows
from softmax_cli.display.tables import draw_grid
from softmax_cli.errors import plural

# A letter and a colour each: the letter alone tells them apart.
MARKS = {"forward": ("f", "yellow"), "central": ("c", "cyan"), "complex-step": ("i", "green")}
_LOWEST, _HIGHEST = -18, 0
_WIDEST = 3
_MARGIN = 6


def draw_sweep(found: Sweep, screen: Screen) -> Iterator[RenderableType]:
    """Draw the curves, then each method's best step."""
    whose = found.candidate or "softmax"
    samples = plural(found.n_samples, "sample")
    yield screen.text(f"largest error in the Jacobian of {whose} over {samples}", "bold")
    yield from _plot(found, screen)
    yield Text()
    rows = []
    for method, best in found.best.items():
        step, error = (f"{best[0]:g}", significant(best[1], 1)) if best else ("none", "")
        rows.append([Cell(*MARKS[method]), Cell(method), Cell(step), Cell(error)])
    grid = Grid(("mark", "method", "best step", "error"), rows, names=2)
    yield from draw_grid(grid, screen, show_rows("method", list(found.best)))
    yield Text("* more than one of them", QUIET)
    if "complex-step" not in found.errors:
        yield Text("no complex-step: the function does not take complex numbers", QUIET)


def _plot(found: Sweep, screen: Screen) -> Iterator[Text]:
    count = len(found.steps)
    room = _WIDEST * count if screen.width is None else screen.width - _MARGIN
    spacing = max(1, min(_WIDEST, room // count))
    # With too little room for all steps, every second one: the whole decades.
    steps = range(0, count, 1 if room >= count else 2)
    cells: dict[tuple[int, int], Text] = {}
    for method, errors in found.errors.items():
        for column, k in enumerate(steps):
            if not math.isnan(errors[k]):
                # What is 0 or less than the lowest row lies in that.
                level = _LOWEST if errors[k] == 0 else round(math.log10(errors[k]))
                place = max(_LOWEST, min(_HIGHEST, level)), column
                cells[place] = Text("*", "bold") if place in cells else Text(*MARKS[method])
    bar, corner, dash = (screen.glyph(*pair) for pair in ("│|", "└+", "─-"))
    for level in range(_HIGHEST, _LOWEST - 1, -1):
        label = f"1e{level}" if level % 3 == 0 else ""
        line = Text(f"{label:>5}{bar}", QUIET)
        for column in range(len(steps)):
            line.append_text(cells.get((level, column), Text(" ")))
            line.append(" " * (spacing - 1))
        yield line
    yield Text(f"     {corner}{dash * (len(steps) * spacing)}", QUIET)
    # The first step and whatever whole decades leave room for.
    ticks = ""
    for column, k in enumerate(steps):
        label = f"{found.steps[k]:.0e}".replace("e-0", "e-")
        start = column * spacing
        if label.startswith("1") and (not ticks or start >= len(ticks) + 2):
            ticks = ticks.ljust(start) + label
    for below in (ticks, "step"):
        yield Text(" " * _MARGIN + below, QUIET)
