"""Charts, by matplotlib: bars and heatmaps of results and of a check's errors, and a sweep's."""

import logging
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Verdict, headline
from softmax_cli.display.grids import all_grids
from softmax_cli.display.heat import ink
from softmax_cli.display.screen import Screen
from softmax_cli.errors import InputError, plural, visible
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Jacobian, Probabilities, Report, Result
from softmax_cli.samples import FloatArray, concatenate
from softmax_cli.writing.target import Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_SAMPLES, _MOST_MATRICES, _MATRICES_A_ROW = 100, 6, 3
# Of the sides of a heatmap that shows its numbers; of labels, and of their letters.
_MOST_NUMBERS, _MOST_LABELS, _LONGEST_LABEL, _SHORT_LABEL = 12, 40, 40, 8
_WIDEST, _TALLEST = 12.0, 9.0  # inches of a panel
_LEAST_ERROR = 1e-18
# Apart for every kind of sight (Okabe and Ito 2008): of heatmaps, of bars below and above 0.
_RISING, _DIVERGING = ("cividis", "#0072b2", "#0072b2"), ("PuOr_r", "#542788", "#b35806")
_METHODS = {"forward": "#0072b2", "central": "#d55e00", "complex-step": "#009e73"}
# Names are data, and text; nothing depends on the day or the machine.
_STYLE = {"text.parse_math": False, "svg.fonttype": "none", "pdf.fonttype": 42, "font.size": 11}
_STYLE |= {"svg.hashsalt": "softmax-cli", "savefig.dpi": 200, "savefig.bbox": "tight"}
_METADATA = {"png": ["Software"], "pdf": ["CreationDate"]}
_METADATA["svg"] = ["Date", "Creator", "Format", "Type"]


@dataclass(frozen=True)
class _Panel:
    """Texts and values, shape (R, C), of rows and columns: a heatmap, or bars."""

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
    looks: dict[str, Any] = {**_STYLE, "savefig.format": name}
    with style.context(["default", looks]), warnings.catch_warnings(action="ignore"):
        figure = Figure(layout="constrained")
        match result:
            case Report(evidence=Sweep() as sweep):
                _sweep(sweep, figure)
            case Report(evidence=Verdict() as verdict):
                _verdict(verdict, figure)
            case Arrays():
                _arrays(result, figure)
        figure.savefig(file, metadata=dict.fromkeys(_METADATA[name]))
    target.write(file.getvalue())


def _arrays(result: Arrays, figure: "Figure") -> None:
    """Draw the first samples in one panel, or the first matrices in one each."""
    quantity, kept, count = result.quantity, [], 0
    most = _MOST_MATRICES if isinstance(quantity, Jacobian) else _MOST_SAMPLES
    for batch in result.logits.batches:
        kept += [batch.part(slice(0, most - count))] if count < most else []
        count += len(batch.logits)
    first = concatenate(kept, result.logits.n_classes)
    shown = replace(result, logits=replace(result.logits, blocks=iter([first])))
    panels = []
    for label, grid in all_grids(shown, Screen(precision=3)):
        names, rows = grid.names, list(grid.inner.rows)
        labels = [", ".join(cell.text for cell in row[:names]) for row in rows]
        texts = [[cell.text for cell in row[names:]] for row in rows]
        values = np.array([[cell.value for cell in row[names:]] for row in rows])
        panels.append(_Panel(label, labels, grid.inner.headings[names:], texts, values))
    title = quantity.key.replace("_", " ") + " of log-softmax" * quantity.log
    title += f", T = {quantity.temperature:g}" * (quantity.temperature != 1)
    title += f", the first {most} of {count} samples" * (count > most)
    _draw(figure, panels, title, is_rising=isinstance(quantity, Probabilities))


def _verdict(verdict: Verdict, figure: "Figure") -> None:
    """Draw how far errors are over or under their bounds, in the worst sample or in each."""
    check = verdict.decisive
    title = " - ".join([headline(check), *(f"cause: {each.name}" for each in check.diagnoses)])
    some = [check.samples[k] for k in range(min(_MOST_SAMPLES, len(check.samples)))]
    rows, columns = [label for label, _ in some], ["worst entry"]
    label = f"the first {len(some)} of {len(check.samples)} samples"
    excess = np.array([[sample.worst_excess] for _, sample in some])
    if check.excess is not None:
        excess, is_matrix = np.atleast_2d(check.excess), check.excess.ndim > 1
        rows = [f"dy_{name}" for name in verdict.classes] if is_matrix else [""]
        columns = [f"dz_{name}" if is_matrix else name for name in verdict.classes]
        label = f"sample {check.samples[check.worst][0]}"
    texts = [[f"{each:.2g}" for each in row] for row in excess]
    with np.errstate(divide="ignore"):
        panel = _Panel(f"log10(error/bound), {label}", rows, columns, texts, np.log10(excess))
    _draw(figure, [panel] if some else [], title)


