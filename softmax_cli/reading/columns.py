"""Which columns are logits and which one names the samples: one rule for all formats."""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import chain, islice, product
from typing import Any

from softmax_cli.errors import InputError, did_you_mean, quoted, warn
from softmax_cli.options import InputOptions
from softmax_cli.reading.validity import check_lengths, read_numbers, shown
from softmax_cli.samples import Batch, Logits, Place, TextBlock, as_text
from softmax_cli.words import is_broken_number, is_missing, is_number, read_number, split_row

_SAMPLES_OF_COLUMN = 1_000  # how many of the first samples tell what a column holds
# The last one is what pandas calls an index without a name in parquet.
_NAMES_OF_AN_INDEX = frozenset({"", "index", "__index_level_0__"})
_NAMES_OF_NAME_COLUMNS = _NAMES_OF_AN_INDEX | {"id", "name", "sample"}
_LABEL = (
    r"(?i:(?:.*[\W_])?(?:labels?|class|category|targets?|(?:ground)?truth|gold|answer|actual"
    r"|y_?true|y_pred|y_?hat|lbl|pred(?:iction|icted)?s?)|y|gt|cls|argmax|(is_)?correct|fold|split)"
)
# The last word of a header, as in sample_id and userId, but not acid; or all of it. "Unnamed: 0"
# is what pandas calls the index of a table that it had written without a name.
_IDENTIFIER = (
    r"(?i:(?:.*[\W_])?(?:ids?|idx|index|[ug]?uid)|user|key|rows?|line|image|[pq]id|position|seed"
    r"|(?:sample|user|row|doc|object|line)[ _]?(?:id|n[ro]|num(?:ber)?|names?|index)|date|step"
    rf"|timestamp|epoch|batch|rank|unnamed: [\d.]+|\.{{3}}\d+|\w*level_\d+_*)|.*[a-z]I[dD]|{_LABEL}"
)
_GRADIENTS = ("upstream", "gradient", "vjp", "probabilities", "log_probabilities")
_MARKS = " \xa0\t\n\"'`:"  # blanks around a header, and quotes behind them

_PRINTED = r"(?m)^[-+\u2212 ]*(\d*)\.?(\d*)(?:[eE]([-+]?\d{1,5}))? *$"
_ARRAY = r"(?:[\w.]*(?:array|tensor)\()?[\[(]([^\[\]]*)[\])](?:,\s*\w+=[\w.':]+)*\)?"

Header = Sequence[str] | None
Positions = Sequence[int]
Rows = Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Columns:
    """Positions, from 0, of the logits, the sample names and what is kept; and all names.

    Attributes
    ----------
    logits
        The columns, or the values of the array that one column holds.
    sample
        The column of sample names.
    header
        What the columns are called.
    kept
        The columns that stand beside the results.
    array
        The column that holds an array of logits a sample.
    classes
        What the array's values are called.
    members
        The keys of JSON's records, which may have others where an array holds the logits.
    empty
        The columns of nothing, which delimiters behind every row make.
    """

    logits: tuple[int, ...]
    sample: int | None = None
    header: Sequence[str] | None = None
    kept: tuple[int, ...] = ()
    array: int | None = None
    classes: tuple[str, ...] | None = None
    members: AbstractSet[str] = frozenset()
    empty: AbstractSet[int] = frozenset()

    @property
    def names(self) -> tuple[str, ...] | None:
        """The classes' names."""
        if self.array is not None or self.header is None:
            return self.classes
        return tuple(self.header[c] for c in self.logits)

    def position(self, c: int) -> int:
        """Return the position, from 1, of the column that holds logit c."""
        return (self.logits[c] if self.array is None else self.array) + 1

    def batch(
        self, rows: Rows, start: int, place: Place, options: InputOptions, **how: Any
    ) -> Batch:
        """Make samples of rows of cells; `read_numbers` is told how."""
        for k, i in product(range(len(rows)), self.empty):
            if not is_missing(x := rows[k][i]):
                raise InputError(place(k, None), f"found {shown(x)} in column {i + 1}, empty above")
        if self.array is None:
            values = [[row[c] for c in self.logits] for row in rows]
        else:
            options = replace(options, decimal=".")  # arrays are written as Python prints them
            n, arrays = len(self.logits), [row[self.array] for row in rows]
            values = [[each] * n if is_missing(each) else array_in(each) for each in arrays]
        check_lengths(values, len(self.logits), place, "the first sample")
        cells = list(chain.from_iterable(values))
        logits = read_numbers(cells, len(self.logits), place, options, **how)
        names = None if self.sample is None else tuple(as_text(row[self.sample]) for row in rows)
        kept = tuple(tuple(row[c] for c in self.kept) for row in rows) if self.kept else None
        printed = _printed(cells) if options.quantity else (0, 0)
        return Batch(logits, start, names, kept=kept, place=place, printed=printed)

    def source(self, blocks: Iterator[Batch | TextBlock], **more: Any) -> Logits:
        """Name what all samples share."""
        c, header, names = self.sample, self.header, self.names
        title = header[c] if header and c is not None else "sample"
        kept = tuple(header[c] if header else str(c + 1) for c in self.kept)
        others = {*(header or ())} - {*(names or ()), title} | {*kept}
        return Logits(len(self.logits), blocks, names, c is not None, title, kept, others, **more)


