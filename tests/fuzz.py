"""Hostile input for the program, a case a seed, and what must come of it.

Whatever it is given, the program ends with an exit status of the contract and an error of one
line in printable characters, with at most a hint below it. Where it succeeds, its numbers are
those of a reader that has nothing to do with it. A file, a pipe in pieces, other processes, and
a json module without orjson make no difference.
"""

import csv
import io
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.program import Outcome, run

FORMATS = ("csv", "tsv", "json", "jsonl", "npy")
Rows = list[list[float | None]]  # None is what is no number


@dataclass(frozen=True)
class Case:
    """Words, with {z} for the content; the rows that it has, where they are known."""

    kind: str
    words: list[str]
    content: bytes
    form: str
    rows: Any = None


# --- what is right ---------------------------------------------------------------------------

_NAMES = [
    "cat",
    "[red]",
    "a b",
    "naïve",
    "\x1b[31mx",
    "x\u2028y",
    'q"q',
    "日本",
    "x\ny",
    "-",
    "z\u202e",
]
_ODD = [0.0, -0.0, 1e308, -1e308, 5e-324, 700.0, -746.0, 40.0, 1e16, 0.1, -np.inf]


def table(rng: random.Random) -> tuple[Any, list[str] | None, list[str] | None]:
    """Return logits with or without names of classes and of samples."""
    K, C = rng.choice([1, 2, 3, 8]), rng.choice([2, 3, 3, 4, 7])
    z = np.array([[rng.gauss(0, 3) for _ in range(C)] for _ in range(K)])
    for _ in range(rng.choice([0, 0, 1, 3])):
        z[rng.randrange(K), rng.randrange(C)] = rng.choice(_ODD)
    z[~np.isfinite(z).any(axis=1), 0] = 1.0
    classes = rng.sample(_NAMES, C) if rng.random() < 0.6 else None
    return z, classes, [f"{rng.choice(_NAMES)}{k}x" for k in range(K)] if classes else None


def encode(rng: random.Random, form: str) -> tuple[bytes, Any]:
    """Return some logits in a format, in one of the ways that there are, and the logits."""
    z, classes, samples = table(rng)
    samples = samples if rng.random() < 0.5 else None
    if form == "npy":
        file = io.BytesIO()
        order = np.asfortranarray if rng.random() < 0.3 else np.asarray
        np.save(file, order(z).astype(rng.choice(["<f8", ">f8"])))
        return file.getvalue(), z
    if form in ("csv", "tsv"):
        rows = [[repr(value) for value in row] for row in z.tolist()]
        rows = [[name, *row] for name, row in zip(samples, rows, strict=True)] if samples else rows
        if classes:
            rows.insert(0, ["id"] * bool(samples) + classes)
        text = io.StringIO()
        delimiter = "\t" if form == "tsv" else rng.choice(",,;|")
        end, quoting = rng.choice(["\n", "\r\n"]), rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)  # type: ignore[arg-type]
        return rng.choice([b"", b"\xef\xbb\xbf"]) + text.getvalue().encode(), z
    values = [["-inf" if value == -np.inf else value for value in row] for row in z.tolist()]
    records: Any = values
    if (classes and form == "jsonl") or rng.random() < 0.5:
        keys = classes or [f"c{j}" for j in range(len(values[0]))]
        records = [dict(zip(keys, row, strict=True)) for row in values]
    if form == "jsonl":
        lines = [json.dumps(each, ensure_ascii=rng.random() < 0.5) + "\n" for each in records]
        return "".join(lines).encode(), z
    if records is values and rng.random() < 0.5:
        records = {"logits": values, "classes": classes or ["a", *map(str, range(1, z.shape[1]))]}
    return json.dumps(records, indent=rng.choice([None, 1])).encode(), z


# --- what is not -----------------------------------------------------------------------------

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
    size = rng.choice([len(text), len(text), 0, 2**16 - 1]) % 2**16
    return (
        b"\x93NUMPY\x01\x00" + size.to_bytes(2, "little") + text + bytes(rng.choice([48, 47, 99]))
    )


_VALUES = ["1", "0", "-1", "2-3", "3-1", "1-", "1,1", "cat", "cat,dog", "id", "", " ", "'", '"cat',
           "1,99", "nan", "inf", "-inf", "1e308", "5e-324", "1e400", "1_0", "0x1", "\u0661", "tab",
           "\n", "\x1b[31m", "\udcff", "\u2028", "x" * 3000, "[red]", "..", "17", "18", "1.5", "-",
           "--", "table", "csv", "Csv", "0,0,1", "1,2,3", "1e308,1e308", "\u22121,2"]  # fmt: skip
_LINES = ["forward {z}", "forward {z} --log -f json", "jacobian {z} --entry 1,2 -f csv",
          "jacobian {z} --vjp 0,1 -f jsonl", "jacobian {z} --explain -f latex", "check {z} -f json",
          "jacobian {z} --sample 2 -f markdown", "check {z} --method complex-step --step 1e-6",
          "check {z} --sweep -f csv", "check {z} --probabilities {z} --atol 1 -q",
          "check {z} --vjp math:pi --upstream 0,1", "forward {z} --columns 1-2 --id 3 -t 0.5",
          "forward 2 1 -inf -p 17", "jacobian 1,2,3 4,5,6 -f tsv", "forward --help"]  # fmt: skip
_WORDS = ["forward", "check", "-h", "-f", "-o", "-p", "-q", "-t", "--", "-", "--log", "--sweep",
          "--explain", "{z}", "missing.csv", ".", "-1", "-inf", "+2", "nan", "1,2", "-.5e1", "-x",
          "--formt", "--columns=1", "--format=", "-fcsv", "--entry", "--vjp", "--upstream", "--id",
          "--delimiter", "--input-format", "--atol", "--step", "no.module:f"]  # fmt: skip


