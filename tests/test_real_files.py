"""Labelled exports as people have them: read rightly, or refused with a command that works."""

import bz2
import gzip
import importlib.util
import io
import json
import lzma
import math
import os
import pickle
import re
import shlex
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from softmax_cli.mathematics import core
from softmax_cli.options import InputOptions
from softmax_cli.reading.source import open_logits
from softmax_cli.samples import concatenate
from tests.program import SCRIPT, Outcome, refused, run, run_in_shell

Names = list[str] | None
IDS = "image_id,cat,dog\n1001,2.0,1.5\n1002,1,0.5\n"
NUMBERED = "image_id,0,1,2,label\n7,1,2,3,0\n"
IDS_SOFTMAX = [[0.622459331201855, 0.377540668798145]] * 2
RECORDS = [{"image_id": 1001, "cat": 2.0, "dog": 1.5}, {"image_id": 1002, "cat": 1, "dog": 0.5}]
ONE_TO_THREE = [0.0900305731703805, 0.244728471054798, 0.665240955774822]


def written(folder: Path, name: str, content: str | bytes | pa.Table) -> str:
    """Write a file; return its name."""
    path = folder / name
    if isinstance(content, pa.Table):
        parquet.write_table(content, path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def numbers(outcome: Outcome) -> list[list[float]]:
    """Read what was printed as json."""
    assert outcome.status == 0, outcome.stderr
    rows: list[list[float]] = outcome.json["probabilities"]
    return rows


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ids.csv", IDS), ("ids.tsv", IDS.replace(",", "\t")),
        ("ids.json", json.dumps(RECORDS)), ("ids.jsonl", "\n".join(map(json.dumps, RECORDS))),
        ("lines.json", "\n".join(map(json.dumps, RECORDS))),
        ("ids.parquet", pa.Table.from_pylist(RECORDS)),
        ("whole.csv", IDS.replace("1001", "1001.0")),
    ],
)  # fmt: skip
def test_identifiers_among_logits_are_refused_and_the_hint_works(
    tmp_path: Path, name: str, content: str
) -> None:
    file = written(tmp_path, name, content)
    error = refused("forward", file, cwd=tmp_path)
    assert "'image_id'" in error
    assert "hint: give --id image_id or pick the logits: --columns cat,dog" in error
    for option in ("--id image_id", "--columns cat,dog", "--keep image_id", "--keep all"):
        outcome = run("forward", file, *option.split(), "-f", "json", cwd=tmp_path)
        assert np.allclose(numbers(outcome), IDS_SOFTMAX, rtol=1e-13, atol=0)
        assert outcome.json["classes"] == ["cat", "dog"]


@pytest.mark.parametrize(
    ("header", "row", "named", "hint"),
    [
        ("image_id,a,b,label", "7,1.5,2,0", "'image_id', 'label'", "--id image_id --keep label"),
        ("id,a,b,label", "7,1.5,2,0", "'label'", "--keep label"),
        ("id,a,b,label", "7,1.5,2,-100", "'label'", "--keep label"),  # as torch ignores them
        ("index,userId,a,b", "0,7,1.5,2", "'userId'", "--keep userId"),
        ("Unnamed: 0,a,b", "0,1.5,2", "'Unnamed: 0'", "--id 1"),
        ("Unnamed: 0,1,2", "0,1.5,2", "'Unnamed: 0'", "--id 'Unnamed: 0'"),
        ("Unnamed: 0.1,index,a,b", "1,0,1.5,2", "'Unnamed: 0.1'", "--keep 1"),
        ("y_true,y_pred,a,b", "1,0,1.5,2", "'y_true', 'y_pred'", "--keep y_true,y_pred"),
        ("text,a,b,target", "x,1.5,2,3", "'target'", "--keep target"),
        ("id,index,a,b", "1,2,1.5,2", "'id', 'index'", "--id id --keep index"),
        ("id t a b", "1 x 2 3", "'id', 't'", "--id id --keep t"),
        ("id\ta\tb\tlabel", "1\t1.5\t2\t2.0", "'label'", "--keep label"),
        ("uid,a,b,c,d,e,f,g", "7,1.5,1,2,3,4,5,6", "'uid'", "--id uid"),
    ],
)
def test_all_doubtful_columns_are_named_in_one_error_and_both_hints_work(
    header: str, row: str, named: str, hint: str
) -> None:
    text = f"{header}\n{row}\n{row}\n"
    *_, problem, told = refused("forward", stdin=text).splitlines()
    assert problem.startswith("error: <stdin>:1: ")
    assert problem.endswith(named)
    first, _, second = told.removeprefix("hint: give ").partition(" or pick the logits: ")
    assert first == hint
    ways = [run("forward", "-f", "json", *shlex.split(w), stdin=text) for w in (first, second)]
    assert numbers(ways[0]) == numbers(ways[1])


