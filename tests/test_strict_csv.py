"""Delimited text by the rules of RFC 4180, in small texts and far behind the first lines."""

import math
import random

import pytest

from softmax_cli import fast
from softmax_cli.options import InputOptions
from tests.program import run
from tests.reading import Read, read

ONE = ((1.0, 2.0),)
TWO = ((1.0, 2.0), (3.0, 4.0))
AB = ("a", "b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 1. A record a line, CRLF or LF; 2. the last one may lack its end; 3. a header.
        ("1,2\r\n3,4\r\n", Read(None, None, TWO)), ("1,2\r\n3,4", Read(None, None, TWO)),
        ("1,2\r3,4\r", Read(None, None, TWO)), ("1,2\r3,4", Read(None, None, TWO)),
        ("a,b\n1,2\n", Read(AB, None, ONE)),
        # 5. Quotes around a cell, 6. with delimiters and line ends in it, 7. doubled within.
        ('"1","2"\n', Read(None, None, ONE)), ('"a","b"\n"1",2\n', Read(AB, None, ONE)),
        ('"a\r\nb",c\r\n1,2\r\n', Read(("a\r\nb", "c"), None, ONE)),
        ('"a\rb",c\n1,2\n', Read(("a\rb", "c"), None, ONE)),
        ('"a\r\nb"  c \r\n1 2 \r\n', Read(("a\r\nb", "c"), None, ONE)),
        ('"a\n\n\nb",c\n1,2\n', Read(("a\n\n\nb", "c"), None, ONE)),
        ('"a""b",c\n1,2\n', Read(('a"b', "c"), None, ONE)),
        ('id,a,b\n"",1,2\n', Read(AB, ("",), ONE)),
        ('id,a,b\n"x"";""y",1,2\n', Read(AB, ('x";"y',), ONE)),
        ('id,a,b\n"1,2\n3",1,2\n', Read(AB, ("1,2\n3",), ONE)),
        # 4. Spaces are part of a name; around a number they say nothing.
        (" a, b \n1,2\n", Read((" a", " b "), None, ONE)),
        ('" a","b "\n1,2\n', Read((" a", "b "), None, ONE)), (" 1 ,\t2\n", Read(None, None, ONE)),
        # A quote within a cell that is not quoted stands for itself, as in many a tsv.
        ('5" disk,b\n1,2\n', Read(('5" disk', "b"), None, ONE)),
        # Other delimiters; a decimal comma is no delimiter's doing.
        ("\ufeffa,b\n1,2\n", Read(AB, None, ONE)), ('\ufeff"a","b"\n1,2\n', Read(AB, None, ONE)),
        ("1e-400,-1e-400\n", Read(None, None, ((0.0, -0.0),))),
        (f"1,2{'0' * 10_000}e-10000\n", Read(None, None, ONE)),
        # What is refused.
        ("a,b\r1,2\r3\r", Read(error="t:3: expected 2 values as in the first row, found 1")),
        ('"a\nb",c\n1,2\n" "\n', Read(error="t:4: expected 2 values as in the first row, found 1")),
        ('"a\r\nb",c\r\n1,x\r\n3,4', Read(error="t:3:2: expected a number, found 'x'")),
        ('a,"b\n1,2\n', Read(error="t:1: expected quoting as in RFC 4180, found: unexpected end")),
        ('"a"x,b\n1,2\n', Read(error="t:1: expected quoting as in RFC 4180, found: ',' expected")),
        ('a,b\n3,4\n1,2"\n', Read(error="t:3:2: expected a number, found '2\"'")),
        ('a,b\n1,""\n', Read(error="t:2:2: expected a number, found ''")),
        ("a,b\n1,2 3\n", Read(error="t:2:2: expected a number, found '2 3'")),
        ("1 2 3,-2\n4 5 6,7\n", Read(error="t: expected one delimiter, found ',' and ' '")),
        ("1.234,5;2,5\n", Read(error="t:1:1: expected a number, found '1.234,5'\nhint: give")),
        ("a,b\n1,1e400\n", Read(error="t:2:2: expected a number within the range of float64")),
        (f"a,b\n1,{'9' * 10_000}\n", Read(error="t:2:2: expected a number within the range")),
        (f'a,b\n1,"{"9" * 140_000}"', Read(error="t:2:2: expected a number within the range")),
    ],
)  # fmt: skip
def test_each_rule_of_rfc_4180(text: str, expected: Read) -> None:
    found = read("csv", text.encode())
    if expected.error:
        assert found.error.startswith(f"error: {expected.error}")
    else:
        assert found == expected
    if "\t" in text and "," not in text:
        assert read("tsv", text.encode()) == found


