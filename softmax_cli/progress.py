"""Progress of long work: on standard error, at a terminal only, and gone when it is done."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from softmax_cli.ending import undone_by
from softmax_cli.samples import Batch, Logits, TextBlock

_ERASE = b"\r\x1b[2K"


def plain_terminal() -> bool:
    """Tell whether the user asked for plain text: NO_COLOR (no-color.org) or TERM=dumb."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"


@contextmanager
def watched(logits: Logits) -> Iterator[Logits]:
    """Show how far the blocks are, once they have been walked for over a second."""
    if not sys.stderr.isatty() or plain_terminal():
        yield logits
        return
    erase: list[bytes] = []
    with undone_by(lambda: os.write(2, b"".join(erase))):
        yield replace(logits, blocks=_walk(logits, erase))


def _walk(logits: Logits, erase: list[bytes]) -> Iterator[Batch | TextBlock]:
    due, samples = (begin := time.monotonic()) + 1, 0
    for block in logits.blocks:
        yield block
        samples += len(block.logits) if isinstance(block, Batch) else 0
        if (now := time.monotonic()) >= due:
            due = now + 0.1
            erase[:] = [_ERASE]
            with suppress(OSError):  # the terminal is gone
                os.write(2, _ERASE + _told(logits, samples, now - begin).encode())


def _told(logits: Logits, samples: int, seconds: float) -> str:
    """Tell bytes where only the end of the input tells how many samples there are."""
    done, total, scale, unit = samples, logits.n_samples, 1.0, "samples"
    if logits.progress is not None:
        (done, total), scale, unit = logits.progress(), 1e6, "MB"
    of = f" of {total / scale:,.0f}" if total else ""
    return f"{done / scale:,.0f}{of} {unit}, {done / scale / seconds:,.1f} {unit}/s"
