"""JSON lines: a sample a line, in and out, through the program."""

import fcntl
import io
import json
import os
import struct
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.options import InputOptions
from softmax_cli.reading.source import open_logits
from softmax_cli.samples import concatenate
from tests.program import PETS, Outcome, refused, run


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("[3,3]\n[4,4]\n", "0.5,0.5\n0.5,0.5\n"), ("[3,3]", "0.5,0.5\n"),
        ("\ufeff[3,3]\r\n\n  \n[4,4]\r\n", "0.5,0.5\n0.5,0.5\n"),
        ('["-inf",0]\n', "0.0,1.0\n"),
        ('{"logits":[3,3]}\n', "0.5,0.5\n"),
        (
            '{"logits":[3,3],"sample":"x"}\n{"sample":7,"logits":[4,4]}',
            "sample,1,2\nx,0.5,0.5\n7,0.5,0.5\n",
        ),
        ('{"logits":[3,3],"classes":["a","b"]}\n{"logits":[4,4]}', "a,b\n0.5,0.5\n0.5,0.5\n"),
        ('{"cat":3,"dog":3}\n{"dog":4,"cat":4}\n', "cat,dog\n0.5,0.5\n0.5,0.5\n"),
        ('{"id":7,"cat":3,"dog":3}\n', "id,cat,dog\n7,0.5,0.5\n"),
        ('{"photo":"x","cat":3,"dog":3}\n', "photo,cat,dog\nx,0.5,0.5\n"),
        ('{"a\\nb":3,"\\ud83d\\ude00":3}\n', '"a\nb",😀\n0.5,0.5\n'),
    ],
)  # fmt: skip
def test_every_form_of_one_sample_is_read(text: str, printed: str) -> None:
    outcome = run("forward", "--input-format", "jsonl", "-f", "csv", stdin=text)
    assert (outcome.stdout, outcome.stderr, outcome.status) == (printed, "", 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "<stdin>: expected logits, found nothing"),
        ("[1,2]\n[3,4", "<stdin>:2:5: expected JSON"),
        ("[1,2]\n\n[3]", "<stdin>:3: expected 2 values as in the first sample, found 1"),
        ("[1,2]\n[3,4] [5,6]", "<stdin>:2:7: expected JSON"),
        ("[1,2]\n[3,NaN]", "<stdin>:2: expected JSON, found NaN"),
        ("[1,2]\n[3,true]", "<stdin>:2, value 2: expected a number, found true"),
        ('["-inf",2]\n[3,-1e400]', "<stdin>:2, value 2: expected a number within the range"),
        ('[1,2]\n["-inf","-inf"]', "<stdin>:2: every logit is -inf"),
        ("[[1,2]]\n", "<stdin>:1, value 1: expected a number, found an array"),
        ("3\n", "<stdin>:1: expected an array of logits, found 3"),
        ('{"logits":[1]}\n[1]', "<stdin>:2: expected the keys of the first sample"),
        ('{"logits":[1],"sample":"a"}\n{"logits":[1]}', "<stdin>:2: expected the keys of the"),
        ('{"logits":[1],"sample":[1]}', "<stdin>:1: expected a name, found an array"),
        ('{"logits":[1],"sample":1e400}', "<stdin>:1: expected a name, found Infinity"),
        ('{"logits":[1]}\n{"logits":[1],"classes":["a"]}', "<stdin>:2: expected 0 classes as in"),
        (
            '{"logits":[1],"classes":["a"]}\n{"logits":[1],"classes":["c"]}',
            "<stdin>:2: expected 'a' as",
        ),
        ('{"a":1,"b":2}\n{"a":1,"a"  :2}', "<stdin>:2: expected each key once, found 'a' twice"),
        ('{"a":1}\n{"b":1}', "<stdin>:2: expected the keys of the first sample, found no 'a'\n"),
        ('{"a":1}\n{"a":1,"b":1}', "<stdin>:2: expected the keys of the first sample, found 'b'\n"),
        ('{"a":1}\n{"a":"x"}', "<stdin>:2, 'a': expected a number"),
        ("[" * 100_000, "<stdin>:1: expected JSON of numbers and text: "),
    ],
)
def test_a_bad_line_is_named(text: str, message: str) -> None:
    error = refused("forward", "--input-format", "jsonl", stdin=text)
    assert error.startswith(f"error: {message}"), error


