"""Which columns are logits and which one names the samples: one rule for all formats."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from softmax_cli.errors import InputError, did_you_mean, quoted, warn
from softmax_cli.options import InputOptions
from softmax_cli.samples import Batch, Logits, TextBlock
from softmax_cli.words import is_broken_number, is_number

_SAMPLES_OF_COLUMN = 1_000  # how many of the first samples tell what a column holds
_NAMES_OF_NAME_COLUMNS = frozenset({"", "id", "index", "name", "sample"})
# The last word of a header, as in sample_id and userId, but not acid; or all of it. "Unnamed: 0"
# is what pandas calls the index of a table that it had written without a name.
_IDENTIFIER = (
    r"(?i:(?:.*[\W_])?(?:ids?|idx|[ug]?uid)|(?:sample|user|row)id"
    r"|user|labels?|class|target|key|row|unnamed: \d+)|.*[a-z]I[dD]"
)
_WAY_OUT = (
    "pick the logits with --columns (names, positions or a range such as 2-11) "
    "and the sample names with --id"
)


@dataclass(frozen=True)
class Columns:
    """Positions, from 0, of the logits and of the sample names, and what all columns are called."""

    logits: tuple[int, ...]
    sample: int | None = None
    header: Sequence[str] | None = None

    @property
    def names(self) -> tuple[str, ...] | None:
        """The classes' names."""
        return None if self.header is None else tuple(self.header[c] for c in self.logits)

    @property
    def sample_header(self) -> str:
        """What the sample names are called."""
        return self.header[self.sample] if self.header and self.sample is not None else "sample"

    def source(self, blocks: Iterator[Batch | TextBlock]) -> Logits:
        """Name what all samples share."""
        is_named = self.sample is not None
        return Logits(len(self.logits), blocks, self.names, is_named, self.sample_header)


def kinds_of(rows: Sequence[Sequence[Any]]) -> list[str]:
    """Tell what columns hold by their first values: text, whole numbers, or numbers.

    A column of text with a single number in it, or a broken one, is logits with a mistake.
    """
    return list(map(_kind, zip(*rows[:_SAMPLES_OF_COLUMN], strict=True)))


def _kind(values: Sequence[Any]) -> str:
    if isinstance(values[0], str) and values[0].strip() and not is_number(values[0]):
        slips = (not isinstance(v, str) or is_number(v) or is_broken_number(v) for v in values)
        return "numbers" if any(slips) else "text"
    return "whole" if all(str(value).strip().isdigit() for value in values) else "numbers"


def choose_columns(
    header: Sequence[str] | None, kinds: Sequence[str], options: InputOptions, place: str
) -> Columns:
    """Choose by the user's word first, then by header names, then by content.

    Parameters
    ----------
    header
        The columns' names, or None.
    kinds
        What each column holds, as `kinds_of` tells.
    options
        What the user said; ``columns`` and ``id_column`` count here.
    place
        Where the columns are described, for messages.

    Raises
    ------
    InputError
        When a name is unknown, more than one column holds text, or no logits are left.
    """
    names, width, sample = header or (), len(kinds), None
    if options.stacked and list(names[:2]) == ["sample", "output"]:
        return Columns(tuple(range(2, width)), 0, header)
    if options.results_of is not None:
        if options.results_of and set(options.results_of) <= set(names):
            return _columns_of_results(names, options.results_of, options.id_column)
        options = replace(options, id_column=None)
    if options.id_column is not None:
        sample = find_name(options.id_column, names, width, "--id")
    by_name = {c for c, name in enumerate(names) if _names_samples(name)}
    text = {c for c, kind in enumerate(kinds) if kind == "text"}
    if options.columns is not None:
        picked = pick_columns(options.columns, names, width)
        others = sorted(by_name - set(picked) or text - set(picked))
        if sample is None and len(others) == 1:
            sample = others[0]
        return Columns(picked, sample, header)

    found = sorted(by_name | text if sample is None else (text - by_name) | {sample})
    if len(found) > 1:
        shown = ", ".join(quoted(header[c]) if header else str(c + 1) for c in found[:6])
        more = f" and {len(found) - 6} more" if len(found) > 6 else ""
        problem = f"expected at most one column of sample names, found {len(found)}: {shown}{more}"
        raise InputError(place, problem, _WAY_OUT)
    logits = tuple(c for c in range(width) if c not in by_name | text | {sample})
    if not logits:
        raise InputError(place, "expected at least one column of logits, found only names")
    for c in logits if header and len(logits) > 1 else ():
        if kinds[c] == "whole" and re.fullmatch(_IDENTIFIER, names[c].strip()):
            warn(place, f"{quoted(names[c])} is taken for logits; if it is none, {_WAY_OUT}")
            break
    return Columns(logits, found[0] if found else None, header)


