"""Inputs of our own, on which right and wrong code differ."""

import numpy as np

from softmax_cli.checking.formulas import FloatArray

# Sizes of batches, some of which many a function has never been given.
SIZES = (1, 2, 3, 5)


def draw_gradient(K: int, C: int) -> FloatArray:
    """Draw a general upstream gradient, shape (K, C): the same one in every run.

    No entry is 0, 1 or -1, no two are equal, and no sum of a sample's is 0 or 1.
    """
    size = np.random.default_rng(1).permuted(np.linspace(0.2, 0.9, K * C))
    sign = np.random.default_rng(2).choice([-1.0, 1.5], K * C)
    return np.asarray(size * sign).reshape(K, C)


def note_on_gradient(g: FloatArray) -> str:
    """Say what a special upstream gradient, shape (K, C), hides; or ""."""
    wrong_sums = "a squared or absolute gradient, and wrong sums over the classes"
    for kind, is_so, hides in (
        ("zero", (g == 0).all(), "everything but a constant that is added"),
        ("constant", (g == g[:, :1]).all(), "everything but the row sums of J, which are 0"),
        ("one-hot", ((g != 0).sum(axis=1) == 1).all(), wrong_sums),
        ("of entries 0, 1 and -1", np.isin(g, (-1, 0, 1)).all(), wrong_sums),
    ):
        if is_so:
            told = f"an upstream gradient that is {kind} hides {hides}"
            return f"{told}; leave it out to have one drawn"
    return ""


def stress_samples(C: int, temperature: float) -> tuple[FloatArray, tuple[str, ...]]:
    """Return logits, shape (n, C), that are hard to get right, and what is hard about each."""
    z = np.random.default_rng(3).normal(0, 2, (12, C))
    position = np.arange(C)
    named = {
        "of +-800": 800 * np.where(position % 3, -1.0, 1.0) + z[0],
        "of -+800": 800 * np.where(position % 3, 1.0, -1.0) + z[1],
        "around 800": z[2] + 800,
        "around -800": z[3] - 800,
        "all equal": np.full(C, 0.75),
        "tied": np.where(position < 2, z[4].max(), z[4]),
        "every second one masked": np.where(position % 2 == 1, -np.inf, z[5]),
        "masked at first": np.where(position < C // 2, -np.inf, z[6]),
        "all masked but the last": np.where(position < C - 1, -np.inf, z[7]),
        "saturated": np.where(position == 0, 40.0, z[8]),
        "saturated at last": np.where(position == C - 1, 40.0, z[9]),
        "small": 1e-3 * z[10],
    }
    return temperature * np.stack(list(named.values())), tuple(named)
