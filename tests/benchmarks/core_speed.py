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

import numpy as np
import scipy.special

from softmax_cli.mathematics.core import complement, jacobian, log_softmax, softmax, vjp

# shape: softmax at most this many times scipy's, and np.exp alone; vjp that many times np.exp
MARKS = {
    (500_000, 10): (0.45, 4.0, 10.0),
    (50_000, 100): (0.55, 3.0, 7.0),
    (5_000, 1_000): (0.65, 3.0, 7.0),
    (50, 100_000): (0.75, 3.0, 7.0),
}
FAR_MARK = 1.3
JACOBIAN_MARK = 0.7


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


def line(what: str, ratio: float, mark: float | None = None) -> None:
    """Print one ratio with its mark."""
    verdict = "" if mark is None else f"{mark:>9.2f}   {'reached' if ratio <= mark else 'MISSED'}"
    print(f"{what:52}{ratio:>9.2f}{verdict}")


def compare_softmax(K: int, C: int, repetitions: int) -> None:
    """Print the ratios for one shape."""
    rng = np.random.default_rng(0)
    z, g = rng.normal(0, 2, (K, C)), rng.normal(0, 1, (K, C))
    out = np.empty_like(z)
    taken = medians(
        {
            "exp": lambda: np.exp(z, out=out),
            "exp_fresh": lambda: np.exp(z),  # no function that returns an array takes less
            "scipy": lambda: scipy.special.softmax(z, axis=-1),
            "softmax": lambda: softmax(z),
            "log_softmax": lambda: log_softmax(z),
            "complement": lambda: complement(z),
            "vjp": lambda: vjp(z, g),
        },
        repetitions,
    )
    scipy_mark, exp_mark, vjp_mark = MARKS[K, C]
    shape = f"({K}, {C})"
    line(f"{shape:14} softmax / scipy's", taken["softmax"] / taken["scipy"], scipy_mark)
    line(f"{shape:14} np.exp, fresh array / np.exp", taken["exp_fresh"] / taken["exp"])
    line(f"{shape:14} softmax / np.exp", taken["softmax"] / taken["exp"], exp_mark)
    line(f"{shape:14} vjp / np.exp", taken["vjp"] / taken["exp"], vjp_mark)
    for name in ("log_softmax", "complement"):
        line(f"{shape:14} {name} / np.exp", taken[name] / taken["exp"])


def compare_far(repetitions: int) -> None:
    """Print the ratio at a temperature that is no power of two."""
    z = np.random.default_rng(0).normal(0, 2, (100_000, 10))
    taken = medians(
        {
            "scipy": lambda: scipy.special.softmax(z / 0.7, axis=-1),
            "softmax": lambda: softmax(z, temperature=0.7),
        },
        repetitions,
    )
    line("(100000, 10)   T = 0.7: softmax / scipy's", taken["softmax"] / taken["scipy"], FAR_MARK)


def compare_jacobian(repetitions: int) -> None:
    """Print the ratio to the formula that a user would write."""
    z = np.random.default_rng(0).normal(0, 2, (10_000, 100))
    y, eye = scipy.special.softmax(z, axis=-1), np.eye(100)
    taken = medians(
        {
            "formula": lambda: y[:, :, None] * (eye - y[:, None, :]),
            "jacobian": lambda: jacobian(z),
        },
        repetitions,
    )
    ratio = taken["jacobian"] / taken["formula"]
    line("(10000, 100)   jacobian / y (eye - y), given y", ratio, JACOBIAN_MARK)


def show_overhead(repetitions: int) -> None:
    """Print the time for one sample of three logits: all of it is overhead."""
    z = np.array([2.0, 1.0, 0.1])
    functions: dict[str, Callable[[], object]] = {
        "softmax": lambda: softmax(z),
        "log_softmax": lambda: log_softmax(z),
        "jacobian": lambda: jacobian(z),
        "vjp": lambda: vjp(z, z),
    }
    for name, seconds in medians(functions, 100 * repetitions).items():
        print(f"{f'(3,)           {name}, microseconds':52}{1e6 * seconds:>9.0f}")


def main() -> None:
    """Print the table."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 11
    title = f"medians of {repetitions} interleaved repetitions"
    print(f"{title:52}{'ratio':>9}{'at most':>9}")
    for K, C in MARKS:
        compare_softmax(K, C, repetitions)
    compare_far(repetitions)
    compare_jacobian(max(3, repetitions // 2))
    show_overhead(repetitions)


if __name__ == "__main__":
    main()
