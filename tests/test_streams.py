"""Streams: output while the input goes on, and every way that it can end."""

import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import pytest

from tests.program import PROGRAM, environment, run

LINES: dict[str, Callable[[int], str]] = {
    "csv": lambda k: f"{k % 7},0,{k}.5\n",
    "tsv": lambda k: f"{k % 7}\t0\t{k}.5\n",
    "jsonl": lambda k: json.dumps([k % 7, 0, k + 0.5]) + "\n",
}

# The last is large enough to open the fast lane.
STREAMS = [("jsonl", 60_000), ("tsv", 60_000), ("csv", 60_000), ("csv", 450_000)]


@contextmanager
def running(*words: str) -> Iterator[tuple["subprocess.Popen[str]", IO[str], IO[str]]]:
    process = subprocess.Popen(
        [*PROGRAM, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment({}),
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        yield process, process.stdin, process.stdout
    finally:
        process.kill()
        process.communicate()


def feed(stdin: IO[str], text: str) -> None:
    """Write in a thread, since the program may print before it has read all; keep it open."""

    def write() -> None:
        with suppress(OSError, ValueError):
            stdin.write(text)
            stdin.flush()

    threading.Thread(target=write, daemon=True).start()


@pytest.mark.parametrize(("kind", "count"), STREAMS)
def test_output_comes_while_the_input_stays_open(kind: str, count: int) -> None:
    with running("forward", "--input-format", kind, "-f", kind) as (process, stdin, stdout):
        feed(stdin, "".join(map(LINES[kind], range(count))))
        for _ in range(count // 10):
            assert stdout.readline().endswith("\n")
        assert process.poll() is None


@pytest.mark.parametrize("count", [60_000, 450_000])
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interruption_amid_a_silent_stream_is_silent(
    count: int, number: signal.Signals, status: int, tmp_path: Path
) -> None:
    out = tmp_path / "y.csv"
    with running("forward", "--input-format", "csv", "-o", str(out)) as (process, stdin, _):
        feed(stdin, "".join(map(LINES["csv"], range(count))))
        until = time.monotonic() + 60
        while not any(path.stat().st_size > 1 << 18 for path in tmp_path.iterdir()):
            assert time.monotonic() < until
            time.sleep(0.05)
        time.sleep(0.2)
        process.send_signal(number)
        assert process.wait(20) == status
        assert process.stderr
        assert process.stderr.read() == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("kind", "count"), STREAMS)
def test_a_reader_that_goes_away_ends_a_stream_silently(kind: str, count: int) -> None:
    with running("forward", "--input-format", kind, "-f", kind) as (process, stdin, stdout):
        feed(stdin, "".join(map(LINES[kind], range(count))))
        stdout.readline()
        stdout.close()
        assert process.wait(30) == 141
        assert process.stderr
        assert process.stderr.read() == ""


@pytest.mark.parametrize(("kind", "count"), STREAMS)
def test_a_bad_line_ends_a_stream_with_its_place_and_what_was_printed(
    kind: str, count: int, tmp_path: Path
) -> None:
    bad = "[1,2,x]\n" if kind == "jsonl" else "1,2,x\n".replace(",", "\t" if kind == "tsv" else ",")
    path = tmp_path / f"z.{kind}"
    path.write_text("".join(map(LINES[kind], range(count))) + bad + LINES[kind](0))
    outcome = run("forward", str(path), "-f", kind)
    printed = len(outcome.stdout.splitlines())
    assert outcome.status == 2
    assert 0 < printed <= count
    assert outcome.stderr.startswith(f"error: {path}:{count + 1}:")
    assert f"({printed} samples printed before it)" in outcome.stderr
    outcome = run("forward", str(path), "-o", str(tmp_path / f"y.{kind}"))
    assert outcome.status == 2
    assert "printed before" not in outcome.stderr
    assert list(tmp_path.iterdir()) == [path]
