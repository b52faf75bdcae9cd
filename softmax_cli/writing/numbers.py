"""Numbers become text: the one place where the formats for programs print them."""

from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING

from softmax_cli.ahead import ahead
from softmax_cli.batch import FloatArray
from softmax_cli.fast_lane import fast_lane, is_open
from softmax_cli.result import Block
from softmax_cli.writing.rows import rows_as_text

if TYPE_CHECKING:
    from softmax_cli.writing.processes import Processes

_BYTES_A_NUMBER = 20
# Numbers that take longer to print than another process takes to start.
_WORTH = 1 << 17


def print_rows(values: FloatArray, delimiter: str) -> str:
    """Print rows with the shortest digits that read back to the same float64.

    Parameters
    ----------
    values
        Shape (n, C).
    delimiter
        Between the numbers of a row.

    Returns
    -------
    str
        n lines, each with its line end.
    """
    lane = fast_lane(values.size * _BYTES_A_NUMBER)
    if lane is not None:
        by_polars: str = lane.print_rows(values, delimiter)
        return by_polars
    n, C = values.shape
    return rows_as_text(values.ravel().tolist(), n, C, delimiter)


def printed(blocks: Iterator[Block], delimiter: str) -> Iterator[tuple[Block, str]]:
    """Yield blocks and the lines of their rows; from the second on, blocks are made ahead.

    The first is given out before the next is asked for, and every other one as soon as it is
    printed, however long the next one takes.
    """
    with _Printer(delimiter) as printer:
        for block in blocks:
            yield block, printer.begin(block)()
            rest = ahead(blocks) if is_open() else blocks
            for further, finish in ahead(
                ((block, printer.begin(block)) for block in rest), depth=4
            ):
                yield further, finish()


class _Printer:
    """Prints in this process, and in others when there is enough to print."""

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter
        self._numbers = 0
        self._processes: Processes | None = None

    def __enter__(self) -> "_Printer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._processes is not None:
            self._processes.end()

    def begin(self, block: Block) -> Callable[[], str]:
        """Begin to print and return a function that waits for the text."""
        values = block.values
        values = values.reshape(-1, values.shape[-1] if values.ndim > 1 else 1)
        finish = None
        if self._numbers >= _WORTH and fast_lane(0) is None:
            finish = self._elsewhere(values)
        self._numbers += values.size
        if finish is None:
            text = print_rows(values, self._delimiter)
            return lambda: text
        return finish

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
