"""The derivation of the softmax derivative, step by step, in any notation.

It walks from the definition by the quotient rule to the Jacobian: y_j = f/g with
f = e^{z_j} and g = S = sum_c e^{z_c}, f' = e^{z_j} delta_ij and g' = e^{z_i}, hence
dy_j/dz_i = (f' g - f g')/g^2 = (y_j/S) (delta_ij S - e^{z_i}) = y_j (delta_ij - y_i).

Each formula is written once, as a function of a reading: the letters, the names of an entry's
classes, or this sample's numbers.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import groupby
from operator import add
from typing import NamedTuple

from softmax_cli.display.notation import Plain
from softmax_cli.display.screen import Equation, Step
from softmax_cli.mathematics.exact import Derivation, Entry, quotient


def explain(d: Derivation, n: Plain) -> Iterator[Step | Equation | str]:
    """Write all steps in a notation, each with its equations, and words where need be."""
    n = replace(n, letters="T" * (d.temperature != 1) + "m" * (d.shift is not None))
    simple = d.classes
    # Other names are told once, and their positions stand in the formulas.
    if not all(re.fullmatch(r"[^\W_]{1,12}|#\d+", each) for each in simple):
        simple = tuple(map(str, range(1, len(simple) + 1)))
    w, two, z_i = _Writer(replace(d, classes=simple, log=False), n), n.given(2), n.symbol("z", "i")
    r, f, g = w.letters(), n.symbol("f"), n.symbol("g")
    total = n.total("c", w.letters("c").e_j)
    yield from _definition(w, total, d.classes)
    yield Step("2. The quotient rule", f"{r.y_j} is a quotient {f / g}, and both depend on {z_i}.")
    yield _equation(f, r.e_j)
    yield _equation(g, r.S, total)
    yield w.general(_entry, lambda r: (r.df * g - f * r.dg) / g**two)
    text = f"{z_i} moves {r.e_j} only if i = j, where {r.delta} is 1 and else 0, "
    text += f"and of the sum {r.S} it moves only the term {r.e_i}."
    yield Step("3. The derivatives of f and g", text)
    yield from _derivatives(w)
    yield from w.step(
        "4. The quotient rule with numbers",
        f"{f}, {g} and their derivatives are put in.",
        lambda r: (r.e_j * r.delta * r.S - r.e_j * r.e_i) / r.times_T(r.S**two),
    )
    yield from w.step(
        "5. Factored",
        f"{r.e_j} stands in both terms, and {r.e_j / r.S} is {r.y_j}.",
        lambda r: r.e_j / r.times_T(r.S**two) * (r.delta * r.S - r.e_i),
        lambda r: r.y_j / r.times_T(r.S) * (r.delta * r.S - r.e_i),
    )
    yield from w.step(
        "6. The result",
        f"In the bracket, {r.S} over {r.S} is 1 and {r.e_i / r.S} is {r.y_i}.",
        lambda r: r.over_T(r.y_j * (r.delta - r.y_i)),
    )
    symmetric = f" The matrix is symmetric, because {r.y_j * r.y_i} is {r.y_i * r.y_j}."
    if d.log:
        w, symmetric = replace(w, d=replace(w.d, log=True)), ""
        yield from w.step(
            "7. The logarithm",
            f"The derivative of {n.symbol('log y', 'j')} is that of {r.y_j} over {r.y_j}.",
            lambda r: r.y_j * (r.delta - r.y_i) / r.times_T(r.y_j),
            lambda r: r.over_T(r.delta - r.y_i),
        )
    yield Step(f"{7 + d.log}. The two cases", f"{r.delta} is 1 if i = j, else 0.")
    yield from _cases(w)
    text = "Row j is the output, column i the input. Every row sums to 0, because the probabilities"
    text += f" always sum to 1: raising all logits alike changes none of them.{symmetric}"
    yield Step(f"{8 + d.log}. The Jacobian matrix", text)


class _Reading(NamedTuple):
    """What the letters of a formula stand for."""

    e_j: Plain
    e_i: Plain
    y_j: Plain
    y_i: Plain
    delta: Plain
    S: Plain
    T: Plain
    df: Plain
    dg: Plain
    entry: Plain  # of J

    def over_T(self, formula: Plain) -> Plain:  # noqa: N802
        """Divide by T, where that is not 1."""
        return formula.either("T", formula / self.T, formula)

    def times_T(self, formula: Plain) -> Plain:  # noqa: N802
        """Multiply by T, where that is not 1."""
        return formula.either("T", formula * self.T, formula)


_Formula = Callable[[_Reading], Plain]


@dataclass(frozen=True)
class _Writer:
    """Writes the sample's readings and equations in a notation."""

    d: Derivation
    n: Plain

    def letters(self, j: str = "j", i: str = "i") -> _Reading:
        """Read with the letters j and i, or the names of classes."""
        n = self.n
        e_j, e_i = (_power(n.symbol("z", c), n.symbol("m"), n.symbol("T")) for c in (j, i))
        y_j, y_i, delta = n.symbol("y", j), n.symbol("y", i), n.symbol("δ", i, j)
        S, T, df, dg = map(n.symbol, ("S", "T", "f'", "g'"))
        entry = n.partial(j, i, "log y" if self.d.log else "y")
        return _Reading(e_j, e_i, y_j, y_i, delta, S, T, df, dg, entry)

    def numbers(self, j: int, i: int) -> _Reading:
        """Read with the sample's numbers."""
        n, d = self.n, self.d
        e_j, e_i = (n.number(d.e(c), live=f"e{c}") for c in (j, i))
        y_j, y_i = (n.number(*d.y(c), live=f"y{c}") for c in (j, i))
        S, T = n.number(*d.S, live="S"), n.given(d.temperature, "T")
        dg = n.number(quotient(d.e(i), d.temperature), live=f"d{i}")
        df = dg if i == j else n.number(0.0, live="0")
        entry = n.number(d.partial(j, i), live=f"{'L' if d.log else 'J'}{j},{i}")
        return _Reading(e_j, e_i, y_j, y_i, n.given(i == j), S, T, df, dg, entry)

    def of_entry(self, left: _Formula, formula: _Formula, entry: Entry) -> Equation:
        """Write a formula with the names of an entry, with its numbers, and its value."""
        names = self.letters(*(self.d.classes[c] for c in entry))
        numbers = self.numbers(*entry)
        return _equation(left(names), formula(names), formula(numbers), left(numbers), entry=entry)

    def general(self, left: _Formula, *formulas: _Formula, entry: Entry | None = None) -> Equation:
        """Write formulas with letters."""
        r = self.letters()
        return _equation(left(r), *(formula(r) for formula in formulas), entry=entry)

    def step(self, title: str, text: str, *formulas: _Formula) -> Iterator[Step | Equation]:
        """Write formulas of dy_j/dz_i, and the last of them for each entry."""
        yield Step(title, text)
        yield self.general(_entry, *formulas)
        yield from (self.of_entry(_entry, formulas[-1], entry) for entry in self.d.entries)


