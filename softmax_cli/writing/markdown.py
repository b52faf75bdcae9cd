"""Markdown: tables, and derivations with their mathematics as $...$."""

import re
from collections.abc import Iterable, Iterator, Sequence

from softmax_cli.display.expression import Notation, equation_parts, sentence
from softmax_cli.errors import visible
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Explanation, Report, Result
from softmax_cli.writing.latex import bmatrix, jacobian_body
from softmax_cli.writing.people import report_rows, rows
from softmax_cli.writing.target import Target

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&-])")


def write_markdown(result: Result, target: Target, options: OutputOptions) -> None:
    """Write tables, or the steps of a derivation."""
    precision = options.precision
    with target.text() as text:
        match result:
            case Explanation():
                lines = _steps(result, Notation(latex=True, precision=precision))
            case Report():
                cells = report_rows(result, precision)
                lines = _table(result.columns, ([escaped(text) for text in row] for row in cells))
            case Arrays() if result.quantity.rank == 2:
                lines = _matrices(result, Notation(precision=precision))
            case Arrays():
                lines = _samples(result, Notation(precision=precision))
        text.writelines(f"{line}\n" for line in lines)


def escaped(text: str) -> str:
    """Show a name as it stands: no markup, no HTML, no end of the table's cell."""
    return _SPECIAL.sub(r"\\\1", visible(text))


def _table(header: Sequence[str], body: Iterable[Sequence[str]], names: int = 1) -> Iterator[str]:
    """Draw a table; all but the first columns are numbers, and stand on the right."""
    yield f"| {' | '.join(header)} |"
    marks = ["---"] * names + ["---:"] * (len(header) - names)
    yield f"| {' | '.join(marks)} |"
    for row in body:
        yield f"| {' | '.join(row)} |"


def _samples(result: Arrays, notation: Notation) -> Iterator[str]:
    classes = result.logits.classes
    if result.entry is not None:
        j, i = result.entry
        header = [f"dy\\_{escaped(classes[j])}/dz\\_{escaped(classes[i])}"]
    else:
        letter = {"log_probabilities": "log y", "vjp": "v"}.get(result.quantity.key, "y")
        header = [f"{letter}\\_{escaped(name)}" for name in classes]
    body = ([escaped(label), *row] for label, (row,) in rows(result, notation))
    return _table(["sample", *header], body)


def _matrices(result: Arrays, notation: Notation) -> Iterator[str]:
    classes = [escaped(name) for name in result.logits.classes]
    header = ["", *(f"dz\\_{name}" for name in classes)]
    for position, (label, matrix) in enumerate(rows(result, notation)):
        if position:
            yield ""
        if result.logits.names_samples or position or result.logits.class_names:
            yield f"**sample {escaped(label)}**"
            yield ""
        body = ([f"dy\\_{name}", *row] for name, row in zip(classes, matrix, strict=True))
        yield from _table(header, body)


def _steps(result: Explanation, notation: Notation) -> Iterator[str]:
    derivation = result.derivation
    symbols = derivation.symbols
    if result.heading is not None:
        yield f"**{escaped(result.heading)}**"
        yield ""
    for position, step in enumerate(derivation.steps, start=1):
        yield f"### {position}. {step.title}"
        yield ""
        yield sentence(step.text, symbols, notation)
        yield ""
        for k, line in enumerate(step.lines):
            if isinstance(line, str):
                yield f"\n{escaped(line)}\n" if k else f"{escaped(line)}\n"
            else:
                yield f"- ${' = '.join(equation_parts(line, symbols, notation))}$"
        if step.lines:
            yield ""
    body = bmatrix(jacobian_body(derivation, notation))
    yield f"$$J = {body}$$"
