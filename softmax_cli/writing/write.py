"""The one way out: a result goes through its format to its target."""

from dataclasses import replace

from softmax_cli.errors import InputError
from softmax_cli.lookup import load
from softmax_cli.options import OutputOptions
from softmax_cli.progress import watched
from softmax_cli.result import Arrays, Result
from softmax_cli.writing.formats import BINARY, PICTURES, STREAMED, WRITERS
from softmax_cli.writing.target import open_target


def write(result: Result, options: OutputOptions) -> None:
    """Write a result where and how the user asked for it.

    Raises
    ------
    InputError
        For bytes that are not text, to a terminal.
    OutputError
        When it cannot be written.
    PipeClosedError
        When the reader of the output went away.
    """
    writer = load({**WRITERS, **PICTURES}[options.output_format])
    with open_target(options.path) as target:
        if target.is_terminal and options.output_format in BINARY:
            raise InputError(
                "--format",
                f"expected a file or a pipe for {options.output_format}, found a terminal",
                f"write a file with -o FILE.{options.output_format}",
            )
        streamed = options.output_format in STREAMED
        if not isinstance(result, Arrays) or (target.is_terminal and streamed):
            writer(result, target, options)
            return
        with watched(result.logits) as logits:
            writer(replace(result, logits=logits), target, options)
