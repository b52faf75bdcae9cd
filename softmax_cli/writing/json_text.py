"""JSON on one line, by the json module."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from softmax_cli.display.expression import Notation, sentence, write
from softmax_cli.mathematics.derivation import Derivation
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Block, Explanation, Report, Result
from softmax_cli.samples import concatenate
from softmax_cli.writing.numbers import print_rows
from softmax_cli.writing.target import Target


def write_json(result: Result, target: Target, options: OutputOptions) -> None:
    """Write one document; names come first, so the input is read whole before it begins."""
    match result:
        case Report():
            target.write(f"{dump(result.document)}\n".encode())
        case Explanation():
            target.write(f"{dump(_steps(result.derivation))}\n".encode())
        case Arrays():
            _write_arrays(result, target)


def _write_arrays(result: Arrays, target: Target) -> None:
    logits = result.logits
    batch = concatenate(logits.batches, logits.n_classes)
    head: dict[str, Any] = {
        "command": result.command,
        "classes": logits.classes,
        "samples": batch.labels,
    }
    if result.entry is not None:
        output, input_ = (logits.classes[position] for position in result.entry)
        head["entry"] = {"output": output, "input": input_}
    target.write(dump(head)[:-1].encode())
    for quantity in result.quantities:
        target.write(f',"{quantity.key}":['.encode())
        separator = ""
        for block in quantity.blocks([batch]):
            target.write((separator + ",".join(samples_as_text(block))).encode())
            separator = ","
        target.write(b"]")
    target.write(b"}\n")


def _steps(derivation: Derivation) -> dict[str, Any]:
    """Return the steps as data: formulas in plain ASCII, numbers with all digits."""
    notation = Notation(ascii_only=True, precision=17)
    symbols = derivation.symbols
    steps = []
    for step in derivation.steps:
        lines: list[str | dict[str, Any]] = []
        for line in step.lines:
            if isinstance(line, str):
                lines.append(line)
                continue
            left = write(line.left, symbols, notation)
            formulas = [write(formula, symbols, notation) for formula in line.formulas]
            equation: dict[str, Any] = {"left": left, "formulas": formulas}
            if line.value is not None:
                equation["numbers"] = write(line.formulas[-1], symbols, notation, with_numbers=True)
                equation["value"] = line.value
            lines.append(equation)
        text = sentence(step.text, symbols, notation)
        steps.append({"title": step.title, "text": text, "lines": lines})
    return {
        "command": "jacobian",
        "classes": derivation.classes,
        "sample": derivation.sample,
        "logits": derivation.z.tolist(),
        "temperature": derivation.temperature,
        "shift": derivation.shift,
        "steps": steps,
        "probabilities": derivation.y.tolist(),
        "jacobian": derivation.J.tolist(),
    }


def dump(value: Any) -> str:
    """Dump with the shortest digits that read back; JSON lacks infinities and NaN: strings."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_without_infinities(value), allow_nan=False, separators=(",", ":"))


def samples_as_text(block: Block) -> Iterator[str]:
    """Yield each sample's number, array or array of arrays, as `dump` writes them.

    A block that does not begin or end its sample leaves the bracket away.
    """
    rank = block.values.ndim - 1
    text = print_rows(block.values.reshape(-1, block.values.shape[-1] if rank else 1)).decode()
    if "inf" in text:
        text = re.sub("-?inf", lambda match: dump(float(match[0])), text)
    lines = text.splitlines()
    if rank == 0:
        yield from lines
    elif rank == 1:
        yield from (f"[{line}]" for line in lines)
    else:
        n = len(block.outputs)
        opening, closing = "[" * block.begins, "]" * block.ends
        for start in range(0, len(lines), n):
            matrix = "],[".join(lines[start : start + n])
            yield f"{opening}[{matrix}]{closing}"


def _without_infinities(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return "NaN"
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _without_infinities(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_infinities(each) for each in value]
    return value
