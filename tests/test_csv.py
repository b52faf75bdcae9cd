"""Delimited text: every rule of reading it, through the program."""

from pathlib import Path

import pytest

from tests.program import refused, run

HALVES = "0.5,0.5\n"


@pytest.mark.parametrize(
    ("text", "options", "printed"),
    [
        ("3,3\n", "", HALVES), ("\n\n3,3\n   \n4,4\n\n", "", HALVES * 2), ("3|3\n", "", HALVES),
        ("  3   3 \n 4  4\n", "", HALVES * 2), ("cat dog\n3 3\n", "", "cat,dog\n0.5,0.5\n"),
        (" cat   dog\n   3 3.0\n\n 4 4\n", "", "cat,dog\n0.5,0.5\n0.5,0.5\n"),
        ("word cat dog\nx 3 3\ny 4 4\n", "", "word,cat,dog\nx,0.5,0.5\ny,0.5,0.5\n"),
        ("\N{MINUS SIGN}3,-3\n", "", HALVES), ("id,0,1\n7,3,3\n", "", "id,0,1\n7,0.5,0.5\n"),
        ("a,Index,b\n3,7,3\n", "", "Index,a,b\n7,0.5,0.5\n"),
        (",a,b\n007,3,3\n", "", ",a,b\n007,0.5,0.5\n"),
        ("a,b,c\n3,9,3\n", "--columns a,c", "a,c\n0.5,0.5\n"),
        ("a,b,c\n3,9,3\n", "--columns c,a", "c,a\n0.5,0.5\n"),
        ("a,b,c\n9,3,3\n", "--columns 2-", "b,c\n0.5,0.5\n"),
        ("a,b,c\n9,3,3\n", "--columns b-c", "b,c\n0.5,0.5\n"),
        ("id,2,1\n9,3,3\n", "--columns 2-1", "id,2,1\n9,0.5,0.5\n"),
        ("9,3,3\n", "--columns 2-3", HALVES), ("a,b,,\n3,3,,\n", "", "a,b\n0.5,0.5\n"),
        ("a-b,c,d\n3,3,9\n", "--columns a-b,c", "a-b,c\n0.5,0.5\n"),
        ('"a,b",c,d\n3,3,9\n', '--columns "a,b",c', '"a,b",c\n0.5,0.5\n'),
        ("id,1,0\nx,3,3\n", "--columns 1,0", "id,1,0\nx,0.5,0.5\n"),
        (",id,note,a,b\n0,7,x,3,3\n", "--columns a,b", "id,a,b\n7,0.5,0.5\n"),
        ("note,tag,a,b\nx,y,3,3\n", "--columns 3-4", "a,b\n0.5,0.5\n"),
        ("note,tag,a,b\nx,y,3,3\n", "--columns 3-4 --id tag", "tag,a,b\ny,0.5,0.5\n"),
        ("k,a,b\n7,3,3\n", "--id k", "k,a,b\n7,0.5,0.5\n"),
        ("7,3,3\n8,1,1\n", "--id 1", "sample,1,2\n7,0.5,0.5\n8,0.5,0.5\n"),
        ("id,name,a,b\n7,x,3,3\n", "--id name", "name,a,b\nx,0.5,0.5\n"),
        ("3:3\n", "--delimiter :", HALVES), ("3 3\n", "--delimiter space", HALVES),
        ("3\t3\n", "--delimiter tab", HALVES), ("a\t b\t\n3\t 3\t\n", "", "a, b\n0.5,0.5\n"),
    ],
)  # fmt: skip
def test_the_layout_is_found_and_options_choose(text: str, options: str, printed: str) -> None:
    words = [word.replace("space", " ") for word in options.split()]
    outcome = run("forward", "--input-format", "csv", "-f", "csv", *words, stdin=text)
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout == printed


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("\n\n1,2\n\n3\n", [], "<stdin>:5: expected 2 values as in the first row, found 1"),
        ("id,a,b\n7,1,2\n8,3,x\n", [], "<stdin>:3:3: expected a number, found 'x'"),
        ("a,b\n1,\n", [], "<stdin>:2:2: expected a number, found ''"),
        ("a,b\n1,2,3\n4,5,6\n", [], "<stdin>:2: expected 2 values as in the first row, found 3"),
        ("x\ny\n", [], "<stdin>:1: expected at least one column of logits, found none"),
        ("1,2\n1_0,2\n", [], "<stdin>:2:1: expected a number, found '1_0'"),
        ("1,2\n\u0661,2\n", [], "<stdin>:2:1: expected a number, found '\u0661'"),
        ("1,1e400\n", ["--delimiter", ","], "<stdin>:1:2: expected a number within the range"),
        ("a,b,c\n1,NA,3\n", [], "<stdin>:2:2: expected a number, found 'NA'\nhint: --skip"),
        ("1,5;2,25\n3,6;4,5\n", [], "<stdin>:1:1: expected a number, found '1,5'\nhint: give"),
        ('"1,5",2\n3,6\n', [], "<stdin>:1:1: expected a number, found '1,5'\nhint: if "),
        ("1,2\n1,inf\n", [], "<stdin>:2:2: found +inf"), ("", [], "<stdin>: expected logits"),
        ("a,b\n", [], "<stdin>: expected at least one sample, found only a header"),
        ("id\n1\n", [], "<stdin>:1: expected at least one column of logits, found none"),
        ("a,b\n1,2\n", ["--columns", "1,a"], "--columns: expected each column once"),
        ("a,b\n1,2\n", ["--columns", "2-1"], "--columns: expected a rising range"),
        ("id,0,2\n1,2,3\n", ["--columns", "2-3"], "--columns: expected names or positions, found"),
        ("id,0,2\n1,2,3\n", ["--columns", "1,2"], "--columns: expected names or positions, found"),
        ("a,a\n1,2\n", ["--columns", "a"], "--columns: 'a' names more than one"),
        ("a,b\n1,2\n", ["--id", "c"], "--id: expected a name or a position from 1 to 2"),
        ("a,b,,\n" + "1,2,,\n" * 30_000 + "1,2,,x\n", [], '<stdin>:30002: found "x" in column 4'),
        ("logits;\n[1,5, 2,5];\n", [], "<stdin>:2:1: expected a number, found '[1,5, 2,5]'"),
        ("logits;\n[1,5 2,5];\n", ["--decimal", ","], "<stdin>:2:1: expected a number, found '["),
        (",t,z\n0,a,1.5\n1,b,2\n", ["--axis", "0"], "<stdin>:1: expected logits and at most one"),
        (",-inf,-0.5\n0.3,1,2\n", [], "<stdin>:1:1: expected a number, found ''\nhint: --skip"),
        ("1,3,\n2,3,\n", ["--id", "1"], "<stdin>:1:3: expected a number, found ''\nhint: --col"),
    ],
)  # fmt: skip
def test_bad_input_says_where_what_and_what_was_expected(
    text: str, options: list[str], message: str
) -> None:
    error = refused("forward", "--input-format", "csv", *options, stdin=text)
    assert error.startswith(f"error: {message}")


