"""Pictures of what a terminal shows: SVG and HTML, by Rich."""

import io
import os
import re
import sys

from rich.console import Console

from softmax_cli.display.screen import Screen
from softmax_cli.lookup import load
from softmax_cli.options import OutputOptions
from softmax_cli.result import Result
from softmax_cli.writing.table import UNLIMITED
from softmax_cli.writing.target import Target

# Rich's SVG fetches its font from a server; a picture must not.
_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def write_svg(result: Result, target: Target, options: OutputOptions) -> None:
    """Write the table as a picture, in a window's frame.

    Numbers stand on the right of their columns by leading spaces, which must be kept.
    """
    svg = _record(result, options).export_svg(title="softmax-cli")
    with target.text() as text:
        svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
        text.write(_FONT_FACE.sub("", svg, count=2))


def write_html(result: Result, target: Target, options: OutputOptions) -> None:
    """Write the table as a page of preformatted text."""
    with target.text() as text:
        text.write(_record(result, options).export_html(inline_styles=True))


def _record(result: Result, options: OutputOptions) -> Console:
    """Draw as a terminal of ours shows it, or, without one, as wide as what is drawn."""
    in_terminal = os.isatty(1)
    console = Console(
        file=io.StringIO(),
        record=True,
        force_terminal=True,
        width=Console(file=sys.stdout).width if in_terminal else UNLIMITED,
        color_system="truecolor",
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
    )
    screen = Screen(console.width if in_terminal else None, options.precision, ascii_only=False)
    for part in load(result.view)(result, screen):
        console.print(part)
    lines = console.export_text(clear=False).splitlines()
    console.width = max((len(line.rstrip()) for line in lines), default=1)
    return console
