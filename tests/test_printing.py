"""Printing in other processes: the same text, whatever becomes of them, and nothing left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from softmax_cli import fast_lane
from softmax_cli.process import Process
from softmax_cli.result import Block
from softmax_cli.samples import Batch
from softmax_cli.writing import numbers, processes
from softmax_cli.writing.numbers import print_rows, printed
from softmax_cli.writing.processes import Processes
from tests.program import PROGRAM, environment

VALUES = np.random.default_rng(7).normal(size=(900, 3)) * 10.0 ** np.arange(-300, 300, 200)


def blocks(values: np.ndarray = VALUES) -> Iterator[Block]:
    for k in range(0, len(values), 100):
        part = values[k : k + 100]
        yield Block(Batch(part, k), range(3), part)


@pytest.fixture(autouse=True)
def without_polars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    monkeypatch.setitem(sys.modules, "softmax_cli.polars_rows", None)
    monkeypatch.setattr(numbers, "_WORTH", 0)
    monkeypatch.setattr(processes, "_cores", lambda: 2)
    assert fast_lane.fast_lane(1 << 30) is None


@pytest.mark.parametrize("delimiter", [",", "\t"])
def test_other_processes_print_what_this_one_prints(delimiter: str) -> None:
    others = Processes()
    try:
        finish = [others.print(VALUES[k:], delimiter) for k in range(5)]
        for k, text in enumerate(finish):
            assert text is not None
            assert text() == print_rows(VALUES[k:], delimiter)
    finally:
        others.end()


def test_blocks_come_in_order_with_their_text() -> None:
    found = list(printed(blocks(), ","))
    assert [block.batch.start for block, _ in found] == list(range(0, 900, 100))
    assert "".join(text for _, text in found) == print_rows(VALUES, ",")


@pytest.mark.parametrize("cores", [0, 1, 3])
def test_lost_processes_are_made_up_for(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_cores", lambda: cores)
    start = Process.start

    def doomed(script: ModuleType) -> Process | None:
        process = start(script)
        assert process is not None
        process._process.kill()
        return process

    monkeypatch.setattr(Process, "start", doomed)
    assert "".join(text for _, text in printed(blocks(), ",")) == print_rows(VALUES, ",")


def test_where_no_process_can_be_had_this_one_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert "".join(text for _, text in printed(blocks(), ",")) == print_rows(VALUES, ",")


def test_an_error_comes_behind_all_that_was_before_it() -> None:
    def failing() -> Iterator[Block]:
        yield from blocks()
        raise ValueError("here")

    found = []
    with pytest.raises(ValueError, match="here"):  # noqa: PT012
        for _, text in printed(failing(), ","):
            found.append(text)
    assert "".join(found) == print_rows(VALUES, ",")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_program(number: signal.Signals) -> None:
    code = "import sys; sys.modules['polars'] = None; from softmax_cli.__main__ import main; main()"
    program = subprocess.Popen(
        [PROGRAM[0], "-c", code, "forward", "-f", "csv"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=environment({}),
    )
    assert program.stdin
    assert program.stderr
    program.stdin.write(b"1,2,3\n" * 300_000)
    program.stdin.flush()
    until = time.monotonic() + 30
    while not (children := _children(program.pid)) and len(os.sched_getaffinity(0)) > 1:
        assert time.monotonic() < until
        time.sleep(0.02)
    program.send_signal(number)
    program.wait(10)
    assert program.stderr.read() == b""
    program.stdin.close()
    program.stderr.close()
    while any(Path(f"/proc/{child}/cmdline").exists() for child in children):
        assert time.monotonic() < until
        time.sleep(0.02)


def _children(pid: int) -> list[str]:
    return [
        child
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
