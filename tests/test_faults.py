"""Files and streams that are full, closed, slow or somebody else's, and interruptions."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from softmax_cli.app import writing_options
from softmax_cli.errors import InputError, OutputError
from softmax_cli.reading.source import exists, open_stream
from softmax_cli.writing.target import open_target
from tests.program import PROGRAM, Outcome, environment, run


def run_in_shell(script: str, cwd: Path) -> Outcome:
    """Run a script of bash in which "$@" is the program."""
    done = subprocess.run(
        ["bash", "-c", script, "bash", *PROGRAM],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment({}),
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def put(path: Path | str, content: bytes = b"new\n") -> None:
    with open_target(str(path)) as target:
        target.stream.write(content)


@pytest.mark.parametrize(
    "name",
    [
        "x" * 251 + ".csv",
        "é" * 125 + ".csv",
        "猫" * 83 + ".csv",
        "a b.csv",
        "-x.csv",
        "~.csv",
        "a\nb\x1b[31m.csv",
        os.fsdecode(b"\xff\xfe.csv"),
    ],
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for _ in range(2):
        put(path)
        assert path.read_text() == "new\n"
        assert list(tmp_path.iterdir()) == [path]


def test_only_a_dash_alone_is_standard_output() -> None:
    assert writing_options("csv", "-", 6).path is None
    assert writing_options("csv", "./-", 6).path == "./-"


def test_a_symlink_leads_to_the_file_whether_it_exists_or_not(tmp_path: Path) -> None:
    (tmp_path / "first").symlink_to("second")
    (tmp_path / "second").symlink_to("file")
    for _ in range(2):
        put(tmp_path / "first")
        assert (tmp_path / "file").read_text() == "new\n"
        links = [path.name for path in tmp_path.iterdir() if path.is_symlink()]
        assert sorted(links) == ["first", "second"]


def test_a_hard_link_keeps_the_old_content(tmp_path: Path) -> None:
    (tmp_path / "old").write_text("old\n")
    (tmp_path / "new").hardlink_to(tmp_path / "old")
    put(tmp_path / "new")
    assert (tmp_path / "old").read_text() == "old\n"


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("{tmp}/loop", "Too many levels of symbolic links"),
        ("{tmp}/file/out.csv", "Not a directory"),
        ("{tmp}/file/", "Is a directory"),
        ("{tmp}/new/", "Is a directory"),
        ("{tmp}/" + "x" * 300, "File name too long"),
        ("/dev/fd/987654", "it is not open"),
    ],
)
def test_what_is_no_place_for_a_file_is_told_and_left_alone(
    tmp_path: Path, path: str, reason: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("old\n")
    path = path.format(tmp=tmp_path)
    with pytest.raises(OutputError) as error:
        put(path)
    assert str(error.value) == f"error: {path}: cannot be written: {reason}"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "loop"]
    assert (tmp_path / "loop").is_symlink()
    assert (tmp_path / "file").read_text() == "old\n"


def test_a_file_that_may_not_be_written_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old\n")
    monkeypatch.setattr(os, "access", lambda *_: False)  # for root it would be true
    with pytest.raises(OutputError, match="cannot be written: Permission denied"):
        put(path)
    assert path.read_text() == "old\n"


def test_the_owner_of_a_file_is_kept_where_that_is_possible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.csv"
    path.write_text("old\n")
    path.chmod(0o604)
    asked = []
    monkeypatch.setattr(os, "fchown", lambda _, *owner: asked.append(owner))
    put(path)
    assert asked == [(os.getuid(), path.stat().st_gid)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o604

    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    put(path, b"newer\n")
    assert path.read_text() == "newer\n"


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/dev/fd/7", "/proc/self/fd/7"])
def test_a_descriptor_is_written_where_the_shell_left_it(tmp_path: Path, name: str) -> None:
    script = f'{{ echo first; "$@" forward 3 3 -f csv -o {name} 7>&1; echo last; }} >> log'
    (tmp_path / "log").write_text("old\n")
    assert run_in_shell(script, tmp_path) == Outcome(0, "", "")
    assert (tmp_path / "log").read_text() == "old\nfirst\n0.5,0.5\nlast\n"


@pytest.mark.parametrize("words", ["z.csv >> z.csv", "- -f json < z.csv >> z.csv"])
def test_the_file_that_stdout_goes_to_is_no_input(tmp_path: Path, words: str) -> None:
    (tmp_path / "z.csv").write_text("1,2\n")
    outcome = run_in_shell(f'"$@" forward {words}', tmp_path)
    assert outcome.status == 2
    assert "expected an input, found what standard output goes to\nhint: " in outcome.stderr
    assert (tmp_path / "z.csv").read_text() == "1,2\n"


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        ("forward 1 2 -o y.csv <&- >&- 2>&-", 0, ""),
        ("forward z.csv -o y.csv >&- 2>&-", 0, ""),
        ("forward nosuch.csv 2>&-", 2, ""),
        ("forward nosuch.csv 2>/dev/full", 2, ""),
        ("forward - <&-", 2, "error: <stdin>: cannot be read: it is not open\n"),
        ("forward 1 2 >&-", 3, "error: <stdout>: cannot be written: it is not open\n"),
        ("--help >/dev/full", 3, "error: <stdout>: cannot be written: No space left on device\n"),
        ("--help | true; exit ${PIPESTATUS[0]}", 141, ""),
    ],
)
def test_streams_that_are_closed_or_full(
    tmp_path: Path, words: str, status: int, told: str
) -> None:
    (tmp_path / "z.csv").write_text("1,2\n")
    assert run_in_shell(f'"$@" {words}', tmp_path) == Outcome(status, "", told)
    if "y.csv" in words:
        assert (tmp_path / "y.csv").read_text() == run("forward", "1", "2", "-f", "csv").stdout


@pytest.mark.parametrize(
    ("limit", "place"), [(1, "temporary file in {tmp}"), (0, "temporary file")]
)
@pytest.mark.parametrize("output_format", ["npy", "markdown", "latex"])
def test_a_temporary_file_without_room_is_not_told_of_stdout(
    tmp_path: Path, limit: int, place: str, output_format: str
) -> None:
    (tmp_path / "z.csv").write_text("1,2\n" * 1000)
    script = f"ulimit -f {limit}; export PYTHONDONTWRITEBYTECODE=1 TMPDIR=$PWD; "
    outcome = run_in_shell(f'{script} "$@" forward z.csv -f {output_format}', tmp_path)
    assert (outcome.status, outcome.stdout) == (3, "")
    problem, hint = outcome.stderr.splitlines()
    assert problem.startswith(f"error: {place.format(tmp=tmp_path)}: cannot be written: ")
    assert hint == "hint: name a folder with more room in TMPDIR, or the file to write with -o"
    assert [path.name for path in tmp_path.iterdir()] == ["z.csv"]
    full = run_in_shell(f'"$@" forward z.csv -f {output_format} > /dev/full', tmp_path)
    assert full == Outcome(3, "", "error: <stdout>: cannot be written: No space left on device\n")


def test_what_fails_while_it_is_read_is_told_of_the_input() -> None:
    with open_stream("/proc/self/mem") as stream, pytest.raises(InputError) as error:
        stream.read(1)
    assert str(error.value) == "error: /proc/self/mem: cannot be read: Input/output error"


def test_what_may_not_be_looked_at_is_not_said_to_be_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError

    monkeypatch.setattr(Path, "exists", refuse)  # for root it would not
    assert exists("folder/z.csv")


def test_a_file_that_goes_away_before_it_is_read_is_told_of_the_input() -> None:
    with (
        pytest.raises(InputError, match=r"^error: gone\.csv: no such file"),
        open_stream("gone.csv"),
    ):
        pass


@pytest.mark.parametrize("candidate", ["numpy:exp", "f.py:f"])
def test_code_is_not_looked_for_in_a_folder_that_is_gone(tmp_path: Path, candidate: str) -> None:
    script = f'mkdir gone; cd gone; rmdir ../gone; "$@" check 1 2 --probabilities {candidate}'
    outcome = run_in_shell(script, tmp_path)
    problem = "no working folder to find it in: No such file or directory"
    assert outcome == Outcome(2, "", f"error: --probabilities: {problem}\n")


LINE = b"1,2,3\n"
MANY = 40_000


@pytest.mark.parametrize("words", ["-f csv", "-f json", "--input-format json -f csv"])
def test_pipes_that_do_not_block_are_waited_for(words: str) -> None:
    content = LINE * MANY
    if "--input-format json" in words:
        content = b"[" + b"[1,2,3],\n" * (MANY - 1) + b"[1,2,3]]"
    (input_, feed), (drain, output) = os.pipe(), os.pipe()
    os.set_blocking(input_, False)
    os.set_blocking(output, False)
    with subprocess.Popen(
        [*PROGRAM, "forward", *words.split()], stdin=input_, stdout=output, env=environment({})
    ) as process:
        os.close(input_)
        os.close(output)

        def write() -> None:
            time.sleep(0.5)
            with open(feed, "wb") as stream:
                stream.write(content[:100_001])
                stream.flush()
                time.sleep(0.2)
                stream.write(content[100_001:])

        threading.Thread(target=write, daemon=True).start()
        time.sleep(1)
        with open(drain, "rb") as stream:
            found = stream.read()
    assert process.returncode == 0
    assert found.count(b"0.66524095") == MANY


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


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


@pytest.mark.parametrize(
    "numbers",
    [(signal.SIGHUP,), (signal.SIGHUP, signal.SIGTERM), (signal.SIGKILL,)],
    ids=["hang up", "closed terminal", "kill"],
)
def test_an_ended_run_leaves_the_old_file(
    tmp_path: Path, numbers: tuple[signal.Signals, ...]
) -> None:
    out = tmp_path / "y.csv"
    out.write_text("old\n")
    with start("forward", "--input-format", "csv", "-o", str(out)) as process:
        assert process.stdin
        process.stdin.write("1,2\n" * 80_000)
        process.stdin.flush()
        wait_for(lambda: any(path.stat().st_size > 4 for path in tmp_path.iterdir()))
        for number in numbers:
            process.send_signal(number)
        _, told = process.communicate()
    assert told == ""
    assert out.read_text() == "old\n"
    left = [path.name for path in tmp_path.iterdir() if path != out]
    if numbers == (signal.SIGKILL,):
        assert process.returncode == -signal.SIGKILL
        assert [(name[:7], name[-4:]) for name in left] == [(".y.csv.", ".tmp")]
    else:
        assert process.returncode in {128 + number for number in numbers}
        assert left == []


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("count", [80_000, 1_200_000])  # the latter opens the fast lane
def test_a_signal_that_was_ignored_stays_so(
    tmp_path: Path, number: signal.Signals, count: int
) -> None:
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
    assert (process.returncode, rest) == (0, b"0.5,0.5\n" * (count - 1))


def test_an_interruption_does_not_wait_for_a_reader_that_takes_nothing() -> None:
    drain, output = os.pipe()
    words = ["forward", "--input-format", "jsonl", "-f", "jsonl"]
    with start(*words, stdout=output) as process:
        os.close(output)
        assert process.stdin
        process.stdin.write("[1,2,3]\n" * 40_000)
        process.stdin.flush()
        os.read(drain, 1)
        time.sleep(0.5)  # until the pipe is full
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 128 + signal.SIGTERM
        os.close(drain)


@pytest.mark.parametrize(
    ("code", "status", "told"), [("'told'", 1, "told\n"), ("None", 0, ""), ("3", 3, "")]
)
def test_whatever_ends_the_program_python_s_rules_hold(code: str, status: int, told: str) -> None:
    ending = f"import sys, softmax_cli.__main__ as m; m._run = lambda words: sys.exit({code})"
    words = [sys.executable, "-c", f"{ending}; m.main()"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", told)
