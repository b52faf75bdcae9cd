"""Parquet in and out, through the program, with the extra and without."""

import csv
import io
import json
import os
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.program import PETS, refused, run, run_in_shell, run_in_terminal, without


def table(**columns: object) -> bytes:
    content = io.BytesIO()
    parquet.write_table(pa.table(columns), content, write_page_checksum=True)
    return content.getvalue()


@pytest.mark.parametrize(
    "line",
    ["forward", "forward --log", "jacobian", "jacobian --entry cat,dog", "jacobian --vjp 0,0,1"],
)
def test_it_holds_what_csv_holds_wherever_it_comes_from(line: str, tmp_path: Path) -> None:
    words = line.split()
    rows = list(csv.DictReader(Path(PETS).read_text().splitlines()))
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    into = tmp_path / "z.parquet"
    cells = {k: v if k == "name" else list(map(float, v)) for k, v in columns.items()}
    into.write_bytes(table(**cells))
    expected = list(csv.reader(run(*words, PETS, "-f", "csv").stdout.splitlines()))
    assert list(csv.reader(run(*words, str(into), "-f", "csv").stdout.splitlines())) == expected
    piped = run(*words, "-f", "csv", stdin=into.read_bytes())
    assert list(csv.reader(piped.stdout.splitlines())) == expected
    out = tmp_path / "y.parquet"
    assert run(*words, PETS, "-o", str(out)).status == 0
    written = parquet.read_table(out)
    assert written.column_names == expected[0]
    assert {str(k).removeprefix("large_") for k in written.schema.types} == {"string", "double"}
    assert [list(map(str, row.values())) for row in written.to_pylist()] == expected[1:]
    views = pa.array(["u", None], pa.string_view())
    into.write_bytes(table(a=[3.0, 3.0], b=[3.0, 3.0], note=views))
    assert run("forward", str(into), "-f", "csv").stdout == "note,a,b\nu,0.5,0.5\n,0.5,0.5\n"
    into.write_bytes(table(a=[1.5, 2], zip=["7", "8"]))
    assert "'zip' beside" in refused("forward", str(into))
    assert run("forward", str(into), "--id", "zip", "-o", str(out)).status == 0
    assert parquet.read_table(out)["zip"].to_pylist() == ["7", "8"]


def test_verdicts_and_numbers_alone_have_columns_too(tmp_path: Path) -> None:
    out = str(tmp_path / "out.parquet")
    assert run("check", PETS, "-o", out).status == 0
    assert parquet.read_table(out)["passed"].to_pylist() == [True] * 3
    assert run("forward", "3", "3", "-o", out).status == 0
    assert parquet.read_table(out).to_pydict() == {"1": [0.5], "2": [0.5]}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1.0, None], "b": [1.0, 2.0]}, "sample 2, 'a': expected a number, found null"),
        ({"a": [np.nan, 1.0], "b": [1.0, 2.0]}, "sample 1, 'a': found nan"),
        ({"a": [1.0, np.inf], "b": [1.0, 2.0]}, "sample 2, 'a': found +inf"),
        ({"a": ["x"], "b": ["y"], "c": [1]}, "expected logits and at most one column"),
        ({"a": [1.5], "b": ["$2"]}, "sample 1, 'b': expected a number, found "),
        ({"a": [1.5], "b": ["3.5"]}, "sample 1, 'b': expected a number, found "),
        ({"a": [1.5], "b": [True]}, "sample 1, 'b': expected a number, found true"),
        ({"a": [[1.0]], "b": [1]}, ""), ({"a": [], "b": []}, "expected logits, found no rows"),
    ],
)  # fmt: skip
def test_what_is_no_table_of_logits_is_refused(
    columns: dict[str, object], message: str, tmp_path: Path
) -> None:
    (tmp_path / "z.parquet").write_bytes(table(**columns))
    outcome = run("forward", "z.parquet", "--columns", "a", cwd=tmp_path)
    if message:
        outcome = run("forward", "z.parquet", cwd=tmp_path)
    assert (outcome.status, outcome.stdout) == (2, "")
    told = outcome.stderr.removeprefix("warning: z.parquet: with one class")
    assert f"error: z.parquet: {message}" in told
    assert len(told.splitlines()) <= 3


