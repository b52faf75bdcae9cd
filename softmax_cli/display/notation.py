"""Formulas as plain text and as LaTeX; a further notation is a further class."""

import re
from dataclasses import dataclass, replace
from typing import ClassVar, Self
from unicodedata import normalize

from softmax_cli.display.numbers import beside_one, given, significant
from softmax_cli.display.screen import printable
from softmax_cli.errors import visible
from softmax_cli.mathematics.exact import Number

# Binding strength, so that parentheses stand only where they are needed.
SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
_LATEX_TEXT = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        **{character: f"\\{character}" for character in "#$%&_{}"},
        # Other signs in the oldest of fonts.
        **{"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': '"{}'},
        # Behind the end of a row they would say how far the next one is; two hyphens are a dash.
        **{"[": "{[}", "*": "{*}", "-": "{-}", "`": "{`}", "'": "{'}"},
    }
)
_OGONEK = "\u0328"
_ASCII = {"δ": "delta", "…": "...", " · ": " * "}
_LATEX = {"log y": r"\log y", "δ": r"\delta", "…": r"\dots", " · ": r" \cdot "}


@dataclass(frozen=True)
class Plain:
    """A formula in plain text; Python's operators, and any formula's methods, make others.

    None stands for what is left out of a difference, a product or a fraction.

    Attributes
    ----------
    precision
        Significant digits of computed numbers.
    ascii_only
        Whether Greek letters and dots are spelled in ASCII.
    text, binds
        How it is written, and how strongly it binds.
    """

    precision: int = 6
    ascii_only: bool = False
    text: str = ""
    binds: int = ATOM

    parentheses: ClassVar[tuple[str, str]] = ("(", ")")
    subscript: ClassVar[str] = "_%s"
    derivative: ClassVar[str] = "d%s/d%s"
    # Before what a product has a dot.
    dotted: ClassVar[re.Pattern[str]] = re.compile(r"\d|e\^|\(")

    def symbol(self, letter: str, *index: str) -> Self:
        """Write z_1 or δ_12."""
        between = "" if all(len(name) == 1 for name in index) else ","
        subscript = self.subscript % between.join(map(self._index, index)) if index else ""
        return self._new(self._sign(letter) + subscript, ATOM)

    def partial(self, output: str, input_: str, letter: str = "y") -> Self:
        """Write dy_1/dz_2."""
        y, z = self.symbol(letter, output).text, self.symbol("z", input_).text
        return self._new(self.derivative % (y, z), PRODUCT)

    def given(self, value: float) -> Self:
        """Write the user's number, or an integer, as it is."""
        return self._number(given(value))

    def number(self, value: Number, rest: Number | None = None) -> Self:
        """Write a computed number; near 1 by its rest 1 - value, where that is given."""
        p = self.precision
        return self._number(significant(value, p) if rest is None else beside_one(value, rest, p))

    def total(self, index: str, term: Self) -> Self:
        """Write the sum over an index."""
        return self._new(f"sum_{index} {term.within(PRODUCT)}", PRODUCT)

    def __neg__(self) -> Self:
        return self._new(f"-{self.within(ATOM)}", SIGN)

    def __add__(self, other: Self) -> Self:
        return self._new(f"{self.text} + {other.within(PRODUCT)}", SUM)

    def __sub__(self, other: Self | None) -> Self:
        if other is None:
            return self
        least = ATOM if other.text.startswith("-") else PRODUCT
        return self._new(f"{self.text} - {other.within(least)}", SUM)

    def __mul__(self, other: Self | None) -> Self:
        if other is None:
            return self
        right = other.within(POWER)
        dot = self._sign(" · ") if self.dotted.match(right) else " "
        return self._new(f"{self.within(PRODUCT)}{dot}{right}", PRODUCT)

    def __truediv__(self, other: Self | None) -> Self:
        return self if other is None else self._over(other)

    def __pow__(self, exponent: Self) -> Self:
        return self._new(f"{self.within(ATOM)}^{exponent.within(ATOM)}", POWER)

    def __str__(self) -> str:
        return self.text

    def within(self, least: int) -> str:
        """Write it in parentheses where it binds less than it must."""
        opening, closing = self.parentheses
        return self.text if self.binds >= least else f"{opening}{self.text}{closing}"

    def _new(self, text: str, binds: int) -> Self:
        return replace(self, text=text, binds=binds)

    def _number(self, text: str) -> Self:
        compound = " " in text or text[0] in "<>"
        return self._new(text, SUM if compound else SIGN if text[0] == "-" else ATOM)

    def _over(self, bottom: Self) -> Self:
        return self._new(f"{self.within(PRODUCT)} / {bottom.within(SIGN)}", PRODUCT)

    def _sign(self, sign: str) -> str:
        return _ASCII.get(sign, sign) if self.ascii_only else sign

    def _index(self, name: str) -> str:
        shown = printable(name, self.ascii_only)
        return shown if re.fullmatch(r"\w+", shown) else f"[{shown}]"


@dataclass(frozen=True)
class Latex(Plain):
    """A formula in LaTeX; needs amsmath. Within a sentence it stands between dollar signs."""

    parentheses: ClassVar[tuple[str, str]] = (r"\left(", r"\right)")
    subscript: ClassVar[str] = "_{%s}"
    derivative: ClassVar[str] = r"\frac{\partial %s}{\partial %s}"
    dotted: ClassVar[re.Pattern[str]] = re.compile(r"(\\left\()?\d")

    def total(self, index: str, term: Self) -> Self:
        """Write the sum over an index."""
        return self._new(rf"\sum_{{{index}}} {term.within(PRODUCT)}", PRODUCT)

    def __pow__(self, exponent: Self) -> Self:
        braced = f"{{{exponent.text}}}" if self.text == "e" else exponent.text
        return self._new(f"{self.within(ATOM)}^{braced}", POWER)

    def __str__(self) -> str:
        return f"${self.text}$"

    def _number(self, text: str) -> Self:
        made = super()._number(text)
        return made._new(
            latex_number(text), min(made.binds, PRODUCT) if "e" in text else made.binds
        )

    def _over(self, bottom: Self) -> Self:
        return self._new(rf"\frac{{{self.text}}}{{{bottom.text}}}", POWER)

    def _sign(self, sign: str) -> str:
        return _LATEX.get(sign, sign)

    def _index(self, name: str) -> str:
        return latex_index(name)


def latex_number(text: str) -> str:
    """Write a number that is shown in a table in LaTeX."""
    text = re.sub(r"e[+]?(-?)0*(\d+)", r" \\times 10^{\1\2}", text)
    return text.replace("inf", r"\infty")


def typesettable(text: str) -> str:
    """Show a name in the letters that pdflatex has; others are named, as in [U+732B]."""
    return "".join(c if _has(c) else f"[U+{ord(c):04X}]" for c in visible(text))


def _has(c: str) -> bool:
    parts = normalize("NFD", c)
    is_latin = parts[0].isascii() and c < "\u0180" and not parts.endswith(_OGONEK)
    return is_latin or c in "ßæÆøØœŒłŁ"


def latex_text(text: str) -> str:
    """Escape what is special in LaTeX's text."""
    return typesettable(text).translate(_LATEX_TEXT)


def latex_index(name: str) -> str:
    """Write a class's name as a subscript; a number needs no quoting, nor do our own letters."""
    plain = (name.isascii() and name.isdigit()) or name in ("j", "i", "c")
    return name if plain else rf"\text{{{latex_text(name)}}}"
