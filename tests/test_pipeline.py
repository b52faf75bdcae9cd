"""Streams: the same bytes on any number of cores, in order, while the input still goes on."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
import pytest

from softmax_cli import jacobian, log_softmax, softmax, vjp
from tests.program import environment, run, run_in_shell, wait_for

JOBS = ("1", "3")
LINES: dict[str, Callable[[list[float]], str]] = {
    "csv": lambda row: ",".join(map(repr, row)) + "\n",
    "tsv": lambda row: "\t".join(map(repr, row)) + "\n",
    "jsonl": lambda row: json.dumps({"logits": row}) + "\n",
}
Z = np.random.default_rng(3).normal(0, 3, (5_000, 10))  # 1 MB of text
G = (1, 0, 0, -2.5, 0, 0, 0, 0, 0, 0)
# Several cores begin a quarter of the way, and wait for each other for half a second.
EAGER = """
from softmax_cli import pipeline; pipeline.WORTH = 1 << 18; pipeline.PATIENCE = 0.5
from softmax_cli.reading.text import Stream; Stream.block_size = 1 << 16
from softmax_cli.__main__ import main; main()
"""


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softmax_cli.pipeline.WORTH", 1 << 18)
    monkeypatch.setattr("softmax_cli.reading.text.Stream.block_size", 1 << 16)


def numbers(text: str, kind: str) -> Any:
    if kind == "jsonl":
        return np.array([list(json.loads(line).values())[1] for line in text.splitlines()])
    delimiter = "\t" if kind == "tsv" else ","
    return np.array([line.split(delimiter) for line in text.splitlines()], dtype=np.float64)


@pytest.mark.parametrize(
    ("kind", "words", "expected"),
    [
        ("tsv", "forward --log", log_softmax), ("jsonl", "forward", softmax),
        ("csv", "jacobian --vjp " + ",".join(map(str, G)), lambda z: vjp(z, np.array([G]))),
        ("jsonl", "jacobian --entry 2,1", lambda z: jacobian(z)[:, 1, 0]),
    ],
)  # fmt: skip
def test_any_number_of_cores_gives_the_same_bytes_in_order(
    kind: str, words: str, expected: Callable[[Any], Any], tmp_path: Path
) -> None:
    path = tmp_path / f"z.{kind}"
    path.write_text("".join(map(LINES[kind], Z.tolist())))
    one, three = (run(*words.split(), str(path), "-f", kind, "--jobs", jobs) for jobs in JOBS)
    assert (one.status, one.stderr) == (0, "")
    assert one == three
    assert numbers(one.stdout, kind).tobytes() == expected(Z).tobytes()
    more = ["--input-format", kind, "-f", kind, "--jobs", "3"]
    piped = run(*words.split(), *more, stdin=path.read_bytes())
    assert piped == three


@pytest.mark.parametrize(("kind", "jobs"), [("csv", "1"), ("tsv", "3"), ("jsonl", "3")])
def test_a_bad_line_ends_a_stream_with_its_place_and_what_was_printed(
    kind: str, jobs: str, tmp_path: Path
) -> None:
    lines = list(map(LINES[kind], Z.tolist()))
    lines[4_800] = "[1,2,x]\n" if kind == "jsonl" else lines[0].replace(".", "x", 1)
    path = tmp_path / f"z.{kind}"
    path.write_text("".join(lines))
    outcome = run("forward", str(path), "-f", kind, "--jobs", jobs)
    y = numbers(outcome.stdout, kind)
    assert outcome.status == 2
    assert y.tobytes() == softmax(Z[: len(y)]).tobytes()
    assert 0 < len(y) <= 4_800
    assert outcome.stderr.startswith(f"error: {path}:4801:")
    assert f"({len(y)} samples printed before it)" in outcome.stderr
    outcome = run("forward", str(path), "-o", str(tmp_path / f"y.{kind}"), "--jobs", jobs)
    assert outcome.status == 2
    assert "printed before" not in outcome.stderr
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", [*LINES, "json"])
def test_printed_digits_read_back_to_the_same_bits_with_and_without_orjson(
    kind: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "z.npy", Z[:300] * 10.0 ** np.arange(-7, 3))
    words = ["forward", "--log", "z.npy", "-f", kind, "-o", "y"]
    run("forward", "--log", "z.npy", "-o", "y.npy", cwd=tmp_path)
    for first in (dict, partial(exec, "from softmax_cli import fast; fast.orjson = None")):
        assert run(*words, cwd=tmp_path, first=first).status == 0
        text = (tmp_path / "y").read_text()
        found = numbers(text, kind) if kind in LINES else json.loads(text)["log_probabilities"]
        assert np.array(found).tobytes() == np.load(tmp_path / "y.npy").tobytes()


@contextmanager
def running(*words: str) -> Iterator[tuple["subprocess.Popen[bytes]", IO[bytes], IO[bytes]]]:
    with subprocess.Popen(
        [sys.executable, "-c", EAGER, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment({}),
        start_new_session=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        limit = threading.Timer(30, process.kill)
        limit.start()
        try:
            yield process, process.stdin, process.stdout
        finally:
            limit.cancel()
            process.kill()
            with suppress(BrokenPipeError):
                process.stdin.close()


def feed(stdin: IO[bytes], text: str, close: bool = False) -> threading.Thread:
    """Write in a thread, since the program may print before it has read all."""

    def write() -> None:
        with suppress(OSError, ValueError):
            stdin.write(text.encode())
            stdin.flush()
            if close:
                stdin.close()

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("kind", LINES)
def test_what_a_slow_pipe_brings_is_answered_as_lines_arrive(kind: str) -> None:
    with running("forward", "--input-format", kind, "-f", kind) as (process, stdin, stdout):
        feed(stdin, LINES[kind]([1.0, 2.0]) * 2)
        first = stdout.readline()
        assert stdout.readline().endswith(b"\n")
        for _ in range(3):
            feed(stdin, LINES[kind]([1.0, 2.0]))
            assert stdout.readline()[-9:] == first[-9:]
        assert process.poll() is None


def test_a_steady_trickle_is_answered() -> None:
    lines = "while echo 3,3; do sleep 0.1; done"
    outcome = run_in_shell(f'({lines}) | timeout -s INT 4 "$@" forward -f csv')
    assert outcome.stdout.startswith("0.5,0.5\n0.5,0.5\n")


@pytest.mark.parametrize(("kind", "jobs"), [("csv", "3"), ("tsv", "1"), ("jsonl", "3")])
def test_a_stream_prints_before_it_ends_and_ends_with_its_reader(kind: str, jobs: str) -> None:
    words = ["forward", "--input-format", kind, "-f", kind, "--jobs", jobs]
    with running(*words) as (process, stdin, stdout):
        feed(stdin, "".join(map(LINES[kind], Z.tolist())))
        for _ in range(len(Z) // 10):
            assert stdout.readline().endswith(b"\n")
        assert process.poll() is None
        stdout.close()
        assert process.wait(30) == 141
        assert process.communicate()[1] == b""


@pytest.mark.parametrize("size", [1, 7, 64])
def test_where_the_pieces_of_a_pipe_end_does_not_matter(size: int) -> None:
    text = '\ufeffid,ä,b\r\n"two\r\nlines",1,2\r\n\r\né,1.25e1,-inf\r\n"q""q",-0,3\r\nlast,5,6'
    content = text.encode()
    expected = run("forward", "-f", "csv", stdin=content)
    assert expected.stdout.count("\n") == 6
    assert run("forward", "-f", "csv", stdin=content, piece=size) == expected


def descendants(pid: int) -> list[int]:
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it ended meanwhile
            children += map(int, task.read_text().split())
    return children + [each for child in children for each in descendants(child)]


def begin_with_workers(process: "subprocess.Popen[bytes]", stdin: IO[bytes]) -> list[int]:
    feed(stdin, "".join(map(LINES["csv"], Z.tolist()))).join(20)
    return list(wait_for(20, partial(descendants, process.pid)))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_lost_workers_cost_time_and_no_data(number: signal.Signals, tmp_path: Path) -> None:
    out = str(tmp_path / "y.csv")
    words = ["forward", "--input-format", "csv", "-o", out, "--jobs", "3"]
    with running(*words) as (process, stdin, _):
        for worker in begin_with_workers(process, stdin):
            with suppress(ProcessLookupError):
                os.kill(worker, number)
        feed(stdin, "".join(map(LINES["csv"], Z.tolist())), close=True)
        assert process.wait(60) == 0
        assert process.stderr
        assert process.stderr.read() == b""
    assert np.loadtxt(out, delimiter=",").tobytes() == softmax(np.concatenate([Z, Z])).tobytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGKILL])
def test_no_worker_outlives_the_program(number: signal.Signals, tmp_path: Path) -> None:
    words = ["forward", "--input-format", "csv", "-o", str(tmp_path / "y.csv"), "--jobs", "3"]
    with running(*words) as (process, stdin, _):
        workers = begin_with_workers(process, stdin)
        process.send_signal(number)
        assert process.wait(10) in (128 + number, -signal.SIGKILL)
        assert process.communicate()[1] == b""
        wait_for(10, lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))
    assert number == signal.SIGKILL or list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_a_large_jacobian_is_the_same_in_every_format(kind: str) -> None:
    z = np.random.default_rng(7).normal(0, 3, (2, 520))
    printed = run("jacobian", "-f", kind, stdin="".join(map(LINES["jsonl"], z.tolist()))).stdout
    found = json.loads(printed)["jacobian"] if kind == "json" else numbers(printed, kind)
    assert np.reshape(found, (2, 520, 520)).tobytes() == jacobian(z).tobytes()


def test_the_first_rows_of_an_enormous_jacobian_come_at_once_and_in_little_memory() -> None:
    # The whole would be 80 GB in memory, and 200 GB printed.
    count = 100_000
    limited = 'ulimit -v 1500000; "$@" jacobian --input-format csv -f csv | head -2 | wc -c -l'
    text = ",".join(str(k % 9) for k in range(count)) + "\n"
    done = run_in_shell(limited, stdin=text, env={"OPENBLAS_NUM_THREADS": "1"})
    lines, characters = map(int, done.stdout.split())
    assert (done.stderr, lines) == ("", 2)
    assert characters > 2 * count * 10
