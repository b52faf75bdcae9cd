"""The options of check."""

from typing import Annotated

import typer

from softmax_cli.app.parameters import (
    METHOD,
    OUTPUT,
    Columns,
    Delimiter,
    DerivativeTemperature,
    IdColumn,
    InputFormat,
    LogitsArgument,
    OutputFile,
    OutputFormat,
    Precision,
    writing_options,
)
from softmax_cli.command_line import LogitsCommand, choice, number
from softmax_cli.lookup import load
from softmax_cli.options import InputOptions

METHODS = ("central", "forward", "complex-step", "richardson")
CANDIDATE = "What is checked"

HELP = """Check your softmax, Jacobian or backward pass; exit 0 if it passes, 1 if not.

\b
  softmax-cli check logits.csv --jacobian mine.csv
  softmax-cli check logits.csv --vjp mine.py:backward --upstream 0,0,1
  softmax-cli check logits.csv --probabilities package.module:softmax -q
  softmax-cli check 1 2 3 --method complex-step
"""

app = typer.Typer(add_completion=False)


@app.command(cls=LogitsCommand, help=HELP)
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
        writing=writing_options(output_format, output, precision),
    )
    return status
