"""JSON lines: a sample a line, in the forms that JSON has for one sample."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BufferedReader
from itertools import chain
from typing import Any

from softmax_cli import fast
from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions
from softmax_cli.reading import strict_json, text
from softmax_cli.reading.json_text import read_batch, settle, source_of
from softmax_cli.samples import Batch, Logits, TextBlock

# Half of a character, which only one reader refuses, and keys that are counted as none.
_DOUBTFUL = (b"\\u", b" :", b"\t", b"\r")


def read_jsonl(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
    """Read JSON lines block by block.

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
        With the line: here for the first block, from the batches for the rest.
    """
    source = text.Lines(stream)
    texts = _texts(source, options.block_size)
    first = next(texts, None)
    if first is None:
        raise InputError(name, "expected logits, found nothing")
    samples, lines = strict_json.load_lines(first.content, name, first.line)
    form = settle(samples, lambda k: f"{name}:{lines[k]}", name, options)

    def parse(block: TextBlock) -> Batch:
        loaded = _load_at_once(block)
        values, lines = loaded or strict_json.load_lines(block.content, name, block.line)
        return read_batch(values, form, lambda k: f"{name}:{lines[k]}", block.start, options)

    def blocks() -> Iterator[Batch | TextBlock]:
        start = 0
        for block in chain([first], texts):
            block = replace(block, start=start)
            if start and not text.has_blank_lines(block.content):
                yield block
                start += text.count_lines(block.content)
            else:  # its samples have to be counted
                batch = parse(block)
                yield batch
                start += len(batch.logits)

    return replace(source_of(form, blocks()), parse=parse, is_ready=source.is_ready)


def _texts(source: text.Lines, size: int) -> Iterator[TextBlock]:
    """Yield what holds more than blank lines."""
    line, content = 1, source.take_head(size)
    while content:
        if content.strip():
            yield TextBlock(line, content)
        line += content.count(b"\n")
        content = source.take(size)


def _load_at_once(block: TextBlock) -> tuple[list[Any], Sequence[int]] | None:
    """Load lines of an array each, or an object, with none inside, or return None.

    That is seen by counting: as many begin, and as many end, as there are lines. Two keys of the
    same name would be seen as fewer members than colons.
    """
    content = block.content.replace(b"\r\n", b"\n").removesuffix(b"\n")
    opening, closing = (b"{", b"}") if content.startswith(b"{") else (b"[", b"]")
    end, n = closing + b"\n" + opening, content.count(b"\n") + 1
    counts = {content.count(opening), content.count(closing), content.count(end) + 1, n}
    if len(counts) > 1 or not content.startswith(opening) or any(map(content.count, _DOUBTFUL)):
        return None
    try:
        values = fast.loads(b"[" + content.replace(end, closing + b",\n" + opening) + b"]")
    except (ValueError, RecursionError):
        return None
    if len(values) != n or (opening == b"{" and sum(map(len, values)) != content.count(b'":')):
        return None
    return values, range(block.line, block.line + n)
