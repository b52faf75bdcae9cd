"""Torch beside us: its right kernels pass in every precision, and what gradcheck fails fails here.

Torch comes with the extra torch-test, where it can be had.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from softmax_cli import check_jacobian, check_probabilities, check_vjp
from tests.wrong import Array

torch: Any = pytest.importorskip("torch", reason="torch is not installed: nothing of it is tested")
RNG = np.random.default_rng(5)
LOGITS = {
    "normal": RNG.normal(0, 2, (20, 10)),
    "many classes": RNG.normal(0, 2, (20, 1000)),
    "far": 80 * RNG.choice([-1.0, 1.0], (10, 8)) + RNG.normal(0, 1, (10, 8)),
    "spread": RNG.uniform(-80, 80, (20, 30)),
    "masked": np.where(RNG.random((10, 8)) < 0.3, -np.inf, RNG.normal(0, 2, (10, 8))),
    "attention": RNG.normal(0, 2, (2, 3, 4, 5)),
}


def kernel(log: bool) -> Any:
    return torch.log_softmax if log else torch.softmax


def backward(dtype: str, log: bool) -> Callable[[Array, Array], Any]:
    def function(z: Array, g: Array) -> Any:
        t = torch.tensor(z).to(getattr(torch, dtype)).requires_grad_()
        kernel(log)(t, dim=-1).backward(torch.tensor(g).to(t.dtype))
        return t.grad

    return function


@pytest.mark.parametrize("log", [False, True], ids=["softmax", "log"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", LOGITS)
def test_right_kernels_pass_at_default_bounds(name: str, dtype: str, log: bool) -> None:
    z = LOGITS[name]

    def forward(z: Array) -> Any:
        return kernel(log)(torch.tensor(z).to(getattr(torch, dtype)).requires_grad_(), dim=-1)

    def jacobian(z: Array) -> Any:
        t = torch.tensor(z).to(getattr(torch, dtype))
        return torch.autograd.functional.jacobian(lambda t: kernel(log)(t, dim=-1), t)

    few = z.shape[-1] < 100
    verdict = check_probabilities(forward, z, log=log, forward_only=not few)
    assert verdict, verdict
    assert verdict.checks[0].precision == dtype
    verdict = check_vjp(backward(dtype, log), z, log=log)
    assert verdict, verdict
    if few:
        verdict = check_jacobian(jacobian, z, log=log)
        assert verdict, verdict


def test_functions_of_tensors_are_given_tensors() -> None:
    z = LOGITS["normal"]
    verdict = check_probabilities(lambda t: torch.nn.functional.softmax(t, dim=-1), z)
    assert verdict, verdict
    assert "the function was given torch tensors" in verdict.notes
    assert check_probabilities(lambda t: t.softmax(-1), torch.tensor(z, requires_grad=True))
    half = check_probabilities(lambda t: torch.softmax(t, -1), z, dtype="bfloat16")
    assert half, half
    assert half.checks[0].precision == "bfloat16"


def test_half_precision_sums_fail_and_are_named() -> None:
    def accumulated(z: Array) -> Any:
        e = torch.exp(torch.tensor(z).to(torch.bfloat16))
        total = torch.zeros(len(z), dtype=torch.bfloat16)
        for column in e.T:
            total += column
        return e / total[:, None]

    verdict = check_probabilities(accumulated, LOGITS["many classes"] / 2, forward_only=True)
    assert not verdict
    assert any("sum" in each.name for each in verdict.decisive.diagnoses), verdict


def product(make: Callable[[Any, Any], Any]) -> Callable[[Any, Any, Any], Any]:
    """Make a backward pass of the Jacobian that makes of y and the identity."""
    return lambda z, y, g: torch.einsum("kji,kj->ki", make(y, torch.eye(y.shape[-1])), g)


RIGHT: dict[str, Callable[[Any, Any, Any], Any]] = {
    "y (g - sum)": lambda z, y, g: y * (g - (y * g).sum(-1, keepdim=True)),
    "y g - y sum": lambda z, y, g: y * g - y * (y * g).sum(-1, keepdim=True),
    "J g": product(lambda y, eye: torch.diag_embed(y) - y[:, :, None] * y[:, None, :]),
    "y (eye - y)": product(lambda y, eye: y[:, :, None] * (eye - y[:, None, :])),
    "g J": lambda z, y, g: (g[:, None] @ (torch.diag_embed(y) - y[:, :, None] @ y[:, None]))[:, 0],
    "torch": lambda z, y, g: torch._softmax_backward_data(g, y, -1, y.dtype),
    "centred": lambda z, y, g: y * ((g - g.mean(-1, keepdim=True)) - (
        y * (g - g.mean(-1, keepdim=True))).sum(-1, keepdim=True)),
    "einsum": lambda z, y, g: y * (g - torch.einsum("ki,ki->k", y, g)[:, None]),
    "of log": lambda z, y, g: (y * g) - y * (torch.exp(torch.log(y)) * g).sum(-1, keepdim=True),
    "loop": lambda z, y, g: torch.stack([a * (b - a @ b) for a, b in zip(y, g, strict=True)]),
    "new exp": lambda z, y, g: torch.softmax(z, -1) * (g - (y * g).sum(-1, keepdim=True)),
    "bmm": lambda z, y, g: y * (g - torch.bmm(y[:, None], g[:, :, None])[:, 0]),
    "fused": lambda z, y, g: torch.addcmul(y * g, y, (y * g).sum(-1, keepdim=True), value=-1),
    "matmul": lambda z, y, g: y * g - (torch.diagonal(y @ g.T)[:, None]) * y,
    "vdot": lambda z, y, g: y * (g - torch.linalg.vecdot(y, g)[:, None]),
    "halved": lambda z, y, g: y * (g - 0.5 * (2 * y * g).sum(-1, keepdim=True)),
    "pairs": lambda z, y, g: (
        y[:, :, None] * y[:, None, :] * (g[:, :, None] - g[:, None, :])).sum(-1),
    "halves": lambda z, y, g: 2 * (y * (g / 2 - (y * g / 2).sum(-1, keepdim=True))),
    "negated": lambda z, y, g: -(y * ((y * g).sum(-1, keepdim=True) - g)),
    "autograd": lambda z, y, g: torch.autograd.functional.vjp(
        lambda t: torch.softmax(t, -1), z, g)[1],
}  # fmt: skip
WRONG: dict[str, Callable[[Any, Any, Any], Any]] = {
    "diagonal": lambda z, y, g: y * (1 - y) * g,
    "y g": lambda z, y, g: y * g,
    "no y": lambda z, y, g: g - (y * g).sum(-1, keepdim=True),
    "plus": lambda z, y, g: y * (g + (y * g).sum(-1, keepdim=True)),
    "sum of g": lambda z, y, g: y * (g - g.sum(-1, keepdim=True)),
    "over samples": lambda z, y, g: y * (g - (y * g).sum(0)),
    "over everything": lambda z, y, g: y * (g - (y * g).sum()),
    "mean": lambda z, y, g: y * (g - (y * g).mean(-1, keepdim=True)),
    "no g": lambda z, y, g: y * (1 - y),
    "g alone": lambda z, y, g: g.clone(),
    "zeros": lambda z, y, g: torch.zeros_like(g),
    "sign": lambda z, y, g: -y * (g - (y * g).sum(-1, keepdim=True)),
    "batch": lambda z, y, g: y * (g - (y * g).sum(-1, keepdim=True)) / len(y),
    "cross-entropy": lambda z, y, g: y - g,
    "log-softmax": lambda z, y, g: g - y * g.sum(-1, keepdim=True),
    "square": lambda z, y, g: y * (g**2 - (y * g**2).sum(-1, keepdim=True)),
    "absolute": lambda z, y, g: y * (g.abs() - (y * g.abs()).sum(-1, keepdim=True)),
    "logits": lambda z, y, g: z * (g - (z * g).sum(-1, keepdim=True)),
    "y squared": lambda z, y, g: y * (g - (y * y * g).sum(-1, keepdim=True)),
    "slightly": lambda z, y, g: y * (g - (y * g).sum(-1, keepdim=True)) * (1 + 1e-4),
}


@pytest.mark.parametrize("name", [*RIGHT, *WRONG])
def test_nothing_passes_that_gradcheck_fails(name: str) -> None:
    formula = (RIGHT | WRONG)[name]
    z = torch.tensor(RNG.normal(0, 1, (4, 5)))

    class Mine(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(ctx: Any, z: Any) -> Any:
            y = torch.softmax(z, -1)
            ctx.save_for_backward(z, y)
            return y

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            z, y = ctx.saved_tensors
            return formula(z, y, g)

    def ours(z: Array, g: Array) -> Any:
        t, h = torch.tensor(z), torch.tensor(g)
        return formula(t, torch.softmax(t, -1), h)

    torch.set_default_dtype(torch.float64)
    try:
        verdict = check_vjp(ours, z.numpy())
        leaf = z.clone().requires_grad_()
        peer = torch.autograd.gradcheck(Mine.apply, (leaf,), raise_exception=False)
    finally:
        torch.set_default_dtype(torch.float32)
    assert peer or not verdict
    assert bool(verdict) == (name in RIGHT), verdict