def _entry(r: _Reading) -> Plain:
    return r.entry


def _equation(*parts: Plain, entry: Entry | None = None) -> Equation:
    sides = [text for text, _ in groupby(each.text for each in parts)]
    return Equation(sides, parts[-1].value, entry)


def _power(z: Plain, m: Plain, T: Plain) -> Plain:
    """Write e^z, shifted and divided by T where that is so."""
    shifted = z.either("m", z - m, z)
    return z.symbol("e") ** z.either("T", shifted / T, shifted)


def _definition(w: _Writer, total: Plain, names: Sequence[str]) -> Iterator[Step | Equation | str]:
    n, d, r = w.n, w.d, w.letters()
    shown = sorted({*range(len(d.z))[:8], *(c for entry in d.entries for c in entry)})
    m, T = n.given(d.shift or 0, "m"), n.given(d.temperature, "T")
    powers = [_power(n.given(float(d.z[j]), f"z{j}"), m, T) for j in shown]
    letters = [w.letters(d.classes[j], d.classes[j]) for j in shown]
    read = list(zip(letters, (w.numbers(j, j) for j in shown), powers, strict=True))
    factor = n.symbol("e") ** -n.symbol("m")
    shifted = " The exponentials are shown shifted by the largest logit m, as they are computed: "
    shifted += f"the factor {factor} above and below changes neither y nor its derivatives."
    text = "Softmax exponentiates the logits and divides by their sum."
    text += n.only("T", " The temperature T divides the logits first.") + n.only("m", shifted)
    yield Step("1. The definition", text)
    yield _equation(r.y_j, r.e_j / r.S)
    yield _equation(r.S, total)
    yield "For this sample:"
    yield from (f"Class {d.classes[j]} is {names[j]}." for j in shown if names[j] != d.classes[j])
    yield from (_equation(x.e_j, e, v.e_j) for x, v, e in read)
    more = [n.symbol("…")] if len(shown) < len(d.z) else []
    sums = (reduce(add, [*terms, *more]) for terms in ([x.e_j for x in letters], powers))
    yield _equation(r.S, *sums, n.number(*d.S, live="S"))
    yield from (_equation(x.y_j, x.e_j / r.S, e / v.S, v.y_j) for x, v, e in read)


def _derivatives(w: _Writer) -> Iterator[Equation | str]:
    pairs = [(lambda r: r.df, lambda r: r.over_T(r.e_j * r.delta))]
    pairs += [(lambda r: r.dg, lambda r: r.over_T(r.e_i))]
    yield from (w.general(*pair) for pair in pairs)
    for j, i in w.d.entries:
        output, input_ = w.d.classes[j], w.d.classes[i]
        yield f"For i = j = {output}:" if i == j else f"For j = {output}, i = {input_}:"
        yield from (w.of_entry(*pair, (j, i)) for pair in pairs)


def _cases(w: _Writer) -> Iterator[Equation | str]:
    one = w.n.given(1)
    cases = lambda r: r.over_T(r.y_j * (one - r.y_j)), lambda r: r.over_T(-r.y_j * r.y_i)
    if w.d.log:
        cases = lambda r: r.over_T(one - r.y_j), lambda r: r.over_T(-r.y_i)
    for j, i in w.d.entries:
        yield "If i = j, on the diagonal:" if i == j else "If i is not j, off the diagonal:"
        formula = cases[i != j]
        yield w.general(_entry, formula, entry=(j, i))
        yield w.of_entry(_entry, formula, (j, i))
