"""Probabilities, or their logarithms, drawn for people."""

from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import RenderableType
from rich.text import Text

from softmax_cli.display.numbers import positive
from softmax_cli.display.sample import Samples
from softmax_cli.display.screen import Screen, show_rows
from softmax_cli.display.tables import (
    QUIET,
    Ends,
    Margin,
    keep_ends,
    left_out_note,
    matrix_table,
    name_text,
    record_table,
)
from softmax_cli.display.tally import Tally
from softmax_cli.errors import plural, visible
from softmax_cli.result import Arrays
from softmax_cli.samples import Batch

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
        f"mean entropy {positive(tally.entropy, screen.precision, zero=tally.certain)} nats",
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
    headings = ["class", "logit", "probability", *(["log probability"] if log else [])]
    records = []
    for j in shown.positions:
        style = LARGEST_STYLE if j == largest else ""
        record = [
            name_text(result.logits.classes[j], screen, style),
            Text(samples.logit(0, j)),
            Text(samples.probability(0, j, screen.precision), style),
        ]
        if log_y is not None:
            record.append(Text(samples.log_probability(0, j, log_y[j], screen.precision)))
        records.append(record)

    def drawn(k: int, width: int) -> Text:
        return Text(bar(y[shown.positions[k]], width, screen), BAR_STYLE)

    yield from record_table(screen, headings, records, shown.gap_at, bars=drawn)
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
