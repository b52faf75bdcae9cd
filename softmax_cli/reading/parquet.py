"""Parquet, by polars: columns of numbers, and one of names."""

import json
import os
import signal
import stat
import sys
from collections.abc import Iterator
from io import BufferedReader
from typing import Any

import numpy as np

from softmax_cli.errors import InputError, quoted, visible
from softmax_cli.fast_lane import require_polars
from softmax_cli.options import InputOptions, Place
from softmax_cli.process import Process
from softmax_cli.reading import parquet_script
from softmax_cli.reading.columns import choose_columns
from softmax_cli.reading.validity import check_logits
from softmax_cli.samples import Batch, FloatArray, Logits

_BYTES_AT_ONCE = 1 << 20


def read_parquet(stream: BufferedReader, name: str, options: InputOptions) -> Logits:
    """Read a parquet file batch by batch; a pipe is read whole, for the format ends in its index.

    Parameters
    ----------
    stream
        The file, or a pipe.
    name
        What messages call the stream.
    options
        What the user said; columns are chosen as in delimited text.

    Raises
    ------
    InputError
        Where polars is missing, and for what is no table of logits.
    """
    try:
        require_polars()
    except ImportError:
        hint = "install polars, or this program with its extra named fast"
        raise InputError(name, "expected polars to read parquet, found none", hint) from None
    process = Process.start(parquet_script)
    if process is None:
        raise InputError(name, "expected a process to read parquet in, could start none")
    table = _Table(process, stream, name)
    found = table.answer()
    columns, n_samples = found["columns"], found["rows"]
    if not n_samples:
        raise InputError(name, "expected logits, found no rows")
    header = [column for column, _, _ in columns]
    text = [c for c, (_, _, is_numeric) in enumerate(columns) if not is_numeric]
    chosen = choose_columns(header, len(header), text, options, name)
    for c in chosen.logits:
        if c in text:
            problem = f"expected a column of numbers, found {columns[c][1]}"
            raise InputError(f"{name}: {quoted(header[c])}", problem)
    picked = [header[c] for c in chosen.logits]
    table.ask({"logits": chosen.logits, "sample": chosen.sample})

    def batches() -> Iterator[Batch]:
        start = 0
        while start < n_samples:
            found = table.answer()
            names, null = found["names"], found["null"]
            logits = table.numbers(found["rows"], len(picked))
            place = _place(name, picked, start)
            check = options.check or check_logits
            if null is not None:
                check(logits[: null[0]], place)
                raise InputError(place(*null), "expected a number, found null")
            check(logits, place)
            yield Batch(logits, start, names and tuple(names))
            start += len(logits)

    return Logits(
        len(picked),
        batches(),
        tuple(picked),
        chosen.sample is not None,
        "sample" if chosen.sample is None else header[chosen.sample] or "sample",
        n_samples,
    )


class _Table:
    """A table in the process that reads it: some damaged files make polars end its process."""

    def __init__(self, process: Process, stream: BufferedReader, name: str) -> None:
        self._process = process
        self._name = name
        path = _path(stream)
        self.ask({"modules": [each for each in sys.path if isinstance(each, str)], "path": path})
        if path is None:
            while part := stream.read1(_BYTES_AT_ONCE):
                if not process.send(_size(part), part):
                    break
            process.send(_size(b""))

    def __del__(self) -> None:
        self._process.end()

    def ask(self, message: dict[str, Any]) -> None:
        self._process.send(json.dumps(message).encode() + b"\n")

    def answer(self) -> dict[str, Any]:
        line = self._process.read_line()
        if not line.endswith(b"\n"):
            raise self._lost()
        answer: dict[str, Any] = json.loads(line)
        if "problem" in answer:
            raise self._refused(answer["problem"])
        return answer

    def numbers(self, n: int, C: int) -> FloatArray:
        content = self._process.read(8 * n * C)
        if len(content) < 8 * n * C:
            raise self._lost()
        return np.frombuffer(content, dtype=np.float64).reshape(n, C)

    def _lost(self) -> InputError:
        status = self._process.wait()
        how = signal.Signals(-status).name if status < 0 else f"status {status}"
        return self._refused(f"polars ended with {how}")

    def _refused(self, why: str) -> InputError:
        return InputError(self._name, f"expected a parquet file: {visible(why)}")


def _path(stream: BufferedReader) -> str | None:
    """Return where another process finds the file; None for a pipe, and a file without a name."""
    name, found = getattr(stream.raw, "name", None), os.fstat(stream.fileno())
    if not isinstance(name, str) or not stat.S_ISREG(found.st_mode):
        return None
    path = os.path.realpath(name)
    try:
        path.encode()
        return path if os.path.samestat(os.stat(path), found) else None  # noqa: PTH116
    except (OSError, UnicodeError):
        return None


def _size(content: bytes) -> bytes:
    return len(content).to_bytes(8, sys.byteorder)


def _place(name: str, picked: list[str], start: int) -> Place:
    def place(k: int, c: int | None) -> str:
        where = f"{name}: sample {start + k + 1}"
        return where if c is None else f"{where}, {quoted(picked[c])}"

    return place
