"""The output formats. A new one is a new file and a line here."""

from pathlib import Path

from softmax_cli.errors import InputError, quoted

# Where each format's function (Result, Target, OutputOptions) -> None is.
WRITERS = {
    "table": "softmax_cli.writing.table:write_table",
    "csv": "softmax_cli.writing.delimited:write_csv",
    "tsv": "softmax_cli.writing.delimited:write_tsv",
    "json": "softmax_cli.writing.json_text:write_json",
    "jsonl": "softmax_cli.writing.json_lines:write_jsonl",
    "npy": "softmax_cli.writing.npy:write_npy",
    "parquet": "softmax_cli.writing.parquet:write_parquet",
    "markdown": "softmax_cli.writing.markdown:write_markdown",
    "latex": "softmax_cli.writing.latex:write_latex",
}
# What only a file can be: the table as it looks.
PICTURES = {
    "svg": "softmax_cli.writing.picture:write_svg",
    "html": "softmax_cli.writing.picture:write_html",
}
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
