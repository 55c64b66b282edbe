"""Pictures of a clip: an MP4 file, and a strip of frames above those of its reconstruction."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import DataError
from fusion.modalities.clips import evenly_spaced, silent_opencv

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_COLUMNS = 8
_SMALLEST = 16


def write_film(pictures: NDArray[np.uint8], path: Path, rate: float) -> None:
    """Write frames as MPEG-4 Part 2 in an MP4 file.

    Parameters
    ----------
    pictures : NDArray of uint8, shape=(t, height, width, 3)
        RGB. Odd sides lose nothing: the last row or column is shown twice. Tiny pictures are enlarged by whole factors.
    path : Path
    rate : float > 0
        Frames per second.

    Raises
    ------
    DataError
        When the file cannot be written.
    """
    import cv2

    factor = -(-_SMALLEST // min(pictures.shape[1:3]))
    shown = pictures.repeat(factor, axis=1).repeat(factor, axis=2)
    shown = np.pad(shown, ((0, 0), (0, shown.shape[1] % 2), (0, shown.shape[2] % 2), (0, 0)), mode="edge")
    if not path.parent.is_dir() or str(path.absolute()).encode(errors="ignore") != os.fsencode(path.absolute()):
        raise DataError(f"cannot write {path}; expected a name in Unicode in a folder that exists")
    code = cv2.VideoWriter.fourcc(*"mp4v")
    with silent_opencv():
        writer = cv2.VideoWriter(str(path.absolute()), cv2.CAP_FFMPEG, code, rate, (shown.shape[2], shown.shape[1]))
        if not writer.isOpened():
            raise DataError(f"cannot write {path}; check that its folder can be written")
        for frame in shown:
            writer.write(np.ascontiguousarray(frame[..., ::-1]))
        writer.release()


def plot_film(original: NDArray[np.uint8], reconstruction: NDArray[np.uint8], path: Path, title: str) -> None:
    """Draw up to eight frames of a clip above the same moments of its reconstruction, as a PNG.

    Parameters
    ----------
    original, reconstruction : NDArray of uint8, shape=(t, height, width, 3)
        RGB; the number of frames and their size may differ.
    path : Path
    title : str
    """
    from matplotlib.figure import Figure

    columns = min(_COLUMNS, len(original))
    figure = Figure(figsize=(1.4 * columns + 0.6, 3.6), layout="constrained")
    axes: Any = figure.subplots(2, columns, squeeze=False)
    for row, (name, clip) in enumerate((("original", original), ("reconstruction", reconstruction))):
        for axis, position in zip(axes[row], evenly_spaced(len(clip), columns), strict=True):
            axis.imshow(clip[position], interpolation="nearest")
            axis.set(xticks=[], yticks=[])
        axes[row, 0].set_ylabel(name, fontsize=8)
    figure.suptitle(title, fontsize=10, parse_math=False)
    figure.savefig(path, dpi=110, format="png")