KEPT = {
    "t": (pa.timestamp("ns"), 1577836800000000001, "2020-01-01 00:00:00.000000001"),
    "z": (pa.timestamp("ns", "UTC"), 1577836800000000001, "2020-01-01 00:00:00.000000001Z"),
    "duration": (pa.duration("ns"), 86400000000001, "86400000000001"),
    "date": (pa.date32(), 0, "1970-01-01"),
    "large": (pa.uint64(), 2**64 - 1, str(2**64 - 1)),
    "decimal": (pa.decimal128(12, 2), Decimal("1.50"), "1.50"),
    "binary": (pa.binary(2), b"a\xff", r"a\xff"),
    "list": (pa.list_(pa.int16()), [1, 2], '"[1, 2]"'),
    "struct": (pa.struct({"x": pa.int8()}), {"x": 1}, '"{""x"": 1}"'),
}


def test_columns_of_any_type_are_kept_unchanged(tmp_path: Path) -> None:
    columns = {name: pa.array([value, None], kind) for name, (kind, value, _) in KEPT.items()}
    (tmp_path / "z.parquet").write_bytes(table(a=[3.0, 3.0], b=[3.0, 3.0], **columns))
    words = ("forward", "z.parquet", "--columns", "a,b", "--keep", ",".join(KEPT))
    assert run(*words, "-f", "csv", cwd=tmp_path).stdout.splitlines()[1:] == [
        ",".join([*(t for _, _, t in KEPT.values()), "0.5,0.5"]),
        "," * 9 + "0.5,0.5",
    ]
    assert run(*words, "-o", "y.parquet", cwd=tmp_path).status == 0
    assert parquet.read_table(tmp_path / "y.parquet").select([*KEPT]).equals(pa.table(columns))
    named = run("forward", "z.parquet", "--columns", "a,b", "--id", "t", "-f", "csv", cwd=tmp_path)
    assert named.stdout.startswith("t,a,b\n2020-01-01 00:00:00.000000001,0.5,0.5\n")
    for index in ({"name": "t", "start": 0, "step": 1}, {"name": None, "start": 2, "step": -1}):
        about = {"pandas": json.dumps({"index_columns": [index]})}
        indexed = pa.table({"a": [1]}).replace_schema_metadata(about)
        parquet.write_table(indexed, tmp_path / "r.parquet")
        assert "its index is not read" in run("forward", "r.parquet", cwd=tmp_path).stderr
    (tmp_path / "r.parquet").write_bytes(table(logits=[[1.0, 2.0]], classes=[["a", "b"]]))
    assert "'classes' is not read" in run("forward", "r.parquet", cwd=tmp_path).stderr


@pytest.mark.parametrize(
    ("first", "last", "kept"),
    [
        ("1", "3.7", None), ("1", "null", "null"), ("1.5", "2", 2.0), ("1.5", "true", None),
        ("true", "1", None), ('{"a":1}', '{"b":2}', None), ("[1]", "[2.9]", None),
        ("1", '"x"', None), ('"x"', "1", "1"), ("{}", "{}", None),
    ],
)  # fmt: skip
def test_a_kept_column_has_one_type_that_changes_no_value(
    first: str, last: str, kept: object, tmp_path: Path
) -> None:
    lines = [f'{{"k":{each},"logits":[1,2]}}' for each in [first] * 6000 + [last]]
    (tmp_path / "z.jsonl").write_text("\n".join(lines))
    outcome = run("forward", "z.jsonl", "--keep", "k", "-o", "y.parquet", cwd=tmp_path)
    assert outcome.status == (2 if kept is None else 0), outcome.stderr
    if kept is not None:
        found = parquet.read_table(tmp_path / "y.parquet")["k"][-1].as_py()
        assert found == (None if kept == "null" else kept)


def test_labels_with_a_gap_are_text(tmp_path: Path) -> None:
    (tmp_path / "z.csv").write_text("id,label,cat,dog\na,0,1.5,2\nb,,1.5,2\n")
    words = ["--columns", "cat,dog", "--keep", "label", "-o", "y.parquet"]
    assert run("forward", "z.csv", *words, cwd=tmp_path).status == 0
    assert parquet.read_table(tmp_path / "y.parquet")["label"].to_pylist() == ["0", ""]
    (tmp_path / "z.parquet").write_bytes(table(t=[["a", "b"], ["c"]], cat=[1.5, 2], dog=[2.5, 0]))
    assert run("forward", "z.parquet", "--id", "t", "-o", "y.parquet", cwd=tmp_path).status == 0
    assert parquet.read_table(tmp_path / "y.parquet")["t"].to_pylist() == ['["a", "b"]', '["c"]']