def kinds_of(rows: Iterable[Sequence[Any]]) -> list[str]:
    """Tell what columns hold by their first values: text, arrays, or numbers of some kind.

    A column of text with a single number in it, or a broken one, is logits with a mistake, unless
    the logits are known: then it is mixed, and names the samples where no text does.
    """
    return list(map(_kind, zip(*islice(rows, _SAMPLES_OF_COLUMN), strict=True)))


def _kind(column: Sequence[Any]) -> str:
    values = [value for value in column if not is_missing(value)] or column
    first = values[0]
    if isinstance(first, list) or len(array_in(first)) > 1:
        return "arrays"
    if isinstance(first, dict):
        return "objects"
    texts = [text for text in map(str, values) if text.strip().lower() != "nan"]
    odd = next((x for x in texts if not (is_number(x) and read_number(x).is_integer())), None)
    if odd is None or is_number(odd) or is_missing(odd):
        return "whole" if odd is None else "numbers"
    slips = [not isinstance(v, str) or is_number(v) or is_broken_number(v) for v in values]
    are_numbers = all(slips) and any(map(is_number, texts))
    return "numbers" if are_numbers else "mixed" if any(slips) else "text"


def array_in(cell: Any) -> list[Any]:
    """Return an array, also one that is written as Python and numpy print it, or the cell alone."""
    if isinstance(cell, list):
        return cell
    is_written = isinstance(cell, str) and cell.strip()[-1:] in ("]", ")")
    found = re.fullmatch(_ARRAY, cell.strip()) if is_written else None
    text = re.sub(r"[a-z.]*float\d+\(([^()]*)\)", r"\1", found[1] if found else "").strip()
    # Where numbers have no point, commas of two kinds may be decimal ones.
    separators = {(x == ",", "," in x) for x in re.findall(r"\s*,\s*|\s+", text)}
    values = split_row(text) if "." in text or len(separators) == 1 else []
    return values if len(values) > 1 and any(map(is_number, values)) else [cell]


def _printed(cells: Iterable[Any]) -> tuple[int, ...]:
    """Tell how many significant digits, if they are few, and decimals a number has at most."""
    if any(re.search(r"[1-9](\.?\d){9}", str(cell)) for cell in cells):  # too many to be few
        return 10, 0
    numbers = re.findall(_PRINTED, "\n".join(map(str, cells)))
    told = ((len((a + b).lstrip("0")), len(b) - int(power or 0)) for a, b, power in numbers)
    return tuple(map(max, zip((0, 0), *told, strict=True)))


