"""What is done to the samples of every format: read, turned, checked, left out, or picked."""

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from itertools import compress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softmax_cli.errors import InputError, plural, quoted, tell, visible, warn
from softmax_cli.options import InputOptions
from softmax_cli.samples import Batch, FloatArray, Logits, Place, TextBlock, concatenate
from softmax_cli.words import NotANumberError, is_missing, mending, read_number, to_point

Where = Callable[[int], str]

_NOT_FINITE = r"(?i)[-+]?(inf|infinity|nan)"

MASK_HINT = "only -inf marks a masked class; --skip-invalid leaves such samples out"


def place_in(where: Where, names: Sequence[str] | None = None) -> Place:
    """Name places by that of the sample and by the class."""

    def place(k: int, c: int | None) -> str:
        if c is None:
            return where(k)
        return f"{where(k)}, {quoted(names[c]) if names else f'value {c + 1}'}"

    return place


def place_of_sample(name: str, start: int = 0, noun: str = "sample") -> Where:
    """Name places by the position of the sample, where a format has no lines."""
    return lambda k: f"{name}: {noun} {start + k + 1}"


def read_numbers(
    cells: Sequence[Any],
    width: int,
    place: Place,
    options: InputOptions,
    *,
    hint: Callable[[int, Any], str] = lambda i, cell: "",
    in_quotes: bool = True,
    binary: Set[type] = frozenset(),
) -> FloatArray:
    """Turn the cells of all rows, text or JSON values, into float64; the hint is that of cell i.

    Of a binary table, `binary` names more types of numbers, which may be infinite or nan.

    Text is a number only where numbers stand in quotes; NaN and infinities do anywhere. Missing
    values become nan where samples may be left out.

    Python's float reads more than we do (digits with underscores, other scripts, 1e400 as
    inf), so whatever could be such a cell is read one by one.
    """

    def number(i: int) -> float:
        cell = cells[i]
        if options.skip_invalid and is_missing(cell):
            return np.nan
        problem = "expected a number"
        try:
            if isinstance(cell, str) and (in_quotes or re.fullmatch(_NOT_FINITE, cell)):
                return read_number(to_point(cell, options.decimal))
            if type(cell) in numeric and (math.isfinite(value := float(cell)) or binary):
                return value
        except NotANumberError as error:
            problem = str(error)
        where = place(*divmod(i, width))
        if type(cell) in numeric:
            raise InputError(where, f"{problem} within the range of float64")
        found = quoted(cell) if in_quotes and isinstance(cell, str) else shown(cell)
        way_out = hint(i, cell) or mending(cell, options.decimal)
        # No option changes how results are read.
        raise InputError(where, f"{problem}, found {found}", way_out * (options.results_of is None))

    kinds, numeric = set(map(type, cells)), binary | {float, int}
    if kinds == {str} and in_quotes:
        numbers = [to_point(cell, options.decimal) for cell in cells]
        text = "".join(numbers)
        if text.isascii() and "_" not in text:
            with suppress(ValueError):  # float knows fewer spaces, or a cell is at fault
                values = np.fromiter(map(float, numbers), np.float64, len(cells))
                for i in np.flatnonzero(np.isinf(values)).tolist():
                    number(i)
                return values.reshape(-1, width)
    elif kinds <= numeric | ({type(None)} if options.skip_invalid else set()):
        values = np.array(cells, np.float64)
        if binary or not np.isinf(values).any():
            return values.reshape(-1, width)
    return np.array([number(i) for i in range(len(cells))]).reshape(-1, width)


def shown(value: Any) -> str:
    """Describe a JSON value in a few words."""
    if value and isinstance(value, list | dict):
        return "an array" if isinstance(value, list) else "an object"
    return visible(json.dumps(value, ensure_ascii=False, default=str))[:60]


@np.errstate(invalid="ignore")
def are_valid(logits: FloatArray) -> NDArray[np.bool_]:
    """Tell which rows of shape (K, C) have neither NaN nor +inf, and a class that is not masked."""
    return np.asarray(np.isfinite(logits.max(axis=1)))


def check_logits(logits: FloatArray, place: Place) -> None:
    """Raise for the first row of shape (K, C) with NaN, with +inf or with every class masked."""
    if (valid := are_valid(logits)).all():
        return
    k = int(valid.argmin())
    if (logits[k] == -np.inf).all():
        problem = "every logit is -inf; expected at least one class that is not masked"
        raise InputError(place(k, None), problem)
    c = int(np.argmin(logits[k] < np.inf))
    found = "nan" if np.isnan(logits[k, c]) else "+inf"
    raise InputError(place(k, c), f"found {found}, expected a finite number or -inf", MASK_HINT)


def check_gradient(gradient: FloatArray, place: Place) -> None:
    """Raise for the first value of shape (K, C) that is not finite."""
    for k, c in np.argwhere(~np.isfinite(gradient)).tolist():
        raise InputError(place(k, c), f"found {gradient[k, c]}, expected a finite number")


