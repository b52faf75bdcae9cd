"""What a page shows: bars, matrices in colours, formulas, a verdict, a chart of a sweep."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from html import escape

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
from softmax_cli.mathematics import core
from softmax_cli.mathematics.derivation import Derivation, derive
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.samples import Batch, concatenate

_MOST_SAMPLES, _MOST_CLASSES, _MOST_BARS, _MOST_ENTRIES = 60, 50, 20, 20_000
_SINGLE = re.compile("<mrow class=not-T><mn[^<]*</mn></mrow>$")
_LEVELS = 8  # of colour, above and below zero
# How a method is drawn: its class, the step at which its name stands, how far below, and where it
# is anchored.
_CURVES = {
    "forward": ("first", 1e-4, -10, "end"),
    "central": ("second", 1e-7, 16, "end"),
    "complex-step": ("third", 1e-11, -10, ""),
}


@dataclass(frozen=True)
class Page:
    """A title, and a body in HTML or else what fills in the one that a script moves."""

    title: str
    body: str = ""
    live: dict[str, object] = field(default_factory=dict)
    moves: bool = False


def page(result: results.Result, precision: int) -> Page:
    """Make the page of any result."""
    screen = Screen(precision=precision)
    match result:
        case results.Explanation(derivation=d):
            return _jacobian(d, _text(result.heading or ""), screen)
        case results.Report(evidence=found):
            return _report(result, found, screen)
        case results.Arrays(quantity=results.Jacobian() | results.Partial()):
            return _jacobians(result, screen)
        case results.Arrays(quantity=results.Vjp(T, log), logits=logits):
            title = f"Upstream gradient times the Jacobian of {'log-' * log}softmax{_by(T)}"
            batch, more = _first(logits.batches, logits.n_classes)
            return Page(title, _table(grids.samples_grid(result, [batch], screen)) + more)
        case results.Arrays():
            return _bars(result, precision)


def _report(result: results.Report, found: Sweep | Verdict, screen: Screen) -> Page:
    if isinstance(found, Verdict):
        title = f"Check of softmax: {'PASS' if found else 'FAIL'}"
        return Page(title, "".join(map(_told, tell(found, screen))))
    samples = plural(found.n_samples, "sample")
    title = f"The largest error in the Jacobian of {found.candidate or 'softmax'} over {samples}"
    tables = (_table(grid) for _, grid in grids.all_grids(result, screen))
    return Page(_text(title), _chart(found) + "".join(tables))


def _first(batches: Iterable[Batch], n_classes: int) -> tuple[Batch, str]:
    """Return the first samples with their labels, and what to say of the others."""
    kept, count = [], 0
    for batch in batches:
        part = batch.part(slice(0, max(0, _MOST_SAMPLES - count)))
        kept.append(replace(part, samples=part.labels))
        count += len(batch.logits)
    shown = concatenate(kept, n_classes)
    return shown, _left_out(Shown("sample", range(1, count + 1), len(shown.logits)))


def _left_out(shown: Shown) -> str:
    return f'<p class="quiet">{_text(shown.left_out())}</p>' if shown.is_cut else ""


def _text(text: str) -> str:
    """Show a text, which may hold names, as data."""
    return escape(visible(text))


def _name(name: str) -> str:
    return f"<bdi>{_text(name)}</bdi>"


def _number(text: str) -> str:
    return escape(typographic(text))


def _by(T: float) -> str:
    return "" if T == 1 else f", T = {given(T)}"


def _title(result: results.Arrays, batch: Batch, k: int) -> str:
    label = batch.labels[k] if result.logits.names_samples else f"sample {batch.labels[k]}"
    return _text(result.logits.title(label, batch, k))


def _bar(fraction: float) -> str:
    """Draw a fraction; what is not 0 is seen."""
    width = f"{max(100 * fraction, 0.3) if fraction else 0:.4g}%"
    bar = f'<rect width="{width}" height="100%"/><line class="start" y2="100%"/>'
    return f'<svg class="bar" aria-hidden="true">{bar}</svg>'


def _bars(result: results.Arrays, precision: int) -> Page:
    """Show the probabilities of each sample, the largest named."""
    classes, T = result.logits.classes, result.temperature
    batch, more = _first(result.logits.batches, len(classes))
    numbers, _, show = grids.sample_numbers(result, batch)
    cards = []
    for k, largest in enumerate(result.order(batch).tolist()):
        top, many = largest[0], result.top or len(classes) > _MOST_BARS
        order = largest if many else range(len(classes))
        rows = "".join(
            f'<tr{" class=top" * (c == top)}><th scope="row">{_name(classes[c])}</th>'
            f"<td>{_bar(numbers.y[k, c])}</td><td>{_number(show(k, c)(precision))}</td></tr>"
            for c in order[:_MOST_BARS]
        )
        y = _number(grids.show_probability(numbers, k, top)(min(precision, 3)))
        caption = f"{_title(result, batch, k)}: {_name(classes[top])} {y}"
        shown = Shown("class", [classes[c] for c in order], min(len(order), _MOST_BARS))
        table = f"<figcaption>{caption}</figcaption><table>{rows}</table>{_left_out(shown)}"
        cards.append(f'<figure class="card">{table}</figure>')
    what = "Log-probabilities" if result.quantity.key.startswith("log") else "Probabilities"
    body = f'{more}<div class="cards">{"".join(cards)}</div>'
    return Page(f"{what} by softmax{_by(T)}", body)


def _jacobians(result: results.Arrays, screen: Screen) -> Page:
    """Show the Jacobian of the first sample to move, and the others as they are."""
    logits, T, log = result.logits, result.temperature, result.quantity.log
    batch, more = _first(logits.batches, logits.n_classes)
    d = derive(batch.logits[0], logits.classes, result.entry, T, batch.labels[0], log)
    most = max(1, _MOST_ENTRIES // min(logits.n_classes, _MOST_CLASSES) ** 2)
    is_batch = len(batch.logits) > 1
    if is_batch and result.entry is not None:
        more = _table(grids.samples_grid(result, [batch], screen)) + more
    elif is_batch:
        more += _left_out(Shown("matrix", batch.labels, min(most, len(batch.logits))))
        for k, z in list(enumerate(batch.logits))[1:most]:
            numbers = Numbers(z[None], T, log=log)
            more += f"<h2>{_title(result, batch, k)}</h2>{_matrix(numbers, logits.classes, screen)}"
    is_titled = is_batch or logits.names_samples
    return _jacobian(d, _title(result, batch, 0) if is_titled else "", screen, more)


def _matrix(numbers: Numbers, classes: Sequence[str], screen: Screen) -> str:
    """Show a Jacobian in colours, and its row sums."""
    shown = show_rows("class", classes, _MOST_CLASSES)
    at, scale = shown.positions, numbers.T * (1 if numbers.log else 4)
    J = core.jacobian_rows(numbers.z[0], at, numbers.T, numbers.log)[:, at] * scale
    grid = grids.jacobian_grid(numbers, classes, screen, at, at)
    levels = ([_level(share) for share in row] for row in J.tolist())
    styles = (["", *row, "sum"] for row in levels)
    rows = (
        [replace(cell, style=style) for cell, style in zip(*row, strict=False)]
        for row in zip(grid.rows, styles, strict=True)
    )
    matrix = replace(grid, headings=grid.headings[:-2], rows=list(rows))
    return _table(matrix, "matrix") + _left_out(shown)


def _level(share: float) -> str:
    """Name the colour of a share of what is largest; the root lifts small ones off the middle."""
    level = math.ceil(_LEVELS * math.sqrt(min(abs(share), 1)))
    return f"{'p' if share > 0 else 'n'}{level}" if level else ""


def _jacobian(d: Derivation, title: str, screen: Screen, more: str = "") -> Page:
    """Fill in the page of one sample's Jacobian."""
    numbers = Numbers(d.numbers.z, d.temperature, log=d.log)
    j, i = d.entries[0]
    beside = [c for _, c in d.entries if c != j] + [c for c in range(len(d.z)) if c != j]
    n = MathML(screen.precision, names=d.classes)
    marked = tuple(f"#{c}" for c in range(len(d.z)))
    d = replace(d, classes=marked, entries=((j, j), *((j, c) for c in beside[:1])))
    steps = list(explain(d, n))
    lines = [line for step in steps for line in step.lines if isinstance(line, Equation)]
    cases = [_math(line) for line in lines if line.entry and line.value is None]
    gain = float(core.jacobian_rows(d.z, [i], d.temperature, d.log)[0, i])
    return Page(
        f"The derivative of {'log-' * d.log}softmax" + f": {title}" * bool(title),
        live={
            "T": given(d.temperature),
            "precision": screen.precision,
            "log": int(d.log),
            "j": j,
            "i": i,
            "definition": _math(lines[0]),
            "classes": "".join(_classes(d, n)),
            "matrix": _matrix(numbers, n.names, screen),
            "gains": cases[0],
            "loses": cases[-1],
            "name": _text(n.names[i]),
            "gain": _number(significant(numbers.partial(0, i, i, gain), n.precision)),
            "y": _number(grids.show_probability(numbers, 0, i)(n.precision)),
            "forms": f"{'no-T ' * (d.temperature == 1)}{'no-m' * (d.shift is None)}",
            "steps": "".join(_steps(steps, d.entries)),
            "more": more,
        },
        moves=len(d.z) <= _MOST_CLASSES,
    )


