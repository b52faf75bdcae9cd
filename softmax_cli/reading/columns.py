"""Which columns are logits and which one names the samples: one rule for all formats."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from softmax_cli.errors import InputError, did_you_mean, quoted, warn
from softmax_cli.options import InputOptions
from softmax_cli.words import is_broken_number, is_number

LAST_IS_EMPTY = "the last column is empty: remove the delimiter at the end of every line"
NAMES_OF_NAME_COLUMNS = frozenset({"", "id", "index", "name", "sample"})
SAMPLES_OF_COLUMN = 1_000  # how many of the first samples tell what a column holds
_LONGEST_TYPED = 40
# The last word of a header, as in sample_id and userId, but not acid; or all of it. "Unnamed: 0"
# is what pandas calls the index of a table that it had written without a name.
_IDENTIFIER = (
    r"(?i:(?:.*[\W_])?(?:ids?|idx|[ug]?uid)|(?:sample|user|row)id"
    r"|user|labels?|class|target|key|row|unnamed: \d+)|.*[a-z]I[dD]"
)


@dataclass(frozen=True)
class Columns:
    """Positions, from 0, of the logits and of the sample names."""

    logits: tuple[int, ...]
    sample: int | None


def kinds_of(columns: Iterable[Sequence[Any]]) -> list[str]:
    """Tell what columns hold by their first values: text, whole numbers, numbers, or nothing.

    A column of text with a single number in it, or a broken one, is logits with a mistake.
    """
    return list(map(_kind, columns))


def _kind(values: Sequence[Any]) -> str:
    first = str(values[0]).strip()
    if not first:
        return "numbers" if "".join(map(str, values)).strip() else "empty"
    if isinstance(values[0], str) and not is_number(first):
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
    names, width = header or (), len(kinds)
    if options.stacked and list(names[:2]) == ["sample", "output"]:
        return Columns(tuple(range(2, width)), 0)
    by_name = {c for c, name in enumerate(names) if _clean(name) in NAMES_OF_NAME_COLUMNS}
    text = {c for c, kind in enumerate(kinds) if kind == "text"}
    sample = None
    if options.id_column is not None:
        sample = find_name(options.id_column, names, width, "--id")
    if options.columns is not None:
        picked = pick_columns(options.columns, names, width)
        if sample is None:
            sample = _only(by_name - set(picked) or text - set(picked))
        return Columns(picked, sample)

    ends_empty = kinds[-1] == "empty" and header is not None and not names[-1].strip()
    others = by_name | text if sample is None else by_name | text | {sample}
    doubtful = others if sample is None else (text - by_name) | {sample}
    if len(doubtful) > 1:
        raise _ambiguous(sorted(doubtful), header, place, LAST_IS_EMPTY if ends_empty else "")
    picked = tuple(c for c in range(width) if c not in others)
    if not picked:
        raise InputError(place, "expected at least one column of logits, found only names")
    if ends_empty and sample is None:
        warn(place, f"empty names are taken for the samples: {LAST_IS_EMPTY}")
    chosen = Columns(picked, _only(others) if sample is None else sample)
    _warn_of_identifiers(names, kinds, chosen, place)
    return chosen


def _warn_of_identifiers(
    header: Sequence[str], kinds: Sequence[str], columns: Columns, place: str
) -> None:
    """Say so where logits may have been meant to name the samples, or to be their labels."""
    for c in columns.logits if header and len(columns.logits) > 1 else ():
        if kinds[c] == "whole" and re.fullmatch(_IDENTIFIER, header[c].strip()):
            other = "pick the logits with --columns"
            advice = f"give {id_option(c, header)}" if columns.sample is None else other
            warn(place, f"{quoted(header[c])} is taken for logits; if it is none, {advice}")
            return


def _clean(name: str) -> str:
    return name.strip(" \t").lower()


def refuse_columns(options: InputOptions, name: str) -> None:
    """Refuse to choose among columns that have no names."""
    for option, value in (("--columns", options.columns), ("--id", options.id_column)):
        if value is not None:
            raise InputError(option, f"expected named columns, found none in {name}")


def id_option(column: int, header: Sequence[str] | None) -> str:
    """Return what to give for a column to name the samples: its name, if it is easily typed."""
    from shlex import quote

    name = header[column] if header is not None and list(header).count(header[column]) == 1 else ""
    is_typed = name.isprintable() and 0 < len(name) <= _LONGEST_TYPED
    return f"--id {quote(name) if is_typed else column + 1}"


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
        raise InputError(
            what,
            f"{quoted(word)} names more than one: positions {positions}",
            "use a position, counted from 1",
        )
    if matches:
        return matches[0]
    if word.isascii() and word.isdigit() and 1 <= int(word[:20]) <= count:
        return int(word) - 1
    known = f"a name or a position from 1 to {count}" if names else f"a position from 1 to {count}"
    raise InputError(what, f"expected {known}, found {quoted(word)}", did_you_mean(word, names))


def pick_columns(text: str, names: Sequence[str], count: int) -> tuple[int, ...]:
    """Read ``cat,dog``, ``2-11`` or ``3-``; names with commas are quoted as in CSV.

    Raises
    ------
    InputError
        For an unknown name or position, a column picked twice, or nothing picked.
    """
    picked = [c for word in split_names(text, "--columns") for c in _range(word, names, count)]
    twice = [c for c, times in Counter(picked).items() if times > 1]
    if twice:
        raise InputError(
            "--columns", f"expected each column once, found column {twice[0] + 1} twice"
        )
    if not picked:
        raise InputError("--columns", f"expected names or positions, found {quoted(text)}")
    return tuple(picked)


def split_names(text: str, option: str) -> list[str]:
    """Split at commas; a name that holds one, or a line end, is quoted as in CSV.

    Raises
    ------
    InputError
        For a line end outside of quotes.
    """
    import csv

    try:
        words = next(csv.reader([text], skipinitialspace=True), [])
    except csv.Error:
        problem = f"expected names, found {quoted(text)}"
        raise InputError(option, problem, "quote names as in CSV") from None
    return [word.strip() for word in words]


def _range(word: str, names: Sequence[str], count: int) -> range:
    first, dash, last = word.partition("-")
    if word in names or not (dash and first.isdigit() and (last.isdigit() or not last)):
        start = find_name(word, names, count, "--columns")
        return range(start, start + 1)
    start = find_name(first, (), count, "--columns")
    stop = find_name(last, (), count, "--columns") + 1 if last else count
    if stop <= start:
        raise InputError("--columns", f"expected a rising range, found {quoted(word)}")
    return range(start, stop)


def _only(columns: Collection[int]) -> int | None:
    return next(iter(columns)) if len(columns) == 1 else None


def _ambiguous(
    columns: Sequence[int], header: Sequence[str] | None, place: str, hint: str
) -> InputError:
    shown = ", ".join(quoted(header[c]) if header else str(c + 1) for c in columns[:6])
    more = f" and {len(columns) - 6} more" if len(columns) > 6 else ""
    return InputError(
        place,
        f"expected at most one column of sample names, found {len(columns)}: {shown}{more}",
        hint
        or "pick the logits with --columns (names, positions or a range such as 2-11) "
        "and the sample names with --id",
    )
