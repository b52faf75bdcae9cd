"""The options of forward."""

from typing import Annotated

import typer

from softmax_cli.app.parameters import (
    METHOD,
    Columns,
    Delimiter,
    IdColumn,
    InputFormat,
    LogitsArgument,
    OutputFile,
    OutputFormat,
    Precision,
    Sample,
    Temperature,
    writing_options,
)
from softmax_cli.command_line import LogitsCommand
from softmax_cli.lookup import load
from softmax_cli.options import InputOptions

HELP = """Probabilities: y_j = exp(z_j) / sum_c exp(z_c).

\b
  softmax-cli forward 2 1 0.1
  softmax-cli forward -inf 0 -1.5 --log
  softmax-cli forward logits.csv -o probabilities.csv
  cat logits.csv | softmax-cli forward --columns 2-11 -f json
"""

app = typer.Typer(add_completion=False)


@app.command(cls=LogitsCommand, help=HELP)
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
        writing=writing_options(output_format, output, precision),
    )
    return status