def _classes(d: Derivation, n: MathML) -> Iterator[str]:
    """Show each class's logit and its probability."""
    for c, (z, y) in enumerate(zip(d.z.tolist(), d.numbers.y[0].tolist(), strict=True)):
        text = _number(grids.show_probability(d.numbers, 0, c)(n.precision))
        yield (
            f'<li class="class" data-z="{z!r}"><span class="name">{_name(n.names[c])}</span>'
            f'<span class="static">{_number(given(z))}</span>'
            f'{_bar(y)}<span class="y">{text}</span></li>\n'
        )


def _steps(steps: Iterable[Step], entries: Iterable[tuple[int, int]]) -> Iterator[str]:
    """Write the steps, with the entries side by side."""
    for position, step in enumerate(steps, 1):
        lines = [line for line in step.lines if isinstance(line, Equation)]
        yield f"<h3>{position}. {step.title}</h3><p>{step.text}</p>"
        yield from (_math(line) for line in lines if not line.entry)
        if any(line.entry for line in lines):
            yield '<div class="cases">'
            for j, i in entries:
                inner = "".join(_math(line) for line in lines if line.entry == (j, i))
                yield f'<div class="case" data-j="{j}" data-i="{i}">{inner}</div>'
            yield "</div>"


def _math(equation: Equation) -> str:
    """Write an equation that may be broken before its equals and plus signs."""
    # Only sums of many terms have a plus sign.
    first, *rest = (x.replace("<mo>+", "</math> <math><mo>+") for x in equation.sides)
    # A number divided by T is the one behind it where T is 1.
    kinds = (" class=T" * bool(_SINGLE.search(side)) for side in rest)
    sides = (
        f" <math{kind}><mo>=</mo>{side}</math>" for kind, side in zip(kinds, rest, strict=True)
    )
    return f'<div class="equation"><math>{first}</math>{"".join(sides)}</div>'


