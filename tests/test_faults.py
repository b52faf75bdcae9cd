"""Files and streams that are full, closed, slow or somebody else's, and interruptions."""

import os
import re
import signal
import stat
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from threading import Thread

import pytest

from softmax_cli.ending import SIGNALS
from tests.benchmarks.signals import injected, write_inputs
from tests.program import PROGRAM, Outcome, environment, run, run_in_shell, wait_for

HALVES = "0.5,0.5\n"
FULL = "error: <stdout>: cannot be written: No space left on device\n"
NOT_OPEN = "error: <stdout>: cannot be written: it is not open\n"


def write_halves(path: Path | str, cwd: Path | None = None) -> Outcome:
    return run("forward", "3", "3", "-f", "csv", "-o", str(path), cwd=cwd)


@pytest.mark.parametrize(
    "name",
    ["x" * 251 + ".csv", "猫" * 83 + ".csv", "a b.csv", "./-x.csv", "./-", "~.csv",
     "a\nb\x1b[31m.csv", os.fsdecode(b"\xff\xfe.csv")],
)  # fmt: skip
def test_a_file_may_have_any_name_and_may_exist(tmp_path: Path, name: str) -> None:
    for _ in range(2):
        assert write_halves(name, cwd=tmp_path) == Outcome(0, "", "")
        assert [path.read_text() for path in tmp_path.iterdir()] == [HALVES]


def test_links_lead_to_the_file_and_its_mode_stays(tmp_path: Path) -> None:
    (tmp_path / "first").symlink_to("second")
    (tmp_path / "second").symlink_to("file")
    for mode in (0o640, 0o604):
        write_halves(tmp_path / "first")
        assert (tmp_path / "file").read_text() == HALVES
        links = [path.name for path in tmp_path.iterdir() if path.is_symlink()]
        assert sorted(links) == ["first", "second"]
        assert mode == 0o640 or stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
        (tmp_path / "file").chmod(mode)
    (tmp_path / "old").write_text("old\n")
    (tmp_path / "new").hardlink_to(tmp_path / "old")
    write_halves(tmp_path / "new")
    assert (tmp_path / "old").read_text() == "old\n"  # what has another name too


def test_a_new_file_has_the_mode_the_umask_gives(tmp_path: Path) -> None:
    run_in_shell('umask 027; "$@" forward 1 2 -o y.csv', tmp_path)
    assert stat.S_IMODE((tmp_path / "y.csv").stat().st_mode) == 0o640


