"""LaTeX: matrices ready to paste, and derivations. Needs amsmath."""

from collections.abc import Iterable, Iterator, Sequence

from softmax_cli.display import grids
from softmax_cli.display.notation import Latex, latex_index, latex_number, latex_text
from softmax_cli.display.screen import Screen
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Explanation, Jacobian, Report, Result
from softmax_cli.writing.target import Target


def write_latex(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a bmatrix for each sample or for all, a tabular, or the steps of a derivation."""
    screen = Screen(precision=options.precision)
    match result:
        case Explanation():
            lines = _steps(result, screen)
        case Report():
            lines = _tabular(result.columns, grids.report_rows(result, options.precision))
        case Arrays(quantity=Jacobian()):
            lines = _matrices(result, screen)
        case Arrays():
            lines = _samples(result, screen)
    with target.text() as text:
        text.writelines(f"{line}\n" for line in lines)


def bmatrix(grid: grids.Grid) -> str:
    """Return a bmatrix on one line."""
    inner = r" \\ ".join(_rows(grid))
    return rf"\begin{{bmatrix}} {inner} \end{{bmatrix}}"


def _rows(grid: grids.Grid) -> Iterator[str]:
    return (" & ".join(map(latex_number, cells)) for _, cells in grid.texts())


def _display(left: str, grid: grids.Grid) -> Iterator[str]:
    """Write an equation with a matrix, a row a line."""
    yield r"\["
    yield f"{left} = \\begin{{bmatrix}}"
    before = ""
    for row in _rows(grid):
        if before:
            yield before + r" \\"
        before = f"  {row}"
    yield before
    yield r"\end{bmatrix}"
    yield r"\]"


def _matrices(result: Arrays, screen: Screen) -> Iterator[str]:
    yield from _comment(result, "rows and columns")
    named = result.logits.names_samples or result.logits.class_names is not None
    for position, (label, grid) in enumerate(grids.jacobian_grids(result, screen)):
        index = f"_{{{latex_index(label)}}}" if named or position else ""
        yield from _display(f"J{index}", grid)


def _samples(result: Arrays, screen: Screen) -> Iterator[str]:
    left = {"log_probabilities": r"\log y", "vjp": "v"}.get(result.quantity.key, "y")
    if result.entry is not None:
        left = Latex().partial(*(result.logits.classes[c] for c in result.entry)).text
    yield from _comment(result, "columns")
    yield from _display(left, grids.samples_grid(result, result.logits.batches, screen))


def _comment(result: Arrays, what: str) -> Iterator[str]:
    if result.logits.class_names is not None:
        yield f"% {what}: {', '.join(latex_text(name) for name in result.logits.classes)}"


def _tabular(columns: Sequence[str], body: Iterable[Sequence[str]]) -> Iterator[str]:
    yield rf"\begin{{tabular}}{{{'l' * len(columns)}}}"
    yield " & ".join(map(latex_text, columns)) + r" \\ \hline"
    for row in body:
        yield " & ".join(map(latex_text, row)) + r" \\"
    yield r"\end{tabular}"


def _steps(result: Explanation, screen: Screen) -> Iterator[str]:
    if result.heading is not None:
        yield f"% {latex_text(result.heading)}"
    for position, step in enumerate(result.derivation.steps(Latex(screen.precision)), start=1):
        yield rf"\paragraph{{{position}. {step.title}.}}"
        yield step.text
        for line in step.lines:
            if isinstance(line, str):
                yield latex_text(line)
            else:
                left, *rest = line.parts
                yield r"\begin{align*}"
                yield f"{left} &= " + (" \\\\\n  &= ".join(rest))
                yield r"\end{align*}"
        yield ""
    yield r"\["
    yield f"J = {bmatrix(grids.derived_grid(result.derivation, screen))}"
    yield r"\]"
