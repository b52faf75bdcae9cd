"""Start-up of whole processes against bare imports.

``python -m tests.benchmarks.start [rounds]``
"""

import sys

from tests.benchmarks.measure import OURS, compare, python

STARTS = {
    "a table; at most 1.15": ("jacobian 1 2 3", "numpy, typer, rich.console, rich.table"),
    "a machine format; at most 1.15": ("jacobian 1 2 3 -f csv", "numpy, typer"),
    "no numbers; at most 1.2": ("--version", "typer"),
}


def main(rounds: int) -> None:
    for title, (words, modules) in STARTS.items():
        ours, bare = python(OURS, *words.split()), python(f"import {modules}")
        compare(title, {f"softmax-cli {words}": ours, modules: bare}, rounds)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 21)
