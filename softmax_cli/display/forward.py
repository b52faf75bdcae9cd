"""Probabilities, or their logarithms, drawn for people."""

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import JustifyMethod, RenderableType
from rich.text import Text

from softmax_cli.batch import Batch
from softmax_cli.display.numbers import significant
from softmax_cli.display.sample import Samples
from softmax_cli.display.screen import Screen, show_rows
from softmax_cli.display.tables import (
    GAP,
    QUIET,
    Ends,
    Margin,
    add_gap_row,
    keep_ends,
    left_out_note,
    matrix_table,
    name_text,
    new_table,
)
from softmax_cli.display.tally import Tally
from softmax_cli.errors import plural, visible
from softmax_cli.result import Arrays

BAR_WIDTH = 30
SMALL_BAR_WIDTH = 10
MOST_WINNERS = 10
BAR_STYLE = "cyan"
LARGEST_STYLE = "bold green"
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def view(result: Arrays, screen: Screen) -> Iterator[RenderableType]:
    """Draw one sample class by class, several as a row each."""
    tally = Tally(result.logits.n_classes, result.temperature)
    ends = keep_ends(tally.watch(result.logits.batches), result.logits.n_classes)
    if ends.count == 1:
        yield from _one_sample(result, ends.batches[0], screen)
        return
    yield from _samples(result, ends, screen)
    yield Text()
    yield _summary(tally, result.logits.classes, screen)


def bar(fraction: float, width: int, screen: Screen) -> str:
    """Draw a fraction of a width; what is not 0 shows at least the thinnest bar."""
    if width <= 0:
        return ""
    if screen.ascii_only:
        length = max(round(fraction * width), 1 if fraction > 0 else 0)
        return "#" * length
    eighths = max(round(fraction * width * 8), 1 if fraction > 0 else 0)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _summary(tally: Tally, classes: Sequence[str], screen: Screen) -> Text:
    order = sorted(range(len(classes)), key=lambda j: -tally.wins[j])
    shown = [f"{visible(classes[j])} {tally.wins[j]}" for j in order[:MOST_WINNERS]]
    more = len(order) - len(shown)
    wins = ", ".join(shown) + (f", {more} more" if more else "")
    return name_text(
        f"{plural(tally.count, 'sample')}, {plural(len(classes), 'class')}; "
        f"most probable: {wins}; "
        f"mean entropy {significant(tally.entropy, screen.precision)} nats",
        screen,
        style=QUIET,
    )


def _one_sample(result: Arrays, batch: Batch, screen: Screen) -> Iterator[RenderableType]:
    samples = Samples.at(batch.logits, result.temperature)
    y = samples.y[0]
    log = result.quantity.key == "log_probabilities"
    log_y = result.quantity.compute(batch)[0] if log else None
    if batch.samples is not None:
        yield name_text(batch.samples[0], screen, style="bold")
    shown = show_rows(len(y))
    largest = int(y.argmax())
    columns = {
        "class": [name_text(result.logits.classes[j], screen) for j in shown.positions],
        "logit": [Text(samples.logit(0, j)) for j in shown.positions],
        "probability": [Text(samples.probability(0, j, screen.precision)) for j in shown.positions],
    }
    if log_y is not None:
        columns["log probability"] = [
            Text(samples.log_probability(0, j, log_y[j], screen.precision)) for j in shown.positions
        ]
    room = BAR_WIDTH
    if screen.width is not None:
        taken = [max(len(name), *(t.cell_len for t in texts)) for name, texts in columns.items()]
        room = min(room, screen.width - sum(taken) - GAP * len(taken))

    table = new_table(screen)
    for name in columns:
        justify: JustifyMethod = "left" if name == "class" else "right"
        table.add_column(name, justify=justify, overflow="fold")
    table.add_column("", no_wrap=True)
    for position, j in enumerate(shown.positions):
        if position == shown.gap_at:
            add_gap_row(table, screen)
        cells = [texts[position] for texts in columns.values()]
        if j == largest:
            cells[0].stylize(LARGEST_STYLE)
            cells[2].stylize(LARGEST_STYLE)
        table.add_row(*cells, Text(bar(y[j], room, screen), BAR_STYLE))
    yield table
    if shown.left_out:
        yield left_out_note("class", shown, result.logits.classes, screen)


def _samples(result: Arrays, ends: Ends, screen: Screen) -> Iterator[RenderableType]:
    log = result.quantity.key == "log_probabilities"
    values = np.concatenate([result.quantity.compute(batch) for batch in ends.batches])
    logits = np.concatenate([batch.logits for batch in ends.batches])
    samples = Samples.at(logits, result.temperature)
    largest = samples.y.argmax(axis=1)
    mark = screen.glyph(" ◂", " <")

    def cell(k: int, j: int) -> Text:
        at_top = largest[k] == j
        shown = (
            samples.log_probability(k, j, values[k, j], screen.precision)
            if log
            else samples.probability(k, j, screen.precision)
        )
        return Text(shown + (mark if at_top else "  "), LARGEST_STYLE if at_top else "")

    def small_bar(k: int) -> Text:
        return Text(bar(samples.y[k, largest[k]], SMALL_BAR_WIDTH, screen), BAR_STYLE)

    headings = [f"{'log ' if log else ''}y_{name}  " for name in result.logits.classes]
    table, columns = matrix_table(
        screen,
        "sample",
        ends.labels,
        ends.shown.gap_at,
        headings,
        cell,
        margins=[Margin("largest", small_bar, justify="left")],
    )
    yield table
    if ends.shown.left_out:
        yield left_out_note("sample", ends.shown, None, screen)
    if columns.left_out:
        yield left_out_note("class", columns, result.logits.classes, screen)
