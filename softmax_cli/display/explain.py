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
from decimal import Decimal
from functools import reduce
from itertools import groupby
from operator import add

from softmax_cli.display.notation import Plain
from softmax_cli.mathematics import core
from softmax_cli.mathematics.derivation import Derivation
from softmax_cli.mathematics.exact import Number, Numbers

_MOST_CLASSES = 8
# Other names are told once, and their positions stand in the formulas.
_SIMPLE = re.compile(r"[^\W_]{1,12}")


@dataclass(frozen=True)
class Equation:
    """Equal expressions: a name, formulas, and of this sample the last of them with numbers.

    Attributes
    ----------
    parts
        As they are written; the last one is the value, if there is one.
    value
        As a number, or None where the equation is general.
    entry
        The entry of J that it is about, or None.
    """

    parts: tuple[str, ...]
    value: Number | None = None
    entry: tuple[int, int] | None = None

    @property
    def sides(self) -> list[str]:
        """The parts, without those that only repeat the one before."""
        return [part for part, _ in groupby(self.parts)]


@dataclass(frozen=True)
class Step:
    """One step: a title, a sentence, and equations, with words between them where need be."""

    title: str
    text: str
    lines: tuple[Equation | str, ...] = ()


def explain(d: Derivation, n: Plain) -> Iterator[Step]:
    """Write all steps in a notation."""
    simple = d.classes
    if not n.is_live and not all(map(_SIMPLE.fullmatch, simple)):
        simple = tuple(map(str, range(1, len(simple) + 1)))
    w, two, z_i = _Writer(replace(d, classes=simple), n), n.given(2), n.symbol("z", "i")
    r, (f, g, df, dg) = w.letters(), map(n.symbol, ("f", "g", "f'", "g'"))
    total = n.total("c", w.letters("c").e_j)
    yield _definition(w, total, d.classes)
    yield Step(
        "The quotient rule",
        f"{r.y_j} is a quotient {f / g}, and both depend on {z_i}.",
        (
            _equation(f, r.e_j),
            _equation(g, r.S, total),
            w.general(lambda _: (df * g - f * dg) / g**two),
        ),
    )
    yield Step(
        "The derivatives of f and g",
        f"{z_i} moves {r.e_j} only if i = j, where {r.delta} is 1 and else 0, "
        f"and of the sum {r.S} it moves only the term {r.e_i}.",
        tuple(_derivatives(w)),
    )
    yield w.step(
        "The quotient rule with numbers",
        f"{f}, {g} and their derivatives are put in.",
        lambda r: (r.e_j * r.delta * r.S - r.e_j * r.e_i) / (r.S**two * r.T),
    )
    yield w.step(
        "Factored",
        f"{r.e_j} stands in both terms, and {r.e_j / r.S} is {r.y_j}.",
        lambda r: r.e_j / (r.S**two * r.T) * (r.delta * r.S - r.e_i),
        lambda r: r.y_j / (r.S * r.T) * (r.delta * r.S - r.e_i),
    )
    yield w.step(
        "The result",
        f"In the bracket, {r.S} over {r.S} is 1 and {r.e_i / r.S} is {r.y_i}.",
        lambda r: r.y_j * (r.delta - r.y_i) / r.T,
    )
    symmetric = f" The matrix is symmetric, because {r.y_j * r.y_i} is {r.y_i * r.y_j}."
    if d.log:
        w, symmetric = replace(w, log=True), ""
        yield w.step(
            "The logarithm",
            f"The derivative of {n.symbol('log y', 'j')} is that of {r.y_j} over {r.y_j}.",
            lambda r: r.y_j * (r.delta - r.y_i) / (r.y_j * r.T),
            lambda r: (r.delta - r.y_i) / r.T,
        )
    yield Step("The two cases", f"{r.delta} is 1 if i = j, else 0.", tuple(_cases(w)))
    yield Step(
        "The Jacobian matrix",
        "Row j is the output, column i the input. Every row sums to 0, because the probabilities "
        f"always sum to 1: raising all logits alike changes none of them.{symmetric}",
    )


