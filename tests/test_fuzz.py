"""Hostile input: a short run of what ``python -m tests.benchmarks.fuzz`` does at length."""

import io
from collections import Counter

import numpy as np
import polars as pl
import pytest

from tests.fuzz import Case, Ending, case, complaint, workplace

COUNT = 120
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
def test_hostile_input_ends_in_one_line_or_in_the_right_numbers(part: int) -> None:
    kinds = Counter[str]()
    with workplace():
        for index in range(part * COUNT, (part + 1) * COUNT):
            each = case(2026, index)
            kinds[each.kind.split()[0]] += 1
            assert complaint(each) is None, (index, each)
    assert {"right", "mutated", "noise", "options", "command", "candidate", "upstream"} <= set(
        kinds
    )


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (Case("", ["forward", "1", "x"], expect=lambda ending: "odd"), "odd"),
        (Case("", ["forward", "z.py"], files={"z.py": b"1,2"}, expect=None), None),
        (Case("", ["check", "1", "2", "--probabilities", "z.py:f"], files={
            "z.py": b"import warnings\ndef f(z):\n    warnings.warn('x')\n    return z"}),
         "on stderr"),
        (Case("", ["check", "1", "2", "--probabilities", "z.py:f"], files={
            "z.py": b"import sys\ndef f(z):\n    sys.stderr.write('\\x1b[31m\\n')\n    return z"}),
         "on stderr"),
        (Case("", ["check", "1", "2", "--probabilities", "z.py:f"], files={
            "z.py": b"def f(z):\n    while True: pass"}), "more than"),
        (Case("", ["check", "1", "2", "--probabilities", "z.py:f"], files={
            "z.py": b"def f(z):\n    raise SystemExit(130)"}), "exit status 130"),
    ],
)  # fmt: skip
def test_what_a_run_must_not_do_is_noticed(broken: Case, found: str | None) -> None:
    with workplace():
        wrong = complaint(broken)
    assert (wrong is None) if found is None else (wrong or "").startswith(found)


def test_a_case_is_the_same_every_time() -> None:
    first, second = case(1, 2), case(1, 2)
    assert (first.words, first.stdin, first.files) == (second.words, second.stdin, second.files)
    assert Ending(0, b"", "", {}).status == 0


def npy(header: str, version: int = 1) -> bytes:
    size = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + bytes(48)


def header(shape: str = "(2, 3)", by_column: bool = False) -> str:
    return f"{{'descr': '<f8', 'fortran_order': {by_column}, 'shape': {shape}}}\n"


@pytest.mark.parametrize(
    ("words", "content", "message"),
    [
        ("z.tsv", b'"1"\t"2"3\t4\n', "z.tsv:1: expected quoting as in RFC 4180, found: '\\t'"),
        ("z.csv --columns a\nb", b"a,b\n1,2\n", "--columns: expected names, found 'a\\nb'"),
        ("z.csv --id 1\x1b", b"1\x1b[31mx,b\n1,2\n", "--id: expected a name or a position from 1"),
        ("z.jsonl", b"NaNnull", "z.jsonl:1:1: expected JSON, found NaN"),
        ("z.json", b'["NaN\\"", [-Infinityx', "z.json:1:12: expected JSON, found -Infinity"),
        ("z.npy", npy("{'descr': ("), "z.npy: expected an array in NPY format: "),
        ("z.npy", npy("__import__('os')\n"), "z.npy: expected an array in NPY format: "),
        ("z.npy", npy("[" * 9000), "z.npy: expected an array in NPY format: "),
        ("z.npy", npy(" " * 20_000 + "\n"), "z.npy: expected an array in NPY format: "),
        ("z.npy", npy(header("(True, 6)")), "z.npy: expected an array in NPY format: its shape"),
        ("z.npy", npy(header("(10**12, 3)")), "z.npy: expected an array in NPY format: "),
        ("z.npy", npy(header(f"({10**12}, 3)")), f"z.npy: expected {24 * 10**12} bytes"),
        ("-", npy(header(f"({10**12}, 3)")), f"<stdin>: expected {24 * 10**12} bytes"),
        ("-", npy(header(f"(3, {10**12})")), f"<stdin>: expected {24 * 10**12} bytes"),
        ("-", npy(header(f"({10**12}, 3)", True)), f"<stdin>: expected {24 * 10**12} bytes"),
        ("z.npy", npy(header("(2L, 3L)")), ""),  # as Python 2 wrote it
        ("z.npy", npy(header(), 2), ""),
        ("z.npy", npy(header(), 3), ""),
        ("z.csv", b"1,2\x1c\n3,4\n", ""),
    ],
)
def test_what_was_found_stays_mended(words: str, content: bytes, message: str) -> None:
    name, *options = words.split(" ")

    def expect(ending: Ending) -> str | None:
        expected = f"error: {message}" if message else ""
        right = ending.stderr.startswith(expected) and (ending.status == 0) is not bool(message)
        return None if right else f"expected {expected}"

    run = Case(
        "",
        ["forward", name, *options, "-f", "csv"],
        stdin=content if name == "-" else b"",
        files={} if name == "-" else {name: content},
        expect=expect,
        piped=True,
    )
    with workplace():
        assert complaint(run) is None


def test_the_parsers_own_messages_are_escaped_too() -> None:
    with workplace():
        assert complaint(Case("", ["-\u2028", "forward"])) is None


def test_one_sample_of_an_array_is_an_array_of_one() -> None:
    def expect(ending: Ending) -> str | None:
        return None if np.load(io.BytesIO(ending.stdout)).shape == (1, 3) else "another shape"

    words = ["forward", "z.npy", "--sample", "2", "-f", "npy"]
    with workplace():
        assert complaint(Case("", words, files={"z.npy": npy(header())}, expect=expect)) is None


def test_a_row_too_many_is_told_before_anything_is_printed() -> None:
    words = ["jacobian", "z.npy", "--vjp", "g.csv", "-f", "csv"]
    files = {"z.npy": npy(header()), "g.csv": b"1,0,0\n" * 3}
    expected = "error: --vjp: expected a row for each of 2 samples, found more\n"

    def expect(ending: Ending) -> str | None:
        return None if (ending.stdout, ending.stderr) == (b"", expected) else "something else"

    with workplace():
        assert complaint(Case("", words, files=files, expect=expect)) is None


def test_a_damaged_parquet_file_is_one_line_wherever_the_damage_is() -> None:
    content = io.BytesIO()
    pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}).write_parquet(content)
    whole = content.getvalue()
    refused = 0

    def expect(ending: Ending) -> str | None:
        nonlocal refused
        refused += ending.stderr.startswith("error: z.parquet: expected ")
        return None

    with workplace():
        for position in range(4, len(whole), 31):
            broken = whole[:position] + bytes([whole[position] ^ 0xFF]) + whole[position + 1 :]
            words = ["forward", "z.parquet", "-f", "csv"]
            run = Case("", words, files={"z.parquet": broken}, expect=expect, lane=True)
            assert complaint(run) is None, position
    assert refused > 5
