"""Confusion matrix and residuals as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from numpy.typing import NDArray

from fusion.metrics import Evaluation, Figures, NumberEvaluation

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LONGEST_LABEL = 28
_BLUE, _GREY = "#1f5f99", "#9aa5b1"


def plot_figures(evaluation: Figures, predictions: pd.DataFrame | None, folder: Path) -> None:
    """Draw what figures can be seen: ``confusion.png`` of classes, ``residuals.png`` of numbers; of labels nothing."""
    if isinstance(evaluation, Evaluation):
        plot_confusion(evaluation, folder / "confusion.png")
    elif isinstance(evaluation, NumberEvaluation) and predictions is not None:
        plot_residuals(predictions, folder / "residuals.png", title=heading(evaluation))


def heading(evaluation: NumberEvaluation) -> str:
    """Say in one line how good numbers are."""
    low, high = evaluation.interval
    return (
        f"R2 {evaluation.r2:.3f} (95 %: {low:.3f} to {high:.3f}), mean absolute error {evaluation.mae:.3g}, "
        f"{evaluation.rows} rows"
    )


def plot_residuals(predictions: pd.DataFrame, path: str | Path, *, title: str = "") -> None:
    """Draw predicted against true numbers, and what is left, as a PNG.

    Parameters
    ----------
    predictions : DataFrame
        With the columns ``label`` (the true number) and ``predicted``; rows without a prediction are left out.
    path : path
        Where the PNG goes; an existing file is replaced.
    title : str
    """
    figure = residual_figure(predictions)
    FigureCanvasAgg(figure)
    figure.suptitle(drawable(title, 200), parse_math=False)
    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})


def residual_figure(predictions: pd.DataFrame) -> Figure:
    """Draw predicted numbers and residuals (predicted less true), both against the true ones."""
    told = predictions[predictions["predicted"].notna()]
    truth, predicted = (told[name].to_numpy(dtype=float) for name in ("label", "predicted"))
    figure = Figure(figsize=(8.6, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_predicted(predictions, left)
    right.axhline(0, color=_GREY, linewidth=1, linestyle="--")
    right.set_ylabel("predicted less true")
    _scatter(right, truth, predicted - truth)
    return figure


def draw_predicted(predictions: pd.DataFrame, axes: Axes) -> Axes:
    """Draw predicted numbers against the true ones, beside the line of those that are right."""
    told = predictions[predictions["predicted"].notna()]
    truth, predicted = (told[name].to_numpy(dtype=float) for name in ("label", "predicted"))
    ends = [float(np.min(truth)), float(np.max(truth))]
    axes.plot(ends, ends, color=_GREY, linewidth=1, linestyle="--")
    axes.set_ylabel("predicted")
    return _scatter(axes, truth, predicted)


def _scatter(axes: Axes, truth: NDArray[np.float64], values: NDArray[np.float64]) -> Axes:
    axes.scatter(truth, values, s=12, alpha=0.5, color=_BLUE, linewidths=0)
    axes.set_xlabel("true")
    axes.grid(alpha=0.3)
    return axes


def plot_confusion(evaluation: Evaluation, path: str | Path, *, title: str = "") -> None:
    """Draw the confusion matrix as a PNG: per cent of each true class, and counts.

    Labels are drawn as text (never as mathematics), in one line, cut to 28 characters.

    Parameters
    ----------
    evaluation : Evaluation
        Its confusion matrix, classes and accuracy are drawn.
    path : path
        Where the PNG goes; an existing file is replaced.
    title : str
        Goes before the accuracy.
    """
    count = len(evaluation.classes)
    cell = 0.85 if count <= 12 else 0.55 if count <= 25 else 0.34
    figure = Figure(figsize=(count * cell + 3.2, count * cell + 2.8), layout="constrained")
    FigureCanvasAgg(figure)
    draw_confusion(evaluation, figure.add_subplot(), title=title)
    figure.savefig(path, format="png", dpi=110, metadata={"Software": None})


def draw_confusion(evaluation: Evaluation, axes: Axes, *, title: str = "") -> Axes:
    """Draw what `plot_confusion` does on axes, and return them."""
    counts = evaluation.confusion
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    font = 9.0 if len(counts) <= 12 else 7.5 if len(counts) <= 25 else 5.5
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    _label_axes(axes, evaluation, totals.ravel())
    for row, column in zip(*np.nonzero(counts), strict=True):
        share = shares[row, column]
        text = f"{share:.0%}\n{counts[row, column]}"
        axes.text(column, row, text, ha="center", va="center", fontsize=font, color="white" if share > 0.5 else "black")
    low, high = evaluation.accuracy_interval
    heading = f"accuracy {evaluation.accuracy:.1%} (95 %: {low:.1%} to {high:.1%}), {evaluation.rows} rows"
    axes.set_title(drawable(f"{title}: {heading}" if title else heading, 200), parse_math=False, wrap=True)
    return axes


def _label_axes(axes: Axes, evaluation: Evaluation, totals: NDArray[np.int64]) -> None:
    names = [drawable(name, _LONGEST_LABEL) for name in evaluation.classes]
    places = range(len(names))
    rows = [f"{name} ({total})" for name, total in zip(names, totals, strict=True)]
    axes.set_xticks(places, names, rotation=90, parse_math=False)
    axes.set_yticks(places, rows, parse_math=False)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true (rows)")


def drawable(text: str, longest: int) -> str:
    """Put text on one line, cut, and replace what the font has no glyph for by a square."""
    line = " ".join(text.split())
    if len(line) > longest:
        line = line[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"
    glyphs = get_font(findfont(FontProperties())).get_charmap()
    return "".join(c if ord(c) in glyphs else "\N{WHITE SQUARE}" for c in line)
