"""JSON on one line, by the json module."""

import json
import re
from collections.abc import Iterator
from json.encoder import encode_basestring_ascii as encode
from typing import Any

from softmax_cli.fast import print_rows
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Report, Result
from softmax_cli.samples import Batch, FloatArray, Logits, concatenate
from softmax_cli.writing.target import Target

_STRING_OR_CONSTANT = re.compile(r'("(?:[^"\\]|\\.)*")|-?Infinity|NaN')


def write_json(result: Result, target: Target, options: OutputOptions) -> None:
    """Write one document; names come first, so the input is read whole before it begins."""
    if isinstance(result, Report):
        target.write(f"{dump(result.document())}\n".encode())
        return
    assert isinstance(result, Arrays)
    logits = result.logits
    batch = concatenate(logits.batches, logits.n_classes)
    head: dict[str, Any] = {"command": result.command, "classes": logits.classes}
    head["samples"] = batch.labels
    head |= {"kept": list(kept_objects(logits, batch))} if batch.kept else {}
    head |= {"log": True} if result.quantity.log else {}
    if result.entry is not None:
        output, input_ = (logits.classes[position] for position in result.entry)
        head["entry"] = {"output": output, "input": input_}
    target.write(dump(head)[:-1].encode())
    for quantity in result.quantities:
        separator = f',"{"top" if result.top else quantity.key}":['
        for block in quantity.blocks([batch]):
            target.write((separator + ",".join(samples_as_text(result, block))).encode())
            separator = ","
        target.write(b"]")
    target.write(b"}\n")


def dump(value: Any) -> str:
    """Dump with the shortest digits that read back; JSON lacks infinities and NaN: strings."""
    text = json.dumps(value, separators=(",", ":"), default=str)
    if "Infinity" not in text and "NaN" not in text:
        return text
    return _STRING_OR_CONSTANT.sub(lambda found: found[1] or f'"{found[0]}"', text)


def kept_objects(logits: Logits, batch: Batch) -> Iterator[dict[str, object]]:
    """Walk what is kept of each sample."""
    return (dict(zip(logits.kept_names, row, strict=True)) for row in batch.kept or ())


def samples_as_text(result: Arrays, block: Block, row: str = "") -> list[str]:
    """Return each sample's number, array or array of arrays, as `dump` writes them.

    The numbers of the classes may be put into a text with so many ``%s``. A block that does not
    begin or end its sample leaves the bracket away.
    """
    if result.top:
        return _largest_as_text(result, block)
    lines = _print_lines(block.rows)
    if block.values.ndim == 1:
        return lines
    if row and block.values.ndim == 2:
        return [row % tuple(line.split(",")) for line in lines]
    arrays = [f"[{line}]" for line in lines]
    if block.values.ndim == 2:
        return arrays
    n, opening, closing = len(block.outputs), "[" * block.begins, "]" * block.ends
    matrices = (",".join(arrays[k : k + n]) for k in range(0, len(arrays), n))
    return [f"{opening}{matrix}{closing}" for matrix in matrices]


def _largest_as_text(result: Arrays, block: Block) -> list[str]:
    classes, values = result.largest(block)
    pair = f'{{"class":%s,"{result.quantity.of_class[1]}":%s}}'
    lines = zip(classes.tolist(), _print_lines(values), strict=True)
    rows = (zip(map(encode, row), line.split(","), strict=True) for row, line in lines)
    return [f"[{','.join([pair % each for each in row])}]" for row in rows]


def _print_lines(values: FloatArray) -> list[str]:
    text = print_rows(values).decode()
    if "inf" in text:
        text = re.sub("(-?)inf", r'"\1Infinity"', text)
    return text.splitlines()
