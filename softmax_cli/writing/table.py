"""Tables for people, by Rich."""

import io
import os

from rich.console import Console

from softmax_cli.display.draw import draw
from softmax_cli.display.screen import Screen
from softmax_cli.options import OutputOptions
from softmax_cli.progress import plain_terminal
from softmax_cli.result import Result
from softmax_cli.writing.target import Target

_UNLIMITED = 1 << 20
_WITH_SHADES = ("256", "truecolor")


def write_drawn(result: Result, target: Target, options: OutputOptions) -> None:
    """Draw the result: as wide as a terminal and in its colours, or as wide as it is."""
    size = None if target.is_terminal else _UNLIMITED
    has_colours = _has_colours(target, options)
    drawn = io.StringIO()
    console = Console(
        file=drawn,
        force_terminal=has_colours or target.is_terminal,
        width=size,
        height=size,
        color_system="auto" if has_colours else None,
        no_color=False,
        markup=False,  # names are data
        highlight=False,
        emoji=False,
    )
    width = console.width if target.is_terminal else None
    ascii_only = not target.encoding.lower().startswith("utf")
    has_shades = console.color_system in _WITH_SHADES
    for part in draw(result, Screen(width, options.precision, ascii_only, has_shades)):
        console.print(part)
    target.write_text("".join(line.rstrip() + "\n" for line in drawn.getvalue().splitlines()))


def _has_colours(target: Target, options: OutputOptions) -> bool:
    """Tell by --color, or else by NO_COLOR, FORCE_COLOR and whether it is a terminal."""
    if options.color != "auto":
        return options.color == "always"
    is_forced = options.path is None and bool(os.environ.get("FORCE_COLOR"))
    return not plain_terminal() and (target.is_terminal or is_forced)
