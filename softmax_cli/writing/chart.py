"""Charts, by matplotlib: bars and heatmaps of results and of a check's errors, and a sweep's."""

import logging
import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Verdict, headline
from softmax_cli.display.grids import all_grids, some_samples
from softmax_cli.display.heat import ink
from softmax_cli.display.screen import Screen
from softmax_cli.errors import InputError, plural, visible
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Jacobian, Probabilities, Report, Result
from softmax_cli.samples import FloatArray
from softmax_cli.writing.target import Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_SAMPLES, _MOST_MATRICES = 100, 6
# Of the sides of a heatmap that shows its numbers; of labels, and of their letters.
_MOST_NUMBERS, _MOST_LABELS, _LONGEST_LABEL = 12, 40, 40
_LEAST_ERROR = 1e-18
# Apart for every kind of sight (Okabe and Ito 2008): of heatmaps, of bars below and above 0.
_RISING, _DIVERGING = ("cividis", "#0072b2", "#0072b2"), ("PuOr_r", "#542788", "#b35806")
_METHODS = {"forward": "#0072b2", "central": "#d55e00", "complex-step": "#009e73"}
# Names are data, and text; nothing depends on the day or the machine.
_STYLE = {"text.parse_math": False, "svg.fonttype": "none", "pdf.fonttype": 42, "font.size": 11}
_STYLE |= {"svg.hashsalt": "softmax-cli", "savefig.dpi": 200, "savefig.bbox": "tight"}
_UNDATED = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}


class _Panel(NamedTuple):
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
    # A name of the environment's that matplotlib does not know would stop its import.
    os.environ["MPLBACKEND"] = "agg"
    name, file = options.output_format, BytesIO()
    try:
        from matplotlib import style
        from matplotlib.figure import Figure
    except ImportError:
        problem = f"expected matplotlib to write {name}, found none"
        hint = "pip install 'softmax-calculator[plot]', or write a page with -o FILE.html"
        raise InputError("--output", problem, hint) from None
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
        figure.savefig(file, metadata=_UNDATED.get(name))
    target.write(file.getvalue())


def _arrays(result: Arrays, figure: "Figure") -> None:
    """Draw the first samples in one panel, or the first matrices in one each."""
    quantity, logits = result.quantity, result.logits
    most = _MOST_MATRICES if isinstance(quantity, Jacobian) else _MOST_SAMPLES
    first, shown = some_samples(logits.batches, logits.n_classes, most, (most, 0))
    drawn = replace(result, logits=replace(logits, blocks=iter([first])))
    panels = []
    for label, grid in all_grids(drawn, Screen(precision=3)):
        names, rows = grid.names, list(grid.inner.rows)
        labels = [", ".join(cell.text for cell in row[:names]) for row in rows]
        texts = [[cell.text for cell in row[names:]] for row in rows]
        values = np.array([[cell.value for cell in row[names:]] for row in rows])
        panels.append(_Panel(label, labels, grid.inner.headings[names:], texts, values))
    title = quantity.key.replace("_", " ") + " of log-softmax" * quantity.log
    title += f", T = {quantity.temperature:g}" * (quantity.temperature != 1)
    title += f", the first {most} of {len(shown.names)} samples" * shown.is_cut
    _draw(figure, panels, title, is_rising=isinstance(quantity, Probabilities))


def _verdict(verdict: Verdict, figure: "Figure") -> None:
    """Draw how far errors are over or under their bounds, in the worst sample or in each."""
    check = verdict.decisive
    title = " - ".join([headline(check), *(f"cause: {each.name}" for each in check.diagnoses)])
    rows, columns = list(check.samples.labels[:_MOST_SAMPLES]), ["worst entry"]
    label = f"the first {len(rows)} of {len(check.samples)} samples"
    excess = np.array([each.worst_excess for _, each in islice(check.samples, len(rows))])[:, None]
    if check.excess is not None:
        excess, is_matrix = np.atleast_2d(check.excess), check.excess.ndim > 1
        rows = [f"dy_{name}" for name in verdict.classes] if is_matrix else [""]
        columns = [f"dz_{name}" if is_matrix else name for name in verdict.classes]
        label = f"sample {check.samples[check.worst][0]}"
    texts = [[f"{each:.2g}" for each in row] for row in excess]
    with np.errstate(divide="ignore"):
        panel = _Panel(f"log10(error/bound), {label}", rows, columns, texts, np.log10(excess))
    _draw(figure, [panel] if rows else [], title)


def _draw(
    figure: "Figure", panels: Sequence[_Panel], title: str, *, is_rising: bool = False
) -> None:
    """Draw panels on one scale of colours: from 0 to 1, or to both sides of 0."""
    figure.suptitle(_label(title, 2 * _LONGEST_LABEL))
    if not panels:
        return
    shape = panels[0].values.shape
    # In inches, of which a name along an axis takes some.
    width, height = np.clip((2.5 + 0.75 * shape[1], 1.5 + 0.35 * max(shape)), 0, (12, 9))
    figure.set_size_inches(max(width, 6.0), len(panels) * height)
    largest = max(abs(each.values[np.isfinite(each.values)]).max(initial=0) for each in panels)
    low, high = (0.0, 1.0) if is_rising else (-(largest or 1.0), largest or 1.0)
    colours = _RISING if is_rising else _DIVERGING
    axes = figure.subplots(len(panels), squeeze=False)
    for each, panel in zip(axes.flat, panels, strict=True):
        each.set_title(_label(panel.title, 2 * _LONGEST_LABEL), fontsize="medium")
        values = np.clip(np.nan_to_num(panel.values, nan=high), low, high)
        if 1 in shape:
            _bars(each, panel, values.ravel(), colours)
        else:
            image = each.imshow(values, colours[0], vmin=low, vmax=high, aspect="auto")
            _heatmap(each, panel, image.to_rgba(values, bytes=True))
    if 1 not in shape:
        figure.colorbar(image, ax=figure.axes)


def _heatmap(axes: "Axes", panel: _Panel, colours: Any) -> None:
    """Name rows and columns; write the numbers where there is room."""
    _ticks(axes.set_xticks, panel.columns, rotation=40, ha="right", rotation_mode="anchor")
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
    axes.axvline(0, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.margins(x=0.2, y=0.01)


def _ticks(set_ticks: Callable[..., object], names: Sequence[str], **style: Any) -> None:
    places = range(0, len(names), -(-len(names) // _MOST_LABELS))
    set_ticks(places, [_label(names[k]) for k in places], **style)


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
        axis.set_major_formatter("{x:g}")
        axis.set_minor_formatter("")
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
