"""Formulas as text and as LaTeX, with symbols or with their numbers."""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass

from softmax_cli.display.numbers import (
    distance,
    given,
    negative,
    positive,
    probability,
    significant,
)
from softmax_cli.errors import visible
from softmax_cli.mathematics.derivation import Equation, Symbol

# Binding strength, so that parentheses stand only where they are needed.
_SUM, _PRODUCT, _SIGN, _POWER, _ATOM = range(5)
_LATEX_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "#$%&_{}"},
    # Other signs in the oldest of fonts, and markup where Markdown carries the formula.
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # Behind the end of a row they would say how far the next one is.
    "[": "{[}",
    "*": "{*}",
}


@dataclass(frozen=True)
class Notation:
    """How the parts of a formula are written.

    Attributes
    ----------
    latex
        LaTeX instead of plain text.
    ascii_only
        Plain text without Greek letters.
    precision
        Significant digits of numbers.
    """

    latex: bool = False
    ascii_only: bool = False
    precision: int = 6

    def sign(self, latex: str, unicode: str, plain: str) -> str:
        """Choose how a sign is written."""
        return latex if self.latex else plain if self.ascii_only else unicode


def equation_parts(
    equation: Equation, symbols: Mapping[str, Symbol], notation: Notation
) -> list[str]:
    """Return left side, formulas, numbers and value, each as it is shown."""
    parts = [write(equation.left, symbols, notation)]
    parts += [write(formula, symbols, notation) for formula in equation.formulas]
    if equation.value is not None:
        numbers = write(equation.formulas[-1], symbols, notation, with_numbers=True)
        symbol = symbols[equation.left]
        value = number(_valued(symbol, equation), notation)[0]
        parts += [numbers, value]
    return [part for part, before in zip(parts, ["", *parts], strict=False) if part != before]


def _valued(symbol: Symbol, equation: Equation) -> Symbol:
    if symbol.value == equation.value:
        return symbol
    return Symbol(symbol.base, value=equation.value, sign=equation.sign)


def write(
    formula: str, symbols: Mapping[str, Symbol], notation: Notation, with_numbers: bool = False
) -> str:
    """Write a formula, with the names of its symbols or with their numbers."""
    tree = ast.parse(formula, mode="eval").body
    return _Writer(symbols, notation, with_numbers).write(tree)[0]


def name(symbol: Symbol, notation: Notation) -> str:
    """Write the name of a symbol: z_1, dy_1/dz_2, delta_12."""
    index = [_index(each, notation) for each in symbol.index]
    if symbol.base == "dy/dz":
        output, input_ = index
        if notation.latex:
            return rf"\frac{{\partial y_{output}}}{{\partial z_{input_}}}"
        return f"dy_{output}/dz_{input_}"
    if symbol.base == "delta":
        delta = notation.sign(r"\delta", "δ", "delta")
        return delta + "_" + _joined(symbol.index, notation)
    return symbol.base + "".join(f"_{each}" for each in index)


def number(symbol: Symbol, notation: Notation) -> tuple[str, int]:
    """Write the value of a symbol, and say how strongly what is written binds."""
    value, precision = symbol.value, notation.precision
    assert value is not None
    if symbol.exact:
        text = given(value)
    elif symbol.beyond_one is not None and symbol.beyond_one <= 0:
        masked = symbol.sign == 0
        text = probability(value, -symbol.beyond_one, precision, masked, alone=False)
    elif symbol.sign:
        text = (positive if symbol.sign > 0 else negative)(value, precision)
    else:
        text = significant(value, precision)
    if symbol.beyond_one and text == significant(1.0, precision):
        text = f"1 + {distance(symbol.beyond_one, precision)}"
    compound = " " in text or text.startswith(("<", ">"))
    strength = _SUM if compound else _SIGN if text.startswith("-") else _ATOM
    if notation.latex and strength > _PRODUCT and "e" in text:
        strength = _PRODUCT
    return number_text(text, notation), strength


def number_text(text: str, notation: Notation) -> str:
    """Write a number that is shown in a table in a notation."""
    if not notation.latex:
        return text
    text = re.sub(r"e([-+])0*(\d+)", _power_of_ten, text)
    return text.replace("inf", r"\infty")


def _power_of_ten(match: re.Match[str]) -> str:
    sign = "-" if match[1] == "-" else ""
    return rf" \times 10^{{{sign}{match[2]}}}"


def latex_text(text: str) -> str:
    """Escape what is special in LaTeX's text."""
    return "".join(_LATEX_SPECIAL.get(character, character) for character in visible(text))


def is_digits(text: str) -> bool:
    """Tell whether a class goes by its number, which needs no quoting."""
    return text.isascii() and text.isdigit()


