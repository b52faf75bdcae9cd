"""Answers as people need them: the most probable classes, beside columns of their own."""

import gzip
import io
import json
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest

from softmax_cli import log_softmax, softmax
from softmax_cli.errors import InputError
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Jacobian, Partial, Probabilities, Quantity
from softmax_cli.samples import Batch, Logits, concatenate
from softmax_cli.writing.formats import SUFFIXES
from softmax_cli.writing.target import write
from tests.program import PETS, SAMPLES, Outcome, refused, run, run_in_terminal

DIGITS = str(SAMPLES / "digits_five.json")


@pytest.mark.parametrize("columns", [None, 30, 80])
@pytest.mark.parametrize(
    ("words", "tops"),
    [
        ((DIGITS,), ["0 0.995", "1 0.995", "2 0.810", "3 0.986", "4 0.980"]),
        (("2,1", "0,3", "--log"), ["1 0.731", "2 0.953"]),
        (("40,0", "0,0"), ["1 1 - 4.25e-18", "1 0.500"]),
        (("40,0", "0,0", "-p", "1"), ["1 1 - 4e-18", "1 0.5"]),
        (("8,0", "0,0"), ["1 1 - 0.000335", "1 0.500"]),
        (("-t", "0", "1,2", "1,1"), ["2 1", "1 0.500"]),
    ],
)
def test_a_table_names_the_most_probable_class_at_every_width(
    words: tuple[str, ...], tops: list[str], columns: int | None
) -> None:
    if columns is None:
        shown = run("forward", *words).stdout
    else:
        shown = run_in_terminal("forward", *words, columns=columns, env={"NO_COLOR": "1"}).stdout
    rows = re.split(r"sample +top.*\n─+\n", shown)[1].splitlines()
    for row, top in zip(rows, tops, strict=False):
        assert re.match(rf"\d +{re.escape(top)}( |$)", row)


def test_the_summary_counts_the_samples_of_each_class() -> None:
    assert "most probable: cat (2 samples), dog (1 sample)\n" in run("forward", PETS).stdout
    assert "most probable: 2 (1 sample), 1 (1 sample)\n" in run("forward", "1,2", "3,1").stdout


