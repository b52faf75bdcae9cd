"""What may be checked: files in any format, functions of any kind, and what is said of others."""

import json
import os
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from softmax_cli.app import app
from softmax_cli.mathematics import core
from tests.program import PETS, SAMPLES, Outcome, run

DIGITS = str(SAMPLES / "digits_five.json")
MINE = str(SAMPLES / "candidates" / "my_softmax.py")
Z = np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]])
WORDS = ("check", "1,2,3", "3,1,2")

CODE = """
import sys
import numpy as np

print("printed while loading")

def softmax(z):
    print("printed while called")
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)

def for_real_numbers(z):
    return softmax(np.asarray([[float(x.real) for x in row] for row in z]))

def jacobian(z):
    y = softmax(z)
    return np.diag(y) - np.outer(y, y)

def batch_jacobian(z):
    y = softmax(z)
    return (np.eye(z.shape[1]) - y[:, None, :]) * y[:, :, None]

def stacked_jacobian(z):
    return batch_jacobian(z).reshape(-1, z.shape[1])

def as_lists(z):
    return batch_jacobian(z).tolist()

def vjp(z, g):
    y = softmax(z)
    return y * (g - (y * g).sum(axis=-1, keepdims=True))

def transposed_vjp(z, g):
    return vjp(z, g).T

def changes_its_input(z):
    y = softmax(z)
    z *= 0
    return y

def raises(z):
    return helper({})

def helper(values):
    return values["missing"]

def raises_late(z):
    if z.ndim == 2:
        raise ValueError("one at a time please")
    if z[0] == 3:
        raise ValueError("no\\nthree")
    return jacobian(z)

def leaves(z):
    sys.exit(0)

def takes_two(z, axis):
    return batch_jacobian(z)

class Model:
    forward = staticmethod(softmax)

returns_nothing = lambda z: None
returns_text = lambda z: "y"
returns_two = lambda z: z[..., :2]
ragged = lambda z: [[1, 2], [3]]
forgets = lambda z: [float(each) for each in z].clear()  # which a batch raises
complex_jacobian = lambda z: batch_jacobian(z) + 0j
masked = lambda z: np.ma.masked_invalid(batch_jacobian(z))
bools = lambda z: np.exp(z) > 3
number = 3
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(CODE)
    return tmp_path


def check(folder: Path, *words: str, quantity: str = "--jacobian") -> Outcome:
    return run(*WORDS, quantity, *words, cwd=folder)


def _files() -> dict[str, str | Callable[[Path], None]]:
    J = core.jacobian(Z)
    rows = ({"sample": str(k + 1), "jacobian": each} for k, each in enumerate(J.tolist()))
    one_a_line = "".join(json.dumps(row) + "\n" for row in rows)
    stacked = "".join(",".join(map(repr, row)) + "\n" for row in J.reshape(-1, 3).tolist())
    return {
        "nested.json": json.dumps(J.tolist()),
        "stacked.json": json.dumps(J.reshape(-1, 3).tolist()),
        "object.json": json.dumps({"jacobian": J.tolist(), "samples": ["1", "2"]}),
        "lines.jsonl": one_a_line,
        "stacked.csv": stacked,
        "named": "sample,output,a,b,c\n"
        + "".join(f"{k // 3},{'abc'[k % 3]},{line}\n" for k, line in enumerate(stacked.split())),
        "array.npy": lambda path: np.save(path, J),
        "flat.npy": lambda path: np.save(path, J.reshape(-1, 3)),
    }


@pytest.mark.parametrize("name", _files())
def test_jacobians_are_read_in_every_form(tmp_path: Path, name: str) -> None:
    if isinstance((content := _files()[name]), str):
        (tmp_path / name).write_text(content)
    else:
        content(tmp_path / name)
    outcome = check(tmp_path, name)
    assert (outcome.status, outcome.stderr) == (0, "")


def test_one_sample_needs_no_batch(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(json.dumps(core.jacobian(Z[0]).tolist()))
    assert run("check", "1", "2", "3", "--jacobian", "one.json", cwd=tmp_path).status == 0
    for text in ("[0.5,0.5]", '{"probabilities":[[0.5,0.5]]}', '{"a":0.5,"b":0.5}', "0.5 0.5"):
        (tmp_path / "y").write_text(text)
        assert run("check", "3", "3", "--probabilities", "y", cwd=tmp_path).status == 0
    v = ",".join(map(repr, core.vjp(Z[0], [0.0, 0.0, 1.0]).tolist()))
    assert run("check", "1", "2", "3", "--vjp", v, "--upstream", "0,0,1").status == 0


@pytest.mark.parametrize("output_format", ["csv", "tsv", "json", "jsonl"])
def test_a_candidate_may_come_through_the_pipe(output_format: str) -> None:
    for words, candidate in (
        (["forward"], ["--probabilities", "-"]),
        (["jacobian"], ["--jacobian", "-"]),
        (["jacobian", "--vjp", "0,1,-2"], ["--vjp", "-", "--upstream", "0,1,-2"]),
    ):
        for logits in ([PETS], ["1,2,3", "40,0,-inf"], ["1,2,3"]):
            printed = run(*words, *logits, "-f", output_format).stdout
            outcome = run("check", *logits, *candidate, stdin=printed)
            assert (outcome.status, outcome.stderr) == (0, "")


@pytest.mark.parametrize("content", ['[["NaN",0,0],[0,1,0],[0,0,"-Infinity"]]', "nan,0,0\n" * 3])
def test_nan_and_infinity_are_findings(tmp_path: Path, content: str) -> None:
    (tmp_path / "c").write_text(content)
    outcome = run("check", "1", "2", "3", "--jacobian", "c", "-f", "json", cwd=tmp_path)
    assert (outcome.status, outcome.stderr) == (1, "")
    (sample,) = outcome.json["samples"]
    assert (sample["max_abs_error"], sample["passed"]) == ("Infinity", False)
    assert (sample["worst"]["output"], sample["worst"]["actual"]) == ("1", "NaN")
    assert "actual nan" in run("check", "1", "2", "3", "--jacobian", "c", cwd=tmp_path).stdout
    assert run("check", "1", "2", "3", "--jacobian", "c", "-f", "csv", cwd=tmp_path).status == 1


@pytest.mark.parametrize(
    ("content", "place", "said"),
    [
        ("1,2,3\n" * 4, "--jacobian", "found shape (4, 3), expected (2, 3, 3) or (6, 3)"),
        ("[[[1,2],[3,4]]]", "--jacobian", "found shape (1, 2, 2), expected (2, 3, 3) or (6, 3)"),
        ("[[[1,2],[3]]]", "c: row 2", "expected 2 values as in the first sample, found 1"),
        ("[[[1,2]],[[1,2],[3,4]]]", "c: row 2", "expected 1 value as in the first, found 2"),
        ("[[1,2],3]", "c: row 2", "expected an array of logits, found 3"),
        ("[[[NaN]]]", "c", "found NaN"),
        ('[[["one"]]]', "c: row 1, value 1", "expected a number, found "),
        ('["a",2]', "c: row 1, value 1", "expected a number, found "),
        ('{"J": [[1]]}', "c", "found arrays in column 'J'\nhint: call it \"jacobian\"\n"),
        ('[{"J": [[1]], "K": 1}]', "c", "found arrays in column 'J'\nhint: call it \"jacobian\"\n"),
        ('[{"jacobian": [[1]]}, {"J": [[1]]}]', "c: row 2", "found 0"),
        ("{}", "c: row 1", "found {}\n"), ("[]", "c", "found []"),
        ("", "c", "expected logits, found nothing"),
        ("1,2,3\n1,2,x\n", "c:2:3", "expected a number, found 'x'"),
        ("\x93NUMPY oh no", "c", "expected an array in NPY format: "),
        ("\x1f\x8b", "c", "ompressed"), ("PK\x03\x04", "c", "zip"),
    ],
)  # fmt: skip
def test_other_files_are_errors(tmp_path: Path, content: str, place: str, said: str) -> None:
    (tmp_path / "c").write_bytes(content.encode("latin-1"))
    outcome = check(tmp_path, "c")
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr.startswith(f"error: {place}:")
    assert said in outcome.stderr


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("cat,dog", "cat,wolf", "expected 'dog' as class 2, as in the logits, found 'wolf'\n"),
        ("blurred", "sharp", "expected sample 'blurred photo', found 'sharp photo'\n"),
    ],
)
def test_names_must_be_those_of_the_logits(tmp_path: Path, old: str, new: str, said: str) -> None:
    for heading in ("name", "photo"):
        (tmp_path / "z.csv").write_text(Path(PETS).read_text().replace("name", heading, 1))
        printed = run("forward", "z.csv", "-f", "csv", cwd=tmp_path).stdout
        (tmp_path / "c.csv").write_text(printed.replace(old, new, 1))
        outcome = run("check", "z.csv", "--probabilities", "c.csv", cwd=tmp_path)
        assert outcome == Outcome(2, "", f"error: --probabilities: {said}")


def test_rows_of_a_jacobian_are_those_of_their_outputs(tmp_path: Path) -> None:
    head, cat, dog, *rest = run("jacobian", PETS, "--prefix", "p_", "-f", "csv").stdout.splitlines()
    fronts = ("sample,output", "id,output", "who,Output", ",output")
    for front, rows in product(fronts, ((cat, dog), (dog, cat))):
        lines = [head.replace("sample,output", front), *rows, *rest]
        outcome = run("check", PETS, "--jacobian", "-", "-q", stdin="\n".join(lines))
        said = "error: --jacobian: expected output 'cat', found 'dog'\n" * (rows[0] == dog)
        assert outcome == Outcome(2 * bool(said), "", said)
    stdin = "\n".join([head, cat, f"x{dog}", *rest])
    said = "error: --jacobian: expected sample 'photo of a cat', found 'xphoto of a cat'\n"
    assert run("check", PETS, "--jacobian", "-", stdin=stdin) == Outcome(2, "", said)
    for text in ("output,x,y\n{},.25,-.25\n{},-.25,.25", "x,y,output\n.25,-.25,{}\n-.25,.25,{}"):
        for outputs, status in (("xy", 0), ("yx", 2)):
            outcome = run("check", "3", "3", "--jacobian", "-", stdin=text.format(*outputs))
            assert outcome.status == status
    (tmp_path / "z.csv").write_text("x,y\n3,3\n")
    for outputs, status in (("xy", 0), ("yx", 2)):  # a column of names that is theirs
        theirs = ",x,y\n{},.25,-.25\n{},-.25,.25".format(*outputs)
        outcome = run("check", "z.csv", "--jacobian", "-", "-q", stdin=theirs, cwd=tmp_path)
        assert outcome.status == status


def test_there_is_a_name_for_each_sample_in_its_place(tmp_path: Path) -> None:
    y = run("forward", PETS, "-f", "json").json
    samples = y.pop("samples")
    for names, key in ((samples[:1], "samples"), (samples * 2, "names")):
        stdin, count = json.dumps(y | {key: names}), len(names)
        said = f"error: --probabilities: expected a name for each sample, found {count}\n"
        assert run("check", PETS, "--probabilities", "-", stdin=stdin) == Outcome(2, "", said)
    (tmp_path / "z.csv").write_text("name,cat,dog\n7,0,0\n8,0,0\n")
    row = '{"sample":"%s","probabilities":[0.5,0.5],"classes":["%s","dog"]}\n'
    wrong = ["image_id,cat,dog\n8,.5,.5\n7,.5,.5\n", row % (7, "cat") + row % (8, "dog")]
    lists = '{"%s":["8","7"],"labels":["cat","dog"],"probabilities":[[0.5,0.5],[0.5,0.5]]}'
    for theirs in (*wrong, *(lists % key for key in ("uid", "text", "ids"))):
        assert run("check", "z.csv", "--probabilities", "-", stdin=theirs, cwd=tmp_path).status == 2
    row = '{"sample":"%s","jacobian":[[0.25,-0.25],[-0.25,0.25]],"classes":["%s","dog"]}\n'
    for first, second, status in (("cat", "cat", 0), ("cat", "owl", 2), ("owl", "owl", 2)):
        J = row % (7, first) + row % (8, second)
        assert run("check", "z.csv", "--jacobian", "-", stdin=J, cwd=tmp_path).status == status
    text = run("forward", "1,2", "3,1", "-f", "json").stdout
    stdin = text.replace('["1","2"],"p', '["2","1"],"p')
    said = "error: --probabilities: expected sample '1', found '2'\n"
    assert run("check", "1,2", "3,1", "--probabilities", "-", stdin=stdin) == Outcome(2, "", said)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ("21", "error: {}: expected sample '1', found '2'\n"), ("01", ""), ("12", ""),
        ("10", "error: {}: expected sample '0', found '1'\n"),
        ("78", "warning: {}: the logits lack such names: rows are paired by place\n"),
    ],
)  # fmt: skip
def test_names_that_the_logits_lack_are_told(names: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "c").write_text("id,1,2\n{},0.5,0.5\n{},0.5,0.5\n".format(*names))
    (tmp_path / "h").write_text("p_{},p_{}\n0.5,0.5\n".format(*names))
    status = 2 * (said[:1] == "e")
    for command, option in (("jacobian", "--vjp"), ("check", "--probabilities")):
        outcome = run(command, "1,1", "2,2", option, "c", cwd=tmp_path)
        assert (outcome.status, outcome.stderr) == (status, said.format(option))
        assert run(command, "1,1", option, "h", cwd=tmp_path).status == status * (names == "10")


@pytest.mark.parametrize(
    ("z", "g", "words", "said"),
    [
        ("i_id 1 0", "i_id 0 1", "", "rows are paired by place; --id 'i_id' compares them"),
        ("i_id 1 0", "i_id 0 1", "--id i_id", "expected sample '1', found '0'"),
        ("id,note 7,a 8,b", "note b a", "--id id --keep note", "expected sample '7', found 'b'"),
        (",i_id 0,1 1,0", ",i_id 0,0 1,1", "", "--id 'i_id' compares them"),
        (",split 7,train 8,train", ",split 8,train 7,train", "", "expected sample '7', found '8'"),
        (",text 1,a 2,b", ",text 1,b 2,a", "", "expected sample 'a', found 'b'"),
        ("id ann bob", "label bob ann", "", "expected sample 'ann', found 'bob'"),
        ("i_id,label 1,x 2,x", "i_id,label 2,x 1,x", "", "share a name: rows are paired by place"),
    ],
)
def test_rows_are_named_or_warned_of(z: str, g: str, words: str, said: str, tmp_path: Path) -> None:
    for name, text in (("z.csv", z), ("g.csv", g)):
        head, *rows = text.split()
        lines = (f"{row},0.5,{k}\n" for k, row in enumerate(rows))
        (tmp_path / name).write_text(f"{head},p,q\n{''.join(lines)}")
    given = "jacobian", "z.csv", "--columns", "p,q", *words.split(), "--vjp", "g.csv"
    assert run(*given, cwd=tmp_path).stderr.endswith(f"{said}\n")


@pytest.mark.parametrize("option", ["--probabilities", "--jacobian"])
def test_names_of_every_kind_are_found_in_our_own_output(option: str, tmp_path: Path) -> None:
    command = "jacobian" if option == "--jacobian" else "forward"
    digits, outputs = '[{"7":1,"0":2.5,"1":1}]', '[{"output":2,"OUTPUT":1}]'
    for text, words in ((digits, ["--id", "7"]), (outputs, [])):
        (tmp_path / "z.json").write_text(text)
        y = run(command, "z.json", *words, "-f", "csv", cwd=tmp_path).stdout
        outcome = run("check", "z.json", *words, option, "-", "-q", cwd=tmp_path, stdin=y)
        assert outcome == Outcome(0, "", "")


def test_a_number_is_no_prefix_of_numbers(tmp_path: Path) -> None:
    (tmp_path / "c").write_text("10,11\n0.5,0.5\n")
    words = "check", "-", "--header", "--probabilities", "c"
    assert run(*words, stdin="0,1\n2.5,2.5\n", cwd=tmp_path).status == 2


ALL, ONE = "all samples at once, shape (2, 3)", "one sample at a time, shape (3,)"


@pytest.mark.parametrize(
    ("option", "name", "called"),
    [
        ("--probabilities", "softmax", ALL), ("--probabilities", "Model.forward", ALL),
        ("--probabilities", "changes_its_input", ALL), ("--jacobian", "jacobian", ONE),
        ("--jacobian", "batch_jacobian", ALL), ("--jacobian", "stacked_jacobian", ALL),
        ("--jacobian", "as_lists", ALL), ("--vjp", "vjp", ALL),
    ],
)  # fmt: skip
def test_a_batch_or_a_sample_is_given(folder: Path, option: str, name: str, called: str) -> None:
    upstream = ["--upstream", "0,1,-2"] if option == "--vjp" else []
    outcome = check(folder, f"mine.py:{name}", *upstream, "-f", "json", quantity=option)
    assert outcome.status == 0, outcome.stderr
    assert outcome.json["checks"][0]["called"] == called
    assert "printed while loading\n" in outcome.stderr
    assert "printed while called\n" in outcome.stderr


def test_a_module_is_named_with_dots_and_the_report_says_what_was_given(folder: Path) -> None:
    assert f"the function was given {ONE}\n" in check(folder, "mine:jacobian").stdout
    # np.diag of shape (1, 3) is a number: the result has the shape (3, 3), and is wrong.
    outcome = run("check", "1", "2", "3", "--jacobian", "mine.py:jacobian", cwd=folder)
    assert outcome.status == 0
    assert "one sample at a time, shape (3,)" in outcome.stdout
    assert check(folder, "softmax_cli.mathematics.core:jacobian").status == 0
    assert check(folder, "softmax_cli:softmax", quantity="--probabilities").status == 0


def test_a_sample_stands_for_the_first_check_that_it_fails(folder: Path) -> None:
    (folder / "c.json").write_text(json.dumps([core.softmax(Z[0]).tolist(), [0.5, 0.25, 0.25]]))
    (folder / "j.json").write_text(json.dumps(np.stack([np.eye(3), core.jacobian(Z[1])]).tolist()))
    words = ("c.json", "--jacobian", "j.json")
    outcome = check(folder, *words, "-f", "json", quantity="--probabilities")
    report = outcome.json
    assert (outcome.status, report["checked"], report["failed"]) == (1, 2, 2)
    assert [each["quantity"] for each in report["samples"]] == ["jacobian", "probabilities"]
    assert [each["failed"] for each in report["checks"]] == [1, 1]
    # What is said of the whole is said of the first check that failed.
    assert (report["atol"], report["method"]) == (1e-12, "exact")
    shown = check(folder, *words, quantity="--probabilities").stdout
    assert shown.startswith("FAIL – probabilities: 3 of 6 entries over the bound, in 1 of 2 ")
    assert "\nFAIL – Jacobian: 9 of 18 entries" in shown


def test_complex_step_needs_a_function_of_complex_numbers(folder: Path) -> None:
    words = ["mine.py:for_real_numbers", "--method", "complex-step"]
    outcome = check(folder, *words, quantity="--probabilities")
    assert (outcome.status, outcome.stdout) == (2, "")
    error, hint = outcome.stderr.splitlines()[-2:]
    assert error.startswith("error: --method: expected a function that takes complex numbers, ")
    assert hint == "hint: choose --method central, forward or richardson"
    shown = check(folder, words[0], "--sweep", quantity="--probabilities")
    assert shown.status == 0
    assert "no complex-step: the function does not take complex numbers" in shown.stdout


def line_of(text: str) -> int:
    return next(k for k, line in enumerate(CODE.splitlines(), 1) if text in line)


@pytest.mark.parametrize(
    ("name", "line", "said", "given"),
    [
        ("raises", '["missing"]', "KeyError: 'missing'", "all samples"),
        ("raises_late", '"no', "ValueError: no\\nthree", "sample '2'"),
        ("leaves", "sys.exit", "SystemExit: 0", "all samples"),
        ("takes_two", "def takes_two", "TypeError: takes_two() missing 1 ", "all samples"),
    ],
)
def test_what_a_function_raises_is_told_in_a_line(
    folder: Path, name: str, line: str, said: str, given: str
) -> None:
    outcome = check(folder, f"mine.py:{name}")
    assert (outcome.status, outcome.stdout) == (2, "")
    (error,) = [each for each in outcome.stderr.splitlines() if "printed" not in each]
    assert error.startswith(f"error: mine.py:{line_of(line)}: the candidate raised {said}")
    assert error.endswith(f", given {given}")


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("returns_nothing", "None (is a return missing?), expected an array of numbers"),
        ("returns_text", "str, expected an array of numbers"),
        ("returns_two", "shape (2, 2), expected (2, 3, 3)"),
        ("softmax", "shape (2, 3), expected (2, 3, 3)"), ("ragged", "list ("),
        ("complex_jacobian", "complex numbers"), ("forgets", "None (is a return missing?)"),
        ("masked", "a masked array, expected an array of numbers"),
    ],
)  # fmt: skip
def test_results_of_another_kind_are_findings(folder: Path, name: str, found: str) -> None:
    outcome = check(folder, f"mine.py:{name}")
    assert outcome.status == 1
    assert outcome.stdout.startswith(f"FAIL – found {found}")
    report = check(folder, f"mine.py:{name}", "-f", "json").json
    assert (report["passed"], report["checked"], report["failed"]) == (False, 2, 2)
    assert report["problem"].startswith(found.rstrip("\n"))
    assert [each["sample"] for each in report["samples"]] == ["1", "2"]
    rows = check(folder, f"mine.py:{name}", "-f", "csv").stdout.splitlines()[1:]
    assert [row.split(",")[:2] for row in rows] == [["1", "false"], ["2", "false"]]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise ValueError('no')", "the candidate raised ValueError: no, given sample "),
        ("return None", "None (is a return missing?), expected an array of numbers, given sample "),
        ("return z[:2]", "shape (2,), expected (3,), given sample "),
    ],
)
def test_a_sample_is_named_in_the_same_way_in_all_that_is_said_of_it(
    tmp_path: Path, body: str, said: str
) -> None:
    (tmp_path / "z.csv").write_text("name,a,b,c\nfirst,1,2,3\nphoto of a \x1b cat,4,2,3\n")
    (tmp_path / "m.py").write_text(
        "import numpy as np\n"
        "def f(z):\n"
        "    assert z.ndim == 1\n"
        "    if z[0] == 4:\n"
        f"        {body}\n"
        "    return np.exp(z) / np.exp(z).sum()\n"
    )
    outcome = run("check", "z.csv", "--probabilities", "m.py:f", cwd=tmp_path)
    assert f"{said}'photo of a \\x1b cat'\n" in outcome.stderr + outcome.stdout


def test_right_numbers_in_a_wrong_shape_are_named(folder: Path) -> None:
    assert check(folder, "mine.py:softmax", "-f", "json").json["diagnosis"] is None
    words = ["mine.py:transposed_vjp", "--upstream", "0,1,-2"]
    outcome = check(folder, *words, "-f", "json", quantity="--vjp")
    assert outcome.status == 1
    assert outcome.json["problem"] == "shape (3, 2), expected (2, 3), given all samples"
    assert outcome.json["diagnosis"]["name"] == "transposed batch"
    assert "cause: transposed batch" in check(folder, *words, quantity="--vjp").stdout


@pytest.mark.parametrize(
    ("words", "place", "said"),
    [
        ("--jacobian mine.py:jacobain", "--jacobian", "no 'jacobain' in mine.py\nhint: did you"),
        ("--jacobian mine.py:number", "--jacobian", "expected a function, found 'number', of type"),
        ("--jacobian nowhere.py:f", "--jacobian", "'nowhere.py' cannot be read: No such file"),
        ("--jacobian no.where:f", "no.where", "No module named 'no'"),
        ("--jacobian nowhere.csv", "nowhere.csv", "no such file"),
        (f"--jacobian {'x' * 300}", "x" * 300, "file name too long"),
        (f"--jacobian {'x' * 300}.py:f", "--jacobian", "'xxx"),
        ("--jacobian folder.py:f", "--jacobian", "'folder.py' cannot be read: Is a dir"),
        ("--jacobian mine.py", "--jacobian", "found 'mine.py'\nhint: name the function"),
        ("--jacobian broken.py:f", "broken.py:2", "SyntaxError"),
        ("--jacobian boom.py:f", "boom.py:2", "the candidate raised ZeroDivisionError: "),
        ("--jacobian needs.py:f", "needs.py:1", "the candidate raised ModuleNotFoundError: "),
        ("--dtype float32", "--dtype", "expected a candidate beside it, found none"),
        ("--jacobian c.csv --stress", "--stress", "expected a function, FILE.py:FUNCTION"),
        ("--forward-only", "--forward-only", "expected a --probabilities function beside it"),
        ("--jacobian c.csv --timeout 1", "--timeout", "expected a function, FILE.py:FUNCTION, "),
        ("--upstream 0,1,0", "--upstream", "expected --vjp beside it, found none"),
        ("--jacobian c.csv --method forward", "--method", "expected a --probabilities function"),
        ("--jacobian c.csv --step 0.1", "--step", "expected a --probabilities function"),
        ("--jacobian - --vjp - --upstream 1,1,1", "<stdin>", "found nothing"),
        ("--sweep --jacobian c.csv", "--sweep", "only a --probabilities function"),
        ("--sweep --method forward", "--method", "expected either it or --sweep"),
        ("--sweep --atol 1", "--atol", "expected either it or --sweep"),
        ("--sweep -q", "--quiet", "expected either it or --sweep"),
    ],
)
def test_what_cannot_be_checked_is_told(folder: Path, words: str, place: str, said: str) -> None:
    (folder / "folder.py").mkdir()
    (folder / "broken.py").write_text("a = 1\nb = = 2\n")
    (folder / "boom.py").write_text("\n1 / 0\n")
    (folder / "needs.py").write_text("import nowhere_to_be_found\n")
    outcome = run(*WORDS, *words.split(), cwd=folder)
    assert (outcome.status, outcome.stdout) == (2, "")
    assert outcome.stderr.replace("printed while loading\n", "").startswith(f"error: {place}: ")
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr


def become_nobody() -> None:
    app(["check", "--help"], standalone_mode=False)  # what is loaded then may be closed, too
    if os.getuid() == 0:
        os.setuid(65534)


def test_what_may_not_be_read_is_told_as_that(folder: Path) -> None:
    (folder / "closed").mkdir(0)
    for word in ("closed/mine.py:f", "closed/c.csv"):
        outcome = run(*WORDS, "--jacobian", word, cwd=folder, first=become_nobody)
        assert outcome.status == 2
        assert "permission denied" in outcome.stderr.lower()


def test_booleans_are_wrong_numbers(folder: Path) -> None:
    for method in ("central", "forward", "richardson"):
        words = ["--probabilities", "mine.py:bools", "--method", method]
        assert run("check", "1,2", *words, cwd=folder).status == 1


def test_records_of_results_are_those_of_the_samples_that_they_name(tmp_path: Path) -> None:
    (tmp_path / "z.json").write_text('[{"id":"a","logits":[0,0]},{"id":"b","logits":[1,1]}]')
    for name, status in (("a", 0), ("x", 2)):
        rows = [{"id": each, "probabilities": [0.5, 0.5]} for each in (name, "b")]
        for text in (rows, {"id": [name, "b"], "probabilities": [[0.5, 0.5]] * 2}):
            (tmp_path / "y.json").write_text(json.dumps(text))
            words = ("check", "z.json", "--probabilities", "y.json")
            assert run(*words, cwd=tmp_path).status == status
    (tmp_path / "y.csv").write_text("n,a,b\n8,0.5,0.5\n7,0.5,0.5\n")
    by_position = "check", "-", "--id", "1", "--probabilities", "y.csv"  # that in the logits
    named = run(*by_position, stdin="n,a,b\n7,0,0\n8,1,1\n", cwd=tmp_path).stderr
    assert "expected sample '7', found '8'" in named
    (tmp_path / "g.csv").write_text("img_id,a,b\n8,0,0\n7,1,1\n")
    unnamed = run("jacobian", "g.csv", "--columns", "a,b", "--vjp", "g.csv", cwd=tmp_path).stderr
    assert "the logits lack such names" in unnamed