def command_line(rng: random.Random) -> list[str]:
    words = rng.choice(_LINES).split()
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        at = rng.randint(0, len(words))
        new = [rng.choice(_WORDS if rng.random() < 0.6 else _VALUES)]
        words[at : at + rng.choice([0, 0, 1])] = rng.choice([new, new, []])
    return words or ["forward"]


def case(seed: int, index: int) -> Case:
    """Return the case of a number; the same one every time."""
    rng = random.Random(f"{seed}-{index}")
    form = rng.choice(FORMATS)
    content, rows = encode(rng, form)
    words = ["forward", "{z}", "--input-format", form, "-f", rng.choice(["json", "jsonl"])]
    match rng.choice(["right", "mutated", "mutated", "mutated", "noise", "words", "words"]):
        case "right":
            return Case("right", words, content, form, rows)
        case "mutated":
            npy = form == "npy" and rng.random() < 0.7
            damaged = damaged_npy(rng) if npy else mutate(rng, content)
            return Case("mutated", words, damaged, form)
        case "noise":
            noise = b"".join(rng.choice(_PIECES) for _ in range(rng.randint(0, 20)))
            return Case("noise", words, noise, form)
        case _:
            return Case("words", command_line(rng), content, form)


# --- readers that have nothing to do with the program ------------------------------------------


def independently(content: bytes, form: str) -> Iterator[Rows]:
    """Return what the content may be taken for."""
    if form == "npy":
        yield np.atleast_2d(np.load(io.BytesIO(content))).astype(float).tolist()
        return
    text = content.removeprefix(b"\xef\xbb\xbf").decode()
    if form in ("csv", "tsv"):
        for delimiter in ",;\t| ":
            lines = io.StringIO(text, newline="")
            try:
                rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
            except csv.Error:
                continue
            cells = [[cell for cell in row if cell or delimiter != " "] for row in rows]
            cells = [row for row in cells if row and not (len(row) == 1 and not row[0].strip())]
            values = [[_number(cell) for cell in row] for row in cells]
            yield from (values, values[1:])
        return
    if form == "json":
        document = json.loads(text)
        document = document.get("logits", [document]) if isinstance(document, dict) else document
        document = document if isinstance(document[0], list | dict) else [document]
    else:
        document = [json.loads(line) for line in text.split("\n") if line.strip()]
    document = [each.get("logits", each) if isinstance(each, dict) else each for each in document]
    rows = [list(each.values()) if isinstance(each, dict) else each for each in document]
    yield [[_number(value) for value in row] for row in rows]


def _number(value: Any) -> float | None:
    try:
        return float(str(value).replace("\N{MINUS SIGN}", "-").strip())
    except ValueError:
        return None


def _same(found: list[list[float]], rows: Rows) -> bool:
    if len(found) != len(rows):
        return False
    for y, row in zip(found, rows, strict=True):
        z = np.array([value for value in row if value is not None], dtype=np.longdouble)
        e = np.exp(z - z.max()) if z.size else z
        # Where columns of names are numbers, which were chosen is the reader's business.
        if len(z) < len(y) or (len(z) == len(y) and not np.allclose(e / e.sum(), y, 1e-7, 1e-11)):
            return False
    return True


# --- what a run must keep ----------------------------------------------------------------------

WAYS = ("standard input", "pieces", "--jobs 1", "--jobs 3", "no orjson")


def complaint(case: Case, way: str, folder: Path) -> str | None:
    """Run a case, of a file and in another way; say what is wrong with how it ended, or None."""
    path = folder / f"z.{case.form}"
    path.write_bytes(case.content)
    words = [word.replace("{z}", path.name) for word in case.words]
    first = run(*words, cwd=folder, stdin=b"1,2,3\n")
    wrong = _fault(case, first)
    if wrong is None and case.kind != "words":
        wrong = _wrong_numbers(case, first)
        other = _run_in_another_way(words, case.content, way, folder)
        # Without orjson, an exponent is written in another way.
        same = _numbers_of if way == "no orjson" else str
        if (first.status, same(first.stdout)) != (other.status, same(other.stdout)):
            wrong = wrong or f"{way} makes a difference: {other}"
    left = sorted(each.name for each in folder.iterdir() if each != path)
    if left and first.status in (2, 3):
        wrong = wrong or f"an error leaves {left}"
    for each in folder.iterdir():
        each.unlink()
    return wrong and f"{wrong}\nstdout: {first.stdout[:500]!r}\nstderr: {first.stderr[:1500]}"


def _run_in_another_way(words: list[str], content: bytes, way: str, folder: Path) -> Outcome:
    if way == "no orjson":
        return run(*words, cwd=folder, without=["orjson"])
    if way.startswith("--jobs"):
        return run(*words, *way.split(), cwd=folder)
    words = ["-", *words[2:]]
    return run(
        "forward", *words, cwd=folder, stdin=content, piece=16 if way == "pieces" else 1 << 30
    )


def _numbers_of(text: str) -> str:
    return re.sub(r"-?\d+(\.\d+)?(e[+-]?\d+)?", lambda found: repr(float(found[0])), text)


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
    lines = [json.loads(line)["probabilities"] for line in outcome.stdout.splitlines()]
    found = lines if case.words[-1] == "jsonl" else lines[0]
    found = [list(y.values()) if isinstance(y, dict) else y for y in found]
    expected = list(independently(case.content, case.form))
    if case.rows is not None:
        expected = [case.rows.tolist()]
    if any(_same(found, rows) for rows in expected):
        return None
    return f"found {found}, of what is read independently as {expected!r:.1000}"
