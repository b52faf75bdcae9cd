"""Charts, by matplotlib: bars and heatmaps of results and of a check's errors, and a sweep's."""

import logging
import math
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from softmax_cli.checking.sweep import Sweep
from softmax_cli.checking.verdict import Verdict, headline
from softmax_cli.display.heat import NEGATIVE, POSITIVE, ZERO, ink
from softmax_cli.display.parts import heading, parts, some_samples
from softmax_cli.display.screen import Screen, Table
from softmax_cli.errors import plural, visible
from softmax_cli.memory import require
from softmax_cli.options import OutputOptions
from softmax_cli.result import Arrays, Jacobian, Report, Result
from softmax_cli.samples import FloatArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_SAMPLES, _MOST_MATRICES, _LONGEST_LABEL = 100, 3, 40
# In inches: of a letter and a line; of the rows and columns of all panels, at most.
_LETTER, _LINE, _WIDEST, _HIGHEST = 0.085, 0.24, 14.0, 30.0
_LEAST_ERROR = 1e-18
# Apart for every kind of sight (Okabe and Ito 2008).
_METHODS = {"forward": "#0072b2", "central": "#d55e00", "complex-step": "#009e73"}
# Names are data, and text; nothing depends on the day or the machine.
_STYLE = {"text.parse_math": False, "svg.fonttype": "none", "pdf.fonttype": 42, "font.size": 11}
_STYLE |= {"axes.spines.top": False, "axes.spines.right": False}
_STYLE |= {"axes.autolimit_mode": "round_numbers", "svg.hashsalt": "softmax-cli"}
_SIGNED = [tuple(part / 255 for part in colour) for colour in (NEGATIVE, ZERO, POSITIVE)]
_SLANTED = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"}
_UNDATED = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}


class _Panel(NamedTuple):
    """Texts and values, shape (R, C), of rows and columns: a heatmap, or bars."""

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    texts: Sequence[Sequence[str]]
    values: FloatArray


def chart(result: Result, options: OutputOptions) -> bytes:
    """Make a figure."""
    require(160_000_000, "a chart")  # without so many bytes, BLAS would end the process
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    # A name of the environment's that matplotlib does not know would stop its import.
    os.environ["MPLBACKEND"] = "agg"
    from matplotlib import style
    from matplotlib.figure import Figure

    name, file = options.output_format, BytesIO()
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
        figure.savefig(file, dpi=200, bbox_inches="tight", metadata=_UNDATED.get(name))
    return file.getvalue()


def _arrays(result: Arrays, figure: "Figure") -> None:
    """Draw the first samples in one panel, or the first matrices in one each."""
    quantity, logits = result.quantity, result.logits
    most = _MOST_MATRICES if isinstance(quantity, Jacobian) else _MOST_SAMPLES
    first, shown = some_samples(logits.batches, logits.n_classes, (most, most, 0))
    drawn = replace(result, logits=replace(logits, blocks=iter([first])))
    panels, label = [], ""
    for part in parts(drawn, Screen(precision=3)):
        if isinstance(part, Table):
            n, rows = part.names, list(part.rows)
            # A sample that stands alone without a name has none on an axis.
            is_named = bool(label or len(rows) > 1 or logits.names_samples)
            labels = [", ".join(cell.text for cell in row[:n]) * is_named for row in rows]
            texts = [[cell.text for cell in row[n:]] for row in rows]
            values = np.array([[cell.value for cell in row[n:]] for row in rows])
            panels.append(_Panel(label, labels, part.headings[n:], texts, values))
        label = str(part)
    cut = f", the first {most} of {len(shown.names)} samples" * bool(shown.left_out)
    _draw(figure, panels, heading(result) + cut, quantity.key == "probabilities")


def _verdict(verdict: Verdict, figure: "Figure") -> None:
    """Draw how far errors are over or under their bounds, in the worst sample or in each."""
    check = verdict.decisive
    title = "\n".join([headline(check), *(f"cause: {each.name}" for each in check.diagnoses)])
    rows, columns = list(check.samples.labels[:_MOST_SAMPLES]), ["worst entry"]
    rows = [] if check.problem else rows
    label = f"the first {len(rows)} of {len(check.samples)} samples"
    excess = np.array([[check.samples[k][1].worst_excess] for k in range(len(rows))])
    if check.excess is not None:
        excess, is_matrix = np.atleast_2d(check.excess), check.excess.ndim > 1
        rows = [f"dy_{name}" for name in verdict.classes] if is_matrix else [""]
        columns = [f"dz_{name}" if is_matrix else name for name in verdict.classes]
        label = f"sample {check.samples[check.samples.furthest][0]}"
    texts = [[f"{each:.2g}" for each in row] for row in excess]
    panel = _Panel(f"log10(error/bound), {label}", rows, columns, texts, np.log10(excess))
    _draw(figure, [panel] if rows else [], title)


