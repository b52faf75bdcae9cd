"""Numbers become text: the one place where the formats for programs print them."""

from softmax_cli.batch import FloatArray
from softmax_cli.fast_lane import fast_lane

_BYTES_A_NUMBER = 20


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
    n, C = values.shape
    lane = fast_lane(values.size * _BYTES_A_NUMBER)
    if lane is not None:
        by_polars: str = lane.print_rows(values, delimiter)
        return by_polars
    rows: str = (f"%r{delimiter}" * (C - 1) + "%r\n") * n
    return rows % tuple(values.ravel().tolist())
