"""Start-up of whole processes against bare imports.

``python -m tests.benchmarks.start [rounds]``
"""

import sys

from tests.benchmarks.measure import OURS, compare, python


def main(rounds: int) -> None:
    jacobian = ("jacobian", "1", "2", "3")
    compare(
        "a table; at most 1.15",
        {
            "softmax-cli jacobian 1 2 3": python(OURS, *jacobian),
            "numpy, typer, rich": python("import numpy, typer, rich.console, rich.table"),
        },
        rounds,
    )
    compare(
        "a machine format; at most 1.15",
        {
            "softmax-cli jacobian 1 2 3 -f csv": python(OURS, *jacobian, "-f", "csv"),
            "numpy, typer": python("import numpy, typer"),
        },
        rounds,
    )
    compare(
        "no numbers; at most 1.2",
        {
            "softmax-cli --version": python(OURS, "--version"),
            "typer": python("import typer"),
        },
        rounds,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 21)
