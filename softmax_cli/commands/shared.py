"""What commands may be told: how options are described, and those of more than one command."""

import sys
from collections.abc import Callable, Collection
from functools import partial, wraps
from inspect import Parameter, Signature, signature
from typing import Any

import typer

from softmax_cli import words
from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.reading.formats import READERS
from softmax_cli.writing.formats import SUFFIXES, WRITERS, choose_format, hint_for_format

# Takes the option's name, for messages, and what the user gave.
Parser = Callable[[str, str], Any]


def option(
    panel: str, spelled: str, text: str, parse: Parser | None = None, usual: Any = None, **more: Any
) -> Any:
    """Describe an option, spelled as in ``--format -f FORMAT``; a flag has no such last word."""
    names = [word for word in spelled.split() if word.startswith("-")]
    metavar = spelled.removeprefix(" ".join(names)).strip()

    def read(value: object) -> Any:
        word = str(value).removeprefix(words.MASK)
        if word.startswith("=") and len(names) == 2:
            place, hint = f"{names[1]}{word}", f"write {names[1]} {word[1:]}"
            raise InputError(place, "expected a space for =", hint)
        return parse(names[0], word) if parse else words.as_data(word)

    if metavar:
        more |= {"metavar": metavar, "parser": read}
    elif "/" not in spelled:
        usual = False
    return typer.Option(usual, *names, help=text, rich_help_panel=panel, **more)


def choice(
    panel: str, spelled: str, text: str, known: Collection[str], usual: str, hint: words.Hint = None
) -> Any:
    """Describe an option that takes one of some words."""
    text = rf"{text}: {', '.join(known)}. \[default: {usual}]"
    parse = partial(words.choice, known=known, hint=hint)
    return option(panel, spelled, text, parse, autocompletion=lambda: list(known))


given, shown, how = (partial(option, panel) for panel in ("Input", "Output", "Method"))
whole = words.whole
decimal = partial(words.choice, known=(".", ","))
not_negative = partial(words.finite, zero_too=True)

NUMBERS = f"""Numbers (one sample), comma separated tokens (a sample each), one file
({", ".join(READERS)}), or - for standard input, which is also read when nothing is given."""
T = "Divide the logits by T. Derivatives by the logits then carry the factor 1/T."
OUTPUT = f"Write a file. Without --format its suffix decides: {' '.join(SUFFIXES)}, .gz of text."
N = "Use N processes for large inputs; by default all cores, 1: this process alone."
SHOWN_DIGITS = "Significant digits in tables, up to 17."
KEEP = "Columns that stand beside the results, unchanged: id,label, or all that are no logits."
KEY = r"The member that holds an array of logits, a.b.0 in nested ones. \[default: logits]"
AXIS = "The axis of the classes; 0 for text: they run down the file."

LOGITS = typer.Argument([], metavar="[LOGITS]...", show_default=False, help=NUMBERS)
# Below the smallest normal number the derivative, up to 1/(4T), can be beyond float64.
TEMPERATURE = how("--temperature -t T", T, partial(words.finite, least=sys.float_info.min), 1.0)
SAMPLE = given("--sample SAMPLE", "Only this sample, by name or position.")
JOBS = shown("--jobs N", N, whole)
PREFIX = shown("--prefix PREFIX", "Put it before the names of classes in headers.", usual="")
READER = choice("Input", "--input-format FORMAT", "How to read", READERS, "by suffix or content")
WRITER = choice("Output", "--format -f FORMAT", "How to write", WRITERS, "table", hint_for_format)
COLOR = choice("Output", "--color WHEN", "Colour tables", ("auto", "always", "never"), "auto")


def reading(
    input_format: str | None = READER,
    delimiter: str | None = given("--delimiter CHAR", "What separates the cells.", words.delimiter),
    decimal: str = given("--decimal CHAR", "The decimal separator.", decimal, "."),
    header: bool | None = given("--header/--no-header", "The first row is one, or not."),
    columns: list[str] | None = given("--columns COLUMNS", "Columns of logits: cat,dog or 2-11."),
    id_column: str | None = given("--id COLUMN", "The column that names the samples."),
    keep: list[str] | None = given("--keep COLUMNS", KEEP),
    key: str | None = given("--key PATH", KEY),
    axis: int | None = given("--axis N", AXIS, partial(whole, first=-64, last=64)),
    skip_invalid: bool = given("--skip-invalid", "Leave out samples with nan, inf or no value."),
) -> InputOptions:
    """Take what every command may be told about its input."""
    picked, kept = ",".join(columns) if columns else None, tuple(keep or ())
    names = (picked, id_column, kept, key)
    return InputOptions(input_format, delimiter, decimal, header, *names, axis, skip_invalid)


def writing(
    output_format: str | None = WRITER,
    output: str | None = shown("--output -o FILE", OUTPUT, lambda _, path: path),
    precision: int = shown("--precision -p DIGITS", SHOWN_DIGITS, partial(whole, last=17), 6),
    color: str | None = COLOR,
) -> OutputOptions:
    """Take what every command may be told about its output; ``-o -`` is standard output."""
    path = None if output == "-" else output
    return OutputOptions(choose_format(output_format, path), path, precision, color or "auto")


def with_shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options behind its parameters called `reading` and `writing`."""
    shared: dict[str, Callable[..., Any]] = {"reading": reading, "writing": writing}

    @wraps(command)
    def run(**given: Any) -> Any:
        for name, part in shared.items():
            given[name] = part(**{each: given.pop(each) for each in signature(part).parameters})
        return command(**given)

    every: list[Parameter] = []
    for name, parameter in signature(command).parameters.items():
        every += signature(shared[name]).parameters.values() if name in shared else [parameter]
    run.__dict__["__signature__"] = Signature([e.replace(kind=e.KEYWORD_ONLY) for e in every])
    return run
