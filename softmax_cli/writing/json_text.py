"""JSON on one line, by the json module; JSON lines hold an object a sample."""

import json
import re
from collections.abc import Iterable
from functools import partial
from json.encoder import encode_basestring_ascii as encode
from typing import Any

from softmax_cli.fast import print_rows
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Report, Result
from softmax_cli.samples import Batch, FloatArray, Logits, as_text, concatenate
from softmax_cli.writing.target import Target, write_pieces

_STRING_OR_CONSTANT = re.compile(r'("(?:[^"\\]|\\.)*")|-?Infinity|NaN')


def write_json(result: Result, target: Target, options: OutputOptions) -> None:
    """Write one document; names come first, so the input is read whole before it begins."""
    if isinstance(result, Report):
        target.write(f"{_dump(result.document())}\n".encode())
        return
    assert isinstance(result, Arrays)
    logits = result.logits
    batch = concatenate(logits.batches, logits.n_classes)
    head: dict[str, Any] = {"command": result.command, "classes": logits.classes}
    head["samples"] = batch.labels
    head |= {"kept": _kept(logits, batch)} if batch.kept else {}
    head |= {"log": True} if result.quantity.log and result.command == "jacobian" else {}
    if result.quantity.entry is not None:
        output, input_ = (logits.classes[position] for position in result.quantity.entry)
        head["entry"] = {"output": output, "input": input_}
    target.write(_dump(head)[:-1].encode())
    for quantity in result.quantities:
        separator = f',"{"top" if result.top else quantity.key}":['
        for block in quantity.blocks([batch]):
            target.write((separator + ",".join(_samples(result, block))).encode())
            separator = ","
        target.write(b"]")
    target.write(b"}\n")


def write_jsonl(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a line a sample, as it is computed."""
    if isinstance(result, Arrays):
        names = result.logits.class_names or ()
        keys = [encode(name).replace("%", "%%") for name in names]
        row = f"{{{':%s,'.join(keys)}:%s}}" if keys and len(set(keys)) == len(keys) else ""
        write_pieces(result, target, options, b"", partial(_lines, result, row))
    elif isinstance(result, Report):
        rows = (dict(zip(result.columns, row, strict=True)) for row in result.rows)
        samples = result.document().get("samples", rows)
        target.write("".join(f"{_dump(sample)}\n" for sample in samples).encode())


def _lines(result: Arrays, row: str, block: Block) -> bytes:
    end, values = "}\n" if block.ends else "", _samples(result, block, row)
    if not block.begins:
        return "".join(f",{value}{end}" for value in values).encode()
    key = "top" if result.top else "partial" if result.quantity.entry else result.quantity.key
    names: Iterable[str] = map(encode, block.batch.labels)
    if block.batch.kept:
        kept = map(_dump, _kept(result.logits, block.batch))
        names = map('{},"kept":{}'.format, names, kept)
    named = zip(names, values, strict=True)
    return "".join([f'{{"sample":{name},"{key}":{value}{end}' for name, value in named]).encode()


def _dump(value: Any) -> str:
    """Dump with the shortest digits that read back; JSON lacks infinities and NaN: strings."""
    text = json.dumps(value, separators=(",", ":"), default=as_text)
    if "Infinity" not in text and "NaN" not in text:
        return text
    return _STRING_OR_CONSTANT.sub(lambda found: found[1] or f'"{found[0]}"', text)


def _kept(logits: Logits, batch: Batch) -> list[dict[str, object]]:
    """Return what is kept of each sample."""
    return [dict(zip(logits.kept_names, row, strict=True)) for row in batch.kept or ()]


def _samples(result: Arrays, block: Block, row: str = "") -> list[str]:
    """Return each sample's number, array or array of arrays, as text.

    The numbers of the classes may be put into a text with so many ``%s``. A block that does not
    begin or end its sample leaves the bracket away.
    """
    if result.top:
        classes, values = result.largest(block)
        pair = f'{{"class":%s,"{"log_" * result.quantity.log}probability":%s}}'
        largest = zip(classes.tolist(), _print_lines(values), strict=True)
        rows = (zip(map(encode, names), line.split(","), strict=True) for names, line in largest)
        return [f"[{','.join([pair % each for each in pairs])}]" for pairs in rows]
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


def _print_lines(values: FloatArray) -> list[str]:
    text = print_rows(values).decode()
    if "inf" in text:
        text = re.sub("(-?)inf", r'"\1Infinity"', text)
    return text.splitlines()
