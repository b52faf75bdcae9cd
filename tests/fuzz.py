"""Hostile input for the program, a case a seed, each with what must come of it.

Cases run in this process, through the program's own `main`, which is a hundred times as fast as a
process each. What a run must keep, whatever it is given: an exit status of the contract, an error
of one line in printable characters with at most a hint below it, nothing else on standard error
(no traceback, no warning of Python's), nothing on standard output beside an error, an end within
a second, and, where it succeeds, the numbers that an independent reader finds in the input.
"""

import csv
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.lib import format as npy_format

from softmax_cli import fast_lane
from softmax_cli.__main__ import main
from tests.program import SAMPLES

PRINTED = "called"  # by candidates
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
SECONDS = 1.0
_LONGEST_LINE = 5000
_SMALL = 1 << 16  # what is read before the first output
_STATUSES = {"forward": {0, 2, 3}, "jacobian": {0, 2, 3}, "check": {0, 1, 2, 3}}
# Parquet is read by a process of its own, which takes as long as a hundred other cases.
_FORMATS = (*("csv", "tsv", "json", "jsonl", "npy") * 2, "parquet")

Expectation = Callable[["Ending"], str | None]


@dataclass(frozen=True)
class Ending:
    """What a run left behind."""

    status: int | str | None
    stdout: bytes
    stderr: str
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class Case:
    """Words, and what is there for them to read.

    ``expect`` returns what is wrong with an ending, or None; ``lane`` is whether polars is there.
    """

    kind: str
    words: list[str]
    stdin: bytes = b""
    files: Mapping[str, bytes] = field(default_factory=dict)
    expect: Expectation | None = None
    lane: bool = False
    piped: bool = False


# --- running ---------------------------------------------------------------------------------


class _TooLongError(BaseException):
    pass


