"""Softmax and its derivative, right to the last digits.

`softmax`, `log_softmax`, `jacobian`, `vjp` and the checks are loaded when first used, so
that importing the package (as the command line does for ``--help``) does not load numpy.
"""

TYPE_CHECKING = False  # as that of typing, which takes long to import
if TYPE_CHECKING:
    from softmax_cli.checking.candidate import CandidateError
    from softmax_cli.checking.check import check_jacobian, check_probabilities, check_vjp
    from softmax_cli.checking.verdict import Verdict
    from softmax_cli.mathematics.core import jacobian, log_softmax, softmax, vjp
else:

    def __getattr__(name):  # hidden from type checkers, for which a name exists or does not
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from softmax_cli.mathematics import core

        if hasattr(core, name):
            return getattr(core, name)
        from softmax_cli.checking import candidate, check, verdict

        return next(getattr(m, name) for m in (check, verdict, candidate) if hasattr(m, name))

    def __dir__():
        return [*globals(), *__all__]


__version__ = "0.1.0"

__all__ = ["CandidateError", "Verdict", "check_jacobian", "check_probabilities", "check_vjp"]
__all__ += ["jacobian", "log_softmax", "softmax", "vjp"]
