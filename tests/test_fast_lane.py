"""The fast lane and the careful reader agree to the bit; what they could differ on is not taken."""

import csv
import io
import resource
import subprocess
import sys
import threading
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from softmax_cli import fast_lane, polars_rows
from softmax_cli.errors import InputError
from softmax_cli.mathematics import core, memory
from softmax_cli.options import InputOptions
from softmax_cli.reading import delimited
from softmax_cli.reading.columns import Columns
from softmax_cli.reading.plain import Layout, parse_plain
from softmax_cli.samples import TextBlock
from softmax_cli.writing import numbers
from tests.program import run
from tests.test_properties import stream

LANES: list[ModuleType | None] = [None, polars_rows]

STRANGE = """
1e400 -1e400 1e-400 -inf +inf inf nan infinity 1e23 9007199254740993 5e-324 2.4703282292062327e-324
1.7976931348623159e308 -0 00 .5 5. . - + e5 1e 1e+ -.e1 --1 1-2 0x1 1_0 1d5
"""

cells = st.one_of(
    st.floats().map(repr),
    st.floats(-50, 50).map(lambda x: f"{x:.6g}"),
    st.integers(-(10**30), 10**30).map(str),
    st.text(st.sampled_from("0123456789+-.eEinf"), max_size=9),
    st.text(st.sampled_from("019+-.eE_infaNIty \t'\"\r\0\u2212\u0661x,;|"), max_size=6),
    st.sampled_from(STRANGE.split()),
)
plain_cells = st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.just("-inf")
names = st.text(max_size=5) | st.just("sample 1")


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, Layout]:
    """Draw lines, most of them good, and what the first lines of such a file would have said."""
    width = draw(st.integers(1, 4))
    name = draw(st.none() | st.integers(0, width - 1)) if width > 1 else None
    delimiter = draw(st.sampled_from(",,,;\t| e1-:"))
    line = st.tuples(
        *(names if c == name else (plain_cells | plain_cells | cells) for c in range(width))
    ).map(delimiter.join)
    strange = st.sampled_from(["", " ", delimiter, '"', "1\r2", "\ufeff1", "\udcff", "\x00"])
    lines = draw(st.lists(line | line | line | line | strange, min_size=1, max_size=6))
    ends = draw(st.lists(st.sampled_from(["\n", "\n", "\n", "\r\n"]), min_size=6, max_size=6))
    text = "".join(line + end for line, end in zip(lines, ends, strict=False))
    logits = tuple(c for c in range(width) if c != name)
    if len(logits) > 1:
        logits = tuple(draw(st.permutations(logits)))[: draw(st.integers(1, len(logits)))]
    return text.removesuffix(draw(st.sampled_from(["", "\n"]))), Layout(
        delimiter, width, Columns(logits, name)
    )


def carefully(content: bytes, layout: Layout) -> tuple[list[list[float]], object] | None:
    table = delimited.Table("t", layout, 1, InputOptions(check=lambda logits, place: None))
    block = TextBlock(1, content)
    try:
        rows, _ = delimited._records(block, stream(""), layout.delimiter, "t")
        if not rows:
            return [], ()
        batch = delimited._read_carefully(rows, table, 0)
    except InputError:
        return None
    return batch.logits.tolist(), batch.samples


@example(("\ufeff1,2\n3,4\n", Layout(",", 2, Columns((0, 1), None))))
@example(("1,2\r\r\n3,4\n", Layout(",", 2, Columns((0, 1), None))))
@example((" 0.0\n", Layout(" ", 2, Columns((1,), 0))))
@example(("1,2\n3\n4,5,6\n", Layout(",", 2, Columns((0, 1), None))))
@example(("\n\n", Layout(",", 1, Columns((0,), None))))
@example(("1,2\n\n3,4\n", Layout(",", 2, Columns((0, 1), None))))
@example(("-1e400,inf\n", Layout(",", 2, Columns((0, 1), None))))
@example(("-1e400,-inf\n", Layout(",", 2, Columns((0, 1), None))))
@example(("1 2\n \n", Layout(" ", 2, Columns((0, 1), None))))
@example(("a,1,x\nb,2,\udcff\n", Layout(",", 3, Columns((1,), 0))))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(tables())
def test_what_the_fast_lanes_take_the_careful_reader_reads_the_same(
    drawn: tuple[str, Layout],
) -> None:
    text, layout = drawn
    content = text.encode("utf-8", "surrogateescape")
    for lane in LANES:
        taken = parse_plain(content, layout, lane)
        if taken is None:
            continue
        logits, samples = taken
        careful = carefully(content, layout)
        assert careful is not None, (lane, text)
        rows = np.array(careful[0]).reshape(-1, len(layout.columns.logits))
        assert (rows.tobytes(), careful[1]) == (logits.tobytes(), samples), (lane, text)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-1e3, 1e3), st.floats(allow_nan=False, allow_infinity=False)),
        min_size=1,
    ),
    st.sampled_from([",", ";", "\t"]),
    st.booleans(),
)
def test_plain_blocks_are_taken(
    rows: list[tuple[float, float]], delimiter: str, crlf: bool
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\r\n" if crlf else "\n")
    writer.writerows(("a name", x, "other", y) for x, y in rows)
    layout = Layout(delimiter, 4, Columns((1, 3), 0))
    for lane in LANES:
        taken = parse_plain(text.getvalue().encode(), layout, lane)
        assert taken is not None
        assert taken[0].tolist() == [list(row) for row in rows]
        assert taken[1] == ("a name",) * len(rows)


@settings(deadline=None)
@given(
    st.integers(1, 4).flatmap(
        lambda C: st.lists(st.lists(st.floats(allow_nan=False), min_size=C, max_size=C), min_size=1)
    )
)
def test_printed_rows_read_back_to_the_same_bits_in_every_lane(rows: list[list[float]]) -> None:
    values = np.array(rows)
    for printed in (numbers.print_rows(values, ","), polars_rows.print_rows(values, ",")):
        lines = printed.splitlines()
        again = np.array([[float(cell) for cell in line.split(",")] for line in lines])
        assert again.tobytes() == values.tobytes()


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "softmax_cli.polars_rows", None)
    monkeypatch.setitem(sys.modules, "polars", None)