def _draw(figure: "Figure", panels: Sequence[_Panel], title: str, is_rising: bool = False) -> None:
    """Draw panels on one scale of colours: from 0 to 1, or to both sides of 0."""
    from matplotlib.colors import LinearSegmentedColormap

    figure.suptitle("\n".join(_label(each, 2 * _LONGEST_LABEL) for each in title.splitlines()))
    if not panels:
        return
    if len(panels[0].rows) == 1:
        panels = [_Panel(t, C, R, list(zip(*texts)), y.T) for t, R, C, texts, y in panels]  # noqa: B905
    n_rows, n_columns = panels[0].values.shape
    cell = max(_inches(text for row in each.texts for text in row) for each in panels) + _LETTER
    width = min(n_columns * max(cell, _LINE), _WIDEST)
    height = min(max(n_rows * _LINE, min(n_rows * 2 * _LINE, 3)), _HIGHEST / len(panels))
    beside, below = _inches(panels[0].rows), _inches(panels[0].columns)
    figure.set_size_inches(max(width + beside + 2, 7), (height + below + 1) * len(panels))
    largest = max(abs(each.values[np.isfinite(each.values)]).max(initial=0) for each in panels)
    low, high = (0.0, 1.0) if is_rising else (-(largest or 1.0), largest or 1.0)
    for each, panel in zip(figure.subplots(len(panels), squeeze=False).flat, panels, strict=True):
        each.set_title(_label(panel.title, 2 * _LONGEST_LABEL), fontsize="medium")
        _ticks(each.set_yticks, panel.rows, height)
        values = np.clip(np.nan_to_num(panel.values, nan=high), low, high)
        if n_columns == 1:
            _bars(each, panel, values[:, 0], has_numbers=n_rows * _LINE <= height)
            each.set_xlim((0, 1) if is_rising else None)
            continue
        _ticks(each.set_xticks, panel.columns, width, **_SLANTED)
        colours = "cividis" if is_rising else LinearSegmentedColormap.from_list("", _SIGNED)
        image = each.imshow(values, colours, vmin=low, vmax=high, aspect="auto")
        if n_columns * cell <= _WIDEST and n_rows * _LINE <= height:
            _write(each, panel, image.to_rgba(values, bytes=True))
    if n_columns > 1:
        figure.colorbar(image, ax=figure.axes)


def _write(axes: "Axes", panel: _Panel, colours: Any) -> None:
    """Write the numbers of a heatmap."""
    for j, i in np.ndindex(panel.values.shape):
        text, colour = _label(panel.texts[j][i]), ink(colours[j, i, :3].tolist())
        axes.text(i, j, text, ha="center", va="center", color=colour, fontsize="small")


def _bars(axes: "Axes", panel: _Panel, values: FloatArray, *, has_numbers: bool) -> None:
    """Draw bars from 0, each with its number."""
    colours = [_SIGNED[2 * (v > 0)] for v in values]
    if has_numbers:
        bars = axes.barh(range(len(values)), values, color=colours)
        axes.bar_label(bars, [_label(row[0]) for row in panel.texts], padding=3)
    else:  # one artist for all of so many
        thick = max(1.0, 50 * _HIGHEST / len(values))
        axes.hlines(range(len(values)), 0, values, colours, linewidth=thick)
    axes.set_xlabel(_label(panel.columns[0]))
    axes.axvline(0, color="black", linewidth=0.8)
    axes.invert_yaxis()
    axes.margins(x=0.2, y=0.01, tight=False)


def _ticks(set_ticks: Callable[..., object], names: Sequence[str], room: float, **s: Any) -> None:
    """Name as many rows or columns as there is room for."""
    places = range(0, len(names), math.ceil(len(names) * _LINE / room))
    set_ticks(places, [_label(names[k]) for k in places], **s)


def _inches(labels: Iterable[str]) -> float:
    return _LETTER * min(max(map(len, labels)), _LONGEST_LABEL)


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
