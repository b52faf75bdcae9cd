"""What is done to the samples of every format: they are turned, checked, left out, or picked."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import compress

from softmax_cli.errors import InputError, plural, quoted, tell
from softmax_cli.options import InputOptions
from softmax_cli.reading.validity import are_valid, check_logits, place_in, place_of_sample
from softmax_cli.samples import Batch, Logits, TextBlock, concatenate


def sift(logits: Logits, options: InputOptions, name: str) -> Logits:
    """Turn the samples if their classes run down the file; see that they are checked."""
    if options.axis is not None and logits.shape is None:
        if options.axis not in (0, 1, -1, -2):
            raise InputError("--axis", f"expected 0 or 1 for text, found {options.axis}")
        logits = _turned(logits, options, name) if options.axis in (0, -2) else logits
    if options.skip_invalid:
        return _valid(logits)
    check = options.check or check_logits

    def checked(batch: Batch) -> Batch:
        assert batch.place
        check(batch.logits, batch.place)
        return replace(batch, place=None)

    return replace(logits, check=checked)


def _turned(logits: Logits, options: InputOptions, name: str) -> Logits:
    """Make a sample of each column; what named the samples names the classes."""
    for option, is_given in (("--id", options.id_column), ("--keep", options.keep)):
        if is_given:
            raise InputError(option, "expected either it or --axis 0, found both")
    whole = concatenate(logits.batches, logits.n_classes)
    columns, names = whole.logits.T.copy(), logits.class_names
    batch = Batch(columns, 0, names, place=place_in(place_of_sample(name), whole.samples))
    K, C = columns.shape
    return Logits(C, iter([batch]), whole.samples, names_samples=names is not None, n_samples=K)


def _valid(logits: Logits) -> Logits:
    """Leave out the samples that are not valid, and count them."""
    left = skipped = 0
    first = ""

    def check(batch: Batch) -> Batch:
        nonlocal left, skipped, first
        assert batch.place
        valid = are_valid(batch.logits)
        if not (skipped or valid.all()):
            first = batch.place(int(valid.argmin()), None)
        left, skipped = left + int(valid.sum()), skipped + int((~valid).sum())
        labels = tuple(compress(batch.labels, valid))
        kept = batch.kept and tuple(compress(batch.kept, valid))
        g = None if batch.upstream is None else batch.upstream[valid]
        return Batch(batch.logits[valid], batch.start, labels, g, kept)

    def blocks() -> Iterator[Batch | TextBlock]:
        for block in logits.blocks:
            yield logits.parsed(block)  # in this process, where they are counted
        if skipped and not left:
            raise InputError(first, "expected a valid sample, found none from here on")
        if skipped:
            tell(f"{plural(skipped, 'invalid sample')} left out, the first at {first}")

    unknown = replace(logits, n_samples=None, shape=None, axis=-1)
    return replace(unknown, blocks=blocks(), check=check)


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
        problem = f"expected a valid sample, found {quoted(word)}, which is left out"
        raise InputError(option, problem)
    return replace(logits, blocks=iter([found]), n_samples=1, shape=None, axis=-1)


def _find(batches: Iterator[Batch], word: str, option: str) -> Batch:
    position = int(word[:18]) - 1 if word.isascii() and word.isdigit() else -1
    named: list[Batch] = []
    at_position: list[Batch] = []
    count = 0
    for batch in batches:
        same = [k for k, name in enumerate(batch.samples or ()) if name == word]
        named += [batch.part(slice(k, k + 1)) for k in same]
        if 0 <= (k := position - count) < len(batch.logits):
            at_position = [batch.part(slice(k, k + 1))]
            if batch.samples is None:
                break
        count += len(batch.logits)
    if len(named) > 1:
        positions = ", ".join(str(each.start + 1) for each in named[:6])
        problem = f"{quoted(word)} names {len(named)} samples, at positions {positions}"
        raise InputError(option, problem, "use a position, counted from 1")
    found = named or at_position
    if not found:
        expected = f"a sample's name or a position from 1 to {count}"
        raise InputError(option, f"expected {expected}, found {quoted(word)}")
    return found[0]
