"""Working ahead: the next items are made in a thread while others are being used."""

from collections.abc import Iterator
from typing import TypeVar

T = TypeVar("T")

_SECONDS_BETWEEN_SIGNALS = 0.1


def ahead(items: Iterator[T], depth: int = 2) -> Iterator[T]:
    """Yield the items, made by a thread that is up to `depth` of them ahead.

    An exception is raised where its item would have been. The thread never holds up the end of
    the program: it may be waiting for a pipe that stays silent.
    """
    from queue import Empty, Queue
    from threading import Event, Thread

    queue: Queue[tuple[T] | BaseException | None] = Queue(depth)
    abandoned = Event()

    def make() -> None:
        try:
            for item in items:
                queue.put((item,))
                if abandoned.is_set():
                    return
            queue.put(None)
        except BaseException as error:
            queue.put(error)

    try:
        Thread(target=make, daemon=True).start()
    except RuntimeError:  # there is no memory for one
        yield from items
        return
    try:
        while True:
            try:
                # While polars is being loaded, a signal does not end a wait by itself.
                taken = queue.get(timeout=_SECONDS_BETWEEN_SIGNALS)
            except Empty:
                continue
            if taken is None:
                return
            if isinstance(taken, BaseException):
                raise taken
            yield taken[0]
    finally:
        abandoned.set()
        while not queue.empty():  # so that a waiting put() ends
            queue.get()
