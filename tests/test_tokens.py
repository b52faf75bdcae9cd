"""What a piece of text on the command line means."""

import math

import pytest

from softmax_cli.words import (
    NotANumberError,
    is_broken_number,
    read_number,
    split_row,
    starts_like_number,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("1", 1.0), ("-1", -1.0), ("+2", 2.0), ("-.5", -0.5), ("5.", 5.0), (" 7 ", 7.0)],
        *[("-1e3", -1000.0), ("1E-3", 0.001), ("1e-400", 0.0), ("-0", -0.0), ("0.1", 0.1)],
        *[("\N{MINUS SIGN}1.5", -1.5), ("1e\N{MINUS SIGN}2", 0.01)],
        *[("inf", math.inf), ("+inf", math.inf), ("-inf", -math.inf), ("-Infinity", -math.inf)],
        ("\N{MINUS SIGN}INF", -math.inf), ("9007199254740993", 9007199254740992.0),
    ],
)  # fmt: skip
def test_a_number_is_what_json_or_c_would_read(text: str, value: float) -> None:
    number = read_number(text)
    assert number == value
    assert math.copysign(1, number) == math.copysign(1, value)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "x", "1_000", "0x10", "0x1p3", "1,5", "1e", "--1", "1 2", "\u0661", "½"),
        *("1e400", "-1e999", "infinit", "1d5", "True", "1f", "9" * 400),
    ],
)
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(NotANumberError):
        read_number(text)


@pytest.mark.parametrize(
    ("token", "pieces"),
    [
        *((each, ["2", "1", "0.1"]) for each in ("2,1,0.1", "2 1 0.1", "2, 1,\t0.1")),
        *[("-1", ["-1"]), ("1,", ["1", ""]), (",1", ["", "1"]), ("1,,2", ["1", "", "2"])],
    ],
)
def test_a_token_splits_at_commas_or_spaces(token: str, pieces: list[str]) -> None:
    assert split_row(token) == pieces


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        *((each, True) for each in ("-1", "-.5", "-1e3", "-inf", "-Infinity", "-inf,0", "-inf 0")),
        *((each, True) for each in ("-nan", "+2", "\N{MINUS SIGN}3", "-1x", "2,1,x", ",1")),
        *((each, False) for each in ("-", "-f", "-i", "-in", "-info", "--1", "--formt", "./1")),
        *((each, False) for each in ("--formt=1,2", "--vjp=0,0,1", "logits.csv")),
        *[("[1,2]", True), ("[1,2,3]", True)],
    ],
)
def test_what_is_meant_as_a_number(token: str, expected: bool) -> None:
    assert starts_like_number(token) is expected


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        *((text, True) for text in ("1,5", "-1,5", "1_000", "1.234,5", "10%", "0x10", "1e400")),
        *((text, True) for text in ("NA", "n/a", "-", "?", "null", "5;2", "-\u221e", "1 000")),
        *((text, False) for text in ("1", "-inf", "nan", "", " ", "cat", "2024-01-01", "3rd")),
        *((text, False) for text in ("x1", "id_1", "r2d2", "12:30", "a,b", "Nate", "7a")),
    ],
)
def test_what_was_meant_as_a_number(text: str, broken: bool) -> None:
    assert is_broken_number(text) is broken