TOP = [
    # Logits, options, and for each sample classes and probabilities.
    ("2,1,0.1", "--top 1", [[("1", 0)]]), ("0,0,0", "--top 2", [[("1", 0), ("2", 1)]]),
    ("2,1,0.1 0,3,1", "--top 2", [[("1", 0), ("2", 1)], [("2", 1), ("3", 2)]]),
    ("1,3,3,2", "--top 4", [[("2", 1), ("3", 2), ("4", 3), ("1", 0)]]),
    ("1,3,3,2", "--top 999999999", [[("2", 1), ("3", 2), ("4", 3), ("1", 0)]]),
    ("800,0,1", "--top 3", [[("1", 0), ("3", 2), ("2", 1)]]),
    ("-inf,0,-inf", "--top 3", [[("2", 1), ("1", 0), ("3", 2)]]),
    ("1,3,3,2", "--top 4 -t 0", [[("2", 1), ("3", 2), ("1", 0), ("4", 3)]]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("log", "p", "probability"), [(False, "p", "probability"), (True, "log_p", "log_probability")]
)
@pytest.mark.parametrize(("logits", "options", "expected"), TOP)
def test_top_names_the_largest_in_every_format(
    logits: str,
    options: str,
    expected: list[list[tuple[str, int]]],
    log: bool,
    p: str,
    probability: str,
    tmp_path: Path,
) -> None:
    words = ["forward", *logits.split(), *options.split(), *["--log"] * log]
    z = [[float(cell) for cell in row.split(",")] for row in logits.split()]
    values = (log_softmax if log else softmax)(z, temperature=0.0 if "-t 0" in options else 1.0)
    pairs = [[(name, values[k, j]) for name, j in row] for k, row in enumerate(expected)]
    close: Any = [[(name, pytest.approx(v, rel=1e-14)) for name, v in row] for row in pairs]
    header = [f"{name}{i + 1}" for i in range(len(pairs[0])) for name in ("top", p)]

    def by_twos(cells: list[Any]) -> list[tuple[str, float]]:
        return [(name, float(v)) for name, v in zip(cells[::2], cells[1::2], strict=True)]

    for form, delimiter in (("csv", ","), ("tsv", "\t")):
        text = run(*words, "-f", form).stdout
        first, *rows = [line.split(delimiter) for line in text.splitlines()]
        assert (first, [by_twos(row) for row in rows]) == (header, close)
    document = run(*words, "-f", "json").json
    assert list(document) == ["command", "classes", "samples", "top"]
    lines = [json.loads(line) for line in run(*words, "-f", "jsonl").stdout.splitlines()]
    assert [list(line) for line in lines] == [["sample", "top"]] * len(pairs)
    for tops in (document["top"], [line["top"] for line in lines]):
        assert [[(e["class"], float(e[probability])) for e in row] for row in tops] == close
    path = tmp_path / "top.parquet"
    assert run(*words, "-o", str(path)).stderr == ""
    table = pyarrow.parquet.read_table(path)
    assert table.column_names == header
    assert [by_twos(list(row.values())) for row in table.to_pylist()] == close


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (f"{PETS} --top 2", r"^sample +top1 +top2 .*\n.*\nphoto of a cat +cat 0\.659001 +dog 0\.2"),
        (
            f"{PETS} --top 2 -f markdown",
            r"^\| photo of a cat \| cat 0\.659001 \| dog 0\.242433 \|$",
        ),
        ("40,0 1,2 --top 1 -p 3", r"^1 +1 1 - 4\.25e-18 .*\n2 +2 0\.731 "),
        ("0,1,2 1,2,3 --top 1 --log", r"^1 +3 -0\.407606 "),
        ("2 1 5 0.1 --top 2", r"^class .*\n─+\n3 +5 +0\.\d+ ◂ +█+\S?\n1 +2 +0\.\d+ +█\S*$"),
    ],
)
def test_top_in_tables(words: str, shown: str) -> None:
    assert re.search(shown, run("forward", *words.split()).stdout, re.MULTILINE)


def test_places_beyond_the_width_are_left_out_of_the_middle() -> None:
    words = ("forward", DIGITS, "--top", "9")
    shown = run_in_terminal(*words, columns=60, env={"NO_COLOR": "1"}).stdout
    assert re.match(r"sample +top1 .* …  .* top9", shown)
    assert all(len(line) <= 60 for line in shown.splitlines())


def test_a_class_in_a_cell_of_markdown_is_no_markup() -> None:
    text = json.dumps({"logits": [[1, 2], [2, 1]], "classes": ["<b>|x", "*a*"]})
    printed = run("forward", "--top", "2", "-f", "markdown", stdin=text).stdout
    assert r"| 1 | \*a\* 0.731059 | \<b\>\|x 0.268941 |" in printed


KEPT = ((7, "x|y", 0.1, None), (8, "<b>", 2.0, True), (-1, 'a,"b', math.inf, False))
KEPT_NAMES = ("label", "note", "x", "ok")
Z = np.array([[2.0, 1.0, 0.1], [-1.0, 2.5, -0.25], [1.0, 1.0, 1.0]])
BATCH = Batch(Z, 0, ("a", "b", "c,d"), None, KEPT)
CSV_KEPT = [",7,x|y,0.1,", ",8,<b>,2.0,true", ',-1,"a,""b",inf,false']


def written(path: Path, quantity: Quantity, named: bool = True, **more: Any) -> bytes:
    """Write samples with columns that are kept."""
    parts = [BATCH.part(slice(0, 2)), BATCH.part(slice(2, None))]
    unnamed = [Batch(each.logits, each.start, kept=each.kept) for each in parts]
    blocks = iter(parts if named else unnamed)
    logits = Logits(3, blocks, ("cat", "dog", "owl"), named, "name", KEPT_NAMES)
    form = SUFFIXES[path.suffix]
    write(Arrays("forward", logits, quantity, **more), OutputOptions(form, str(path)))
    return path.read_bytes()


