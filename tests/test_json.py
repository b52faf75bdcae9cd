"""JSON input, through the program."""

from pathlib import Path

import pytest

from tests.program import refused, run

PRINTED = "0.5,0.5\n"
SAMPLES = "sample,1,2\nx,0.5,0.5\ny,0.5,0.5\n"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("[3,3]", PRINTED), ("[[3,3],[4,4]]", PRINTED * 2), ('{"logits":[3,3]}', PRINTED),
        ('{"logits":[[3,3],[4,4.0]]}', PRINTED * 2), ("[3,3]\n[4,4]\n", PRINTED * 2),
        ('{"logits":[[3,3]],"classes":["a","b"]}', "a,b\n" + PRINTED),
        ('{"logits":[[3,3]],"classes":["a","b"],"samples":["x"]}', "sample,a,b\nx,0.5,0.5\n"),
        ('{"logits":[[3,3]],"samples":["x"]}', "sample,1,2\nx,0.5,0.5\n"),
        ('{"logits":[[3,3]],"classes":[0,1],"samples":[7]}', "sample,0,1\n7,0.5,0.5\n"),
        ('{"logits":[3,3],"classes":["a","b"],"id":"x"}', "id,a,b\nx,0.5,0.5\n"),
        ('{"logits":{"a":3,"b":3},"id":"x"}', "id,a,b\nx,0.5,0.5\n"), ("5", None),
        ('[{"a":3,"b":3},{"b":4,"a":4}]', "a,b\n" + PRINTED * 2),
        ('{"a":3,"b":3}', "a,b\n" + PRINTED), ('[{"id":7,"a":3,"b":3}]', "id,a,b\n7,0.5,0.5\n"),
        ('[{"word":"x","a":3,"b":3}]', "word,a,b\nx,0.5,0.5\n"), ("\ufeff [3e0, 3]\n", PRINTED),
        ('["-inf", 0]', "0.0,1.0\n"), ('["-Infinity", 0]', "0.0,1.0\n"),
        ('[{"a":"-inf","b":3,"c":3}]', "a,b,c\n0.0,0.5,0.5\n"),
        ("[9007199254740993, 9007199254740992]", PRINTED), ("[1e-400, 0]", PRINTED),
        ('[{"logits":[3,3],"sample":"x"},{"logits":[4,4],"sample":"y"}]', SAMPLES),
        ('{"m":1,"id":["x","y"],"logits":[[3,3],[4,4]]}', SAMPLES.replace("sample", "id")),
        ('{"logits":[{"a":3,"b":3}],"who":["x"],"label":[9]}', "who,a,b\nx,0.5,0.5\n"),
    ],
)  # fmt: skip
def test_every_form_is_read(text: str, printed: str | None) -> None:
    outcome = run("forward", "--input-format", "json", "-f", "csv", stdin=text)
    if printed is None:
        assert outcome.status == 2
        return
    assert (outcome.stdout, outcome.stderr, outcome.status) == (printed, "", 0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " expected logits, found nothing"),
        ("[1,2", "1:5: expected JSON, found the end: expecting ',' delimiter\n"),
        ("[1,\n2,]", "2:"), ("[1,\ntrap]", "2:1: expected JSON, found 'trap]': expecting value\n"),
        ("[1] 2e5 3", "1:5: expected JSON, found '2e5 3': extra data\n"),
        ('["a\x1b"]', "1:4: expected JSON, found '\\x1b"),
        ('["a', "1:2: expected JSON, found '\"a': unterminated string\n"),
        ("[1,NaN]", " expected JSON, found NaN"), ("[[1],2]", " sample 2: expected an array of"),
        ('{"logits":\n [1,-Infinity]}', " expected JSON, found -Infinity"),
        ('["NaN\\"", NaN]', " expected JSON, found NaN"), ("// no\n[1]", "1:1: expected JSON"),
        ("{}", " sample 1: expected an array of logits, found {}"),
        ('{"a":{}}', " expected numbers, found objects"), ('{"logits":{}}', " sample 1: expected"),
        ('{"samples":[1],"sample":[2],"logits":[[1]]}', " expected each key once, found 'sample' "),
        ('{"*":1,"a":[1]}', " expected numbers, found arrays in column 'a'"),
        ("[1,[2]]", " sample 1, value 2: expected a number, found an array"),
        ('{"m":1,"id":[1],"logits":[[1],[2]]}', ' expected 2 names in "id", found 1'),
        ("[[1,2],[3]]", " sample 2: expected 2 values as in the first sample, found 1"),
        ('[1,"2"]', ' sample 1, value 2: expected a number, found "2"'),
        (f"[-{'9' * 400},1]", " sample 1, value 1: expected a number within the range"),
        ('["-inf","-inf"]', " sample 1: every logit is -inf"),
        ('{"logits":[1],"classes":["a","b"]}', ' sample 1: expected 1 name in "classes", found 2'),
        ('{"logits":[1],"classes":"a"}', ' sample 1: expected an array of names as "classes"'),
        ('{"logits":{"a":1},"classes":["b"]}', " expected 'a' as class 1, as in the logits, "),
        ('{"logits":[1],"logits":[2]}', " expected each key once, found 'logits' twice"),
        ('[{"a":1},{"b":1}]', " sample 2: expected the keys of the first sample, found no"),
        ('[{"logits":[1]},{"logits":[1],"id":7}]', " sample 2: expected the keys of the first sam"),
        ('{"logits":[{"a":1,"id":2}],"samples":["x"]}', " expected logits and at most one column "),
        ('[{"x":"p","y":"q","a":1}]', " expected logits and at most one column of names"),
        ('{"logits":[1],"classes":["\\ud800"]}', " expected JSON of numbers and text: "),
        ("[" * 100_000, " expected JSON of numbers and text: "),
    ],
)  # fmt: skip
def test_what_is_not_logits_is_refused_with_its_place(text: str, message: str) -> None:
    error = refused("forward", "--input-format", "json", stdin=text)
    assert error.startswith(f"error: <stdin>:{message}"), error


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('{"logit":[1,2]}', "logit"), ('{"Logits":[[1,2],[3,4]],"classes":["a","b"]}', "Logits"),
        ('{"sample":"x","scores":[1,2]}', "scores"), ('{"a":1,"b":[]}', "b"),
    ],
)  # fmt: skip
def test_an_array_under_another_key_is_named(text: str, key: str) -> None:
    for input_format in ("json", "jsonl"):
        error = refused("forward", "--input-format", input_format, stdin=text)
        assert error.startswith(f"error: <stdin>: expected numbers, found arrays in column {key!r}")


def test_an_array_under_a_key_that_is_not_chosen_is_not_looked_at() -> None:
    for input_format in ("json", "jsonl"):
        words = ("forward", "--input-format", input_format, "--columns", "a,b", "-f", "csv")
        outcome = run(*words, stdin='{"a":3,"b":3,"embedding":[1,2]}')
        assert (outcome.stdout, outcome.stderr) == (f"a,b\n{PRINTED}", "")


def test_sample_names_without_class_names_are_read_back_from_csv(tmp_path: Path) -> None:
    (tmp_path / "z.json").write_text('{"logits":[[1,2],[3,5]],"samples":["x","y"]}')
    for words, option in ((["forward"], "--probabilities"), (["jacobian"], "--jacobian")):
        printed = run(*words, "z.json", "-f", "csv", cwd=tmp_path).stdout
        assert printed.startswith("sample,")
        checked = run("check", "z.json", option, "-", "-f", "json", stdin=printed, cwd=tmp_path)
        assert (checked.status, checked.json["checked"]) == (0, 2)
    printed = run("forward", "z.json", "-f", "csv", cwd=tmp_path).stdout
    assert run("forward", "-f", "json", stdin=printed).json["samples"] == ["x", "y"]
