"""The parameters that the commands share."""

import sys
from typing import Annotated

import typer

from softmax_cli.command_line import choice, delimiter, number, whole_number
from softmax_cli.options import OutputOptions
from softmax_cli.reading.formats import READERS
from softmax_cli.words import as_data
from softmax_cli.writing.formats import WRITERS, choose_format, hint_for_format

INPUT, OUTPUT, METHOD = "Input", "Output", "Method"

LogitsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[LOGITS]...",
        help="Numbers (one sample), comma separated tokens (a sample each), one file "
        f"({', '.join(READERS)}), or - for standard input, which is also read when "
        "nothing is given.",
        show_default=False,
    ),
]
InputFormat = Annotated[
    str | None,
    typer.Option(
        "--input-format",
        metavar="FORMAT",
        parser=choice("--input-format", READERS),
        autocompletion=lambda: list(READERS),
        help=f"How to read the input: {', '.join(READERS)}; by default what the file's suffix "
        "or its content says.",
        rich_help_panel=INPUT,
        show_default=False,
    ),
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        metavar="CHARACTER",
        parser=delimiter,
        help="What separates the cells of a csv; by default guessed among comma, semicolon, "
        "tab and pipe.",
        rich_help_panel=INPUT,
        show_default=False,
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        "--columns",
        metavar="COLUMNS",
        parser=as_data,
        help="The columns of logits, by name, position from 1 or range: cat,dog or 2-11.",
        rich_help_panel=INPUT,
        show_default=False,
    ),
]
IdColumn = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="COLUMN",
        parser=as_data,
        help="The column that names the samples, by name or position.",
        rich_help_panel=INPUT,
        show_default=False,
    ),
]
Temperature = Annotated[
    float,
    typer.Option(
        "--temperature",
        "-t",
        metavar="T",
        parser=number("--temperature"),
        help="Divide the logits by T; derivatives are with respect to the logits as given, so "
        "they carry the factor 1/T.",
        rich_help_panel=METHOD,
    ),
]
DerivativeTemperature = Annotated[
    float,
    typer.Option(
        "--temperature",
        "-t",
        metavar="T",
        # Below the smallest normal number the derivative, up to 1/(4T), can be beyond float64.
        parser=number("--temperature", least=sys.float_info.min),
        help="Divide the logits by T; derivatives are with respect to the logits as given, so "
        "they carry the factor 1/T.",
        rich_help_panel=METHOD,
    ),
]
OutputFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        "-f",
        metavar="FORMAT",
        parser=choice("--format", WRITERS, hint_for_format),
        autocompletion=lambda: list(WRITERS),
        help=f"How to print the result: {', '.join(WRITERS)}.  [default: table]",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
OutputFile = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        readable=False,  # it need not be, and what it is shows when it is written
        help="Write to FILE instead of standard output, in the format of its suffix unless "
        "--format names one; it appears whole or not at all.",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
Precision = Annotated[
    int,
    typer.Option(
        "--precision",
        "-p",
        metavar="DIGITS",
        parser=whole_number("--precision", 1, 17),
        help="Significant digits in tables, Markdown and LaTeX, up to 17; data has all.",
        rich_help_panel=OUTPUT,
    ),
]


Sample = Annotated[
    str | None,
    typer.Option(
        "--sample",
        metavar="SAMPLE",
        parser=as_data,
        help="Only this sample, by its name or its position from 1.",
        rich_help_panel=INPUT,
        show_default=False,
    ),
]


def writing_options(output_format: str | None, output: str | None, precision: int) -> OutputOptions:
    """Put together what the user said about the output."""
    path = None if output == "-" else output
    return OutputOptions(choose_format(output_format, path), path, precision)