def test_what_is_kept_stays_with_its_sample_wherever_blocks_are_cut_and_joined() -> None:
    parts = [BATCH.part(slice(k, k + 1)) for k in range(3)]
    assert [part.kept for part in parts] == [(row,) for row in KEPT]
    assert concatenate(parts, 3).kept == KEPT


@pytest.mark.parametrize(
    ("quantity", "more", "columns", "rows_each"),
    [
        (Probabilities(), {}, "cat,dog,owl", 1),
        (Probabilities(), {"prefix": "p_"}, "p_cat,p_dog,p_owl", 1),
        (Probabilities(), {"top": 1}, "top1,p1", 1), (Partial(entry=(0, 0)), {}, "partial", 1),
        (Jacobian(), {}, "output,cat,dog,owl", 3),
        (Jacobian(), {"prefix": "p_"}, "output,p_cat,p_dog,p_owl", 3),
    ],
)  # fmt: skip
def test_what_is_kept_stands_behind_the_name_and_before_the_results(
    quantity: Quantity, more: dict[str, Any], columns: str, rows_each: int, tmp_path: Path
) -> None:
    for named in (True, False):
        header, *rows = written(tmp_path / "y.csv", quantity, named, **more).decode().splitlines()
        is_matrix = isinstance(quantity, Jacobian)
        first = ["sample"] if is_matrix else ["name"] * named
        assert header.split(",") == [*first, *KEPT_NAMES, *columns.split(",")]
        names = ("a", "b", '"c,d"') if named else ("1", "2", "3")
        starts = [
            (name if named or is_matrix else "") + kept
            for name, kept in zip(names, CSV_KEPT, strict=True)
        ]
        starts = [each.removeprefix("," if not (named or is_matrix) else "") for each in starts]
        assert len(rows) == 3 * rows_each
        for k, row in enumerate(rows):
            assert row.startswith(starts[k // rows_each] + ",")
        tsv = written(tmp_path / "y.tsv", quantity, named, **more).decode()
        assert tsv.splitlines()[0].split("\t") == header.split(",")
        content = written(tmp_path / "y.parquet", quantity, named, **more)
        table = pyarrow.parquet.read_table(io.BytesIO(content))
        assert table.column_names == header.split(",")
        types = [str(table.schema.field(name).type) for name in KEPT_NAMES]
        assert types == ["int64", "string", "double", "bool"]
        kept = list(zip(*(table[name].to_pylist() for name in KEPT_NAMES), strict=True))
        assert kept == [row for row in KEPT for _ in range(rows_each)]


def test_json_keeps_objects(tmp_path: Path) -> None:
    kept = [dict(zip(KEPT_NAMES, row, strict=True)) for row in KEPT]
    kept[2]["x"] = "Infinity"
    document = json.loads(written(tmp_path / "y.json", Probabilities()))
    assert list(document) == ["command", "classes", "samples", "kept", "probabilities"]
    assert document["kept"] == kept
    lines = [json.loads(line) for line in written(tmp_path / "y.jsonl", Jacobian()).splitlines()]
    assert [list(line) for line in lines] == [["sample", "kept", "jacobian"]] * 3
    assert [line["kept"] for line in lines] == kept


def test_tables_show_what_is_kept(tmp_path: Path) -> None:
    shown = written(tmp_path / "y.txt", Probabilities()).decode()
    assert re.match(r"sample +label +note +x +ok +top +y_cat ", shown)
    assert re.search(r'^c,d +-1 +a,"b +inf +false +cat 0\.333 ', shown, re.MULTILINE)
    markdown = written(tmp_path / "y.md", Probabilities(), prefix="p_").decode()
    assert markdown.startswith(r"| sample | label | note | x | ok | p\_cat | p\_dog | p\_owl |")
    assert r"| b | 8 | \<b\> | 2.0 | true | 0.0" in markdown
    for suffix in ("txt", "md"):
        assert "a, label 7, note x" in written(tmp_path / f"y.{suffix}", Jacobian()).decode()


@pytest.mark.parametrize("suffix", ["tex", "npy"])
def test_what_is_kept_is_refused_where_there_is_no_room_for_it(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected another format") as raised:
        written(tmp_path / f"y.{suffix}", Probabilities())
    assert raised.value.place == "--keep"
    assert list(tmp_path.iterdir()) == []


def test_a_column_of_parquet_has_one_type(tmp_path: Path) -> None:
    parts = [Batch(Z[:1], 0, kept=((1,),)), Batch(Z[1:2], 1, kept=(("x",),))]
    logits = Logits(3, iter(parts), kept_names=("a",))
    path = str(tmp_path / "y.parquet")
    with pytest.raises(InputError, match="one type a column"):
        write(Arrays("forward", logits, Probabilities()), OutputOptions("parquet", path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "header"),
    [
        (f"forward {PETS}", "name,p_cat,p_dog,p_owl"), ("forward 1,2 3,4", "p_1,p_2"),
        (f"jacobian {PETS}", "sample,output,p_cat,p_dog,p_owl"),
        (f"jacobian {PETS} --vjp 1,2,3", "name,p_cat,p_dog,p_owl"),
    ],
)  # fmt: skip
def test_a_prefix_stands_before_the_names_of_classes(words: str, header: str) -> None:
    printed = run(*words.split(), "--prefix", "p_", "-f", "csv").stdout
    assert printed.splitlines()[0] == header
    assert run(*words.split(), "-f", "csv").stdout.splitlines()[-1] == printed.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "option"),
    [
        ("--top 1 -f latex", "--top"), ("--top 1 -f npy", "--top"),
        ("--prefix p_ -f json", "--prefix"), ("--prefix p_ -f jsonl", "--prefix"),
        ("--prefix p_ --top 2 -f csv", "--prefix"),
        ("--keep cat --columns cat,dog -f csv", "--keep"),
    ],
)  # fmt: skip
def test_what_would_have_no_effect_or_two_meanings_is_refused(words: str, option: str) -> None:
    assert refused("forward", PETS, *words.split()).startswith(f"error: {option}: expected ")
    words = "--keep cat --columns cat,dog --prefix p_ -f csv"
    assert run("forward", PETS, *words.split()).stdout.startswith("name,cat,p_cat,p_dog\n")


def test_columns_of_one_name_are_kept_where_there_is_room_for_both() -> None:
    text, words = "id,note,note,b,c\nx,u,v,3,3\n", ["forward", "--id", "id", "--keep", "all", "-f"]
    assert run(*words, "csv", stdin=text).stdout == "id,note,note,b,c\nx,u,v,0.5,0.5\n"
    for form in ("json", "jsonl"):
        assert "found 'note' twice" in refused(*words, form, stdin=text)


def test_names_that_are_integers_stay_integers_in_parquet(tmp_path: Path) -> None:
    path = str(tmp_path / "y.parquet")
    for text, kind in (("id,a,b\n7,1,2\n", "int64"), ("id,a,b\n07,1,2\n", "string")):
        assert run("forward", "-o", path, stdin=text).status == 0
        assert str(pyarrow.parquet.read_table(path).schema.field("id").type) == kind


def test_a_sample_has_its_number_also_where_invalid_ones_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "z.csv").write_text("id,a,b\nu,nan,1\nv,1,1\nw,2,2\n")
    (tmp_path / "y.csv").write_text("id,a,b\nu,9,9\nv,0.5,0.5\nw,9,9\n")
    words = ["check", "z.csv", "--skip-invalid", "--probabilities", "y.csv", "-q", "--sample"]
    statuses = [run(*words, sample, cwd=tmp_path).status for sample in ("1", "2", "3", "v", "w")]
    assert statuses == [2, 0, 1, 0, 1]


