"""Hostile input for the program, a case a seed, and what must come of it.

Whatever it is given, the program ends with an exit status of the contract and an error of one
line in printable characters, with at most a hint below it. Where it succeeds, its numbers are
those of a reader that has nothing to do with it, in whatever way it is run.
"""

import csv
import fcntl
import io
import json
import os
import random
import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from softmax_cli import fast, pipeline
from softmax_cli.__main__ import main
from softmax_cli.reading.text import Stream
from tests.program import Outcome, import_all, take_streams

WAYS: dict[str, dict[str, Any]] = {  # beside a file of one block, in one process, with orjson
    "standard input": {"source": "-"},
    "slow pipe, blocks": {"source": "slow"},
    "blocks": {"block_size": 16},
    "blocks in processes": {"block_size": 16, "jobs": 3},
    "slow blocks in processes": {"source": "slow", "block_size": 16, "jobs": 3},
    "no orjson, blocks": {"orjson": False, "block_size": 16},
}
_LONGEST, _SLOTS = 1_000_000, 250  # of content, and of a pipe of 1 MB
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?")
_IS_READY, _ORJSON = Stream.is_ready, fast.orjson


@dataclass(frozen=True)
class Case:
    """Words, with {z} for the content; the rows and the classes it has, where they are known."""

    kind: str
    words: list[str]
    content: bytes
    form: str
    rows: Any = None
    classes: list[str] | None = None


_NAMES = ["cat", "[red]", "a b", "naïve", "\x1b[31mx", "x\u2028y", 'q"q', "日本", "x\ny", "-",
          "z\u202e"]  # fmt: skip
_ODD = [0.0, -0.0, 1e308, -1e308, 5e-324, 700.0, -746.0, 40.0, 1e16, 0.1, -np.inf]


def right(rng: random.Random, form: str) -> Case:
    """Return some logits in a format, in one of the ways that there are."""
    K, C = rng.choice([1, 2, 3, 8, 30]), rng.choice([2, 3, 3, 4, 7])
    z = np.array([[rng.gauss(0, 3) for _ in range(C)] for _ in range(K)])
    for _ in range(rng.choice([0, 0, 1, 3])):
        z[rng.randrange(K), rng.randrange(C)] = rng.choice(_ODD)
    z[~np.isfinite(z).any(axis=1), 0] = 1.0
    classes = rng.sample(_NAMES, C) if form == "parquet" or rng.random() < 0.6 else None
    rows, keys = z.tolist(), classes or [f"c{j}" for j in range(C)]
    if classes and rng.random() < 0.5:
        rows = [[f"{rng.choice(_NAMES)}{k}x", *row] for k, row in enumerate(rows)]
        keys = ["id", *classes]
    file, text, flag = io.BytesIO(), io.StringIO(), rng.random() < 0.5
    if form == "npy":
        order = np.asfortranarray if flag else np.asarray
        np.save(file, order(z).astype(rng.choice(["<f8", ">f8"])))
        classes = None
    elif form == "parquet":
        columns = pa.table(list(map(list, zip(*rows, strict=True))), keys)
        parquet.write_table(columns, file, row_group_size=rng.choice([1, 5, 99]))
    elif form in ("csv", "tsv"):
        text.write(rng.choice(["", "\ufeff"]))
        delimiter, end = "\t" if form == "tsv" else rng.choice(",,;|"), rng.choice(["\n", "\r\n"])
        quoting: Any = csv.QUOTE_ALL if flag else csv.QUOTE_MINIMAL
        writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
        writer.writerows([keys, *rows] if classes else rows)
    else:
        rows = [["-inf" if value == -np.inf else value for value in row] for row in rows]
        records = [dict(zip(keys, row, strict=True)) for row in rows] if classes or flag else rows
        whole = {"logits": [row[-C:] for row in rows], "classes": keys[-C:]}
        values = records if form == "jsonl" else [rng.choice([records, whole])]
        text.writelines(json.dumps(value, ensure_ascii=flag) + "\n" for value in values)
    return Case("right", [], file.getvalue() or text.getvalue().encode(), form, z.tolist(), classes)


