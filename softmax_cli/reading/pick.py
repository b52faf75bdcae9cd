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
    # The others need not be valid.
    found = logits.parsed(_find(replace(logits, check=None).batches, word, option))
    if not len(found.logits):
        raise InputError(
            option, f"expected a valid sample, found {quoted(word)}, which is left out"
        )
    return replace(logits, blocks=iter([found]), n_samples=1, shape=None, axis=-1)


def _find(batches: Iterator[Batch], word: str, option: str) -> Batch:
    position = int(word[:18]) - 1 if word.isascii() and word.isdigit() else -1
    named: list[Batch] = []
    at_position: list[Batch] = []
    count = 0
    for batch in batches:
        count += len(batch.logits)
        same = [k for k, name in enumerate(batch.samples or ()) if name == word]
        named += [batch.part(slice(k, k + 1)) for k in same]
        if batch.start <= position < count:
            at_position = [batch.part(slice(position - batch.start, position - batch.start + 1))]
            if batch.samples is None:
                break
    if len(named) > 1:
        positions = ", ".join(str(each.start + 1) for each in named[:6])
        problem = f"{quoted(word)} names {len(named)} samples, at positions {positions}"
        raise InputError(option, problem, "use a position, counted from 1")
    found = named or at_position
    if not found:
        expected = f"a sample's name or a position from 1 to {count}"
        raise InputError(option, f"expected {expected}, found {quoted(word)}")
    return found[0]
