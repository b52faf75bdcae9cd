"""Strictness: what RFC 8259 forbids is refused with its place, and what it allows is read right."""

import re
import time

import pytest

from softmax_cli.errors import InputError
from softmax_cli.options import InputOptions
from softmax_cli.reading.results import read_candidate
from tests.program import run
from tests.reading import read

MALFORMED = [
    b"[1 true]", b'[""],', b"[1,,2]", b'["x"]]', b"[3[4]]", b"[1:2]", b"[-]", b"[1,]", b'["\x0ba"]',
    b'["a",\n4\n,1,', b"[fals]", b"123\x00", b"[++1234]", b"[+1]", b"[+Inf]", b"[-01]", b"[-2.]",
    b"[-NaN]", b"[.2e-3]", b"[0.3e+]", b"[0e]", b"[1 000.0]", "[\uff11]".encode(), b"[1+2]",
    b"[0x1]", b"[Infinity]", b"[-Infinity]", b"[- 1]", b"[-012]", b"[1.]", b"{a:1}", b"{'a':0}",
    b'{"id":0,}', b'{"a":"b"}/**/', b'{"a":"b",,"c":"d"}', b"{1:1}", b'["\\x00"]', b'["\t"]',
    rb'["\uD834\uDd"]', rb'["\a"]', rb"[\n]", b'["a\x00a"]', b'["new\nline"]', rb'"\UA66D"',
    b"[True]", b"[1]x",
    "[\u2060]".encode(), b"\xef\xbb{}", b"[\x0c]", b"*", b"[a\xe5]", b"[1e1\xe5]",
    b"{{}:1}", b"[" * 100_000, b'[{"":' * 50_000,
]  # fmt: skip
OPEN = [
    (b'{"a":"b","a":"c"}', "expected each key once, found 'a'"),
    (b"[0.4e00669999999999999999999999999999999999]", "within the range of float64"),
    (b"[-1e+9999]", "within the range of float64"),
    (rb'{"\uDFAA":0}', "expected JSON of numbers and text: "),
    (rb'["\uDADA"]', "expected JSON of numbers and text: "),
    (rb'["\uD888\u1234"]', "expected JSON of numbers and text: "),
    (rb'["\uDd1e\uD834"]', "expected JSON of numbers and text: "),
    ('["é"]'.encode("utf-16"), "expected UTF-8 text, found UTF-16"),
    (b'["\xe6\x97\xa5\xd1\x88\xfa"]', ":1:5: expected UTF-8 text"),
    (b'["\xed\xa0\x80"]', ":1:3: expected UTF-8 text"),
    (b'["\xc0\xaf"]', ":1:3: expected UTF-8 text"),
    (b"[" * 500 + b"]" * 500, "value 1: expected a number, found an array"),
    (b"[123e-10000000]", ((0.0,),)),
    (b"[-123123123123123123123123123123]", ((-1.2312312312312312e29,),)),
    (b"[-0.0]", ((-0.0,),)), (b'{ "min": -1.0e+28, "max": 1E+28 }', ((-1e28, 1e28),)),
    (rb'{"foo\u0000bar": 42}', ((42.0,),)),
]  # fmt: skip
REFUSED = re.compile(r"error: t(:\d+)*: expected (JSON|UTF-8 text|text)\b")


@pytest.mark.parametrize("text", MALFORMED)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    for content in (text, b"[1]\n" + text + b"\n[2]\n"):
        for input_format in ("json", "jsonl"):
            assert REFUSED.match(read(input_format, content, block_size=1).error)


