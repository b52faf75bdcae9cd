"""Tables for people, and a picture of them: SVG, by Rich."""

import io
import re

from rich.cells import cell_len
from rich.console import Console

from softmax_cli.display.draw import draw
from softmax_cli.display.screen import Screen
from softmax_cli.options import OutputOptions
from softmax_cli.progress import plain_terminal
from softmax_cli.result import Result
from softmax_cli.writing.target import Target

_UNLIMITED = 1 << 20
_WITH_SHADES = ("256", "truecolor")
# Rich's SVG fetches its font from a server; a picture must not.
_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def write_drawn(result: Result, target: Target, options: OutputOptions) -> None:
    """Draw the result: as wide as a terminal and in its colours, or as wide as it is."""
    is_picture = options.output_format != "table"
    size = None if target.is_terminal else _UNLIMITED
    has_colours = target.is_terminal and not plain_terminal()
    drawn = io.StringIO()
    console = Console(
        file=drawn,
        record=is_picture,
        force_terminal=target.is_terminal or is_picture,
        width=size,
        height=size,
        color_system="truecolor" if is_picture else "auto" if has_colours else None,
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
    if is_picture:
        text = _svg(console)
    else:
        text = "".join(line.rstrip() + "\n" for line in drawn.getvalue().splitlines())
    target.write_text(text)


def _svg(console: Console) -> str:
    lines = console.export_text(clear=False).splitlines()
    console.width = max(map(cell_len, lines), default=1)
    svg = _FONT_FACE.sub("", console.export_svg(title="softmax-cli"))
    # Numbers stand on the right of their columns by leading spaces, which must be kept.
    return svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