def _index(text: str, notation: Notation) -> str:
    if notation.latex:
        plain = text if is_digits(text) or (len(text) == 1 and text in "jic") else None
        return f"{{{plain}}}" if plain else rf"{{\text{{{latex_text(text)}}}}}"
    shown = visible(text)
    if notation.ascii_only:
        shown = shown.encode("ascii", "backslashreplace").decode()
    return shown if re.fullmatch(r"\w+", shown) else f"[{shown}]"


def _joined(index: tuple[str, ...], notation: Notation) -> str:
    parts = [_index(each, notation) for each in index]
    if notation.latex:
        inner = [part[1:-1] for part in parts]
        short = all(len(each) == 1 for each in index)
        return "{" + ("" if short else ",").join(inner) + "}"
    return "".join(parts) if all(len(part) == 1 for part in parts) else ",".join(parts)


class _Writer(ast.NodeVisitor):
    """Writes a tree bottom up; every visit returns text and how strongly it binds."""

    def __init__(
        self, symbols: Mapping[str, Symbol], notation: Notation, with_numbers: bool
    ) -> None:
        self.symbols, self.notation, self.with_numbers = symbols, notation, with_numbers

    def write(self, node: ast.AST) -> tuple[str, int]:
        result: tuple[str, int] = self.visit(node)
        return result

    def within(self, node: ast.AST, least: int) -> str:
        """Write a part, in parentheses where it binds less than it must."""
        text, strength = self.write(node)
        if strength >= least:
            return text
        return rf"\left({text}\right)" if self.notation.latex else f"({text})"

    def visit_Name(self, node: ast.Name) -> tuple[str, int]:
        symbol = self.symbols[node.id]
        if (self.with_numbers or not symbol.base) and symbol.value is not None:
            return number(symbol, self.notation)
        if symbol.formula is not None:
            return self.write(ast.parse(symbol.formula, mode="eval").body)
        return name(symbol, self.notation), _PRODUCT if "/" in symbol.base else _ATOM

    def visit_Constant(self, node: ast.Constant) -> tuple[str, int]:
        if node.value is ...:
            return self.notation.sign(r"\dots", "…", "..."), _ATOM
        return str(node.value), _ATOM

    def visit_UnaryOp(self, node: ast.UnaryOp) -> tuple[str, int]:
        return f"-{self.within(node.operand, _ATOM)}", _SIGN

    def visit_Call(self, node: ast.Call) -> tuple[str, int]:
        assert isinstance(node.func, ast.Name)
        (argument,) = node.args
        if node.func.id == "total":
            inner = self.within(argument, _PRODUCT)
            sign = self.notation.sign(r"\sum_{c} ", "sum_c ", "sum_c ")
            return sign + inner, _PRODUCT
        if self.notation.latex:
            return f"e^{{{self.write(argument)[0]}}}", _POWER
        return f"e^{self.within(argument, _ATOM)}", _POWER

    def visit_BinOp(self, node: ast.BinOp) -> tuple[str, int]:
        match node.op:
            case ast.Add() | ast.Sub():
                minus = isinstance(node.op, ast.Sub)
                left = self.within(node.left, _SUM)
                right = self.within(node.right, _PRODUCT)
                if right.startswith("-"):
                    right = rf"\left({right}\right)" if self.notation.latex else f"({right})"
                return f"{left} {'-' if minus else '+'} {right}", _SUM
            case ast.Mult():
                return self.product(node), _PRODUCT
            case ast.Div() if self.notation.latex:
                top, bottom = self.write(node.left)[0], self.write(node.right)[0]
                return rf"\frac{{{top}}}{{{bottom}}}", _POWER
            case ast.Div():
                top = self.within(node.left, _PRODUCT)
                return f"{top} / {self.within(node.right, _SIGN)}", _PRODUCT
            case _:
                power = self.write(node.right)[0]
                return f"{self.within(node.left, _ATOM)}^{power}", _POWER

    def product(self, node: ast.BinOp) -> str:
        left, right = self.within(node.left, _PRODUCT), self.within(node.right, _SIGN + 1)
        numbers = right[:1].isdigit() or right.startswith(("e^", "("))
        dot = self.notation.sign(r" \cdot ", " · ", " * ")
        if self.with_numbers or (numbers and not self.notation.latex):
            return left + dot + right
        return f"{left} {right}"


def sentence(text: str, symbols: Mapping[str, Symbol], notation: Notation) -> str:
    """Write a sentence whose formulas stand in backticks; in LaTeX they become $...$."""
    parts = text.split("`")
    for position in range(1, len(parts), 2):
        written = write(parts[position], symbols, notation)
        parts[position] = f"${written}$" if notation.latex else written
    return "".join(parts)
