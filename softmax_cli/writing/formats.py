"""The names of the output formats, and of kinds of them.

A new one is a function, a name here and a line in `target._writer`; what it has no place for is
refused in `target` too.
"""

from pathlib import Path

from softmax_cli.errors import InputError, quoted

DATA = ("csv", "tsv", "json", "jsonl", "npy", "parquet")
WRITERS = ("table", *DATA, "markdown", "latex")
# What a terminal shows as it is computed, so that a progress bar would only be in the way.
STREAMED = frozenset({"csv", "tsv", "jsonl"})
CHARTS = ("png", "pdf", "svg")
BINARY = frozenset({"npy", "parquet", *CHARTS})
PICTURES = (*CHARTS, "html")  # in a file only
SUFFIXES = {f".{name}": name for name in (*DATA, *PICTURES)}
SUFFIXES |= {".txt": "table", ".md": "markdown", ".tex": "latex", ".ndjson": "jsonl"}


def choose_format(name: str | None, path: str | None) -> str:
    """Take the format that was named, or else the one of the file's suffix, before ``.gz``.

    Raises
    ------
    InputError
        When the suffix belongs to no format, and for bytes in a compressed file.
    """
    if path is None:
        return name or "table"
    found = name or SUFFIXES.get(Path(path.lower().removesuffix(".gz")).suffix)
    if found is None or (found in BINARY and path.lower().endswith(".gz")):
        problem = f"expected a file name ending in {', '.join(SUFFIXES)}, found {quoted(path)}"
        hint = f"name the format with --format: {', '.join(WRITERS)}; .gz is for text only"
        raise InputError("--output", problem, hint)
    return found


def hint_for_format(name: str) -> str:
    """Say what to give instead of a name that is a suffix, or nothing."""
    suffix = f".{name.lower().lstrip('.')}"
    if not (found := SUFFIXES.get(suffix)):
        return ""
    return f"did you mean {found}?" if found in WRITERS else f"write a file with -o FILE{suffix}"