def n_needed(header: Iterable[str] | None, options: InputOptions) -> int:
    """Tell how many samples must be looked at to see that columns are no logits."""
    is_settled = options.columns is not None or options.results_of is not None
    said = {options.id_column, *",".join(options.keep).split(",")}
    others = {each for each in header or () if options.axis == 0 or not names_samples(each)} - said
    is_doubtful = [*(header or ())][-1:] == [""] or (not is_settled and any(map(_is_id, others)))
    return _SAMPLES_OF_COLUMN if is_doubtful else 0


def choose_columns(
    header: Header,
    kinds: Sequence[str],
    rows: Rows,
    options: InputOptions,
    place: str,
    hint: Callable[[str], str] = lambda keys: keys and f"if it holds the logits, give --key {keys}",
) -> Columns:
    """Choose by the user's word first, then by header names, then by content.

    Parameters
    ----------
    header
        The columns' names, or None.
    kinds
        What each column holds, as `kinds_of` tells.
    rows
        The first rows of cells.
    options
        What the user said about columns.
    place
        Where the columns are described, for messages.
    hint
        Tells how to read what columns of arrays and objects hold.

    Raises
    ------
    InputError
        When a name is unknown, a column may be no logits, or none are left.
    """
    names, width = header or (), len(kinds)
    if options.results_of is not None:
        if found := _columns_of_results(names, kinds, options, place):
            return found
        named = options.id_column if options.id_column in names else None
        options = replace(options, id_column=named, keep=())
    sample, keeps_all = None, "all" in options.keep
    if options.id_column is not None:
        (sample,) = find_names([options.id_column], names, width, "--id")
    said = ",".join(each for each in options.keep if each != "all")
    kept = pick_columns(said, names, width, "--keep") if said or "" in options.keep else ()
    by_name, text, mixed, ids = _naming(range(width), names, kinds, options)
    if text and options.axis == 0 and (options.columns or len(text | by_name) == width):
        by_name = set()  # what names the classes is text
    array = _array(names, kinds, options)
    is_settled = array is not None or options.columns is not None
    if array is not None:
        picked: tuple[int, ...] = (array,)
    elif options.columns is not None:
        picked = pick_columns(options.columns, names, width, "--columns")
        picked = tuple(c for c in picked if c != sample)
    else:
        others = {*by_name, *kept, sample}
        picked = tuple(c for c, kind in enumerate(kinds) if kind != "text" and c not in others)
    by_name, text, mixed, ids = (x - {*picked, *kept} for x in (by_name, text, mixed, ids))
    few = rows[:_SAMPLES_OF_COLUMN]
    # Beside another column that is called so an index is none; beside text, one that counts.
    index = {c for c in by_name if names[c].strip().lower() in _NAMES_OF_AN_INDEX}
    if options.columns is not None and len((rest := by_name - index) or text) == 1:
        counts = {*map(str, range(len(few) + 1))}
        by_name = rest or {c for c in index if not {as_text(x[c]) for x in few} < counts}
    is_one = is_settled or keeps_all or options.results_of is not None
    naming = (by_name or text or mixed or ids) if is_one else by_name | text
    last = max((c for c, name in enumerate(names) if name), default=-1)
    empty = {c for c in naming if c > last and all(is_missing(row[c]) for row in few)}
    naming -= empty
    odd = {c for c in by_name if kinds[c] == "numbers"} if options.id_column is not None else set()
    beside = (text - by_name | odd) - {sample}
    if sample is None and (len(naming) == 1 or (naming and options.results_of is not None)):
        sample = min(naming)
    is_known = sample is None or keeps_all or options.columns is not None
    for c in sorted(beside & {sample} if is_known else beside):
        if all(re.fullmatch(r"\W*\d+([.,]\d+)?(e-?\d+)?\D*[\d.]*\W*", as_text(x[c])) for x in few):
            what = "names: give --id" if c == sample else "text: give --keep"
            warn(place, f"column {spelled([c], header)} is taken for {what} if so")
    if nested := [c for c in picked if kinds[c] in ("arrays", "objects") and not is_settled]:
        name, kind = quoted(spelled(nested[:1], header)), kinds[nested[0]]
        arrays = [c for c in nested if kinds[c] == "arrays" and options.results_of is None]
        keys = " or --key ".join(spelled([c], header) for c in arrays)
        raise InputError(place, f"expected numbers, found {kind} in column {name}", hint(keys))
    may_hold_ids = header is not None and not is_settled and len(picked) > 1
    suspects = {c for c in picked if may_hold_ids and kinds[c] == "whole" and _is_id(names[c])}
    suspects |= {c for c in picked if kinds[c] == "digits" and not is_settled}
    if {kinds[c] for c in picked}.isdisjoint(("numbers", "mixed", "digits")):
        if suspects and options.results_of is None:
            taken = f"{quoted(names[min(suspects)])} is taken for logits"
            warn(place, f"{taken}; if it is none, pick the logits with --columns")
        suspects = set()
    if keeps_all:
        picked = tuple(c for c in picked if c not in suspects)
        kept = tuple(sorted({*range(width)} - {*picked, sample}))
    elif picked and (suspects or (sample is None and naming and options.columns is None)):
        doubtful = suspects | (naming if sample is None else set())
        logits = sorted({*picked} - suspects - {array})
        raise _undecided(sorted(doubtful), logits, sample is not None, header, place, options)
    if array is not None:
        picked = (*range(len(next(array_in(x[array]) for x in rows if not is_missing(x[array])))),)
    if not picked:
        raise InputError(place, "expected at least one column of logits, found none")
    guessed = empty - {*kept} if {options.columns, options.id_column} == {None} else frozenset()
    return Columns(picked, sample, header, kept, array, empty=guessed)


