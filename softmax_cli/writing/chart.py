"""Charts, by matplotlib: bars and heatmaps of results, of a check's errors, and of a sweep's."""

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Verdict, headline
from softmax_cli.display.grids import all_grids, is_softmax
from softmax_cli.display.heat import ink
from softmax_cli.display.screen import Screen
from softmax_cli.errors import InputError, plural, visible
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Jacobian, LogProbabilities, Report, Result
from softmax_cli.samples import FloatArray, concatenate
from softmax_cli.writing.target import Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_SAMPLES, _MOST_MATRICES, _MATRICES_A_ROW = 100, 6, 3
_MOST_NUMBERS, _MOST_LABELS, _LONGEST_LABEL = 12, 40, 40
_LONGEST_TITLE, _SHORT_LABEL, _WIDEST, _TALLEST, _DIGITS = 90, 8, 12, 9, 3
# Apart for every kind of sight (Okabe and Ito 2008), and by their marks.
_METHODS = {
    "forward": ("#0072b2", "o"),
    "central": ("#d55e00", "s"),
    "complex-step": ("#009e73", "^"),
}
# Colours of heatmaps, and of bars below and above 0.
_RISING, _DIVERGING = ("cividis", "#0072b2", "#0072b2"), ("PuOr_r", "#542788", "#b35806")
_LEAST_ERROR, _MOST_DECADES = 1e-18, 16.0
_NAMES = {"jacobian": "Jacobian", "partials": "partial derivatives", "vjp": "v = g J"}
# Names are data, and text; nothing depends on the day or the machine.
_STYLE = {"text.parse_math": False, "svg.fonttype": "none", "pdf.fonttype": 42, "font.size": 11}
_STYLE |= {"svg.hashsalt": "softmax-cli", "savefig.dpi": 200}
_METADATA: dict[str, Any] = {"png": "Software", "pdf": "CreationDate", "svg": "Date"}


