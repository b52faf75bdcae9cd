"""What can go wrong for a user: place, words and exit status; and how a message shows text."""

import errno
import os
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from softmax_cli.memory import limit

# Fillers, joiners and blanks that count as printable (of Default_Ignorable_Code_Point), and
# variation selectors: terminals disagree on how wide the character before one is.
_UNSEEN = {
    *"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0",
    *map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))),
}


class SoftmaxCliError(Exception):
    """What the user is told: place, what was found and expected, and a hint, or "" for none."""

    exit_status = 2

    def __init__(self, place: str, problem: str, hint: str = "") -> None:
        super().__init__(place, problem, hint)
        self.place, self.problem, self.hint = place, problem, hint

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        hint = f"\nhint: {visible(self.hint)}" if self.hint else ""
        return f"error: {visible(where + self.problem + noted(self))}{hint}"


class InputError(SoftmaxCliError):
    """Wrong usage or bad input."""


class OutputError(SoftmaxCliError):
    """The result could not be written."""

    exit_status = 3


def noted(error: BaseException) -> str:
    """Return what was added to an error on its way."""
    return "".join(getattr(error, "__notes__", ()))


def warn(place: str, message: str) -> None:
    """Tell the user of something that may be a mistake."""
    tell(f"warning: {visible(f'{place}: {message}')}")


def tell(message: object) -> None:
    """Print to stderr; if that cannot be written, nobody can be told."""
    try:
        print(message, file=sys.stderr)
    except OSError:
        silence(2)


def reason(error: OSError) -> str:
    """Say why a stream or file cannot be read or written."""
    return "it is not open" if error.errno == errno.EBADF else error.strerror or str(error)


def silence(descriptor: int) -> None:
    """Discard what is still to be written there: it would fail, or wait, again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def visible(text: str) -> str:
    """Show text from the user as data: what does not print, or cannot be seen, is escaped."""
    return "".join(c if c.isprintable() and c not in _UNSEEN else ascii(c)[1:-1] for c in text)


def quoted(text: str, limit: int = 60) -> str:
    """Quote the offending text for a message, escaped and of bounded length."""
    return visible(repr(text if len(text) <= limit else text[: limit - 1] + "…"))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint that names the closest known word, or "" if none is close."""
    close = get_close_matches(word.lower(), [each for each in known if len(each) <= 100], n=1)
    return f"did you mean {visible(close[0])}?" if close else ""


def plural(count: int, noun: str) -> str:
    """Return a count and its noun: "1 value", "2 values", "2 classes", "2 entries"."""
    ending = {"y": "ies", "s": "ses"}.get(noun[-1], f"{noun[-1]}s")
    return f"{count} {noun if count == 1 else noun[:-1] + ending}"


def failure(error: Exception) -> SoftmaxCliError:
    """Say what an exception means for the user; in development mode, raise what is our fault."""
    match error:
        case SoftmaxCliError():
            return error
        case MemoryError() | OSError(errno=errno.ENOMEM):
            most = f"{limit() / 1e6:,.0f} MB" if limit() > 0 else "what is available"
            problem = f"expected what takes at most {most}, found more{noted(error)}: {error}"
            hint = "forward and jacobian take little for csv, tsv, jsonl and npy; ulimit -d KB"
            return InputError("", problem.rstrip(": "), f"{hint} sets another limit")
        case ModuleNotFoundError(name="matplotlib" | "pyarrow" as missing):
            other = "html" if missing == "matplotlib" else "csv"
            hint = f"pip install {missing}, or use another format, such as {other}"
            return InputError(missing, "expected it for this format, found none", hint)
        case OSError():
            return OutputError("<stdout>", f"cannot be written: {reason(error)}")
    # Typer exports no common class of its usage errors.
    if hasattr(error, "format_message"):
        return _usage_error(error)
    if sys.flags.dev_mode:
        raise error
    problem = f"a fault of softmax-cli: {type(error).__name__}: {error}"
    return InputError("", problem, "PYTHONDEVMODE=1 shows where: please report it")


def _usage_error(error: Any) -> InputError:
    """Put a usage error of Typer's own into our form."""
    hint = f"see {getattr(getattr(error, 'ctx', None), 'command_path', 'softmax-cli')} --help"
    if hasattr(error, "option_name") and hasattr(error, "possibilities"):
        if error.possibilities:
            hint = f"did you mean {' or '.join(sorted(error.possibilities))}?"
        if error.option_name == "--version":
            hint = "it stands before the command: softmax-cli --version"
        return InputError(quoted(error.option_name), "no such option", hint)
    message = error.format_message().rstrip(".")
    return InputError("", message[:1].lower() + message[1:], hint)