@contextmanager
def _time_limit() -> Iterator[None]:
    """Interrupt what takes longer, again and again, for somebody's code may catch it.

    It is this process's own time, and for what other processes may take a generous one.
    """
    late = False

    def interrupt(number: int, frame: Any) -> None:
        nonlocal late
        late = True
        raise _TooLongError

    signal.signal(signal.SIGPROF, interrupt)
    signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_PROF, SECONDS, SECONDS / 10)
    signal.setitimer(signal.ITIMER_REAL, 30 * SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        if late:
            raise _TooLongError


@contextmanager
def workplace() -> Iterator[None]:
    """Run cases in an empty folder, which is also the home."""
    before = Path.cwd()
    kept = {name: os.environ.get(name) for name in ("HOME", "COLUMNS", "NO_COLOR")}
    with tempfile.TemporaryDirectory(prefix="softmax-fuzz-") as folder:
        os.chdir(folder)
        os.environ.update({"HOME": folder, "COLUMNS": "80"})
        try:
            yield
        finally:
            os.chdir(before)
            for name, value in kept.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def complaint(case: Case) -> str | None:
    """Run a case in the workplace and say what is wrong with how it ended, or None."""
    for name, content in case.files.items():
        Path(name).write_bytes(content)
    polars = sys.modules["polars"]
    worth = fast_lane._WORTH
    if case.lane:
        fast_lane._WORTH = 0
    else:
        sys.modules["polars"] = None  # type: ignore[assignment]
    try:
        return _fault(case, _run(case))
    except _TooLongError:
        return f"more than {SECONDS} s"
    except BaseException:
        return traceback.format_exc()
    finally:
        sys.modules["polars"] = polars
        fast_lane._WORTH = worth
        for path in Path().iterdir():
            if path.is_file() or path.is_symlink():
                path.unlink()


def _run(case: Case) -> Ending:
    streams, modules = (sys.stdin, sys.stdout, sys.stderr), set(sys.modules)
    threads = set(threading.enumerate())
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    kept = [os.dup(descriptor) for descriptor in range(3)]
    status: int | str | None = None
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        _stdin(case) as stdin,
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        for quiet in (DeprecationWarning, ResourceWarning, PendingDeprecationWarning):
            warnings.simplefilter("ignore", quiet)
        for descriptor, file in enumerate((stdin, out, err)):
            os.dup2(file.fileno(), descriptor)
        sys.stdin = open(0, closefd=False)
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        ours = (sys.stdout, sys.stderr)
        try:
            with _time_limit():
                main(case.words)
        except SystemExit as end:
            status = end.code
        finally:
            with suppress(ValueError):
                ours[0].flush()
            ours[1].flush()
            # One that reads ahead would take the next case's standard input for this one's.
            for thread in set(threading.enumerate()) - threads:
                thread.join(SECONDS)
            sys.stdin, sys.stdout, sys.stderr = streams
            for descriptor, original in enumerate(kept):
                os.dup2(original, descriptor)
                os.close(original)
            for number, handler in handlers.items():
                signal.signal(number, handler)
            for name in set(sys.modules) - modules:
                if name.startswith("candidate"):
                    del sys.modules[name]
        for stream in (out, err):
            stream.seek(0)
        files = {p.name: p.read_bytes() for p in Path().iterdir() if p.name not in case.files}
        printed = err.read().decode("utf-8", "replace")
        printed += "".join(f"{each.category.__name__}: {each.message}\n" for each in warned)
        return Ending(status, out.read(), printed, files)


@contextmanager
def _stdin(case: Case) -> Iterator[io.TextIOWrapper]:
    if case.piped and len(case.stdin) < 1 << 15:
        reading, writing = os.pipe()
        os.write(writing, case.stdin)
        os.close(writing)
        with open(reading) as stream:
            yield stream
        return
    with tempfile.TemporaryFile() as file:
        file.write(case.stdin)
        file.seek(0)
        yield open(file.fileno(), closefd=False)


def _fault(case: Case, ending: Ending) -> str | None:
    """Say what an ending breaks of what all runs keep, or of what the case expects."""
    wrong = _stderr_fault(ending.stderr, ending.status)
    command = next((word for word in case.words if word in _STATUSES), "")
    if wrong is None and ending.status not in _STATUSES.get(command, {0, 2}):
        wrong = f"exit status {ending.status!r}"
    if wrong is None and ending.status in (2, 3):
        size = len(case.stdin) + sum(map(len, case.files.values()))
        if ending.stdout and size < _SMALL and "printed before it" not in ending.stderr:
            wrong = "an error with something on stdout"
        if ending.files:
            wrong = f"an error that leaves {', '.join(ending.files)}"
    if wrong is None and case.expect is not None:
        wrong = case.expect(ending)
    return wrong and f"{wrong}\nstdout: {ending.stdout[:500]!r}\nstderr: {ending.stderr[:1500]}"


def _stderr_fault(stderr: str, status: int | str | None) -> str | None:
    lines = stderr.split("\n")
    if lines.pop():
        return "no line end on stderr"
    lines = [line for line in lines if line != PRINTED]
    odd = [line for line in lines if not line.isprintable() or len(line) > _LONGEST_LINE]
    while lines and lines[0].startswith("warning: "):
        del lines[0]
    if status in (2, 3):
        if not lines or not re.match("error: .", lines.pop(0)):
            return "no error line"
        if lines and re.match("hint: .", lines[0]):
            del lines[0]
    if lines:
        return f"on stderr: {lines[0]!r}"
    return f"a line on stderr that is too long or not printable: {odd[0]!r:.300}" if odd else None


# --- tables, and text of them ----------------------------------------------------------------


@dataclass(frozen=True)
class Table:
    """Logits with the names that they have."""

    z: np.ndarray[Any, np.dtype[np.float64]]
    classes: list[str] | None = None
    samples: list[str] | None = None


_CLASSES = ["cat", "dog", "owl", "[red]", "a b", "naïve", "\x1b[31mx", "x\u2028y", 'q"q', "日本"]
_SAMPLES = ["photo", "x\ny", "[b]", "=1+1", "\x1b]0;t\x07", "ß", "-", "a" * 200, "z\u202e", "'"]
_ODD_VALUES = [0.0, -0.0, 1e308, -1e308, 5e-324, 1e-310, 700.0, -746.0, 40.0, 1e16, 0.1, -np.inf]


def table(rng: random.Random, most: int = 8) -> Table:
    """Return some logits that are right, with or without names."""
    K, C = rng.choice([1, 1, 2, 3, rng.randint(1, most)]), rng.choice([1, 2, 3, 3, 4, 7])
    if rng.random() < 0.02:
        K, C = rng.choice([(100, 3), (3, 100), (1, 300), (62, 2)])
    z = np.array([[_value(rng) for _ in range(C)] for _ in range(K)])
    z[~np.isfinite(z).any(axis=1), 0] = 1.0
    names = [f"c{j}" for j in range(C)]
    if len(_CLASSES) >= C and rng.random() < 0.5:
        names = rng.sample(_CLASSES, C)
    samples = [f"{rng.choice(_SAMPLES)}{k}x" for k in range(K)]
    named = rng.random()
    return Table(z, names if named < 0.6 else None, samples if named < 0.4 else None)


def _value(rng: random.Random) -> float:
    if rng.random() < 0.15:
        return rng.choice(_ODD_VALUES)
    return rng.choice([rng.gauss(0, 3), round(rng.gauss(0, 5), 2), float(rng.randint(-9, 9))])


def encode(rng: random.Random, content: Table, kind: str) -> tuple[bytes, list[str]]:
    """Write a table in a format, in one of the ways that there are, with the options it needs."""
    if kind in ("csv", "tsv"):
        return _as_text(rng, content, kind)
    if kind == "json":
        return _as_json(rng, content), []
    if kind == "jsonl":
        return _as_lines(rng, content), []
    if kind == "npy":
        return _as_npy(rng, content.z), []
    return _as_parquet(content), []


def _as_text(rng: random.Random, content: Table, kind: str) -> tuple[bytes, list[str]]:
    delimiter, options = "\t" if kind == "tsv" else rng.choice(",,;|\t"), []
    if kind == "csv":
        options = ["--delimiter", delimiter]
    rows = [[_printed(rng, value) for value in row] for row in content.z.tolist()]
    if content.samples is not None:
        rows = [[name, *row] for name, row in zip(content.samples, rows, strict=True)]
    if content.classes is not None:
        corner = [rng.choice(["", "id", "Sample"])] if content.samples is not None else []
        rows.insert(0, corner + content.classes)
    text = io.StringIO()
    end = rng.choice(["\n", "\r\n", "\n"])
    writer = csv.writer(
        text,
        delimiter=delimiter,
        lineterminator=end,
        quoting=csv.QUOTE_ALL if rng.random() < 0.3 else csv.QUOTE_MINIMAL,
    )
    writer.writerows(rows)
    lines = text.getvalue()
    lines = lines.removesuffix(end) if rng.random() < 0.2 else lines
    lines = lines + end if rng.random() < 0.1 else lines
    return rng.choice([b"", b"", b"\xef\xbb\xbf"]) + lines.encode(), options


def _printed(rng: random.Random, value: float) -> str:
    text = repr(value)
    if rng.random() < 0.1:
        text = rng.choice([f"+{text}" if text[0] != "-" else text, f" {text} ", f"{value:.17e}"])
    return text


def _plain(value: float) -> float | str:
    return "-inf" if value == -np.inf else value


def _as_json(rng: random.Random, content: Table) -> bytes:
    rows = [[_plain(value) for value in row] for row in content.z.tolist()]
    flat = len(rows) == 1 < len(rows[0]) and rng.random() < 0.5
    document: Any = rows[0] if flat else rows
    if content.classes is not None and (content.samples is None or rng.random() < 0.5):
        document = {"logits": document, "classes": content.classes}
        if content.samples is not None:
            document["samples"] = content.samples
    elif content.classes is not None and content.samples is not None:
        document = [
            {"sample": name, **dict(zip(content.classes, row, strict=True))}
            for name, row in zip(content.samples, rows, strict=True)
        ]
    indent = rng.choice([None, None, 1])
    return json.dumps(document, indent=indent, ensure_ascii=rng.random() < 0.5).encode()


def _as_lines(rng: random.Random, content: Table) -> bytes:
    rows = [[_plain(value) for value in row] for row in content.z.tolist()]
    documents: list[Any] = rows
    if content.samples is not None:
        pairs = zip(content.samples, rows, strict=True)
        documents = [{"logits": row, "sample": name} for name, row in pairs]
    elif content.classes is not None:
        documents = [dict(zip(content.classes, row, strict=True)) for row in rows]
    lines = "\n".join(json.dumps(each, ensure_ascii=rng.random() < 0.5) for each in documents)
    return (lines + rng.choice(["\n", "\n", "", "\n\n"])).encode()


def _as_npy(rng: random.Random, z: Any) -> bytes:
    array = z[0] if z.shape[1] > len(z) == 1 and rng.random() < 0.5 else z
    array = np.asfortranarray(array) if rng.random() < 0.3 else array
    text = io.BytesIO()
    npy_format.write_array(
        text, array.astype(rng.choice(["<f8", "<f8", ">f8"])), version=rng.choice([(1, 0), (2, 0)])
    )
    return text.getvalue()


def _as_parquet(content: Table) -> bytes:
    names = content.classes or [str(j) for j in range(1, content.z.shape[1] + 1)]
    columns: dict[str, Any] = {} if content.samples is None else {"sample": content.samples}
    columns |= {name: content.z[:, j] for j, name in enumerate(names)}
    text = io.BytesIO()
    pl.DataFrame(columns).write_parquet(text)
    return text.getvalue()


# --- what must come of a table ---------------------------------------------------------------


def softmax(z: Any) -> Any:
    """The textbook's softmax, from logits that are right, in the widest floats there are."""
    z = np.asarray(z, dtype=np.longdouble)
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def numbers(ending: Ending, output: str, key: str) -> Any:
    """Read the numbers back from json, jsonl or npy."""
    if output == "npy":
        return np.load(io.BytesIO(ending.stdout))
    if output == "json":
        found: Any = json.loads(ending.stdout)[key]
    else:
        key = key.removesuffix("s") if key == "partials" else key
        found = [json.loads(line)[key] for line in ending.stdout.splitlines()]
    return np.array(found, dtype=float)


def _as_expected(expected: Any, atol: float, output: str, key: str) -> Expectation:
    def expect(ending: Ending) -> str | None:
        if ending.status != 0:
            return "right input is refused"
        found = numbers(ending, output, key)
        if found.shape != expected.shape:
            return f"found shape {found.shape}, expected {expected.shape}"
        right = np.allclose(found, expected.astype(float), rtol=1e-9, atol=atol)
        return None if right else f"found {found}, expected {expected}"

    return expect


def _as_read(content: bytes, kinds: tuple[str, ...], output: str) -> Expectation:
    """Whatever is taken for samples, an independent reader takes for the same."""

    def expect(ending: Ending) -> str | None:
        if ending.status != 0:
            return None
        found = numbers(ending, output, "probabilities")
        others = [rows for kind in kinds for rows in _INDEPENDENT[kind](content)]
        if any(_same(found, rows) for rows in others):
            return None
        return f"found {found}, of what is read independently as {others!r:.1000}"

    return expect


def _same(found: Any, rows: list[list[float | None]]) -> bool:
    """Tell whether probabilities are of these rows; None is what is no number."""
    if len(found) != len(rows):
        return False
    for y, row in zip(found, rows, strict=True):
        z = [value for value in row if value is not None]
        if len(z) < len(y):
            return False
        # Where columns of names are numbers, which were chosen is the reader's business.
        if len(z) == len(y) and not np.allclose(softmax(np.array([z]))[0], y, 1e-7, 1e-11):
            return False
    return True


def _number(value: Any) -> float | None:
    try:
        return float(str(value).replace("\N{MINUS SIGN}", "-").strip())
    except ValueError:
        return None


def _rows_of_text(content: bytes) -> Iterator[list[list[float | None]]]:
    text = content.removeprefix(b"\xef\xbb\xbf").decode()
    for delimiter in ",;\t| ":
        lines = io.StringIO(text, newline="")
        spaces = delimiter == " "
        try:
            rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=spaces))
        except csv.Error:
            continue
        rows = [row for row in rows if row and not (len(row) == 1 and row[0].isspace())]
        if spaces:
            rows = [[cell for cell in row if cell] for row in rows]
        values = [[_number(cell) for cell in row] for row in rows]
        yield values
        yield values[1:]


