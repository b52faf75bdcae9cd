"""Calling somebody's function, and making arrays of what it takes and returns."""

import math
import os
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from softmax_cli.checking.precision import FLOAT64, Precision, precision_of

Array = NDArray[Any]

# Options in what is said: a name and its value, in the words of Python or of the command line.
OPTION = re.compile(r"`(atol|dtype|log|method|step|stress|temperature)(=[^`]*)?`")
_CODE = re.compile(r"(.+\.py|[^\W\d]\w*(\.[^\W\d]\w*)*):[^\W\d][\w.]*")


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


class NotComplexError(CheckingError, ValueError):
    """Complex-step differences were asked of a function that handles real numbers only."""


class ShapeFoundError(ValueError):
    """What the function returned is no array of the right shape; the message says what it is.

    Attributes
    ----------
    array
        What was returned, where it is an array.
    given
        What the function was given, or "" for all samples.
    """

    given = ""

    def __init__(self, problem: str, array: Array | None = None) -> None:
        super().__init__(problem)
        self.array = array


@dataclass(frozen=True)
class Form:
    """How the results lie: `rank` dimensions a sample, classes on an axis of the logits.

    Attributes
    ----------
    rank
        1 for a number a class, 2 for a Jacobian.
    axis
        Of the classes in the logits.
    precision
        The format of the arrays that a function is given.
    tensors
        Whether a function is given torch tensors instead.
    """

    rank: int
    axis: int = -1
    precision: Precision = FLOAT64
    tensors: bool = False


@dataclass(frozen=True, eq=False)
class Answer:
    """What a function returned, as rows of C numbers: one a sample, or C for a Jacobian.

    Attributes
    ----------
    rows
        Shape (n, C), or (n C, C).
    precision
        The format of what it returned.
    across
        The largest entry of a Jacobian that connects two samples, which must be 0, and what is
        compared with it: its sample's largest.
    overwrote
        Whether it changed its input.
    tensors
        Whether it was given torch tensors.
    """

    rows: Array
    precision: Precision = FLOAT64
    across: float = 0.0
    overwrote: bool = False
    tensors: bool = False


class Function(Protocol):
    """A function of arrays of logits, and of upstream gradients."""

    def __call__(self, inputs: Sequence[Array], form: Form) -> Answer:
        """Call it once. Raises `CandidateError` and `ShapeFoundError`."""


def in_python(text: str) -> str:
    """Write the options in a text as Python's: ``atol=0``."""
    return OPTION.sub(r"\1\2", text)


def names_code(word: str) -> bool:
    """Tell whether a word names code, and no file of that name is there."""
    return _CODE.fullmatch(word) is not None and not os.path.exists(word)  # noqa: PTH110


def local(
    function: Callable[..., Any], where: Callable[[BaseException], str] = lambda _: ""
) -> Function:
    """Let a function of this process be called; `where` names the line to blame."""

    def call(inputs: Sequence[Array], form: Form) -> Answer:
        given = [_as_given(each, form) for each in inputs]
        try:
            values = function(*given)
        except (Exception, SystemExit) as error:
            # torch's functions take nothing else, and say so in many ways.
            if "torch" in sys.modules and not form.tensors:
                with suppress(CandidateError):
                    return call(inputs, replace(form, tensors=True))
            raise CandidateError(f"raised {in_words(error)}", where(error)) from error
        return _answer(values, inputs, given, form)

    return call


def in_words(error: BaseException) -> str:
    """Name an exception and its message, which may itself raise."""
    try:
        message = str(error).strip()[:300]
    except BaseException:
        message = ""
    return f"{type(error).__name__}: {message}" if message else type(error).__name__


def as_numbers(values: Any) -> tuple[Array, Precision]:
    """Make an array of numbers of an array, a list or a tensor; return its format too.

    Raises
    ------
    ShapeFoundError
        For what holds no numbers.
    """
    if isinstance(values, np.ma.MaskedArray):  # what it hides would be compared
        raise ShapeFoundError("a masked array, expected an array of numbers: use .filled()")
    if isinstance(values, list | tuple) and len(values) == 1 and hasattr(values[0], "shape"):
        values = values[0]
    precision = precision_of(getattr(values, "dtype", ""))
    if hasattr(values, "detach"):  # a torch tensor, perhaps one that records gradients
        values = values.detach().cpu()
        values = values.float() if precision.name == "bfloat16" else values
    found = "None (is a return missing?)" if values is None else type(values).__name__
    try:
        array = np.asarray(values)
    except (Exception, SystemExit) as error:
        raise ShapeFoundError(_tuple_of(values) or f"{found} ({in_words(error)})") from None
    if precision.name == "bfloat16":
        array = array.astype(np.float32)
    if array.dtype.kind not in "biufc":
        kind = f" of {array.dtype}" if array.ndim else ""
        said = _tuple_of(values) or f"{found}{kind}, expected an array of numbers"
        raise ShapeFoundError(said)
    return array, precision


