"""Signals at random lines of random runs: ``python -m tests.benchmarks.signals [count [seed]]``."""

import itertools
import os
import random
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from softmax_cli import pipeline
from softmax_cli.ending import SIGNALS
from softmax_cli.reading.text import Stream
from tests.program import ROOT, Outcome, run

CODE = "def f(z):\n    import numpy as np\n    e = np.exp(z)\n    return e / e.sum(-1)[:, None]\n"
COMMANDS = (
    "forward", "forward --top 2", "forward --skip-invalid", "jacobian", "jacobian --vjp 1,0,0",
    "jacobian --explain", "check", "check --probabilities f.py:f", "check --sweep",
)  # fmt: skip
INPUTS = ("z.csv", "z.jsonl", "z.json", "z.npy", "z.csv.gz")
OUTPUTS = ("csv", "tsv", "json", "jsonl", "npy", "md", "tex", "txt", "svg", "html", "csv.gz")
_UNHANDLED = 12  # lines before signals are handled


def write_inputs(folder: Path, count: int) -> None:
    z = np.random.default_rng(1).normal(0, 3, (count, 3))
    (folder / "f.py").write_text(CODE)
    np.save(folder / "z.npy", z)
    rows = z.tolist()
    (folder / "z.csv").write_text("".join(f"{a!r},{b!r},{c!r}\n" for a, b, c in rows))
    (folder / "z.jsonl").write_text("".join(f"{row}\n" for row in rows))
    (folder / "z.json").write_text(f"{rows}")
    subprocess.run(["gzip", "-k", "z.csv"], cwd=folder, check=True)


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
    wrong = [f"{outcome}"] * (outcome not in (Outcome(0, "", ""), Outcome(128 + number, "", "")))
    wrong += [f"status {outcome.status}, old file {is_old}"] * (is_old == (outcome.status == 0))
    left = sorted(path.name for path in folder.iterdir())
    wrong += [f"it left {left}"] * (left != names)
    return ", ".join(wrong), outcome.status == 0


def main(count: int = 500, seed: int = 0) -> None:
    chance, wrong = random.Random(seed), 0
    pipeline.WORTH, Stream.block_size = 0, 64  # a few lines are many blocks
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(folder, 20)
        for _ in range(count):
            words = [*chance.choice(COMMANDS).split(), chance.choice(INPUTS)]
            words += ["--jobs", chance.choice("12")] if words[0] != "check" else []
            number, n = chance.choice(SIGNALS), int(_UNHANDLED + chance.random() ** 2 * 5_000)
            out = f"y.{chance.choice(OUTPUTS)}"
            found, _ = injected(words, out, folder, n, number)
            (folder / out).unlink()
            if found and "error: --" not in found:  # the command has that format
                wrong += 1
                print(f"line {n} of {' '.join(words)} -o {out}, {number.name}: {found}", flush=True)
    print(f"{count} signals, {wrong} wrong")
    sys.exit(wrong > 0)


if __name__ == "__main__":
    from tests.benchmarks import signals  # so that another process finds its functions

    signals.main(*map(int, sys.argv[1:]))