def _told(part: Text | Table) -> str:
    if isinstance(part, Table):
        return _table(part.grid) + "".join(_left_out(x) for x in (part.rows, part.columns) if x)
    style = str(part.style)
    tag, kind = "h2" if style == "bold" else "p", style.removeprefix("bold ")
    return f'<{tag} class="{kind}">{_text(part.plain)}</{tag}>' if part.plain else ""


def _table(grid: grids.Grid, kind: str = "") -> str:
    """Show a grid; the first column heads its row."""
    headings = (f'<th scope="col">{_name(x)}</th>' if x else "<td></td>" for x in grid.headings)
    rows = [f"<thead><tr>{''.join(headings)}</tr></thead><tbody>"]
    for first, *row in grid.rows:
        names, numbers = row[: grid.names - 1], row[grid.names - 1 :]
        cells = [f"<td>{_name(cell.text)}</td>" for cell in names]
        cells += [f'<td class="{cell.style}">{_number(cell.text)}</td>' for cell in numbers]
        rows.append(f'<tr><th scope="row">{_name(first.text)}</th>{"".join(cells)}</tr>\n')
    table = f'<table class="{kind}">{"".join(rows)}</tbody></table>'
    return f'<div class="scroll" tabindex="0">{table}</div>'


def _chart(found: Sweep) -> str:
    """Draw the errors against the steps, both as powers of ten."""

    def place(step: float, error: float) -> tuple[float, float]:
        power = max(-18.0, min(2.0, math.log10(error))) if error else -18.0
        return round(461 + 27 * math.log10(step), 1), round(46 - 15 * power, 1)

    parts = ['<text x="100" y="30">rounding</text><text x="396" y="30">truncation</text>']
    for power in range(-15, 0, 2):
        x, _ = place(10.0**power, 1)
        parts.append(f'<path class="grid" d="M{x} 36V316"/><text x="{x}" y="336">1e{power}</text>')
    for power in range(-18, 1, 3):
        _, y = place(1, 10.0**power)
        parts.append(f'<path class="grid" d="M56 {y}H440"/><text x="30" y="{y}">1e{power}</text>')
    for method, errors in found.errors.items():
        kind, at, below, anchor = _CURVES[method]
        known = [pair for pair in zip(found.steps, errors, strict=True) if not math.isnan(pair[1])]
        points = [place(*pair) for pair in known]
        line = " ".join(f"{x},{y}" for x, y in points)
        parts.append(f'<polyline class="{kind}" points="{line}"/>')
        parts += (f'<circle class="{kind}" cx="{x}" cy="{y}" r="3"/>' for x, y in points)
        if best := found.best[method]:
            x, y = place(*best)
            parts.append(f'<circle class="best" cx="{x}" cy="{y}" r="7"/>')
            x, y = place(at, dict(known).get(at, best[1]))
            parts.append(f'<text class="{anchor}" x="{x}" y="{y + below}">{method}</text>')
    parts.append('<text x="248" y="356">step; the best of each method is circled</text>')
    label = "The largest error of each method against the step, on logarithmic scales"
    inner = "".join(parts)
    return f'<svg class="chart" role="img" aria-label="{label}" viewBox="0 0 450 364">{inner}</svg>'
