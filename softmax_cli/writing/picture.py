"""Pictures of what a terminal shows: SVG and HTML, by Rich."""

import io
import re

from rich.cells import cell_len
from rich.console import Console

from softmax_cli.display.draw import draw
from softmax_cli.display.screen import Screen
from softmax_cli.options import OutputOptions
from softmax_cli.result import Result
from softmax_cli.writing.table import PLAINLY, UNLIMITED
from softmax_cli.writing.target import Target

# Rich's SVG fetches its font from a server; a picture must not.
_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def write_svg(result: Result, target: Target, options: OutputOptions) -> None:
    """Write the table as a picture, in a window's frame."""
    svg = _FONT_FACE.sub("", _recorded(result, options).export_svg(title="softmax-cli"))
    with target.text() as text:
        # Numbers stand on the right of their columns by leading spaces, which must be kept.
        text.write(svg.replace("<svg ", '<svg xml:space="preserve" ', 1))


def write_html(result: Result, target: Target, options: OutputOptions) -> None:
    """Write the table as a page of preformatted text."""
    with target.text() as text:
        text.write(_recorded(result, options).export_html(inline_styles=True))


def _recorded(result: Result, options: OutputOptions) -> Console:
    """Draw as wide as it is, whatever the terminal."""
    console = Console(
        file=io.StringIO(),
        record=True,
        force_terminal=True,
        width=UNLIMITED,
        color_system="truecolor",
        legacy_windows=False,
        _environ={},
        **PLAINLY,
    )
    for part in draw(result, Screen(precision=options.precision, has_shades=True)):
        console.print(part)
    lines = console.export_text(clear=False).splitlines()
    console.width = max(map(cell_len, lines), default=1)
    return console