_PIECES = [
    b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\r\n", b"\t", b" ", b",", b";",
    b'"', b'""', b"'", b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b'"-inf"', b"-", b"1e999",
    b"1e-999", b"1_0", b"0x10", b"1e308", b"5e-324", b"9" * 400, b"0" * 5000, b"1.5", b"-0", b"+",
    b"e", b".", b"\xe2\x88\x921", b"\xe2\x80\xa8", b"\xc2\x85", b"\x1b[31m", b"\x0b", b"\x1c",
    b"\xc2\xa0", b"\xe2\x80\xae", b"[", b"]", b"{", b"}", b":", b"[" * 3000, b"[1,2]", b"1,2],[3,4",
    b"{}", b"[]", b"null", b"true", b'"\\ud800"', b'{"a":1}', b'"logits":', b"#", b"1,5", b"12:30",
    b"\xd9\xa1", b"\x93NUMPY", b"PAR1", b"\x1f\x8b", b"x" * 3000, b"NA", b"1 2 3", b"id", b"\\",
]  # fmt: skip
_DESCRIPTIONS = ["<f4", "<f2", "|i1", "<u8", "|b1", "<c16", "<U3", "|O", "|V8", "<f16", None, "",
                 (), (6,), (3, 2), (1, 2, 3), (0, 3), (-2, 3), (2.0, 3), (True, 6), (10**12, 3),
                 (10**30, 1), (2**62, 4), "__import__('os').abort()", "\x1b[31m"]  # fmt: skip


def mutate(rng: random.Random, content: bytes) -> bytes:
    """Damage bytes in a few places."""
    data = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 3, 8])):
        at = rng.randint(0, len(data))
        to = min(len(data), at + rng.choice([1, 4, 40, 1 << 20]))
        data[at:to] = rng.choice(
            [b"", data[at:to] * 2, rng.randbytes(2) + data[at:to], rng.choice(_PIECES),
             rng.choice(_PIECES) + data[at:to], rng.choice(_PIECES) + data[at:to]]
        )  # fmt: skip
    return bytes(data)


def damaged_npy(rng: random.Random) -> bytes:
    """Damage what the header says, which damaged bytes rarely do."""
    header: dict[str, Any] = {"descr": "<f8", "fortran_order": False, "shape": (2, 3)}
    header[rng.choice(list(header))] = rng.choice(_DESCRIPTIONS)
    text = (repr(header) if rng.random() < 0.8 else rng.choice("{[(x") * 2000).encode() + b"\n"
    size = (rng.choice([len(text), len(text), 0, -1]) % 2**16).to_bytes(2, "little")
    return b"\x93NUMPY\x01\x00" + size + text + bytes(rng.choice([48, 47, 99]))


_LINES = ["forward {z}", "forward {z} --log -f json", "jacobian {z} --entry 1,2 -f csv",
          "jacobian {z} --vjp 0,1 -f jsonl", "jacobian {z} --explain -f latex", "check {z} -f json",
          "jacobian {z} --sample 2 -f markdown", "check {z} --method complex-step --step 1e-6",
          "check {z} --sweep -f csv", "check {z} --probabilities {z} --atol 1 -q",
          "check {z} --vjp math:pi --upstream 0,1", "forward {z} --columns 1-2 --id 3 -t 0.5",
          "forward 2 1 -inf -p 17", "jacobian 1,2,3 4,5,6 -f tsv", "forward --help"]  # fmt: skip
_WORDS = ["forward", "check", "-h", "-f", "-o", "-p", "-q", "-t", "--", "-", "--log", "--sweep",
          "{z}", "--explain", "missing.csv", ".", "-1", "-inf", "+2", "nan", "1,2", "-.5e1", "-x",
          "--formt", "--columns=1", "--format=", "-fcsv", "--entry", "--vjp", "--upstream", "--id",
          "--delimiter", "--input-format", "--atol", "--step", "no.module:f", "0", "2-3", "3-1",
          "1-", "cat,dog", "", " ", "'", '"cat', "inf", "1e308", "5e-324", "1e400", "1_0", "0x1",
          "\u0661", "tab", "\n", "\x1b[31m", "\udcff", "\u2028", "x" * 3000, "[red]", "17", "18",
          "table", "csv", "0,0,1", "1,2,3", "1e308,1e308", "\u22121,2"]  # fmt: skip


def command_line(rng: random.Random) -> list[str]:
    words = rng.choice(_LINES).split()
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        at = rng.randint(0, len(words))
        new = [rng.choice(_WORDS)]
        words[at : at + rng.choice([0, 0, 1])] = rng.choice([new, new, []])
    return words or ["forward"]


