"""LaTeX: matrices ready to paste, and derivations. Needs amsmath."""

from collections.abc import Iterable, Iterator, Sequence

from softmax_cli.display.expression import (
    Notation,
    equation_parts,
    is_digits,
    latex_text,
    number_text,
    sentence,
)
from softmax_cli.display.sample import Samples
from softmax_cli.mathematics.derivation import Derivation
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Explanation, Report, Result
from softmax_cli.writing.people import report_rows, rows
from softmax_cli.writing.target import Target


def write_latex(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a bmatrix for each sample or for all, a tabular, or the steps of a derivation."""
    notation = Notation(latex=True, precision=options.precision)
    with target.text() as text:
        match result:
            case Explanation():
                lines = _steps(result, notation)
            case Report():
                lines = _tabular(result.columns, report_rows(result, options.precision))
            case Arrays() if result.quantity.rank == 2:
                lines = _matrices(result, notation)
            case Arrays():
                lines = _samples(result, notation)
        text.writelines(f"{line}\n" for line in lines)


def bmatrix(body: Iterable[Sequence[str]]) -> str:
    """Return a bmatrix on one line."""
    inner = r" \\ ".join(" & ".join(row) for row in body)
    return rf"\begin{{bmatrix}} {inner} \end{{bmatrix}}"


def jacobian_body(derivation: Derivation, notation: Notation) -> list[list[str]]:
    """Return the entries of a derivation's Jacobian, as they are shown."""
    samples = Samples.at(derivation.z[None], derivation.temperature)
    return [
        [
            number_text(samples.partial(0, j, i, value, notation.precision), notation)
            for i, value in enumerate(row)
        ]
        for j, row in enumerate(derivation.J)
    ]


def _matrices(result: Arrays, notation: Notation) -> Iterator[str]:
    names = result.logits.names_samples or result.logits.class_names is not None
    if result.logits.class_names is not None:
        classes = ", ".join(latex_text(name) for name in result.logits.classes)
        yield f"% rows and columns: {classes}"
    for position, (label, matrix) in enumerate(rows(result, notation)):
        index = f"_{{{_index(label)}}}" if names or position else ""
        yield r"\["
        yield f"J{index} = \\begin{{bmatrix}}"
        yield from _body(matrix)
        yield r"\end{bmatrix}"
        yield r"\]"


def _samples(result: Arrays, notation: Notation) -> Iterator[str]:
    key = result.quantity.key
    left = {"log_probabilities": r"\log y", "vjp": "v", "partials": None}.get(key, "y")
    if left is None and result.entry is not None:
        classes = result.logits.classes
        j, i = (_index(classes[position]) for position in result.entry)
        left = rf"\frac{{\partial y_{{{j}}}}}{{\partial z_{{{i}}}}}"
    if result.logits.class_names is not None:
        yield f"% columns: {', '.join(latex_text(name) for name in result.logits.classes)}"
    yield r"\["
    yield f"{left} = \\begin{{bmatrix}}"
    yield from _body(row for _, (row,) in rows(result, notation))
    yield r"\end{bmatrix}"
    yield r"\]"


def _index(name: str) -> str:
    return name if is_digits(name) else rf"\text{{{latex_text(name)}}}"


def _body(matrix: Iterable[Sequence[str]]) -> Iterator[str]:
    before = ""
    for row in matrix:
        if before:
            yield before + r" \\"
        before = "  " + " & ".join(row)
    yield before


def _tabular(columns: Sequence[str], body: Iterable[Sequence[str]]) -> Iterator[str]:
    yield rf"\begin{{tabular}}{{{'l' * len(columns)}}}"
    yield " & ".join(latex_text(name) for name in columns) + r" \\ \hline"
    for row in body:
        yield " & ".join(latex_text(cell) for cell in row) + r" \\"
    yield r"\end{tabular}"


def _steps(result: Explanation, notation: Notation) -> Iterator[str]:
    derivation = result.derivation
    symbols = derivation.symbols
    if result.heading is not None:
        yield f"% {latex_text(result.heading)}"
    for position, step in enumerate(derivation.steps, start=1):
        yield rf"\paragraph{{{position}. {step.title}.}}"
        yield sentence(step.text, symbols, notation)
        for line in step.lines:
            if isinstance(line, str):
                yield latex_text(line)
            else:
                left, *rest = equation_parts(line, symbols, notation)
                yield r"\begin{align*}"
                yield f"{left} &= " + (" \\\\\n  &= ".join(rest))
                yield r"\end{align*}"
        yield ""
    yield r"\["
    yield f"J = {bmatrix(jacobian_body(derivation, notation))}"
    yield r"\]"
