"""An explanation as a picture: signals with their evidence, and bars of columns or layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fusion.explaining.evidence import BranchEvidence

_CHANNELS = 6
_FRAMES = 6
_BARS = 12
_WIDTH = 9.0
_MAPS, _FILMS = 3.6, 3.4
_COLOURS = "RdBu_r"


def draw_strips(branches: Sequence[BranchEvidence], title: str, path: Path) -> Path:
    """Draw the evidence of each modality as a strip of a PNG; red speaks for the class, blue against it."""
    from matplotlib.figure import Figure

    heights = [_height(branch) for branch in branches]
    figure = Figure(figsize=(_WIDTH, sum(heights) + 0.6), layout="constrained")
    strips = figure.subfigures(len(branches), 1, squeeze=False, height_ratios=heights)[:, 0]
    for strip, branch in zip(strips, branches, strict=True):
        _draw(strip, branch)
    figure.suptitle(title, fontsize=10, parse_math=False)
    figure.savefig(path, dpi=110, format="png")
    return path


def _height(branch: BranchEvidence) -> float:
    if branch.heat is None or branch.values is None:
        return 0.9 + 0.22 * min(_BARS, len(branch.parts))
    axes = branch.heat.ndim
    if axes == 1:
        return 0.8 + 0.8 * min(_CHANNELS, int(branch.values.shape[-1]))
    return _MAPS if axes == 2 else _FILMS


def _draw(strip: Any, branch: BranchEvidence) -> None:
    strip.suptitle(f"{branch.name}: {branch.total:+.2f} of the margin", fontsize=9, parse_math=False)
    if branch.heat is None or branch.values is None:
        _draw_bars(strip, branch.parts)
    elif branch.heat.ndim == 1:
        _draw_series(strip, branch, branch.values, branch.heat)
    elif branch.heat.ndim == 2:
        sound = branch.modality.name == "audio"  # whose maps have time along their first axis
        values = branch.values.swapaxes(0, 1) if sound else branch.values
        _draw_maps(strip, branch, [values], [branch.heat.T if sound else branch.heat])
    else:
        frames = np.unique(np.linspace(0, len(branch.heat) - 1, _FRAMES).round().astype(int))
        _draw_maps(strip, branch, list(branch.values[frames]), list(branch.heat[frames]))


def _draw_bars(strip: Any, parts: dict[str, float]) -> None:
    shown = sorted(parts.items(), key=lambda entry: -abs(entry[1]))[:_BARS][::-1]
    axis = strip.subplots()
    axis.barh([name for name, _ in shown], [value for _, value in shown], color=_signs(shown))
    axis.axvline(0, color="0.3", linewidth=0.8)
    axis.tick_params(labelsize=7)
    for label in axis.get_yticklabels():
        label.set_parse_math(False)
    axis.set_xlabel("added to the margin", fontsize=8)


def _signs(shown: list[tuple[str, float]]) -> list[str]:
    return ["#b2182b" if value > 0 else "#2166ac" for _, value in shown]


def _limit(heat: NDArray[np.float64]) -> float:
    return float(np.abs(heat).max()) or 1.0


def _draw_series(strip: Any, branch: BranchEvidence, values: NDArray[np.float32], heat: NDArray[np.float64]) -> None:
    """Draw the channels that vary most over their evidence; the colours are of the time, the same for all channels."""
    shown = np.sort(np.argsort(-values.var(axis=0), kind="stable")[:_CHANNELS])
    rate = getattr(branch.modality, "rate", None)
    end = len(values) if rate is None else len(values) / rate
    times = np.linspace(0, end, len(values))
    limit = _limit(heat)
    axes = strip.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
    for axis, channel in zip(axes, shown, strict=True):
        series = values[:, channel]
        low, high = float(series.min()) - 0.02, float(series.max()) + 0.02
        extent = (0, end, low, high)
        picture = axis.imshow(
            heat[None], extent=extent, aspect="auto", cmap=_COLOURS, vmin=-limit, vmax=limit, alpha=0.6
        )
        axis.plot(times, series, color="0.1", linewidth=1.0)
        axis.set_ylabel(branch.modality.channel_names[channel], fontsize=7, parse_math=False)
        axis.tick_params(labelsize=6)
    axes[-1].set_xlabel("readings" if rate is None else "seconds", fontsize=8)
    strip.colorbar(picture, ax=list(axes), pad=0.01).ax.tick_params(labelsize=6)


def _draw_maps(
    strip: Any, branch: BranchEvidence, values: list[NDArray[np.float32]], heats: list[NDArray[np.float64]]
) -> None:
    """Draw pictures, and under or beside each the same in grey with its evidence over it."""
    limit = max(map(_limit, heats))
    rows, columns = (1, 2) if len(values) == 1 else (2, len(values))
    axes = strip.subplots(rows, columns, squeeze=False)
    pairs = axes if len(values) == 1 else axes.T
    sound = branch.modality.name == "audio"
    origin, aspect = ("lower", "auto") if sound else ("upper", "equal")
    overlay: Any = None
    for (plain, marked), picture, heat in zip(pairs, values, heats, strict=True):
        grey = picture.mean(axis=-1)
        seen = picture.clip(0, 1) if picture.shape[-1] == 3 else grey
        plain.imshow(seen, cmap="magma" if sound else "gray", origin=origin, aspect=aspect)
        marked.imshow(grey, cmap="gray", origin=origin, aspect=aspect)
        overlay = marked.imshow(heat, cmap=_COLOURS, vmin=-limit, vmax=limit, alpha=0.6, origin=origin, aspect=aspect)
    for axis in axes.ravel():
        axis.set_axis_off()
    strip.colorbar(overlay, ax=list(axes.ravel()), pad=0.01).ax.tick_params(labelsize=6)