def case(seed: int, index: int) -> Case:
    """Return the case of a number; the same one every time."""
    rng = random.Random(f"{seed}-{index}")
    form = rng.choice(["csv", "tsv", "json", "jsonl", "npy", "parquet"])
    case = right(rng, form)
    words = ["forward", "{z}", "--input-format", form, "-f", rng.choice(["json", "jsonl"])]
    kind = rng.choice(["right", "mutated", "mutated", "mutated", "noise", "words"])
    if kind == "right":
        return replace(case, words=words)
    if kind == "words":
        return Case(kind, command_line(rng), case.content, form)
    if kind == "noise":
        content = b"".join(rng.choice(_PIECES) for _ in range(rng.randint(0, 20)))
    else:
        npy = form == "npy" and rng.random() < 0.7
        content = damaged_npy(rng) if npy else mutate(rng, case.content)
    return Case(kind, words, content[:_LONGEST], form)


def independently(content: bytes, form: str) -> Iterator[list[Any]]:
    """Return what readers that have nothing to do with the program may take the content for."""
    text = content.removeprefix(b"\xef\xbb\xbf").decode(errors="replace")
    if form == "npy":
        array = np.load(io.BytesIO(content))
        yield array.reshape(-1, array.shape[-1]).tolist()
    elif form == "parquet":
        yield list(zip(*parquet.read_table(io.BytesIO(content)).to_pydict().values(), strict=True))
    elif form in ("csv", "tsv"):
        for delimiter in ",;\t| ":
            try:
                rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
            except csv.Error:
                continue
            rows = [[cell for cell in row if cell or delimiter != " "] for row in rows]
            rows = [row for row in rows if row and not (len(row) == 1 and not row[0].strip())]
            yield from (rows, rows[1:])
    else:
        lines = "[" + ",".join(filter(str.strip, text.split("\n"))) + "]"
        if isinstance((document := json.loads(text if form == "json" else lines)), dict):
            document = document.get("logits", [document])
        if not isinstance(document[0], list | dict):
            document = [document]
        rows = [each.get("logits", each) if isinstance(each, dict) else each for each in document]
        yield [list(each.values()) if isinstance(each, dict) else each for each in rows]


def _number(value: Any) -> float | None:
    try:
        return float(str(value).replace("\N{MINUS SIGN}", "-").strip())
    except ValueError:
        return None


def _same(found: list[list[float]], rows: list[Any]) -> bool:
    for y, row in zip(found, rows, strict=True):
        numbers = [value for value in map(_number, row) if value is not None]
        z = np.array(numbers, dtype=np.longdouble)
        e = np.exp(z - z.max()) if z.size else z
        # Where columns of names are numbers, which were chosen is the reader's business.
        if len(z) < len(y) or (len(z) == len(y) and not np.allclose(e / e.sum(), y, 1e-7, 1e-11)):
            return False
    return True


def run(
    case: Case, source: str = "", block_size: int = 1 << 20, jobs: int = 0, orjson: bool = True
) -> Outcome:
    """Run in this process, whose standard streams it takes."""
    name = f"z.{case.form}"
    Path(name).write_bytes(case.content)
    words = [word.replace("{z}", "-" if source else name) for word in case.words]
    words += ["--jobs", str(jobs)] if jobs else []
    stdin = _slow(case.content, case.form) if source == "slow" else os.open(name, os.O_RDONLY)
    files = [os.memfd_create("stdout"), os.memfd_create("stderr")]
    take_streams([stdin, *map(os.dup, files)])
    Stream.block_size = block_size
    Stream.is_ready = (lambda *_: False) if source == "slow" else _IS_READY  # type: ignore
    vars(pipeline).update(WORTH=-1 if jobs else 1 << 20)  # processes begin with the first block
    fast.orjson = _ORJSON if orjson else None  # type: ignore[assignment]
    signal.alarm(60)
    try:
        main(words)
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        out, err = (os.pread(each, 1 << 30, 0).decode() for each in files)
        list(map(os.close, files))
        return Outcome(int(end.code or 0), out, err.replace("<stdin>", name))
    raise AssertionError("the program ends with a status")


def _slow(content: bytes, form: str) -> int:
    """Return a pipe that brings small pieces, each read alone; of text, which may be cut so."""
    reader, writer = os.pipe2(0 if form in ("npy", "parquet") else os.O_DIRECT)
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
    size = 7 + len(content) // _SLOTS
    for k in range(0, len(content), size):
        os.write(writer, content[k : k + size])
    os.close(writer)
    return reader


