"""One sample out of many, by its name or its position."""

from collections.abc import Iterator
from dataclasses import replace

from softmax_cli.errors import InputError, quoted
from softmax_cli.samples import Batch, Logits


def pick_sample(logits: Logits, word: str, option: str) -> Logits:
    """Return a source that holds the one sample meant; a name wins over a position from 1.

    Raises
    ------
    InputError
        When no sample, or more than one, has that name, and none that position.
    """
    found = iter([_find(logits.batches, word, option)])
    return replace(logits, blocks=found, n_samples=1)


def _find(batches: Iterator[Batch], word: str, option: str) -> Batch:
    position = int(word) - 1 if word.isascii() and word.isdigit() and len(word) < 19 else -1
    at_position: Batch | None = None
    named: list[Batch] = []
    count = 0
    for batch in batches:
        k = position - batch.start
        if 0 <= k < len(batch.logits):
            at_position = batch.part(slice(k, k + 1))
            if batch.samples is None:
                return at_position
        if batch.samples is not None and word in batch.samples:
            named += [
                batch.part(slice(k, k + 1)) for k, name in enumerate(batch.samples) if name == word
            ]
        count += len(batch.logits)
    if len(named) > 1:
        positions = ", ".join(str(each.start + 1) for each in named[:6])
        raise InputError(
            option,
            f"{quoted(word)} names {len(named)} samples, at positions {positions}",
            "use a position, counted from 1",
        )
    found = named[0] if named else at_position
    if found is None:
        expected = f"a sample's name or a position from 1 to {count}"
        raise InputError(option, f"expected {expected}, found {quoted(word)}")
    return found
