"""Frames of a clip, one after another: of a file that is decoded while it is read, or of an array.

What a container says of itself (how many frames, where they are) is wrong in many files, so frames are counted as they
are really decoded and no seek is made. A clip is decoded twice, once to count and once to take the frames that are
wanted; so only one frame is in memory at a time, however long the clip is.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from fusion.errors import SampleError
from fusion.modalities.cells import numbers_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

MAX_FRAME_PIXELS = 1 << 24
"""A frame of 5K video has 14.7 million."""
MAX_CLIP_PIXELS = 1 << 33
"""Two minutes of 1080p, an hour of 320 x 240; more takes minutes to decode, which is a mistake or a bomb."""

_SNIFFED_BYTES = 256
_SEARCHED_BYTES = 1 << 20
_CODEC = re.compile(rb"stsd.{12}([!-~]{4})|(V_[A-Z0-9/]+)|vids([!-~]{4})", re.DOTALL)
_CODEC_NAMES = {"av01": "AV1", "V_AV1": "AV1", "AV01": "AV1"}
_STEADY = 0.5
_TEXT = frozenset(bytes(range(32, 127)) + b"\t\r\n")
_SILENT = 0  # of OpenCV's levels of messages


class Clip(Protocol):
    """Frames in order, of shape (height, width, 3) in RGB or (height, width)."""

    def moments(self) -> NDArray[np.float64]:
        """When each frame is shown, in any unit; SampleError when there are none."""

    def at(self, positions: Sequence[int]) -> Iterator[NDArray[Any]]:
        """Give the frames at positions that never fall, the same frame more than once if asked."""


@dataclass(frozen=True)
class VideoFile:
    """A video file, decoded anew each time its frames are asked for.

    Parameters
    ----------
    path : Path

    Notes
    -----
    ``numpy.asarray`` gives all frames at once, shape (t, height, width, 3), uint8, RGB.
    """

    path: Path

    def checked(self) -> VideoFile:
        """Give this file if it can be one at all, see `check_file`."""
        check_file(self.path)
        return self

    def moments(self) -> NDArray[np.float64]:
        """When each frame that can be decoded is shown, in ms; SampleError when there are none or far too many.

        Files of variable frame rate, as telephones write them, show frames for unequal times. Where a file does not
        say when, its frames are numbered.
        """
        shown = []
        with _opened(self.path) as capture:
            most = MAX_CLIP_PIXELS // max(1, _pixels(capture))
            while capture.grab():
                shown.append(_moment(capture))
                if len(shown) > most:
                    raise SampleError(
                        "read", f"{self.path.name} has more than {most:,} frames of this size. Cut it into clips."
                    )
        if not shown:
            raise SampleError("read", f"{self.path.name} has no frame that can be decoded; {_undecoded(self.path)}")
        moments = np.array(shown)
        told = np.isfinite(moments).all() and (np.diff(moments) >= 0).all() and moments[-1] > moments[0]
        return moments if told else np.arange(len(shown), dtype=np.float64)

    def at(self, positions: Sequence[int]) -> Iterator[NDArray[np.uint8]]:
        """Give the frames at positions that never fall."""
        with _opened(self.path) as capture:
            reached, frame = -1, np.empty(0, np.uint8)
            for position in positions:
                if position > reached:
                    frame = self._frame(capture, position - reached)
                    reached = position
                yield frame

    def _frame(self, capture: Any, ahead: int) -> NDArray[np.uint8]:
        complete = all(capture.grab() for _ in range(ahead))
        taken, frame = capture.retrieve() if complete else (False, None)
        if not taken or frame is None or frame.ndim != 3:
            raise SampleError("read", f"{self.path.name} has a frame that cannot be decoded; it is damaged")
        rgb: NDArray[np.uint8] = frame[..., ::-1]
        return rgb

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:  # noqa: FBT001 - NumPy's protocol
        return np.stack(list(self.at(range(len(self.moments()))))).astype(dtype or np.uint8, copy=False)


@dataclass(frozen=True, eq=False)
class ArrayClip:
    """Frames of an array of shape (t, height, width, 3) or (t, height, width)."""

    frames: NDArray[Any]

    def __post_init__(self) -> None:
        shape = self.frames.shape
        if self.frames.ndim not in (3, 4) or 0 in shape or (self.frames.ndim == 4 and shape[3] not in (1, 3)):
            expected = "(frames, height, width, 3) or (frames, height, width), none of them 0"
            raise SampleError("prepare", f"video of shape {shape}; expected {expected}")

    def moments(self) -> NDArray[np.float64]:
        """Frames follow one another evenly."""
        return np.arange(len(self.frames), dtype=np.float64)

    def at(self, positions: Sequence[int]) -> Iterator[NDArray[Any]]:
        """Give the frames at positions."""
        for position in positions:
            frame = self.frames[position]
            yield frame[..., 0] if frame.ndim == 3 and frame.shape[-1] == 1 else frame


def clip_of(raw: Any) -> Clip:
    """Take a raw sample as a clip; SampleError when it is neither a video file nor an array of frames."""
    return raw if isinstance(raw, VideoFile) else ArrayClip(numbers_in(raw, "video"))


def evenly_spaced(frames: int, wanted: int) -> list[int]:
    """Choose positions from the first of `frames` frames to the last: the nearest to even steps, the earlier of two.

    A clip with fewer frames than are wanted shows some more than once; of one position, it is the middle.
    """
    steps = np.linspace(0.0, frames - 1.0, wanted) if wanted > 1 else np.array([(frames - 1) / 2])
    chosen: list[int] = np.ceil(steps - 0.5).astype(int).tolist()
    return chosen


def spaced_in_time(moments: NDArray[np.float64], wanted: int) -> list[int]:
    """Choose positions of frames at even steps of time from the first frame to the last.

    Parameters
    ----------
    moments : NDArray, shape=(frames,)
        When each is shown, never falling.
    wanted : int >= 1

    Returns
    -------
    list of int
        Where frames come at a steady rate, as `evenly_spaced` gives them; else those that are on show.
    """
    intervals = np.diff(moments)
    usual = float(np.median(intervals)) if len(intervals) else 0.0
    if wanted < 2 or usual <= 0 or (np.abs(intervals - usual) <= _STEADY * usual).all():
        return evenly_spaced(len(moments), wanted)
    at = np.linspace(moments[0], moments[-1], wanted) + 1e-3 * usual
    chosen: list[int] = (np.searchsorted(moments, at, side="right") - 1).tolist()
    return chosen


def _undecoded(path: Path) -> str:
    """Say why nothing can be decoded and what to do, with the codec that the file names."""
    with path.open("rb") as file:
        content = file.read(_SEARCHED_BYTES)
        file.seek(max(0, path.stat().st_size - _SEARCHED_BYTES))
        content += file.read(_SEARCHED_BYTES)
    found = _CODEC.search(content)
    codec = next((group for group in found.groups() if group), b"").decode("latin-1") if found else ""
    named = f" (its codec is {_CODEC_NAMES.get(codec, codec)})" if codec.isprintable() and codec else ""
    advice = "Turn a whole one into H.264 by ffmpeg"
    return f"it is damaged, cut short, or of a codec that is not decoded here{named}. {advice}"


def check_file(path: Path) -> None:
    """Raise SampleError when a path cannot be a video: no file, empty, unreadable, or text.

    Text is refused because a playlist or a session description would make the decoder open other files and addresses.
    """
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        # OpenCV would end the process.
        raise SampleError("read", f"{path.name!a} is not valid Unicode, nor can it be opened. Rename it.") from None
    if not path.is_file():
        found = "a folder" if path.is_dir() else "not a file" if path.exists() else "missing"
        raise SampleError("read", f"{path.name} is {found}; expected a video file")
    try:
        with path.open("rb") as file:
            begin = file.read(_SNIFFED_BYTES)
    except OSError as error:
        raise SampleError("read", f"{path.name} cannot be opened: {error.strerror}") from error
    if not begin:
        raise SampleError("read", f"{path.name} is empty; expected a video file")
    if _TEXT.issuperset(begin):
        raise SampleError("read", f"{path.name} holds text; expected a video file")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    check_file(path)
    import cv2

    capture = None
    try:
        with silent_opencv():
            # An absolute path is never taken for an address, nor a name with % in it for a series of pictures.
            capture = cv2.VideoCapture(str(path.absolute()), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
        if not capture.isOpened():
            raise SampleError("read", f"{path.name} holds no video; {_undecoded(path)}")
        if _pixels(capture) > MAX_FRAME_PIXELS:
            found = f"frames of {_width(capture)} x {_height(capture)}"
            raise SampleError(
                "read", f"{path.name} has {found}; expected at most {MAX_FRAME_PIXELS:,} pixels. Scale it."
            )
        yield capture
    except (cv2.error, MemoryError) as error:
        raise SampleError("read", f"{path.name} cannot be decoded: {type(error).__name__}: {error}") from error
    finally:
        if capture is not None:
            capture.release()


@contextmanager
def silent_opencv() -> Iterator[None]:
    """Keep OpenCV's and its decoder's messages off stderr; what is wrong is told by errors."""
    # The decoder reads this once, when it is first used; a user who wants its messages sets it before.
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    import cv2

    logs: Any = cv2 if hasattr(cv2, "getLogLevel") else cv2.utils.logging  # until OpenCV 4, and from 5 on
    level = logs.getLogLevel()
    logs.setLogLevel(_SILENT)
    try:
        yield
    finally:
        logs.setLogLevel(level)


def _moment(capture: Any) -> float:
    import cv2

    return float(capture.get(cv2.CAP_PROP_POS_MSEC))


def _width(capture: Any) -> int:
    import cv2

    return int(capture.get(cv2.CAP_PROP_FRAME_WIDTH))


def _height(capture: Any) -> int:
    import cv2

    return int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))


def _pixels(capture: Any) -> int:
    return _width(capture) * _height(capture)


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let OpenCV work in this thread alone: there is a worker process on each core already."""
    import cv2

    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(threads)