@pytest.mark.parametrize(("text", "decided"), OPEN)
def test_what_the_rfc_leaves_open_is_decided(text: bytes, decided: object) -> None:
    for input_format in ("json", "jsonl"):
        found = read(input_format, text, block_size=1)
        if isinstance(decided, str):
            assert decided in found.error.replace("sample 1, ", "")
        else:
            assert repr(found.logits) == repr(decided)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("1e-400", 0.0), ("-1e-400", 0.0), ("0." + "3" * 10_000, 1 / 3),
        ("1" + "0" * 9_999 + "e-9999", 1.0), ("0." + "0" * 9_999 + "1e10000", 1.0),
        ("9" * 300, float("9" * 300)), ("9" * 308, float("9" * 308)), ("1e400", None),
        ("-1e400", None), ("9" * 10_000, None), ("-" + "9" * 10_000, None), ("1" + "0" * 309, None),
    ],
)  # fmt: skip
def test_a_number_is_the_nearest_float64_or_refused(number: str, value: float | None) -> None:
    place = {"json": "t: sample 1, value 2", "jsonl": "t:1, value 2", "records": "t:1, 'b'"}
    for text, input_format, key in (
        (f"[0,{number}]", "json", "json"), (f'["-inf",{number},0]', "json", "json"),
        (f"[0,{number}]", "jsonl", "jsonl"), (f'{{"a":0,"b":{number}}}', "jsonl", "records"),
    ):  # fmt: skip
        for end in ("", "\n"):
            found = read(input_format, f"{text}{end}".encode())
            if value is None:
                problem = "expected a number within the range of float64"
                assert found.error == f"error: {place[key]}: {problem}"
            else:
                assert found.logits[0][1] == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a":1,\n "b":{"c":1},\n "b":2}', "t: expected each key once, found 'b' twice"),
        ('{"a\\u0062":1, "ab" :2}', "t: expected each key once, found 'ab' twice"),
        ('[{"a":1},{"a":2,"c":"{\\"a\\":","c":3}]', "t: expected each key once, found 'c'"),
        ('["\\\\ud800",\n"\\ud83d\\ude00\\udead"]', "t: expected JSON of numbers and text: "),
        ('{"\\ud83d\\ude00":"\\ud83d"}', "t: expected JSON of numbers and text: "),
        ('["[[[", NaN]', "t: expected JSON, found NaN\nhint: JSON has no NaN and no infinity"),
        ("[NaNsense]", "t: expected JSON, found NaN"),
        ('{"Infinity":[-InfinityNaN', "t: expected JSON, found -Infinity"),
        ('{"NaN" : -Infinity}', "t: expected JSON, found -Infinity"),
        ('[1,\r2,\r\n"a":3]', "t:2:4: expected JSON"),
        ("[1,2]\r[3,4]\r", "t:1:7: expected JSON, found '[3,4]\\r': extra data"),
        ("[" * 150 + "1" + "]" * 150, "t: sample 1, value 1: expected a number, found an array"),
        ('{"a":' * 100_000, "t: expected JSON of numbers and text: "),
    ],
)
def test_the_place_is_where_it_stands(text: str, message: str) -> None:
    assert read("json", text.encode()).error.startswith(f"error: {message}")


def test_a_key_repeated_among_very_many_is_found_at_once() -> None:
    keys = "".join(f'"k{k}":1,' for k in range(100_000))
    begin = time.process_time()
    error = read("json", f'{{{keys}"k99999":2}}'.encode()).error
    assert error.startswith("error: t: expected each key once, found 'k99999' twice")
    assert time.process_time() - begin < 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1,2]\r[3,4]\r", "t:1:7: expected JSON, found '[3,4]\\r"),
        ("[1,2]\n\x0c\n[3,4]", "t:2:1: expected JSON"),
        ("[1,2]\n\xa0\n[3,4]", "t:2:1: expected JSON"),
        ('{"a":1}\n{"a":1,"a":2}', "t:2: expected each key once, found 'a' twice"),
        ("[1]\n" + "[" * 100_000, "t:2: expected JSON of numbers and text: "),
    ],
)
def test_a_line_of_json_is_as_strict(text: str, message: str) -> None:
    for end in ("", "\n", "\r\n", "\n\n"):
        assert read("jsonl", f"{text}{end}".encode()).error.startswith(f"error: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1,2,]", "c.json:1:"),
        ("[[1,NaN]]", "c.json: expected JSON, found NaN\nhint: JSON has no NaN and no infinity"),
        ("[[1,1e400]]", "c.json: row 1, value 2: expected a number within the range of float64"),
        ("[[1,-1e400]]", "c.json: row 1, value 2: expected a number within the range of float64"),
        (f"[[1,{'9' * 10_000}]]", "c.json: row 1, value 2: expected a number within the range"),
        ('{"jacobian":[[1]],"jacobian":[[2]]}', "c.json: expected each key once"),
        ("[" * 90 + "]" * 90, "c.json: row 1"),
        ("[" * 100_000, "c.json: expected JSON of numbers and text: "),
        ("[[true]]", "c.json: row 1, value 1: expected a number, found true"),
        ('[["\\udead"]]', "c.json: expected JSON of numbers and text: "),
        ("[[1],[2,3]]", "c.json: row 2: expected 1 value as in the first sample, found 2"),
    ],
)
def test_results_in_json_are_read_as_strictly(
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("results"))
    for name in ("c.json", "c.jsonl"):
        with open(name, "w") as file:
            file.write(text)
        with pytest.raises(InputError) as caught:
            read_candidate(name, "--jacobian", "jacobian", InputOptions())
        if name == "c.json":
            assert str(caught.value).startswith(f"error: {message}")


def test_what_the_program_wrote_it_reads_without_a_word() -> None:
    for text in ('{"logits":[[1,2]],"classes":["a","b"],"samples":["x"]}', '{"a":1,"b":2}'):
        assert run("forward", "-f", "csv", stdin=text).stderr == ""
    written = run("jacobian", "1", "2", "-f", "json").stdout
    assert run("check", "1", "2", "--jacobian", "-", stdin=written).stderr == ""
