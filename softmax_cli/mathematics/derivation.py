"""The derivation of the softmax derivative, with one sample's own numbers.

It walks from the definition by the quotient rule to the Jacobian: y_j = f/g with
f = e^{z_j} and g = S = sum_c e^{z_c}, f' = e^{z_j} delta_ij and g' = e^{z_i}, hence
dy_j/dz_i = (f' g - f g')/g^2 = (y_j/S) (delta_ij S - e^{z_i}) = y_j (delta_ij - y_i).

Each formula is written once, as a function of a notation and of a reading: the letters, the names
of an entry's classes, or this sample's numbers.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core
from softmax_cli.mathematics.exact import Number, Numbers, exponential, is_held

FloatArray = NDArray[np.float64]

# Beyond it e^z gets long to read, and overflows or underflows in the end.
LARGEST_SHOWN_EXPONENT = 30.0
# Below it the sum S, written down, cannot be told from its largest term.
SMALLEST_SHOWN_REST = 1e-4
MOST_CLASSES = 8
CLASSES_AT_EACH_END = 2


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


class Reading(NamedTuple):
    """What the letters of a formula stand for; T is None where the temperature is 1."""

    e_j: Part
    e_i: Part
    y_j: Part
    y_i: Part
    delta: Part
    S: Part
    T: Part | None


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
        e = float(self._exponentials[j])
        m = self.shift or 0.0
        return e if is_held(e) else exponential(float(self.z[j]), m, self.temperature)

    @cached_property
    def S(self) -> tuple[float, Number | None]:  # noqa: N802
        """The sum of the exponentials, and 1 - S where the largest of them is e^0 = 1."""
        e, top = self._exponentials, int(self.z.argmax())
        S = math.fsum(e)
        if e[top] != 1:
            return S, None
        rest = math.fsum(np.delete(e, top))
        return S, -(rest if is_held(rest) else self.numbers.rest(0, top))

    @cached_property
    def _exponentials(self) -> FloatArray:
        with np.errstate(over="ignore"):  # beyond the range of float64, e to that power is 0
            exponents = (self.z - (self.shift or 0.0)) / self.temperature
        return np.array([math.exp(x) for x in exponents])

    def partial(self, j: int, i: int) -> Number:
        """Return dy_j/dz_i."""
        value = core.jacobian_rows(self.z, [j], self.temperature)[0, i]
        return self.numbers.partial(0, j, i, float(value))

    def steps(self, notation: Notation) -> tuple[Step, ...]:
        """Write all steps in a notation."""
        writer = _Writer(self, notation)
        return (
            _definition(writer),
            _quotient(writer),
            _derivatives(writer),
            _quotient_with_numbers(writer),
            _factored(writer),
            _result(writer),
            _cases(writer),
            _matrix(writer),
        )


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
    rest = core.complement(z, temperature=temperature)[top]
    far = not abs(z[top]) / temperature <= LARGEST_SHOWN_EXPONENT
    others = [i for i in range(len(z)) if i != top]
    unmasked = [i for i in others if np.isfinite(z[i])]
    saturated = len(unmasked) > 0 and rest < SMALLEST_SHOWN_REST
    if entry is not None:
        entries = [entry]
    else:
        entries = [(top, top), *((top, i) for i in (unmasked or others)[:1])]
    shift = float(z[top]) if far or saturated else None
    return Derivation(sample, tuple(classes), z, temperature, tuple(entries), shift)


@dataclass(frozen=True)
class _Writer:
    """Writes the parts that formulas are made of, in each reading."""

    d: Derivation
    n: Notation

    def e(self, z: Part, m: Part, T: Part) -> Part:
        """Write e^z, shifted and divided by T where that is so."""
        if self.d.shift is not None:
            z = self.n.minus(z, m)
        if self.d.temperature != 1:
            z = self.n.over(z, T)
        return self.n.power(self.n.symbol("e"), z)

    def e_of(self, name: str) -> Part:
        """Write e^z_name."""
        n = self.n
        return self.e(n.symbol("z", name), n.symbol("m"), n.symbol("T"))

    def e_with_numbers(self, j: int) -> Part:
        """Write e to the power that z_j makes."""
        n, d = self.n, self.d
        return self.e(n.given(d.z[j]), n.given(d.shift or 0.0), n.given(d.temperature))

    @cached_property
    def general(self) -> Reading:
        """Read with the letters j and i."""
        return self._named("j", "i")

    def names(self, j: int, i: int) -> Reading:
        """Read with the names of an entry's classes."""
        return self._named(self.d.classes[j], self.d.classes[i])

    def _named(self, j: str, i: str) -> Reading:
        n = self.n
        return Reading(
            self.e_of(j),
            self.e_of(i),
            n.symbol("y", j),
            n.symbol("y", i),
            n.symbol("δ", i, j),
            n.symbol("S"),
            None if self.d.temperature == 1 else n.symbol("T"),
        )

    def numbers(self, j: int, i: int) -> Reading:
        """Read with the sample's numbers."""
        n, d = self.n, self.d
        return Reading(
            n.number(d.e(j)),
            n.number(d.e(i)),
            self.y(j),
            self.y(i),
            n.given(float(i == j)),
            n.number(*d.S),
            None if d.temperature == 1 else n.given(d.temperature),
        )

    def y(self, j: int) -> Part:
        return self.n.number(self.d.numbers.probability(0, j), self.d.numbers.rest(0, j))

    def by_T(self, part: Part, r: Reading) -> Part:  # noqa: N802
        """Divide by T where there is one."""
        return part if r.T is None else self.n.over(part, r.T)

    def times_T(self, part: Part, r: Reading) -> Part:  # noqa: N802
        """Multiply by T where there is one."""
        return part if r.T is None else self.n.times(part, r.T)

    def general_line(self, left: Part, *formulas: Part) -> Equation:
        return Equation(left.text, tuple(formula.text for formula in formulas))

    def line(
        self, left: Part, formula: Part, numbers: Part, value: Number, shown: Part | None = None
    ) -> Equation:
        shown = shown or self.n.number(value)
        return Equation(left.text, (formula.text,), numbers.text, shown.text, float(value))

    def partial_line(self, formula: "_Formula", j: int, i: int) -> Equation:
        """Write the partial derivative of an entry by a formula."""
        return self.line(
            self.n.partial(self.d.classes[j], self.d.classes[i]),
            formula(self, self.names(j, i)),
            formula(self, self.numbers(j, i)),
            self.d.partial(j, i),
        )

    def partial_step(self, title: str, text: str, *formulas: "_Formula") -> Step:
        """Write formulas of dy_j/dz_i, and the last of them for each entry."""
        written = (formula(self, self.general) for formula in formulas)
        general = self.general_line(self.n.partial("j", "i"), *written)
        lines = (self.partial_line(formulas[-1], j, i) for j, i in self.d.entries)
        return Step(title, text, (general, *lines))