def _columns_of_results(
    names: Sequence[str], classes: Sequence[str], id_column: str | None
) -> Columns:
    """Find the columns named as the classes, and the one that names the samples among the rest."""
    found = tuple(map(names.index, classes))
    others = [c for c in range(len(names)) if c not in found]
    named = [c for c in others if names[c] == id_column] or [
        c for c in others if _names_samples(names[c])
    ]
    return Columns(found, named[0] if named else None, names)


def _names_samples(name: str) -> bool:
    return name.strip(" \t").lower() in _NAMES_OF_NAME_COLUMNS


def warn_of_first_row(rows: Sequence[Sequence[str]], is_header: bool, place: str) -> None:
    """Warn where a header may be meant as a sample, or a first sample as the header."""
    first, second = rows[0], rows[1] if rows[1:] else []
    strange = [name for name in first if not (is_number(name) or _names_samples(name))]
    positions = [str(c) for c in range(len(first))]
    if is_header and strange and any(map(is_number, first)):
        why = f"because {quoted(strange[0])} is not a number"
        warn(place, f"taken as the header, {why}; if it is a sample, put a header before it")
    elif len(first) > 1 and first == positions and "." in "".join(second):
        warn(place, "0, 1, ... are taken as a sample's logits, because a header is not all numbers")


def refuse_columns(options: InputOptions, name: str) -> None:
    """Raise if columns are chosen where they have no names."""
    for option, value in (("--columns", options.columns), ("--id", options.id_column)):
        if value is not None:
            raise InputError(option, f"expected named columns, found none in {name}")


def find_name(word: str, names: Sequence[str], count: int, what: str) -> int:
    """Find a column or class by its name or else by its position from 1; names win.

    Raises
    ------
    InputError
        When it is neither, or the name stands more than once.
    """
    matches = [c for c, name in enumerate(names) if name == word]
    if len(matches) > 1:
        positions = ", ".join(str(c + 1) for c in matches)
        problem = f"{quoted(word)} names more than one: positions {positions}"
        raise InputError(what, problem, "use a position, counted from 1")
    if matches:
        return matches[0]
    if word.isascii() and word.isdigit() and 1 <= int(word[:20]) <= count:
        return int(word) - 1
    known = f"a name or a position from 1 to {count}" if names else f"a position from 1 to {count}"
    raise InputError(what, f"expected {known}, found {quoted(word)}", did_you_mean(word, names))


def pick_columns(text: str, names: Sequence[str], count: int) -> tuple[int, ...]:
    """Read ``cat,dog``, ``cat-owl``, ``2-11`` or ``3-``; names with commas are quoted as in CSV.

    Raises
    ------
    InputError
        For an unknown name or position, or a column picked twice.
    """
    picked = [c for word in split_names(text, "--columns") for c in _range(word, names, count)]
    if len(set(picked)) < len(picked):
        twice = next(c for c in picked if picked.count(c) > 1)
        problem = f"expected each column once, found column {twice + 1} twice"
        raise InputError("--columns", problem)
    return tuple(picked)


def _range(word: str, names: Sequence[str], count: int) -> range:
    first, dash, last = word.partition("-")
    start = find_name(first if dash and word not in names else word, names, count, "--columns")
    if not dash or word in names:
        return range(start, start + 1)
    stop = find_name(last, names, count, "--columns") + 1 if last else count
    if stop <= start:
        raise InputError("--columns", f"expected a rising range, found {quoted(word)}")
    return range(start, stop)


def split_names(text: str, option: str) -> list[str]:
    """Split at commas; a name that holds one, or a line end, is quoted as in CSV."""
    import csv

    try:
        words = next(csv.reader([text], skipinitialspace=True), []) or [""]
    except csv.Error:
        problem = f"expected names, found {quoted(text)}"
        raise InputError(option, problem, "quote names as in CSV") from None
    return [word.strip() for word in words]
