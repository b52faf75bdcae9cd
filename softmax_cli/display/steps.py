"""A derivation drawn for people: each line the formula, then the same formula with numbers."""

from collections.abc import Iterator
from textwrap import wrap

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from softmax_cli.display.expression import Notation, equation_parts, sentence
from softmax_cli.display.matrix import matrix
from softmax_cli.display.screen import Screen
from softmax_cli.display.tables import QUIET, name_text
from softmax_cli.mathematics.derivation import Derivation, Equation
from softmax_cli.result import Explanation

_INDENT = 3
# Prose is broken where nothing else bounds it.
_PROSE_WIDTH = 88


def view(result: Explanation, screen: Screen) -> Iterator[RenderableType]:
    """Draw the steps one below the other, the matrix last."""
    derivation = result.derivation
    notation = Notation(ascii_only=screen.ascii_only, precision=screen.precision)
    if result.heading is not None:
        yield name_text(result.heading, screen, style="bold")
        yield Text()
    for position, step in enumerate(derivation.steps, start=1):
        yield Text(f"{position}. {step.title}", "bold")
        text = sentence(step.text, derivation.symbols, notation)
        for prose in wrap(text, _PROSE_WIDTH) if screen.width is None else [text]:
            yield Padding(name_text(prose, screen), (0, 0, 0, _INDENT))
        for line in step.lines:
            if isinstance(line, str):
                yield Padding(name_text(line, screen, style=QUIET), (0, 0, 0, _INDENT))
            else:
                yield _equation(line, derivation, notation, screen)
        yield Text()
    yield from matrix(derivation.z, derivation.classes, derivation.temperature, screen)


def _equation(
    equation: Equation, derivation: Derivation, notation: Notation, screen: Screen
) -> RenderableType:
    parts = equation_parts(equation, derivation.symbols, notation)
    indent = " " * (2 * _INDENT)
    line = Text(indent + " = ".join(parts[:-1]))
    value = Text(f" = {parts[-1]}", "bold" if equation.value is not None else "")
    if screen.width is None or line.cell_len + value.cell_len <= screen.width:
        return line.append_text(value)
    # Too long for one line: every equals sign begins one, under the first.
    hang = indent + "  "
    broken = Text(indent + parts[0])
    for part in parts[1:-1]:
        broken.append(f"\n{hang}= {part}")
    return broken.append(f"\n{hang}= {parts[-1]}", value.style)
