"""Jacobians and what is taken from them, drawn for people."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from rich.console import RenderableType
from rich.text import Text

from softmax_cli.display.heat import heat
from softmax_cli.display.numbers import given, significant
from softmax_cli.display.sample import Samples
from softmax_cli.display.screen import Screen, show_rows
from softmax_cli.display.tables import (
    QUIET,
    Ends,
    Margin,
    add_gap_row,
    keep_ends,
    left_out_note,
    matrix_table,
    name_text,
    new_table,
    sample_heading,
)
from softmax_cli.mathematics import core
from softmax_cli.result import Arrays
from softmax_cli.samples import FloatArray


def view(result: Arrays, screen: Screen) -> Iterator[RenderableType]:
    """Draw matrices one below the other, or one partial derivative a sample."""
    ends = keep_ends(result.logits.batches, result.logits.n_classes)
    if result.entry is not None:
        yield from _partials(result, ends, result.entry, screen)
        return
    yield formula(result.temperature, screen)
    position = 0
    for batch in ends.batches:
        for k in range(len(batch.logits)):
            if position == ends.shown.gap_at:
                yield Text()
                yield left_out_note("sample", ends.shown, None, screen)
            name = batch.labels[k] if ends.count > 1 or batch.samples else None
            sample = batch.part(slice(k, k + 1))
            yield Text()
            if name is not None:
                yield sample_heading(name, result.logits.names_samples, screen)
            yield from matrix(sample.logits[0], result.logits.classes, result.temperature, screen)
            position += 1
    yield Text()
    yield Text("Every row of J sums to 0, up to the rounding of its entries.", QUIET)


def formula(temperature: float, screen: Screen) -> Text:
    """Say what stands in row j and column i."""
    delta = screen.glyph("δ_ij", "delta_ij")
    factor = "" if temperature == 1 else f" / T,  T = {given(temperature)}"
    return Text(f"J[j][i] = dy_j/dz_i = y_j ({delta} - y_i){factor}", style=QUIET)


def matrix(
    z: FloatArray, classes: Sequence[str], temperature: float, screen: Screen
) -> Iterator[RenderableType]:
    """Draw the Jacobian at z, shape (C,), as a heatmap with row sums, logits and probabilities.

    Only the rows that are shown are computed.
    """
    samples = Samples.at(z[np.newaxis], temperature)
    rows = show_rows(len(classes))
    outputs = rows.positions
    J = core.jacobian_rows(z, outputs, temperature)
    # |y_j y_i| <= y_j (1 - y_j), which is largest for the most probable class.
    top = int(z.argmax())
    largest = float(core.jacobian_rows(z, [top], temperature)[0, top])

    def cell(k: int, i: int) -> Text:
        j = outputs[k]
        text = samples.partial(0, j, i, J[k, i], screen.precision)
        return Text(text, heat(J[k, i], largest, screen.colours) + (" bold" if i == j else ""))

    def row_sum(k: int) -> Text:
        return Text(significant(math.fsum(J[k]), 2), QUIET)

    def logit(k: int) -> Text:
        return Text(samples.logit(0, outputs[k]))

    def y_value(k: int) -> Text:
        return Text(samples.probability(0, outputs[k], screen.precision))

    table, columns = matrix_table(
        screen,
        "",
        [f"dy_{classes[j]}" for j in outputs],
        rows.gap_at,
        [f"dz_{each}" for each in classes],
        cell,
        margins=(Margin("row sum", row_sum), Margin("z", logit), Margin("y", y_value)),
    )
    yield table
    for what, shown in (("output", rows), ("input", columns)):
        if shown.left_out:
            yield left_out_note(what, shown, classes, screen)


def _partials(
    result: Arrays, ends: Ends, entry: tuple[int, int], screen: Screen
) -> Iterator[RenderableType]:
    (j, i), classes = entry, result.logits.classes
    table = new_table(screen)
    table.add_column("sample")
    table.add_column(name_text(f"dy_{classes[j]}/dz_{classes[i]}", screen), justify="right")
    position = 0
    for batch in ends.batches:
        samples = Samples.at(batch.logits, result.temperature)
        for k, value in enumerate(result.quantity.compute(batch)):
            if position == ends.shown.gap_at:
                add_gap_row(table, screen)
            shown = samples.partial(k, j, i, value, screen.precision)
            table.add_row(name_text(batch.labels[k], screen), Text(shown))
            position += 1
    yield table
    if ends.shown.left_out:
        yield left_out_note("sample", ends.shown, None, screen)