def keys_of(options: InputOptions) -> tuple[str, ...]:
    """Name what may hold the array where nothing is said, the likeliest first."""
    own = (options.quantity, f"log_{options.quantity}") if options.quantity else _GRADIENTS
    return (*own, "logits") if options.results_of else ("logits",)


def _array(names: Sequence[str], kinds: Sequence[str], options: InputOptions) -> int | None:
    """Find the column of arrays that holds the logits, if one does."""
    if not options.key:
        known = [x for x in keys_of(options) if [*names].count(x) == 1 and options.columns is None]
        return next((c for c in map(names.index, known) if kinds[c] == "arrays"), None)
    (c,) = find_names([options.key], names, len(kinds), "--key")
    if kinds[c] != "arrays":
        raise InputError("--key", f"expected arrays in {quoted(options.key)}, found {kinds[c]}")
    if options.columns is not None:
        raise InputError("--columns", "expected either it or --key, found both")
    return c


def _naming(
    columns: Sequence[int], names: Sequence[str], kinds: Sequence[str], options: InputOptions
) -> tuple[set[int], ...]:
    """Tell which columns may name the samples, the surest first: by name, as text, identifiers.

    Labels come last; numbers of them, in results, do not.
    """
    by_name = {c for c in columns if names and names_samples(names[c])}
    text, mixed = ({c for c in columns if kinds[c] in x} for x in (("text",), ("mixed", "digits")))
    theirs = columns if names and (options.results_of or options.axis in (0, -2)) else ()
    labels = {c for c in theirs if _is_id(names[c], _LABEL)}
    ids = {c for c in theirs if _is_id(names[c])} - labels
    text, ids = (text - labels, ids or text) if options.results_of else (text, ids or labels)
    return by_name, text, mixed, ids


def _is_id(name: str, kind: str = _IDENTIFIER) -> bool:
    return re.fullmatch(rf"(?:{kind})(?:\.\d*|_[xy])?", name.strip(_MARKS)) is not None


