"""Softmax and its derivative, right to the last digits.

`softmax`, `log_softmax`, `jacobian`, `vjp` and the checks are loaded when first used, so
that importing the package (as the command line does for ``--help``) does not load numpy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from softmax_cli.checking import check_jacobian, check_probabilities, check_vjp
    from softmax_cli.core import jacobian, log_softmax, softmax, vjp

__version__ = "0.1.0"

__all__ = [
    "check_jacobian",
    "check_probabilities",
    "check_vjp",
    "jacobian",
    "log_softmax",
    "softmax",
    "vjp",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        module = "checking" if name.startswith("check_") else "core"
        return getattr(import_module(f"softmax_cli.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