def test_what_a_column_is_does_not_depend_on_the_blocks(tmp_path: Path) -> None:
    # The logits are whole but for one that is far behind the first 64 KB.
    rows = [{"label": k, **{f"c{c}": 1 for c in range(40)}} for k in range(1000)]
    rows[999]["c0"] = 1.5  # type: ignore[assignment]
    lines = [",".join(map(str, row.values())) for row in rows]
    for name, content in (
        ("z.csv", "\n".join([",".join(rows[0]), *lines])),
        ("z.jsonl", "\n".join(map(json.dumps, rows))),
        ("z.json", json.dumps(rows)),
        ("z.parquet", pa.Table.from_pylist(rows)),
    ):
        error = refused("forward", written(tmp_path, name, content), "-f", "csv", cwd=tmp_path)
        assert "'label'" in error


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("$2", ""), ("€2.50", ""), ("(2)", ""), ("tensor(2.)", ""), ("[2.]", ""), ("\u200b2", ""),
        ("-1.#IND", ""), ("np.float64(2.0)", ""), ("1.5-", ""), ("2%", ""), ("- 2", ""),
        ("-0.38136473436721D+03", ""), ("<3", ""), ("tensor([2.])", ""), ("($1.50)", ""),
        ("NA", "--skip-invalid"), ("n/a", "--skip-invalid"), ("None", "--skip-invalid"),
        ("\u20112.5", ""), ("1\u00a0234.5", ""), ('="1.5"', ""), ("'1.5", ""), (r"\N", "--skip-i"),
    ],
)  # fmt: skip
def test_bad_numbers_are_no_names(cell: str, hint: str) -> None:
    for text in (f"cat,dog,owl\n1.5,{cell},3\n2,{cell},1\n", f"1,{cell},3\n1,{cell},2\n"):
        error = refused("forward", "--delimiter", ",", stdin=text)
        place = "2" if text.startswith("cat") else "1"
        assert error.startswith(f"error: <stdin>:{place}:2: expected a number")
        assert hint in error
    error = refused("forward", stdin=json.dumps([{"cat": 1.5, "dog": cell, "owl": 3}]))
    assert "sample 1, 'dog'" in error


@pytest.mark.parametrize(
    ("text", "words", "classes", "samples", "values"),
    [
        (IDS, "--columns cat --columns dog", ["cat", "dog"], ["1", "2"], IDS_SOFTMAX),
        (IDS, "--columns 1-3 --id image_id", ["cat", "dog"], ["1001", "1002"], IDS_SOFTMAX),
        (NUMBERED, "--id image_id --columns 0-2", ["0", "1", "2"], ["7"], [ONE_TO_THREE]),
        ("0,1,2\n1.5,2.5,3.5\n", "--header", ["0", "1", "2"], ["1"], [ONE_TO_THREE]),
        ("a,b,c\n1,2,3\n", "--no-header", None, None, None),
        ("# a,b,c\n1,2,3\n", "--no-header", ["1", "2", "3"], ["1"], [ONE_TO_THREE]),
        ('# made by "us\n# a, b, c\n1 2 3\n', "", ["a", "b", "c"], ["1"], [ONE_TO_THREE]),
        ("# a b c\n1,2,3\n", "", ["a", "b", "c"], ["1"], [ONE_TO_THREE]),
        ("#id,a,b,c\n7,1,2,3\n", "", ["a", "b", "c"], ["7"], [ONE_TO_THREE]),
        ("#id,a,b,c\nx,1,2,3\n", "", ["a", "b", "c"], ["x"], [ONE_TO_THREE]),
        ("#\ta\tb c\td\n7\t1\t2\t3\n", "", ["a", "b c", "d"], ["7"], [ONE_TO_THREE]),
        ("#a\tb\tc\t\n1\t2\t3\tx\n", "", ["a", "b", "c"], ["x"], [ONE_TO_THREE]),
        ("# id,a,b,c\n,1,2,3\n", "", ["a", "b", "c"], [""], [ONE_TO_THREE]),
        ("# of yesterday\na,b,c\n1,2,3\n", "", ["a", "b", "c"], ["1"], [ONE_TO_THREE]),
        ("# by pandas, today now\n,0,1,2\n7,1,2,3\n", "", [*"012"], ["7"], [ONE_TO_THREE]),
        ("1,0;2;3,0\n", "--decimal ,", ["1", "2", "3"], ["1"], [ONE_TO_THREE]),
        ("who;a;b;c\nx;1,0;2;3,0\n", "--decimal ,", ["a", "b", "c"], ["x"], [ONE_TO_THREE]),
        ("1\n2\n3\n", "--axis 0", ["1", "2", "3"], ["1"], [ONE_TO_THREE]),
        ("t_id,z\n7,1\n6,2\n5,3\n", "--axis 0 --columns z", ["7", "6", "5"], ["z"], [ONE_TO_THREE]),
        ("class,z\n7,1\n6,2\n0,3", "--axis 0 --columns z", ["7", "6", "0"], ["z"], [ONE_TO_THREE]),
        ("t,z\na,1\nb,2\nc,3\n", "--axis 0", ["a", "b", "c"], ["z"], [ONE_TO_THREE]),
        ('{"logits":[[0],[0]],"classes":["a","b"]}', "--axis 0", ["a", "b"], ["1"], [[0.5, 0.5]]),
        ('{"a":[0],"b":[0]}', "--axis 0 --key *", ["a", "b"], ["1"], [[0.5, 0.5]]),
        ('uid,logits\n7,"[1, 2, 3]"\n', "", ["1", "2", "3"], ["1"], [ONE_TO_THREE]),
        ('uid,z\n7,"[1. 2. 3.]"\n', "--key z --id uid", ["1", "2", "3"], ["7"], [ONE_TO_THREE]),
    ],
)
def test_text_is_read_as_it_is_said(
    text: str, words: str, classes: Names, samples: Names, values: list[list[float]]
) -> None:
    outcome = run("forward", *words.split(), "-f", "json", stdin=text)
    if classes is None:
        assert outcome.status == 2
        return
    assert np.allclose(numbers(outcome), values, rtol=1e-13, atol=0)
    assert (outcome.json["classes"], outcome.json["samples"]) == (classes, samples)
    told = "warning: <stdin>:2: the first row is taken as the header, not the comment above it\n"
    assert outcome.stderr == told * ("by pandas" in text)