def _undecided(
    found: Positions, logits: Positions, named: bool, header: Header, place: str, how: InputOptions
) -> InputError:
    """Name the columns that may be no logits, and the options that settle it."""
    shown = ", ".join(quoted(header[c]) if header else str(c + 1) for c in found)
    noun = "column" if len(found) == 1 else "columns"
    problem = f"expected logits and at most one column of names, found {noun} {shown}"
    if len(logits) == 1 and how.axis != 0:
        problem += " beside a single one of logits; every sample has a row"
        hint = f"if all rows are one sample, give --axis 0 --columns {spelled(logits, header)}"
        return InputError(place, problem, hint)
    name = [c for c in found if not (named or (header and _is_id(header[c], _LABEL)))][:1]
    kept = [c for c in found if c not in name]
    options = [f"--id {spelled(name, header)}"] * len(name)
    options += [f"--keep {spelled(kept, header)}"] * bool(kept)
    hints = [f"give {' '.join(options)}"] * (how.axis != 0)
    hints += [f"pick the logits: --columns {spelled(logits, header)}"] * bool(logits)
    hints = [f"leave {shown} out of the results"] if how.results_of is not None else hints
    return InputError(place, problem, " or ".join(hints))


def spelled(columns: Positions, header: Header) -> str:
    """Write columns as an option takes them: by words, or positions that are no names."""
    positions = [str(c + 1) for c in columns]
    words = [header[c] for c in columns] if header else positions
    if not all(re.fullmatch(r"\w+", x) for x in words) and {*positions}.isdisjoint(header or ()):
        words = positions
    is_long = len(words) > 6 and columns[-1] - columns[0] == len(words) - 1
    return shlex.quote(f"{words[0]}-{words[-1]}" if is_long else ",".join(words))


def _columns_of_results(
    names: Sequence[str], kinds: Sequence[str], options: InputOptions, place: str
) -> Columns | None:
    """Find the columns named as the classes, maybe behind a prefix, and that of names.

    Where others hold numbers, and the logits have no such columns, all are told by place.
    """
    classes = options.results_of or ()
    is_matrix = options.quantity == "jacobian" and len(names) > 1
    told = [c for c, name in enumerate(names) if is_matrix and name.strip().lower() == "output"]
    n_own = {*classes} <= {*names} and sum(each.lower() == "output" for each in classes)
    output = max(told[: len(told) - n_own], default=-1)
    order = range(output + 1, len(names)) or range(output)
    # Where a class stands twice, all are told by place.
    first = {names[c]: c for c in reversed(order)} if len({*classes}) == len(classes) else {}
    begins = (x.removesuffix(classes[-1]) for x in names if not is_number(x) or x in classes[-1:])
    prefixes = [x for x in dict.fromkeys(begins) if all(x + name in first for name in classes)]
    if any(x + classes[0] not in options.known for x in prefixes[:-1]):
        problem = f"expected a column a class, found {quoted(prefixes[1] + classes[0])} as well"
        raise InputError(place, problem, "if it stands behind what was kept, give --keep here too")
    for prefix in prefixes[-1:]:
        plain = [name.removeprefix(prefix) for name in names]
        own = tuple(first[prefix + name] for name in classes)
        every = sorted({*range(len(names))} - {*own, output})
        others = [c for c in every if names[c] not in options.keep]
        named = [c for c in others if plain[c] == options.id_column not in _NAMES_OF_AN_INDEX]
        groups = _naming(others, plain, kinds, options)
        # What the logits' file has as well, but not as names, is to be told of.
        named += sorted(c for c in groups[-1] if names[c] in options.known and kinds[c] != "text")
        named += chain(*map(sorted, groups))
        if options.id_column is not None:  # rather than to pair named samples by place
            named += chain(*map(sorted, _naming(every, plain, kinds, options)))
        if all(map(_is_id, {names[c] for c in {*others} - {*named}} - {*options.known})):
            return Columns(own, named[0] if named else None, plain, (output,) * (output >= 0))
    return None if output < 0 else Columns(tuple(order), 0 if output else None, names, (output,))


def names_samples(name: str) -> bool:
    """Tell whether a column of this name names the samples."""
    return name.strip(" \t").lower() in _NAMES_OF_NAME_COLUMNS


