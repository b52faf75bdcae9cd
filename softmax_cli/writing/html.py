"""HTML: one page that holds all it shows, and may fetch nothing.

Bars, matrices in colours, formulas, a verdict, a chart of a sweep.
"""

import math
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from html import escape
from importlib.resources import files
from itertools import repeat
from string import Template

from rich.text import Text

from softmax_cli import result as results
from softmax_cli.checking.sweep import Sweep
from softmax_cli.display import parts
from softmax_cli.display.explain import explain
from softmax_cli.display.notation import MathML, typographic
from softmax_cli.display.numbers import given, significant
from softmax_cli.display.screen import Cell, Equation, Part, Screen, Step, Table
from softmax_cli.errors import visible
from softmax_cli.mathematics.exact import Derivation, Numbers
from softmax_cli.options import OutputOptions
from softmax_cli.samples import Batch

# How many samples and classes are shown, or else how many at each end.
_SAMPLES, _CLASSES, _BARS = (60, 10, 10), (50, 10, 10), (20, 20, 0)
_LEVELS = 8  # of colour, above and below zero
_SINGLE = re.compile("<mrow class=not-T><mn[^<]*</mn></mrow>$")


def page(result: results.Result, options: OutputOptions) -> bytes:
    """Make a page; a script comes with a Jacobian alone."""
    screen = Screen(None, options.precision, margins=1, rows=_CLASSES, columns=_CLASSES)
    title, body, moves = _page(result, screen)
    style, script = _template("page.css").template, _template("page.js").template if moves else ""
    texts = {"title": title, "body": body, "style": style, "script": script}
    hashes = {"style_hash": _allowed(style), "script_hash": _allowed(script)}
    return _template("page.html").substitute(texts, **hashes).encode()


def _allowed(text: str) -> str:
    """Name a text for a Content-Security-Policy that allows nothing else."""
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _template(name: str) -> Template:
    """Return a file of the package to fill in."""
    return Template((files("softmax_cli") / "writing" / "page" / name).read_text("utf-8"))


def _page(result: results.Result, screen: Screen) -> tuple[str, str, bool]:
    """Make the title and the body of any result's page, and say whether a script moves it."""
    match result:
        case Derivation():
            return _jacobian(result, screen)
        case results.Report(evidence=Sweep() as found):
            name, table = parts.parts(result, screen)
            return _text(f"The {name}"), _chart(found) + _told(table), False
        case results.Report():
            title = f"Check of softmax: {'PASS' if result.evidence else 'FAIL'}"
            told = [_by_magnitude(part) for part in parts.parts(result, screen)]
            # The samples come last.
            told.sort(key=lambda part: isinstance(part, Table) and not part.inputs)
            return title, "".join(map(_told, told)), False
        case results.Arrays():
            return _arrays(result, screen)


