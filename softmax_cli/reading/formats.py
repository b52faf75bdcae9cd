"""The input formats. A new one is a new file, a name here, and its function in `read`.

`source.guess_format` tells it by its content where no suffix does.
"""

from typing import TYPE_CHECKING

from softmax_cli.options import InputOptions

if TYPE_CHECKING:
    from softmax_cli.reading.text import Stream
    from softmax_cli.samples import Logits

READERS = ("csv", "tsv", "json", "jsonl", "npy", "parquet")
SUFFIXES = {f".{name}": name for name in READERS} | {".ndjson": "jsonl"}


def read(input_format: str, stream: "Stream", name: str, options: InputOptions) -> "Logits":
    """Read a stream, called by a name, in one of `READERS`."""
    from softmax_cli.reading import delimited, json_text, npy, parquet
    from softmax_cli.reading.validity import sift

    text = delimited.read_csv, delimited.read_tsv, json_text.read_json, json_text.read_jsonl
    readers = dict(zip(READERS, (*text, npy.read_npy, parquet.read_parquet), strict=True))
    return sift(readers[input_format](stream, name, options), options, name)
