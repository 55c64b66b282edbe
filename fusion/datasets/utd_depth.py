"""UTD-MHAD's depth camera: what stands before it, as a video of distances.

Chen, Jafari, Kehtarnavaz, ICIP 2015; see `fusion.datasets.utd_mhad` for the trials and the sensors of the same IDs.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.datasets.utd_mhad import trial_files, trial_sample
from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.arrays import read_mat, read_npz
from fusion.modalities.video import VideoModality

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from fusion.datasets.base import Sample

_MAX_BYTES = 1 << 28
_MILLIMETRES = 16.0
_MIDDLE, _NEARER = 128.0, 4.0
_MARGIN = 1.05
_SHARE = 0.05
"""A row or column belongs to the person where something is measured in so large a share of the frames."""


class UtdDepth:
    """Depth videos, one grey value for each pixel.

    Raw arrays have shape (frames, height, width), uint8.

    Parameters
    ----------
    root : path
        The folder that holds ``Depth60x80`` with files ``a<A>_s<S>_t<T>_depth60x80.npz`` (60 x 80 pixels, distance in
        units of 16 mm, 0 where nothing was measured), or the authors' ``Depth`` with ``a<A>_s<S>_t<T>_depth.mat``
        (240 x 320 pixels, millimetres); or that folder itself.
    crop : bool
        Cut each trial to the square around all that the person ever takes up, so that where they stand does not
        matter. False keeps whole frames.
    relative : bool
        Give how much nearer than the person's median distance a point is: 128 at the median, brighter where nearer, 4
        levels for each 16 mm, 0 where nothing was measured. False keeps the distance in units of 16 mm.

    Raises
    ------
    DataError
        When the folder is missing or has no such files.
    """

    name = "utd-mhad-depth"
    modality = "video"

    def __init__(self, root: str | Path, *, crop: bool = True, relative: bool = True) -> None:
        for name, value in (("crop", crop), ("relative", relative)):
            if not isinstance(value, bool):
                raise ConfigError(f"{name} is {value!r}; expected true or false")
        self.crop, self.relative = crop, relative
        self._loaders = _loaders(Path(root))

    @property
    def options(self) -> dict[str, Any]:
        """What the reader was opened with."""
        return {"crop": self.crop, "relative": self.relative}

    def default_modality(self) -> VideoModality:
        """Give a grey video."""
        return VideoModality(transform="grey")

    def __iter__(self) -> Iterator[Sample]:
        for trial, load in self._loaders.items():
            yield trial_sample(trial, partial(_depth, load, crop=self.crop, relative=self.relative))


def around_person(depth: NDArray[Any]) -> NDArray[Any]:
    """Cut frames to the square around the person, the same for all of them; what lies outside them is 0.

    Parameters
    ----------
    depth : NDArray, shape=(frames, height, width)
        0 where nothing was measured.

    Returns
    -------
    NDArray, shape=(frames, side, side)
    """
    measured = (depth > 0).mean(axis=0) >= _SHARE
    rows, columns = (np.flatnonzero(measured.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        raise SampleError("read", "nothing was measured in any frame; expected a person before the camera")
    side = int(np.ceil(_MARGIN * max(np.ptp(rows), np.ptp(columns)) + 1))
    top, left = (round((axis[0] + axis[-1] + 1 - side) / 2) for axis in (rows, columns))
    padded = np.pad(depth, ((0, 0), (side, side), (side, side)))
    return padded[:, top + side : top + 2 * side, left + side : left + 2 * side]


def nearness(depth: NDArray[Any]) -> NDArray[np.uint8]:
    """How much nearer than the median each point is: 1 to 255, 128 at the median, 0 where nothing was measured."""
    measured = depth > 0
    if not measured.any():
        return np.zeros(depth.shape, np.uint8)
    nearer = float(np.median(depth[measured])) - depth.astype(np.float32)
    levels = np.clip(np.rint(_MIDDLE + _NEARER * nearer), 1.0, 255.0)
    return np.where(measured, levels, 0.0).astype(np.uint8)


def _depth(load: Callable[[], NDArray[Any]], *, crop: bool, relative: bool) -> NDArray[Any]:
    depth = load()
    if depth.ndim != 3 or 0 in depth.shape:
        raise SampleError("read", f"depth of shape {depth.shape}; expected (frames, height, width), none of them 0")
    if crop:
        depth = around_person(depth)
    return nearness(depth) if relative else depth


def _loaders(root: Path) -> dict[str, Callable[[], NDArray[Any]]]:
    try:
        files = trial_files(root, "Depth60x80", "_depth60x80.npz")
    except DataError:
        files = {}
    if files:
        return {trial: partial(read_npz, path, "depth", max_bytes=_MAX_BYTES) for trial, path in files.items()}
    return {trial: partial(_of_mat, path) for trial, path in trial_files(root, "Depth", "_depth.mat").items()}


def _of_mat(path: Path) -> NDArray[np.uint8]:
    millimetres = read_mat(path, "d_depth", max_bytes=_MAX_BYTES)
    if millimetres.ndim != 3:
        raise SampleError("read", f"{path.name}: d_depth of shape {millimetres.shape}; expected (240, 320, frames)")
    levels = np.clip(np.rint(millimetres.transpose(2, 0, 1) / np.float32(_MILLIMETRES)), 0, 255)
    return levels.astype(np.uint8)
