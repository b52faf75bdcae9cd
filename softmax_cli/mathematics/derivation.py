"""The derivation of the softmax derivative, with one sample's own numbers.

It walks from the definition by the quotient rule to the Jacobian: y_j = f/g with
f = e^{z_j} and g = S = sum_c e^{z_c}, f' = e^{z_j} delta_ij and g' = e^{z_i}, hence
dy_j/dz_i = (f' g - f g')/g^2 = (y_j/S) (delta_ij S - e^{z_i}) = y_j (delta_ij - y_i).

Each formula is written once, as a function of a notation and of a reading: the letters, the names
of an entry's classes, or this sample's numbers.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core
from softmax_cli.mathematics.exact import Number, Numbers, exponential

FloatArray = NDArray[np.float64]

# Beyond it e^z gets long to read, and overflows or underflows in the end.
LARGEST_SHOWN_EXPONENT = 30.0
# Below it the sum S, written down, cannot be told from its largest term.
SMALLEST_SHOWN_REST = 1e-4
MOST_CLASSES = 8


class Part(NamedTuple):
    """A part of a formula: as it is written, and how strongly it binds."""

    text: str
    binds: int


class Notation(Protocol):
    """A way to write formulas: as plain text, LaTeX, MathML."""

    def symbol(self, letter: str, *index: str) -> Part:
        """Write a letter with subscripts."""

    def partial(self, output: str, input_: str) -> Part:
        """Write dy_output/dz_input."""

    def given(self, value: float) -> Part:
        """Write the user's number, or an integer, as it is."""

    def number(self, value: Number, rest: Number | None = None) -> Part:
        """Write a computed number; near 1 by its rest 1 - value, where that is given."""

    def negative(self, part: Part) -> Part:
        """Write -a."""

    def plus(self, *parts: Part) -> Part:
        """Write a + b + ..."""

    def minus(self, left: Part, right: Part) -> Part:
        """Write a - b."""

    def times(self, first: Part, *factors: Part) -> Part:
        """Write a b ..."""

    def over(self, top: Part, bottom: Part) -> Part:
        """Write a / b."""

    def power(self, base: Part, exponent: Part) -> Part:
        """Write a^b."""

    def total(self, index: str, term: Part) -> Part:
        """Write the sum over an index."""

    def inline(self, part: Part) -> str:
        """Write a formula within a sentence."""


@dataclass(frozen=True)
class Equation:
    """Equal expressions: a name, formulas, the last of them with numbers, and the value.

    Attributes
    ----------
    left, formulas
        As they are written.
    numbers, shown, value
        Of this sample: the last formula with numbers, and its value, written and as a float. ""
        and None where the equation is general.
    """

    left: str
    formulas: tuple[str, ...]
    numbers: str = ""
    shown: str = ""
    value: float | None = None

    @property
    def parts(self) -> list[str]:
        """What stands between the equals signs, each once."""
        parts = [self.left, *self.formulas, self.numbers, self.shown]
        pairs = zip(parts, ["", *parts], strict=False)
        return [part for part, before in pairs if part and part != before]


@dataclass(frozen=True)
class Step:
    """One step: a title, a sentence, and equations, with words between them where need be."""

    title: str
    text: str
    lines: tuple[Equation | str, ...]


@dataclass(frozen=True)
class Reading:
    """What the letters of a formula stand for, and each formula; T is None where it is 1."""

    n: Notation
    e_j: Part
    e_i: Part
    y_j: Part
    y_i: Part
    delta: Part
    S: Part
    T: Part | None

    def softmax(self) -> Part:
        """e_j/S."""
        return self.n.over(self.e_j, self.S)

    def df(self) -> Part:
        """e_j delta/T."""
        return self._by_T(self.n.times(self.e_j, self.delta))

    def dg(self) -> Part:
        """e_i/T."""
        return self._by_T(self.e_i)

    def quotient_rule(self) -> Part:
        """(e_j delta S - e_j e_i)/(S^2 T)."""
        n = self.n
        top = n.minus(n.times(self.e_j, self.delta, self.S), n.times(self.e_j, self.e_i))
        return n.over(top, self._times_T(n.power(self.S, n.given(2))))

    def e_before_a_bracket(self) -> Part:
        """e_j/(S^2 T) (delta S - e_i)."""
        return self._before_a_bracket(self.e_j, self.n.power(self.S, self.n.given(2)))

    def y_before_a_bracket(self) -> Part:
        """y_j/(S T) (delta S - e_i)."""
        return self._before_a_bracket(self.y_j, self.S)

    def partial(self) -> Part:
        """y_j (delta - y_i)/T."""
        return self._by_T(self.n.times(self.y_j, self.n.minus(self.delta, self.y_i)))

    def on_the_diagonal(self) -> Part:
        """y_j (1 - y_j)/T."""
        return self._by_T(self.n.times(self.y_j, self.n.minus(self.n.given(1), self.y_j)))

    def off_the_diagonal(self) -> Part:
        """-y_j y_i/T."""
        return self._by_T(self.n.times(self.n.negative(self.y_j), self.y_i))

    def _before_a_bracket(self, top: Part, bottom: Part) -> Part:
        bracket = self.n.minus(self.n.times(self.delta, self.S), self.e_i)
        return self.n.times(self.n.over(top, self._times_T(bottom)), bracket)

    def _by_T(self, part: Part) -> Part:  # noqa: N802
        return part if self.T is None else self.n.over(part, self.T)

    def _times_T(self, part: Part) -> Part:  # noqa: N802
        return part if self.T is None else self.n.times(part, self.T)