@pytest.mark.parametrize(
    "end", ["csv", "tsv", "json", "jsonl", "ndjson", "txt", "md", "tex", "html"]
)
def test_gz_behind_a_suffix_of_text_compresses(end: str, tmp_path: Path) -> None:
    for words in (["forward", PETS], ["check", PETS]):
        path, packed = tmp_path / f"y.{end}", tmp_path / f"y.{end}.GZ"
        for each in (path, packed):
            assert run(*words, "-o", str(each)) == Outcome(0, "", "")
        content = packed.read_bytes()
        assert gzip.decompress(content) == path.read_bytes()
        assert content[3:8] == bytes(5)  # neither a name nor a time


@pytest.mark.parametrize(
    "words", ["-o y.npy.gz", "-o y.svg.gz", "-o y.parquet.gz", "-o y.gz", "-o y.gz -f npy"]
)
def test_gz_behind_anything_else_is_refused(words: str, tmp_path: Path) -> None:
    error = refused("forward", "1", "2", *words.split(), cwd=tmp_path)
    assert error.startswith("error: --output: expected ")
    assert list(tmp_path.iterdir()) == []


def test_a_named_format_is_compressed_too_and_a_bad_input_leaves_nothing(tmp_path: Path) -> None:
    assert run("forward", "3,3", "-f", "csv", "-o", "y.gz", cwd=tmp_path).status == 0
    assert gzip.decompress((tmp_path / "y.gz").read_bytes()) == b"0.5,0.5\n"
    outcome = run("forward", "-o", "z.csv.gz", stdin="1,2\n" * 100_000 + "1,x\n", cwd=tmp_path)
    assert (outcome.status, "printed" in outcome.stderr) == (2, False)
    assert [each.name for each in tmp_path.iterdir()] == ["y.gz"]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with what the program answers."""
    folder = tmp_path_factory.mktemp("answers")
    (folder / "g.csv").write_text("1,2,4\n0,1,-1\n3,1,0.5\n")
    for command, *paths in (
        ("forward", "y.csv", "y.jsonl"), ("jacobian", "J.csv", "J.json"),
        ("jacobian --vjp g.csv", "v.csv"), ("jacobian --vjp 1,0,2", "v1.csv"),
    ):  # fmt: skip
        for path in paths:
            assert run(*command.split(), PETS, "-o", path, cwd=folder).status == 0
    return folder


@pytest.mark.parametrize("sample", ["1", "3", "blurred photo"])
@pytest.mark.parametrize(
    "words",
    ["", "--probabilities y.csv", "--probabilities y.jsonl", "--jacobian J.csv", "--sweep",
     "--jacobian J.json", "--vjp v.csv --upstream g.csv", "--vjp v1.csv --upstream 1,0,2"],
)  # fmt: skip
def test_a_check_of_one_sample_takes_its_results_of_all(
    sample: str, words: str, tmp_path: Path, answers: Path
) -> None:
    options = [*words.split(), "--sample", sample, "-f", "json"]
    outcome = run("check", PETS, *options, cwd=answers)
    assert outcome.status == 0, outcome.stderr
    if words != "--sweep":
        names = {"1": "photo of a cat", "3": "blurred photo"}
        assert [each["sample"] for each in outcome.json["samples"]] == [names.get(sample, sample)]
    if words == "--probabilities y.csv":
        rows = (answers / "y.csv").read_text().splitlines()
        rows[1 if sample == "1" else 3] = rows[2].replace("photo of a dog", rows[3].split(",")[0])
        rows[1] = rows[1].replace("blurred photo", "photo of a cat") if sample == "1" else rows[1]
        (tmp_path / "y.csv").write_text("\n".join(rows))
        assert run("check", PETS, *options, cwd=tmp_path).status == 1
