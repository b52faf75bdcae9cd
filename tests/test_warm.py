"""That the way in which the tests run the program is a user's."""

from pathlib import Path

import pytest

from tests import program, warm
from tests.program import environment, run, run_cold

CANDIDATES = """
import atexit, os, posix, resource, signal, sys, threading, warnings

def state(z):
    main, streams = sys.modules["__main__"], (sys.stdin, sys.stdout, sys.stderr)
    os.umask(mask := os.umask(0))
    print(
        sys.argv, sys.path, sys.flags, sys.warnoptions, warnings.filters,
        main.__name__, main.__file__, sys.getrecursionlimit(), threading.active_count(),
        [each in sys.modules for each in ("polars", "pytest", "tests", "tests.warm")],
        sorted(os.environ.items()), os.getcwd(), mask, os.getpgrp(), os.getsid(0),
        [(s.encoding, s.errors, s.newlines, s.line_buffering, s.write_through) for s in streams],
        [(s.name, s.mode, s.isatty(), os.fstat(s.fileno()).st_mode) for s in streams],
        [each for each in range(100) if os.path.exists(f"/proc/self/fd/{each}")],
        [getattr(signal.getsignal(each), "__qualname__", signal.getsignal(each))
         for each in signal.Signals],
        [resource.getrlimit(each) for each in range(15)],
        sep="\\n", file=sys.stderr,
    )
    return z

def raises(z):
    raise RuntimeError("no")

def leaves(z):
    posix._exit(7)  # which nothing notices

def is_killed(z):
    os.kill(os.getpid(), signal.SIGKILL)

def fails_at_the_end(z):
    def lose():
        sys.stdout = open("/dev/full", "w")
        sys.stdout.write("lost")
    atexit.register(lose)
    return z
"""


@pytest.mark.parametrize(
    ("words", "stdin", "status"),
    [
        ("jacobian 1 2 3", "", 0),
        ("forward -f csv", "id,é\nx,1\n", 0),
        ("forward --help", "", 0),
        ("", "", 2),
        ("forward 1 --formt csv", "", 2),
        ("forward -f csv", b"1,2\n\xff,3\n", 2),
        ("forward \udcff.csv", "", 2),
        ("check 1 2 --step 1", "", 1),
        ("forward 1 -f csv -o /dev/full", "", 3),
        ("check --probabilities mine.py:state -f json", f"1,{2:.99f}\n" * 1000, 1),
        ("check 1,2 --probabilities mine.py:raises", "", 2),
        ("check 1,2 --probabilities mine.py:leaves", "", 7),
        ("check 1,2 --probabilities mine.py:is_killed", "", -9),
        ("check 1,2 --probabilities mine.py:fails_at_the_end", "", 120),
    ],
)
def test_a_fork_with_the_imports_made_is_as_good_as_an_interpreter(
    words: str, stdin: str | bytes, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(program.COLD, raising=False)
    (tmp_path / "mine.py").write_text(CANDIDATES)
    outcome = run(*words.split(), stdin=stdin, cwd=tmp_path)
    assert outcome == run_cold(*words.split(), stdin=stdin, cwd=tmp_path)
    assert outcome.status == status


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "numpy.py").write_text("raise ImportError('no numpy here')\n")
    with pytest.raises(RuntimeError, match="no numpy here"):
        warm.run(["--version"], b"", tmp_path, environment({"PYTHONPATH": str(tmp_path)}))


def test_a_server_ends_with_its_connection() -> None:
    connection, process = warm.start(frozenset(environment({}).items()))
    connection.close()
    assert process.communicate(timeout=20) == (b"", b"")
    assert process.returncode == 0
