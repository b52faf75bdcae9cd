"""JSON: arrays, an object with "logits", or records, read whole."""

from dataclasses import replace
from io import BufferedReader
from typing import Any

from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions
from softmax_cli.reading import strict_json
from softmax_cli.reading.json_samples import (
    check_count,
    mask_hint,
    read_batch,
    settle,
    warn_of_others,
)
from softmax_cli.reading.strict_json import shown
from softmax_cli.reading.text import take_all
from softmax_cli.samples import Logits


def read_json(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
    """Read one JSON text, or JSON lines, whole.

    Parameters
    ----------
    stream
        UTF-8 bytes, with or without a byte order mark.
    name
        What messages call the stream.
    options
        What the user said; columns can be chosen in records only.

    Raises
    ------
    InputError
        With line and column for what is not JSON, with sample and value for what is not
        logits.
    """
    document = strict_json.load_all(take_all(stream), name, mask_hint(options))
    return read_document(document, name, options)


def read_document(document: Any, name: str, options: InputOptions) -> Logits:
    """Read logits from a JSON value."""
    classes = samples = None
    if isinstance(document, dict) and "logits" in document:
        warn_of_others(document, ("logits", "classes", "samples"), name)
        classes = strict_json.names(document, "classes", name)
        samples = strict_json.names(document, "samples", name)
        document = document["logits"]
        if not isinstance(document, list) or not document:
            raise InputError(name, f'expected an array as "logits", found {shown(document)}')
    elif not isinstance(document, list | dict):
        raise InputError(name, f"expected an array or an object, found {shown(document)}")
    elif isinstance(document, list) and not document:
        raise InputError(name, "expected logits, found an empty array")
    if isinstance(document, dict) or not isinstance(document[0], list | dict):
        document = [document]

    def where(k: int) -> str:
        return f"{name}: sample {k + 1}"

    form = settle(document, where, "sample 1", name, options)
    check_count(classes, form.n_classes, "classes", name)
    check_count(samples, len(document), "samples", name)
    batch = read_batch(document, form, where, 0)
    if samples is not None:
        batch = replace(batch, samples=samples)
    return Logits(
        n_classes=form.n_classes,
        blocks=iter([batch]),
        class_names=classes or form.classes,
        names_samples=batch.samples is not None,
        sample_header=form.sample or "sample",
        n_samples=len(document),
    )