@pytest.mark.parametrize("output_format", ["csv", "npy"])
@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/dev/full", "No space left on device"), ("{tmp}", "Is a directory"),
        ("{tmp}/missing/out.csv", "No such file or directory"),
        ("{tmp}/loop", "Too many levels of symbolic links"),
        ("{tmp}/file/out.csv", "Not a directory"), ("{tmp}/new/", "Is a directory"),
        ("{tmp}/" + "x" * 300, "File name too long"), ("/dev/fd/987654", "it is not open"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_status_3_and_left_alone(
    tmp_path: Path, path: str, reason: str, output_format: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("old\n")
    path = path.format(tmp=tmp_path)
    outcome = run("forward", "1", "2", "-f", output_format, "-o", path)
    assert outcome == Outcome(3, "", f"error: {path}: cannot be written: {reason}\n")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "loop"]
    assert (tmp_path / "file").read_text() == "old\n"


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/7", "/proc/self/fd/7", "-", "log", "to"])
def test_a_descriptor_is_written_where_the_shell_left_it(tmp_path: Path, name: str) -> None:
    script = f'{{ echo first; "$@" forward 3 3 -f csv -o {name} 7>&1; echo last; }} >> log'
    (tmp_path / "log").write_text("old\n")
    (tmp_path / "to").symlink_to("/dev/stdout")
    assert run_in_shell(script, tmp_path) == Outcome(0, "", "")
    assert (tmp_path / "log").read_text() == f"old\nfirst\n{HALVES}last\n"


def test_what_is_no_regular_file_is_written_through(tmp_path: Path) -> None:
    script = 'mkfifo y.csv; cat y.csv & "$@" forward 3 3 -o y.csv; wait; [ -p y.csv ]'
    assert run_in_shell(script, tmp_path) == Outcome(0, HALVES, "")


@pytest.mark.parametrize("words", ["z.csv >> z.csv", "- -f json < z.csv >> z.csv"])
def test_the_file_that_stdout_goes_to_is_no_input(tmp_path: Path, words: str) -> None:
    (tmp_path / "z.csv").write_text("1,2\n")
    outcome = run_in_shell(f'"$@" forward {words}', tmp_path)
    assert outcome.status == 2
    assert "standard output" in outcome.stderr
    assert (tmp_path / "z.csv").read_text() == "1,2\n"


def test_the_output_may_be_the_input(tmp_path: Path) -> None:
    path = tmp_path / "z.csv"
    path.write_text("3,3\n" * 100_000)
    assert run("forward", str(path), "-o", str(path)).status == 0
    assert path.read_text() == HALVES * 100_000


def test_an_old_file_stays_untouched_when_the_input_is_bad(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old\n")
    outcome = run("forward", "-o", str(path), stdin="1,2\n" * 30_000 + "1,x\n")
    assert outcome.status == 2
    assert "printed before" not in outcome.stderr
    assert path.read_text() == "old\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ("forward 3 3 -o y.csv <&- >&- 2>&-", 0, ""), ("forward z.csv -o y.csv >&- 2>&-", 0, ""),
        ("forward nosuch.csv 2>&-", 2, ""), ("forward nosuch.csv 2>/dev/full", 2, ""),
        ("check 1 2 --step 1 -q >&- 2>&-", 1, ""), ("--version >&-", 3, NOT_OPEN),
        ("forward 0>>out", 2, "error: <stdin>: cannot be read: it is not open\n"),
        ("forward z.csv -f csv -o /dev/stdout >&-", 3, NOT_OPEN.replace("<stdout>", "/dev/stdout")),
        ("forward - <&-", 2, "error: <stdin>: cannot be read: it is not open\n"),
        ("forward /proc/self/mem --input-format csv", 2,
         "error: /proc/self/mem: cannot be read: Input/output error\n"),
        ("forward 3 3 >&-", 3, NOT_OPEN), ("forward 3 3 -f json >&-", 3, NOT_OPEN),
        ("forward 3 3 >/dev/full", 3, FULL), ("forward 3 3 -f csv >/dev/full", 3, FULL),
        ("forward 3 3 -f npy >/dev/full", 3, FULL), ("--help >/dev/full", 3, FULL),
        ('help | true; env --block-signal=PIPE "$@" -h | true; exit ${PIPESTATUS[0]}', 141, ""),
        ("jacobian -f csv < many | head -1 >/dev/null; exit ${PIPESTATUS[0]}", 141, ""),
    ],
)  # fmt: skip
def test_closed_and_full_streams(tmp_path: Path, words: str, status: int, told: str) -> None:
    (tmp_path / "z.csv").write_text("3,3\n")
    if "many" in words:
        (tmp_path / "many").write_text("1,2\n" * 99_999)
    assert run_in_shell(f'"$@" {words}', tmp_path) == Outcome(status, "", told)
    if "y.csv" in words:
        assert (tmp_path / "y.csv").read_text() == HALVES


@pytest.mark.parametrize(
    ("word", "said"),
    [("f.py:f", "'f.py' cannot be read: "), ("time:sleep", "the candidate raised TypeError")],
)
def test_code_is_run_from_a_folder_that_is_gone(word: str, said: str, tmp_path: Path) -> None:
    script = f'mkdir gone; cd gone; rmdir ../gone; "$@" check 1 2 --probabilities {word}'
    outcome = run_in_shell(script, tmp_path)
    assert (outcome.status, outcome.stdout, said in outcome.stderr) == (2, "", True), outcome


def start(*words: str, stdout: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*PROGRAM, *words],
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=environment({}),
        start_new_session=True,
    )