LOGPROBS = {"No": -0.02, "Yes": -4.1, "#": -9999.0}
TOKENS = json.dumps([{"token": token, "logprob": z} for token, z in LOGPROBS.items()])
DOCUMENT = '{"doc_id":0,"lls":[-24.5,-19.25,-31.0,-27.75]}'
LLS = [0.00521903, 0.994571, 7.84649e-06, 0.000202364]


@pytest.mark.parametrize(
    ("text", "words", "classes", "samples", "values"),
    [
        (TOKENS, "--axis 0", ["No", "Yes", "#"], ["logprob"], [0.983373643892112, 0.0166263561, 0]),
        (DOCUMENT, "--key lls --id doc_id", None, ["0"], LLS),
        ('{"data":{"p":[1,2,3]},"classes":[4,5,6]}', "--key data.*", [*"456"], ["p"], ONE_TO_THREE),
        ('{"logits":[[1,2,3]],"ids":[7],"data":0}', "", None, ["7"], ONE_TO_THREE),
        ('{"host":"10.0.0.1","logits":[1,2,3]}', "", None, ["10.0.0.1"], ONE_TO_THREE),
        ('{"o":{"z":[1,2,3],"classes":["a","b","c"]}}', "--key o.z", [*"abc"], ["1"], ONE_TO_THREE),
        ('[{"id": 7, "logits": [1,2,3], "label": 2}]', "", None, ["7"], ONE_TO_THREE),
        ('{"a":{"b":[[1,2,3]]},"m":{"n":"x"}}', "--key a.b.0 --id m.n", None, ["x"], ONE_TO_THREE),
        ('{"outputs":[{"logits":[[1,2,3]]}]}', "--key outputs.0.logits", None, ["1"], ONE_TO_THREE),
        ('{"data":[1,2,3]}', "--key *", None, ["data"], ONE_TO_THREE),
        ('{"columns":["a","b","c"],"index":[0],"data":[[1,2,3]]}', "", None, ["1"], ONE_TO_THREE),
        ('{"columns":["a","b","c"],"index":["x"],"data":[[1,2,3]]}', "", None, ["x"], ONE_TO_THREE),
    ],
)  # fmt: skip
def test_arrays_in_records_are_read(
    text: str, words: str, classes: Names, samples: Names, values: list[float]
) -> None:
    for input_format in ("json", "jsonl"):
        is_whole = text.startswith("[") or "outputs" in text or "data" in text
        if input_format == "jsonl" and is_whole:
            continue
        options = ["--input-format", input_format, "-f", "json", *words.split()]
        outcome = run("forward", *options, stdin=text)
        assert np.allclose(numbers(outcome), [values], rtol=1e-5, atol=1e-300)
        assert outcome.json["samples"] == samples
        assert classes is None or outcome.json["classes"] == classes


TOPS = [{"token": str(z), "logprob": z, "bytes": [97]} for z in (1.0, 2.0, 3.0)]
CHAT = {"choices": [{"logprobs": {"content": [{**TOPS[0], "top_logprobs": TOPS}] * 2}}], "id": "x"}
TRITON = {
    "outputs": [{"name": "z", "shape": [2, 3], "datatype": "FP32", "data": [1.0, 2, 3, 1, 2, 3]}]
}
HARNESS = {
    "doc_id": 0, "doc": {"q": "x"}, "resps": [[[z, "False"]] for z in ("1.0", "2.0", "3.0")],
    "filtered_resps": [[z, "False"] for z in ("1.0", "2.0", "3.0")],
}  # fmt: skip
COMPLETION = {
    "choices": [{"logprobs": {"tokens": ["a"], "top_logprobs": [{"a": 1.0, "b": 2.0, "c": 3.0}]}}]
}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        (TRITON, "outputs.0.data"), (CHAT, "choices.0.logprobs.content.*.top_logprobs.*.logprob"),
        (HARNESS, "resps.*.0.0"), (COMPLETION, "choices.0.logprobs.top_logprobs.0"),
        ([[{"label": "a", "score": z} for z in (1.0, 2.0, 3.0)]], "*.score"),
        ({"my.predictions": [[1.0, 2, 3]] * 2}, "my.predictions"),
    ],
)  # fmt: skip
def test_what_servers_send_is_refused_with_the_path_to_it(document: object, path: str) -> None:
    text = json.dumps(document)
    error = refused("forward", stdin=text)
    assert error.splitlines()[1].partition(";")[0].endswith(f"give --key {shlex.quote(path)}")
    found = numbers(run("forward", "--key", path, "-f", "json", stdin=text))
    assert np.allclose(found, [ONE_TO_THREE] * len(found))
    if document in (HARNESS, TRITON):
        lines = run("forward", "--key", path, stdin=f"{text}\n{text}\n")
        assert (lines.status == 0) == (document is HARNESS)