@dataclass(frozen=True)
class _Reading:
    """What the letters of a formula stand for; T is None where it is 1."""

    e_j: Plain
    e_i: Plain
    y_j: Plain
    y_i: Plain
    delta: Plain
    S: Plain
    T: Plain | None


_Formula = Callable[[_Reading], Plain]


@dataclass(frozen=True)
class _Writer:
    """Writes the sample's readings and equations in a notation."""

    d: Derivation
    n: Plain
    log: bool = False

    def letters(self, j: str = "j", i: str = "i") -> _Reading:
        """Read with the letters j and i, or the names of classes."""
        n = self.n
        m, T = n.symbol("m"), n.symbol("T")
        e_j, e_i = (self.e(n.symbol("z", name), m, T) for name in (j, i))
        y_j, y_i, delta = n.symbol("y", j), n.symbol("y", i), n.symbol("δ", i, j)
        return _Reading(e_j, e_i, y_j, y_i, delta, n.symbol("S"), self.unless_1(T))

    def names(self, j: int, i: int) -> _Reading:
        """Read with the names of an entry's classes."""
        return self.letters(self.d.classes[j], self.d.classes[i])

    def numbers(self, j: int, i: int) -> _Reading:
        """Read with the sample's numbers."""
        n, d = self.n, self.d
        e_j, e_i = (n.number(d.e(c)).live(f"e{c}") for c in (j, i))
        y_j, y_i = (
            n.number(d.numbers.probability(0, c), d.numbers.rest(0, c)).live(f"y{c}")
            for c in (j, i)
        )
        S, T = n.number(*d.S).live("S"), self.unless_1(n.given(d.temperature).live("T"))
        return _Reading(e_j, e_i, y_j, y_i, n.given(i == j), S, T)

    def e(self, z: Plain, m: Plain, T: Plain) -> Plain:
        """Write e^z, shifted and divided by T where that is so."""
        shifted = z - m if self.has_shift else z
        return self.n.symbol("e") ** (shifted / self.unless_1(T))

    @property
    def has_shift(self) -> bool:
        """Whether m is written."""
        return self.d.shift is not None or self.n.is_live

    def unless_1(self, T: Plain) -> Plain | None:
        """Return T, or None where it is 1."""
        return T if self.d.temperature != 1 or self.n.is_live else None

    def line(
        self, left: Plain, formula: _Formula, j: int, i: int, value: Number, live: str
    ) -> Equation:
        """Write a formula with the names of an entry, with its numbers, and its value."""
        names, numbers = formula(self.names(j, i)), formula(self.numbers(j, i))
        shown = self.n.number(value).live(live)
        return replace(_equation(left, names, numbers, shown, value=value), entry=(j, i))

    def of_entry(self, formula: _Formula, j: int, i: int) -> Equation:
        """Write the partial derivative of an entry by a formula."""
        d = self.d
        value = float(core.jacobian_rows(d.z, [j], d.temperature, self.log)[0, i])
        exact = Numbers(d.z[None], d.temperature, log=self.log).partial(0, j, i, value)
        left, live = self.partial(d.classes[j], d.classes[i]), f"{'L' if self.log else 'J'}{j},{i}"
        return self.line(left, formula, j, i, exact, live)

    def partial(self, output: str, input_: str) -> Plain:
        """Write dy_output/dz_input."""
        return self.n.partial(output, input_, "log y" if self.log else "y")

    def general(self, *formulas: _Formula) -> Equation:
        """Write formulas of dy_j/dz_i."""
        return _equation(self.partial("j", "i"), *(each(self.letters()) for each in formulas))

    def step(self, title: str, text: str, *formulas: _Formula) -> Step:
        """Write formulas of dy_j/dz_i, and the last of them for each entry."""
        lines = (self.of_entry(formulas[-1], *entry) for entry in self.d.entries)
        return Step(title, text, (self.general(*formulas), *lines))


