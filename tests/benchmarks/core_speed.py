"""Print how fast the mathematics is, as ratios of times taken in the same run.

    python tests/benchmarks/core_speed.py [REPETITIONS]

float64 on one thread. The repetitions of all that is compared are interleaved, so that a
disturbance of the machine meets everyone, and each time is the median.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import scipy.special

from softmax_cli.mathematics.core import complement, jacobian, log_softmax, softmax, vjp

# shape: softmax at most this many times scipy's, and np.exp alone; vjp that many times np.exp
MARKS = {
    (500_000, 10): (0.45, 4.0, 10.0), (50_000, 100): (0.55, 3.0, 7.0),
    (5_000, 1_000): (0.65, 3.0, 7.0), (50, 100_000): (0.75, 3.0, 7.0),
}  # fmt: skip


def medians(functions: dict[str, Callable[[], object]], repetitions: int) -> dict[str, float]:
    """Return the median seconds of each function."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for function in functions.values():
        function()
    for _ in range(repetitions):
        for name, function in functions.items():
            start = time.perf_counter()
            function()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(seconds) for name, seconds in times.items()}


def line(
    shape: tuple[int, ...], name: str, taken: dict[str, float], to: str, mark: float = np.inf
) -> None:
    """Print one ratio, and at most what it may be."""
    ratio = taken[name] / taken[to]
    verdict = "MISSED" if ratio > mark else ""
    print(f"{shape!s:14} {f'{name} / {to}':37}{ratio:>9.2f}{mark:>9.2f} {verdict}")


def main() -> None:
    """Print the table."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    print(f"{f'medians of {repetitions} interleaved repetitions':52}{'ratio':>9}{'at most':>9}")
    rng = np.random.default_rng(0)
    for shape, (scipy_mark, exp_mark, vjp_mark) in MARKS.items():
        z, g, out = rng.normal(0, 2, shape), rng.normal(0, 1, shape), np.empty(shape)
        functions: dict[str, Callable[[], object]] = {
            "np.exp": partial(np.exp, z, out=out),
            "scipy's": partial(scipy.special.softmax, z, axis=-1),
            "softmax": partial(softmax, z),
            "log_softmax": partial(log_softmax, z),
            "complement": partial(complement, z),
            "vjp": partial(vjp, z, g),
        }
        taken = medians(functions, repetitions)
        line(shape, "softmax", taken, "scipy's", scipy_mark)
        line(shape, "softmax", taken, "np.exp", exp_mark)
        line(shape, "vjp", taken, "np.exp", vjp_mark)
        line(shape, "log_softmax", taken, "np.exp")
        line(shape, "complement", taken, "np.exp")

    z = rng.normal(0, 2, (100_000, 10))
    functions = {
        "scipy's": lambda: scipy.special.softmax(z / 0.7, axis=-1),
        "softmax, T = 0.7": lambda: softmax(z, temperature=0.7),
    }
    line(z.shape, "softmax, T = 0.7", medians(functions, repetitions), "scipy's", 1.3)
    logits, eye = rng.normal(0, 2, (10_000, 100)), np.eye(100)
    y = scipy.special.softmax(logits, axis=-1)
    functions = {
        "y (eye - y)": lambda: y[:, :, None] * (eye - y[:, None, :]),
        "jacobian": lambda: jacobian(logits),
    }
    line(y.shape, "jacobian", medians(functions, repetitions), "y (eye - y)", 0.7)
    one = np.array([2.0, 1.0, 0.1])  # all is overhead
    functions = {f.__name__: partial(f, one) for f in (softmax, log_softmax, jacobian)}
    for name, seconds in medians(functions, 100 * repetitions).items():
        print(f"{f'(3,)           {name}, microseconds':52}{1e6 * seconds:>9.0f}")


if __name__ == "__main__":
    main()