def _rows_of_json(content: bytes) -> Iterator[list[list[float | None]]]:
    document = json.loads(content.removeprefix(b"\xef\xbb\xbf"))
    if isinstance(document, dict):
        document = document.get("logits", [document])
    yield _rows_of(document)


def _rows_of_lines(content: bytes) -> Iterator[list[list[float | None]]]:
    lines = content.removeprefix(b"\xef\xbb\xbf").decode().split("\n")
    documents = [json.loads(line) for line in lines if line.strip()]
    yield _rows_of([each.get("logits", each) if isinstance(each, dict) else each
                    for each in documents])  # fmt: skip


def _rows_of(document: Any) -> list[list[float | None]]:
    rows = document if isinstance(document[0], list | dict) else [document]
    rows = [list(row.values()) if isinstance(row, dict) else row for row in rows]
    return [[_number(value) for value in row] for row in rows]


def _rows_of_npy(content: bytes) -> Iterator[list[list[float | None]]]:
    array = np.load(io.BytesIO(content), allow_pickle=False)
    yield np.atleast_2d(array).astype(float).tolist()


def _rows_of_parquet(content: bytes) -> Iterator[list[list[float | None]]]:
    # polars ends its process on some that are damaged.
    done = subprocess.run(
        [sys.executable, "-c", _ROWS_OF_PARQUET], input=content, capture_output=True, check=False
    )
    if not done.returncode:
        yield [list(map(_number, row)) for row in json.loads(done.stdout)]


