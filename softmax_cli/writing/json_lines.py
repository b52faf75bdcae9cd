"""JSON lines: an object a sample, as it is computed."""

from collections.abc import Iterable
from functools import partial
from json.encoder import encode_basestring_ascii

from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Report, Result
from softmax_cli.writing.json_text import dump, kept_objects, samples_as_text
from softmax_cli.writing.target import Target, write_pieces


def write_jsonl(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a line a sample."""
    if isinstance(result, Arrays):
        names = result.logits.class_names or ()
        keys = [encode_basestring_ascii(name).replace("%", "%%") for name in names]
        row = f"{{{':%s,'.join(keys)}:%s}}" if keys and len(set(keys)) == len(keys) else ""
        write_pieces(result, target, options, b"", partial(_lines, result, row))
    elif isinstance(result, Report):
        rows = (dict(zip(result.columns, row, strict=True)) for row in result.rows)
        samples = result.document().get("samples", rows)
        target.write("".join(f"{dump(sample)}\n" for sample in samples).encode())


def _lines(result: Arrays, row: str, block: Block) -> bytes:
    end, values = "}\n" if block.ends else "", samples_as_text(result, block, row)
    if not block.begins:
        return "".join(f",{value}{end}" for value in values).encode()
    key = "top" if result.top else result.quantity.key_of_one
    names: Iterable[str] = map(encode_basestring_ascii, block.batch.labels)
    if block.batch.kept:
        names = map(
            '{},"kept":{}'.format, names, map(dump, kept_objects(result.logits, block.batch))
        )
    named = zip(names, values, strict=True)
    return "".join([f'{{"sample":{name},"{key}":{value}{end}' for name, value in named]).encode()
