"""Why somebody's results cannot be checked, and making rows of numbers of them."""

import math
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.formulas import Kind, Precision, Rows, precision_of

Array = NDArray[Any]
# Somebody's: of logits, and of upstream gradients.
Function = Callable[..., Any]

# Options in what is said: a name and its value, in the words of Python or of the command line.
OPTION = re.compile(r"`(atol|dtype|log|method|step|stress|temperature)(=[^`]*)?`")
_CODE = re.compile(r".+\.py|(.+\.py|[^\W\d]\w*(\.[^\W\d]\w*)*):[^\W\d][\w.]*")


class CheckingError(Exception):
    """Why something cannot be checked; options stand as ```name=value```.

    Attributes
    ----------
    problem
        What was found and what was expected; of a function, what it did.
    place
        The file and line to blame, or the name of an option in backquotes, or "".
    hint
        What to do, or "".
    given
        What a function was given, or "".
    """

    def __init__(self, problem: str, place: str = "", hint: str = "", given: str = "") -> None:
        super().__init__(problem, place, hint, given)
        self.problem, self.place, self.hint, self.given = problem, place, hint, given

    @property
    def told(self) -> str:
        """The problem, and what the function was given."""
        return f"the candidate {self.problem}, given {self.given}" if self.given else self.problem

    def __str__(self) -> str:
        place, hint = (f"{self.place}: " * bool(self.place), f"; {self.hint}" * bool(self.hint))
        return in_python(f"{place}{self.told}{hint}")


class CandidateError(CheckingError):
    """A function cannot be loaded, raised or ended its process.

    Its own exception is the cause, where it is of this process.
    """

    array: Array | None = None


class NotComplexError(CheckingError, ValueError):
    """Complex-step differences were asked of a function that handles real numbers only."""


class RangeError(CheckingError, ValueError):
    """Logits or gradients are beyond the format that results are judged in."""


class ShapeFoundError(CandidateError):
    """What was found, and perhaps returned, is no array of the right shape.

    Attributes
    ----------
    found
        What it is.
    array
        The same, where it is an array.
    """

    def __init__(self, found: str, array: Array | None = None) -> None:
        super().__init__(f"returned {found}")
        self.args = self.found, self.array = found, array


def in_python(text: str) -> str:
    """Write the options in a text as Python's: ``atol=0``."""
    return OPTION.sub(r"\1\2", text)


def names_code(word: str) -> bool:
    """Tell whether a word names code, and no results are there under that name."""
    return bool(_CODE.fullmatch(word)) and (word.endswith(".py") or not os.path.exists(word))  # noqa: PTH110


def in_words(error: BaseException) -> str:
    """Name an exception and its message."""
    message = str(error).strip()[:300]
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def as_numbers(values: Any, n: int = 0, kinds: str = "biufc") -> tuple[Array, Precision]:
    """Make an array of numbers of an array, a list or a tensor; return its format too.

    A list that holds one array of n axes, or more, is that array.

    Raises
    ------
    ShapeFoundError
        For what holds no numbers.
    """
    if hasattr(values, "filled"):  # a masked array: what it hides would be compared
        raise ShapeFoundError("a masked array, expected an array of numbers: use .filled()")
    if type(values) in (list, tuple) and len(values) == 1 and getattr(values[0], "ndim", -1) >= n:
        values = values[0]
    precision = precision_of(getattr(values, "dtype", ""))
    if hasattr(values, "detach"):  # a torch tensor, perhaps one that records gradients
        values = values.detach().cpu()
        values = values.float() if precision.name == "bfloat16" else values
    found = "None (is a return missing?)" if values is None else type(values).__name__
    try:
        array = np.asarray(values)
        array = array.astype(float) if array.ndim and array.dtype == object else array
    except (Exception, SystemExit) as error:
        raise ShapeFoundError(tuple_of(values) or f"{found} ({in_words(error)})") from None
    if precision.name == "bfloat16":
        array = array.astype(np.float32)
    if array.dtype.kind not in kinds:
        kind = f" of {array.dtype}" if array.ndim else ""
        raise ShapeFoundError(tuple_of(values) or f"{found}{kind}, expected an array of numbers")
    return array, precision


def as_rows(
    array: Array, shape: tuple[int, ...], axis: int, quantity: Kind, *, file: bool = False
) -> Rows:
    """Bring results for logits of a shape to rows, whichever way the samples are laid out.

    Parameters
    ----------
    array
        Of the shape of the logits; for Jacobians (..., C, C), stacked (K C, C), batch last
        (C, C, ...), or as autograd gives them for a batch, the shape of the logits twice or
        (K C, K C).
    shape, axis
        Of the logits, and of the classes in them.
    quantity
        What they are.
    file
        Whether it may be a table of rows, and for one sample lack the dimension of samples.

    Returns
    -------
    Shape (n, C) or (n C, C); and the largest entry that connects two samples.

    Raises
    ------
    ShapeFoundError
        For another shape.
    """
    lead = list(shape)
    C, n = lead.pop(axis), math.prod(lead)
    if quantity != "jacobian":
        accepted = [shape, *[(n, C)] * file, *[(C,)] * (file and n == 1)]
        if array.shape in accepted:
            turned = np.moveaxis(array, axis, -1) if array.shape == shape else array
            return turned.reshape(n, C), 0.0
    else:
        accepted = [(*lead, C, C), *[(n * C, C)] * (n > 1 or file), *[(n, C, C)] * file]
        if array.shape in accepted:
            return array.reshape(n * C, C), 0.0
        last, ends = len(shape) - 1, [axis % len(shape), axis % len(shape) + len(shape)]
        if array.shape == shape * 2 and last:
            return _within_samples(np.moveaxis(array, ends, [last, -1]).reshape(n, C, n, C))
        if array.shape == (n * C, n * C) and n > 1 and ends[0] == last:
            return _within_samples(array.reshape(n, C, n, C))
        if array.shape in ((C, C, *lead), (C, C, n)):
            return np.moveaxis(array, (0, 1), (-2, -1)).reshape(n * C, C), 0.0
    expected = " or ".join(map(str, dict.fromkeys(accepted)))
    raise ShapeFoundError(f"shape {array.shape}, expected {expected}", array)


def _within_samples(blocks: Array) -> Rows:
    """Split what autograd gives for a batch into each sample's own rows, and the largest other."""
    n, C = blocks.shape[:2]
    own = np.arange(n)
    within = blocks[own, :, own].reshape(n * C, C).copy()
    others = np.abs(blocks)
    others[own, :, own] = 0.0
    return within, float(np.where(np.isnan(others), np.inf, others).max())


def tuple_of(values: Any) -> str:
    """Say what a tuple of several things is, and what to return instead, or ""."""
    if not isinstance(values, list | tuple) or not any(hasattr(each, "shape") for each in values):
        return ""
    kinds = ", ".join(type(each).__name__ for each in values[:4])
    told = f"a {type(values).__name__} of {len(values)} ({kinds})"
    return f"{told}, expected one array: return its first part alone, [0]"
