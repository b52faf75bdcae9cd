"""Numbers become text: the one place where the formats for programs print them."""

from collections.abc import Callable, Iterator
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

from softmax_cli.ahead import ahead
from softmax_cli.fast_lane import fast_lane, is_open
from softmax_cli.result import Block
from softmax_cli.samples import BYTES_A_NUMBER, FloatArray
from softmax_cli.writing.rows import rows_as_text

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from softmax_cli.writing.processes import Processes

# Numbers that take longer to print than another process takes to start.
_WORTH = 1 << 17
_THREADS = 2


def print_rows(values: FloatArray, delimiter: str, lane: ModuleType | None = None) -> str:
    """Print rows with the shortest digits that read back to the same float64.

    Parameters
    ----------
    values
        Shape (n, C).
    delimiter
        Between the numbers of a row.
    lane
        The fast lane, or None.

    Returns
    -------
    str
        n lines, each with its line end.
    """
    if lane is not None:
        by_polars: str = lane.print_rows(values, delimiter)
        return by_polars
    n, C = values.shape
    return rows_as_text(values.ravel().tolist(), n, C, delimiter)


def printed(blocks: Iterator[Block], delimiter: str, size: int = 0) -> Iterator[tuple[Block, str]]:
    """Yield blocks and the lines of their rows; from the second on, blocks are made ahead.

    The first is given out before the next is asked for, and every other one as soon as it is
    printed, however long the next one takes.

    Parameters
    ----------
    blocks
        The blocks.
    delimiter
        Between the numbers of a row.
    size
        How many bytes there will be to print, if that is known.
    """
    with _Printer(delimiter, size) as printer:
        for block in blocks:
            yield block, printer.begin(block)()
            rest = ahead(blocks) if is_open() else blocks
            for further, finish in ahead(
                ((block, printer.begin(block)) for block in rest), depth=4
            ):
                yield further, finish()


class _Printer:
    """Prints here or, when there is enough to print, in threads of polars or other processes."""

    def __init__(self, delimiter: str, size: int) -> None:
        self._delimiter = delimiter
        self._size = size
        self._numbers = 0
        self._threads: ThreadPoolExecutor | None = None
        self._processes: Processes | None = None

    def __enter__(self) -> "_Printer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        if self._processes is not None:
            self._processes.end()

    def begin(self, block: Block) -> Callable[[], str]:
        """Begin to print and return a function that waits for the text."""
        values = block.values
        values = values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1)
        lane = fast_lane(max(self._size, self._numbers * BYTES_A_NUMBER))
        worth = self._numbers >= _WORTH
        self._numbers += values.size
        if lane is not None:
            return self._in_a_thread(values, lane)
        finish = self._elsewhere(values) if worth else None
        if finish is None:
            text = print_rows(values, self._delimiter)
            return lambda: text
        return finish

    def _in_a_thread(self, values: FloatArray, lane: ModuleType) -> Callable[[], str]:
        if self._threads is None:
            from concurrent.futures import ThreadPoolExecutor  # loaded with polars

            self._threads = ThreadPoolExecutor(_THREADS)
        return self._threads.submit(print_rows, values, self._delimiter, lane).result

    def _elsewhere(self, values: FloatArray) -> Callable[[], str] | None:
        if self._processes is None:
            from softmax_cli.writing.processes import Processes

            self._processes = Processes()
        finish = self._processes.print(values, self._delimiter)
        if finish is None:
            return None

        def text() -> str:
            found = finish()
            return print_rows(values, self._delimiter) if found is None else found

        return text