_Formula = Callable[[_Writer, Reading], Part]


def _y(w: _Writer, r: Reading) -> Part:
    return w.n.over(r.e_j, r.S)


def _df(w: _Writer, r: Reading) -> Part:
    return w.by_T(w.n.times(r.e_j, r.delta), r)


def _dg(w: _Writer, r: Reading) -> Part:
    return w.by_T(r.e_i, r)


def _by_quotient_rule(w: _Writer, r: Reading) -> Part:
    n = w.n
    top = n.minus(n.times(r.e_j, r.delta, r.S), n.times(r.e_j, r.e_i))
    return n.over(top, w.times_T(n.power(r.S, n.given(2)), r))


def _bracket(w: _Writer, r: Reading) -> Part:
    return w.n.minus(w.n.times(r.delta, r.S), r.e_i)


def _with_e_before_the_bracket(w: _Writer, r: Reading) -> Part:
    bottom = w.times_T(w.n.power(r.S, w.n.given(2)), r)
    return w.n.times(w.n.over(r.e_j, bottom), _bracket(w, r))


def _with_y_before_the_bracket(w: _Writer, r: Reading) -> Part:
    return w.n.times(w.n.over(r.y_j, w.times_T(r.S, r)), _bracket(w, r))


def _partial(w: _Writer, r: Reading) -> Part:
    return w.by_T(w.n.times(r.y_j, w.n.minus(r.delta, r.y_i)), r)


def _on_the_diagonal(w: _Writer, r: Reading) -> Part:
    return w.by_T(w.n.times(r.y_j, w.n.minus(w.n.given(1), r.y_j)), r)


def _off_the_diagonal(w: _Writer, r: Reading) -> Part:
    return w.by_T(w.n.times(w.n.negative(r.y_j), r.y_i), r)


def _definition(w: _Writer) -> Step:
    n, d = w.n, w.d
    shown = _shown_classes(d)
    S = n.symbol("S")
    S_of_numbers = n.number(*d.S)
    lines: list[Equation | str] = [
        w.general_line(n.symbol("y", "j"), _y(w, w.general)),
        w.general_line(S, n.total("c", w.e_of("c"))),
        "For this sample:",
    ]
    for j in shown:
        e_j = w.e_of(d.classes[j])
        lines.append(w.line(e_j, e_j, w.e_with_numbers(j), d.e(j)))
    names = n.plus(*_with_gaps(shown, lambda j: w.e_of(d.classes[j]), n))
    numbers = n.plus(*_with_gaps(shown, w.e_with_numbers, n))
    lines.append(w.line(S, names, numbers, d.S[0], S_of_numbers))
    for j in shown:
        formula = n.over(w.e_of(d.classes[j]), S)
        with_numbers = n.over(w.e_with_numbers(j), S_of_numbers)
        y_j = n.symbol("y", d.classes[j])
        lines.append(w.line(y_j, formula, with_numbers, d.numbers.probability(0, j), w.y(j)))
    text = "Softmax exponentiates the logits and divides by their sum."
    if d.temperature != 1:
        text += " The temperature T divides the logits first."
    if d.shift is not None:
        text += (
            " The exponentials are shown shifted by the largest logit m, as they are computed: "
            "unshifted they would be too large, too small or too close to their sum to write down. "
            "The shift multiplies numerator and denominator by the same factor, so that it changes "
            "neither y nor its derivatives."
        )
    return Step("The definition", text, tuple(lines))