def check_lengths(rows: Iterable[Sequence[Any]], expected: int, place: Place, first: str) -> None:
    """Raise for the first row whose number of values differs from the first row's."""
    for k, row in enumerate(rows):
        if len(row) != expected:
            problem = f"expected {plural(expected, 'value')} as in {first}, found {len(row)}"
            raise InputError(place(k, None), problem)


def check_classes(found: Sequence[str], expected: Sequence[str], place: str, first: str) -> None:
    """Raise for names of classes that differ from the first ones, or stand in another order."""
    if len(found) != len(expected):
        problem = f"expected {plural(len(expected), 'class')} as in {first}, found {len(found)}"
        raise InputError(place, problem)
    for c, (theirs, ours) in enumerate(zip(found, expected, strict=True), start=1):
        if theirs != ours:
            problem = f"expected {quoted(ours)} as class {c}, as in {first}"
            raise InputError(place, f"{problem}, found {quoted(theirs)}")


def sift(logits: Logits, options: InputOptions, name: str) -> Logits:
    """Turn the samples if their classes run down the file; see that they are checked."""
    if options.axis is not None and logits.shape is None and options.results_of is None:
        if options.axis not in (0, 1, -1, -2):
            raise InputError("--axis", f"expected 0 or 1 for text, found {options.axis}")
        logits = _turned(logits, options, name) if options.axis in (0, -2) else logits
    if logits.n_classes == 1 and options.results_of is None:
        hint = "; --axis 0 reads a column" * (options.axis is None and logits.n_samples != 1)
        warn(name, f"with one class, every probability is 1{hint}")
    if options.skip_invalid and options.results_of is None:
        return _valid(logits)
    if options.quantity is not None:  # of results, any are compared
        return logits
    refuse = check_logits if options.results_of is None else check_gradient

    def check(batch: Batch) -> Batch:
        assert batch.place
        refuse(batch.logits, batch.place)
        return replace(batch, place=None)

    return replace(logits, check=check)


def _turned(logits: Logits, options: InputOptions, name: str) -> Logits:
    """Make a sample of each column; what named the samples names the classes."""
    for option, is_given in (("--id", options.id_column), ("--keep", options.keep)):
        if is_given:
            raise InputError(option, "expected either it or --axis 0, found both")
    whole = concatenate(logits.batches, logits.n_classes)
    columns, names = whole.logits.T.copy(), logits.class_names
    batch = Batch(columns, 0, names, place=place_in(place_of_sample(name), whole.samples))
    K, C = columns.shape
    return Logits(C, iter([batch]), whole.samples, names_samples=names is not None, n_samples=K)


def _valid(logits: Logits) -> Logits:
    """Leave out the samples that are not valid, and count them."""
    left, skipped, first = 0, 0, ""

    def check(batch: Batch) -> Batch:
        nonlocal left, skipped, first
        assert batch.place
        valid = are_valid(batch.logits)
        if not (skipped or valid.all()):
            first = batch.place(int(valid.argmin()), None)
        left, skipped = left + int(valid.sum()), skipped + int((~valid).sum())
        kept = batch.kept and tuple(compress(batch.kept, valid))
        g = None if batch.upstream is None else batch.upstream[valid]
        return Batch(batch.logits[valid], batch.start, (*compress(batch.labels, valid),), g, kept)

    def blocks() -> Iterator[Batch | TextBlock]:
        for block in logits.blocks:
            yield logits.parsed(block)  # in this process, where they are counted
        if skipped and not left:
            raise InputError(first, "expected a valid sample, found none from here on")
        if skipped:
            tell(f"{plural(skipped, 'invalid sample')} left out, the first at {first}")

    return replace(logits, n_samples=None, blocks=blocks(), check=check)


def pick_sample(logits: Logits, word: str, option: str) -> Logits:
    """Return a source that holds the one sample meant; a name wins over a position from 1.

    Raises
    ------
    InputError
        When no sample, or more than one, has that name, and none that position.
    """
    position = int(word[:18]) - 1 if word.isascii() and word.isdigit() else -1
    named, at_position, count = list[Batch](), list[Batch](), 0
    for batch in replace(logits, check=None).batches:  # the others need not be valid
        same = [k for k, name in enumerate(batch.samples or ()) if name == word]
        named += [batch.part(slice(k, k + 1)) for k in same]
        if 0 <= (k := position - count) < len(batch.logits):
            at_position = [batch.part(slice(k, k + 1))]
            if batch.samples is None:
                break
        count += len(batch.logits)
    if len(named) > 1:
        positions = ", ".join(str(each.start + 1) for each in named[:6])
        problem = f"{quoted(word)} names {len(named)} samples, at positions {positions}"
        raise InputError(option, problem, "use a position, counted from 1")
    problem = f"expected a sample's name or a position from 1 to {count}, found {quoted(word)}"
    if not (named or at_position):
        raise InputError(option, problem)
    found = logits.parsed((named or at_position)[0])
    if not len(found.logits):
        raise InputError(option, f"expected a valid sample, found {quoted(word)}, left out")
    return replace(logits, blocks=iter([found]), n_samples=1)
