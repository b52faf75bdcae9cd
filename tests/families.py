"""The families of logits that accuracy is tested and measured on."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """Samples of one kind: logits of shape (K, C), with the temperature to be used."""

    name: str
    logits: Floats
    temperature: float = 1.0


def families(K: int, sizes: tuple[int, ...], seed: int = 0) -> Iterator[Family]:
    """Yield every family with K random samples (hand-picked ones stand as they are)."""
    rng = np.random.default_rng(seed)
    for C in sizes:
        shape = (K, C)
        normal = rng.normal(0, 2, shape)
        wide = rng.uniform(-350, 350, shape)
        yield Family(f"N(0,4), C={C}", normal)
        yield Family(f"U(-350,350), C={C}", wide)
        yield Family(f"U(0,700), C={C}", rng.uniform(0, 700, shape))
        yield Family(f"1e6 + N(0,4), C={C}", 1e6 + normal)
        yield Family(f"3400 + U(-900,900), C={C}", 3400 + rng.uniform(-900, 900, shape))
        yield Family(f"1e300 + ulps, C={C}", 1e300 + np.spacing(1e300) * rng.integers(0, 3, shape))
        yield Family(f"tied maxima, C={C}", np.round(normal))
        yield Family(f"masks, C={C}", _masked(rng, normal))
        for T in (1e-3, 0.1, 0.3, 3.0, 1e6):
            yield Family(f"N(0,4), T={T:g}, C={C}", normal, T)
            yield Family(f"masks, T={T:g}, C={C}", _masked(rng, normal), T)
            yield Family(f"U(-350,350) T, T={T:g}, C={C}", wide * T, T)
            yield Family(f"near underflow, T={T:g}, C={C}", _sinking(rng, shape) * T, T)
        if C > 1:
            yield Family(f"one dominates, C={C}", _dominated(rng, shape))
            yield Family(f"subnormal results, C={C}", _sinking(rng, shape))
    yield Family("+-8e307", np.array([[8e307, -8e307, 8e307]]))
    yield Family("1.7e308 twice", np.array([[1.7e308, 1.7e308, 0.0]]))
    yield Family("+-1.7e308", np.array([[1.7e308, -1.7e308], [-1.7e308, 1.7e308]]))
    yield Family("+-1.7e308, T=1e306", np.array([[1.7e308, -1.7e308, 1e307]]), 1e306)
    yield Family("T=1e-300", np.array([[1e-299, -3e-299, 0.0], [1.0, 2.0, 2.0]]), 1e-300)
    yield Family("T=5e-324", np.array([[5e-323, 0.0, 1e-322], [1e300, -1e300, 0.0]]), 5e-324)
    yield Family("T=1e300", np.array([[1e302, -1e301, 3e302], [1.0, 2.0, 3.0]]), 1e300)


def _masked(rng: np.random.Generator, z: Floats) -> Floats:
    masked = np.where(rng.random(z.shape) < 0.3, -np.inf, z)
    masked[:, 0] = z[:, 0]
    return masked


def _dominated(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    z = rng.normal(0, 1, shape)
    K, C = shape
    z[np.arange(K), rng.integers(0, C, K)] += rng.uniform(1, 800, K)
    return z


def _sinking(rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    z = -rng.uniform(690, 760, shape)
    z[:, -1] = rng.uniform(-1, 1, shape[0])
    return z