@pytest.mark.parametrize(
    ("text", "words", "classes", "samples"),
    [
        ('uid,z\n7,"(1, 2, 3)"\n', "--key z --id uid", ["1", "2", "3"], ["7"]),
        ('uid,z\n7,"[np.float64(1.0), np.float64(2.0), 3.0]"\n', "--key z", ["1", "2", "3"], ["1"]),
        ('uid,z\n7,"tensor([1., 2., 3.], dtype=torch.half)"\n', "--key z", ["1", "2", "3"], ["1"]),
        ("id,t,z\n7,a,1.0\n8,b,2\n9,c,3\n", "--axis 0 --columns z", ["a", "b", "c"], ["z"]),
    ],
)
def test_what_is_not_read_at_once_is_read_with_the_hint(
    text: str, words: str, classes: list[str], samples: list[str]
) -> None:
    assert words.split("--id")[0].strip() in refused("forward", stdin=text)
    outcome = run("forward", "-f", "json", *words.split(), stdin=text)
    assert np.allclose(numbers(outcome), [ONE_TO_THREE] * len(samples))
    assert (outcome.json["classes"], outcome.json["samples"]) == (classes, samples)


def test_results_of_samples_that_are_left_out_are_left_out(tmp_path: Path) -> None:
    written(tmp_path, "z.csv", MASKED)
    valid = run("forward", "--skip-invalid", "z.csv", "-f", "csv", cwd=tmp_path).stdout.splitlines()
    for name, rows in (("all.csv", [valid[0], ",NA,0", valid[1]]), ("own.csv", valid)):
        written(tmp_path, name, "\n".join(rows))
        words = ("--probabilities", name, "--skip-invalid", "-f", "json")
        outcome = run("check", "z.csv", *words, cwd=tmp_path)
        assert (outcome.status, outcome.json["checked"]) == (0, 2)
        assert outcome.stderr == "1 invalid sample left out, the first at z.csv:2\n"
    words = ("jacobian", "z.csv", "--skip-invalid", "-f", "csv")
    first, *rest = run(*words, cwd=tmp_path).stdout.splitlines()[:3], "0,0,0"
    third = run(*words, cwd=tmp_path).stdout.splitlines()[3:]
    written(tmp_path, "J.csv", "\n".join([*first, *rest * 3, *third]))
    assert run("check", "z.csv", "--jacobian", "J.csv", "--skip-invalid", cwd=tmp_path).status == 0


def test_arrays_under_another_key_are_refused_with_the_option_that_reads_them() -> None:
    refused = run("forward", stdin=f"{DOCUMENT}\n{DOCUMENT}\n")
    assert refused.status == 2
    assert "hint: if it holds the logits, give --key lls" in refused.stderr
    assert run("forward", "--key", "lls", stdin=f"{DOCUMENT}\n{DOCUMENT}\n").status == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a":{"0":1.5,"1":3},"b":{"1":1,"0":2.5}}', ""),
        ('{"0":{"a":1.5,"b":2.5},"1":{"a":3,"b":1}}', "--key '*'"),
        ('{"a":[1.5,3],"b":[2.5,1]}', "--columns a,b"),
        ('{"sample":{"0":"u","1":"v"},"a":{"0":1.5,"1":3},"b":{"0":2.5,"1":1}}', ""),
        ('{"schema":{},"data":[{"a":1.5,"b":2.5},{"a":3,"b":1}]}', "--key data"),
    ],
)
def test_what_pandas_writes_as_json_is_read_or_told_what_to_do_with(text: str, words: str) -> None:
    if words:
        refused = run("forward", stdin=text)
        assert refused.status == 2
        assert words in refused.stderr
    outcome = run("forward", "-f", "json", *shlex.split(words), stdin=text)
    assert outcome.json["classes"] == ["a", "b"]
    expected = [[1 / (1 + np.e), np.e / (1 + np.e)], [0.880797078, 0.119202922]]
    assert np.allclose(numbers(outcome), expected)


def test_a_path_is_followed_before_a_table_is_looked_for() -> None:
    text = '{"folds":{"0":[[0,0],[3,4]],"1":[[1,1],[0,0]]}}'
    assert run("forward", "-f", "csv", "--key", "folds.1", stdin=text).stdout == "0.5,0.5\n" * 2
    text = '{"id":{"0":"u","1":"v"},"z":{"0":[0,0],"1":[1,1]}}'
    outcome = run("forward", "-f", "csv", "--key", "z", stdin=text)
    assert outcome.stdout == "id,1,2\nu,0.5,0.5\nv,0.5,0.5\n"


def test_what_may_be_meant_in_two_ways_has_a_warning(tmp_path: Path) -> None:
    assert "column k is taken for" in run("forward", stdin="k,a\n10k,1\n1.5 \u00b1 0.2,1\n").stderr
    for text in ("i,k,a\nx,10k,1\n", "i,k,a\nx,1e-3 (2),1\n", "i,,a\nx,1.5,1\n"):
        assert "is taken for text: give" in run("forward", "--id", "i", stdin=text).stderr
    assert "if 'x' names the classes" in run("forward", stdin='{"x":["a"],"logits":[1]}').stderr
    outcome = run("forward", stdin='{"a":{"0":1,"1":2},"b":{"0":3,"1":4}}')
    assert "'a' is read as a column; if it is a sample: --key '*'" in outcome.stderr
    gradient = written(tmp_path, "g.json", b'{"0":{"0":1,"1":2},"1":{"0":3,"1":4}}')
    words = "jacobian", "-", "--header", "--vjp", gradient
    assert "'0' is read as a column" in run(*words, stdin="0,1\n1,2\n3,4\n", cwd=tmp_path).stderr


