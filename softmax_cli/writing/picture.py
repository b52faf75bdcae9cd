"""Pictures of what a terminal shows: SVG and HTML, by Rich."""

import io
import os
import re
import sys
from html import unescape

from rich.cells import cell_len
from rich.console import Console

from softmax_cli.display.screen import Screen
from softmax_cli.lookup import load
from softmax_cli.options import OutputOptions
from softmax_cli.result import Result
from softmax_cli.writing.lines import DISPUTED, ByLine, trimmed
from softmax_cli.writing.table import UNLIMITED
from softmax_cli.writing.target import Target

_SVG_TEXT = re.compile(r'textLength="([^"]*)"([^>]*)>([^<]+)<')
_WORD = re.compile(r"[^\s<>]+")
# Rich's SVG fetches its font from a server; a picture must not.
_FONT_FACE = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


def write_svg(result: Result, target: Target, options: OutputOptions) -> None:
    """Write the table as a picture, in a window's frame.

    Numbers stand on the right of their columns by leading spaces, which must be kept.
    """
    svg = _record(result, options).export_svg(title="softmax-cli")
    with target.text() as text:
        svg = svg.replace("<svg ", '<svg xml:space="preserve" ', 1)
        svg = _FONT_FACE.sub("", svg, count=2)
        text.write(_SVG_TEXT.sub(_in_svg, svg))


def write_html(result: Result, target: Target, options: OutputOptions) -> None:
    """Write the table as a page of preformatted text."""
    html = _record(result, options).export_html(inline_styles=True)
    with target.text() as text:
        text.write(_WORD.sub(_in_html, html))


def _in_svg(match: re.Match[str]) -> str:
    """Give a text the room of its columns; Rich gives it that of its characters."""
    length, attributes, text = match.groups()
    plain = unescape(text)
    length = f"{float(length) / len(plain) * cell_len(plain):g}"
    return f'textLength="{length}"{attributes}>{text}<'


def _in_html(match: re.Match[str]) -> str:
    """Give a word the room of its columns, if its font may give it another one."""
    word = match[0]
    if DISPUTED.search(word) is None:
        return word
    width = cell_len(unescape(word))
    return f'<span style="display: inline-block; width: {width}ch">{word}</span>'


def _record(result: Result, options: OutputOptions) -> Console:
    """Draw as a terminal of ours shows it, or, without one, as wide as what is drawn."""
    in_terminal = os.isatty(1)
    console = Console(
        file=io.StringIO(),
        record=True,
        force_terminal=True,
        width=Console(file=sys.stdout).width if in_terminal else UNLIMITED,
        height=1,  # of no use here, but with TERM=dumb Rich takes no width without it
        color_system="truecolor",
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
    )
    width = console.width if in_terminal else None
    screen = Screen(width, options.precision, ascii_only=False, colours=1 << 24)
    for part in load(result.view)(result, screen):
        console.print(ByLine(part, trimmed))
    lines = console.export_text(clear=False).splitlines()
    console.width = max(map(cell_len, lines), default=1)
    return console
