"""Encodings: UTF-8 is read with and without its mark, and any other is named, with what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest

from softmax_cli.options import InputOptions
from softmax_cli.words import as_data
from tests.program import run_cold
from tests.reading import read

CSV = "név,b\n1,2\n"
JSON = '{"név":1,"b":2}'


def marked(mark: bytes, encoding: str) -> Callable[[str], bytes]:
    return lambda text: mark + text.encode(encoding)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_utf8_is_read_with_and_without_its_mark(mark: bytes) -> None:
    for input_format, text in (("csv", CSV), ("json", JSON), ("jsonl", JSON)):
        found = read(input_format, mark + text.encode())
        assert (found.classes, found.logits) == (("név", "b"), ((1.0, 2.0),))
        assert read(input_format, mark).error == "error: t: expected logits, found nothing"


@pytest.mark.parametrize("text", [CSV, JSON, "1,2\n", "[1,2]", "id,猫,犬\n一,1,2\n"])
@pytest.mark.parametrize(
    ("encode", "name"),
    [
        (marked(b"\xff\xfe", "utf-16-le"), "UTF-16"),
        (marked(b"\xfe\xff", "utf-16-be"), "UTF-16"),
        (marked(b"\xff\xfe\0\0", "utf-32-le"), "UTF-32"),
    ],
)
def test_text_of_wide_characters_is_named_with_what_converts_it(
    text: str, encode: Callable[[str], bytes], name: str
) -> None:
    message = (
        f"error: t: expected UTF-8 text, found {name}\n"
        f"hint: convert it: iconv -f {name} -t UTF-8 FILE | softmax-cli forward -"
    )
    for input_format in ("csv", "tsv", "json", "jsonl"):
        assert read(input_format, encode(text)).error == message
    assert read("csv", encode(text), InputOptions(delimiter=",")).error == message


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("név,b\n1,2\n".encode("latin-1"), "1:2"), ("a,b\n1,2 €\n".encode("cp1252"), "2:5"),
        ("猫é,".encode() + b"\xe9\n", "1:4"), ("猫,b\n1,2\né".encode()[:-1], "3:1"),
        (b"a,b\r\n1,\xff\r\n", "2:3"), (b"a,b\r1,2\r3,\xff\r", "3:3"),
        (b"a\xc0\x80,b\n", "1:2"), (b"a\xed\xa0\x80,b\n", "1:2"), (b"a\xf5,b\n", "1:2"),
    ],
)  # fmt: skip
def test_what_is_no_utf8_is_refused_with_line_and_column(content: bytes, place: str) -> None:
    for input_format in ("csv", "json", "jsonl"):
        error, hint = read(input_format, content).error.split("\nhint: ")
        assert error.startswith(f"error: t:{place}: expected UTF-8 text, found the byte 0x")
        assert "iconv -f LATIN1" in hint


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b"a\0,b\n1,2\n", "1:2"), (b"1,2\n1\0,2\n", "2:2"), ("é,b\n1,2\0".encode(), "2:4"),
        (b"[1,2]\0", "1:6"), (b'{"a\0":1}', "1:4"), ("1,2\n".encode("utf-16-le"), "1:2"),
    ],
)  # fmt: skip
def test_a_nul_byte_is_no_text(content: bytes, place: str) -> None:
    for input_format in ("csv", "json", "jsonl"):
        error = f"error: t:{place}: expected text, found a NUL byte"
        assert read(input_format, content).error == error


# Without these two, Python takes the C locale for one of UTF-8.
NOT_UTF8 = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    "words",
    [
        ("forward", "猫.csv", "--columns", "é,猫", "--id", "名", "--sample", "一", "-f", "csv"),
        ("forward", "猫.csv", "--delimiter", "¦", "--sample", "1", "-f", "json"),
        ("jacobian", "猫.csv", "--entry", "猫,é", "-f", "csv", "-o", "犬.csv"),
        ("jacobian", "\N{MINUS SIGN}1", "2", "--vjp", "\N{MINUS SIGN}1,2", "-f", "csv"),
    ],
)
def test_words_are_the_same_data_in_a_locale_of_another_encoding(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    content = "名,é,猫\n一,1,2\n" if "¦" not in words else "é¦猫\n1¦2\n"
    (tmp_path / "猫.csv").write_text(content, encoding="utf-8")
    results = []
    for changes in ({}, NOT_UTF8):
        outcome = run_cold(*words, cwd=tmp_path, env=changes)
        assert (outcome.status, outcome.stderr) == (0, "")
        written = tmp_path / "犬.csv"
        results.append((outcome.stdout, written.read_bytes() if "-o" in words else b""))
    assert results[0] == results[1]


def test_a_word_that_is_no_utf8_is_taken_as_the_locale_has_it() -> None:
    for word in ("naïve", "caf\udce9", "\ud800", "猫"):
        assert as_data(word) == word
