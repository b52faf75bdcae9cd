"""The one way out: a result goes through its format to its target."""

from softmax_cli.lookup import load
from softmax_cli.options import OutputOptions
from softmax_cli.result import Result
from softmax_cli.writing.formats import PICTURES, WRITERS
from softmax_cli.writing.target import open_target


def write(result: Result, options: OutputOptions) -> None:
    """Write a result where and how the user asked for it.

    Raises
    ------
    OutputError
        When it cannot be written.
    PipeClosedError
        When the reader of the output went away.
    """
    writer = load({**WRITERS, **PICTURES}[options.output_format])
    with open_target(options.path) as target:
        writer(result, target, options)
