"""What a page shows: bars, matrices in colours, formulas, a verdict, a chart of a sweep."""

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from html import escape
from importlib.resources import files
from string import Template
from typing import NamedTuple

from rich.text import Text

from softmax_cli import result as results
from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Verdict
from softmax_cli.display import grids
from softmax_cli.display.evidence import Table, tell
from softmax_cli.display.explain import Equation, Step, explain
from softmax_cli.display.notation import MathML, typographic
from softmax_cli.display.numbers import given, significant
from softmax_cli.display.screen import Screen, Shown, show_rows
from softmax_cli.errors import plural, visible
from softmax_cli.mathematics.derivation import Derivation, derive
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.samples import Batch

_MOST_CLASSES, _MOST_BARS, _MOST_ENTRIES = 50, 20, 20_000
_WIDE = 10  # classes, from where a matrix has few digits
_LEVELS = 8  # of colour, above and below zero
_SINGLE = re.compile("<mrow class=not-T><mn[^<]*</mn></mrow>$")


class Page(NamedTuple):
    """A title and a body in HTML, and whether a script moves it."""

    title: str
    body: str
    moves: bool = False


def page(result: results.Result, precision: int) -> Page:
    """Make the page of any result."""
    screen = Screen(precision=precision)
    match result:
        case results.Explanation(derivation=d):
            return _jacobian(d, result.heading or "", screen)
        case results.Report(evidence=Verdict() as found):
            title = f"Check of softmax: {'PASS' if found else 'FAIL'}"
            # The samples come last.
            parts = sorted(
                tell(found, screen), key=lambda x: isinstance(x, Table) and not x.columns
            )
            return Page(title, "".join(map(_told, parts)))
        case results.Report(evidence=Sweep() as found):
            whose, samples = found.candidate or "softmax", plural(found.n_samples, "sample")
            ((_, grid),) = grids.all_grids(result, screen)
            steps = (grids.Cell(number=given(step)) for step in found.steps)
            rows = ([step, *row[1:]] for step, row in zip(steps, grid.rows, strict=True))
            title = _text(f"The largest error in the Jacobian of {whose} over {samples}")
            return Page(title, _chart(found) + _table(replace(grid, rows=rows)))
        case results.Arrays():
            return _arrays(result, screen)
    raise AssertionError(result)


def template(name: str) -> Template:
    """Return a file of the package to fill in; a page does without its indentation."""
    path = files("softmax_cli") / "writing" / "page" / name
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return Template("".join(line.lstrip(" ") for line in lines))


def _arrays(result: results.Arrays, screen: Screen) -> Page:
    logits, T, log = result.logits, result.temperature, result.quantity.log
    batch, shown = grids.some_samples(logits.batches, logits.n_classes)
    by_T = "" if T == 1 else f", T = {given(T)}"
    match result.quantity:
        case results.Probabilities() | results.LogProbabilities():
            what = result.quantity.key.replace("_", "-").capitalize()
            cards = "".join(_cards(result, batch, screen.precision))
            body = f'{_left_out(shown)}<div class="cards">{cards}</div>'
            return Page(f"{what} by softmax{by_T}", body)
        case results.Jacobian():
            more = _matrices(result, batch, screen)
        case _:
            more = _table(grids.samples_grid(result, [batch], screen)) + _left_out(shown)
    if isinstance(result.quantity, results.Vjp):
        return Page(f"Upstream gradient times the Jacobian of {'log-' * log}softmax{by_T}", more)
    d = derive(batch.logits[0], logits.classes, result.entry, T, batch.labels[0], log)
    is_batch = len(batch.logits) > 1
    title = grids.sample_title(logits, batch, 0) if is_batch or logits.names_samples else ""
    return _jacobian(d, title, screen, more * is_batch)


def _left_out(shown: Shown) -> str:
    return f'<p class="quiet">{_text(shown.left_out())}</p>' if shown.is_cut else ""


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


def _cards(result: results.Arrays, batch: Batch, precision: int) -> Iterator[str]:
    """Show the probabilities of each sample, the largest named."""
    classes = result.logits.classes
    numbers, _, show = grids.sample_numbers(result, batch)
    for k, order in enumerate(result.order(batch).tolist()):
        top = order[0]
        if not result.top and len(classes) <= _MOST_BARS:
            order.sort()
        rows = "".join(
            f'<tr{" class=top" * (c == top)}><th scope="row">{_name(classes[c])}</th>'
            f"<td>{_bar(numbers.y[k, c])}</td><td>{_number(show(k, c)(precision))}</td></tr>"
            for c in order[:_MOST_BARS]
        )
        y = _number(grids.show_probability(numbers, k, top)(min(precision, 3))).replace(
            " ", "&nbsp;"
        )
        title = _text(grids.sample_title(result.logits, batch, k))
        caption = f"{title}, largest: class {_name(classes[top])}, {y}"
        more = _left_out(Shown("class", [classes[c] for c in order], min(len(order), _MOST_BARS)))
        table = f"<figcaption>{caption}</figcaption><table>{rows}</table>{more}"
        yield f'<figure class="card">{table}</figure>'


