"""Print how far from exact the results are, for this program beside other libraries.

    python tests/benchmarks/accuracy.py

Errors are in units of 2^-52 of the exact value (of 2^-1074 where it is below the smallest normal
number), and for vjp of 2^-52 sum_i |y_j y_i (g_j - g_i)| / T. Each figure is the largest over all
results of a family. Exact values: 2400 bits, or for many classes the method of oracle.Large.
"""

import importlib
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special
from numpy.typing import NDArray

from softmax_cli.mathematics import core
from tests import oracle
from tests.families import Family, families
from tests.oracle import errors_in_units

Floats = NDArray[np.float64]
Function = Callable[[Floats, float], Floats]
Pull = Callable[[Floats, Floats, float], Floats]

SAMPLES = 6
MANY = 100_000


def scipy_jacobian(z: Floats, T: float) -> Floats:
    """Return J by its formula, from scipy's softmax."""
    y = scipy.special.softmax(z / T)
    J: Floats = y[:, np.newaxis] * (np.eye(y.size) - y) / T
    return J


def scipy_vjp(z: Floats, g: Floats, T: float) -> Floats:
    """Return y (g - sum y g) from scipy's softmax, the formula of most libraries."""
    y = scipy.special.softmax(z / T)
    v: Floats = y * (g - (y * g).sum()) / T
    return v


LIBRARIES: dict[str, tuple[Function, Function, Function, Function, Pull]] = {
    "ours": (
        lambda z, T: core.softmax(z, temperature=T),
        lambda z, T: core.log_softmax(z, temperature=T),
        lambda z, T: core.complement(z, temperature=T),
        lambda z, T: core.jacobian(z, temperature=T),
        lambda z, g, T: core.vjp(z, g, temperature=T),
    ),
    "scipy": (
        lambda z, T: scipy.special.softmax(z / T),
        lambda z, T: scipy.special.log_softmax(z / T),
        lambda z, T: 1 - scipy.special.softmax(z / T),
        scipy_jacobian,
        scipy_vjp,
    ),
}


def add_torch() -> None:
    """Measure torch too where it is installed; its J and vjp are those of its autograd."""
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        return

    def tensor(z: Floats, T: float) -> Any:
        return torch.from_numpy(z / T)

    def jacobian(z: Floats, T: float) -> Floats:
        soft = lambda x: torch.softmax(x / T, -1)  # noqa: E731
        return np.asarray(torch.autograd.functional.jacobian(soft, torch.from_numpy(z)))

    def vjp(z: Floats, g: Floats, T: float) -> Floats:
        x = torch.from_numpy(z.copy()).requires_grad_()
        torch.softmax(x / T, -1).backward(torch.from_numpy(g))
        return np.asarray(x.grad)

    LIBRARIES["torch"] = (
        lambda z, T: np.asarray(torch.softmax(tensor(z, T), -1)),
        lambda z, T: np.asarray(torch.log_softmax(tensor(z, T), -1)),
        lambda z, T: np.asarray(1 - torch.softmax(tensor(z, T), -1)),
        jacobian,
        vjp,
    )


def upstream(z: Floats, k: int) -> Floats:
    """Return one of several kinds of gradients, by turns."""
    rng = np.random.default_rng(k)
    kinds: list[Floats] = [
        rng.normal(0, 1, z.size),
        (np.arange(z.size) == np.argmin(z)).astype(np.float64),
        (1e16 + 2.0 * rng.integers(-3, 4, z.size)).astype(np.float64),
        np.where(np.arange(z.size) == np.argmax(z), 1e16, rng.normal(0, 1, z.size)),
    ]
    return kinds[k % len(kinds)]


def measure(family: Family, names: list[str]) -> list[float]:
    """Return the largest errors: for each kind of result, that of each library."""
    T = family.temperature
    worst = np.zeros((5, len(names)))
    for k, z in enumerate(family.logits):
        g = upstream(z, k)
        exact = [
            oracle.softmax(z, T),
            oracle.log_softmax(z, T),
            oracle.complement(z, T),
            oracle.jacobian(z, T),
        ]
        v, size = oracle.vjp(z, g, T)
        for column, name in enumerate(names):
            *functions, pull = LIBRARIES[name]
            for row, (function, values) in enumerate(zip(functions, exact, strict=True)):
                error = errors_in_units(function(z, T), values).max()
                worst[row, column] = max(worst[row, column], error)
            error = errors_in_units(pull(z, g, T), v, size).max()
            worst[4, column] = max(worst[4, column], error)
    return list(worst.reshape(-1))


def measure_many(name: str, z: Floats, names: list[str]) -> tuple[str, list[float]]:
    """Return the same for one sample of many classes: three rows of J, a few entries of vjp."""
    large, g = oracle.Large(z), upstream(z, 3)
    at = [int(np.argmax(z)), int(np.argmin(z)), z.size // 2]
    exact = [large.softmax(), large.log_softmax(), large.complement()]
    v, size = large.vjp(g, at)
    worst = np.full((5, len(names)), math.nan)
    for column, library in enumerate(names):
        *functions, _, pull = LIBRARIES[library]
        for row, (function, values) in enumerate(zip(functions, exact, strict=True)):
            worst[row, column] = errors_in_units(function(z, 1.0), values).max()
        worst[4, column] = errors_in_units(pull(z, g, 1.0)[at], v, size).max()
    return name, list(worst.reshape(-1))


def shown(error: float) -> str:
    """Return a figure of at most 7 characters."""
    if math.isnan(error):
        return "-"
    if math.isinf(error):
        return "inf"
    return f"{error:.2f}" if error < 1000 else f"{error:.0e}".replace("e+0", "e").replace("+", "")


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    add_torch()
    names = list(LIBRARIES)
    kinds = {"softmax": 3, "log_softmax": 3, "complement": 3, "J": 6, "vjp": 16}
    width = 9 * len(names)
    print(
        f"{'largest error':34}" + "".join(f"{f'{k} (<= {b})':>{width}}" for k, b in kinds.items())
    )
    print(f"{'in units of 2^-52':34}" + "".join(f"{name[:8]:>9}" for name in names) * len(kinds))
    rows = [(f.name, measure(f, names)) for f in families(SAMPLES, (3, 10))]
    rows += [(f.name, measure(f, names)) for f in families(1, (50,), seed=1) if "C=50" in f.name]
    rng = np.random.default_rng(3)
    rows += [
        measure_many(f"N(0,4), C={MANY}", rng.normal(0, 2, MANY), names),
        measure_many(f"U(0,700), C={MANY}", rng.uniform(0, 700, MANY), names),
        measure_many(f"1e6 + U(-350,350), C={MANY}", 1e6 + rng.uniform(-350, 350, MANY), names),
    ]
    for name, errors in rows:
        print(f"{name:34}" + "".join(f"{shown(error):>9}" for error in errors))
    worst = np.nanmax([errors for _, errors in rows], axis=0)
    print(f"{'largest':34}" + "".join(f"{shown(error):>9}" for error in worst))
    reached = [worst[i * len(names)] <= bound for i, bound in enumerate(kinds.values())]
    marks = zip(kinds, reached, strict=True)
    print("ours: " + ", ".join(f"{k} {'reached' if ok else 'MISSED'}" for k, ok in marks))


if __name__ == "__main__":
    main()
