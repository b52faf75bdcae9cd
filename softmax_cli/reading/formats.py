"""The input formats. A new one is a new file, a name here, and a case of `reader`.

`source.guess_format` tells it by its content where no suffix does.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from softmax_cli.options import InputOptions

if TYPE_CHECKING:
    from softmax_cli.reading.text import Stream
    from softmax_cli.samples import Logits

READERS = ("csv", "tsv", "json", "jsonl", "npy", "parquet")
SUFFIXES = {f".{name}": name for name in READERS} | {".ndjson": "jsonl"}


def reader(input_format: str) -> "Callable[[Stream, str, InputOptions], Logits]":
    """Return the function that reads a stream, called by a name, in one of `READERS`."""
    match input_format:
        case "csv":
            from softmax_cli.reading.delimited import read_csv as read
        case "tsv":
            from softmax_cli.reading.delimited import read_tsv as read
        case "json":
            from softmax_cli.reading.json_text import read_json as read
        case "jsonl":
            from softmax_cli.reading.json_lines import read_jsonl as read
        case "npy":
            from softmax_cli.reading.npy import read_npy as read
        case "parquet":
            from softmax_cli.reading.parquet import read_parquet as read
        case _:
            raise ValueError(f"no format is called {input_format}")
    return read