def _equation(*parts: Plain, value: Number | None = None) -> Equation:
    return Equation(tuple(each.text for each in parts), value)


def _definition(w: _Writer, total: Plain, names: Sequence[str]) -> Step:
    n, d, r = w.n, w.d, w.letters()
    shown = sorted({*range(len(d.z))[:_MOST_CLASSES], *(c for entry in d.entries for c in entry)})
    more = [n.symbol("…")] if len(shown) < len(d.z) else []
    m, T = n.given(d.shift or 0).live("m"), n.given(d.temperature).live("T")
    logits = [n.given(z).live(f"z{j}") for j, z in enumerate(d.z)]
    read = [(j, w.names(j, j), w.e(logits[j], m, T), w.numbers(j, j)) for j in shown]
    terms = [*(x.e_j for _, x, _, _ in read), *more]
    powers = [*(e for _, _, e, _ in read), *more]
    text = "Softmax exponentiates the logits and divides by their sum."
    if r.T is not None:
        text += n.when("T", " The temperature T divides the logits first.")
    if w.has_shift:
        factor = n.symbol("e") ** -n.symbol("m")
        shifted = (
            " The exponentials are shown shifted by the largest logit m, as they are computed: "
            f"the factor {factor} above and below changes neither y nor its derivatives."
        )
        text += n.when("m", shifted)
    lines: tuple[Equation | str, ...] = (
        _equation(r.y_j, r.e_j / r.S),
        _equation(r.S, total),
        "For this sample:",
        *(f"Class {d.classes[j]} is {names[j]}." for j in shown if names[j] != d.classes[j]),
        *(_equation(x.e_j, e, number.e_j, value=d.e(j)) for j, x, e, number in read),
        _equation(
            r.S, reduce(add, terms), reduce(add, powers), n.number(*d.S).live("S"), value=d.S[0]
        ),
        *(
            _equation(x.y_j, x.e_j / r.S, e / v.S, v.y_j, value=d.numbers.probability(0, j))
            for j, x, e, v in read
        ),
    )
    return Step("The definition", text, lines)


def _derivatives(w: _Writer) -> Iterator[Equation | str]:
    formulas: dict[str, _Formula] = {
        "f'": lambda r: r.e_j * r.delta / r.T,
        "g'": lambda r: r.e_i / r.T,
    }
    for name, formula in formulas.items():
        yield _equation(w.n.symbol(name), formula(w.letters()))
    for j, i in w.d.entries:
        output, input_, e, T = w.d.classes[j], w.d.classes[i], w.d.e(i), w.d.temperature
        value = e / Decimal(T) if isinstance(e, Decimal) else e / T
        yield f"For i = j = {output}:" if i == j else f"For j = {output}, i = {input_}:"
        for name, formula in formulas.items():
            is_zero = name == "f'" and i != j
            number = 0.0 if is_zero else value
            yield w.line(w.n.symbol(name), formula, j, i, number, "0" if is_zero else f"d{i}")


def _cases(w: _Writer) -> Iterator[Equation | str]:
    one = w.n.given(1)
    on, off = "If i = j, on the diagonal:", "If i is not j, off the diagonal:"
    cases: dict[bool, tuple[str, _Formula]] = {
        True: (on, lambda r: r.y_j * (one - r.y_j) / r.T),
        False: (off, lambda r: -r.y_j * r.y_i / r.T),
    }
    if w.log:
        cases = {True: (on, lambda r: (one - r.y_j) / r.T), False: (off, lambda r: -r.y_i / r.T)}
    for j, i in w.d.entries:
        words, formula = cases[i == j]
        general = replace(w.general(formula), entry=(j, i))
        yield from (words, general, w.of_entry(formula, j, i))