def test_a_suffix_decides_and_content_decides_without_one(tmp_path: Path) -> None:
    for name, text in [
        ("a.csv", "3;3\n"), ("a.tsv", "x\ty\n3\t3\n"), ("a.TSV", "3\t3\n"), ("a.json", "[3,3]"),
        ("plain", "3|3\n"), ("json", " [[3,3]]"), ("object.txt", '{"logits":[3,3]}'),
    ]:  # fmt: skip
        (tmp_path / name).write_text(text)
        outcome = run("forward", name, "-f", "csv", cwd=tmp_path)
        assert outcome.stdout.splitlines()[-1] == "0.5,0.5", name
    assert run("forward", "a.csv", "--input-format", "json", cwd=tmp_path).status == 2


def test_batches_keep_names_order_and_line_numbers_across_blocks() -> None:
    count = 70_000
    text = "id,a,b\n" + "".join(f"s{k},{k % 7},0\n" for k in range(count))
    lines = run("forward", "-f", "csv", stdin=text).stdout.splitlines()
    assert len(lines) == count + 1
    assert [line.split(",")[0] for line in lines[1:]] == [f"s{k}" for k in range(count)]
    assert lines[1 + 7 * 9000].split(",")[1:] == lines[1].split(",")[1:]

    outcome = run("forward", "-f", "csv", stdin=text + "last,1,x\n")
    place, printed = f"<stdin>:{count + 2}:3", len(outcome.stdout.splitlines()) - 1
    said = f"expected a number, found 'x' ({printed} samples printed before it)"
    assert (outcome.status, outcome.stderr) == (2, f"error: {place}: {said}\n")
    refused("forward", "-f", "json", stdin=text + "last,1,x\n")


@pytest.mark.parametrize("words", ["", "--id 1", "--columns 2-4"])
@pytest.mark.parametrize(
    ("text", "place"), [("x,$7,8%,NA\ny,3,4,5\n", "'x'"), ("7,8,3O,9\n4,5,6,1\n", "'3O'")]
)
def test_a_header_that_may_be_a_sample_is_warned_of(text: str, place: str, words: str) -> None:
    outcome = run("forward", "-f", "csv", *words.split(), stdin=text)
    why = f"because {place} is not a number; if it is a sample, give --no-header"
    said = f"warning: <stdin>:1: taken as the header, {why}\n"
    assert (outcome.status, outcome.stderr) == (0, said)
    commas = run("forward", "--decimal", ",", stdin="x;1,5;2\ny;3;4\n").stderr
    assert commas.startswith("warning: <stdin>:1: taken as the header, because 'x' is not a number")
    for usual in ("id,0,1\n7,1,2\n", ",0,1\n7,1.5,2\n", "k,a,b\nx,1,2\n", "d,a,b\n2024-1-2,1,2\n"):
        assert run("forward", "-f", "csv", stdin=usual).stderr == ""
    assert run("forward", "--id", "k", "-f", "csv", stdin="k,0,1\nx,1,2\n").stderr == ""
    above_text = run("forward", "-f", "csv", stdin="0,1,\n2,-25,u\n")
    assert (above_text.stdout[:7], "because '' is" in above_text.stderr) == (",0,1\nu,", True)
    assert "may be of the header too" in run("forward", stdin=",a,a\n,0,1\nx,1.5,2\n").stderr
    assert "not the comment above it" in run("forward", "--header", stdin="# a\n1\n2\n").stderr
    assert "without a name" in run("forward", "--id", "3", stdin="5,6,\n1.5,2.5,4\n").stderr
    assert "if this row is it" in run("forward", stdin="# by year\nx,2019\ny,1.5\n").stderr


