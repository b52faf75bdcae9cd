"""Vector-Jacobian products drawn for people."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from softmax_cli.display.numbers import given
from softmax_cli.display.sample import Products, Samples
from softmax_cli.display.screen import Screen, show_rows
from softmax_cli.display.tables import (
    QUIET,
    Ends,
    keep_ends,
    left_out_note,
    matrix_table,
    name_text,
    record_table,
)
from softmax_cli.result import Arrays
from softmax_cli.samples import concatenate


def view(result: Arrays, screen: Screen) -> Iterator[RenderableType]:
    """Draw one sample class by class, several as a row each."""
    ends = keep_ends(result.logits.batches, result.logits.n_classes)
    factor = "" if result.temperature == 1 else f" / T,  T = {given(result.temperature)}"
    yield Text(f"v_i = sum_j g_j J[j][i] = y_i (g_i - sum_j g_j y_j){factor}", QUIET)
    yield Text()
    if ends.count == 1:
        yield from _one_sample(result, ends, screen)
    else:
        yield from _samples(result, ends, screen)


def _one_sample(result: Arrays, ends: Ends, screen: Screen) -> Iterator[RenderableType]:
    (batch,) = ends.batches
    assert batch.upstream is not None
    samples = Samples.at(batch.logits, result.temperature)
    products = Products.at(batch, result.quantity.compute(batch), result.temperature)
    if batch.samples is not None:
        yield name_text(batch.samples[0], screen, style="bold")
    shown = show_rows(result.logits.n_classes)
    records = [
        [
            name_text(result.logits.classes[i], screen),
            Text(samples.logit(0, i)),
            Text(samples.probability(0, i, screen.precision)),
            Text(given(batch.upstream[0, i])),
            Text(products.product(0, i, screen.precision), "bold"),
        ]
        for i in shown.positions
    ]
    yield from record_table(screen, ["class", "z", "y", "g", "v"], records, shown.gap_at)
    if shown.left_out:
        yield left_out_note("class", shown, result.logits.classes, screen)


def _samples(result: Arrays, ends: Ends, screen: Screen) -> Iterator[RenderableType]:
    batch = concatenate(ends.batches, result.logits.n_classes)
    products = Products.at(batch, result.quantity.compute(batch), result.temperature)
    table, columns = matrix_table(
        screen,
        "sample",
        ends.labels,
        ends.shown.gap_at,
        [f"v_{name}" for name in result.logits.classes],
        lambda k, i: Text(products.product(k, i, screen.precision)),
    )
    yield table
    if ends.shown.left_out:
        yield left_out_note("sample", ends.shown, None, screen)
    if columns.left_out:
        yield left_out_note("class", columns, result.logits.classes, screen)