@pytest.mark.usefixtures("closed")
def test_without_polars_the_lane_is_closed() -> None:
    assert fast_lane.fast_lane(1 << 40) is None
    assert not fast_lane.is_open()


@pytest.mark.parametrize(("threads", "files"), [(0, 1024), (20, 1024), (1000, 63)])
def test_without_room_for_polars_the_lane_is_closed_and_no_thread_stays(
    threads: int, files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = threads
    start = threading.Thread.start

    def scarce(thread: threading.Thread) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise RuntimeError("can't start new thread")
        start(thread)

    before = threading.active_count()
    monkeypatch.setattr(fast_lane, "is_open", lambda: False)
    monkeypatch.setattr(threading.Thread, "start", scarce)
    monkeypatch.setattr(resource, "getrlimit", lambda limit: (files, files))
    monkeypatch.setattr(memory, "address_space", lambda: sys.maxsize)
    assert fast_lane.fast_lane(1 << 40) is None
    with pytest.raises(InputError, match="for polars, fewer"):
        fast_lane.import_polars()
    assert threading.active_count() == before


def test_a_pipe_is_printed_in_the_same_way_in_every_run() -> None:
    # Numbers that the lanes write differently, on both sides of where the fast one is opened.
    text = "0,-10.5\n0,-11\n" * 500_000
    first, second = (run("forward", "-f", "csv", stdin=text).stdout for _ in range(2))
    assert first == second
    assert len(set(first.splitlines())) == 4


def test_a_small_job_does_not_open_the_lane() -> None:
    code = (
        "import sys; from softmax_cli.fast_lane import fast_lane, is_open; "
        "print(fast_lane(1 << 10), is_open(), fast_lane(1 << 30).__name__, is_open())"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert printed.split() == ["None", "False", "softmax_cli.polars_rows", "True"]


@pytest.mark.parametrize(
    ("line", "more"),
    [("", 0), ('q"q,1,2,3\n', 1), ('"two\nlines",1,2,3\n', 1), ("\n", 0), ("x,1,x\n", 0)],
)
def test_strange_lines_far_behind_the_first_block_are_read_with_care(line: str, more: int) -> None:
    z = np.random.default_rng(3).normal(0, 3, (120_000, 3))
    rows = [f"s{k},{a!r},{b!r},{c!r}\n" for k, (a, b, c) in enumerate(z.tolist())]
    at = 110_000
    text = "id,a,b,c\n" + "".join(rows[:at]) + line + "".join(rows[at:])
    outcome = run("forward", "-f", "csv", stdin=text)
    printed = list(csv.reader(io.StringIO(outcome.stdout, newline="")))[1:]
    ours = [row for row in printed if row[0].startswith("s")]
    y = np.array([row[1:] for row in ours], dtype=np.float64)
    assert [row[0] for row in ours] == [f"s{k}" for k in range(len(ours))]
    assert y.tobytes() == core.softmax(z[: len(y)]).tobytes()
    if line == "x,1,x\n":
        place = f"error: <stdin>:{at + 2}: expected 4 values as in line 1, found 3 "
        assert outcome.stderr == f"{place}({len(printed)} samples printed before it)\n"
        assert outcome.status == 2
    else:
        assert (outcome.status, outcome.stderr) == (0, "")
        assert len(printed) == len(rows) + more == len(ours) + more
