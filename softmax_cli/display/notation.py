"""Formulas as plain text, LaTeX and MathML; a further notation is a further column."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import ClassVar, Self
from unicodedata import normalize

from softmax_cli.display.numbers import beside_one, given, significant
from softmax_cli.errors import visible
from softmax_cli.mathematics.exact import Number

# Binding strength, so that parentheses stand only where they are needed.
SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
_NAMED = {"\\": "backslash", "~": "asciitilde", "^": "asciicircum"}
_NAMED |= {"<": "less", ">": "greater", "|": "bar"}  # other signs in the oldest of fonts
_LATEX_TEXT = str.maketrans(
    {character: f"\\text{name}{{}}" for character, name in _NAMED.items()}
    | {character: f"\\{character}" for character in "#$%&_{}"}
    # Behind the end of a row they would say how far the next one is; two hyphens are a dash.
    | {character: f"{{{character}}}" for character in "[*-`'\""}
)
# What is written as plain text, in LaTeX and in MathML; other letters are as they are.
_FORMS = {
    "sentence": ("%s", "$%s$", "<math>%s</math>"),
    "letter": ("%s", "%s", "<mi>%s</mi>"),
    "group": ("(%s)", r"\left(%s\right)", "<mo>(</mo>%s<mo>)</mo>"),
    "negative": ("-%s", "-%s", "<mo>−</mo>%s"),
    "difference": ("%s - %s", "%s - %s", "%s<mo>−</mo>%s"),
    "addition": ("%s + %s", "%s + %s", "%s<mo>+</mo>%s"),
    "times": (" ", " ", "<mo>\u2062</mo>"),
    "comma": (",", ",", "<mo>,</mo>"),  # between long names in an index
    "subscript": ("%s_%s", "%s_{%s}", "<msub>%s<mrow>%s</mrow></msub>"),
    "power": ("%s^%s", "%s^{%s}", "<msup>%s<mrow>%s</mrow></msup>"),
    "fraction": ("%s / %s", r"\frac{%s}{%s}", "<mfrac><mrow>%s</mrow><mrow>%s</mrow></mfrac>"),
    "summation": ("sum_%s %s", r"\sum_{%s} %s", "<munder><mo>∑</mo><mi>%s</mi></munder>%s"),
    "derivative": ("%s/%s", r"\frac{%s}{%s}", "<mfrac><mrow>%s</mrow><mrow>%s</mrow></mfrac>"),
    "differential": ("d%s", r"\partial %s", "<mi>∂</mi>%s"),
    " · ": (" · ", r" \cdot ", "<mo>·</mo>"),
    "δ": ("δ", r"\delta", "<mi>δ</mi>"),
    "…": ("…", r"\dots", "<mi>…</mi>"),
    "log y": ("log y", r"\log y", "<mrow><mi>log</mi><mspace width=.2em /><mi>y</mi></mrow>"),
    **{f"{f}'": (f"{f}'", f"{f}'", f"<msup><mi>{f}</mi><mo>′</mo></msup>") for f in "fg"},
}
# A number that a page's script fills in; what may begin with a sign; before what a product has a
# dot.
_LIVE = re.compile("<mn data-v[^<]*</mn>")
_SIGNED = re.compile(f"-|{_LIVE.pattern}$")
_DOTTED = re.compile(r"\d|e\^|\(|\\left\(\d|<mn|<mo>\(|<mfrac")


@dataclass(frozen=True)
class Plain:
    """A formula in plain text; Python's operators, and any formula's methods, make others.

    Attributes
    ----------
    precision
        Significant digits of computed numbers.
    letters
        Which of T and m are written.
    text, binds
        How it is written, and how strongly it binds.
    value
        Of a computed number.
    """

    precision: int = 6
    letters: str = ""
    text: str = ""
    binds: int = ATOM
    value: Number | None = None

    column: ClassVar[int] = 0  # of the forms

    def symbol(self, letter: str, *index: str) -> Self:
        """Write z_1 or δ_12."""
        if not index:
            return self._new(self._sign(letter), ATOM)
        between = "" if all(len(name) == 1 for name in index) else self._write("comma")
        names = between.join(map(self._index, index))
        return self._form(ATOM, "subscript", self._sign(letter), names)

    def partial(self, output: str, input_: str, letter: str = "y") -> Self:
        """Write dy_1/dz_2."""
        ends = self.symbol(letter, output).text, self.symbol("z", input_).text
        return self._form(PRODUCT, "derivative", *(self._write("differential", x) for x in ends))

    def given(self, value: float, live: str = "") -> Self:
        """Write the user's number, or an integer, as it is."""
        return self._number(given(value), live)

    def number(self, value: Number, rest: Number | None = None, live: str = "") -> Self:
        """Write a computed number; near 1 by its rest 1 - value, where that is given."""
        p = self.precision
        shown = significant(value, p) if rest is None else beside_one(value, rest, p)
        return replace(self._number(shown, live), value=value)

    def total(self, index: str, term: Self) -> Self:
        """Write the sum over an index."""
        return self._form(PRODUCT, "summation", index, term.within(PRODUCT))

    def either(self, letter: str, written: Self, without: Self) -> Self:
        """Choose how a formula is written: with T or m, or without it."""
        return written if letter in self.letters else without

    def only(self, letter: str, sentence: str) -> str:
        """Say something only where T or m is written."""
        return sentence if letter in self.letters else ""

    def __neg__(self) -> Self:
        return self._form(SIGN, "negative", self.within(ATOM))

    def __add__(self, other: Self) -> Self:
        return self._form(SUM, "addition", self.text, other.within(PRODUCT))

    def __sub__(self, other: Self) -> Self:
        right = other.within(ATOM if _SIGNED.match(other.text) else PRODUCT)
        return self._form(SUM, "difference", self.text, right)

    def __mul__(self, other: Self) -> Self:
        right = other.within(POWER)
        dot = self._sign(" · ") if _DOTTED.match(right) else self._write("times")
        return self._new(f"{self.within(PRODUCT)}{dot}{right}", PRODUCT)

    def __truediv__(self, other: Self) -> Self:
        if self.column:
            return self._form(POWER, "fraction", self.text, other.text)
        return self._form(PRODUCT, "fraction", self.within(PRODUCT), other.within(SIGN))

    def __pow__(self, exponent: Self) -> Self:
        raised = exponent.text if self.column else exponent.within(ATOM)
        return self._form(POWER, "power", self.within(ATOM), raised)

    def __str__(self) -> str:
        return self._write("sentence", self.text)

    def within(self, least: int) -> str:
        """Write it in parentheses where it binds less than it must."""
        return self.text if self.binds >= least else self._write("group", self.text)

    def _new(self, text: str, binds: int) -> Self:
        return replace(self, text=text, binds=binds, value=None)

    def _number(self, text: str, live: str) -> Self:
        binds = SUM if " " in text or text[0] in "<>" else SIGN if text[0] == "-" else ATOM
        # In LaTeX 1e-5 is a product.
        most = PRODUCT if "e" in text and self.column == Latex.column else ATOM
        return self._new(self._numeral(text, live), min(binds, most))

    def _form(self, binds: int, form: str, *parts: str) -> Self:
        return self._new(self._write(form, *parts), binds)

    def _write(self, form: str, *parts: str) -> str:
        return _FORMS[form][self.column] % parts

    def _sign(self, sign: str) -> str:
        return self._write(sign) if sign in _FORMS else self._write("letter", sign)

    def _numeral(self, text: str, _live: str) -> str:
        return text

    def _index(self, name: str) -> str:
        shown = visible(name)
        return shown if re.fullmatch(r"\w+", shown) else f"[{shown}]"


