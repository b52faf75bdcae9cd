"""Rows of numbers as text, here or, run as a script, for another process.

Stands alone, without a single import from elsewhere, so that the script starts at once.
"""

import sys
from array import array
from collections.abc import Iterable

HEAD_BYTES = 24


def rows_as_text(values: Iterable[float], n: int, C: int, delimiter: str) -> str:
    """Print n rows of C numbers with the shortest digits that read back to the same float64."""
    rows: str = (f"%r{delimiter}" * (C - 1) + "%r\n") * n
    return rows % tuple(values)


def head(n: int, C: int, delimiter: str) -> bytes:
    """Return what goes before n * C numbers on their way to `serve`."""
    return array("q", [n, C, ord(delimiter)]).tobytes()


def serve() -> None:
    """Read heads and numbers from standard input; write the size of each text, and the text."""
    read, write = sys.stdin.buffer.read, sys.stdout.buffer.write
    while len(begin := read(HEAD_BYTES)) == HEAD_BYTES:
        n, C, delimiter = array("q", begin)
        values = array("d", read(8 * n * C))
        text = rows_as_text(values, n, C, chr(delimiter)).encode()
        write(array("q", [len(text)]).tobytes())
        write(text)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    serve()