def test_columns_choose_among_the_keys_of_records() -> None:
    words = ["forward", "-f", "csv", "--columns", "a,c", "--id", "run"]
    one, two = '{"run":1,"a":3,"b":9,"c":3}', '{"run":2,"a":3,"b":9,"c":3}'
    for text in (f"{one}\n{two}", f"[{one},{two}]"):
        assert run(*words, stdin=text).stdout == "run,a,c\n1,0.5,0.5\n2,0.5,0.5\n"
    assert run("forward", "--columns", "1", stdin="[1,2]\n[3,4]\n").status == 2


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("[3,3]\n[4,4]\n", 2), (' {"a":3,"b":3}\n\n{"a":4,"b":4}', 2), ("[3,3]\n", 1), ("[3,3]", 1),
        ("[3,\n3]\n", 1), ("[[3,3],[4,4]]\n", 2), ('[{"a":3,"b":3},\n{"a":4,"b":4}]', 2),
        ('{"logits":[[3,3],[4,4]]}\n', 2), ('{"logits":[3,3],"samples":["x"]}\n', 1),
    ],
)  # fmt: skip
def test_content_tells_json_lines_from_json(text: str, samples: int) -> None:
    outcome = run("forward", "-f", "json", stdin=text)
    assert outcome.status == 0, outcome.stderr
    assert outcome.json["probabilities"] == [[0.5, 0.5]] * samples


def test_suffixes_decide_in_and_out(tmp_path: Path) -> None:
    for suffix in ("jsonl", "ndjson"):
        path = tmp_path / f"z.{suffix}"
        path.write_text("[3,3]\n")
        out = tmp_path / f"y.{suffix}"
        assert run("forward", str(path), "-o", str(out)).status == 0
        assert out.read_text() == '{"sample":"1","probabilities":[0.5,0.5]}\n'


@pytest.mark.parametrize(
    ("words", "key", "in_json", "is_by_class"),
    [
        ("forward", "probabilities", "probabilities", True),
        ("forward --log", "log_probabilities", "log_probabilities", True),
        ("forward --top 2", "top", "top", False), ("jacobian", "jacobian", "jacobian", False),
        ("jacobian --entry 1,2", "partial", "partials", False),
        ("jacobian --vjp 0,0,1", "vjp", "vjp", True),
    ],
)  # fmt: skip
def test_a_line_a_sample_holds_what_json_holds(
    words: str, key: str, in_json: str, is_by_class: bool
) -> None:
    named = '{"logits":[[1,2,"-inf"]],"classes":["%d%%","\\"a\\"\\n","猫"]}'
    for text in (PETS, "1,2,3", '{"logits":[[1,2,"-inf"]],"classes":["a","a","b"]}', named):
        stdin, operands = ("", [text]) if text[0] != "{" else (text, [])
        whole = run(*words.split(), *operands, "-f", "json", stdin=stdin).json
        outcome = run(*words.split(), *operands, "-f", "jsonl", stdin=stdin)
        values = whole[in_json]
        if is_by_class and text in (PETS, named):  # classes have names, each once
            values = [dict(zip(whole["classes"], row, strict=True)) for row in values]
        assert [json.loads(line) for line in outcome.stdout.splitlines()] == [
            {"sample": sample, key: value}
            for sample, value in zip(whole["samples"], values, strict=True)
        ]


def test_check_writes_a_line_a_sample() -> None:
    lines = run("check", PETS, "-f", "jsonl").stdout.splitlines()
    assert [json.loads(line) for line in lines] == run("check", PETS, "-f", "json").json["samples"]


def test_infinity_and_names_are_json_in_every_line() -> None:
    text = '{"logits":["-inf",0],"sample":"a\\"\\n\\u732b"}'
    outcome = run("forward", "--log", "-f", "jsonl", stdin=text)
    assert outcome.stdout == ('{"sample":"a\\"\\n\\u732b","log_probabilities":["-Infinity",0.0]}\n')