_ROWS_OF_PARQUET = """
import io, json, sys, polars
table = polars.read_parquet(io.BytesIO(sys.stdin.buffer.read()))
print(json.dumps([list(map(str, row)) for row in table.rows()]))
"""


_INDEPENDENT: dict[str, Callable[[bytes], Iterator[list[list[float | None]]]]] = {
    "csv": _rows_of_text,
    "tsv": _rows_of_text,
    "json": _rows_of_json,
    "jsonl": _rows_of_lines,
    "npy": _rows_of_npy,
    "parquet": _rows_of_parquet,
}


# --- mutation --------------------------------------------------------------------------------

_PIECES = [
    b"", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\r\n", b"\t", b" ", b",",
    b";", b"|", b'"', b'""', b"'", b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b'"-inf"', b"-",
    b"1e999", b"-1e999", b"1e-999", b"1_0", b"0x10", b"1e308", b"5e-324", b"9" * 400, b"0" * 5000,
    b"1.5", b"-0", b"+", b"e", b".", b"\xe2\x88\x92" b"1", b"\xe2\x80\xa8", b"\xc2\x85",
    b"\x1b[31m",
    b"\x0b", b"\x0c", b"\x1c", b"\xc2\xa0", b"\xe2\x80\xae", b"[", b"]", b"{", b"}", b":", b"[" * 9,
    b"[" * 3000, b"[1,2]", b"{}", b"[]", b"null", b"true", b'"\\ud800"', b'"\\u0000"', b'{"a":1}',
    b'"logits":', b'"sample":', b'"classes":["a"],', b"#", b"%", b"1,5", b"12:30", b"\xd9\xa1",
    b"\x93NUMPY", b"PAR1", b"\x1a", b"\x7f", b"x" * 3000, b"NA", b"1 2 3", b"id", b"1", b"0", b"\\",
]  # fmt: skip


