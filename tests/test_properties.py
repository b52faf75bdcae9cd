"""What holds for all inputs: readers agree, and so do the formats that are written."""

import csv
import io
import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from softmax_cli.options import InputOptions
from softmax_cli.reading.source import read_arguments
from softmax_cli.samples import concatenate
from softmax_cli.words import NotANumberError, read_number
from tests.reading import read

settings.register_profile("patient", deadline=None, max_examples=60)
settings.load_profile("patient")
finite = st.floats(allow_nan=False, allow_infinity=False)
logits_of = st.integers(1, 5).flatmap(
    lambda width: st.lists(
        st.lists(finite | st.just(-math.inf), min_size=width, max_size=width).filter(
            lambda row: max(row) > -math.inf
        ),
        min_size=1,
        max_size=5,
    )
)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


@given(logits_of)
def test_arguments_csv_tsv_and_json_read_the_same_bits(rows: list[list[float]]) -> None:
    tokens = read_arguments([",".join(map(repr, row)) for row in rows], InputOptions())
    expected = tuple(map(tuple, rows))
    text = "".join(",".join(map(repr, row)) + "\n" for row in rows)
    quoted = [["-inf" if value == -math.inf else value for value in row] for row in rows]
    options = InputOptions(delimiter=",")
    assert read("csv", text.encode(), options, 1).logits == expected
    assert read("tsv", text.replace(",", "\t").encode()).logits == expected
    assert read("json", json.dumps(quoted).encode()).logits == expected
    lines = "".join(json.dumps(row) + "\n" for row in quoted)
    assert read("jsonl", lines.encode(), options, 1).logits == expected
    if len(rows[0]) > 1:
        assert concatenate(tokens.batches, tokens.n_classes).logits.tolist() == rows


@given(logits_of, st.data())
def test_names_survive_csv_whatever_they_are(rows: list[list[float]], data: st.DataObject) -> None:
    others = names.filter(lambda name: not name.strip().isdecimal())  # would win over positions
    classes = ["k", *data.draw(st.lists(others, min_size=len(rows[0]), max_size=len(rows[0])))]
    samples = data.draw(st.lists(names, min_size=len(rows), max_size=len(rows)))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(classes)
    writer.writerows([name, *row] for name, row in zip(samples, rows, strict=True))
    options = InputOptions(delimiter=",", columns=f"2-{len(classes)}", id_column="1")
    found = read("csv", text.getvalue().encode(), options)
    assert (found.classes, found.samples) == (tuple(classes[1:]), tuple(samples))
    assert found.logits == tuple(map(tuple, rows))


@given(st.text(st.sampled_from("0123456789+-.eE_infaINFx \u2212\u0661"), max_size=12))
def test_a_block_of_cells_reads_like_its_numbers_one_by_one(text: str) -> None:
    try:
        one = read_number(text)
    except NotANumberError:
        one = math.nan
    found = read("csv", f"a,b\n0,1\n0,{text}\n".encode(), InputOptions(delimiter=","), 1)
    assert found.error or repr(found.logits[1][1]) == repr(one)
    assert bool(found.error) != (one < math.inf)


CELLS = [
    "1", "-0", "0.5", "-1e300", "1.", "+2", " 3", "-inf", "1e-400", "1e400", "x", "", "1],[2",
    '"4"', "é", "\u22125", "1_0", "1\r2", "nan", "[1]",
]  # fmt: skip
LINES = [
    "[1,-0]", "[1, 2.5]", '["-inf",1]', "[1]", "[[1],2]", '{"a":1,"b":2}', '{"b":1,"a":-0}', "",
    '{"a":1,"a":2}', '{"a" :1,"b":2}', '{"logits":[1,2]}', " ", "[1,2]\r", "[1,NaN]", "[1,2],[3,4]",
    '["[}"]', "[1,2", ",3]", '{"logits":[1,2],"sample":"[}"}',
]  # fmt: skip
cells = st.sampled_from(CELLS)
ends = st.sampled_from([*["\n"] * 9, "\r\n", "\n\n", "\r", "\n \n", ""])


@given(
    st.lists(st.tuples(st.lists(cells, min_size=2, max_size=3), ends), min_size=1, max_size=9),
    st.sampled_from(["a,b\n", "id,a,b\nx,1,2\n", "a,b,id\n1,2,x\n"]),
    st.integers(1, 40),
)
def test_delimited_text_reads_the_same_in_blocks_of_any_size(
    lines: list[tuple[list[str], str]], header: str, size: int
) -> None:
    text = header + "1,2\n3,4\n" * (header == "a,b\n")
    content = (text + "".join(",".join(row) + end for row, end in lines)).encode()
    # Two rows at least settle what the columns are.
    found = [read("csv", content, InputOptions(delimiter=","), n) for n in (size, 1 << 20)]
    if not found[0].error or not found[1].error:
        assert repr(found[0]) == repr(found[1])


@given(st.lists(st.sampled_from(LINES), max_size=6), st.integers(1, 40))
def test_json_lines_read_the_same_in_blocks_of_any_size(lines: list[str], size: int) -> None:
    found = [read("jsonl", "\n".join(lines).encode(), block_size=n) for n in (size, 1 << 20)]
    if not found[0].error or not found[1].error:
        assert repr(found[0]) == repr(found[1])