_Formula = Callable[[Reading], Part]


@dataclass(frozen=True, eq=False)
class Derivation:
    """The derivation for one sample.

    Attributes
    ----------
    sample, classes
        Its name or position, and the classes' names.
    z, temperature
        Its logits, and T.
    entries
        Output and input of the entries that are explained.
    shift
        The maximum, where the exponentials are shown shifted by it, or None.
    """

    sample: str
    classes: tuple[str, ...]
    z: FloatArray
    temperature: float
    entries: tuple[tuple[int, int], ...]
    shift: float | None

    @property
    def y(self) -> FloatArray:
        """Its probabilities."""
        y: FloatArray = self.numbers.y[0]
        return y

    @property
    def J(self) -> FloatArray:  # noqa: N802
        """Its Jacobian, which takes memory O(C^2)."""
        return core.jacobian(self.z, temperature=self.temperature)

    @cached_property
    def numbers(self) -> Numbers:
        """Its numbers, of any size."""
        return Numbers(self.z[np.newaxis], self.temperature)

    def e(self, j: int) -> Number:
        """Return e^{z_j}, shifted and divided by T where that is so."""
        return exponential(float(self.z[j]), self.shift or 0.0, self.temperature)

    @cached_property
    def S(self) -> tuple[float, Number | None]:  # noqa: N802
        """The sum of the exponentials, and 1 - S where the largest of them is e^0 = 1."""
        m, top = self.shift or 0.0, int(self.z.argmax())
        S = math.fsum(math.exp((z - m) / self.temperature) for z in self.z.tolist())
        if self.e(top) != 1:
            return S, None
        rest = self.numbers.rest(0, top)
        return S, -(rest if isinstance(rest, Decimal) else rest * S)

    def steps(self, notation: Notation) -> tuple[Step, ...]:
        """Write all steps in a notation."""
        writer = _Writer(self, notation)
        return tuple(step(writer) for step in _STEPS)


def derive(
    logits: Sequence[float] | FloatArray,
    classes: Sequence[str],
    entry: tuple[int, int] | None = None,
    temperature: float = 1.0,
    sample: str = "1",
) -> Derivation:
    """Derive the Jacobian of softmax at one sample, step by step.

    Parameters
    ----------
    logits
        Shape (C,).
    classes
        The C classes' names.
    entry
        Positions of the output and the input to explain; by default one entry on the diagonal
        and one off it.
    temperature
        T, by which the logits are divided.
    sample
        The sample's name or position.

    Raises
    ------
    ValueError
        As `softmax_cli.mathematics.core.softmax`.
    """
    z = np.asarray(logits, dtype=np.float64)
    top = int(z.argmax())
    far = not abs(z[top]) / temperature <= LARGEST_SHOWN_EXPONENT
    # Unmasked ones first.
    others = sorted((i for i in range(len(z)) if i != top), key=lambda i: z[i] == -np.inf)
    rest = core.complement(z, temperature=temperature)[top]
    saturated = np.isfinite(z).sum() > 1 and rest < SMALLEST_SHOWN_REST
    entries = [entry] if entry else [(top, top), *((top, i) for i in others[:1])]
    shift = float(z[top]) if far or saturated else None
    return Derivation(sample, tuple(classes), z, temperature, tuple(entries), shift)


