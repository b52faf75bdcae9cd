"""Progress of long work: on standard error, at a terminal only, and gone when it is done."""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from softmax_cli.batch import Batch, Logits

_PATIENCE = 1.0
_BETWEEN_UPDATES = 0.1


def watched(logits: Logits) -> Logits:
    """Show how far the batches are, once they have been walked for over a second."""
    if sys.stderr is None or not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        return logits
    return replace(logits, batches=_watch(logits))


def _watch(logits: Logits) -> Iterator[Batch]:
    begin = shown = time.monotonic()
    bar: Any = None
    samples = 0
    try:
        for batch in logits.batches:
            yield batch
            samples += len(batch.logits)
            now = time.monotonic()
            if now - begin < _PATIENCE or now - shown < _BETWEEN_UPDATES:
                continue
            shown = now
            bar = bar or _bar()
            _update(bar, logits, samples, now - begin)
    finally:
        if bar is not None:
            bar.stop()


def _update(bar: Any, logits: Logits, samples: int, seconds: float) -> None:
    """Tell bytes of a file, or samples where the input is a pipe or says how many they are."""
    if logits.progress is None:
        done, total = samples, logits.n_samples
        told = f"{done:,} samples, {done / seconds:,.0f}/s"
    else:
        done, total = logits.progress()
        told = f"{done / 1e6:,.0f} of {total / 1e6:,.0f} MB, {done / 1e6 / seconds:,.1f} MB/s"
    bar.update(bar.task_ids[0], completed=done, total=total, told=told)


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        BarColumn(),
        TextColumn("{task.fields[told]}", markup=False),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    bar.add_task("", total=None, told="")
    bar.start()
    return bar