def test_lists_beside_the_logits_belong_to_the_samples() -> None:
    text = '{"id":["u","v"],"logits":[[0,0],[1,1]],"label":[3,4]}'
    assert run("forward", "-f", "csv", stdin=text).stdout == "id,1,2\nu,0.5,0.5\nv,0.5,0.5\n"
    kept = run("forward", "-f", "csv", "--id", "id", "--keep", "label", stdin=text).stdout
    assert kept == "id,label,1,2\nu,3,0.5,0.5\nv,4,0.5,0.5\n"
    text = text.replace("id", "text").replace(',"label', ',"x":[[9,8],[7,6]],"label')
    outcome = run("forward", "-f", "csv", "--keep", "label", stdin=text)
    assert outcome.stdout == kept.replace("id", "text")
    unclear = run("forward", "-f", "csv", stdin='{"class_names":["a","b"],"logits":[[0,0],[1,1]]}')
    assert unclear.stdout == "class_names,1,2\na,0.5,0.5\nb,0.5,0.5\n"
    assert "if 'class_names' names the classes, call it classes" in unclear.stderr
    docs = '{"samples":[{"id":3,"logits":[0,0]}]}'
    outcome = run("forward", "-f", "csv", "--key", "samples.*.logits", stdin=docs)
    assert outcome.stdout == "0.5,0.5\n"


def test_lists_in_parquet_are_read(tmp_path: Path) -> None:
    lists = [[1.0, 2, 3], [4, 5, 6]]
    for kind in (pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 3)):
        table = pa.table({"uid": [7, 8], "z": pa.array(lists, kind), "label": [2, 1]})
        file = written(tmp_path, "z.parquet", table)
        assert "--key z" in run("forward", file, cwd=tmp_path).stderr
        outcome = run("forward", file, "--key", "z", "--id", "uid", "-f", "json", cwd=tmp_path)
        assert np.allclose(numbers(outcome), [ONE_TO_THREE] * 2)
        assert outcome.json["samples"] == ["7", "8"]


def test_one_class_is_warned_of() -> None:
    column = run("forward", "-f", "csv", stdin="1\n2\n3\n")
    assert (column.status, column.stdout) == (0, "1.0\n1.0\n1.0\n")
    assert re.match("warning: <stdin>: with one class.*--axis 0", column.stderr)
    assert "warning" in run("forward", "-f", "csv", stdin=TOKENS).stderr


