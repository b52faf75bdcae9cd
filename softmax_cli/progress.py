"""Progress of long work: on standard error, at a terminal only, and gone when it is done."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from softmax_cli.samples import Batch, Logits

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0


def plain_terminal() -> bool:
    """Tell whether the user asked for plain text: NO_COLOR (no-color.org) or TERM=dumb."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


@contextmanager
def watched(logits: Logits) -> Iterator[Logits]:
    """Show how far the batches are, once they have been walked for over a second.

    They may be walked in another thread; what is shown is gone when the context ends.
    """
    begin, bars, ended = time.monotonic(), list["Progress"](), False

    def walk() -> Iterator[Batch]:
        samples = 0
        for batch in logits.batches:
            yield batch
            samples += len(batch.logits)
            seconds = time.monotonic() - begin
            if seconds > _PATIENCE and not ended:
                bars[:] = bars or [_bar()]
                _update(bars[0], logits, samples, seconds)

    if not sys.stderr.isatty() or plain_terminal():
        yield logits
        return
    try:
        yield replace(logits, blocks=walk())
    finally:
        ended = True
        for bar in bars:
            bar.stop()


def _update(bar: "Progress", logits: Logits, samples: int, seconds: float) -> None:
    """Tell bytes of a file, or samples where the input is a pipe or says how many they are."""
    if logits.progress is None:
        done, total = samples, logits.n_samples
        told = f"{done:,} samples, {done / seconds:,.0f}/s"
    else:
        done, total = logits.progress()
        told = f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB, {done / 1e6 / seconds:,.1f} MB/s"
    bar.update(bar.task_ids[0], completed=done, total=total, told=told)


def _bar() -> "Progress":
    from rich import progress
    from rich.console import Console

    bar = progress.Progress(
        progress.BarColumn(),
        progress.TextColumn("{task.fields[told]}", markup=False),
        progress.TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task("", total=None, told="")
    bar.start()
    return bar
