"""The Typer app: options and help texts, nothing else."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from softmax_cli import __version__
from softmax_cli.command_line import (
    CommandGroup,
    LogitsCommand,
    choice,
    delimiter,
    number,
    whole_number,
)
from softmax_cli.lookup import load
from softmax_cli.options import InputOptions, OutputOptions
from softmax_cli.reading.formats import READERS
from softmax_cli.writing.formats import WRITERS, choose_format

METHODS = ("central", "forward", "complex-step", "richardson")

app = typer.Typer(
    name="softmax-cli",
    help="A calculator for the softmax function and its derivative.",
    cls=CommandGroup,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

INPUT, OUTPUT, METHOD = "Input", "Output", "Method"
CANDIDATE = "What is checked"

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
        parser=choice("--format", WRITERS),
        autocompletion=lambda: list(WRITERS),
        help=f"How to print the result: {', '.join(WRITERS)}.  [default: table]",
        rich_help_panel=OUTPUT,
        show_default=False,
    ),
]
OutputFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write to FILE instead of standard output, in the format of its suffix; it "
        "appears whole or not at all.",
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


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"softmax-cli {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """A calculator for the softmax function and its derivative."""


def _writing(output_format: str | None, path: Path | None, precision: int) -> OutputOptions:
    return OutputOptions(choose_format(output_format, path), path, precision)


Sample = Annotated[
    str | None,
    typer.Option(
        "--sample",
        metavar="SAMPLE",
        help="Only this sample, by its name or its position from 1.",
        rich_help_panel=INPUT,
        show_default=False,
    ),
]


FORWARD_HELP = """Probabilities: y_j = exp(z_j) / sum_c exp(z_c).

\b
  softmax-cli forward 2 1 0.1
  softmax-cli forward -inf 0 -1.5 --log
  softmax-cli forward logits.csv -o probabilities.csv
  cat logits.csv | softmax-cli forward --columns 2-11 -f json
"""

JACOBIAN_HELP = """The Jacobian of each sample: J_ji = dy_j/dz_i = y_j (delta_ij - y_i).

\b
  softmax-cli jacobian 1 2 3
  softmax-cli jacobian 2 1 0.1 --explain
  softmax-cli jacobian logits.csv --entry cat,dog -f csv
  softmax-cli jacobian logits.csv --vjp upstream.csv -o gradient.csv
"""

CHECK_HELP = """Check your softmax, Jacobian or backward pass; exit 0 if it passes, 1 if not.

\b
  softmax-cli check logits.csv --jacobian mine.csv
  softmax-cli check logits.csv --vjp mine.py:backward --upstream 0,0,1
  softmax-cli check logits.csv --probabilities package.module:softmax -q
  softmax-cli check 1 2 3 --method complex-step
