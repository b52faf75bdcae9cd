"""Which columns of a table are logits, and which one names the samples."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from softmax_cli.errors import InputError, did_you_mean, quoted
from softmax_cli.options import InputOptions

_LONGEST_TYPED = 40
NAMES_OF_NAME_COLUMNS = frozenset({"", "id", "index", "name", "sample"})


@dataclass(frozen=True)
class Columns:
    """Positions, from 0, of the logits and of the sample names."""

    logits: tuple[int, ...]
    sample: int | None


def choose_columns(
    header: Sequence[str] | None,
    width: int,
    text_columns: Collection[int],
    options: InputOptions,
    place: str,
) -> Columns:
    """Choose by the user's word first, then by header names, then by content.

    Parameters
    ----------
    header
        The columns' names, or None.
    width
        The number of columns.
    text_columns
        Positions of the columns whose cells are not numbers.
    options
        What the user said; ``columns`` and ``id_column`` count here.
    place
        Where the columns are described, for messages.

    Raises
    ------
    InputError
        When a name is unknown, more than one column holds text, or no logits are left.
    """
    if options.stacked and header is not None and list(header[:2]) == ["sample", "output"]:
        return Columns(tuple(range(2, width)), 0)
    by_name = {
        c
        for c, name in enumerate(header or ())
        if name.strip(" \t").lower() in NAMES_OF_NAME_COLUMNS
    }
    sample = (
        None
        if options.id_column is None
        else find_name(options.id_column, header or (), width, "--id")
    )
    if options.columns is not None:
        picked = pick_columns(options.columns, header or (), width)
        if sample is None:
            by_name.difference_update(picked)
            sample = _only(by_name or set(text_columns).difference(picked))
        return Columns(picked, sample)

    if sample is None:
        names = by_name.union(text_columns)
        if len(names) > 1:
            raise _ambiguous(sorted(names), header, place)
        sample = _only(names)
    else:
        by_name.add(sample)
        other_text = set(text_columns) - by_name
        if other_text:
            raise _ambiguous(sorted(other_text | {sample}), header, place)
        names = by_name
    picked = tuple(c for c in range(width) if c not in names)
    if not picked:
        raise InputError(place, "expected at least one column of logits, found only names")
    return Columns(picked, sample)


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


def _ambiguous(columns: Sequence[int], header: Sequence[str] | None, place: str) -> InputError:
    shown = ", ".join(quoted(header[c]) if header else str(c + 1) for c in columns[:6])
    more = f" and {len(columns) - 6} more" if len(columns) > 6 else ""
    return InputError(
        place,
        f"expected at most one column of sample names, found {len(columns)}: {shown}{more}",
        "pick the logits with --columns (names, positions or a range such as 2-11) "
        "and the sample names with --id",
    )
