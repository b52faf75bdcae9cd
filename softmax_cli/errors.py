"""What can go wrong for a user, each with its place, its words and its exit status."""

import errno
import os
import sys
from collections.abc import Iterable
from difflib import get_close_matches

# Fillers, joiners and blanks that print by their kind (of Default_Ignorable_Code_Point).
_UNSEEN = "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0"
_LONGEST_SUGGESTION = 100


class SoftmaxCliError(Exception):
    """A failure that is told to the user in one line, with a hint where there is a next step.

    Parameters
    ----------
    place
        Where it happened (``logits.csv:3:2``, ``argument 2``, ``--format``), or "".
    problem
        What was found and what was expected.
    hint
        What to do next, or "".
    """

    exit_status = 2

    def __init__(self, place: str, problem: str, hint: str = "") -> None:
        super().__init__(place, problem, hint)
        self.place = place
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        where = f"{self.place}: " if self.place else ""
        hint = f"\nhint: {visible(self.hint)}" if self.hint else ""
        return f"error: {visible(where + self.problem)}{hint}"


class InputError(SoftmaxCliError):
    """Wrong usage or bad input."""

    def after(self, printed: int) -> "InputError":
        """Say how many samples a stream had printed before it met this."""
        if not printed:
            return self
        samples = plural(printed, "sample")
        return InputError(self.place, f"{self.problem} ({samples} printed before it)", self.hint)


class OutputError(SoftmaxCliError):
    """The result could not be written."""

    exit_status = 3


class PipeClosedError(SoftmaxCliError):
    """The reader of the output went away, which is no one's mistake: nothing is said."""

    exit_status = 141


def warn(place: str, message: str) -> None:
    """Tell the user of something that may not be what he meant."""
    tell(f"warning: {visible(f'{place}: {message}')}")


def tell(message: object) -> None:
    """Print to stderr; where that cannot be written there is nobody to tell."""
    try:
        print(message, file=sys.stderr)
    except OSError:
        silence(2)


def reason(error: OSError) -> str:
    """Say why a stream or file cannot be read or written."""
    return "it is not open" if error.errno == errno.EBADF else error.strerror or str(error)


def silence(descriptor: int) -> None:
    """Let what is still to be written go nowhere, rather than fail, or wait, again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)


def visible(text: str) -> str:
    """Show text from the user as data: what does not print, or cannot be seen, is escaped."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        c if c.isprintable() and not _is_unseen(c) else c.encode("unicode_escape").decode()
        for c in text
    )


def _is_unseen(c: str) -> bool:
    # Also behind an emoji: terminals, and versions of rich, disagree on whether the two take one
    # column or two, and in a pipe or a file there is no cursor to put that right.
    variation_selector = "\ufe00" <= c <= "\ufe0f" or "\U000e0100" <= c <= "\U000e01ef"
    return variation_selector or c in _UNSEEN


def quoted(text: str, limit: int = 60) -> str:
    """Quote the offending text for a message, escaped and of bounded length."""
    return visible(repr(text if len(text) <= limit else text[: limit - 1] + "…"))


def given_sample(label: str) -> str:
    """Say which sample a function was given, after what it did with it."""
    return f", given sample {quoted(label)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint naming the closest known word, or "" when none is close."""
    short = [each for each in known if len(each) <= _LONGEST_SUGGESTION]
    close = get_close_matches(word.lower(), short, n=1)
    return f"did you mean {visible(close[0])}?" if close else ""


def file_hint(word: str) -> str:
    """Return a hint for a word that is taken for an option, where it names a file, or ""."""
    return f"the file of that name is written ./{word}" if os.path.lexists(word) else ""


def plural(count: int, noun: str) -> str:
    """Return a count and its noun: "1 value", "2 values", "2 classes", "2 entries"."""
    if count == 1:
        return f"1 {noun}"
    if noun.endswith("y"):
        return f"{count} {noun[:-1]}ies"
    return f"{count} {noun}{'es' if noun.endswith('s') else 's'}"
