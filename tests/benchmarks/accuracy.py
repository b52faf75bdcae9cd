"""Print how far from exact the results are, for this program beside scipy and the textbook.

    python -m tests.benchmarks.accuracy

Errors are in units of 2^-52 of the exact value (for vjp, of sum_i |y_j y_i (g_j - g_i)| / T). Each
figure is the largest of a family of random logits, and in the end the worst that climbers found.
"""

import numpy as np
import scipy.special
from numpy.typing import NDArray

from softmax_cli.mathematics import core
from tests.families import families
from tests.oracle import EXACT, Oracle, errors_in_units
from tests.test_core import PATHS, PROMISES, climb

Floats = NDArray[np.float64]

QUANTITIES = ("softmax", "log_softmax", "1 - y", "J", "vjp")


def ours(z: Floats, g: Floats, T: float) -> list[Floats]:
    """Return the five quantities."""
    functions = (core.softmax, core.log_softmax, core.complement, core.jacobian)
    return [*(f(z, temperature=T) for f in functions), core.vjp(z, g, temperature=T)]


def textbook(z: Floats, g: Floats, T: float) -> list[Floats]:
    """Return the five quantities from scipy and the formulas of most libraries."""
    y, log_y = (f(z / T, axis=-1) for f in (scipy.special.softmax, scipy.special.log_softmax))
    J = y[..., :, None] * (np.eye(z.shape[-1]) - y[..., None, :]) / T
    return [y, log_y, 1 - y, J, y * (g - (y * g).sum(axis=-1, keepdims=True)) / T]


def main() -> None:
    """Print the tables."""
    np.seterr(all="ignore")
    print(f"{'':34}" + "".join(f"{name:>22}" for name in QUANTITIES))
    print(f"{'':34}" + f"{'ours':>11}{'scipy':>11}" * len(QUANTITIES))
    for family in families(6, (3, 10)):
        z, T = family.logits, family.temperature
        g = np.random.default_rng(0).normal(size=z.shape)
        oracle = Oracle(z, T)
        v, size = oracle.vjp(g)
        exact = [oracle.softmax(), oracle.log_softmax(), oracle.complement(), oracle.jacobian(), v]
        line = f"{family.name:34}"
        for results in zip(exact, ours(z, g, T), textbook(z, g, T), strict=True):
            scale = size if results[0] is v else None
            errors = [errors_in_units(found, results[0], scale).max() for found in results[1:]]
            line += "".join(f"{error:>11.3g}" for error in errors)
        print(line)
    print(f"\n{'found by climbing':34}" + "".join(f"{f'C = {C}':>11}" for C in (3, 10, 24, 100)))
    for name, (errors_of, bound, power) in PROMISES.items():
        for path, (T, _) in PATHS.items():
            line = f"{f'{name}, {path}, at most {bound:g}':34}"
            for C in (3, 10, 24, 100):
                worst = climb(errors_of, C, path, K=max(4, 4000 // C**power), steps=300)
                line += f"{errors_of(*worst, T, EXACT).max():>11.2f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