@pytest.mark.parametrize("option", [["--keep", "a"], ["--id", "a"]])
def test_what_runs_down_the_file_has_no_other_columns(option: list[str]) -> None:
    error = refused("forward", "--axis", "0", *option, stdin="a,b\n1,2\n")
    assert error.startswith(f"error: {option[0]}: ")


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3, None])
def test_arrays_of_any_dimensions_keep_their_shape(tmp_path: Path, axis: int | None) -> None:
    z = np.random.default_rng(3).normal(0, 3, (4, 2, 2))  # as many classes as samples on axis 0
    words = [] if axis is None else ["--axis", str(axis)]
    last = -1 if axis is None else axis
    expected = np.exp(z) / np.exp(z).sum(axis=last, keepdims=True)
    for order in (z, np.asfortranarray(z)):
        np.save(tmp_path / "z.npy", order)
        assert run("forward", "z.npy", *words, "-o", "y.npy", cwd=tmp_path).status == 0
        assert np.allclose(np.load(tmp_path / "y.npy"), expected, rtol=1e-13, atol=0)
        named = run("forward", "z.npy", *words, "-f", "json", cwd=tmp_path)
        lead = np.delete(z.shape, last)
        assert named.json["samples"] == [f"{i + 1}-{j + 1}" for i, j in np.ndindex(*lead)]
        rows = np.moveaxis(expected, last, -1).reshape(-1, z.shape[last])
        assert np.allclose(numbers(named), rows, rtol=1e-13, atol=0)
    check = ["check", "z.npy", *words, "-q", "--probabilities"]
    code = f"def f(z): return exp(z) / exp(z).sum({last}, keepdims=True)"
    (tmp_path / "f.py").write_text(f"from numpy import exp\n{code}\n")
    (tmp_path / "y.json").write_text(named.stdout)
    for more in ([], ["--sample", "1-2"], ["--skip-invalid"]):
        for y in ("y.npy", "y.json", "f.py:f"):
            assert run(*check, y, *more, cwd=tmp_path).status == 0
    np.moveaxis(z, last, -1)[0, 1] = np.nan
    np.save(tmp_path / "z.npy", z)
    np.save(tmp_path / "J.npy", np.moveaxis(core.jacobian(z, axis=last), (-2, -1), (0, 1)))
    skipping = ["z.npy", *words, "--skip-invalid"]
    assert run("check", *skipping, "--jacobian", "J.npy", cwd=tmp_path).status == 0
    assert run("forward", *skipping, "-o", "some.npy", cwd=tmp_path).status == 0
    rows = np.moveaxis(np.load(tmp_path / "some.npy"), last, -1)
    assert rows.shape == (math.prod(lead) - 1, 1, z.shape[last])
    np.moveaxis(expected, last, -1)[1, 1] += 0.1
    np.save(tmp_path / "y.npy", expected)
    assert run(*check, "y.npy", "--sample", "2-2", cwd=tmp_path).status == 1
    assert run("forward", "z.npy", "--axis", "3", cwd=tmp_path).status == 2


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("suffix", PACKERS)
def test_compressed_files_are_read_by_their_content(tmp_path: Path, suffix: str) -> None:
    stream = io.BytesIO()
    np.save(stream, np.array([[1.0, 2, 3]]))
    table = io.BytesIO()
    parquet.write_table(pa.table({"a": [1.0], "b": [2.0], "c": [3.0]}), table)
    for name, content in (
        ("z.csv", b"1,2,3\n"), ("z.tsv", b"a\tb\tc\n1\t2\t3\n"), ("z.json", b"[1,2,3]"),
        ("z.jsonl", b"[1,2,3]\n"), ("z.npy", stream.getvalue()), ("z.parquet", table.getvalue()),
    ):  # fmt: skip
        packed = PACKERS[suffix](content)
        file = written(tmp_path, f"{name}.{suffix}", packed)
        read = run("forward", file, "-f", "json", cwd=tmp_path)
        assert np.allclose(numbers(read), [ONE_TO_THREE])
        assert np.allclose(numbers(run("forward", "-f", "json", stdin=packed)), [ONE_TO_THREE])
    for damaged in (packed[: len(packed) // 2], packed[:20] + bytes(20) + packed[40:]):
        outcome = run("forward", written(tmp_path, "d.npy", damaged), cwd=tmp_path)
        assert (outcome.status, outcome.stderr.count("\n")) == (2, 1)
    late = f'(head -c 1 z.csv.{suffix}; sleep 0.5; tail -c +2 z.csv.{suffix}) | "$@" forward -f csv'
    assert np.allclose(run_in_shell(late, cwd=tmp_path).rows, [ONE_TO_THREE])
    one, two = map(PACKERS[suffix], (b"1,2,3\n", b"4,5,6\n"))
    assert len(numbers(run("forward", "-f", "json", stdin=one + two))) == 2
    assert run("forward", stdin=one + b"?" + two[1:]).status == 2


def test_other_kinds_of_files_are_named() -> None:
    for content, kind, hint in (
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel", "CSV"),
        (b"<!DOCTYPE html><p>404", "a web page", "if it has a table: python -c"),
        (b"PK\x03\x04" + bytes(26) + b"archive/data.pkl", "pickle of torch", "torch.load"),
        (b"\x28\xb5\x2f\xfd\0\0", "zstd", "zstd -dc FILE | softmax-cli forward -"),
    ):
        problem, told = refused("forward", stdin=content).splitlines()
        assert kind in problem
        assert hint in told


Z, NAMED = [[1.0, 2.0, 3.0]], [{"a": 1.0, "b": 2.0, "c": 3.0}]
MADE: dict[str, tuple[str, Callable[[Path], object]]] = {  # what reads a kind, and makes one
    "xlsx": ("openpyxl", lambda t: _library("pandas").DataFrame(Z).to_excel(t, index=False)),
    "pt": ("torch", lambda t: _library("torch").save(_library("torch").tensor(Z), t)),
    "pkl": ("", lambda t: t.write_bytes(pickle.dumps(np.array(Z)))),
    "npz": ("unzip", lambda t: np.savez(t, my_logits=np.array(Z))),
    "zip": ("unzip", lambda t: zipfile.ZipFile(t, "w").writestr("t.csv", "1,2,3\n")),
    "csv.zst": ("zstd", lambda t: subprocess.run(["zstd", "-qo", t], input=b"1,2,3\n", check=True)),
    "feather": ("", lambda t: feather.write_feather(pa.Table.from_pylist(NAMED), str(t))),
    "utf16.csv": ("iconv", lambda t: t.write_text("1,2,3\n", "utf-16")),
    "latin.csv": ("iconv", lambda t: t.write_text("\xe9,b,c\n1,2,3\n", "latin-1")),
    "md": ("sed", lambda t: t.write_text("| a | b | c |\n|---|--:|--:|\n| 1 | 2 | 3 |\n")),
    "psql.txt": ("sed", lambda t: t.write_text(" a | b | c\n---+---+---\n 1 | 2 | 3\n(1 row)\n")),
    "sql.txt": ("sed", lambda t: t.write_text("+---+\n| a|b|c|\n+---+\n| 1|2|3|\n+---+\n")),
    "box.txt": ("sed", lambda t: t.write_text("┌─┬─┐\n│a│b│c│\n├─┼─┤\n│1│2│3│\n└─┴─┘\n")),
    "R.txt": ("sed", lambda t: t.write_text("     a b c\n[1,] 1 2 3\n[2,] 1 2 3\n")),
    "S.txt": ("sed", lambda t: t.write_text("     [,1] [,2] [,3]\n[1,]  1  2  3\n[2,] 1 2 3\n")),
    "pl": ("sed", lambda t: t.write_text("shape: \n┌─┐\n│a┆b┆c│\n│---│\n│ f64 │\n╞═╡\n│1┆2┆3│\n")),
    "numpy.txt": ("sed", lambda t: t.write_text("array([[1., 2., 3.]], dtype=float32)\n")),
    "torch.txt": ("sed", lambda t: t.write_text("tensor([[1., 2., 3.]], device='cuda:0')\n")),
}  # fmt: skip


def _library(name: str) -> Any:
    return importlib.import_module(name)


@pytest.mark.parametrize("suffix", MADE)
def test_a_hint_that_is_a_command_reads_the_file(suffix: str, tmp_path: Path) -> None:
    tool, make = MADE[suffix]
    if tool and not (shutil.which(tool) or importlib.util.find_spec(tool)):
        pytest.skip(f"{tool} is not installed")
    make(tmp_path / f"t.{suffix}")
    error = refused("forward", f"t.{suffix}", cwd=tmp_path)
    command = re.search(r"\b(python|unzip|zstd -dc|iconv|tr|sed) .*", error)
    assert command
    path = {"PATH": f"{Path(SCRIPT[0]).parent}:{os.environ['PATH']}"}
    done = run_in_shell(f"{command[0]} -f json", tmp_path, env=path)
    assert np.allclose(numbers(done)[:1], [ONE_TO_THREE]), done.stderr


MASKED = "1,2,3\n-inf,-inf,-inf\n0,1,5\n"
THIRD = [0.00657326, 0.0178680, 0.975559]


@pytest.mark.parametrize(
    "text",
    [
        MASKED, *(f"1,2,3\n{row}\n0,1,5\n" for row in ("NA,1,2", "1,,2", "nan,1,2", "1,2,inf")),
        "[1,2,3]\n[null,1,2]\n[0,1,5]\n", '[1,2,3]\n["n/a",1,2]\n[0,1,5]\n',
        '{"a":1,"b":2,"c":3}\n{"a":1,"b":null,"c":3}\n{"a":0,"b":1,"c":5}\n',
        '[{"logits":[1,2,3]},{"logits":null},{"logits":[0,1,5]}]',
        'z\n"[1,2,3]"\nNone\n"[0,1,5]"\n', 'z\nNone\n"[1,2,3]"\n"[0,1,5]"\n',
        '{"logits":null}\n{"logits":[1,2,3]}\n{"logits":[0,1,5]}\n',
        '{"logits":[null,[1,2,3],[0,1,5]]}',
    ],
)  # fmt: skip
def test_invalid_samples_are_left_out_and_counted(text: str) -> None:
    key = ["--key", "z"] if text.startswith("z") else []
    outcome = run("forward", "--skip-invalid", "-f", "json", *key, stdin=text)
    assert np.allclose(numbers(outcome), [ONE_TO_THREE, THIRD], rtol=1e-5)
    is_first = text.startswith(("z\nNone", '{"logits":null', '{"logits":[null'))
    assert outcome.json["samples"] == ["2" if is_first else "1", "3"]
    told = re.fullmatch(r"1 invalid sample left out, the first at <stdin>:.*(\d)\n", outcome.stderr)
    assert told
    assert int(told[1]) - text.startswith("z") == 2 - is_first
    assert run("forward", *key, stdin=text).status == 2


def test_names_and_kept_columns_stay_beside_their_samples(tmp_path: Path) -> None:
    rows = "".join(f"s{k},{k if k % 3 else 'NA'},2,{k}\n" for k in range(30_000))
    for name, text in (("z.csv", f"id,a,b,label\n{rows}"), ("z.csv", f"id,a,b,label\n\n{rows}")):
        words = ("--keep", "label", "--skip-invalid", "-f", "json")
        outcome = run("forward", written(tmp_path, name, text), *words, cwd=tmp_path)
        assert outcome.json["samples"] == [f"s{k}" for k in range(30_000) if k % 3]
        assert "10000 invalid samples left out" in outcome.stderr


def test_gradients_of_what_is_left_out_are_left_out(tmp_path: Path) -> None:
    written(tmp_path, "z.csv", MASKED)
    for g, row in (("g.csv", "0,0,1\n5,6,7\n1,0,0\n"), ("one.csv", "0,0,1\n")):
        written(tmp_path, g, row)
        words = ("jacobian", "z.csv", "--vjp", g, "-f", "json")
        outcome = run(*words, "--skip-invalid", cwd=tmp_path)
        assert outcome.json["samples"] == ["1", "3"]
        picked = run(*words, "--sample", "3", cwd=tmp_path)
        assert np.allclose(outcome.json["vjp"][1], picked.json["vjp"][0])
        checked = ("check", "z.csv", "--vjp", "softmax_cli:vjp", "--upstream", g, "--skip-invalid")
        assert run(*checked, cwd=tmp_path).status == 0


def test_columns_that_are_kept_come_with_the_samples_and_stay_integers(tmp_path: Path) -> None:
    records = [{"image_id": k, "a": k + 0.5, "note": f"n{k}", "b": 2, "label": 0} for k in (7, 8)]
    text = "\n".join([",".join(records[0]), *(",".join(map(str, r.values())) for r in records)])
    for name, content in (
        ("z.csv", text), ("z.csv.gz", gzip.compress(text.encode())),
        ("z.json", json.dumps(records)), ("z.jsonl", "\n".join(map(json.dumps, records))),
        ("z.parquet", pa.Table.from_pylist(records)),
    ):  # fmt: skip
        path = str(tmp_path / written(tmp_path, name, content))
        for keep, id_column, names, kept in (
            (("label", "image_id"), "note", ("label", "image_id"), ((0, 7), (0, 8))),
            (("label,note",), "image_id", ("label", "note"), ((0, "n7"), (0, "n8"))),
            (("all",), None, ("image_id", "label"), ((7, 0), (8, 0))),
        ):
            with open_logits([path], InputOptions(keep=keep, id_column=id_column)) as logits:
                batch = concatenate(logits.batches, logits.n_classes)
            assert logits.class_names == ("a", "b")
            assert (logits.kept_names, batch.kept) == (names, kept)
            assert batch.part(slice(1, 2)).kept == kept[1:]


def test_where_no_sample_is_valid_there_is_no_result() -> None:
    for words in ([], ["--sample", "1"]):
        refused("forward", "--skip-invalid", "-f", "csv", *words, stdin="NA,1\nnan,2\n")


def test_one_sample_may_be_picked_beside_invalid_ones() -> None:
    for words in ([], ["--skip-invalid"]):
        outcome = run("forward", "--sample", "3", *words, "-f", "json", stdin=MASKED)
        assert np.allclose(numbers(outcome), [THIRD], rtol=1e-5)
        assert outcome.json["samples"] == ["3"]
        assert run("forward", "--sample", "2", *words, stdin=MASKED).status == 2


def test_decimal_commas_are_told_and_the_hint_works() -> None:
    text = "1,0;3,5\n2,5;1,25\n"
    refused = run("forward", stdin=text)
    assert refused.stderr.startswith("error: <stdin>:1:1: ")
    assert "hint: give --decimal ," in refused.stderr
    outcome = run("forward", "--decimal", ",", "-f", "json", stdin=text * 50_000)
    expected = [1 / (1 + np.exp(2.5)), 1 / (1 + np.exp(-1.25))]
    assert np.allclose([row[0] for row in numbers(outcome)[:2]], expected)
    assert run("forward", "--decimal", ",", stdin="1.234,5;2\n").status == 2
    assert run("forward", "--decimal", ",", "--delimiter", ",", stdin=text).status == 2


@pytest.mark.parametrize(
    "words", [["1,", "2,", "3"], ["[1,2,3]"], ["[1,", "2,", "3]"], ["[1 2 3]"]]
)
def test_commas_and_brackets_of_other_languages_say_nothing(words: list[str]) -> None:
    assert np.allclose(numbers(run("forward", *words, "-f", "json")), [ONE_TO_THREE])


def test_what_pandas_splits_and_its_index_are_read_by_their_names(tmp_path: Path) -> None:
    columns, data = ["image_id", "cat", "dog"], [[1001, 2.0, 1.5], [1002, 1, 0.5]]
    text = json.dumps({"columns": columns, "index": [0, 1], "data": data})
    assert "--id image_id" in refused("forward", stdin=text)
    read = run("forward", "--id", "image_id", "-f", "csv", stdin=text).stdout
    assert read.startswith("image_id,cat,dog\n1001,0.62245933120185")
    table = pa.table({"cat": [2.0, 1.0], "dog": [1.5, 0.5], "__index_level_0__": [5, 7]})
    pandas = json.dumps({"index_columns": ["__index_level_0__"], "columns": []})
    file = written(tmp_path, "z.parquet", table.replace_schema_metadata({"pandas": pandas}))
    read = run("forward", file, "-f", "csv", cwd=tmp_path).stdout
    text = "id,cat,dog\n7,2,1\n5,1,2\n"
    assert "'7', found '5'" in refused("jacobian", "--vjp", file, stdin=text, cwd=tmp_path)
    both = table.append_column("name", [["x", "y"]]).replace_schema_metadata({"pandas": pandas})
    assert "'__index_level_0__'" in refused("forward", written(tmp_path, "b", both), cwd=tmp_path)
    by_column = '{"cat":{"5":2,"7":1},"dog":{"7":0.5,"5":1.5}}'
    printed = run("forward", "-f", "csv", stdin=by_column).stdout
    assert printed == read.replace("__index_level_0__", "")
    named = by_column.replace("5", "x").replace("1.x", "1.5").replace("0.x", "0.5")
    assert "if each holds a class, --columns cat,dog" in refused("forward", stdin=named)
    named = run("forward", "--columns", "cat,dog", "-f", "csv", stdin=named).stdout
    assert [line.split(",")[0] for line in named.splitlines()[1:]] == ["x", "7"]
    more = table.replace_schema_metadata({"pandas": pandas.replace('["', '["cat", "')})
    assert "'cat', '__i" in refused("forward", written(tmp_path, "z.parquet", more), cwd=tmp_path)
    assert "'p', 'q'" in refused("forward", stdin='{"p":"a","q":"b","logits":[1,2]}')


@pytest.mark.parametrize("name", ["y", "gt", "targets", "groundtruth", "fold", "qid", "level_0"])
def test_a_column_of_whole_numbers_that_is_none_of_the_logits_is_told(name: str) -> None:
    assert repr(name) in refused("forward", stdin=f"{name},cat,dog\n0,1.5,2\n1,2.5,1\n")
