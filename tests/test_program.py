"""That a fork with the imports made, in which most tests run the program, is a user's program."""

from pathlib import Path

import pytest

from tests.program import COLD, run, run_cold, run_in_terminal

MINE = """
import os, signal, sys, warnings

def state(z):
    streams = (sys.stdin, sys.stdout, sys.stderr)
    print(
        [word for word in sys.argv[1:]], os.getcwd(), sorted(os.environ),
        sys.modules["__main__"].__name__.startswith("pytest"), warnings.filters[-1][0],
        [(s.encoding, s.errors, s.line_buffering, s.fileno(), s.isatty()) for s in streams],
        [getattr(signal.getsignal(each), "__qualname__", signal.getsignal(each))
         for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)],
        sep="\\n", file=sys.stderr,
    )
    return z

def raises(z):
    warnings.warn("first")
    raise RuntimeError("no")

def leaves(z):
    os._exit(7)

def is_killed(z):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("words", "stdin"),
    [
        ("", ""),
        ("jacobian 1 2 3", ""),
        ("forward --help", ""),
        ("forward -f csv", "id,é\nx,1\n"),
        ("forward -f csv", b"1,2\n\xff,3\n"),
        ("forward \udcff.csv", ""),
        ("forward 1 --formt csv", ""),
        ("forward 1 -f csv -o /dev/full", ""),
        ("check 1 2 --step 1", ""),
        ("check --probabilities mine.py:state -f json", "1,2.5\n" * 5_000),
        ("check 1,2 --probabilities mine.py:raises", ""),
        ("check 1,2 --probabilities mine.py:leaves", ""),
        ("check 1,2 --probabilities mine.py:is_killed", ""),
    ],
)
def test_a_fork_is_as_good_as_an_interpreter(
    words: str, stdin: str | bytes, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(MINE)
    fork, interpreter = (
        each(*words.split(), stdin=stdin, cwd=tmp_path) for each in (run, run_cold)
    )
    assert fork == interpreter


@pytest.mark.parametrize("env", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("words", ["jacobian 1 2 3", "check --help", "forward --formt"])
def test_a_fork_in_a_terminal_is_too(
    words: str, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fork = run_in_terminal(*words.split(), env=env, columns=60)
    monkeypatch.setenv(COLD, "1")
    assert fork == run_in_terminal(*words.split(), env=env, columns=60)
