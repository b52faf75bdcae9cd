"""The output formats. A new one is a new file and a line here."""

from pathlib import Path

from softmax_cli.errors import InputError, visible

# Where each format's function (Result, Target, OutputOptions) -> None is.
WRITERS = {
    "table": "softmax_cli.writing.table:write_table",
    "csv": "softmax_cli.writing.delimited:write_csv",
    "tsv": "softmax_cli.writing.delimited:write_tsv",
    "json": "softmax_cli.writing.json_text:write_json",
    "markdown": "softmax_cli.writing.markdown:write_markdown",
    "latex": "softmax_cli.writing.latex:write_latex",
}
# What only a file can be: the table as it looks.
PICTURES = {
    "svg": "softmax_cli.writing.picture:write_svg",
    "html": "softmax_cli.writing.picture:write_html",
}
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".md": "markdown",
    ".tex": "latex",
    ".svg": "svg",
    ".html": "html",
    ".txt": "table",
}


def choose_format(name: str | None, path: Path | None) -> str:
    """Take the format that was named, or else the one of the file's suffix.

    Raises
    ------
    InputError
        When the suffix belongs to no format.
    """
    if name is not None:
        return name
    if path is None or str(path) == "-":
        return "table"
    if path.suffix.lower() not in SUFFIXES:
        raise InputError(
            "--output",
            f"expected a file name ending in {', '.join(SUFFIXES)}, found {visible(str(path))}",
            f"name the format with --format: {', '.join(WRITERS)}",
        )
    return SUFFIXES[path.suffix.lower()]
