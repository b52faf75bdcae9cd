"""LaTeX: matrices ready to paste, and derivations. Needs amsmath."""

from collections.abc import Iterator

from softmax_cli.display.explain import explain
from softmax_cli.display.grids import Grid, all_grids
from softmax_cli.display.notation import Latex, latex_index, latex_number, latex_text
from softmax_cli.display.screen import Screen
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Explanation, Report, Result
from softmax_cli.writing.target import Target


def write_latex(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a bmatrix for each sample or for all, a tabular, or the steps of a derivation."""
    screen = Screen(precision=options.precision)
    match result:
        case Explanation():
            lines = _steps(result, screen)
        case Report():
            lines = _tabular(result, screen)
        case Arrays():
            lines = _matrices(result, screen)
    target.write("".join(f"{line}\n" for line in lines).encode())


def bmatrix(grid: Grid, space: str = " ") -> str:
    """Return the numbers of a grid as a bmatrix, with a space before each row."""
    _, *rows = (" & ".join(map(latex_number, texts[1:])) for texts in grid.texts())
    inner = rf" \\{space}".join(rows)
    return rf"\begin{{bmatrix}}{space}{inner}{space.rstrip(' ') or ' '}\end{{bmatrix}}"


def _matrices(result: Arrays, screen: Screen) -> Iterator[str]:
    symbol = result.quantity.symbol.replace("log", r"\log")
    if result.entry is not None:
        output, input_ = (result.logits.classes[c] for c in result.entry)
        symbol = Latex().partial(output, input_, "log y" if result.quantity.log else "y").text
    if result.logits.class_names is not None:
        what = "rows and columns" if symbol == "J" else "columns"
        yield f"% {what}: {', '.join(map(latex_text, result.logits.classes))}"
    for label, grid in all_grids(result, screen):
        index = f"_{{{latex_index(label)}}}" if label else ""
        matrix = bmatrix(grid, "\n  ")
        yield f"\\[\n{symbol}{index} = {matrix}\n\\]"


def _tabular(result: Report, screen: Screen) -> Iterator[str]:
    yield rf"\begin{{tabular}}{{{'l' * len(result.columns)}}}"
    for _, grid in all_grids(result, screen):
        for k, row in enumerate(grid.texts()):
            yield " & ".join(map(latex_text, row)) + (r" \\" if k else r" \\ \hline")
    yield r"\end{tabular}"


def _steps(result: Explanation, screen: Screen) -> Iterator[str]:
    if result.heading is not None:
        yield f"% {latex_text(result.heading)}"
    for position, step in enumerate(explain(result.derivation, Latex(screen.precision)), 1):
        yield f"\\paragraph{{{position}. {step.title}.}}\n{step.text}"
        for line in step.lines:
            if isinstance(line, str):
                yield latex_text(line)
            else:
                left, *rest = line.sides
                equation = f"{left} &= " + " \\\\\n  &= ".join(rest)
                yield f"\\begin{{align*}}\n{equation}\n\\end{{align*}}"
        yield ""
    for _, grid in all_grids(result, screen):
        yield f"\\[\nJ = {bmatrix(grid)}\n\\]"
