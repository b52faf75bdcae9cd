"""Formulas as plain text and as LaTeX; a further notation is a further class."""

import re
from dataclasses import dataclass
from typing import ClassVar

from softmax_cli.display.numbers import beside_one, given, significant
from softmax_cli.display.screen import printable
from softmax_cli.errors import visible
from softmax_cli.mathematics.derivation import Part
from softmax_cli.mathematics.exact import Number

# Binding strength, so that parentheses stand only where they are needed.
SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
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
_ASCII = {"δ": "delta", "…": "...", " · ": " * "}
_LATEX = {"δ": r"\delta", "…": r"\dots", " · ": r" \cdot "}


@dataclass(frozen=True)
class Plain:
    """Plain text.

    Attributes
    ----------
    precision
        Significant digits of computed numbers.
    ascii_only
        Whether Greek letters and dots are spelled in ASCII.
    """

    precision: int = 6
    ascii_only: bool = False

    parentheses: ClassVar[tuple[str, str]] = ("(", ")")
    subscript: ClassVar[str] = "_%s"
    derivative: ClassVar[str] = "d%s/d%s"
    # Before what a product has a dot.
    dotted: ClassVar[re.Pattern[str]] = re.compile(r"\d|e\^|\(")

    def symbol(self, letter: str, *index: str) -> Part:
        """Write z_1 or δ_12."""
        joined = ("" if all(len(name) == 1 for name in index) else ",").join(
            map(self._index, index)
        )
        return Part(self._sign(letter) + (self.subscript % joined if index else ""), ATOM)

    def partial(self, output: str, input_: str) -> Part:
        """Write dy_1/dz_2."""
        y, z = self.symbol("y", output).text, self.symbol("z", input_).text
        return Part(self.derivative % (y, z), PRODUCT)

    def given(self, value: float) -> Part:
        """Write the user's number, or an integer, as it is."""
        return self.written(given(value))

    def number(self, value: Number, rest: Number | None = None) -> Part:
        """Write a computed number; near 1 by its rest 1 - value, where that is given."""
        p = self.precision
        return self.written(significant(value, p) if rest is None else beside_one(value, rest, p))

    def written(self, number: str) -> Part:
        """Write a number that is text already."""
        compound = " " in number or number[0] in "<>"
        return Part(number, SUM if compound else SIGN if number[0] == "-" else ATOM)

    def negative(self, part: Part) -> Part:
        """Write -a."""
        return Part(f"-{self._within(part, ATOM)}", SIGN)

    def plus(self, *parts: Part) -> Part:
        """Write a + b + ..."""
        return Part(" + ".join(self._within(part, PRODUCT) for part in parts), SUM)

    def minus(self, left: Part, right: Part) -> Part:
        """Write a - b."""
        least = ATOM if right.text.startswith("-") else PRODUCT
        return Part(f"{left.text} - {self._within(right, least)}", SUM)

    def times(self, first: Part, *factors: Part) -> Part:
        """Write a b ..., with dots where a number would run into another one."""
        text = self._within(first, PRODUCT)
        for factor in factors:
            right = self._within(factor, POWER)
            text += (self._sign(" · ") if self.dotted.match(right) else " ") + right
        return Part(text, PRODUCT)

    def over(self, top: Part, bottom: Part) -> Part:
        """Write a / b."""
        return Part(f"{self._within(top, PRODUCT)} / {self._within(bottom, SIGN)}", PRODUCT)

    def power(self, base: Part, exponent: Part) -> Part:
        """Write a^b."""
        return Part(f"{self._within(base, ATOM)}^{self._within(exponent, ATOM)}", POWER)

    def total(self, index: str, term: Part) -> Part:
        """Write the sum over an index."""
        return Part(f"sum_{index} {self._within(term, PRODUCT)}", PRODUCT)

    def inline(self, part: Part) -> str:
        """Write a formula within a sentence."""
        return part.text

    def _within(self, part: Part, least: int) -> str:
        """Write a part, in parentheses where it binds less than it must."""
        opening, closing = self.parentheses
        return part.text if part.binds >= least else f"{opening}{part.text}{closing}"

    def _sign(self, sign: str) -> str:
        return _ASCII.get(sign, sign) if self.ascii_only else sign

    def _index(self, name: str) -> str:
        shown = printable(name, self.ascii_only)
        return shown if re.fullmatch(r"\w+", shown) else f"[{shown}]"


@dataclass(frozen=True)
class Latex(Plain):
    """LaTeX; needs amsmath."""

    parentheses: ClassVar[tuple[str, str]] = (r"\left(", r"\right)")
    subscript: ClassVar[str] = "_{%s}"
    derivative: ClassVar[str] = r"\frac{\partial %s}{\partial %s}"
    dotted: ClassVar[re.Pattern[str]] = re.compile(r"(\\left\()?\d")

    def written(self, number: str) -> Part:
        """Write a number that is text already."""
        text, binds = super().written(number)
        return Part(latex_number(text), min(binds, PRODUCT) if "e" in number else binds)

    def over(self, top: Part, bottom: Part) -> Part:
        """Write a fraction."""
        return Part(rf"\frac{{{top.text}}}{{{bottom.text}}}", POWER)

    def power(self, base: Part, exponent: Part) -> Part:
        """Write a^{b}."""
        braced = f"{{{exponent.text}}}" if base.text == "e" else exponent.text
        return Part(f"{self._within(base, ATOM)}^{braced}", POWER)

    def total(self, index: str, term: Part) -> Part:
        """Write the sum over an index."""
        return Part(rf"\sum_{{{index}}} {self._within(term, PRODUCT)}", PRODUCT)

    def inline(self, part: Part) -> str:
        """Write a formula within a sentence."""
        return f"${part.text}$"

    def _sign(self, sign: str) -> str:
        return _LATEX.get(sign, sign)

    def _index(self, name: str) -> str:
        return latex_index(name)


def latex_number(text: str) -> str:
    """Write a number that is shown in a table in LaTeX."""
    return re.sub(r"e([-+])0*(\d+)", _power_of_ten, text).replace("inf", r"\infty")


def _power_of_ten(match: re.Match[str]) -> str:
    sign = "-" if match[1] == "-" else ""
    return rf" \times 10^{{{sign}{match[2]}}}"


def latex_text(text: str) -> str:
    """Escape what is special in LaTeX's text."""
    return "".join(_LATEX_SPECIAL.get(character, character) for character in visible(text))


def latex_index(name: str) -> str:
    """Write a class's name as a subscript; a number needs no quoting, nor do our own letters."""
    plain = (name.isascii() and name.isdigit()) or name in ("j", "i", "c")
    return name if plain else rf"\text{{{latex_text(name)}}}"
