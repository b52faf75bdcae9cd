"""JSON lines: an object a sample, as it is computed."""

from functools import partial
from json.encoder import encode_basestring_ascii

from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Report, Result
from softmax_cli.writing.json_text import dump, samples_as_text
from softmax_cli.writing.target import Target, write_pieces


def write_jsonl(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a line a sample."""
    if isinstance(result, Arrays):
        write_pieces(result, target, options, b"", partial(_lines, result.quantity.key_of_one))
    elif isinstance(result, Report):
        rows = (dict(zip(result.columns, row, strict=True)) for row in result.rows)
        samples = result.document.get("samples", rows)
        target.write("".join(f"{dump(sample)}\n" for sample in samples).encode())


def _lines(key: str, block: Block) -> bytes:
    end = "}\n" if block.ends else ""
    if not block.begins:
        return "".join(f",{value}{end}" for value in samples_as_text(block)).encode()
    names = map(encode_basestring_ascii, block.batch.labels)
    named = zip(names, samples_as_text(block), strict=True)
    return "".join([f'{{"sample":{name},"{key}":{value}{end}' for name, value in named]).encode()