def complaint(case: Case) -> str | None:
    """Run a case in all ways, in a process for nothing else; say what is wrong, or None."""
    import_all()
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(99))
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        way, outcome = "file", run(case)
        first, wrong = outcome, _fault(case, outcome)
        left = sorted(each.name for each in Path().iterdir())
        if outcome.status in (2, 3) and left != [f"z.{case.form}"]:
            wrong = wrong or f"an error leaves {left}"
        if case.kind != "words":
            wrong = wrong or _wrong_numbers(case, outcome)
            for way, changes in WAYS.items():
                if not wrong:
                    outcome = run(case, **changes)
                    wrong = _fault(case, outcome) or _difference(case, first, outcome, way)
                    wrong = wrong or _lost(case, outcome, changes)
    return wrong and f"{way}: {wrong}\n{outcome!r:.1500}\n{first!r:.1500}"


def _difference(case: Case, first: Outcome, other: Outcome, way: str) -> str | None:
    """Compare with a file in one block; before an error, one may have printed more."""
    if other.status == 0 != first.status and not first.stdout and "blocks" in way:
        return _wrong_numbers(case, other)  # names of samples, in a column whose first cell is one
    if first.status != other.status:
        return "another status"
    one, two = first.stdout, other.stdout
    if "orjson" in way:  # without it, an exponent is written in another way
        one, two = (_NUMBER.sub(lambda n: repr(float(n[0])), text) for text in (one, two))
    if one != two if first.status == 0 else not (one.startswith(two) or two.startswith(one)):
        return "another output"
    return "another warning" if first.status == 0 and first.stderr != other.stderr else None


def _lost(case: Case, outcome: Outcome, changes: dict[str, Any]) -> str | None:
    """Compare what was printed before an error with what the lines before it give."""
    place = re.search(r"^error: z\.\w+:(\d+)", outcome.stderr, re.MULTILINE)
    if not place or not outcome.stdout or changes.get("block_size") != 16:
        return None
    lines = re.findall(rb"[^\r\n]*(?:\r\n?|\n|\Z)", case.content)
    good = run(replace(case, content=b"".join(lines[: int(place[1]) - 1])), **changes)
    lost = good.stdout.removeprefix(outcome.stdout).count("\n")
    return f"{lost} good rows before the error are lost: {good}" if lost > 16 else None


def _fault(case: Case, outcome: Outcome) -> str | None:
    """Say what an ending breaks of what all runs keep."""
    if outcome.status not in ({0, 1, 2, 3} if "check" in case.words else {0, 2, 3}):
        return f"exit status {outcome.status}"
    lines = outcome.stderr.splitlines(keepends=True)
    odd = [line for line in lines if line[-1] != "\n" or not line[:-1].isprintable()]
    if odd or any(len(line) > 5000 for line in lines):
        return f"a line on stderr that is too long or not printable: {odd}"
    expected = "(warning: .*\n)*" + ("error: .+\n(hint: .+\n)?" if outcome.status > 1 else "")
    if not re.fullmatch(expected, outcome.stderr) and not {"-h", "--help"} & set(case.words):
        return "something else on stderr"
    printed = re.search(r"\(([\d,]+) samples? printed before it\)", outcome.stderr)
    count = int(printed[1].replace(",", "")) if printed else 0
    if outcome.status > 1 and outcome.stdout.count("\n") != count and case.words[-1] == "jsonl":
        return "an error that does not tell how many samples it printed"
    return None


def _wrong_numbers(case: Case, outcome: Outcome) -> str | None:
    """Compare what was made of the content with what independent readers find in it."""
    if outcome.status != 0:
        return None if case.rows is None else "right input is refused"
    lines = [json.loads(line) for line in outcome.stdout.splitlines()]
    found = [each["probabilities"] for each in lines]
    classes = lines[0].get("classes") or list(found[0])
    found = found if case.words[-1] == "jsonl" else found[0]
    found = [list(y.values()) if isinstance(y, dict) else y for y in found]
    expected = [case.rows] if case.rows else list(independently(case.content, case.form))
    if not any(len(found) == len(rows) and _same(found, rows) for rows in expected):
        return f"found {found}, of what is read independently as {expected!r:.1000}"
    return None if case.classes in (None, classes) else f"the classes are {classes}"