@contextmanager
def byte_by_byte(content: bytes) -> Iterator[str]:
    """Name a pipe that brings a byte at a time, the next when that one was taken."""
    reading, writing = os.pipe()

    def write() -> None:
        for byte in content:
            os.write(writing, bytes([byte]))
            while any(fcntl.ioctl(writing, termios.FIONREAD, struct.pack("i", 0))):
                time.sleep(1e-4)
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield f"/dev/fd/{reading}"
    finally:
        thread.join()
        os.close(reading)


NPY = io.BytesIO()
np.save(NPY, [[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    "content",
    [
        b"[1,2]\n[3,4]\n", b"\xef\xbb\xbf\n [1,2]\n[3,4]",
        b'{"logits":[1,2],"sample":"a"}\n{"logits":[3,4],"sample":"b"}\n', b"[[1,2],\n[3,4]]\n",
        b"a,b\r\n1,2\r\n3,4", NPY.getvalue(),
    ],
)  # fmt: skip
def test_the_pieces_that_a_pipe_brings_change_nothing(content: bytes) -> None:
    with byte_by_byte(content) as path, open_logits([path], InputOptions()) as logits:
        assert concatenate(logits.batches, 2).logits.tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("form", ["{0}\n{0}\n", "[{0},{0}]", "[\n{0},\n{0}\n]", "[{0},\n{0}]"])
def test_a_first_line_may_be_longer_than_what_the_format_is_guessed_from(form: str) -> None:
    line = json.dumps([0.5] * 40_000)
    outcome = run("jacobian", "--entry", "1,2", "-f", "csv", stdin=form.format(line))
    assert (outcome.status, len(outcome.stdout.splitlines()), outcome.stderr) == (0, 2, "")


def test_a_carriage_return_within_a_line_is_a_space_wherever_blocks_are_cut() -> None:
    line = "[" + ",\r".join(["1.25"] * 60) + "]\n"
    outcome = run("jacobian", "--entry", "1,1", "-f", "jsonl", stdin=line * 2_000)
    whole = run("forward", "-f", "jsonl", stdin=line * 2_000)
    assert (outcome.status, whole.status) == (0, 0)
    assert whole.stdout.count("\n") == outcome.stdout.count("\n") == 2_000
    assert whole.stdout.splitlines()[-1].startswith('{"sample":"2000",')


def test_large_integers_are_names_as_they_stand() -> None:
    lines = [f'{{"id":{2**65 + k},"a":1,"b":2.5}}\n' for k in range(3)]
    printed = run("forward", "-f", "csv", stdin="".join(lines)).stdout.splitlines()
    assert [row.split(",")[0] for row in printed] == ["id", *(str(2**65 + k) for k in range(3))]


def test_members_of_any_kind_are_kept_and_one_that_is_missing_is_told() -> None:
    text = '{"logits":[3,3],"m":{"x":1},"l":[1]}\n'
    printed = run("forward", "--keep", "m,l", "-f", "jsonl", stdin=text).stdout
    assert '"kept":{"m":{"x":1},"l":[1]}' in printed
    assert ":2:" in refused("forward", stdin="[1,2]\n[3,4\n5,6]\n")
    text = '{"logits":[3,3],"a":1}\n{"logits":[3,3],"a":1,"note":"x"}\n'
    assert ":2: " in (told := refused("forward", "--keep", "all", stdin=text))
    assert "found 'note'" in told
    assert run("forward", "--keep", "a", "-f", "csv", stdin=text).status == 0
    for text in ('{"m":{"z":[1,2]}}\n{"m":{}}\n', "[1,2]\n"):
        assert "found no 'm.z'" in refused("forward", "--key", "m.z", stdin=text)


def test_a_line_may_name_its_sample_in_a_list_and_an_object_has_no_order() -> None:
    text = '{"logits":[3,3],"samples":["q"]}\n{"logits":[3,3],"samples":["r"]}\n'
    assert run("forward", "-f", "csv", stdin=text).stdout[9:] == ",1,2\nq,0.5,0.5\nr,0.5,0.5\n"
    for logits, key in (('{"a":1,"b":2}', "logits.*"), ('{"a":{"p":1},"b":{"p":2}}', "logits.*.p")):
        refused("forward", "--key", key, stdin=f'{{"logits":{logits}}}\n' * 2)
    blank = run("forward", "-f", "csv", stdin="cat;dog;\n1.5;1.5;\n")
    assert blank == Outcome(0, "cat,dog\n0.5,0.5\n", "")
