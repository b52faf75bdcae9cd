"""JSON lines: an object a sample, as it is computed."""

from json.encoder import encode_basestring_ascii

from softmax_cli.errors import InputError
from softmax_cli.options import OutputOptions
from softmax_cli.result import Explanation, Report, Result
from softmax_cli.writing.formats import refuse_explanation
from softmax_cli.writing.json_text import dump, samples_as_text
from softmax_cli.writing.numbers import printed
from softmax_cli.writing.target import Target


def write_jsonl(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a line a sample."""
    if isinstance(result, Explanation):
        raise refuse_explanation("jsonl")
    with target.text() as text:
        if isinstance(result, Report):
            rows = (dict(zip(result.columns, row, strict=True)) for row in result.rows)
            text.writelines(dump(row) + "\n" for row in result.document.get("samples", rows))
            return
        quantity, n_printed = result.quantity, 0
        key = quantity.key_of_one
        try:
            blocks = quantity.blocks(result.logits.batches)
            for block, lines in printed(blocks, ",", result.logits.size):
                end = "}\n" if block.ends else ""
                values = samples_as_text(block, lines)
                names = map(encode_basestring_ascii, block.batch.labels)
                text.writelines(
                    [
                        f'{{"sample":{name},"{key}":{value}{end}'
                        if block.begins
                        else f",{value}{end}"
                        for name, value in zip(names, values, strict=True)
                    ]
                )
                text.flush()
                n_printed += len(block.batch.logits) if block.ends else 0
        except InputError as error:
            raise error.after(n_printed if target.keeps_parts else 0) from None
