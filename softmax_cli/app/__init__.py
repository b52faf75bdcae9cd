"""The Typer app: commands, options and help texts, nothing else."""

from typing import Annotated

import typer

from softmax_cli import __version__
from softmax_cli.command_line import CommandGroup

app = typer.Typer(
    name="softmax-cli",
    help="A calculator for the softmax function and its derivative.",
    cls=CommandGroup,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
