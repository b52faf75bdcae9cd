"""JSON lines: a sample a line, in the forms that JSON has for one sample."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from softmax_cli import fast
from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions
from softmax_cli.reading import strict_json
from softmax_cli.reading.json_text import read_batch, settle, source_of
from softmax_cli.reading.text import Stream, read_lines
from softmax_cli.samples import Batch, Logits, TextBlock

# Half of a character, which only one reader refuses, and keys that are counted as none.
_DOUBTFUL = (b"\\u", b" :", b"\t", b"\r")


def read_jsonl(stream: Stream, name: str, options: InputOptions) -> Logits:
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
    head = stream.take_head()
    samples, lines = strict_json.load_lines(head, name)
    if not samples:
        raise InputError(name, "expected logits, found nothing")
    form = settle(samples, lambda k: f"{name}:{lines[k]}", name, options)

    def parse(block: TextBlock) -> Batch:
        loaded = _load_at_once(block)
        values, lines = loaded or strict_json.load_lines(block.content, name, block.line)
        return read_batch(values, form, lambda k: f"{name}:{lines[k]}", block.start, options)

    def read(block: TextBlock) -> tuple[Batch, int]:
        return parse(block), block.line + block.content.count(b"\n")

    first, line = read(TextBlock(1, head))
    blocks = read_lines(stream, line, first, lambda _: True, read)
    return replace(source_of(form, blocks), parse=parse, is_ready=stream.is_ready)


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
