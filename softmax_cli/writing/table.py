"""Tables for people, by Rich."""

from typing import Any

from rich.console import Console

from softmax_cli.display.draw import draw
from softmax_cli.display.screen import Screen
from softmax_cli.options import OutputOptions
from softmax_cli.progress import plain_terminal
from softmax_cli.result import Result
from softmax_cli.writing.target import Target

# Of a console that nothing bounds.
UNLIMITED = 1 << 20
# Names are data.
PLAINLY: dict[str, Any] = {"markup": False, "highlight": False, "emoji": False}
_WITH_SHADES = ("256", "truecolor")


def write_table(result: Result, target: Target, options: OutputOptions) -> None:
    """Draw the result, coloured and within the width of a terminal only."""
    with target.text(target.encoding) as text:
        console = Console(
            file=text,
            force_terminal=target.is_terminal,
            width=None if target.is_terminal else UNLIMITED,
            color_system="auto" if target.is_terminal and not plain_terminal() else None,
            **PLAINLY,
        )
        width = console.width if target.is_terminal else None
        has_shades = console.color_system in _WITH_SHADES
        ascii_only = not target.encoding.lower().startswith("utf")
        screen = Screen(width, options.precision, ascii_only, has_shades)
        with console.capture() as drawn:
            for part in draw(result, screen):
                console.print(part)
        text.writelines(line.rstrip() + "\n" for line in drawn.get().splitlines())
