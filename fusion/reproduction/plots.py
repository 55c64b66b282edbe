"""Pictures of the reproductions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Point = tuple[str, float, float]
"""Name, PSNR in dB, accuracy."""


def plot_psnr_accuracy(points: Mapping[str, Sequence[Point]], path: Path, title: str) -> None:
    """Draw accuracy over PSNR, one colour and line for each architecture, each point with its name.

    Parameters
    ----------
    points : mapping of str to sequence of Point
        By architecture, in the order of their steps.
    path : Path
        PNG to write.
    title : str
    """
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.subplots()
    for marker, (architecture, series) in zip("osD^vP", points.items(), strict=False):
        line = axes.plot([p[1] for p in series], [p[2] for p in series], marker=marker, linewidth=1, label=architecture)
        for name, psnr, accuracy in series:
            axes.annotate(
                name, (psnr, accuracy), xytext=(4, 4), textcoords="offset points", fontsize=7, color=line[0].get_color()
            )
    axes.set_xlabel("PSNR, dB")
    axes.set_ylabel("accuracy on the test rows")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, format="png", metadata={"Software": None})


def plot_curve(series: Mapping[str, Sequence[tuple[float, float]]], path: Path, title: str, horizontal: str) -> None:
    """Draw accuracy over a quantity on a logarithmic axis, one line for each model."""
    figure = Figure(figsize=(6.0, 3.8), layout="constrained")
    axes = figure.subplots()
    for name, points in series.items():
        axes.plot([x for x, _ in points], [y for _, y in points], marker="o", linewidth=1.2, label=name)
    axes.set_xscale("log")
    ticks = sorted({x for points in series.values() for x, _ in points})
    axes.set_xticks(ticks, [f"{x:,.0f}" for x in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(horizontal)
    axes.set_ylabel("accuracy on the test rows")
    axes.set_title(title, fontsize=10)
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110, format="png", metadata={"Software": None})