def mutate(rng: random.Random, content: bytes) -> bytes:
    """Damage bytes in a few places."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        at, to = (rng.randint(0, len(data)) for _ in range(2))
        at, to = min(at, to), min(max(at, to), at + rng.choice([1, 4, 40, 1 << 20]))
        match rng.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 1:
                data[at:to] = b""
            case 2:
                data[at:at] = data[at:to]
            case 3:
                data[at:at] = rng.randbytes(rng.choice([1, 2, 8]))
            case 4:
                data[at:to] = rng.choice(_PIECES)
            case _:
                data[at:at] = rng.choice(_PIECES)
    return bytes(data)


def _mutated_npy(rng: random.Random) -> bytes:
    """Damage what the header says, which damaged bytes rarely do."""
    header: dict[Any, Any] = {"descr": "<f8", "fortran_order": False, "shape": (2, 3)}
    for _ in range(rng.choice([1, 1, 2])):
        header[rng.choice(["descr", "shape", "fortran_order", "more"])] = rng.choice(
            [
                "<f8", ">f4", "<f2", "|i1", "<u8", "|b1", "<c16", "<U3", "|S4", "<M8[s]",
                "|O", "|V8",
                "<f16", "f", 8, None, [("a", "<f8")], [("a", "<f8", (3,))], ("<f8",
                (3,)), "<i8", "",
                True, 1, (), (6,), (3, 2), (1, 2, 3), (0, 3), (2, 0), (-2, 3), (2.0, 3), (True, 6),
                (10**12, 3), (3, 10**12), (10**30, 1), (2**63, 2), (2**62, 4), "()", (2,
                3, ()), "x",
                {"a": 1}, (2**31, 2**31, 2**31), (None,), "<f8" * 3, "\x1b[31m", "m8", "<M8[ns]",
            ]
        )  # fmt: skip
    text = repr(header)
    if rng.random() < 0.2:
        text = rng.choice(["__import__('os').abort()", "{" * 200, "[" * 3000, "{}", "1", "'é'",
                           text[:-3], text * 2, "(" * 90, "{'shape': (1,)}", "\n" * 5])  # fmt: skip
    major = rng.choice([1, 1, 2, 3, 0, 255])
    encoded = text.encode("latin1" if major < 3 else "utf-8", "replace") + b"\n"
    encoded = encoded + b" " * rng.choice([0, 0, 0, 20_000])
    if rng.random() < 0.5:
        encoded = encoded[:-1].ljust(118 if major == 1 else 116) + b"\n"
    size = len(encoded) if rng.random() < 0.9 else rng.choice([0, 1, 2**16 - 1])
    length = (size % 2**16).to_bytes(2, "little") if major == 1 else size.to_bytes(4, "little")
    body = np.arange(6.0).tobytes() * rng.choice([1, 1, 1, 4])
    return b"\x93NUMPY" + bytes([major, 0]) + length + encoded + body[: rng.choice([48, 47, 0, 99])]


# --- kinds of cases --------------------------------------------------------------------------


def _source(
    rng: random.Random, content: bytes, kind: str, options: list[str]
) -> tuple[list[str], bytes, dict[str, bytes]]:
    """Hand content over: words, standard input and files."""
    if rng.random() < 0.5:
        name = f"z.{kind}"
        return [name, *options], b"", {name: content}
    return ["--input-format", kind, *options, *rng.choice([[], ["-"]])], content, {}


def _right(rng: random.Random) -> Case:
    kind, content = rng.choice(_FORMATS), table(rng)
    text, options = encode(rng, content, kind)
    output = rng.choice(["json", "jsonl", "npy"])
    words, stdin, files = _source(rng, text, kind, options)
    T = rng.choice([1.0, 1.0, 0.5, 20.0])
    z, C, scale = np.longdouble(content.z) / T, content.z.shape[1], 1.0
    y = softmax(z)
    match rng.randrange(4):
        case 0:
            command, key, expected = ["forward"], "probabilities", y
        case 1:
            command, key = ["jacobian"], "jacobian"
            expected = (y[:, :, None] * np.eye(C) - y[:, :, None] * y[:, None, :]) / T
        case 2:
            j, i = rng.randrange(C), rng.randrange(C)
            command, key = ["jacobian", "--entry", f"{j + 1},{i + 1}"], "partials"
            expected = y[:, j] * ((j == i) - y[:, i]) / T
        case _:
            g = [round(rng.gauss(0, 2), 3) for _ in range(C)]
            command, key = ["jacobian", "--vjp", ",".join(map(str, g))], "vjp"
            expected, scale = y * (g - (y @ g)[:, None]) / T, max(map(abs, g))
    if rng.random() < 0.2:
        k = rng.randrange(len(content.z))
        command, expected = [*command, "--sample", str(k + 1)], expected[k : k + 1]
    return Case(
        f"right {kind}",
        [*command, *words, "-f", output, "--temperature", str(T)],
        stdin,
        files,
        _as_expected(expected, 1e-14 * scale / T, output, key),
        lane=kind == "parquet" or rng.random() < 0.3,
        piped=rng.random() < 0.5,
    )


def _reading(rng: random.Random, kind: str, content: bytes, title: str) -> Case:
    output = rng.choice(["json", "jsonl", "npy"])
    kinds: tuple[str, ...] = (kind,)
    words, stdin, files = _source(rng, content, kind, [])
    if rng.random() < 0.15:
        words, stdin, files, kinds = [], content, {}, tuple(_INDEPENDENT)
    return Case(
        f"{title} {kind}",
        ["forward", *words, "-f", output],
        stdin,
        files,
        _as_read(content, kinds, output) if len(kinds) == 1 else None,
        lane=kind == "parquet" or rng.random() < 0.3,
        piped=rng.random() < 0.3,
    )


_SAMPLE_TEXTS = {
    path.name: path.read_bytes()[:20_000]
    for path in sorted(SAMPLES.iterdir())
    if path.suffix in (".csv", ".json") and path.stat().st_size < 20_000
}


def _mutated(rng: random.Random) -> Case:
    kind = rng.choice(_FORMATS)
    content, _ = encode(rng, table(rng), kind)
    if kind == "npy" and rng.random() < 0.7:
        content = _mutated_npy(rng)
        return _reading(rng, kind, content, "mutated")
    if kind in ("csv", "json") and rng.random() < 0.2:
        content = rng.choice([t for n, t in _SAMPLE_TEXTS.items() if n.endswith(kind)])
    return _reading(rng, kind, mutate(rng, content), "mutated")


def _noise(rng: random.Random) -> Case:
    kind = rng.choice(_FORMATS)
    if rng.random() < 0.3:
        content = rng.randbytes(rng.choice([0, 1, 3, 30, 300]))
    else:
        content = b"".join(rng.choice(_PIECES) for _ in range(rng.randint(1, 20)))
    return _reading(rng, kind, content, "noise")


def _long(rng: random.Random) -> Case:
    """Damage far behind the first blocks, where faster readers are at work."""
    kind = rng.choice(["csv", "tsv", "jsonl", "npy"])
    content = Table(np.round(np.random.default_rng(rng.randrange(99)).normal(0, 3, (9000, 3)), 3))
    text, _ = encode(rng, content, kind)
    return _reading(rng, kind, mutate(rng, text), "long")


_VALUES = [
    "1", "0", "-1", "2-3", "3-1", "1-", "-2", "1,1", "cat", "cat,dog", "dog,cat", "id",
    "", " ", ",",
    "'", '"', '"cat', '"cat"x', "1,2", "2,2", "1,99", "cat,2", "0,0", "nan", "inf", "-inf", "1e308",
    "1e-308", "5e-324", "1e-320", "1e400", "1_0", "0x1", "\u0661", "\u00b2", "1" * 400,
    "tab", "\\t",
    "\t", "\n", "\x1b[31m", "\udcff", "\u2028", "x" * 3000, "[red]", "*", "..", "photo", "2", "3",
    "17", "18", "1.5", "1e1", "-", "--", "table", "csv", "npy", "Csv", "\r", "\x85", "e", ".", "+",
    "0,0,1", "1,2,3", "0,0,1e308", "1e308,1e308,-1e308", "nan,1,2", "1;2;3", "1 2 3", "\u22121,2,3",
]  # fmt: skip
_OPTIONS = {
    "forward": ["--columns", "--id", "--delimiter", "--sample", "--temperature", "-p", "-f",
                "--input-format"],
    "jacobian": ["--columns", "--id", "--delimiter", "--sample", "--temperature", "-p", "-f",
                 "--input-format", "--entry", "--vjp"],
    "check": ["--columns", "--id", "--delimiter", "--temperature", "-p", "-f", "--input-format",
              "--method", "--step", "--atol", "--rtol", "--probabilities", "--jacobian", "--vjp",
              "--upstream"],
}  # fmt: skip


def _options(rng: random.Random) -> Case:
    command, kind = rng.choice(list(_OPTIONS)), rng.choice(_FORMATS)
    content, _ = encode(rng, table(rng), kind)
    words, stdin, files = _source(rng, content, kind, [])
    for option in rng.sample(_OPTIONS[command], rng.choice([1, 1, 2, 3])):
        words += [option, _text(rng)]
    lane = kind == "parquet" or rng.random() < 0.3
    return Case("options", [command, *words], stdin, files, lane=lane)


def _text(rng: random.Random) -> str:
    if rng.random() < 0.8:
        return rng.choice(_VALUES)
    some = "".join(rng.choice(_VALUES)[:9] for _ in range(rng.randint(1, 3)))
    return "".join(c for c in some if c not in "/\0")


_LINES = [
    "forward 2 1 0.1", "forward -inf 0 -1.5 --log", "forward z.csv -f csv", "forward - -f json",
    "forward 1,2,3 4,5,6 -t 0.5", "jacobian 1 2 3", "jacobian 1 2 3 --explain -f latex",
    "jacobian z.csv --entry 1,2 -f csv", "jacobian z.csv --vjp 0,0,1 -f jsonl", "check 1 2 3",
    "jacobian z.csv --sample 2 -o out.csv", "check z.csv --method complex-step -f json",
    "check z.csv --jacobian J.csv -q", "check z.csv --vjp g.csv --upstream 0,0,1 --atol 1",
    "check 1 2 3 --sweep -f csv", "forward z.csv -o out.svg -p 3", "jacobian 1 2 -o out.md",
    "forward z.csv --columns 1-2 --id 3 --delimiter , --input-format csv", "--version", "--help",
    "check 1 2 3 --probabilities mine.py:softmax --method forward --step 1e-6", "forward --help",
    "check 1,2 3,4 --jacobian mine.py:softmax -f csv", "jacobian 1 2 3 --explain -o out.html",
]  # fmt: skip
_WORDS = [
    "forward", "jacobian", "check", "-h", "-f", "-o", "-p", "-q", "-t", "--", "-",
    "--log", "--sweep",
    "--explain", "z.csv", "J.csv", "g.csv", "out.csv", "out.json", "out.npy", "out.tex",
    "out.parquet",
    "out.txt", "missing.csv", ".", "..", "-1", "-inf", "+2", "nan", "inf", "1,2", "1,2,3", "-.5e1",
    "--formt", "-x", "-inff", "--columns=1", "--format=csv", "--format=", "-fcsv", "-p17", "-qf",
    "--sample", "--entry", "--vjp", "--upstream", "mine.py:softmax", "mine.py:missing", "mine.py",
    "os:getcwd", "no.module:f", "math:pi", "mine.py:raises", "mine.py:exits", "mine.py:words",
    "mine.py:nan", "mine.py:big", "2>1", "\u22121", "1e400", "z.csv ", "",
]  # fmt: skip
_MINE = b"""
import numpy as np
def softmax(z, g=None):
    print("called")
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
def raises(*inputs): raise ValueError("\\x1b[31m no\\n" * 5)
def exits(*inputs): raise SystemExit(3)
def words(*inputs): return "words"
def nan(z, *g): return z * np.nan
def big(z, *g): return np.full((len(z), 3, 3), 1e308)
"""


def _command_line(rng: random.Random) -> Case:
    words = rng.choice(_LINES).split()
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        at = rng.randint(0, len(words))
        match rng.randrange(5):
            case 0:
                del words[at : at + 1]
            case 1:
                words[at:at] = words[at : at + 1]
            case 2 if words:
                word = words[at % len(words)].encode("utf-8", "surrogateescape")
                word = mutate(rng, word)[:4000].translate(None, b"/\0")
                words[at % len(words)] = word.decode("utf-8", "surrogateescape")
            case _:
                words[at:at] = [rng.choice([rng.choice(_WORDS), _text(rng)])]
    files = {
        "z.csv": _as_text(rng, Table(np.arange(9.0).reshape(3, 3)), "tsv")[0].replace(b"\t", b","),
        "J.csv": b"0.1,0.2,0.3\n" * 9,
        "g.csv": b"0,0,1\n" * 3,
        "mine.py": _MINE,
    }
    # Without a word the program shows its help, on stderr; completion would be installed.
    words = [word for word in words if "complet" not in word] or ["forward"]
    expect = _nothing if not {"-h", "--help"}.isdisjoint(words) else None
    return Case("command line", words, b"1,2,3\n", files, expect, lane=rng.random() < 0.1)


def _nothing(ending: Ending) -> None:
    pass


def _candidate(rng: random.Random) -> Case:
    content, kind = table(rng), rng.choice(_FORMATS)
    z, C = content.z, content.z.shape[1]
    y = softmax(z).astype(float)
    option = rng.choice(["probabilities", "jacobian", "vjp"])
    g = [1.0] + [0.0] * (C - 1)
    values: Any = {
        "probabilities": y,
        "jacobian": (y[:, :, None] * np.eye(C) - y[:, :, None] * y[:, None, :]).reshape(-1, C),
        "vjp": y * (g - (y @ g)[:, None]),
    }[option]
    text, _ = encode(rng, Table(values), kind)
    if option == "jacobian" and kind == "json" and rng.random() < 0.5:
        text = json.dumps({"jacobian": values.reshape(-1, C, C).tolist()}).encode()
    right = rng.random() < 0.3
    text = text if right else mutate(rng, text)
    source, _ = encode(rng, Table(z), "npy")
    words = [
        "check",
        "z.npy",
        f"--{option}",
        f"c.{kind}",
        "-f",
        rng.choice(["json", "csv", "table"]),
    ]
    words += ["--upstream", ",".join(map(str, g))] if option == "vjp" else []
    # The textbook's formula, of logits beyond what it can do, fails rightly.
    tame = right and np.abs(np.where(np.isfinite(z), z, 0)).max() < 30 and kind != "csv"
    return Case(
        f"candidate {kind}" if not right else "right candidate",
        words,
        files={"z.npy": source, f"c.{kind}": text},
        expect=_passes if tame else None,
        lane=kind == "parquet" or rng.random() < 0.3,
    )


def _passes(ending: Ending) -> str | None:
    return None if ending.status == 0 else "a right candidate does not pass"


def _upstream(rng: random.Random) -> Case:
    content, kind = table(rng), rng.choice(_FORMATS)
    g = Table(np.round(np.random.default_rng(rng.randrange(99)).normal(0, 1, content.z.shape), 3))
    text, _ = encode(rng, g, kind)
    text = mutate(rng, text)
    K, C = content.z.shape

    def expect(ending: Ending) -> str | None:
        if ending.status != 0:
            return None
        found = numbers(ending, "npy", "vjp").shape
        return None if found == (K, C) else f"found shape {found}, expected {(K, C)}"

    source = _as_npy(rng, content.z)
    words = ["jacobian", "z.npy", "--vjp", f"g.{kind}", "-f", "npy"]
    files = {"z.npy": source, f"g.{kind}": text}
    return Case(f"upstream {kind}", words, files=files, expect=expect, lane=kind == "parquet")


def _views(rng: random.Random) -> Case:
    """Everything that is drawn or printed, of extreme logits at extreme settings."""
    content = table(rng, 3)
    extreme = [rng.choice([*_ODD_VALUES, 1.7e308, -1.7e308, 1e-300, 745.1]) for _ in range(9)]
    if rng.random() < 0.6:
        z = np.array(extreme).reshape(3, 3)
        z[~np.isfinite(z).any(axis=1), 0] = 1.0
        content = Table(z)
    words: list[str] = []
    text, options = encode(rng, content, "csv")
    if rng.random() < 0.5:
        words += [
            "-t",
            rng.choice(["2.3e-308", "1e-300", "1e-5", "0.5", "1e5", "1e300", "1.7e308"]),
        ]
    match rng.randrange(6):
        case 0:
            words = ["forward", *words, *rng.choice([[], ["--log"]])]
        case 1:
            words = ["jacobian", *words]
        case 2:
            words = ["jacobian", "--explain", *words, *rng.choice([[], ["--entry", "1,1"]])]
        case 3:
            g = ",".join(rng.choice(["0", "1", "1e308", "-1e308", "5e-324"]) for _ in content.z[0])
            words = ["jacobian", "--vjp", g, *words]
        case 4:
            words = ["check", "--sweep", *words]
        case _:
            method = rng.choice(["central", "forward", "complex-step", "richardson"])
            words = ["check", "--method", method, *words]
            if rng.random() < 0.5:
                words += [
                    "--step",
                    rng.choice(["1e-308", "5e-324", "1e-20", "0.1", "1e5", "1.7e308"]),
                ]
            if rng.random() < 0.3:
                words += ["--atol", rng.choice(["0", "1e-300", "1e308"]), "--rtol", "0"]
    if rng.random() < 0.3:
        words += ["-o", f"out.{rng.choice(['svg', 'html', 'txt', 'md', 'tex', 'json', 'parquet'])}"]
    else:
        words += ["-f", rng.choice(["table", "csv", "json", "jsonl", "markdown", "latex", "table"])]
    words += ["-p", str(rng.randint(1, 17))]
    return Case(
        "views", [*words, "z.csv", *options], files={"z.csv": text}, lane="out.parquet" in words
    )


_KINDS: dict[Callable[[random.Random], Case], int] = {
    _right: 160,
    _mutated: 400,
    _noise: 80,
    _options: 120,
    _command_line: 120,
    _candidate: 80,
    _upstream: 40,
    _views: 40,
    _long: 2,
}


def case(seed: int, index: int) -> Case:
    """Return the case of a number; the same one every time."""
    rng = random.Random(f"{seed}-{index}")
    (kind,) = rng.choices(list(_KINDS), list(_KINDS.values()))
    return kind(rng)
