"""Video: three coordinates, time, height and width; three values, or one in grey, or two of motion (paper, Table 6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.arrays import read_npy
from fusion.modalities.base import Modality
from fusion.modalities.clips import VideoFile, clip_of, single_threaded, spaced_in_time
from fusion.modalities.scaling import ChannelStatistics, Scaling

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

Transform = Literal["grey", "flow"]

MAX_POINTS = 1 << 24
FLOW_SIZE = 128
_CHANNELS = {None: 3, "grey": 1, "flow": 2}
_FLOW_SPREAD = 4.0
_EIGHT_BITS = (0.0, 255.0)
_TURNED = {0: (0, 1), 1: (1,), 2: (0,)}
_SECONDS = 2.0
_FARNEBACK: dict[str, Any] = dict(  # noqa: C408 - names of arguments
    pyr_scale=0.5, levels=4, winsize=15, iterations=3, poly_n=5, poly_sigma=1.2, flags=0
)


@dataclass(frozen=True)
class VideoModality(Modality):
    """Clips of shape (frames, height, width, 3), or without the last where they are grey.

    Parameters
    ----------
    size : (int, int) or None
        Height and width to resize frames to, without regard to their proportions; None takes the first training
        clip's.
    frames : int or None
        Frames to take, at even steps of time from the first to the last; None takes the first training clip's
        number.
    transform : {None, "grey", "flow"}
        ``grey`` is brightness alone; ``flow`` is motion, see Notes.
    limits : (float, float)
        Black and white of the raw values, which must lie between them; clips of floats from 0 to 1 need their own.

    Notes
    -----
    Flow is dense optical flow by Farneback's method (SCIA 2003) from each frame taken to the next, one frame more than
    `frames`, in brightness at 128 x 128 pixels, or the size of the result where that is larger. Its two values are how
    far what is seen there moves to the right and down, in percent of the frame's width and height. It is to video what
    MFCC is to sound (paper, Section 5.2).
    """

    name: ClassVar[str] = "video"
    suffixes: ClassVar[tuple[str, ...]] = (
        *(".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".npy", ".webm", ".wmv"),
    )
    size: tuple[int, int] | None = (32, 32)
    frames: int | None = 16
    transform: Transform | None = None
    limits: tuple[float, float] = _EIGHT_BITS

    def __post_init__(self) -> None:
        object.__setattr__(self, "limits", tuple(float(limit) for limit in self.limits))
        if self.size is not None:
            object.__setattr__(self, "size", tuple(int(side) for side in self.size))
            if len(self.size) != 2 or min(self.size) < 1:
                raise ConfigError(f"video size is {self.size}; expected a height and a width of 1 pixel or more")
        if self.frames is not None and self.frames < 1:
            raise ConfigError(f"video frames is {self.frames}; expected 1 or more")
        if self.transform not in _CHANNELS:
            raise ConfigError(f"video transform is {self.transform!r}; expected 'grey', 'flow' or none")
        if len(self.limits) != 2 or not -np.inf < self.limits[0] < self.limits[1] < np.inf:
            raise ConfigError(f"video limits are {self.limits}; expected two numbers, the lower first")
        if self.size is not None and self.frames is not None and self.points > MAX_POINTS:
            shape = " x ".join(map(str, self.grid))
            raise ConfigError(f"video grid is {shape}; expected at most {MAX_POINTS:,} points. Choose a smaller size.")

    @property
    def grid(self) -> tuple[int, ...]:
        if self.size is None or self.frames is None:
            raise ConfigError("size and frames are not known yet: set them, or fit the encoder on training clips")
        return (self.frames, *self.size)

    @property
    def d_out(self) -> int:
        return _CHANNELS[self.transform]

    @property
    def channel_names(self) -> tuple[str, ...]:
        return {None: ("red", "green", "blue"), "grey": ("grey",), "flow": ("right", "down")}[self.transform]

    def turned(self, axis: int) -> tuple[int, ...]:
        return _TURNED[axis] if self.transform == "flow" else ()

    def resolved(self, raw: Any) -> VideoModality:
        clip = clip_of(raw)
        frames = self.frames or len(clip.moments())
        height, width = self.size or next(iter(clip.at([0]))).shape[:2]
        return replace(self, frames=frames, size=(height, width))

    def prepare(self, raw: Any) -> NDArray[np.float32]:
        clip = clip_of(raw)
        positions = spaced_in_time(clip.moments(), self.grid[0] + (self.transform == "flow"))
        with single_threaded():
            return self._prepared(self._all_checked(clip.at(positions)))

    def fixed_scaling(self) -> Scaling | None:
        if self.transform == "flow":
            return None
        low, high = (np.full(self.d_out, limit, np.float32) for limit in self.limits)
        return Scaling(low, high)

    def learned_scaling(self, statistics: ChannelStatistics) -> Scaling:
        # Rest must stand at one half, so the limits lie at the same distance on both sides.
        given = statistics.scaling(spread=None)
        centred = replace(statistics, low=tuple(-x for x in _reach(given)), high=_reach(given), sums=(0,) * self.d_out)
        return centred.scaling(_FLOW_SPREAD)

    def read(self, path: Path) -> Any:
        if path.suffix.lower() == ".npy":
            return read_npy(path)
        return VideoFile(path).checked()

    def write(self, prepared: NDArray[Any], path: Path) -> None:
        from fusion.modalities.films import write_film

        if path.suffix.lower() != ".mp4":
            raise DataError(f"cannot write a video as {path.suffix or 'a file without suffix'}; expected .mp4")
        write_film(self._pictures(prepared), path, rate=len(prepared) / _SECONDS)

    def plot(self, original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:
        from fusion.modalities.films import plot_film

        plot_film(self._pictures(original), self._pictures(reconstruction), path, title)

    def _prepared(self, frames: Iterator[NDArray[Any]]) -> NDArray[np.float32]:
        size = (self.grid[1], self.grid[2])
        if self.transform == "flow":
            detail = (max(FLOW_SIZE, size[0]), max(FLOW_SIZE, size[1]))
            pictures = (self._brightness(resized(frame, detail)) for frame in frames)
            return np.stack([resized(motion(*pair), size) for pair in pairwise(pictures)])
        if self.transform == "grey":
            return np.stack([grey(resized(frame, size)) for frame in frames])[..., None]
        return np.stack([coloured(resized(frame, size)) for frame in frames])

    def _all_checked(self, frames: Iterator[NDArray[Any]]) -> Iterator[NDArray[Any]]:
        highest, whole = 0.0, True
        for frame in frames:
            yield self._checked(frame)
            highest, whole = max(highest, float(frame.max())), frame.dtype.kind != "f"
        if not whole and 0 < highest <= 1 and self.limits == _EIGHT_BITS:
            expected = "expected 0 to 255. Multiply them by 255, or set the modality's limits."
            raise SampleError("prepare", f"values up to {highest:g} in all frames; {expected}")

    def _checked(self, frame: NDArray[Any]) -> NDArray[Any]:
        low, high = float(frame.min()), float(frame.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise SampleError("prepare", "NaN or infinity in a frame; expected finite numbers")
        if low < self.limits[0] or high > self.limits[1]:
            expected = f"expected {self.limits[0]:g} to {self.limits[1]:g}. Set the modality's limits."
            raise SampleError("prepare", f"values from {low:g} to {high:g} in a frame; {expected}")
        return frame

    def _brightness(self, frame: NDArray[np.float32]) -> NDArray[np.uint8]:
        return _eight_bit(grey(frame), self.limits)

    def _pictures(self, prepared: NDArray[Any]) -> NDArray[np.uint8]:
        if self.transform == "flow":
            return painted(prepared)
        return np.broadcast_to(_eight_bit(prepared, self.limits), (*prepared.shape[:-1], 3))


def resized(frame: NDArray[Any], size: Sequence[int]) -> NDArray[np.float32]:
    """Bring a frame to (height, width): the mean of what falls into a pixel where it shrinks, linear where it grows."""
    import cv2

    wanted = np.ascontiguousarray(frame, dtype=np.float32)
    if wanted.shape[:2] == tuple(size):
        return wanted
    shrinks = wanted.shape[0] >= size[0] and wanted.shape[1] >= size[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    result: NDArray[np.float32] = cv2.resize(wanted, (size[1], size[0]), interpolation=how)
    return result


def grey(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Brightness of an RGB frame (Rec. 601), or the frame itself where it is grey."""
    return frame if frame.ndim == 2 else frame @ np.array([0.299, 0.587, 0.114], np.float32)


