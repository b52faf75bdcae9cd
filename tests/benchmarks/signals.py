"""Signals in large numbers: ``python -m tests.benchmarks.signals [random [injected [seed]]]``."""

import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from softmax_cli import pipeline
from softmax_cli.ending import SIGNALS
from softmax_cli.reading.text import Stream
from tests.program import PROGRAM, ROOT, Outcome, environment, run

CODE = "def f(z):\n    import numpy as np\n    e = np.exp(z)\n    return e / e.sum(-1)[:, None]\n"
COMMANDS = (
    "forward", "forward --top 2", "forward --skip-invalid", "jacobian", "jacobian --vjp 1,0,0",
    "jacobian --explain", "check", "check --probabilities f.py:f", "check --sweep",
)  # fmt: skip
INPUTS = ("z.csv", "z.jsonl", "z.json", "z.npy", "z.csv.gz", "-")
OUTPUTS = ("csv", "tsv", "json", "jsonl", "npy", "md", "tex", "txt", "svg", "html", "csv.gz")
_UNHANDLED = 12  # lines before signals are handled


def case(chance: random.Random) -> tuple[list[str], str | None]:
    """Choose a command line, and the file that it writes, or none."""
    command, source = chance.choice(COMMANDS), chance.choice(INPUTS)
    words = [*command.split(), source, "--jobs", chance.choice("12")]
    if "check" in command:
        words = words[:-2]
    if source == "-":
        words += ["--input-format", "csv"]
    if chance.random() < 0.5:
        return [*words, "-f", chance.choice(("csv", "json", "jsonl", "npy", "table"))], None
    out = f"y.{chance.choice(OUTPUTS)}"
    return [*words, "-o", out], out


def write_inputs(folder: Path, count: int) -> None:
    z = np.random.default_rng(1).normal(0, 3, (count, 3))
    (folder / "f.py").write_text(CODE)
    np.save(folder / "z.npy", z)
    rows = z.tolist()
    (folder / "z.csv").write_text("".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in rows))
    (folder / "z.jsonl").write_text("".join(f"{row}\n" for row in rows))
    (folder / "z.json").write_text(f"{rows}")
    subprocess.run(["gzip", "-k", "z.csv"], cwd=folder, check=True)


def struck(words: list[str], out: str | None, folder: Path, number: int, delay: float) -> str:
    """Send a real process a signal after a delay; return what is wrong, or ""."""
    before = {path.name for path in folder.iterdir()}
    with (folder / "z.csv").open("rb") as stdin:
        process = subprocess.Popen(
            [*PROGRAM, *words], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            cwd=folder, env=environment({"PYTHONPATH": str(ROOT)}), start_new_session=True,
        )  # fmt: skip
    time.sleep(delay)
    begin = time.monotonic()
    process.send_signal(number)
    try:
        _, told = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        return "it hangs"
    seconds, status = time.monotonic() - begin, process.returncode
    left = {path.name for path in folder.iterdir()} - before - {out}
    time.sleep(0.1)
    look = ["pgrep", "-r", "R,S,D,T", "-s", str(process.pid)]
    alive = subprocess.run(look, capture_output=True, check=False)
    if (status == -number and not told) or (b"KeyboardInterrupt" in told and b"main()" not in told):
        return ""  # before the first line of ours
    if status in (0, 1, 2) and b"Traceback" not in told:
        return ""  # it was done
    wrong = [f"status {status}"] * (status != 128 + number)
    wrong += [f"it told {told!r:.300}"] * bool(told) + [f"it left {left}"] * bool(left)
    wrong += [f"{seconds:.1f} s"] * (seconds > 1) + ["a process lives"] * bool(alive.stdout)
    return ", ".join(wrong)


def strike(n: int, number: int) -> None:
    """Let this process send itself a signal at its n-th line of ours."""
    process, package, lines = os.getpid(), str(ROOT / "softmax_cli"), itertools.count(1)

    def trace(frame: Any, event: str, argument: object) -> Any:
        if os.getpid() != process or not frame.f_code.co_filename.startswith(package):
            return None
        if event == "line" and next(lines) == n:
            os.kill(process, number)
        return trace

    sys.settrace(trace)


def injected(words: list[str], out: str, folder: Path, n: int, number: int) -> tuple[str, bool]:
    """Strike at the n-th line; return what is wrong, or "", and whether the run ended before."""
    (folder / out).write_text("old\n")
    names = sorted(path.name for path in folder.iterdir())
    outcome = run(*words, "-o", out, cwd=folder, first=partial(strike, n, number))
    is_old = (folder / out).read_bytes() == b"old\n"
    ends = [Outcome(status, "", "") for status in (0, 128 + number, -number)]
    wrong = [f"{outcome}"] * (outcome not in ends)
    wrong += [f"status {outcome.status}, old file {is_old}"] * (is_old == (outcome.status == 0))
    left = sorted(path.name for path in folder.iterdir())
    wrong += [f"it left {left}"] * (left != names)
    return ", ".join(wrong), outcome.status == 0


def main(count: int = 500, count_injected: int = 500, seed: int = 0) -> None:
    chance, wrong = random.Random(seed), 0
    for number in SIGNALS:  # which a shell's & and nohup have ignored
        signal.signal(number, signal.SIG_DFL)

    def report(what: str, found: str) -> None:
        nonlocal wrong
        if found and "error: --" not in found:  # the command has that format
            wrong += 1
            print(f"{what}: {found}", flush=True)

    pipeline.WORTH, Stream.block_size = 0, 64  # of the second: a few lines are many blocks
    for total, rows in ((count, 100_000), (count_injected, 20)):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_inputs(folder, rows)
            for k in range(total):
                (words, out), number = case(chance), chance.choice(SIGNALS)
                told = f"{k} {number.name} {' '.join(words)}"
                if rows > 20:
                    delay = chance.random() * chance.choice((0.3, 1, 3))
                    report(told, struck(words, out, folder, number, delay))
                elif out and "-" not in words:
                    n = int(_UNHANDLED + chance.random() ** 2 * 5_000)
                    report(f"line {n} of {told}", injected(words[:-2], out, folder, n, number)[0])
                for path in folder.glob("y.*"):
                    path.unlink()
        print(f"{total} signals among {rows} rows, {wrong} wrong in all", flush=True)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    from tests.benchmarks import signals  # so that another process finds its functions

    signals.main(*map(int, sys.argv[1:]))
