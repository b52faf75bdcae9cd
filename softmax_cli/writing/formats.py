"""The output formats. A new one is a function, a name and suffix here, and a line in `_writer`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from softmax_cli.errors import InputError, quoted
from softmax_cli.options import OutputOptions

if TYPE_CHECKING:
    from softmax_cli.result import Arrays, Result
    from softmax_cli.writing.target import Target

    Writer = Callable[[Result, Target, OutputOptions], None]

WRITERS = ("table", "csv", "tsv", "json", "jsonl", "npy", "parquet", "markdown", "latex")
# What a terminal shows as it is computed, so that a progress bar would only be in the way.
STREAMED = frozenset({"csv", "tsv", "jsonl"})
_CHARTS = ("png", "pdf", "svg")
BINARY = frozenset({"npy", "parquet", *_CHARTS})
_PICTURES = (*_CHARTS, "html")  # in a file only
SUFFIXES = {f".{name}": name for name in (*WRITERS[1:7], *_PICTURES)}
SUFFIXES |= {".txt": "table", ".md": "markdown", ".tex": "latex", ".ndjson": "jsonl"}


def write(result: "Result", options: OutputOptions) -> None:
    """Write a result where and how the user asked for it.

    Raises
    ------
    InputError
        For bytes to a terminal, and for a derivation in a format for numbers.
    OutputError
        When it cannot be written.
    """
    from softmax_cli.progress import watched
    from softmax_cli.result import Arrays, Report
    from softmax_cli.writing.target import open_target

    name, writer = options.output_format, _writer(options.output_format)
    if not isinstance(result, Arrays | Report) and name in STREAMED | BINARY | {"json"}:
        expected = "table, markdown, latex or html"
        hint = "write a page with -o FILE.html, or leave --explain out"
        raise InputError("--explain", f"expected the format {expected}, found {name}", hint)
    if isinstance(result, Arrays):
        _refuse_what_has_no_place(result, name)
    with open_target(options.path) as target:
        if target.is_terminal and name in BINARY:
            problem = f"expected a file or a pipe for {name}, found a terminal"
            raise InputError("--format", problem, f"write a file with -o FILE.{name}")
        if not isinstance(result, Arrays) or (target.is_terminal and name in STREAMED):
            writer(result, target, options)
            return
        with watched(result.logits) as logits:
            writer(replace(result, logits=logits), target, options)


def _refuse_what_has_no_place(result: "Arrays", name: str) -> None:
    logits, in_header = result.logits, result.quantity.rank > 0 and not result.top
    has_header = name not in ("latex", "npy", "json", "jsonl")
    for option, given in (("--top", result.top), ("--keep", logits.kept_names)):
        if given and name in ("latex", "npy"):
            raise InputError(option, f"expected another format than latex and npy, found {name}")
    if result.prefix and not has_header:
        raise InputError("--prefix", f"expected a format with a header, found {name}")
    if result.prefix and not in_header:
        raise InputError("--prefix", "expected names of classes in the header, found none")
    twice = {*logits.kept_names} & {result.prefix + name for name in logits.class_names or ()}
    if twice and has_header and in_header and name not in ("table", "markdown"):
        problem = f"expected a column that names no class, found {quoted(min(twice))}"
        raise InputError("--keep", problem, "give --prefix p_ to name the classes apart")


def _writer(name: str) -> "Writer":
    # A machine does without Rich, and a terminal without what files are made of.
    if name == "table":
        from softmax_cli.writing.table import write_drawn

        return write_drawn
    if name in (*_PICTURES, "markdown", "latex"):
        from softmax_cli.writing import chart, html, markup

        texts = {"html": html.page, "markdown": markup.markdown, "latex": markup.latex}
        made = texts.get(name, chart.chart)
        return lambda result, target, options: target.write(made(result, options))
    from softmax_cli.writing import data

    return {
        "csv": data.write_delimited,
        "tsv": data.write_delimited,
        "json": data.write_json,
        "jsonl": data.write_jsonl,
        "npy": data.write_npy,
        "parquet": data.write_parquet,
    }[name]


def refuse_verdict(output_format: str) -> InputError:
    """Say that a verdict is no array."""
    problem = f"expected a format for a verdict, found {output_format}"
    return InputError("--format", problem, "npy holds arrays; any other format holds a verdict")


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
    found = SUFFIXES.get(suffix)
    if found is None:
        return ""
    return f"did you mean {found}?" if found in WRITERS else f"write a file with -o FILE{suffix}"