LINES = 2_000


@pytest.mark.parametrize(
    ("line", "names", "error"),
    [
        ('"q""q",3,4\n', ['q"q'], ""), ('"two\nlines",3,4\n', ["two\nlines"], ""),
        ("x,3,4\ry,3,4\n", ["x", "y"], ""), ("x,3,4\r\n", ["x"], ""), ("\n \n", [], ""),
        ("a\rb,3,4\n", [], f"t:{LINES + 2}: expected 3 values as in the first row, found 1"),
        ("a\0b,3,4\n", [], f"t:{LINES + 2}:2: expected text, found a NUL byte"),
        ("é\ud800,3,4\n", [], f"t:{LINES + 2}:2: expected UTF-8 text, found the byte 0xed"),
        ('"a"b,3,4\n', [], f"t:{LINES + 2}: expected quoting as in RFC 4180"),
        ("x,-1e400,4\n", [], f"t:{LINES + 2}:2: expected a number within the range of float64"),
        ("x,3,nan\n", [], f"t:{LINES + 2}:3: found nan"),
        ("x,3\n", [], f"t:{LINES + 2}: expected 3 values as in the first row, found 2"),
    ],
)  # fmt: skip
def test_far_behind_the_first_lines_the_rules_are_the_same(
    line: str, names: list[str], error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softmax_cli.reading.text.Stream.block_size", 1 << 12)
    rows = "".join(f"s{k},1,2\n" for k in range(LINES))
    found = read("csv", f"id,a,b\n{rows}{line}{rows}".encode("utf-8", "surrogatepass"))
    if error:
        assert found.error.startswith(f"error: {error}")
        return
    assert found.error == ""
    assert found.samples is not None
    assert list(found.samples[LINES:-LINES]) == names
    assert set(found.logits[LINES : LINES + len(names)]) <= {(3.0, 4.0)}


def test_plain_rows_are_looked_at_before_they_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (fast.orjson, None):
        monkeypatch.setattr(fast, "orjson", module)
        for cells, error in (
            ("1],[2", "expected a number, found '1]'"),
            ("1,2],[3,4", "expected 2 values as in the first row, found 4"),
            ("1,[2]", "expected a number, found '[2]'"), ("1,", "expected a number, found ''"),
            ("1,true", "expected a number, found 'true'"),
            ("1,2,3", "expected 2 values as in the first row, found 3"),
            ("1,1e400", "expected a number within the range of float64"),
            (f"1,{'9' * 5000}", "expected a number within the range of float64"),
        ):  # fmt: skip
            assert error in read("csv", f"a,b\n5,6\n{cells}\n".encode(), block_size=8).error
        rows = [
            "1,2", "+1,2.", "-0,00.5", ".5,-.5", " 1, 2", "-inf,0", "1E5,1e+5",
            "9" * 300 + ",1",
        ]  # fmt: skip
        found = read("csv", "\n".join(["a,b", *rows, ""]).encode(), block_size=8)
        expected = tuple(tuple(map(float, row.split(","))) for row in rows)
        assert repr(found.logits) == repr(expected)


def test_numbers_with_very_many_digits_take_no_time_and_no_wrong_turn() -> None:
    digits = "".join(random.Random(4).choices("0123456789", k=10_000))
    found = read("csv", f"-0.{digits},{digits}e-10000\n".encode())
    assert found.logits == ((float(f"-0.{digits[:800]}"), float(f"0.{digits[:800]}")),)
    assert not math.isinf(found.logits[0][0])


def test_what_silence_would_hide_is_said() -> None:
    outcome = run("forward", "-f", "csv", stdin="0,1,2\n0.5,0.25,0.25\n")
    assert outcome.status == 0
    assert outcome.stderr.startswith("warning: <stdin>:1: 0, 1, ... are taken as a sample's logits")
    assert outcome.stderr.count("\n") == 1


@pytest.mark.parametrize("text", ["0,1,2\n", "0,1,2\n3,4,5\n", "1,2,3\n0.5,0.25,0.25\n"])
def test_plain_numbers_are_read_in_silence(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert read("csv", text.encode(), InputOptions()).logits
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("line", ["c", "c\t", "c\t \r\n", "c\r\n", "c\t\t"])
def test_a_row_that_lacks_its_only_number_is_an_error_in_a_block_of_its_own(line: str) -> None:
    text = f"name\tz\naaaaaaaaaaaaaaaaaaaa\t1\nbbbbbbbbbbbbbbbbbbbb\t2\n{line}"
    for block_size in (16, 1 << 20):
        assert read("tsv", text.encode(), block_size=block_size).error.startswith("error: t:4")