@pytest.mark.parametrize("jobs", ["1", "3"])
@pytest.mark.parametrize(
    ("numbers", "statuses"),
    [
        ([signal.SIGINT], {130}), ([signal.SIGTERM], {143}), ([signal.SIGHUP], {129}),
        ([signal.SIGHUP, signal.SIGTERM], {129, 143}),  # as a closed terminal sends them
        ([signal.SIGKILL], {-9}),
    ],
)  # fmt: skip
def test_an_ended_run_is_silent_and_leaves_the_old_file(
    tmp_path: Path, numbers: list[signal.Signals], statuses: set[int], jobs: str
) -> None:
    out = tmp_path / "y.csv"
    out.write_text("old\n")
    with start("forward", "--input-format", "csv", "-o", str(out), "--jobs", jobs) as process:
        assert process.stdin
        process.stdin.write("1,2\n" * 800_000)
        process.stdin.flush()
        wait_for(30, lambda: any(path.stat().st_size > 4 for path in tmp_path.iterdir()))
        for number in numbers:
            process.send_signal(number)
        _, told = process.communicate(timeout=20)
    assert told == ""
    assert process.returncode in statuses
    assert out.read_text() == "old\n"
    left = [path.name for path in tmp_path.iterdir() if path != out]
    assert left == [] or (numbers == [signal.SIGKILL] and left[0].endswith(".tmp"))


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_signal_at_any_line_ends_a_run_that_leaves_nothing(
    tmp_path: Path, jobs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("softmax_cli.pipeline.WORTH", 0)
    monkeypatch.setattr("softmax_cli.reading.text.Stream.block_size", 64)
    write_inputs(tmp_path, 20)
    words = ["forward", "z.csv", "--jobs", jobs]
    lines = range(20 + int(jobs), 4600, 457)
    ends = [injected(words, "y.csv", tmp_path, n, SIGNALS[n % 3]) for n in lines]
    assert {wrong for wrong, _ in ends} == {""}
    assert not all(is_done for _, is_done in ends)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
def test_a_signal_that_was_ignored_stays_so(tmp_path: Path, number: signal.Signals) -> None:
    count = 150_000
    (tmp_path / "z.csv").write_text("3,3\n" * count)
    script = f"import os, signal, sys; signal.signal({number:d}, signal.SIG_IGN); "
    script += "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    with subprocess.Popen(
        [sys.executable, "-c", script, *PROGRAM[1:], "forward", tmp_path / "z.csv", "-f", "csv"],
        stdout=subprocess.PIPE,
        env=environment({}),
    ) as process:
        assert process.stdout
        process.stdout.readline()  # so that it has seen to its signals, and waits for us
        rest = b""
        while part := process.stdout.read(1 << 18):
            process.send_signal(number)
            rest += part
    assert (process.returncode, rest) == (0, HALVES.encode() * (count - 1))


def test_an_interruption_does_not_wait_for_a_reader_that_takes_nothing() -> None:
    drain, output = os.pipe()
    with start("forward", "--input-format", "jsonl", "-f", "jsonl", stdout=output) as process:
        os.close(output)
        assert process.stdin
        feed = partial(os.write, process.stdin.fileno(), b"[1,2,3]\n" * 40_000)
        Thread(target=feed, daemon=True).start()
        os.read(drain, 1)
        time.sleep(0.5)  # until the pipe is full
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
        os.close(drain)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_full_disk_and_a_line_that_is_none_tell_what_came(tmp_path: Path, jobs: str) -> None:
    (tmp_path / "z.csv").write_text("3,3\n" * 400_000)
    limited = f'ulimit -f 1700; trap "" XFSZ; "$@" forward z.csv -f csv --jobs {jobs} > y'
    outcome = run_in_shell(limited, tmp_path)
    assert (outcome.status, outcome.stdout) == (3, "")
    printed = int(re.findall(r"File too large \((\d+) samples printed before", outcome.stderr)[0])
    assert 0 <= (tmp_path / "y").read_bytes().count(b"\n") - printed < 300_000


def test_text_that_shrinks_is_no_success(tmp_path: Path) -> None:
    path = tmp_path / "z.csv"
    path.write_text("3,3\n" * 2_000_000)
    with start("forward", str(path), "-f", "csv", stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        os.truncate(path, 4_000_000)
        n = 1 + process.stdout.read().count("\n")
        assert process.stderr
        assert f"cut while it was read ({n} samples printed before it)" in process.stderr.read()
    assert process.returncode == 2