def _matrices(result: results.Arrays, batch: Batch, screen: Screen) -> str:
    """Show the Jacobians of all samples but the first, or as many as a page has room for."""
    logits, quantity, n_samples = result.logits, result.quantity, len(batch.logits)
    most = max(1, _MOST_ENTRIES // min(logits.n_classes, _MOST_CLASSES) ** 2)
    more = _left_out(Shown("matrix", batch.labels, min(most, n_samples)))
    for k in range(1, min(most, n_samples)):
        numbers = Numbers(batch.logits[k : k + 1], quantity.temperature, log=quantity.log)
        title = _text(grids.sample_title(logits, batch, k))
        more += f"<h2>{title}</h2>{_matrix(numbers, logits.classes, screen)}"
    return more


def _matrix(numbers: Numbers, classes: Sequence[str], screen: Screen) -> str:
    """Show a Jacobian in colours, and its row sums."""
    shown = show_rows("class", classes, _MOST_CLASSES)
    scale = numbers.T * (1 if numbers.log else 4)
    if len(classes) > _WIDE:
        screen = replace(screen, precision=min(screen.precision, 2))

    def row(cells: Sequence[grids.Cell]) -> list[grids.Cell]:
        name, *entries, total, _, _ = cells
        coloured = (replace(cell, style=_level(cell.value * scale)) for cell in entries)
        return [name, *coloured, replace(total, style="sum")]

    grid = grids.jacobian_grid(numbers, classes, screen, shown.positions, shown.positions)
    matrix = replace(grid, headings=grid.headings[:-2], rows=map(row, grid.rows))
    return _table(matrix, f"matrix{' wide' * (len(classes) > _WIDE)}") + _left_out(shown)


def _level(share: float) -> str:
    """Name the colour of a share of what is largest; the root lifts small ones off the middle."""
    level = math.ceil(_LEVELS * math.sqrt(min(abs(share), 1)))
    return f"{'p' if share > 0 else 'n'}{level}" if level else ""


def _jacobian(d: Derivation, title: str, screen: Screen, more: str = "") -> Page:
    """Fill in the page of one sample's Jacobian."""
    j, i = d.entries[0]
    beside = [c for _, c in d.entries if c != j] + [c for c in range(len(d.z)) if c != j]
    n = MathML(screen.precision, names=d.classes)
    marked = tuple(f"#{c}" for c in range(len(d.z)))
    d = replace(d, classes=marked, entries=((j, j), *((j, c) for c in beside[:1])))
    steps = list(explain(d, n))
    lines = [line for step in steps for line in step.lines if isinstance(line, Equation)]
    last = {line.entry: _math(line) for line in lines if line.entry and line.value is not None}
    cases = [_math(line) for line in lines if line.entry and line.value is None]
    body = template("jacobian.html").substitute(
        T=given(d.temperature),
        precision=n.precision,
        log=int(d.log),
        j=j,
        i=i,
        definition=_math(lines[0]),
        classes="".join(_classes(d, n)),
        matrix=_matrix(d.numbers, n.names, screen),
        gains=cases[0],
        loses="".join(f"<li>every other class loses: {each}</li>" for each in cases[1:]),
        name=_text(n.names[i]),
        gain=_number(significant(d.partial(i, i), n.precision)),
        fall=-n.number(*d.y(i), live=f"y{i}"),
        forms=f"{'no-T ' * (d.temperature == 1)}{'no-m' * (d.shift is None)}",
        steps="".join(_steps(steps)),
        here=_cases(last),
        more=more,
    )
    heading = f"The derivative of {'log-' * d.log}softmax" + f": {_text(title)}" * bool(title)
    return Page(heading, body, moves=len(d.z) <= _MOST_CLASSES)


def _classes(d: Derivation, n: MathML) -> Iterator[str]:
    """Show each class's logit and its probability."""
    for c, (z, y) in enumerate(zip(d.z.tolist(), d.numbers.y[0].tolist(), strict=True)):
        text = _number(grids.show_probability(d.numbers, 0, c)(n.precision))
        yield (
            f'<li class="class" data-z="{z!r}"><span class="name">{_name(n.names[c])}</span>'
            f'<span class="static">{_number(given(z))}</span>'
            f'{_bar(y)}<span class="y">{text}</span></li>\n'
        )


def _steps(steps: Iterable[Step]) -> Iterator[str]:
    """Write the steps, with the entries side by side."""
    for position, step in enumerate(steps, 1):
        yield f"<h3>{position}. {step.title}</h3><p>{step.text}</p>"
        written: dict[tuple[int, int], str] = {}
        for line in step.lines:
            if isinstance(line, Equation) and line.entry:
                written[line.entry] = written.get(line.entry, "") + _math(line)
            elif isinstance(line, Equation):
                yield _math(line)
        yield f'<div class="cases">{_cases(written)}</div>'


def _cases(written: Mapping[tuple[int, int], str]) -> str:
    """Write what differs from entry to entry, for a script to move to other entries."""
    cases = (f'<div class="case" data-j={j} data-i={i}>{x}</div>' for (j, i), x in written.items())
    return "".join(cases)


def _math(equation: Equation) -> str:
    """Write an equation that may be broken before its equals and plus signs."""
    # Only sums of many terms have a plus sign.
    first, *rest = (x.replace("<mo>+", "</math> <math><mo>+") for x in equation.sides)
    # A number divided by T is the one behind it where T is 1.
    sides = (
        f" <math{' class=T' * bool(_SINGLE.search(side))}><mo>=</mo>{side}</math>" for side in rest
    )
    return f'<div class="equation"><math>{first}</math>{"".join(sides)}</div>'


def _told(part: Text | Table) -> str:
    if isinstance(part, Table):
        grid = _by_magnitude(part.grid) if part.columns else part.grid
        return _table(grid) + "".join(_left_out(x) for x in (part.rows, part.columns) if x)
    style = str(part.style)
    tag, kind = "h2" if style == "bold" else "p", style.removeprefix("bold ")
    return f'<{tag} class="{kind}">{_text(part.plain)}</{tag}>' if part.plain else ""


def _by_magnitude(grid: grids.Grid) -> grids.Grid:
    """Colour errors over their bound: a level is a factor of 3.2, and the worst is framed."""
    rows = list(grid.rows)
    worst = max(cell.value for row in rows for cell in row)

    def coloured(cell: grids.Cell) -> grids.Cell:
        if cell.value <= 1:
            return cell
        below = 1 if cell.value == worst else min(worst / cell.value, 1e9)
        level = max(1, _LEVELS - round(2 * math.log10(below)))
        return replace(cell, style=f"p{level}{' worst' * (cell.value == worst)}")

    return replace(grid, rows=[list(map(coloured, row)) for row in rows])


def _table(grid: grids.Grid, kind: str = "") -> str:
    """Show a grid; the first column heads its row."""
    headings = (f'<th scope="col">{_name(x)}</th>' if x else "<td></td>" for x in grid.headings)
    rows = [f"<thead><tr>{''.join(headings)}</tr></thead><tbody>"]
    for first, *row in grid.rows:
        names, numbers = row[: grid.names - 1], row[grid.names - 1 :]
        cells = [f"<td>{_name(cell.text)}</td>" for cell in names]
        cells += [f'<td class="{cell.style}">{_number(cell.text)}</td>' for cell in numbers]
        heading = _number(first.number) or _name(first.text)
        rows.append(f'<tr><th scope="row">{heading}</th>{"".join(cells)}</tr>\n')
    table = f'<table class="{kind}">{"".join(rows)}</tbody></table>'
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _chart(found: Sweep) -> str:
    """Draw the errors against the steps, both as powers of ten."""

    def place(step: float, error: float) -> tuple[float, float]:
        power = max(-18.0, min(2.0, math.log10(error))) if error else -18.0
        return round(461 + 27 * math.log10(step), 1), round(46 - 15 * power, 1)

    parts = names = ""
    for kind, method in zip(("first", "second", "third"), found.errors, strict=False):
        pairs = zip(found.steps, found.errors[method], strict=True)
        points = [place(*pair) for pair in pairs if not math.isnan(pair[1])]
        line = " ".join(f"{x},{y}" for x, y in points)
        marks = (f'<circle class="{kind}" cx="{x}" cy="{y}" r="3"/>' for x, y in points)
        parts += f'<polyline class="{kind}" points="{line}"/>{"".join(marks)}'
        if best := found.best[method]:
            x, y = place(*best)
            parts += f'<circle class="best" cx="{x}" cy="{y}" r="7"/>'
            names += f'<text x="{max(x, 104)}" y="{y + 17}">{method}</text>'
    return template("sweep.html").substitute(parts=parts + names)
