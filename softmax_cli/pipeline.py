"""Blocks of input become blocks of output, in order, over the cores.

The unit of work is `convert`: it parses a block, computes, and prints. Blocks are independent, so
that it is mapped over processes; whatever a process does not answer for is done here.
"""

import gc
import os
import signal
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from softmax_cli.errors import InputError
from softmax_cli.result import Arrays, Block
from softmax_cli.samples import BYTES_A_NUMBER, Batch, TextBlock

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

# Bytes of text that take longer to convert than processes take to start.
_WORTH = 1 << 21
_BYTES_OF_OUTPUT = 1 << 22
# Entries of a sample's result; a larger one comes here, some rows at a time.
_LARGEST_SAMPLE = 1 << 18
# A block takes a second at most: a process that does not answer for so long is given up.
_SECONDS_OF_SILENCE = 60.0


@dataclass(frozen=True)
class Piece:
    """Some output, and how many samples it completes."""

    content: bytes
    n_samples: int


Input = Batch | TextBlock
Encode = Callable[[Block], bytes]
Convert = Callable[[Input], Iterator[Piece]]


def converter(result: Arrays, encode: Encode) -> Convert:
    """Return the function that makes output of a block of input."""
    parse, quantity = result.logits.parse, result.quantity

    def convert(block: Input) -> Iterator[Piece]:
        batch = block if isinstance(block, Batch) else parse(block)
        for computed in quantity.blocks([batch]):
            n_samples = len(computed.batch.logits) if computed.ends else 0
            yield Piece(encode(computed), n_samples)

    return convert


def _inputs(result: Arrays, growth: int) -> Iterator[Input]:
    """Walk the blocks, in pieces whose output is of bounded size."""
    for block in result.logits.blocks:
        if isinstance(block, Batch):
            yield from result.quantity.pieces([block])
        elif growth == 1:
            yield block
        else:
            lines = block.content.removesuffix(b"\n").split(b"\n")
            step = max(1, _BYTES_OF_OUTPUT // growth * len(lines) // len(block.content))
            for k in range(0, len(lines), step):
                content = b"\n".join(lines[k : k + step])
                yield TextBlock(block.line + k, content, block.start + k)


def convert_all(result: Arrays, encode: Encode, jobs: int | None) -> Generator[Piece, None, None]:
    """Convert every block, in order; on ``jobs`` processes where there is enough to do.

    Raises
    ------
    InputError
        For a bad block, behind the output of those before it.
    """
    convert, logits = converter(result, encode), result.logits
    a_sample = logits.n_classes**result.quantity.rank
    growth = max(1, a_sample // logits.n_classes)  # of the output over the input
    blocks = _inputs(result, growth)
    count = 1 if a_sample > _LARGEST_SAMPLE else _processes(jobs)
    expected, done = logits.size * growth, 0
    # The next to be given a block comes first; it is the one that has had its block for longest.
    workers: deque[_Worker] = deque()
    error: InputError | None = None
    try:
        while True:
            while any(worker.block for worker in workers) and not logits.is_ready():
                yield from workers[0].finish()  # rather than wait with results in hand
                workers.rotate(-1)
            try:
                block = next(blocks, None)
            except InputError as found:
                error = found
                break
            if block is None:
                break
            if count > 1 and not workers and max(expected, done) > _WORTH:
                workers += _started(count, convert)
            if workers:
                before = workers[0].finish()
                workers[0].begin(block)
                workers.rotate(-1)
                yield from before
            else:
                done += _size(block) * growth
                yield from convert(block)
        for worker in workers:
            yield from worker.finish()
        if error is not None:
            raise error
    finally:
        for worker in workers:
            worker.end()


def _processes(jobs: int | None) -> int:
    if not hasattr(os, "fork"):
        return 1
    cores = (
        os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
    )
    return jobs or len(cores)


def _size(block: Input) -> int:
    if isinstance(block, TextBlock):
        return len(block.content)
    return block.logits.size * BYTES_A_NUMBER


@dataclass
class _Worker:
    """A process that converts one block at a time."""

    process: int
    tasks: "Connection"
    answers: "Connection"
    convert: Convert
    block: Input | None = None
    is_lost: bool = False

    def begin(self, block: Input) -> None:
        """Hand over a block."""
        self.block = block
        try:
            if not self.is_lost:
                self.tasks.send(block)
        except OSError:
            self.is_lost = True

    def finish(self) -> Iterator[Piece]:
        """Return what became of the block; it is converted here where the process is lost."""
        block, self.block = self.block, None
        if block is None:
            return iter(())
        try:
            if not self.is_lost and self.answers.poll(_SECONDS_OF_SILENCE):
                answer: list[Piece] | InputError = self.answers.recv()
                if isinstance(answer, InputError):
                    raise answer
                return iter(answer)
        except (EOFError, OSError):
            pass
        self.is_lost = True
        return self.convert(block)

    def end(self) -> None:
        """End the process at once."""
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        self.tasks.close()
        self.answers.close()


def _started(count: int, convert: Convert) -> Iterator[_Worker]:
    """Fork processes, as many as can be had; each ends when this process does."""
    from multiprocessing.connection import Pipe

    gc.freeze()  # what is here already is shared, as long as nobody looks at it
    ours: list[Connection] = []
    for _ in range(count):
        their_tasks, tasks = Pipe(duplex=False)
        answers, their_answers = Pipe(duplex=False)
        ours += (tasks, answers)
        try:
            with warnings.catch_warnings(action="ignore"):  # no thread of ours holds a lock
                process = os.fork()
        except OSError:
            return
        if process == 0:
            for connection in ours:
                connection.close()
            _serve(their_tasks, their_answers, convert)
        their_tasks.close()
        their_answers.close()
        yield _Worker(process, tasks, answers, convert)


def _serve(tasks: "Connection", answers: "Connection", convert: Convert) -> NoReturn:
    """Answer for blocks until there are no more; whatever else happens ends this process."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process ends this one
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        while True:
            block = tasks.recv()
            try:
                answers.send(list(convert(block)))
            except InputError as error:
                answers.send(error)
    finally:
        os._exit(0)