def coloured(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give a grey frame three equal colours."""
    return np.repeat(frame[..., None], 3, axis=-1) if frame.ndim == 2 else frame


def motion(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Dense optical flow between two grey frames, shape (height, width, 2), percent of width and of height."""
    import cv2

    estimate: Any = cv2.calcOpticalFlowFarneback
    pixels: NDArray[np.float32] = estimate(before, after, None, **_FARNEBACK)
    height, width = before.shape
    return pixels * np.array([100.0 / width, 100.0 / height], np.float32)


def painted(flow: NDArray[Any]) -> NDArray[np.uint8]:
    """Paint flow: the direction is the hue, the speed the brightness, the fastest of the clip full."""
    from matplotlib.colors import hsv_to_rgb

    speed = np.hypot(flow[..., 0], flow[..., 1])
    hue = (np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi)) % 1.0
    bright = speed / max(float(speed.max()), 1e-6)
    return _eight_bit(hsv_to_rgb(np.stack([hue, np.ones_like(hue), bright], axis=-1)), (0.0, 1.0))


def _eight_bit(values: NDArray[Any], limits: tuple[float, float]) -> NDArray[np.uint8]:
    share = (np.asarray(values, np.float32) - limits[0]) / (limits[1] - limits[0])
    eight_bit: NDArray[np.uint8] = np.rint(np.clip(share, 0.0, 1.0) * 255.0).astype(np.uint8)
    return eight_bit


def _reach(limits: Scaling) -> tuple[float, ...]:
    return tuple(np.maximum(np.abs(limits.low), np.abs(limits.high)).tolist())