def _arrays(result: results.Arrays, screen: Screen) -> tuple[str, str, bool]:
    logits, quantity = result.logits, result.quantity
    is_matrix = isinstance(quantity, results.Jacobian)
    most = max(1, 20_000 // min(logits.n_classes, _CLASSES[0]) ** 2)
    limit = (most, most, 0) if is_matrix else _SAMPLES
    batch, shown = parts.some_samples(logits.batches, logits.n_classes, limit)
    if isinstance(quantity, results.Probabilities):
        cards = f'<div class="cards">{"".join(_cards(result, batch, screen))}</div>'
        return parts.heading(result), _left_out(shown.left_out) + cards, False
    # The first matrix is the one to play with.
    rest = iter([batch.part(slice(int(is_matrix), None))])
    tables = parts.parts(replace(result, logits=replace(logits, blocks=rest)), screen)
    more = _left_out(shown.left_out) + "".join(map(_told, tables))
    if isinstance(quantity, results.Vjp):
        return parts.heading(result), more, False
    n = len(shown.names)
    return _jacobian(result.derivation(batch, n), screen, more * (n > 1))


def _left_out(*told: str) -> str:
    return "".join(f'<p class="quiet">{_text(each)}</p>' for each in filter(None, told))


def _text(text: str) -> str:
    """Show a text, which may hold names, as data."""
    return escape(visible(text))


def _name(name: str) -> str:
    return f"<bdi>{_text(name)}</bdi>"


def _number(text: str) -> str:
    return escape(typographic(text))


def _bar(fraction: float) -> str:
    """Draw a fraction; what is not 0 is seen."""
    width = f"{max(100 * fraction, 0.3) if fraction else 0:.4g}%"
    bar = f'<rect width="{width}" height="100%"/><line class="start" y2="100%"/>'
    return f'<svg class="bar" aria-hidden="true">{bar}</svg>'


def _cards(result: results.Arrays, batch: Batch, screen: Screen) -> Iterator[str]:
    """Show the probabilities of each sample, the largest named; of many classes, the largest."""
    classes, n = result.logits.classes, len(batch.logits)
    numbers = Numbers(batch.logits, result.quantity.temperature)
    if len(classes) > _BARS[0]:
        result = replace(result, top=result.top or len(classes))
    for k, top in enumerate(batch.logits.argmax(axis=1).tolist()):
        y = parts.show_probability(numbers, k, top)(min(screen.precision, 3))
        title = _text(result.logits.title(batch, k, n))
        largest = f"largest: class {_name(classes[top])}, {_number(y).replace(' ', '&nbsp;')}"
        one = batch.part(slice(k, k + 1))
        table = _table(parts.class_table(result, one, replace(screen, rows=_BARS)))
        caption = f"<figcaption>{title}{', ' * bool(title)}{largest}</figcaption>"
        yield f'<figure class="card">{caption}{table}</figure>'


def _matrix(table: Table) -> str:
    """Show a Jacobian in colours, and its row sums; a wide one with few digits."""
    is_wide, rows = len(table.headings) > 12, []
    for name, *entries, total in table.rows:
        shown = [replace(cell, style=_level(cell.value / table.largest)) for cell in entries]
        if is_wide:
            shown = [replace(cell, number=cell.show(2)) for cell in shown if cell.show]
        rows.append([name, *shown, replace(total, style="sum")])
    return _table(replace(table, rows=rows), f"matrix{' wide' * is_wide}")


def _level(share: float) -> str:
    """Name the colour of a share of what is largest; the root lifts small ones off the middle."""
    level = math.ceil(_LEVELS * math.sqrt(min(abs(share), 1)))
    return f"{'p' if share > 0 else 'n'}{level}" if level else ""


def _jacobian(d: Derivation, screen: Screen, more: str = "") -> tuple[str, str, bool]:
    """Fill in the page of one sample's Jacobian."""
    j, i = d.entries[0]
    beside = [c for _, c in d.entries if c != j] + [c for c in range(len(d.z)) if c != j]
    n = MathML(screen.precision, names=d.classes)
    marked = tuple(f"#{c}" for c in range(len(d.z)))
    d = replace(d, classes=marked, entries=((j, j), *((j, c) for c in beside[:1])))
    steps = list(explain(d, n))
    lines = [line for line in steps if isinstance(line, Equation)]
    last = {line.entry: _math(line) for line in lines if line.entry and line.value is not None}
    cases = [_math(line) for line in lines if line.entry and line.value is None]
    how = {"T": given(d.temperature), "precision": n.precision, "log": int(d.log), "j": j, "i": i}
    texts = {"definition": _math(lines[0]), "gains": cases[0], "here": _cases(last), "more": more}
    texts |= {"classes": "".join(_classes(d, n)), "steps": "".join(_steps(steps))}
    texts |= {"gain": _number(significant(d.partial(i, i), n.precision)), "name": _text(n.names[i])}
    body = _template("jacobian.html").substitute(
        {**how, **texts},
        matrix=_matrix(parts.jacobian_table(d.numbers, n.names, screen)),
        loses="".join(f"<li>every other class loses: {each}</li>" for each in cases[1:]),
        fall=-n.number(*d.y(i), live=f"y{i}"),
        forms=f"{'no-T ' * (d.temperature == 1)}{'no-m' * (d.shift is None)}",
    )
    name = f"The derivative of {'log-' * d.log}softmax" + f": {_text(d.sample)}" * bool(d.sample)
    return name, body, len(d.z) <= _CLASSES[0]


def _classes(d: Derivation, n: MathML) -> Iterator[str]:
    """Show each class's logit and its probability."""
    for c, (z, y) in enumerate(zip(d.z.tolist(), d.numbers.y[0].tolist(), strict=True)):
        text = _number(parts.show_probability(d.numbers, 0, c)(n.precision))
        yield (
            f'<li class="class" data-z="{z!r}"><span class="name">{_name(n.names[c])}</span>'
            f'<span class="static">{_number(given(z))}</span>'
            f'{_bar(y)}<span class="y">{text}</span></li>\n'
        )


def _steps(steps: Iterable[Step | Equation | str]) -> Iterator[str]:
    """Write the steps, with the entries side by side."""
    written: dict[tuple[int, int], str] = {}
    for part in steps:
        match part:
            case Step(title, text):
                yield f'<div class="cases">{_cases(written)}</div><h3>{title}</h3><p>{text}</p>'
                written = {}
            case Equation(entry=(j, i)):
                written[j, i] = written.get((j, i), "") + _math(part)
            case Equation():
                yield _math(part)


def _cases(written: Mapping[tuple[int, int], str]) -> str:
    """Write what differs from entry to entry, for a script to move to other entries."""
    cases = (f'<div class="case" data-j={j} data-i={i}>{x}</div>' for (j, i), x in written.items())
    return "".join(cases)


def _math(equation: Equation) -> str:
    """Write an equation that may be broken before its equals and plus signs."""
    # Only sums of many terms have a plus sign.
    first, *rest = (x.replace("<mo>+", "</math> <math><mo>+") for x in equation.sides)
    # A number divided by T is the one behind it where T is 1.
    sides = (f" <math{' class=T' * bool(_SINGLE.search(x))}><mo>=</mo>{x}</math>" for x in rest)
    return f'<div class="equation"><math>{first}</math>{"".join(sides)}</div>'


def _told(part: Part) -> str:
    if isinstance(part, Table):
        return _matrix(part) if part.largest else _table(part)
    assert isinstance(part, Text)
    style = str(part.style)
    tag, kind = "h2" if style == "bold" else "p", style.removeprefix("bold ")
    return f'<{tag} class="{kind}">{_text(part.plain)}</{tag}>' if part.plain else ""


def _by_magnitude(table: Part) -> Part:
    """Colour errors over their bound: a level is a factor of 3.2, and the worst is framed."""
    if not isinstance(table, Table) or not table.inputs:
        return table
    rows = list(table.rows)
    worst = max(cell.value for row in rows for cell in row)

    def style(cell: Cell) -> str:
        below = min(worst / cell.value, 1e9) if 1 < cell.value < worst else 1
        level = max(1, _LEVELS - round(2 * math.log10(below)))
        return f"p{level}{' worst' * (cell.value == worst)}" if cell.value > 1 else cell.style

    return replace(table, rows=[[replace(cell, style=style(cell)) for cell in row] for row in rows])


def _table(table: Table, kind: str = "") -> str:
    """Show a table with its bars; the first column heads its row."""
    headings = (f'<th scope="col">{_name(x)}</th>' if x else "<td></td>" for x in table.headings)
    bars = [f"<td>{_bar(each)}</td>" for each in table.bars[2]]
    rows = [f"<thead><tr>{''.join(headings)}{'<td></td>' * bool(bars)}</tr></thead><tbody>"]
    for (first, *row), bar in zip(table.rows, bars or repeat(""), strict=False):
        names, numbers = row[: table.names - 1], row[table.names - 1 :]
        cells = [f"<td>{_name(cell.text)}</td>" for cell in names]
        cells += [f'<td class="{cell.style}">{_number(cell.text)}</td>' for cell in numbers]
        heading = _number(first.number) or _name(first.text)
        head = f'<th scope="row" class="{first.style}">{heading}</th>'
        rows.append(f"<tr>{head}{''.join(cells)}{bar}</tr>\n")
    written = f'<table class="{kind}">{"".join(rows)}</tbody></table>'
    return f'<div class="scroll" tabindex="0">{written}</div>{_left_out(*table.left_out)}'


def _chart(found: Sweep) -> str:
    """Draw the errors against the steps, both as powers of ten."""

    def place(step: float, error: float) -> tuple[float, float]:
        power = min(2.0, math.log10(max(error, 1e-18)))
        return round(461 + 27 * math.log10(step), 1), round(46 - 15 * power, 1)

    drawn = names = ""
    for kind, method in zip(("first", "second", "third"), found.errors, strict=False):
        pairs = zip(found.steps, found.errors[method], strict=True)
        points = [place(*pair) for pair in pairs if not math.isnan(pair[1])]
        line = " ".join(f"{x},{y}" for x, y in points)
        marks = (f'<circle class="{kind}" cx="{x}" cy="{y}" r="3"/>' for x, y in points)
        drawn += f'<polyline class="{kind}" points="{line}"/>{"".join(marks)}'
        if best := found.best[method]:
            x, y = place(*best)
            drawn += f'<circle class="best" cx="{x}" cy="{y}" r="7"/>'
            names += f'<text x="{max(x, 104)}" y="{y + 17}">{method}</text>'
    return _template("sweep.html").substitute(parts=drawn + names)
