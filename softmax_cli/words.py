"""The command line's grammar: what a word means, a number, an option or a file."""

import math
import os
import re
from collections.abc import Callable, Collection, Sequence

from softmax_cli.errors import InputError, did_you_mean, quoted

TYPOGRAPHIC_MINUS = "\N{MINUS SIGN}"
# Patterns are compiled where they are needed: most runs need none.
_MISSING = frozenset({"", "na", "n/a", "null", "none"})
MASK = "\0"  # no word of a command line has one
_NO_VALUE = r"(?i)\\n|#n/?a|#[a-z/0]+[!?]|<na>|[-+]?nan\(\w*\)|nil|missing|--?|[.?]|[-+]?\u221e"
# Digits with what people put between and behind them, hex, a number beyond float64, Fortran's
# exponent, what C's library on Windows prints, currencies, and what Python prints of an object.
_BROKEN = (
    rf"{_NO_VALUE}|[=']?\"?[-+]*\s?(\d[\d,._;' \xa0\u202f\u2019]*[-%$\u20ac\xa3]?|[.,]\d[\d,._]*"
    r"[-%]?|0x[0-9a-f.p+-]+|[\d.]+(?:[ed]|\*\^)[-+]?\d+|[$\u20ac\xa3<>~]\s?[-+]?\.?\d[\d,.]*"
    r"|1\.?#[a-z0-9]+)\"?|[(\[]+\s*['$\u20ac\xa3]?[-+]?\.?\d[^)\]]*[)\]]+"
    r"|[\w.]*(tensor|array|float\d*|decimal)[(\[]\D*\d.*[)\]]"
)


Hint = Callable[[str], str] | None  # what a word may mean that is not known, or ""


class NotANumberError(ValueError):
    """The text is not a number; the message says what was expected."""


def read_number(text: str) -> float:
    """Read a decimal number, inf, infinity or nan, to the nearest float64, or raise."""
    ascii_text = text.replace(TYPOGRAPHIC_MINUS, "-").strip()
    try:
        if "_" in ascii_text or not ascii_text.isascii():
            raise ValueError
        value = float(ascii_text)
    except ValueError:
        raise NotANumberError("expected a number") from None
    if math.isinf(value) and "n" not in ascii_text.lower():
        raise NotANumberError("expected a number within the range of float64")
    return value


def is_number(text: str) -> bool:
    """Tell whether `read_number` reads the text."""
    try:
        read_number(text)
    except NotANumberError:
        return False
    return True


def is_broken_number(text: str) -> bool:
    """Tell a slip, or a missing value, from a name: ``1,5``, ``10%``, ``0x10`` and ``NA``."""
    from unicodedata import category

    # What cannot be seen is no part of a name, and to people every dash is a minus.
    seen = (c for c in text[:99].strip() if c.isspace() or category(c) not in ("Cc", "Cf", "Mn"))
    plain = "".join("-" if category(c) == "Pd" else c for c in seen).replace(TYPOGRAPHIC_MINUS, "-")
    is_slip = all(map(is_number, re.split(r"[,;|\s]+", plain))) or re.fullmatch(_BROKEN, plain)
    return bool(is_slip and not is_number(text)) or (bool(plain) and is_missing(plain))


def to_point(text: str, decimal: str) -> str:
    """Write a number with a decimal point; one in which a point groups digits is none then."""
    return text if decimal == "." else text.translate({ord(","): ".", ord("."): ","})


def is_missing(value: object) -> bool:
    """Tell whether a cell, or null, says that there is no value."""
    return value is None or (isinstance(value, str) and value.strip().lower() in _MISSING)


def mending(cell: object, decimal: str = ".") -> str:
    """Say what to do about a cell that is no number, or "" if that is not clear."""
    text = "" if cell is None else str(cell)
    if has_decimal_comma(text) and decimal == ".":
        return "give --decimal , if decimals are written with a comma"
    if is_missing(text) or re.fullmatch(_NO_VALUE, text.strip()):
        more = "" if is_missing(text) else ", once they are empty or NA"
        return f"--skip-invalid leaves samples with missing values out{more}"
    return ""


