"""Reads bytes as the program does, without a process of its own."""

import tempfile
from dataclasses import dataclass

from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions
from softmax_cli.reading import formats
from softmax_cli.reading.source import open_stream
from softmax_cli.reading.text import Stream
from softmax_cli.samples import concatenate


@dataclass(frozen=True)
class Read:
    """What a reader made of a text: its names and numbers, or else its error."""

    classes: tuple[str, ...] | None = None
    samples: tuple[str, ...] | None = None
    logits: tuple[tuple[float, ...], ...] = ()
    error: str = ""


def read(
    input_format: str,
    content: bytes,
    options: InputOptions | None = None,
    block_size: int = Stream.block_size,
) -> Read:
    """Read all of a file that is called t."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        with open_stream(file.name, "t") as stream:
            stream.block_size = block_size
            try:
                source = formats.read(input_format, stream, "t", options or InputOptions())
                batch = concatenate(source.batches, source.n_classes)
            except InputError as error:
                return Read(error=str(error))
    return Read(source.class_names, batch.samples, tuple(map(tuple, batch.logits.tolist())))
