"""Blocks of input become blocks of output, in order, over the cores.

The unit of work is `convert`: it parses a block, computes, and prints. Blocks are independent, so
that it is mapped over processes; whatever a process does not answer for is done here.
"""

import os
import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from softmax_cli.ending import forked, undone_by
from softmax_cli.errors import InputError
from softmax_cli.result import Arrays, Block
from softmax_cli.samples import Batch, TextBlock

if TYPE_CHECKING:
    from socket import socket

# Bytes of output that take longer to compute than processes take to start.
WORTH = 1 << 20
PATIENCE = 60.0  # seconds that a process may take for a block, before it is done here

Input = Batch | TextBlock | InputError  # an error is told in its turn
Piece = tuple[bytes, int]  # some output, and how many samples it completes
Encode = Callable[[Block], bytes]
Convert = Callable[[Input], Iterator[Piece]]


def convert(result: Arrays, encode: Encode, block: Input) -> Iterator[Piece]:
    """Make output of a block of input: the unit of work."""
    if isinstance(block, InputError):
        raise block
    for computed in result.quantity.blocks([result.logits.parsed(block)]):
        yield encode(computed), len(computed.batch.logits) if computed.ends else 0


def _inputs(result: Arrays) -> Iterator[Input | None]:
    """Walk the blocks, cut where their output is large; None where one has to be waited for."""
    logits, quantity = result.logits, result.quantity
    while True:
        if not logits.is_ready():
            yield None
        try:
            block = next(logits.blocks, None)
        except InputError as error:
            yield error
            return
        if block is None:
            return
        if isinstance(block, TextBlock) and quantity.rank < 2:
            yield block
        else:
            yield from quantity.pieces([logits.parsed(block)])


def convert_all(result: Arrays, encode: Encode, jobs: int | None) -> Generator[Piece, None, None]:
    """Convert every block, in order; on ``jobs`` processes where there is enough to do.

    Raises
    ------
    InputError
        For a bad block, behind the output of those before it.
    """
    work = partial(convert, result, encode)
    # The next to be given a block comes first; it is the one that has had its block for longest.
    workers: deque[_Worker] = deque()
    # On Linux, those that this process may use.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    # What a process prints of a large matrix would take much memory.
    is_large = result.quantity.rank == 2 and result.logits.n_classes > 700
    count, printed = 1 if is_large else jobs or cores or 1, 0

    with undone_by(lambda: [*map(_Worker.end, workers)]):
        for block in _inputs(result):
            if count > 1 and printed > WORTH and not workers:
                workers += _started(count, work)
                count = len(workers)
            if block is None:
                for worker in workers:
                    if not result.logits.is_ready():  # rather than wait with results in hand
                        yield from worker.finish()
            elif workers:
                yield from workers[0].finish()
                workers[0].begin(block)
                workers.rotate(-1)
            else:
                for piece in work(block):
                    printed += len(piece[0])
                    yield piece
        for worker in workers:
            yield from worker.finish()


@dataclass
class _Worker:
    """A process that converts one block at a time; one that is lost or late is given up."""

    process: int
    stream: "socket"
    convert: Convert
    block: Input | None = None

    def begin(self, block: Input) -> None:
        """Hand over a block."""
        self.block = block
        import socket

        with suppress(OSError):  # then there is no answer either
            self.stream.sendall(pickle.dumps(block), getattr(socket, "MSG_NOSIGNAL", 0))

    def finish(self) -> Iterator[Piece]:
        """Return what became of the block; it is converted here where the process is given up."""
        block, self.block = self.block, None
        if block is None:
            return
        try:
            with self.stream.makefile("rb") as stream:
                answer = pickle.load(stream)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self.end()
            answer = self.convert(block)
        for piece in answer:
            if isinstance(piece, InputError):
                raise piece
            yield piece

    def end(self) -> None:
        """End the process at once; to have it given up before is nothing."""
        process, self.process = self.process, 0
        if process:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            self.stream.close()


def _started(count: int, convert: Convert) -> Iterator[_Worker]:
    """Fork processes, as many as can be had; each ends when this process does."""
    from socket import socketpair

    with suppress(OSError):
        for _ in range(count):
            ours, theirs = socketpair()
            process = forked(partial(_serve, ours, theirs, convert))
            theirs.close()
            ours.settimeout(PATIENCE)
            yield _Worker(process, ours, convert)


def _serve(parents: "socket", stream: "socket", convert: Convert) -> None:
    """Answer for blocks until there are no more; anything else ends this process."""
    parents.close()
    tasks = stream.makefile("rb")
    while True:
        answer: list[Piece | InputError] = []
        try:
            answer.extend(convert(pickle.load(tasks)))
        except InputError as error:
            answer.append(error)
        stream.sendall(pickle.dumps(answer))
