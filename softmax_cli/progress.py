"""Progress of long work: on standard error, at a terminal only, and gone when it is done."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from softmax_cli.samples import Batch, Logits, TextBlock

if TYPE_CHECKING:
    from rich.progress import Progress

_PATIENCE = 1.0
_BETWEEN_UPDATES = 0.1


def plain_terminal() -> bool:
    """Tell whether the user asked for plain text: NO_COLOR (no-color.org) or TERM=dumb."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


@contextmanager
def watched(logits: Logits) -> Iterator[Logits]:
    """Show how far the blocks are, once they have been walked for over a second."""
    if not sys.stderr.isatty() or plain_terminal():
        yield logits
        return
    with ExitStack() as shown:
        yield replace(logits, blocks=_walk(logits, shown))


def _walk(logits: Logits, shown: ExitStack) -> Iterator[Batch | TextBlock]:
    begin = time.monotonic()
    due = begin + _PATIENCE
    bar = None
    samples = 0
    for block in logits.blocks:
        yield block
        samples += len(block.logits) if isinstance(block, Batch) else 0
        now = time.monotonic()
        if now >= due:
            due = now + _BETWEEN_UPDATES
            bar = bar or shown.enter_context(_bar())
            _update(bar, logits, samples, now - begin)


def _update(bar: "Progress", logits: Logits, samples: int, seconds: float) -> None:
    """Tell bytes where the end of the input tells how many samples there are."""
    done, total = samples, logits.n_samples
    told = f"{samples:,} samples, {samples / seconds:,.0f}/s"
    if logits.progress is not None:
        done, total = logits.progress()
        told = f"{done / 1e6:,.1f} MB, {done / 1e6 / seconds:,.1f} MB/s"
    bar.update(bar.task_ids[0], completed=done, total=total, told=told, refresh=True)


def _bar() -> "Progress":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        BarColumn(),
        TextColumn("{task.fields[told]}", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,  # which takes a thread
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task("", total=None, told="")
    return bar
