"""The derivation of the softmax derivative, with one sample's own numbers.

It walks from the definition by the quotient rule to the Jacobian: y_j = f/g with
f = e^{z_j} and g = S = sum_c e^{z_c}, f' = e^{z_j} delta_ij and g' = e^{z_i}, hence
dy_j/dz_i = (f' g - f g')/g^2 = (y_j/S) (delta_ij S - e^{z_i}) = y_j (delta_ij - y_i).

Formulas are written as Python expressions over named symbols, so that the same text is shown as
a formula, shown with numbers, typeset, and evaluated.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from softmax_cli.mathematics import core, memory

FloatArray = NDArray[np.float64]

# Beyond it e^z gets long to read, and overflows or underflows in the end.
LARGEST_SHOWN_EXPONENT = 30.0
# Below it the sum S, written down, cannot be told from its largest term.
SMALLEST_SHOWN_REST = 1e-4
MOST_CLASSES = 8
CLASSES_AT_EACH_END = 2


@dataclass(frozen=True)
class Symbol:
    """What a name in a formula stands for.

    Attributes
    ----------
    base, index
        The letter, and the class names or letters of its subscripts.
    value
        What it is for this sample, or None where it is general.
    beyond_one
        What a value near 1 adds to 1: the digits that the value itself cannot hold.
    exact
        Whether it is the user's number or an integer, shown without further digits.
    sign
        The sign of the true value, which a value of 0 has lost by underflow; 0 where 0 is true.
    formula
        What is written in place of a name.
    """

    base: str
    index: tuple[str, ...] = ()
    value: float | None = None
    beyond_one: float | None = None
    exact: bool = False
    sign: int = 0
    formula: str | None = None


@dataclass(frozen=True)
class Equation:
    """Equal expressions: a name, formulas, the last of them with numbers, and the value.

    Attributes
    ----------
    left
        The name of the symbol on the left.
    formulas
        Expressions over symbols.
    value
        What the program computes, or None where the equation is general.
    sign
        As of a symbol, where the left side has no sign of its own.
    """

    left: str
    formulas: tuple[str, ...]
    value: float | None = None
    sign: int = 0


@dataclass(frozen=True)
class Step:
    """One step: a title, a sentence, and equations, with words between them where need be."""

    title: str
    text: str
    lines: tuple[Equation | str, ...]


@dataclass(frozen=True)
class Derivation:
    """All steps for one sample.

    Attributes
    ----------
    sample
        Its name or position.
    classes
        The classes' names.
    z, y
        Logits and probabilities of the sample.
    temperature
        T.
    shift
        The maximum, where the exponentials are shown shifted by it, or None.
    symbols
        What the names in the formulas stand for.
    steps
        In order.
    """

    sample: str
    classes: tuple[str, ...]
    z: FloatArray
    y: FloatArray
    temperature: float
    shift: float | None
    symbols: dict[str, Symbol]
    steps: tuple[Step, ...]

    @property
    def J(self) -> FloatArray:  # noqa: N802
        """The Jacobian of the sample, which takes memory O(C^2)."""
        memory.require(
            4 * 8 * len(self.z) ** 2, f"the Jacobian of {len(self.z)} classes and its text"
        )
        return core.jacobian(self.z, temperature=self.temperature)


@dataclass
class _Names:
    """Hands out names for symbols as the formulas need them."""

    z: FloatArray
    classes: tuple[str, ...]
    T: float
    shift: float | None
    exponents: FloatArray
    y: FloatArray
    complement: FloatArray
    symbols: dict[str, Symbol] = field(default_factory=dict)

    def add(self, name: str, symbol: Symbol) -> str:
        self.symbols[name] = symbol
        return name

    def logit(self, j: int) -> str:
        index = (self.classes[j],)
        return self.add(f"z{j}", Symbol("z", index, float(self.z[j]), exact=True))

    def exponential(self, j: int) -> str:
        """Write e^{z_j}, shifted and divided by T where that is so."""
        return f"exp({self.exponent(self.logit(j))})"

    def e(self, j: int) -> str:
        """Name the value of e^{z_j}."""
        value = math.exp(self.exponents[j])
        formula = self.exponential(j)
        return self.add(f"e{j}", Symbol("e", (), value, sign=self.sign(j), formula=formula))

    def sign(self, *classes: int) -> int:
        return int(np.isfinite(self.z[list(classes)]).all())

    def exponent(self, z: str) -> str:
        z = z if self.shift is None else f"{z} - m"
        if self.T == 1:
            return z
        return f"{z}/T" if self.shift is None else f"({z})/T"

    def probability(self, j: int) -> str:
        y, rest = float(self.y[j]), float(self.complement[j])
        if np.isfinite(self.z[j]) and np.isfinite(self.z).sum() == 1:
            return self.add(f"y{j}", Symbol("y", (self.classes[j],), y, exact=True))
        return self.add(f"y{j}", Symbol("y", (self.classes[j],), y, -rest, sign=self.sign(j)))

    def delta(self, j: int, i: int) -> str:
        index = (self.classes[i], self.classes[j])
        return self.add(f"d{i}_{j}", Symbol("delta", index, float(i == j), exact=True))

    def partial(self, j: int, i: int) -> str:
        index = (self.classes[j], self.classes[i])
        alone = np.isfinite(self.z).sum() == 1
        sign = 0 if alone else self.sign(j, i) * (1 if i == j else -1)
        return self.add(f"J{j}_{i}", Symbol("dy/dz", index, self.derivative(j, i), sign=sign))

    def derivative(self, j: int, i: int) -> float:
        return float(core.jacobian_rows(self.z, [j], self.T)[0, i])


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
    y = core.softmax(z, temperature=temperature)
    complement = core.complement(z, temperature=temperature)
    largest = float(z.max())
    top = int(z.argmax())
    far = not abs(largest) / temperature <= LARGEST_SHOWN_EXPONENT
    saturated = len(z) > 1 and 0 < complement[top] < SMALLEST_SHOWN_REST
    shift = largest if far or saturated else None
    with np.errstate(over="ignore"):  # beyond the range of float64, e to that power is 0
        relative = (z - (shift or 0.0)) / temperature
    names = _Names(z, tuple(classes), temperature, shift, relative, y, complement)
    _add_general_symbols(names)
    entries = [entry] if entry else [(top, top), *_off_diagonal(z, top)]
    shown = _shown_classes(len(z), entries)
    steps = (
        _definition(names, shown),
        _quotient(names),
        _derivatives(names, entries),
        _quotient_with_numbers(names, entries),
        _factored(names, entries),
        _result(names, entries),
        _cases(names, entries),
        _matrix(names),
    )
    return Derivation(sample, tuple(classes), z, y, temperature, shift, names.symbols, steps)


def _off_diagonal(z: FloatArray, j: int) -> list[tuple[int, int]]:
    """Return an entry beside the diagonal one, with another class that is not masked."""
    others = [i for i in range(len(z)) if i != j]
    return [(j, next((i for i in others if np.isfinite(z[i])), others[0]))] if others else []


def _shown_classes(count: int, entries: Sequence[tuple[int, int]]) -> list[int]:
    if count <= MOST_CLASSES:
        return list(range(count))
    ends = (*range(CLASSES_AT_EACH_END), *range(count - CLASSES_AT_EACH_END, count))
    return sorted({*ends, *(c for entry in entries for c in entry)})


def _add_general_symbols(names: _Names) -> None:
    T, shift = names.T, names.shift
    terms = [math.exp(each) for each in names.exponents]
    S = math.fsum(terms)
    # S = 1 + the rest where the largest term is e^0 = 1.
    beyond_one = (math.fsum(sorted(terms)[:-1]) or None) if max(names.exponents) == 0 else None
    names.add("S", Symbol("S", (), S, beyond_one=beyond_one))
    if shift is not None:
        names.add("m", Symbol("m", (), shift, exact=True))
    if T != 1:
        names.add("T", Symbol("T", (), T, exact=True))
    names.add("n1", Symbol("", (), 1.0, exact=True))
    for base, index in (("z", "j"), ("z", "i"), ("z", "c"), ("y", "j"), ("y", "i")):
        names.add(f"{base}_{index}", Symbol(base, (index,)))
    names.add("delta_ij", Symbol("delta", ("i", "j")))
    names.add("J_ji", Symbol("dy/dz", ("j", "i")))
    for name in ("f", "g"):
        names.add(name, Symbol(name))
        names.add(f"d{name}", Symbol(f"{name}'"))


def _divided(names: _Names, expression: str) -> str:
    return expression if names.T == 1 else f"{expression}/T"


def _definition(names: _Names, shown: Sequence[int]) -> Step:
    terms = []
    for position, j in enumerate(shown):
        if j and (position == 0 or shown[position - 1] != j - 1):
            terms.append("...")
        terms.append(names.exponential(j))
    total = " + ".join(terms)
    e_j = f"exp({names.exponent('z_j')})"
    lines: list[Equation | str] = [
        Equation("y_j", (f"{e_j}/S",)),
        Equation("S", (f"total(exp({names.exponent('z_c')}))",)),
        "For this sample:",
    ]
    for j in shown:
        name = names.e(j)
        lines.append(Equation(name, (names.exponential(j),), names.symbols[name].value))
    S = names.symbols["S"].value
    lines.append(Equation("S", (total,), S))
    lines += [
        Equation(names.probability(j), (f"{names.exponential(j)}/S",), float(names.y[j]))
        for j in shown
    ]
    text = "Softmax exponentiates the logits and divides by their sum."
    if names.T != 1:
        text += " The temperature T divides the logits first."
    if names.shift is not None:
        text += (
            " The exponentials are shown shifted by the largest logit m, as they are computed: "
            "unshifted they would be too large, too small or too close to their sum to write down. "
            "The shift multiplies numerator and denominator by the same factor, so that it changes "
            "neither y nor its derivatives."
        )
    return Step("The definition", text, tuple(lines))


def _quotient(names: _Names) -> Step:
    return Step(
        "The quotient rule",
        "`y_j` is a quotient `f/g`, and both depend on `z_i`.",
        (
            Equation("f", (f"exp({names.exponent('z_j')})",)),
            Equation("g", ("S", f"total(exp({names.exponent('z_c')}))")),
            Equation("J_ji", ("(df*g - f*dg)/g**2",)),
        ),
    )


def _derivatives(names: _Names, entries: Sequence[tuple[int, int]]) -> Step:
    lines: list[Equation | str] = [
        Equation("df", (_divided(names, f"exp({names.exponent('z_j')})*delta_ij"),)),
        Equation("dg", (_divided(names, f"exp({names.exponent('z_i')})"),)),
    ]
    for j, i in entries:
        e_j, e_i = names.e(j), names.e(i)
        df = names.symbols[e_j].value or 0.0
        dg = (names.symbols[e_i].value or 0.0) / names.T
        lines += [
            _heading(names, j, i),
            Equation(
                "df", (_divided(names, f"{e_j}*{names.delta(j, i)}"),), df * (i == j) / names.T
            ),
            Equation("dg", (_divided(names, e_i),), dg, names.sign(i)),
        ]
    text = (
        f"`z_i` moves `exp({names.exponent('z_j')})` only if i = j, where `delta_ij` is 1 and else "
        f"0, and of the sum `S` it moves only the term `exp({names.exponent('z_i')})`."
    )
    return Step("The derivatives of f and g", text, tuple(lines))


def _heading(names: _Names, j: int, i: int) -> str:
    if i == j:
        return f"For i = j = {names.classes[j]}:"
    return f"For j = {names.classes[j]}, i = {names.classes[i]}:"


def _quotient_with_numbers(names: _Names, entries: Sequence[tuple[int, int]]) -> Step:
    bottom = "S**2" if names.T == 1 else "(S**2*T)"
    e_j, e_i = (f"exp({names.exponent(z)})" for z in ("z_j", "z_i"))
    lines: list[Equation | str] = [
        Equation("J_ji", (f"({e_j}*delta_ij*S - {e_j}*{e_i})/{bottom}",))
    ]
    for j, i in entries:
        numerator = f"e{j}*{names.delta(j, i)}*S - e{j}*e{i}"
        lines.append(
            Equation(names.partial(j, i), (f"({numerator})/{bottom}",), names.derivative(j, i))
        )
    text = "`f`, `g` and their derivatives are put in."
    return Step("The quotient rule with numbers", text, tuple(lines))


def _factored(names: _Names, entries: Sequence[tuple[int, int]]) -> Step:
    T = "" if names.T == 1 else "*T"
    bottom = f"(S{T})"
    e_j, e_i = (f"exp({names.exponent(z)})" for z in ("z_j", "z_i"))
    bracket = f"(delta_ij*S - {e_i})"
    lines: list[Equation | str] = [
        Equation("J_ji", (f"{e_j}/(S**2{T})*{bracket}", f"y_j/{bottom}*{bracket}"))
    ]
    for j, i in entries:
        formula = f"{names.probability(j)}/{bottom}*({names.delta(j, i)}*S - e{i})"
        lines.append(Equation(names.partial(j, i), (formula,), names.derivative(j, i)))
    text = f"`{e_j}` stands in both terms, and `{e_j}/S` is `y_j`."
    return Step("Factored", text, tuple(lines))


def _result(names: _Names, entries: Sequence[tuple[int, int]]) -> Step:
    lines: list[Equation | str] = [
        Equation("J_ji", (_divided(names, "y_j*(delta_ij - y_i)"),)),
    ]
    for j, i in entries:
        y_j, y_i = names.probability(j), names.probability(i)
        formula = _divided(names, f"{y_j}*({names.delta(j, i)} - {y_i})")
        lines.append(Equation(names.partial(j, i), (formula,), names.derivative(j, i)))
    return Step(
        "The result",
        f"In the bracket, `S` over `S` is 1 and `exp({names.exponent('z_i')})/S` is `y_i`.",
        tuple(lines),
    )


def _cases(names: _Names, entries: Sequence[tuple[int, int]]) -> Step:
    lines: list[Equation | str] = []
    for j, i in entries:
        y_j, y_i = names.probability(j), names.probability(i)
        if i == j:
            lines += [
                "If i = j, on the diagonal:",
                Equation("J_ji", (_divided(names, "y_j*(n1 - y_j)"),)),
                Equation(
                    names.partial(j, j),
                    (_divided(names, f"{y_j}*(n1 - {y_j})"),),
                    names.derivative(j, j),
                ),
            ]
        else:
            lines += [
                "If i is not j, off the diagonal:",
                Equation("J_ji", (_divided(names, "-y_j*y_i"),)),
                Equation(
                    names.partial(j, i), (_divided(names, f"-{y_j}*{y_i}"),), names.derivative(j, i)
                ),
            ]
    return Step("The two cases", "`delta_ij` is 1 if i = j, else 0.", tuple(lines))


def _matrix(names: _Names) -> Step:
    return Step(
        "The Jacobian matrix",
        "Row j is the output, column i the input. Every row sums to 0, because the probabilities "
        "always sum to 1: raising all logits alike changes none of them. The matrix is symmetric, "
        "because `y_j*y_i` is `y_i*y_j`.",
        (),
    )
