"""Reading ahead: the next batch is read and parsed while this one is computed and printed."""

from collections.abc import Iterator
from queue import Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], depth: int = 2) -> Iterator[T]:
    """Yield the items, taken by a thread that is up to `depth` of them ahead.

    An exception is raised where its item would have been. The thread never holds up the end of
    the program: it may be waiting for a pipe that stays silent.
    """
    queue: Queue[tuple[T] | BaseException | None] = Queue(depth)
    abandoned = Event()

    def take() -> None:
        try:
            for item in items:
                queue.put((item,))
                if abandoned.is_set():
                    return
            queue.put(None)
        except BaseException as error:
            queue.put(error)

    Thread(target=take, daemon=True).start()
    try:
        while (taken := queue.get()) is not None:
            if isinstance(taken, BaseException):
                raise taken
            yield taken[0]
    finally:
        abandoned.set()
        while not queue.empty():  # so that a waiting put() ends
            queue.get()