"""


@app.command(cls=LogitsCommand, help=FORWARD_HELP)
def forward(
    logits: LogitsArgument = None,
    log: Annotated[
        bool, typer.Option("--log", help="Log-probabilities instead.", rich_help_panel=METHOD)
    ] = False,
    temperature: Temperature = 1.0,
    sample: Sample = None,
    input_format: InputFormat = None,
    delimiter: Delimiter = None,
    columns: Columns = None,
    id_column: IdColumn = None,
    output_format: OutputFormat = None,
    output: OutputFile = None,
    precision: Precision = 6,
) -> int:
    """Hand the options of forward on."""
    status: int = load("softmax_cli.commands.forward:run")(
        logits or [],
        log=log,
        sample=sample,
        temperature=temperature,
        reading=InputOptions(input_format, delimiter, columns, id_column),
        writing=_writing(output_format, output, precision),
    )
    return status


@app.command(cls=LogitsCommand, help=JACOBIAN_HELP)
def jacobian(
    logits: LogitsArgument = None,
    entry: Annotated[
        str | None,
        typer.Option(
            "--entry",
            metavar="J,I",
            help="Only dy_J/dz_I; J and I are class names or positions from 1.",
            rich_help_panel=METHOD,
            show_default=False,
        ),
    ] = None,
    vjp: Annotated[
        str | None,
        typer.Option(
            "--vjp",
            metavar="G",
            help="The upstream gradient G times the Jacobian (backpropagation), without building "
            "it; G is 0,0,1 or a file with one row for all samples or a row each.",
            rich_help_panel=METHOD,
            show_default=False,
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="Derive it step by step, with the numbers of the first sample or of --sample.",
            rich_help_panel=METHOD,
        ),
    ] = False,
    temperature: DerivativeTemperature = 1.0,
    sample: Sample = None,
    input_format: InputFormat = None,
    delimiter: Delimiter = None,
    columns: Columns = None,
    id_column: IdColumn = None,
    output_format: OutputFormat = None,
    output: OutputFile = None,
    precision: Precision = 6,
) -> int:
    """Hand the options of jacobian on."""
    status: int = load("softmax_cli.commands.jacobian:run")(
        logits or [],
        entry=entry,
        upstream=vjp,
        sample=sample,
        explain=explain,
        temperature=temperature,
        reading=InputOptions(input_format, delimiter, columns, id_column),
        writing=_writing(output_format, output, precision),
    )
    return status


@app.command(cls=LogitsCommand, help=CHECK_HELP)
def check(
    logits: LogitsArgument = None,
    probabilities: Annotated[
        str | None,
        typer.Option(
            "--probabilities",
            metavar="CANDIDATE",
            help="Your probabilities: a file in any input format, or code, FILE.py:FUNCTION or "
            "PACKAGE.MODULE:FUNCTION, which is called with the logits and differentiated too.",
            rich_help_panel=CANDIDATE,
            show_default=False,
        ),
    ] = None,
    jacobian: Annotated[
        str | None,
        typer.Option(
            "--jacobian",
            metavar="CANDIDATE",
            help="Your Jacobians: (K, C, C), stacked (K*C, C), or (C, C) of one sample.",
            rich_help_panel=CANDIDATE,
            show_default=False,
        ),
    ] = None,
    vjp: Annotated[
        str | None,
        typer.Option(
            "--vjp",
            metavar="CANDIDATE",
            help="Your backward pass: upstream gradient times Jacobian; code is called with "
            "logits and upstream gradient.",
            rich_help_panel=CANDIDATE,
            show_default=False,
        ),
    ] = None,
    upstream: Annotated[
        str | None,
        typer.Option(
            "--upstream",
            metavar="G",
            help="The upstream gradient for --vjp: 0,0,1 or a file with one row for all samples "
            "or a row each.",
            rich_help_panel=CANDIDATE,
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="METHOD",
            parser=choice("--method", METHODS),
            autocompletion=lambda: list(METHODS),
            help=f"The finite difference: {', '.join(METHODS)}.  [default: central]",
            rich_help_panel=METHOD,
            show_default=False,
        ),
    ] = None,
    step: Annotated[
        float | None,
        typer.Option(
            "--step",
            metavar="H",
            parser=number("--step"),
            help="The absolute step size; the default suits the method and is relative to "
            "max(1, |z|).",
            rich_help_panel=METHOD,
            show_default=False,
        ),
    ] = None,
    atol: Annotated[
        float | None,
        typer.Option(
            "--atol",
            metavar="A",
            parser=number("--atol", zero_too=True),
            help="Absolute tolerance; an entry passes within A + R |exact|.",
            rich_help_panel=METHOD,
            show_default=False,
        ),
    ] = None,
    rtol: Annotated[
        float | None,
        typer.Option(
            "--rtol",
            metavar="R",
            parser=number("--rtol", zero_too=True),
            help="Relative tolerance; both defaults suit the method and are printed.",
            rich_help_panel=METHOD,
            show_default=False,
        ),
    ] = None,
    sweep: Annotated[
        bool,
        typer.Option(
            "--sweep",
            help="Instead of a verdict, the error against the step size, from 1e-1 to 1e-15.",
            rich_help_panel=METHOD,
        ),
    ] = False,
    temperature: DerivativeTemperature = 1.0,
    input_format: InputFormat = None,
    delimiter: Delimiter = None,
    columns: Columns = None,
    id_column: IdColumn = None,
    output_format: OutputFormat = None,
    output: OutputFile = None,
    precision: Precision = 6,
    quiet: Annotated[
        bool,
        typer.Option(
            "--quiet", "-q", help="Print nothing: the exit status tells.", rich_help_panel=OUTPUT
        ),
    ] = False,
) -> int:
    """Hand the options of check on."""
    status: int = load("softmax_cli.commands.check:run")(
        logits or [],
        candidates=load("softmax_cli.commands.check:Candidates")(
            probabilities, jacobian, vjp, upstream
        ),
        comparison=load("softmax_cli.commands.check:Comparison")(
            method, step, atol, rtol, temperature
        ),
        sweeping=sweep,
        quiet=quiet,
        reading=InputOptions(input_format, delimiter, columns, id_column),
        writing=_writing(output_format, output, precision),
    )
    return status
