"""The error against the step size, drawn as a log-log plot of characters."""

import math
from collections.abc import Iterator, Mapping

from rich.console import RenderableType
from rich.text import Text

from softmax_cli.checking.sweep import Sweep
from softmax_cli.display.grids import QUIET, Cell, Grid
from softmax_cli.display.numbers import significant
from softmax_cli.display.screen import Screen, show_rows
from softmax_cli.display.tables import draw_grid
from softmax_cli.errors import plural

_MARKS = {"forward": "f", "central": "c", "complex-step": "i"}
_STYLES = {"f": "bold magenta", "c": "bold blue", "i": "bold red"}
_STEP = 8  # columns before the curves
_LOWEST = -18
_WIDE, _WIDE_ENOUGH = 3, 68  # columns a power of ten, where there is room for so many


def draw_sweep(found: Sweep, screen: Screen) -> Iterator[RenderableType]:
    """Draw the curves, a row a step, then each method's best step."""
    whose, samples = found.candidate or "softmax", plural(found.n_samples, "sample")
    yield screen.text(f"largest error in the Jacobian of {whose} over {samples}", "bold")
    scale = _WIDE if (screen.width or _WIDE_ENOUGH) >= _WIDE_ENOUGH else 1
    axis = "".join(f"1e{power}".ljust(6 * scale) for power in range(_LOWEST, 0, 6)) + "1"
    yield Text(f"{'step':{_STEP}}{axis}", "bold")
    yield Text(screen.glyph("─", "-") * (_STEP + 1 - _LOWEST * scale))
    for step, *errors in zip(found.steps, *found.errors.values(), strict=True):
        marks = _marks(dict(zip(found.errors, errors, strict=True)), scale)
        styled = ((mark, _STYLES.get(mark, "")) for mark in marks)
        yield Text.assemble(f"{step:<{_STEP}g}", *styled)
    yield Text()
    rows = []
    for method, best in found.best.items():
        shown = (f"{best[0]:g}", significant(best[1], 1)) if best else ("none", "")
        rows.append([Cell(each) for each in (_MARKS[method], method, *shown)])
    grid = Grid(("mark", "method", "best step", "error"), rows, names=2)
    yield from draw_grid(grid, screen, show_rows("method", list(found.best)))
    yield Text("* more than one of them", QUIET)
    if "complex-step" not in found.errors:
        yield Text("no complex-step: the function does not take complex numbers", QUIET)


def _marks(errors: Mapping[str, float], scale: int) -> list[str]:
    """Mark each method's error on a line; those that are not known are left out."""
    line = [" "] * (1 - _LOWEST * scale)
    for method, error in errors.items():
        if not math.isnan(error):
            power = min(0.0, max(_LOWEST, math.log10(error))) if error else _LOWEST
            place = round((power - _LOWEST) * scale)
            line[place] = _MARKS[method] if line[place] == " " else "*"
    return line
