"""Progress of long work: on standard error, at a terminal only, and gone when it is done."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Lock
from typing import Any

from softmax_cli.samples import Batch, Logits

_PATIENCE = 1.0
_BETWEEN_UPDATES = 0.1


def plain_terminal() -> bool:
    """Tell whether the user asked for plain text: NO_COLOR (no-color.org) or TERM=dumb."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


@contextmanager
def watched(logits: Logits) -> Iterator[Logits]:
    """Show how far the batches are, once they have been walked for over a second.

    They may be walked in another thread; what is shown is gone when the context ends.
    """
    if not sys.stderr.isatty() or plain_terminal():
        yield logits
        return
    watch = _Watch()
    try:
        yield replace(logits, blocks=watch.walk(logits))
    finally:
        watch.end()


class _Watch:
    def __init__(self) -> None:
        self._bar: Any = None
        self._ended = False
        self._lock = Lock()

    def walk(self, logits: Logits) -> Iterator[Batch]:
        begin = updated = time.monotonic()
        samples = 0
        for batch in logits.batches:
            yield batch
            samples += len(batch.logits)
            now = time.monotonic()
            if now - begin < _PATIENCE or now - updated < _BETWEEN_UPDATES:
                continue
            updated = now
            with self._lock:
                if not self._ended:
                    self._bar = self._bar or _bar()
                    _update(self._bar, logits, samples, now - begin)

    def end(self) -> None:
        with self._lock:
            self._ended = True
            if self._bar is not None:
                self._bar.stop()


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
