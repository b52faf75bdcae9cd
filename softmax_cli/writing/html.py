"""HTML: one page that holds all it shows, and may fetch nothing."""

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from string import Template

from softmax_cli.display.page import page
from softmax_cli.options import OutputOptions
from softmax_cli.result import Result
from softmax_cli.writing.target import Target


def write_page(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a page; a script comes with a Jacobian alone."""
    made = page(result, options.precision)
    style, script = _file("page.css"), _file("page.js") if made.moves else ""
    body = made.body or Template(_file("jacobian.html")).substitute(made.live)
    hashes = {"style_hash": _allowed(style), "script_hash": _allowed(script)}
    parts = {"title": made.title, "body": body, "style": style, "script": script}
    target.write(Template(_file("page.html")).substitute(parts, **hashes).encode())


def _file(name: str) -> str:
    return (files("softmax_cli") / "writing" / "page" / name).read_text(encoding="utf-8")


def _allowed(text: str) -> str:
    """Name a text for a Content-Security-Policy that allows nothing else."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
