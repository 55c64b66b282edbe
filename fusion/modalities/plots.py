"""Pictures of an original beside its reconstruction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_COLUMNS = 3
_MOST_CHANNELS = 12


def plot_channels(
    times: NDArray[Any],
    original: NDArray[Any],
    fitted_times: NDArray[Any],
    fitted: NDArray[Any],
    names: Sequence[str],
    path: Path,
    title: str,
    *,
    limits: NDArray[Any] | None = None,
) -> None:
    """Draw each channel of a window with its reconstruction over it, three channels in a row.

    Of more than twelve channels those that vary most are drawn.

    Parameters
    ----------
    times, fitted_times : NDArray, shape=(n,) and (m,)
    original, fitted : NDArray, shape=(n, channels) and (m, channels)
    names : sequence of str
    path : Path
        PNG to write.
    title : str
    limits : NDArray, shape=(channels, 2), optional
        Range of each channel that its axis shows, wider where a curve leaves it.
    """
    from matplotlib.figure import Figure

    if len(names) > _MOST_CHANNELS:
        shown = np.sort(np.argsort(-np.var(original, axis=0), kind="stable")[:_MOST_CHANNELS])
        title = f"{title}; the {_MOST_CHANNELS} of {len(names)} channels that vary most"
        original, fitted, names = original[:, shown], fitted[:, shown], [names[index] for index in shown]
        limits = None if limits is None else limits[shown]
    rows = -(-len(names) // _COLUMNS)
    figure = Figure(figsize=(4.0 * min(_COLUMNS, len(names)), 1.9 * rows + 0.8), layout="constrained")
    axes = figure.subplots(rows, min(_COLUMNS, len(names)), squeeze=False, sharex=True)
    for axis in axes.ravel()[len(names) :]:
        axis.set_visible(False)
    for index, (axis, name) in enumerate(zip(axes.ravel(), names, strict=False)):
        axis.plot(times, original[:, index], color="0.55", linewidth=1.8, label="original")
        axis.plot(fitted_times, fitted[:, index], color="C3", linewidth=1.0, label="reconstruction")
        if limits is not None and limits[index, 0] < limits[index, 1]:
            axis.axhspan(*limits[index], color="0.96", zorder=0)
            axis.update_datalim([(times[0], limits[index, 0]), (times[0], limits[index, 1])])
            axis.autoscale_view()
        axis.set_title(name, fontsize=9, parse_math=False)
        axis.tick_params(labelsize=7)
    figure.suptitle(title, fontsize=10, parse_math=False)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=8)
    figure.savefig(path, dpi=110, format="png")


def plot_images(original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:
    """Draw an image beside its reconstruction, each at its own resolution.

    Parameters
    ----------
    original, reconstruction : NDArray of uint8, shape=(height, width) or (height, width, 3)
    path : Path
        PNG to write.
    title : str
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 4.6), layout="constrained")
    for axis, picture, name in zip(
        figure.subplots(1, 2), (original, reconstruction), ("original", "reconstruction"), strict=True
    ):
        axis.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axis.set_title(f"{name}, {picture.shape[0]} x {picture.shape[1]}", fontsize=9)
        axis.set_axis_off()
    figure.suptitle(title, fontsize=10, parse_math=False)
    figure.savefig(path, dpi=110, format="png")
