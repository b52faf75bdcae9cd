"""What people look at: a list of the parts of any result, for all that draws and writes them."""

from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from rich.text import Text

from softmax_cli import result as results
from softmax_cli.display import grids
from softmax_cli.display.explain import explain
from softmax_cli.display.notation import Latex, Plain
from softmax_cli.display.numbers import given, significant
from softmax_cli.display.screen import HINT, Part, Screen
from softmax_cli.errors import plural
from softmax_cli.mathematics import core
from softmax_cli.mathematics.derivation import Derivation
from softmax_cli.mathematics.exact import Numbers
from softmax_cli.samples import Batch
from softmax_cli.words import is_number

_MOST_WINNERS = 10
_TITLES = {
    "probabilities": "Probabilities",
    "log_probabilities": "Log-probabilities",
    "jacobian": "Jacobian ∂y_j/∂z_i",
    "partials": "Partial derivative ∂y_j/∂z_i",
    "vjp": "Upstream gradient times Jacobian, v_i = Σ_j g_j ∂y_j/∂z_i",
}


def parts(result: results.Result, screen: Screen) -> Iterator[Part]:
    """Make the parts of any result; which they are, its type says."""
    match result:
        case Derivation():
            yield from _title(result.sample, screen)
            is_plain, p = screen.is_drawn, screen.precision
            yield from explain(result, Plain(p, screen.ascii_only) if is_plain else Latex(p))
            yield Text()
            yield grids.jacobian_table(result.numbers, result.classes, screen)
        case results.Report():
            from softmax_cli.display.evidence import tell

            yield from tell(result.evidence, screen)
        case results.Arrays(quantity=results.Jacobian()):
            yield from _jacobians(result, screen)
        case results.Arrays():
            yield from _by_sample(result, screen)


def _title(title: str, screen: Screen) -> list[Part]:
    return [screen.text(title, "bold")] if title else []


def heading(result: results.Arrays) -> str:
    """Say what arrays are computed."""
    T, log = result.temperature, result.quantity.log
    title = _TITLES[result.quantity.key].replace("∂y", "∂log y" if log else "∂y")
    return title + f", T = {given(T)}" * (T != 1)


def _by_sample(result: results.Arrays, screen: Screen) -> Iterator[Part]:
    """Show one sample class by class, several as a row each; a file always has rows."""
    logits, T, wins = result.logits, result.temperature, Counter[int]()
    entropies: list[float] = []
    is_told = isinstance(result.quantity, results.Probabilities) and screen.is_drawn
    tallied = _tallied(logits.batches, T, wins, entropies) if is_told else logits.batches
    batch, shown = grids.some_samples(tallied, logits.n_classes, screen.samples)
    if isinstance(result.quantity, results.Vjp) and screen.is_drawn:
        v = "(g_i - y_i sum_j g_j)" if result.quantity.log else "y_i (g_i - sum_j g_j y_j)"
        yield screen.quiet(f"v_i = sum_j g_j J[j][i] = {v}{_by_T(T)}")
        yield Text()
    if screen.is_drawn and len(shown.names) == 1 and result.entry is None:
        yield from _title(logits.title(batch), screen)
        yield grids.class_table(result, batch, screen)
        return
    yield grids.samples_table(result, batch, screen, shown)
    if is_told:
        counted = [(logits.classes[j], n) for j, n in wins.most_common()]
        told = [f"{name} {n}" for name, n in counted]
        if any(map(is_number, logits.classes)):
            told = [f"class {name}: {plural(n, 'sample')}" for name, n in counted]
        told[_MOST_WINNERS:] = [f"{len(told) - _MOST_WINNERS} more"] * (len(told) > _MOST_WINNERS)
        counts = f"{plural(wins.total(), 'sample')}, {plural(logits.n_classes, 'class')}"
        mean = sum(entropies) / wins.total()
        # Of less than float64 can hold nothing is said.
        entropy = f"; mean entropy {significant(mean, screen.precision)} nats" if mean else ""
        yield Text()
        yield screen.quiet(f"{counts}; most probable: {', '.join(told)}{entropy}")


def _tallied(
    batches: Iterable[Batch], T: float, wins: Counter[int], entropies: list[float]
) -> Iterator[Batch]:
    """Pass batches on; count how often each class is the most probable, and add up entropies.

    The entropy of a sample is H = -sum_j y_j log y_j, in nats (Shannon 1948).
    """
    for batch in batches:
        log_y = core.log_softmax(batch.logits, temperature=T)
        y = np.exp(log_y)
        # A masked class adds nothing: y log y goes to 0 with y.
        entropies.append(-float((y * np.where(y > 0, log_y, 0)).sum()))
        wins.update(batch.logits.argmax(axis=1).tolist())
        yield batch


def _jacobians(result: results.Arrays, screen: Screen) -> Iterator[Part]:
    """Show matrices one below the other."""
    logits, T, log = result.logits, result.temperature, result.quantity.log
    batch, shown = grids.some_samples(logits.batches, logits.n_classes, screen.samples)
    if screen.is_drawn:
        delta = screen.glyph("δ_ij", "delta_ij")
        formula = f"dlog y_j/dz_i = ({delta} - y_i)" if log else f"dy_j/dz_i = y_j ({delta} - y_i)"
        yield screen.quiet(f"J[j][i] = {formula}{_by_T(T)}")
    for k, z in enumerate(batch.logits):
        yield Text()
        if k == shown.head:
            yield screen.quiet(shown.left_out + HINT)
            yield Text()
        yield from _title(logits.title(batch, k, len(shown.names)), screen)
        yield grids.jacobian_table(Numbers(z[np.newaxis], T, log=log), logits.classes, screen)
    if screen.is_drawn:
        yield Text()
        yield screen.quiet("Every row of J sums to 0, up to the rounding of its entries.")


def _by_T(temperature: float) -> str:  # noqa: N802
    return "" if temperature == 1 else f" / T,  T = {given(temperature)}"
