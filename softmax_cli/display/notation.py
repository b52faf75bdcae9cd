"""Formulas as plain text, LaTeX and MathML; a further notation is a further class."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
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
    signs: ClassVar[tuple[str, str, str]] = ("-", " - ", " + ")
    between: ClassVar[tuple[str, str]] = (" ", ",")  # factors, and long names in an index
    subscript: ClassVar[str] = "%s_%s"
    derivative: ClassVar[str] = "d%s/d%s"
    summation: ClassVar[str] = "sum_%s %s"
    # Whether T and m are always written, for a script to hide.
    is_live: ClassVar[bool] = False
    # What may begin with a sign, and before what a product has a dot.
    signed: ClassVar[re.Pattern[str]] = re.compile("-")
    dotted: ClassVar[re.Pattern[str]] = re.compile(r"\d|e\^|\(")

    def symbol(self, letter: str, *index: str) -> Self:
        """Write z_1 or δ_12."""
        if not index:
            return self._new(self._sign(letter), ATOM)
        between = "" if all(len(name) == 1 for name in index) else self.between[1]
        names = between.join(map(self._index, index))
        return self._new(self.subscript % (self._sign(letter), names), ATOM)

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
        return self._new(self.summation % (index, term.within(PRODUCT)), PRODUCT)

    def live(self, name: str) -> Self:
        """Name a number that a page fills in again; elsewhere it stays as it is."""
        return self

    def when(self, letter: str, text: str) -> str:
        """Mark what is said only where T is not 1, or where there is a shift m."""
        return text

    def __neg__(self) -> Self:
        return self._new(f"{self.signs[0]}{self.within(ATOM)}", SIGN)

    def __add__(self, other: Self) -> Self:
        return self._new(f"{self.text}{self.signs[2]}{other.within(PRODUCT)}", SUM)

    def __sub__(self, other: Self | None) -> Self:
        if other is None:
            return self
        least = ATOM if self.signed.match(other.text) else PRODUCT
        return self._new(f"{self.text}{self.signs[1]}{other.within(least)}", SUM)

    def __mul__(self, other: Self | None) -> Self:
        if other is None:
            return self
        right = other.within(POWER)
        dot = self._sign(" · ") if self.dotted.match(right) else self.between[0]
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
    subscript: ClassVar[str] = "%s_{%s}"
    derivative: ClassVar[str] = r"\frac{\partial %s}{\partial %s}"
    summation: ClassVar[str] = r"\sum_{%s} %s"
    dotted: ClassVar[re.Pattern[str]] = re.compile(r"(\\left\()?\d")

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


@dataclass(frozen=True)
class MathML(Plain):
    """A formula in MathML, for a script to fill in: a class of index ``#2`` is the third of names.

    A live number is one element with its parentheses, which says how strongly it must bind to
    stand without them. What T and m add to a formula has their letter as its class.
    """

    names: Sequence[str] = ()

    parentheses: ClassVar[tuple[str, str]] = ("<mo>(</mo>", "<mo>)</mo>")
    signs: ClassVar[tuple[str, str, str]] = ("<mo>−</mo>", "<mo>−</mo>", "<mo>+</mo>")
    between: ClassVar[tuple[str, str]] = ("<mo>\u2062</mo>", "<mo>,</mo>")
    subscript: ClassVar[str] = "<msub>%s<mrow>%s</mrow></msub>"
    derivative: ClassVar[str] = "<mfrac><mrow><mi>∂</mi>%s</mrow><mrow><mi>∂</mi>%s</mrow></mfrac>"
    summation: ClassVar[str] = "<munder><mo>∑</mo><mi>%s</mi></munder>%s"
    is_live: ClassVar[bool] = True
    signed: ClassVar[re.Pattern[str]] = re.compile("<mn[^<]*</mn>$")
    dotted: ClassVar[re.Pattern[str]] = re.compile(r"<mn|<mo>\(|<mfrac")
    _optional: ClassVar[re.Pattern[str]] = re.compile(r"<mi>([Tm])</mi>|<mn data-v=([Tm]) .*")

    def live(self, name: str) -> Self:
        """Name a number that a script fills in again."""
        return self._new(self.text.replace("<mn>", f"<mn data-v={name} >"), self.binds)

    def when(self, letter: str, text: str) -> str:
        """Mark what is shown only where T is not 1, or where there is a shift m."""
        return f"<span class={letter}>{text}</span>"

    def within(self, least: int) -> str:
        """Write it in parentheses where it binds less than it must."""
        if not re.fullmatch("<mn data-v[^<]*</mn>", self.text):
            return super().within(least)
        text = self.text.replace(" >", f" data-b={least}>")
        return text if self.binds >= least else re.sub(">(.*)<", r">(\1)<", text)

    def __sub__(self, other: Self | None) -> Self:
        return self._optionally(self.text, other, super().__sub__(other))

    def __mul__(self, other: Self | None) -> Self:
        return self._optionally(self.within(PRODUCT), other, super().__mul__(other))

    def __pow__(self, exponent: Self) -> Self:
        base = self.within(ATOM)
        return self._new(f"<msup>{base}<mrow>{exponent.text}</mrow></msup>", POWER)

    def __str__(self) -> str:
        return f"<math>{self.text}</math>"

    def _optionally(self, left: str, other: Self | None, made: Self) -> Self:
        """Mark what an operation added, if that was T or m."""
        found = other and self._optional.fullmatch(other.text)
        if not found:
            return made
        letter, added = found[1] or found[2], made.text.removeprefix(left)
        return self._new(f"{left}<mrow class={letter}>{added}</mrow>", made.binds)

    def _number(self, text: str) -> Self:
        return self._new(f"<mn>{escape(typographic(text))}</mn>", super()._number(text).binds)

    def _over(self, bottom: Self) -> Self:
        if self._optional.fullmatch(bottom.text):
            classes = '"T m"' if "class=m" in self.text else "T"
            opening, closing = (f"<mo class={classes}>{sign}</mo>" for sign in "()")
            text = self.text if self.binds >= PRODUCT else f"{opening}{self.text}{closing}"
            return self._new(f"{text}<mrow class=T><mo>/</mo>{bottom.text}</mrow>", PRODUCT)
        rows = f"<mrow>{self.text}</mrow><mrow>{bottom.text}</mrow>"
        return self._new(f"<mfrac>{rows}</mfrac>", POWER)

    def _sign(self, sign: str) -> str:
        known = {
            " · ": "<mo>·</mo>",
            "log y": "<mrow><mi>log</mi><mspace width=.2em /><mi>y</mi></mrow>",
        }
        prime = f"<msup><mi>{sign[:-1]}</mi><mo>′</mo></msup>" if sign[-1] == "'" else ""
        return known.get(sign, prime or f"<mi>{sign}</mi>")

    def _index(self, name: str) -> str:
        if not name.startswith("#"):
            return f"<mi>{name}</mi>"
        shown = escape(visible(self.names[int(name[1:])]))
        return f"<mtext data-n={name[1:]}>{shown}</mtext>"


def typographic(text: str) -> str:
    """Write a number with real signs."""
    return text.replace("-", "−").replace("inf", "∞")


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
