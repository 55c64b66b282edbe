"""The report's charts, as SVG images that a page can hold without a request."""

from __future__ import annotations

import io
from base64 import b64encode
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from fusion.models.plots import drawable, residual_figure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from fusion.reporting.breakdown import Part
    from fusion.reporting.content import ModalityPart, ModelFigures, Reconstruction

BLUE, GREY, ORANGE = "#1f5f99", "#9aa5b1", "#c8661b"
_STYLE = {"font.size": 9, "svg.hashsalt": "functa"}


def score_chart(models: Sequence[ModelFigures], name: str, written: Callable[[float], str]) -> str:
    """Draw the score of each model with its interval, the fused ones in blue; what is below 0 is cut."""
    figure = Figure(figsize=(7.2, 0.42 * len(models) + 0.9), layout="constrained")
    axes = figure.subplots()
    places = np.arange(len(models))[::-1]
    colours = [BLUE if model.fused or len(models) == 1 else GREY for model in models]
    axes.barh(places, [max(model.evaluation.score, 0.0) for model in models], color=colours, height=0.62)
    for place, model in zip(places, models, strict=True):
        low, high = (max(limit, 0.0) for limit in model.evaluation.interval)
        axes.plot([low, high], [place, place], color="black", linewidth=1.4)
        axes.text(min(high + 0.012, 1.02), place, written(model.evaluation.score), va="center", fontsize=8.5)
    axes.set_yticks(places, [drawable(model.name, 30) for model in models], parse_math=False)
    axes.set_xlim(0, 1.1)
    axes.set_xlabel(f"{name} on the test rows; the line is the 95 % interval")
    return svg_image(figure)


def psnr_chart(reconstructions: Sequence[Reconstruction]) -> str:
    """Draw the distribution of each modality's PSNR, where it is told of right and wrong rows."""
    figure = Figure(figsize=(7.2, 1.9 * len(reconstructions) + 0.4), layout="constrained")
    for axes, part in zip(figure.subplots(len(reconstructions), squeeze=False)[:, 0], reconstructions, strict=True):
        psnr, correct = np.asarray(part.psnr, dtype=float), np.asarray(part.correct, dtype=bool)
        split = [psnr[correct], psnr[~correct]] if len(correct) else [psnr]
        edges = np.histogram_bin_edges(psnr, bins=min(40, max(5, len(psnr) // 15)))
        axes.hist(
            split,
            bins=edges,
            stacked=True,
            color=[BLUE, ORANGE][: len(split)],
            label=["right", "wrong"] if len(correct) else ["all"],
        )
        axes.set_title(drawable(part.name, 40), fontsize=9, loc="left", parse_math=False)
        axes.set_xlabel("PSNR, dB")
        axes.set_ylabel("test rows")
        axes.legend(fontsize=8, frameon=False)
    return svg_image(figure)


def calibration_chart(parts: Sequence[Part]) -> str:
    """Draw the accuracy of rows against how sure the model was; on the line it was as often right as it said."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--")
    sizes = [20 + 180 * part.rows / max(other.rows for other in parts) for part in parts]
    axes.plot([part.sure for part in parts], [part.accuracy for part in parts], color=BLUE, linewidth=1)
    axes.scatter([part.sure for part in parts], [part.accuracy for part in parts], s=sizes, color=BLUE, alpha=0.7)
    axes.set_xlim(0, 1.02)
    axes.set_ylim(-0.03, 1.05)
    axes.set_xlabel("probability of the class that was named")
    axes.set_ylabel("accuracy")
    axes.grid(alpha=0.3)
    return svg_image(figure)


def residuals_chart(table: pd.DataFrame) -> str:
    """Draw predicted numbers and residuals against the true ones."""
    return svg_image(residual_figure(table))


def missing_chart(parts: Sequence[ModalityPart], name: str) -> str:
    """Draw the fusion's score as one modality is missing in more and more test rows."""
    figure = Figure(figsize=(7.2, 3.0), layout="constrained")
    axes = figure.subplots()
    for marker, part in zip("osD^vPX*" * 4, parts, strict=False):
        if part.missing:
            shares, accuracies = zip(*part.missing, strict=True)
            axes.plot(shares, accuracies, marker=marker, label=f"{drawable(part.name, 30)} missing")
    axes.set_xlabel("share of test rows without it")
    axes.set_ylabel(name)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, frameon=False)
    return svg_image(figure)


def png_image(content: bytes) -> str:
    """Give a PNG as a data URI."""
    return f"data:image/png;base64,{b64encode(content).decode()}"


def svg_image(figure: Any) -> str:
    """Give a figure as a data URI."""
    buffer = io.BytesIO()
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    with rc_context(_STYLE):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return f"data:image/svg+xml;base64,{b64encode(buffer.getvalue()).decode()}"
