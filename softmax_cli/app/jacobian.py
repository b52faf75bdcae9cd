"""The options of jacobian."""

from typing import Annotated

import typer

from softmax_cli.app.parameters import (
    METHOD,
    Columns,
    Delimiter,
    DerivativeTemperature,
    IdColumn,
    InputFormat,
    LogitsArgument,
    OutputFile,
    OutputFormat,
    Precision,
    Sample,
    writing_options,
)
from softmax_cli.command_line import LogitsCommand
from softmax_cli.lookup import load
from softmax_cli.options import InputOptions
from softmax_cli.words import as_data

HELP = """The Jacobian of each sample: J_ji = dy_j/dz_i = y_j (delta_ij - y_i).

\b
  softmax-cli jacobian 1 2 3
  softmax-cli jacobian 2 1 0.1 --explain
  softmax-cli jacobian logits.csv --entry cat,dog -f csv
  softmax-cli jacobian logits.csv --vjp upstream.csv -o gradient.csv
"""

app = typer.Typer(add_completion=False)


@app.command(cls=LogitsCommand, help=HELP)
def jacobian(
    logits: LogitsArgument = None,
    entry: Annotated[
        str | None,
        typer.Option(
            "--entry",
            metavar="J,I",
            parser=as_data,
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
        writing=writing_options(output_format, output, precision),
    )
    return status