def _shown_classes(d: Derivation) -> list[int]:
    count = len(d.z)
    if count <= MOST_CLASSES:
        return list(range(count))
    ends = (*range(CLASSES_AT_EACH_END), *range(count - CLASSES_AT_EACH_END, count))
    return sorted({*ends, *(c for entry in d.entries for c in entry)})


def _with_gaps(shown: list[int], term: Callable[[int], Part], n: Notation) -> Iterator[Part]:
    for j, before in zip(shown, [-1, *shown], strict=False):
        if j != before + 1:
            yield n.symbol("…")
        yield term(j)


def _quotient(w: _Writer) -> Step:
    n = w.n
    f, g, df, dg = (n.symbol(name) for name in ("f", "g", "f'", "g'"))
    rule = n.over(n.minus(n.times(df, g), n.times(f, dg)), n.power(g, n.given(2)))
    y_j, z_i = n.inline(n.symbol("y", "j")), n.inline(n.symbol("z", "i"))
    return Step(
        "The quotient rule",
        f"{y_j} is a quotient {n.inline(n.over(f, g))}, and both depend on {z_i}.",
        (
            w.general_line(f, w.general.e_j),
            w.general_line(g, n.symbol("S"), n.total("c", w.e_of("c"))),
            w.general_line(n.partial("j", "i"), rule),
        ),
    )


def _derivatives(w: _Writer) -> Step:
    n, d = w.n, w.d
    df, dg = n.symbol("f'"), n.symbol("g'")
    lines: list[Equation | str] = [
        w.general_line(df, _df(w, w.general)),
        w.general_line(dg, _dg(w, w.general)),
    ]
    for j, i in d.entries:
        names, numbers = w.names(j, i), w.numbers(j, i)
        e_i, T = d.e(i), d.temperature
        dg_value = e_i / T if isinstance(e_i, float) else e_i / Decimal(T)
        lines += [
            f"For i = j = {d.classes[j]}:"
            if i == j
            else f"For j = {d.classes[j]}, i = {d.classes[i]}:",
            w.line(df, _df(w, names), _df(w, numbers), dg_value if i == j else 0.0),
            w.line(dg, _dg(w, names), _dg(w, numbers), dg_value),
        ]
    r, inline = w.general, n.inline
    text = (
        f"{inline(n.symbol('z', 'i'))} moves {inline(r.e_j)} only if i = j, where "
        f"{inline(r.delta)} is 1 and else 0, and of the sum {inline(r.S)} it moves only the term "
        f"{inline(r.e_i)}."
    )
    return Step("The derivatives of f and g", text, tuple(lines))


def _quotient_with_numbers(w: _Writer) -> Step:
    f, g = (w.n.inline(w.n.symbol(name)) for name in ("f", "g"))
    text = f"{f}, {g} and their derivatives are put in."
    return w.partial_step("The quotient rule with numbers", text, _by_quotient_rule)


def _factored(w: _Writer) -> Step:
    e_j, y_j, inline = w.general.e_j, w.general.y_j, w.n.inline
    text = f"{inline(e_j)} stands in both terms, and {inline(_y(w, w.general))} is {inline(y_j)}."
    return w.partial_step("Factored", text, _with_e_before_the_bracket, _with_y_before_the_bracket)


def _result(w: _Writer) -> Step:
    S, y_i, inline = w.general.S, w.general.y_i, w.n.inline
    fraction = inline(w.n.over(w.general.e_i, S))
    text = f"In the bracket, {inline(S)} over {inline(S)} is 1 and {fraction} is {inline(y_i)}."
    return w.partial_step("The result", text, _partial)


def _cases(w: _Writer) -> Step:
    lines: list[Equation | str] = []
    for j, i in w.d.entries:
        formula = _on_the_diagonal if i == j else _off_the_diagonal
        lines += [
            "If i = j, on the diagonal:" if i == j else "If i is not j, off the diagonal:",
            w.general_line(w.n.partial("j", "i"), formula(w, w.general)),
            w.partial_line(formula, j, i),
        ]
    text = f"{w.n.inline(w.general.delta)} is 1 if i = j, else 0."
    return Step("The two cases", text, tuple(lines))


def _matrix(w: _Writer) -> Step:
    y_j, y_i = w.general.y_j, w.general.y_i
    products = [w.n.inline(w.n.times(*pair)) for pair in ((y_j, y_i), (y_i, y_j))]
    return Step(
        "The Jacobian matrix",
        "Row j is the output, column i the input. Every row sums to 0, because the probabilities "
        "always sum to 1: raising all logits alike changes none of them. The matrix is symmetric, "
        f"because {products[0]} is {products[1]}.",
        (),
    )