@dataclass(frozen=True)
class _Writer:
    """Writes the sample's readings and equations in a notation."""

    d: Derivation
    n: Notation

    def letters(self, j: str = "j", i: str = "i") -> Reading:
        """Read with the letters j and i, or the names of classes."""
        n, T = self.n, None if self.d.temperature == 1 else self.n.symbol("T")
        y_j, y_i, delta = n.symbol("y", j), n.symbol("y", i), n.symbol("δ", i, j)
        return Reading(n, self.e_of(j), self.e_of(i), y_j, y_i, delta, n.symbol("S"), T)

    def names(self, j: int, i: int) -> Reading:
        """Read with the names of an entry's classes."""
        return self.letters(self.d.classes[j], self.d.classes[i])

    def numbers(self, j: int, i: int) -> Reading:
        """Read with the sample's numbers."""
        n, d = self.n, self.d
        e_j, e_i, S = n.number(d.e(j)), n.number(d.e(i)), n.number(*d.S)
        T = None if d.temperature == 1 else n.given(d.temperature)
        return Reading(n, e_j, e_i, self.y(j), self.y(i), n.given(float(i == j)), S, T)

    def y(self, j: int) -> Part:
        """Write y_j as a number."""
        return self.n.number(self.d.numbers.probability(0, j), self.d.numbers.rest(0, j))

    def e_of(self, name: str) -> Part:
        """Write e^z with letters."""
        return self._e(self.n.symbol("z", name), self.n.symbol("m"), self.n.symbol("T"))

    def e_with_numbers(self, j: int) -> Part:
        """Write e^z with the sample's logit."""
        z, m, T = (self.n.given(x) for x in (self.d.z[j], self.d.shift or 0.0, self.d.temperature))
        return self._e(z, m, T)

    def _e(self, z: Part, m: Part, T: Part) -> Part:
        if self.d.shift is not None:
            z = self.n.minus(z, m)
        if self.d.temperature != 1:
            z = self.n.over(z, T)
        return self.n.power(self.n.symbol("e"), z)

    def inline(self, letter: str, *index: str) -> str:
        """Write a symbol within a sentence."""
        return self.n.inline(self.n.symbol(letter, *index))

    def general(self, left: Part, *formulas: Part) -> Equation:
        """Write an equation of letters."""
        return Equation(left.text, tuple(formula.text for formula in formulas))

    def line(
        self, left: Part, formula: Part, numbers: Part, value: Number, shown: Part | None = None
    ) -> Equation:
        """Write an equation that ends with a value."""
        shown = shown or self.n.number(value)
        return Equation(left.text, (formula.text,), numbers.text, shown.text, float(value) + 0.0)

    def of_entry(self, formula: _Formula, j: int, i: int) -> Equation:
        """Write the partial derivative of an entry by a formula."""
        left = self.n.partial(self.d.classes[j], self.d.classes[i])
        names, numbers = formula(self.names(j, i)), formula(self.numbers(j, i))
        value = core.jacobian_rows(self.d.z, [j], self.d.temperature)[0, i]
        return self.line(left, names, numbers, self.d.numbers.partial(0, j, i, float(value)))

    def step(self, title: str, text: str, *formulas: _Formula) -> Step:
        """Write formulas of dy_j/dz_i, and the last of them for each entry."""
        written = (formula(self.letters()) for formula in formulas)
        general = self.general(self.n.partial("j", "i"), *written)
        lines = (self.of_entry(formulas[-1], *entry) for entry in self.d.entries)
        return Step(title, text, (general, *lines))


def _definition(w: _Writer) -> Step:
    n, d, letters = w.n, w.d, w.letters()
    S_of_numbers = n.number(*d.S)
    shown = sorted({*range(len(d.z))[:MOST_CLASSES], *(c for entry in d.entries for c in entry)})
    more = [n.symbol("…")] if len(shown) < len(d.z) else []
    read = [w.names(j, j) for j in shown]
    numbers = [w.e_with_numbers(j) for j in shown]
    total, total_of_numbers = n.plus(*(r.e_j for r in read), *more), n.plus(*numbers, *more)
    text = "Softmax exponentiates the logits and divides by their sum."
    if d.temperature != 1:
        text += " The temperature T divides the logits first."
    if d.shift is not None:
        text += (
            " The exponentials are shown shifted by the largest logit m, as they are computed: "
            "the factor e^-m above and below changes neither y nor its derivatives."
        )
    lines: list[Equation | str] = [
        w.general(letters.y_j, letters.softmax()),
        w.general(letters.S, n.total("c", w.e_of("c"))),
        "For this sample:",
        *(w.line(r.e_j, r.e_j, e, d.e(j)) for j, r, e in zip(shown, read, numbers, strict=True)),
        w.line(letters.S, total, total_of_numbers, d.S[0], S_of_numbers),
    ]
    for j, r, e in zip(shown, read, numbers, strict=True):
        y = d.numbers.probability(0, j)
        lines.append(w.line(r.y_j, r.softmax(), n.over(e, S_of_numbers), y, w.y(j)))
    return Step("The definition", text, tuple(lines))


