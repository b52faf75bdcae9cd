"""Whole processes against their peers: interleaved, medians, ratios, and peak memory."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

OURS = "from softmax_cli.__main__ import main; main()"
REQUIRED_ONLY = f"import sys; sys.modules['orjson'] = None; {OURS}"  # without the extra
ENVIRONMENT = {  # where it is installed: modules are compiled once, and streams buffered
    name: value
    for name, value in os.environ.items()
    if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
}


def python(code: str, *words: str | Path) -> list[str]:
    return [sys.executable, "-c", code, *map(str, words)]


def run(command: list[str]) -> float:
    """Run a command and return its seconds."""
    begin = time.perf_counter()
    with open(os.devnull, "w") as nothing:
        pid = os.posix_spawn(
            command[0],
            command,
            ENVIRONMENT,
            file_actions=[(os.POSIX_SPAWN_DUP2, nothing.fileno(), 1)],
        )
        _, status = os.waitpid(pid, 0)
    if status:
        raise SystemExit(f"failed: {command}")
    return time.perf_counter() - begin


def peaks(command: list[str]) -> tuple[float, float]:
    """Run a command; return the peaks in MB of its main process, and of all together by PSS."""
    with open(os.devnull, "w") as nothing:
        process = subprocess.Popen(command, stdout=nothing, env=ENVIRONMENT)
    main = together = 0.0
    while process.poll() is None:
        main = max(main, _kilobytes(process.pid, "status", "VmHWM:"))
        everyone = [process.pid, *_descendants(process.pid)]
        together = max(together, sum(_kilobytes(pid, "smaps_rollup", "Pss:") for pid in everyone))
        time.sleep(0.005)
    if process.returncode:
        raise SystemExit(f"failed: {command}")
    return main / 1024, together / 1024


def _kilobytes(pid: int, file: str, key: str) -> float:
    try:
        lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
    except OSError:  # it ended
        return 0
    return next((float(line.split()[1]) for line in lines if line.startswith(key)), 0)


def _descendants(pid: int) -> list[int]:
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, file.read_text().split())
    return found + [each for child in found for each in _descendants(child)]


def compare(title: str, commands: Mapping[str, list[str]], rounds: int) -> None:
    """Run all in turn, some rounds, and print medians and the ratios of each to the others."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for command in commands.values():
        run(command)  # into the file cache
    for _ in range(rounds):
        for name, command in commands.items():
            seconds[name].append(run(command))
    median = {name: statistics.median(each) for name, each in seconds.items()}
    print(f"\n{title}")
    for name, value in median.items():
        ratios = "  ".join(f"{value / median[x]:.2f} of {x}" for x in median if x != name)
        spread = f"{min(seconds[name]):.2f}-{max(seconds[name]):.2f}"
        print(f"  {name:32s} {value:6.2f} s ({spread})  {ratios}", flush=True)


INPUTS = """
import sys, numpy as np
path, K, C = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
z = np.random.default_rng(0).normal(0, 3, (K, C))
with open(path + ".csv", "w") as csv, open(path + ".tsv", "w") as tsv:
    with open(path + ".jsonl", "w") as jsonl:
        for row in z.tolist():
            csv.write(",".join(map(repr, row)) + "\\n")
            tsv.write("\\t".join(map(repr, row)) + "\\n")
            jsonl.write(f'{{"logits": {row}}}\\n')
np.save(path + ".npy", z)
"""


def inputs(folder: Path, K: int, C: int) -> Path:
    """Write K x C logits in every format, and return their path without a suffix."""
    path = folder / f"{K}x{C}"
    run(python(INPUTS, path, str(K), str(C)))
    return path


def folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="softmax-benchmark-")
