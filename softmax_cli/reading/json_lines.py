"""JSON lines: a sample a line, in the forms that JSON has for one sample."""

import re
from collections.abc import Callable, Iterator, Sequence
from io import BufferedReader
from typing import Any

from softmax_cli import fast
from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions
from softmax_cli.reading import strict_json, text
from softmax_cli.reading.json_text import Where, mask_hint, read_batch, settle
from softmax_cli.samples import Batch, Logits, TextBlock

_MINUS_ZERO = re.compile(rb"-0[],}\s]")


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
    source, line = text.Lines(stream), 1
    head = source.take_head(options.block_size)
    hint = mask_hint(options)
    while head and not head.strip():
        line += head.count(b"\n")
        head = source.take(0)
    first = TextBlock(line, head)
    samples, lines = strict_json.load_lines(head, name, hint, line)
    if not samples:
        raise InputError(name, "expected logits, found nothing")
    form = settle(samples, _where(lines, name), f"line {lines[0]}", name, options)

    def parse(block: TextBlock) -> Batch:
        values = _load_at_once(block.content)
        if values is not None:
            at = range(block.line, block.line + len(values))
            batch = read_batch(values, form, _where(at, name), block.start)
            if batch.logits.all() or not _MINUS_ZERO.search(block.content):
                return batch
        values, numbers = strict_json.load_lines(block.content, name, hint, block.line)
        return read_batch(values, form, _where(numbers, name), block.start)

    return Logits(
        n_classes=form.n_classes,
        blocks=_blocks(source, first, options.block_size, parse),
        class_names=form.classes,
        names_samples=form.sample is not None,
        sample_header=form.sample or "sample",
        parse=parse,
        is_ready=source.is_ready,
    )


def _blocks(
    source: text.Lines, head: TextBlock, size: int, parse: Callable[[TextBlock], Batch]
) -> Iterator[Batch | TextBlock]:
    """Yield the head and the rest; what has blank lines is read here, to count its samples."""
    batch = parse(head)
    yield batch
    start, line = len(batch.logits), head.line + head.content.count(b"\n")
    fast.orjson()  # before other processes are forked
    while content := source.take(size):
        block = TextBlock(line, content, start)
        line += content.count(b"\n")
        if not text.has_blank_lines(content):
            yield block
            start += text.count_lines(content)
        elif content.strip():
            batch = parse(block)
            yield batch
            start += len(batch.logits)


def _where(lines: Sequence[int], name: str) -> Where:
    return lambda k: f"{name}:{lines[k]}"


def _load_at_once(content: bytes) -> list[Any] | None:
    """Load lines of an array each, or an object, with none inside, or return None.

    That is seen by counting: as many begin, and as many end, as there are lines. Two keys of the
    same name would be seen as fewer members than colons.
    """
    if b"\\u" in content:  # perhaps half of a character, which only one reader refuses
        return None
    content = content.replace(b"\r\n", b"\n").removesuffix(b"\n")
    opening, closing = (b"{", b"}") if content.startswith(b"{") else (b"[", b"]")
    end, n = closing + b"\n" + opening, content.count(b"\n") + 1
    if not content.startswith(opening) or not content.endswith(closing):
        return None
    if not content.count(opening) == content.count(closing) == content.count(end) + 1 == n:
        return None
    if opening == b"[" and b"{" in content:
        return None
    if any(colon in content for colon in (b'" :', b'"\t:', b'"\r:')):
        return None
    try:
        rows = content.replace(end, closing + b",\n" + opening)
        values: list[Any] = fast.loads(b"[" + rows + b"]")
    except (ValueError, RecursionError):
        return None
    if opening == b"{" and sum(map(len, values)) != content.count(b'":'):
        return None
    return values if len(values) == n else None
