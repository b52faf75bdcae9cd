"""The catalogue of mistakes: each is produced, recognised and not mistaken for another."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from softmax_cli.checking.check import check_results
from softmax_cli.checking.formulas import Kind
from softmax_cli.checking.precision import FLOAT32, FLOAT64
from softmax_cli.checking.setting import Comparison, Setting, positions
from softmax_cli.checking.verdict import Check
from tests import wrong
from tests.wrong import Array, T


@dataclass(frozen=True, eq=False)
class Example:
    """Somebody's wrong results, computed in the dtype of the logits."""

    name: str
    kind: Kind
    log: bool
    values: Any
    number: int

    def __str__(self) -> str:
        log = " of log" if self.log else ""
        return f"{self.name}: {self.kind}{log} {self.number}"

    def compute(self, dtype: str) -> tuple[Array, Array, Array]:
        """Return logits, gradients and results."""
        z = wrong.logits_for(self.name, dtype)
        g = np.random.default_rng(3).normal(0, 1, z.shape).astype(dtype)
        with np.errstate(all="ignore"):
            return z, g, self.values(z, g).astype(dtype)


def examples() -> Iterator[Example]:
    """Produce every mistake in each kind of result."""
    for log in (False, True):
        derivative = wrong.derivative_of_log if log else wrong.derivative
        forward = wrong.LOGARITHMS if log else wrong.PROBABILITIES | wrong.PROBABILITIES_ALONE
        for name, functions in forward.items():
            for n, f in enumerate(functions):
                yield Example(name, "probabilities", log, lambda z, g, f=f: f(z), n)
        jacobians = {
            (name, n): lambda z, f=f, d=derivative: d(f(z)) / T
            for name, functions in ({} if log else wrong.PROBABILITIES).items()
            for n, f in enumerate(functions)
        } | {
            (name, 100 + n): f
            for name, functions in (wrong.JACOBIANS_OF_LOG if log else wrong.JACOBIANS).items()
            for n, f in enumerate(functions)
        }
        for (name, n), f in jacobians.items():
            yield Example(name, "jacobian", log, lambda z, g, f=f: f(z), n)
            if name != "softmax along the wrong axis" or n < 100:
                yield Example(name, "vjp", log, lambda z, g, f=f: wrong.product(f(z), g), n)
        for name, products in (wrong.PRODUCTS_OF_LOG if log else wrong.PRODUCTS).items():
            for n, p in enumerate(products):
                yield Example(name, "vjp", log, p, 200 + n)
        exact: dict[Kind, Any] = {
            "probabilities": lambda z, g: wrong.y(z),
            "jacobian": lambda z, g: wrong.exact(z),
            "vjp": lambda z, g: wrong.product(wrong.exact(z), g),
        }
        if log:
            exact = {
                "probabilities": lambda z, g: np.log(wrong.y(z)),
                "jacobian": lambda z, g: wrong.exact_of_log(z),
                "vjp": lambda z, g: wrong.product(wrong.exact_of_log(z), g),
            }
        for name, results in wrong.RESULTS.items():
            for n, r in enumerate(results):
                for kind, e in exact.items():
                    if name == "transposed batch" and kind == "jacobian":
                        continue
                    yield Example(
                        name, kind, log, lambda z, g, e=e, r=r: r(e(z, g), z.astype(float)), 300 + n
                    )


def printed(values: Array) -> Array:
    return np.array([float(f"{value:.6g}") for value in values.ravel()]).reshape(values.shape)


def checked(
    kind: Kind, values: Array, z: Array, g: Array, printed: bool = False, **how: Any
) -> Check:
    z = z.astype(float)
    names = tuple("abcdefgh"[: z.shape[1]])
    comparison = Comparison(**{"temperature": T} | how)
    setting = Setting(z, g.astype(float), names, tuple(positions(z.shape)), comparison)
    precision = FLOAT32 if values.dtype == np.float32 else FLOAT64
    return check_results(kind, values, precision, setting, printed=printed)


EXAMPLES = list(examples())


@pytest.mark.parametrize("precision", ["float64", "float32", "float32 as float64", "6 digits"])
@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_mistake_is_named_and_no_other(example: Example, precision: str) -> None:
    z, g, values = example.compute("float32" if "32" in precision else "float64")
    if precision == "6 digits":
        values = printed(values)
    if "as" in precision:
        values = values.astype(float)
    check = checked(example.kind, values, z, g, precision == "6 digits", log=example.log)
    assert not check.passed
    assert [each.name for each in check.diagnoses] == [example.name]