@dataclass(frozen=True)
class Latex(Plain):
    """A formula in LaTeX; needs amsmath. Within a sentence it stands between dollar signs."""

    column: ClassVar[int] = 1

    def _numeral(self, text: str, _live: str) -> str:
        return latex_number(text)

    def _index(self, name: str) -> str:
        is_plain = (name.isascii() and name.isdigit()) or name in ("j", "i", "c")
        return name if is_plain else rf"\text{{{latex_text(name)}}}"


@dataclass(frozen=True)
class MathML(Plain):
    """A formula in MathML, for a script to fill in: a class of index ``#2`` is the third of names.

    A live number is one element with its parentheses; it says whether it needs them. What has T
    or m stands beside what it is without them.
    """

    names: Sequence[str] = ()

    column: ClassVar[int] = 2

    def either(self, letter: str, written: Self, without: Self) -> Self:
        """Write it both ways; a page shows one of them."""
        both = f"<mrow class={letter}>%s</mrow><mrow class=not-{letter}>%s</mrow>"
        return self._new(both % (written.text, without.text), min(written.binds, without.binds))

    def only(self, letter: str, sentence: str) -> str:
        """Mark what a page says only where T or m is written."""
        return f"<span class={letter}>{sentence}</span>"

    def within(self, least: int) -> str:
        """Write it in parentheses where it binds less than it must."""
        if not _LIVE.fullmatch(self.text):
            return super().within(least)
        text = self.text.replace(">", " data-b>", 1)
        return text if self.binds >= least else re.sub(">(.*)<", r">(\1)<", text)

    def _numeral(self, text: str, live: str) -> str:
        return f"<mn{f' data-v={live}' * bool(live)}>{escape(typographic(text))}</mn>"

    def _index(self, name: str) -> str:
        if not name.startswith("#"):
            return f"<mi>{name}</mi>"
        return f"<mtext data-n={name[1:]}>{escape(visible(self.names[int(name[1:])]))}</mtext>"


def typographic(text: str) -> str:
    """Write a number with real signs."""
    return text.replace("-", "−").replace("inf", "∞")


def latex_number(text: str) -> str:
    """Write a number that is shown in a table in LaTeX."""
    return re.sub(r"e[+]?(-?)0*(\d+)", r" \\times 10^{\1\2}", text).replace("inf", r"\infty")


def typesettable(text: str) -> str:
    """Show a name in the letters that pdflatex has; others are named, as in [U+732B]."""
    return "".join(c if _has(c) else f"[U+{ord(c):04X}]" for c in visible(text))


def _has(c: str) -> bool:
    parts = normalize("NFD", c)
    # It has no ogonek.
    return c in "ßæÆøØœŒłŁ" or (parts[0].isascii() and c < "\u0180" and parts[-1] != "\u0328")


def latex_text(text: str) -> str:
    """Escape what is special in LaTeX's text."""
    return typesettable(text).translate(_LATEX_TEXT)