def _draw(
    figure: "Figure", panels: Sequence[_Panel], title: str, *, is_rising: bool = False
) -> None:
    """Draw panels on one scale of colours: from 0 to 1, or to both sides of 0."""
    n_columns = min(len(panels), _MATRICES_A_ROW) or 1
    n_rows = -(-len(panels) // n_columns) or 1
    sizes = np.array([_size(*each.values.shape) for each in panels] or [(6.0, 0.5)])
    figure.set_size_inches(*(sizes.max(axis=0) * (n_columns, n_rows)))
    figure.suptitle(_label(title, 2 * _LONGEST_LABEL))
    values = [each.values[np.isfinite(each.values)] for each in panels]
    largest = max((abs(each).max(initial=0.0) for each in values), default=0.0) or 1.0
    low, high = (0.0, 1.0) if is_rising else (-largest, largest)
    axes = list(figure.subplots(n_rows, n_columns, squeeze=False).flat)
    mapped: Any = None
    for each, panel in zip(axes, panels, strict=False):
        each.set_title(_label(panel.title), fontsize="medium")
        finite = np.clip(np.nan_to_num(panel.values, nan=high), low, high)
        if 1 in finite.shape:
            _bars(each, panel, finite.ravel(), _RISING if is_rising else _DIVERGING)
        else:
            mapped = each.imshow(finite, (_RISING if is_rising else _DIVERGING)[0], aspect="auto")
            mapped.set_clim(low, high)
            _heatmap(each, panel, mapped.to_rgba(finite, bytes=True))
    for each in axes[len(panels) :]:
        each.remove()
    if mapped is not None:
        figure.colorbar(mapped, ax=figure.axes)


def _size(n_rows: int, n_columns: int) -> tuple[float, float]:
    if 1 in (n_rows, n_columns):
        return 6.0, min(1.2 + 0.3 * max(n_rows, n_columns), _TALLEST)
    return min(2.5 + 0.75 * n_columns, _WIDEST), min(1.5 + 0.35 * n_rows, _TALLEST)


def _heatmap(axes: "Axes", panel: _Panel, colours: Any) -> None:
    """Name rows and columns; write the numbers where there is room."""
    is_long = max(map(len, panel.columns)) > _SHORT_LABEL or len(panel.columns) > _MOST_LABELS // 2
    _ticks(axes.set_xticks, panel.columns, rotation=90 * is_long)
    _ticks(axes.set_yticks, panel.rows)
    if max(panel.values.shape) <= _MOST_NUMBERS:
        for j, i in np.ndindex(panel.values.shape):
            text, colour = _label(panel.texts[j][i]), ink(colours[j, i, :3].tolist())
            axes.text(i, j, text, ha="center", va="center", color=colour, fontsize="small")


def _bars(axes: "Axes", panel: _Panel, values: FloatArray, colours: tuple[str, str, str]) -> None:
    """Draw bars from 0, each with its number."""
    bars = axes.barh(range(len(values)), values, color=[colours[1 + (v >= 0)] for v in values])
    if len(values) <= _MOST_LABELS:
        axes.bar_label(bars, [_label(text) for row in panel.texts for text in row], padding=3)
    one_row = len(panel.rows) == 1
    _ticks(axes.set_yticks, panel.columns if one_row else panel.rows)
    axes.set_xlabel(_label(panel.rows[0] if one_row else panel.columns[0]))
    axes.locator_params(axis="x", nbins=5)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.margins(x=0.2, y=0.01)


def _ticks(set_ticks: Callable[..., object], names: Sequence[str], rotation: int = 0) -> None:
    places = range(0, len(names), -(-len(names) // _MOST_LABELS))
    set_ticks(places, [_label(names[k]) for k in places], rotation=rotation)


def _sweep(sweep: Sweep, figure: "Figure") -> None:
    """Draw the errors against the step, on logarithmic scales."""
    figure.set_size_inches(8, 5)
    axes = figure.subplots()
    for mark, (method, errors) in zip("os^", sweep.errors.items(), strict=False):
        best = sweep.best[method]
        label = f"{method}, best at h = {best[0]:g}" if best else method
        shown = np.maximum(errors, _LEAST_ERROR)
        axes.loglog(sweep.steps, shown, marker=mark, color=_METHODS[method], label=label)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
        axis.set_minor_formatter(lambda value, _: "")
    axes.set(xlabel="step h", ylabel=f"largest error in J (0 stands at {_LEAST_ERROR:g})")
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