def as_rows(
    array: Array, shape: tuple[int, ...], form: Form, *, file: bool = False
) -> tuple[Array, float]:
    """Bring results for logits of a shape to rows, whichever way the samples are laid out.

    Parameters
    ----------
    array
        Of the shape of the logits; for Jacobians (..., C, C), stacked (K C, C), batch last
        (C, C, ...), or as autograd gives them for a batch, the shape of the logits twice or
        (K C, K C).
    shape
        Of the logits.
    form
        How they lie.
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
    C = lead.pop(form.axis)
    n = math.prod(lead)
    if form.rank == 1:
        accepted = [shape]
        if file:
            accepted += [(n, C), (C,)] if n == 1 else [(n, C)]
        if array.shape in accepted:
            turned = np.moveaxis(array, form.axis, -1) if array.shape == shape else array
            return turned.reshape(n, C), 0.0
    else:
        accepted = [(*lead, C, C), (n * C, C)] if n > 1 or file else [(*lead, C, C)]
        if array.shape in accepted:
            return array.reshape(n * C, C), 0.0
        last, ends = len(shape) - 1, [form.axis % len(shape), form.axis % len(shape) + len(shape)]
        if array.shape == shape * 2 and last:
            return _within_samples(np.moveaxis(array, ends, [last, -1]).reshape(n, C, n, C))
        if array.shape == (n * C, n * C) and n > 1 and ends[0] == last:
            return _within_samples(array.reshape(n, C, n, C))
        if array.shape == (C, C, *lead):
            return np.moveaxis(array, (0, 1), (-2, -1)).reshape(n * C, C), 0.0
    expected = " or ".join(map(str, dict.fromkeys(accepted)))
    raise ShapeFoundError(f"shape {array.shape}, expected {expected}", array)


def _within_samples(blocks: Array) -> tuple[Array, float]:
    """Split what autograd gives for a batch into each sample's own rows, and the largest other."""
    n, C = blocks.shape[:2]
    own = np.arange(n)
    within = blocks[own, :, own].reshape(n * C, C).copy()
    others = np.abs(blocks)
    others[own, :, own] = 0.0
    return within, float(np.where(np.isnan(others), np.inf, others).max())


def _tuple_of(values: Any) -> str:
    """Say what a tuple of several things is, and what to return instead, or ""."""
    if not isinstance(values, list | tuple) or not any(hasattr(each, "shape") for each in values):
        return ""
    kinds = ", ".join(type(each).__name__ for each in values[:4])
    told = f"a {type(values).__name__} of {len(values)} ({kinds})"
    return f"{told}, expected one array: return its first part alone, [0]"


def _as_given(values: Array, form: Form) -> Any:
    """Copy numbers into the kind of array that a function is given."""
    name = form.precision.name
    if np.iscomplexobj(values):
        return values.copy()
    if "torch" in sys.modules and (form.tensors or name == "bfloat16"):
        import torch  # type: ignore[import-not-found,unused-ignore]

        return torch.tensor(values, dtype=getattr(torch, name))
    return values.astype("float32" if name == "bfloat16" else name)


def _answer(values: Any, inputs: Sequence[Array], given: Sequence[Any], form: Form) -> Answer:
    array, precision = as_numbers(values)
    if np.iscomplexobj(array) and not np.iscomplexobj(inputs[0]):
        raise ShapeFoundError("complex numbers")
    try:
        rows, across = as_rows(array, inputs[0].shape, form)
    except ShapeFoundError as error:
        raise ShapeFoundError(_tuple_of(values) or str(error), array) from None
    pairs = ((_as_given(each, form), after) for each, after in zip(inputs, given, strict=True))
    same = all(
        np.array_equal(as_numbers(before)[0], as_numbers(after)[0], equal_nan=True)
        for before, after in pairs
    )
    kind = np.complex128 if np.iscomplexobj(array) else np.float64
    return Answer(rows.astype(kind, copy=False), precision, across, not same, form.tensors)
