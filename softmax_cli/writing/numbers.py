"""Numbers become text: the one place where the formats for programs print them."""

from softmax_cli.batch import FloatArray


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
    rows: str = (f"%r{delimiter}" * (C - 1) + "%r\n") * n
    return rows % tuple(values.ravel().tolist())