def _quotient(w: _Writer) -> Step:
    n, letters = w.n, w.letters()
    f, g, df, dg = (n.symbol(name) for name in ("f", "g", "f'", "g'"))
    rule = n.over(n.minus(n.times(df, g), n.times(f, dg)), n.power(g, n.given(2)))
    y_j, z_i, quotient = w.inline("y", "j"), w.inline("z", "i"), n.inline(n.over(f, g))
    lines = (
        w.general(f, letters.e_j),
        w.general(g, letters.S, n.total("c", w.e_of("c"))),
        w.general(n.partial("j", "i"), rule),
    )
    text = f"{y_j} is a quotient {quotient}, and both depend on {z_i}."
    return Step("The quotient rule", text, lines)


def _derivatives(w: _Writer) -> Step:
    n, letters, names = w.n, w.letters(), w.d.classes
    df, dg = n.symbol("f'"), n.symbol("g'")
    lines: list[Equation | str] = [w.general(df, letters.df()), w.general(dg, letters.dg())]
    for j, i in w.d.entries:
        e, T = w.d.e(i), w.d.temperature
        value = e / Decimal(T) if isinstance(e, Decimal) else e / T
        r, numbers = w.names(j, i), w.numbers(j, i)
        lines += [
            f"For i = j = {names[j]}:" if i == j else f"For j = {names[j]}, i = {names[i]}:",
            w.line(df, r.df(), numbers.df(), value if i == j else 0.0),
            w.line(dg, r.dg(), numbers.dg(), value),
        ]
    text = (
        f"{w.inline('z', 'i')} moves {n.inline(letters.e_j)} only if i = j, where "
        f"{w.inline('δ', 'i', 'j')} is 1 and else 0, and of the sum {w.inline('S')} it moves only "
        f"the term {n.inline(letters.e_i)}."
    )
    return Step("The derivatives of f and g", text, tuple(lines))


def _quotient_with_numbers(w: _Writer) -> Step:
    text = f"{w.inline('f')}, {w.inline('g')} and their derivatives are put in."
    return w.step("The quotient rule with numbers", text, Reading.quotient_rule)


def _factored(w: _Writer) -> Step:
    e_j, softmax = w.n.inline(w.letters().e_j), w.n.inline(w.letters().softmax())
    text = f"{e_j} stands in both terms, and {softmax} is {w.inline('y', 'j')}."
    return w.step("Factored", text, Reading.e_before_a_bracket, Reading.y_before_a_bracket)


def _result(w: _Writer) -> Step:
    S, fraction = w.inline("S"), w.n.inline(w.letters("i", "i").softmax())
    text = f"In the bracket, {S} over {S} is 1 and {fraction} is {w.inline('y', 'i')}."
    return w.step("The result", text, Reading.partial)


def _cases(w: _Writer) -> Step:
    lines: list[Equation | str] = []
    for j, i in w.d.entries:
        formula = Reading.on_the_diagonal if i == j else Reading.off_the_diagonal
        lines += [
            "If i = j, on the diagonal:" if i == j else "If i is not j, off the diagonal:",
            w.general(w.n.partial("j", "i"), formula(w.letters())),
            w.of_entry(formula, j, i),
        ]
    return Step("The two cases", f"{w.inline('δ', 'i', 'j')} is 1 if i = j, else 0.", tuple(lines))


def _matrix(w: _Writer) -> Step:
    y_j, y_i = w.letters().y_j, w.letters().y_i
    one, other = (w.n.inline(w.n.times(*pair)) for pair in ((y_j, y_i), (y_i, y_j)))
    text = (
        "Row j is the output, column i the input. Every row sums to 0, because the probabilities "
        "always sum to 1: raising all logits alike changes none of them. The matrix is symmetric, "
        f"because {one} is {other}."
    )
    return Step("The Jacobian matrix", text, ())


_STEPS = (
    _definition, _quotient, _derivatives, _quotient_with_numbers,
    _factored, _result, _cases, _matrix,
)  # fmt: skip