@dataclass(frozen=True)
class _Panel:
    """What is drawn beside others: texts and values, shape (R, C), of rows and columns."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    texts: Sequence[Sequence[str]]
    values: FloatArray


def write_chart(result: Result, target: Target, options: OutputOptions) -> None:
    """Write a figure.

    Raises
    ------
    InputError
        Where matplotlib is missing.
    """
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    name, file = options.output_format, BytesIO()
    try:
        from matplotlib import style
        from matplotlib.figure import Figure
    except ImportError:
        problem = f"expected matplotlib to write {name}, found none"
        raise InputError("--output", problem, "pip install 'softmax-calculator[plot]'") from None
    looks = _STYLE | {"savefig.format": name}
    with style.context(["default", looks]), warnings.catch_warnings(action="ignore"):
        figure = Figure(layout="constrained")
        match result:
            case Report(evidence=Sweep() as sweep):
                _sweep(sweep, figure)
            case Report(evidence=Verdict() as verdict):
                _verdict(verdict, figure)
            case Arrays():
                _arrays(result, figure)
        figure.savefig(file, metadata={_METADATA[name]: None}, bbox_inches="tight")
    target.write(file.getvalue())


def _arrays(result: Arrays, figure: "Figure") -> None:
    """Draw the first samples in one panel, or the first matrices in one each."""
    is_matrix = isinstance(result.quantity, Jacobian)
    most, kept, count = _MOST_MATRICES if is_matrix else _MOST_SAMPLES, [], 0
    for batch in result.logits.batches:
        kept.append(batch.part(slice(0, max(0, most - count))))
        count += len(batch.logits)
    first = concatenate(kept[:most], result.logits.n_classes)
    result = replace(result, logits=replace(result.logits, blocks=iter([first])))
    panels = []
    for label, grid in all_grids(result, Screen(precision=_DIGITS)):
        names, rows = grid.names, list(grid.inner.rows)
        labels = [", ".join(cell.text for cell in row[:names]) for row in rows]
        texts = [[cell.text for cell in row[names:]] for row in rows]
        values = np.array([[cell.value for cell in row[names:]] for row in rows])
        title = label or ", ".join(labels if len(rows) == 1 and result.logits.is_named else [])
        panels.append(_Panel(title, labels, grid.inner.headings[names:], texts, values))
    finite = np.concatenate([each.values[np.isfinite(each.values)] for each in panels])
    largest = float(abs(finite).max(initial=0)) or 1.0
    limits = -largest, largest
    if is_softmax(result):
        limits = (-largest, 0.0) if isinstance(result.quantity, LogProbabilities) else (0.0, 1.0)
    name = _NAMES.get(result.quantity.key, result.quantity.key.replace("_", "-"))
    name += " of log-softmax" * result.quantity.log
    name += f", T = {result.temperature:g}" * (result.temperature != 1)
    name += f", the first {most} of {count} samples" * (count > most)
    _panels(figure, panels, limits, name)


def _verdict(verdict: Verdict, figure: "Figure") -> None:
    """Draw how far errors are over or under their bounds, of each sample and in the worst."""
    check = verdict.decisive
    title = "\n".join([headline(check), *(f"cause: {each.name}" for each in check.diagnoses)])
    panels, letter = [], {"jacobian": "dz", "probabilities": "y", "vjp": "v"}[check.quantity]
    if len(check.samples) > 1:
        some = check.samples[:_MOST_SAMPLES]
        excess = np.array([[each.worst_excess] for _, each in some])
        title += f"\nthe first {len(some)} samples" * (len(some) < len(check.samples))
        panels.append(_over("worst entries", [label for label, _ in some], ["error/bound"], excess))
    if check.excess is not None:
        excess = np.atleast_2d(check.excess)
        rows = [f"dy_{name}" for name in verdict.classes] if check.quantity == "jacobian" else [""]
        columns = [f"{letter}_{name}" for name in verdict.classes]
        label = f"sample {check.samples[check.worst][0]}"
        panels.append(_over(label, rows, columns, excess))
    decades = [abs(each.values[np.isfinite(each.values)]).max(initial=1) for each in panels]
    largest = min(max(decades, default=1), _MOST_DECADES)
    _panels(figure, panels, (-largest, largest), title, "log10(error/bound)")


def _over(title: str, rows: Sequence[str], columns: Sequence[str], excess: FloatArray) -> _Panel:
    texts = [[f"{each:.2g}" for each in row] for row in excess]
    with np.errstate(divide="ignore"):
        return _Panel(title, rows, columns, texts, np.log10(excess))


def _panels(
    figure: "Figure",
    panels: Sequence[_Panel],
    limits: tuple[float, float],
    title: str,
    unit: str = "",
) -> None:
    """Draw panels, on one scale of colours; what is one row or one column as bars."""
    n_columns = max(1, min(len(panels), _MATRICES_A_ROW))
    n_rows = -(-len(panels) // n_columns) or 1
    sizes = np.array([_size(each) for each in panels] or [(6, 0.5)])
    figure.set_size_inches(*(sizes.max(axis=0) * (n_columns, n_rows)))
    figure.suptitle("\n".join(_label(line, _LONGEST_TITLE) for line in title.split("\n")))
    axes = figure.subplots(n_rows, n_columns, squeeze=False).flat
    mapped: Any = None
    for each, panel in zip(axes, panels, strict=False):
        each.set_title(_label(panel.title), fontsize="medium")
        values = np.clip(np.nan_to_num(panel.values, nan=limits[1]), *limits)
        if 1 in values.shape:
            _bars(each, panel, values.ravel(), limits)
        else:
            mapped = _heatmap(each, panel, values, limits)
    for each in list(axes)[len(panels) :]:
        each.remove()
    if mapped is not None:
        figure.colorbar(mapped, ax=figure.axes, label=unit)


def _size(panel: _Panel) -> tuple[float, float]:
    rows, columns = panel.values.shape
    if 1 in panel.values.shape:
        return 6.0, min(1.2 + 0.3 * max(rows, columns), _TALLEST)
    return min(2.5 + 0.75 * columns, _WIDEST), min(1.5 + 0.35 * rows, _TALLEST)


def _colours(limits: tuple[float, float]) -> tuple[str, str, str]:
    return _DIVERGING if limits[0] == -limits[1] else _RISING


def _heatmap(axes: "Axes", panel: _Panel, values: FloatArray, limits: tuple[float, float]) -> Any:
    """Draw a colour for each number, and the number where there is room."""
    low, high = limits
    image = axes.imshow(values, _colours(limits)[0], aspect="auto", vmin=low, vmax=high)
    _ticks(axes.set_xticks, panel.columns, 90 * (max(map(len, panel.columns)) > _SHORT_LABEL))
    _ticks(axes.set_yticks, panel.rows)
    if max(values.shape) <= _MOST_NUMBERS:
        for (j, i), colour in np.ndenumerate(image.to_rgba(values, bytes=True).view("u4")[..., 0]):
            text = _label(panel.texts[j][i])
            colour = ink(colour.tobytes()[:3])
            axes.text(i, j, text, ha="center", va="center", color=colour, fontsize="small")
    return image


def _bars(axes: "Axes", panel: _Panel, values: FloatArray, limits: tuple[float, float]) -> None:
    """Draw bars from 0, each with its number."""
    _, below, above = _colours(limits)
    colours = np.where(values < 0, below, above).tolist()
    bars = axes.barh(range(len(values)), values, color=colours)
    if len(values) <= _MOST_LABELS:
        axes.bar_label(bars, [_label(text) for row in panel.texts for text in row], padding=3)
    _ticks(axes.set_yticks, panel.columns if len(panel.rows) == 1 else panel.rows)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set(xlabel=_label(panel.columns[0]) if len(panel.rows) > 1 else "")
    axes.locator_params(axis="x", nbins=5)
    axes.invert_yaxis()
    axes.margins(x=0.2, y=0.01)
    axes.spines[["top", "right"]].set_visible(False)


def _ticks(set_ticks: Callable[..., object], names: Sequence[str], rotation: int = 0) -> None:
    places = range(0, len(names), -(-len(names) // _MOST_LABELS))
    set_ticks(places, [_label(names[k]) for k in places], rotation=rotation)


def _sweep(sweep: Sweep, figure: "Figure") -> None:
    """Draw the errors against the step, on logarithmic scales."""
    figure.set_size_inches(8, 5)
    axes = figure.subplots()
    for method, errors in sweep.errors.items():
        colour, mark = _METHODS[method]
        best = sweep.best[method]
        label = f"{method}, best at h = {best[0]:g}" if best else method
        shown = np.maximum(errors, _LEAST_ERROR)
        axes.loglog(sweep.steps, shown, color=colour, marker=mark, markersize=5, label=label)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(lambda value, _: "")
    axes.set(xlabel="step h", ylabel=f"largest error in J (0 is drawn at {_LEAST_ERROR:g})")
    axes.text(0.05, 0.35, "← rounding grows", transform=axes.transAxes)
    axes.text(0.97, 0.15, "truncation grows →", ha="right", transform=axes.transAxes)
    samples = plural(sweep.n_samples, "sample")
    axes.set_title(_label(f"finite differences of {sweep.candidate or 'softmax'}, {samples}"))
    axes.grid(visible=True, color="0.9")
    axes.legend()


def _label(name: str, longest: int = _LONGEST_LABEL) -> str:
    """Show a name as data, a long one by its beginning; a viewer of SVG has all letters."""
    from matplotlib import rcParams
    from matplotlib.font_manager import findfont, get_font

    shown = visible(name)
    if rcParams["savefig.format"] != "svg":
        has = get_font(findfont("DejaVu Sans")).get_char_index
        shown = "".join(c if has(ord(c)) else f"[U+{ord(c):04X}]" for c in shown)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"
