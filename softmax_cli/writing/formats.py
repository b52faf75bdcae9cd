"""The output formats. A new one is a new file, a name in `WRITERS`, and its case in `write`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from softmax_cli.errors import InputError, quoted
from softmax_cli.options import OutputOptions

if TYPE_CHECKING:
    from softmax_cli.result import Result
    from softmax_cli.writing.target import Target

    Writer = Callable[[Result, Target, OutputOptions], None]

WRITERS = ("table", "csv", "tsv", "json", "jsonl", "npy", "parquet", "markdown", "latex")
# What only a file can be: the table as it looks.
PICTURES = ("svg", "html")
# What a terminal shows as it is computed, so that a progress bar would only be in the way.
STREAMED = frozenset({"csv", "tsv", "jsonl"})
BINARY = frozenset({"npy", "parquet"})
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".npy": "npy",
    ".parquet": "parquet",
    ".md": "markdown",
    ".tex": "latex",
    ".svg": "svg",
    ".html": "html",
    ".txt": "table",
}
# What compresses a file, by its suffix.
_COMPRESSORS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstd"}


def write(result: "Result", options: OutputOptions) -> None:
    """Write a result where and how the user asked for it.

    Raises
    ------
    InputError
        For bytes that are not text, to a terminal.
    OutputError
        When it cannot be written.
    PipeClosedError
        When the reader of the output went away.
    """
    from softmax_cli.progress import watched
    from softmax_cli.result import Arrays
    from softmax_cli.writing.target import open_target

    writer = _writer(options.output_format)
    with open_target(options.path) as target:
        if target.is_terminal and options.output_format in BINARY:
            raise InputError(
                "--format",
                f"expected a file or a pipe for {options.output_format}, found a terminal",
                f"write a file with -o FILE.{options.output_format}",
            )
        streamed = options.output_format in STREAMED
        if not isinstance(result, Arrays) or (target.is_terminal and streamed):
            writer(result, target, options)
            return
        with watched(result.logits) as logits:
            writer(replace(result, logits=logits), target, options)


def _writer(name: str) -> "Writer":
    match name:
        case "table":
            from softmax_cli.writing.table import write_table

            return write_table
        case "csv":
            from softmax_cli.writing.delimited import write_csv

            return write_csv
        case "tsv":
            from softmax_cli.writing.delimited import write_tsv

            return write_tsv
        case "json":
            from softmax_cli.writing.json_text import write_json

            return write_json
        case "jsonl":
            from softmax_cli.writing.json_lines import write_jsonl

            return write_jsonl
        case "npy":
            from softmax_cli.writing.npy import write_npy

            return write_npy
        case "parquet":
            from softmax_cli.writing.parquet import write_parquet

            return write_parquet
        case "markdown":
            from softmax_cli.writing.markdown import write_markdown

            return write_markdown
        case "latex":
            from softmax_cli.writing.latex import write_latex

            return write_latex
        case "svg":
            from softmax_cli.writing.picture import write_svg

            return write_svg
        case "html":
            from softmax_cli.writing.picture import write_html

            return write_html
    raise ValueError(f"no format is called {name}")


def refuse_explanation(output_format: str) -> InputError:
    """Say that a derivation is no table of numbers."""
    expected = "table, markdown, latex, json or a picture"
    return InputError("--explain", f"expected the format {expected}, found {output_format}")


def refuse_verdict(output_format: str) -> InputError:
    """Say that a verdict is no array."""
    problem = f"expected a format for a verdict, found {output_format}"
    return InputError(
        "--format", f"{problem}, which is not offered for check", "use json, jsonl, csv or tsv"
    )


def choose_format(name: str | None, path: str | None) -> str:
    """Take the format that was named, or else the one of the file's suffix.

    Raises
    ------
    InputError
        When the suffix belongs to no format.
    """
    if name is not None:
        return name
    if path is None:
        return "table"
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        hint = f"name the format with --format: {', '.join(WRITERS)}"
        if suffix in _COMPRESSORS:
            hint = f"nothing is compressed here: {_compression(Path(path), _COMPRESSORS[suffix])}"
        raise InputError(
            "--output",
            f"expected a file name ending in {', '.join(SUFFIXES)}, found {quoted(path)}",
            hint,
        )
    return SUFFIXES[suffix]


def _compression(path: Path, compressor: str) -> str:
    inner = path.with_suffix("")
    name = SUFFIXES.get(inner.suffix.lower(), "csv")
    if name in PICTURES:
        return f"write {inner}, and then {compressor} it"
    return f"pipe -f {name} through {compressor}"


def hint_for_format(name: str) -> str:
    """Say what to give instead of a name that is a suffix, or nothing."""
    suffix = f".{name.lower().lstrip('.')}"
    found = SUFFIXES.get(suffix)
    if found is None:
        return ""
    return f"did you mean {found}?" if found in WRITERS else f"write a file with -o FILE{suffix}"