@pytest.mark.parametrize(("text", "place"), [("1,2,\n3,4,\n", "1:3"), ("1,,2\n1,3,4\n", "1:2")])
def test_a_row_of_numbers_with_empty_cells_is_no_header(text: str, place: str) -> None:
    error = refused("forward", "-f", "csv", stdin=text)
    assert error.startswith(f"error: <stdin>:{place}: expected a number, found ''\n")


def test_a_name_may_be_that_of_namibia() -> None:
    for more in ("", "2024,0,0\n2025,0,0\n"):  # or a number
        text = f"country,a,b\nDE,0,0\nNA,0,0\n{more}"
        named = run("forward", "-f", "csv", "--columns", "a,b", stdin=text)
        assert named.stdout == text.replace("0,0", "0.5,0.5")


NAMES = "hint: if column 1 names the samples, give --id "
POINT = "hint: give --decimal ,"
MISSING = "hint: --skip-invalid leaves samples with missing values out"


@pytest.mark.parametrize(
    ("text", "problem", "hint"),
    [
        ("label,a,b\nUS,1,2\n7,3,4\n", "2:1: expected a number, found 'US'", NAMES + "label"),
        ("1,2\nx,3\n", "2:1: expected a number, found 'x'", NAMES + "1"),
        ("a,b\nNA,1\n7,3\n", "2:1: expected a number, found 'NA'", MISSING),
        ("id,a\nx,y\nz,2\n", "2:2: expected a number, found 'y'", ""),
        ("d,a\n31.12.2024,1\n", "2:1: expected a number, found '31.12.2024'", NAMES + "d"),
        ("p;a\nx;1,5\n", "2:2: expected a number, found '1,5'", POINT),
        ("p;a\nx;1.000,5\n", "2:2: expected a number, found '1.000,5'", POINT),
        ("p;a\nx;1\n;\n", "3:2: expected a number, found ''", MISSING),
        ("1;2;\n3;4;\n", "1:3: expected a number, found ''", "hint: --columns 1,2"),
    ],
)
def test_what_a_spreadsheet_wrote_is_told_with_a_hint(text: str, problem: str, hint: str) -> None:
    lines = refused("forward", "--input-format", "csv", "-f", "csv", stdin=text).splitlines()
    told, *more = [line for line in lines if not line.startswith("warning: ")]
    assert told.startswith(f"error: <stdin>:{problem}")
    assert [line[: len(hint) or None] for line in more] == [hint] * bool(hint)


def test_the_option_that_is_hinted_at_makes_the_names() -> None:
    named = run("forward", "--id", "1", "-f", "csv", stdin="label,a,b\nUS,3,3\nNA,4,4\n")
    assert (named.stdout, named.stderr) == ("label,a,b\nUS,0.5,0.5\nNA,0.5,0.5\n", "")


@pytest.mark.parametrize(
    "name",
    [
        "user", "User_ID", "sample_id", "sampleid", "userId", "row id", "image.idx", "uid", "guid",
        "label", "target", "class", "key", "Unnamed: 0", " ids", "...1", "Row Number", "id_x",
    ],
)  # fmt: skip
def test_whole_numbers_under_an_identifier_s_name_are_warned_of(name: str) -> None:
    for text in (f"{name},a,b\n1001,5,4\n", f"a,b,{name}\n0,4,3\n", f"id,{name},b\n7,1,2\n"):
        outcome = run("forward", "-f", "csv", stdin=text)
        assert outcome.status == 0
        assert outcome.stderr.startswith(f"warning: <stdin>:1: '{name}' is taken for logits; if")
        assert "--columns" in outcome.stderr
        assert outcome.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("user,assistant\n1.5,2\n3,4\n", []), ("user,assistant\n1,2\n-3.5,4\n", []),
        ("user,assistant\n1,2\n", ["--columns", "1-2"]), ("user,a,b\n1,2,3\n", ["--id", "user"]),
        ("acid,solid,grid,Madrid,ID card\n1,2,3,4,5\n", []), ("yes,no\n1,2\n", []),
        ("id,a,b\n1,2,3\n", []), ("label,a,b\nx,2,3\n", []),
    ],
)  # fmt: skip
def test_logits_under_other_names_are_read_in_silence(text: str, options: list[str]) -> None:
    assert run("forward", "-f", "csv", *options, stdin=text).stderr == ""


def test_a_message_quotes_no_more_than_a_line_of_what_is_wrong() -> None:
    assert len(run("forward", "--columns", "y" * 5000, stdin=f"{'y' * 5001},b\n1,2\n").stderr) < 300