ODD = table(
    **{
        "id": ["x", None],
        "*": pa.array([0, 0], pa.uint8()),
        "a.b": pa.array([0, -np.inf], pa.float32()),
        "z[1]": pa.array([Decimal(0), Decimal(0)], pa.decimal128(4, 2)),
    }
)
ODD_RESULT = f"id,*,a.b,z[1]\nx,{1 / 3},{1 / 3},{1 / 3}\n,0.5,0.0,0.5\n"


@pytest.mark.parametrize("name", ["[z].parquet", "*.parquet", "~", "z", os.fsdecode(b"\xff")])
def test_names_are_no_patterns(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(ODD)
    (tmp_path / "other.parquet").write_bytes(b"PAR1")
    outcome = run("forward", name, "-f", "csv", cwd=tmp_path)
    assert (outcome.stdout, outcome.stderr) == (ODD_RESULT, "")
    picked = run("forward", name, "--columns", "z[1],*", "-f", "csv", cwd=tmp_path)
    assert picked.stdout == "id,z[1],*\nx,0.5,0.5\n,0.5,0.5\n"


def test_a_file_without_a_place_is_read_through_its_descriptor(tmp_path: Path) -> None:
    (tmp_path / "z.parquet").write_bytes(ODD)
    script = 'exec 3< z.parquet; rm z.parquet; "$@" forward - -f csv <&3'
    assert run_in_shell(script, tmp_path).stdout == ODD_RESULT


def test_many_batches_are_one_table(tmp_path: Path) -> None:
    z = np.random.default_rng(7).normal(0, 3, (50_001, 7))
    (tmp_path / "z.parquet").write_bytes(table(**{f"c{c}": z[:, c] for c in range(7)}))
    np.save(tmp_path / "z.npy", z)
    for name in ("z.parquet", "z.npy"):
        assert run("forward", name, "-o", f"{name}.npy", cwd=tmp_path).status == 0
    by_parquet, by_npy = (np.load(tmp_path / f"z.{kind}.npy") for kind in ("parquet", "npy"))
    assert by_parquet.tobytes() == by_npy.tobytes()


def test_damage_is_told_in_one_line_or_changes_nothing(tmp_path: Path) -> None:
    whole = table(a=[1.0, 2.0], b=[3.0, 4.0])
    other = whole.replace(b"\xf0\x3f", b"\xf8\x3f", 1)  # 1.5 for 1, of which the page has a sum
    assert "CRC" in refused("forward", "--input-format", "parquet", stdin=other)
    damaged = [whole[:at] for at in (4, 20, len(whole) // 2, len(whole) - 1)]
    for at in range(4, len(whole), 97):
        damaged.append(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
    for content in damaged:
        outcome = run("forward", "-f", "csv", "--input-format", "parquet", stdin=content)
        assert outcome.status in (0, 2)
        if outcome.status == 2:
            assert outcome.stderr.startswith("error: <stdin>: ")
            assert len(outcome.stderr.splitlines()) <= 2


def test_other_bytes_and_terminals_are_refused(tmp_path: Path) -> None:
    (tmp_path / "z.parquet").write_text("1,2\n")
    outcome = run("forward", "z.parquet", cwd=tmp_path)
    assert outcome.stderr.startswith("error: z.parquet: cannot be read as parquet: ")
    assert len(outcome.stderr.splitlines()) == 1
    assert run_in_terminal("forward", "1", "2", "-f", "parquet").status == 2


def test_without_the_extra_the_error_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "z.parquet").write_bytes(b"PAR1")
    error = refused("forward", "z.parquet", cwd=tmp_path, first=without("pyarrow"))
    assert error.splitlines()[1].startswith("hint: pip install ")
    error = refused("forward", "1", "2", "-f", "parquet", first=without("pyarrow"))
    assert "pip install pyarrow" in error.splitlines()[1]