def warn_of_first_row(rows: Rows, is_header: bool, said: str, place: str) -> None:
    """Warn where a header of which nothing is said may be a sample, or a sample the header."""
    first, second = rows[0], rows[1] if rows[1:] else []
    are_usual = (is_number(x) or (names_samples(x) and (x or c == 0)) for c, x in enumerate(first))
    strange = [name for name, is_usual in zip(first, are_usual, strict=True) if not is_usual]
    strange = [] if any(name and name in said for name in strange) else strange
    is_broken = len(first) > 1 and all(map(is_broken_number, first[1:]))
    numbers = [] if is_header else [name for name in first if is_number(name)]
    if is_header and len({*first}) < len(first) and second and not second[0].strip():
        warn(place, "the row below it may be of the header too; if so, remove it")
    if is_header and strange and (is_broken or any(map(is_number, first))):
        why = f"because {quoted(strange[0])} is not a number"
        warn(place, f"taken as the header, {why}; if it is a sample, give --no-header")
    elif len(numbers) > 1 and numbers == [*map(str, range(len(numbers)))] and "." in str(second):
        warn(place, "0, 1, ... are taken as a sample's logits, if they are a header, give --header")


def refuse_columns(options: InputOptions, problem: str, *others: str) -> None:
    """Raise if columns, or other options, are given where they mean nothing."""
    for name in ("columns", "id_column", "key", "keep", *others):
        if options.results_of is None and vars(options)[name] != vars(InputOptions())[name]:
            raise InputError(f"--{name.removesuffix('_column').replace('_', '-')}", problem)


def find_names(words: Sequence[str], names: Sequence[str], count: int, what: str) -> list[int]:
    """Find columns or classes by their names or else by their positions from 1; names win.

    Raises
    ------
    InputError
        When a word is neither, or the name stands more than once, or some numbers are names.
    """
    digits = {*filter(str.isdigit, words)}
    if digits & {*names} not in (set(), digits):
        raise InputError(what, "expected names or positions, found both")
    index: dict[str, list[int]] = {}
    for c, name in enumerate(names):
        index.setdefault(name.strip(), []).append(c)
    found = []
    for word in words:
        alike = index.get(word.strip(), [])
        if len(matches := [c for c in alike if names[c] == word] or alike) > 1:
            positions = ", ".join(str(c + 1) for c in matches)
            problem = f"{quoted(word)} names more than one: positions {positions}"
            raise InputError(what, problem, "use a position, counted from 1")
        if not matches and word.isascii() and word.isdigit() and 1 <= int(word[:20]) <= count:
            matches = [int(word) - 1]
        if not matches:
            known = f"{'a name or ' * bool(names)}a position from 1 to {count}"
            problem = f"expected {known}, found {quoted(word)}"
            raise InputError(what, problem, did_you_mean(word, names))
        found += matches
    return found


def pick_columns(text: str, names: Sequence[str], count: int, option: str) -> tuple[int, ...]:
    """Read ``cat,dog``, ``cat-owl``, ``2-11`` or ``3-``; names with commas are quoted as in CSV.

    Raises
    ------
    InputError
        For an unknown name or position, a range from one to the other, or a column picked twice.
    """
    words, known = split_names(text, option), frozenset(names)
    parts = [(word, "", "") if word in known else word.partition("-") for word in words]
    found = find_names([x for a, _, b in parts for x in (a, b or a)], names, count, option)
    picked: dict[int, None] = {}  # in order
    for word, part, start, end in zip(words, parts, found[::2], found[1::2], strict=True):
        columns = range(start, count if part[1:] == ("-", "") else end + 1)
        if not columns:
            raise InputError(option, f"expected a rising range, found {quoted(word)}")
        if twice := picked.keys() & columns:
            raise InputError(option, f"expected each column once, found {min(twice) + 1} twice")
        picked |= dict.fromkeys(columns)
    return tuple(picked)


def split_names(text: str, option: str) -> list[str]:
    """Split at commas; a name that holds one, or a line end, is quoted as in CSV."""
    import csv

    try:
        words = next(csv.reader([text], skipinitialspace=True), []) or [""]
    except csv.Error:
        problem = f"expected names, found {quoted(text)}"
        raise InputError(option, problem, "quote names as in CSV") from None
    return words if '"' in text else [word.strip() for word in words]