def has_decimal_comma(text: str) -> bool:
    """Tell whether a cell is a number written as ``1,5`` or ``1.234,5``."""
    return bool(re.fullmatch(r"[-+]?(\d*|\d{1,3}(\.\d{3})+),\d+([eE][-+]?\d+)?", text.strip()))


def as_data(word: str) -> str:
    """Read a command-line word as UTF-8, as data is read, also in a locale of another encoding."""
    # Names of files do not pass here: the system takes them back as the locale has them.
    try:
        return os.fsencode(word).decode()
    except UnicodeError:
        return word


def split_row(token: str) -> list[str]:
    """Split a token into its comma or space separated pieces; square brackets say nothing."""
    return [word for part in as_data(token).strip("[]").split(",") for word in part.split() or [""]]


def starts_like_number(token: str) -> bool:
    """Tell whether a token is meant as numbers: ``-1``, ``-inf`` and ``2,1,x``, but not ``-f``."""
    unsigned = token[1:] if token.startswith(("-", "+", TYPOGRAPHIC_MINUS)) else token
    has_digit = unsigned.removeprefix(".").startswith(tuple("0123456789"))
    return not token.startswith("--") and (has_digit or any(map(is_number, split_row(token))))


def masked(word: str) -> str:
    """Hide a number that begins with a dash, such as -1 or -inf, from a parser of options."""
    return MASK + word if word.startswith("-") and starts_like_number(word) else word


def refuse_misplaced(words: Sequence[str], commands: Collection[str]) -> None:
    """Raise for what stands where a command is expected, unless it is one or an option."""
    word = words[0]
    are_logits = word == "-" or starts_like_number(word) or os.path.isfile(word)  # noqa: PTH113
    if word in commands or (word.startswith("-") and not are_logits):
        return
    if are_logits:
        import shlex

        problem = f"expected a command: {', '.join(commands)}, found {quoted(word)}"
        hint = f"did you mean softmax-cli forward {shlex.join(words)}?"
        raise InputError("argument 1", problem, hint)
    hint = did_you_mean(word, commands) or "see softmax-cli --help"
    raise InputError("", f"no such command {quoted(word)}", hint)


def choice(option: str, word: str, known: Collection[str], hint: Hint = None) -> str:
    """Read one of some words."""
    if word in known:
        return word
    problem = f"expected one of {', '.join(known)}, found {quoted(word)}"
    raise InputError(option, problem, (hint and hint(word)) or did_you_mean(word, known))


def finite(option: str, word: str, *, least: float = 0.0, zero_too: bool = False) -> float:
    """Read a finite number from ``least`` up; 0 itself only where that is allowed."""
    value = read_number(word) if is_number(word) else math.nan
    if math.isfinite(value) and value >= least and (value > 0 or zero_too):
        return value
    bound = f"of at least {least:.3g}" if zero_too or least else "greater than 0"
    raise InputError(option, f"expected a finite number {bound}, found {quoted(word)}")


def whole(option: str, word: str, *, first: int = 1, last: int = 1000) -> int:
    """Read a whole number."""
    if re.fullmatch("-?[0-9]{1,10}", word) and first <= int(word) <= last:
        return int(word)
    expected = f"expected a whole number from {first} to {last}"
    raise InputError(option, f"{expected}, found {quoted(word)}")


def delimiter(option: str, word: str) -> str:
    """Read one character, or ``tab``."""
    character = "\t" if word in ("tab", r"\t") else as_data(word)
    if len(character) == 1 and character not in '"\r\n\0':
        return character
    expected = "one character other than a quote or a line end, or tab"
    raise InputError(option, f"expected {expected}, found {quoted(word)}")
