"""HTML: one page that holds all it shows, and may fetch nothing."""

import re
from base64 import b64encode
from hashlib import sha256

from softmax_cli.display.page import page, template
from softmax_cli.options import OutputOptions
from softmax_cli.result import Result
from softmax_cli.writing.target import Target

# A row of one element only, which is that element.
_SINGLE_ROW = re.compile(r"<mrow>(<(m\w+)[^<>]*>[^<]*</\2>)</mrow>")


def write_page(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a page; a script comes with a Jacobian alone."""
    title, body, moves = page(result, options.precision)
    style, script = template("page.css").template, template("page.js").template if moves else ""
    body = _SINGLE_ROW.sub(r"\1", body)
    parts = {"title": title, "body": body, "style": style, "script": script}
    hashes = {"style_hash": _allowed(style), "script_hash": _allowed(script)}
    target.write(template("page.html").substitute(parts, **hashes).encode())


def _allowed(text: str) -> str:
    """Name a text for a Content-Security-Policy that allows nothing else."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
