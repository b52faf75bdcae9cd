"""Peak memory at two sizes, main process and all: ``python -m tests.benchmarks.memory``."""

from pathlib import Path

from tests.benchmarks.measure import OURS, folder, inputs, peaks, python

K, C = 200_000, 10
COMMANDS = {
    "forward": ["forward"],
    "jacobian --entry": ["jacobian", "--entry", "1,2"],
    "jacobian --vjp": ["jacobian", "--vjp", "1" + ",0" * (C - 1)],
}


def main() -> None:
    title = "peak memory in MB; main process at most 100"
    print(f"{title:44s}{'1x main':>8s}{'1x all':>9s}{'4x main':>8s}{'4x all':>9s}")
    with folder() as name:
        paths = [inputs(Path(name), count, C) for count in (K, 4 * K)]
        for command, words in COMMANDS.items():
            for kind in ("csv", "tsv", "jsonl", "npy"):
                _compare(f"{command:22s}{kind} to {kind}", words, paths, kind)
        paths = [inputs(Path(name), count, 100) for count in (2_500, 10_000)]
        _compare("jacobian, 800 MB; at most 150", ["jacobian"], paths, "npy")


def _compare(title: str, words: list[str], paths: list[Path], kind: str) -> None:
    files = ((f"{path}.{kind}", "-o", f"{path}.out.{kind}") for path in paths)
    found = (peaks(python(OURS, *words, *each)) for each in files)
    cells = [f"{main:8.1f} {together:8.1f}" for main, together in found]
    print(f"{title:44s}" + "".join(cells), flush=True)


if __name__ == "__main__":
    main()
