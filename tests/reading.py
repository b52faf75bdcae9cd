"""Reads bytes as the program does, without a process of its own."""

import io
from dataclasses import dataclass

from softmax_cli.errors import InputError
from softmax_cli.lookup import load
from softmax_cli.options import InputOptions
from softmax_cli.reading.formats import READERS
from softmax_cli.samples import concatenate


@dataclass(frozen=True)
class Read:
    """What a reader made of a text: its names and numbers, or else its error."""

    classes: tuple[str, ...] | None = None
    samples: tuple[str, ...] | None = None
    logits: tuple[tuple[float, ...], ...] = ()
    error: str = ""


def read(input_format: str, content: bytes, options: InputOptions | None = None) -> Read:
    """Read all of a stream that is called t."""
    stream = io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type, unused-ignore]
    try:
        source = load(READERS[input_format])(stream, "t", options or InputOptions())
        batch = concatenate(source.batches, source.n_classes)
    except InputError as error:
        return Read(error=str(error))
    return Read(source.class_names, batch.samples, tuple(map(tuple, batch.logits.tolist())))
