"""Peak memory at two sizes, with the required packages: ``python -m tests.benchmarks.memory``."""

from pathlib import Path

from tests.benchmarks.measure import REQUIRED_ONLY, folder, inputs, python, run

K, C = 200_000, 10
GRADIENT = "1" + ",0" * (C - 1)
COMMANDS = {
    "forward": ["forward"],
    "jacobian --entry": ["jacobian", "--entry", "1,2"],
    "jacobian --vjp": ["jacobian", "--vjp", GRADIENT],
}


def main() -> None:
    print(f"{'peak memory in MB, at most 100':44s}{'1x':>8s}{'4x':>8s}")
    with folder() as name:
        paths = [inputs(Path(name), count, C) for count in (K, 4 * K)]
        for command, words in COMMANDS.items():
            for kind in ("csv", "tsv", "jsonl", "npy"):
                _compare(f"{command:22s}{kind} to {kind}", words, paths, kind)
        paths = [inputs(Path(name), count, 100) for count in (2_500, 10_000)]
        _compare("jacobian, 800 MB; at most 150", ["jacobian"], paths, "npy")


def _compare(title: str, words: list[str], paths: list[Path], kind: str) -> None:
    peaks = [
        run(python(REQUIRED_ONLY, *words, f"{path}.{kind}", "-o", f"{path}.out.{kind}"))[1]
        for path in paths
    ]
    print(f"{title:44s}" + "".join(f"{peak:8.1f}" for peak in peaks), flush=True)


if __name__ == "__main__":
    main()
