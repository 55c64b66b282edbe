"""Small video files, whole and damaged: a bright square goes its way over a dark ground."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fusion.errors import SampleError
from fusion.modalities.clips import silent_opencv
from fusion.modalities.video import VideoModality


def moving_square(frames: int = 20, height: int = 48, width: int = 64, seed: int = 0) -> NDArray[np.uint8]:
    """Draw a clip of shape (frames, height, width, 3) in RGB; the seed chooses colours and the way."""
    rng = np.random.default_rng(seed)
    clip = np.full((frames, height, width, 3), rng.integers(20, 60, 3), np.uint8)
    side, shade, row = height // 4, rng.integers(150, 250, 3), int(rng.integers(0, height // 2))
    for index in range(frames):
        column = index * (width - side) // max(1, frames - 1)
        clip[index, row : row + side, column : column + side] = shade
    return clip


def write_video(path: Path, clip: NDArray[Any], code: str = "mp4v") -> Path:
    """Write a clip with any of OpenCV's codecs, such as mp4v, MJPG or XVID."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with silent_opencv():
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*code), 25.0, clip.shape[2:0:-1])
        assert writer.isOpened()
        for frame in clip:
            writer.write(np.ascontiguousarray(frame[..., ::-1]))
        writer.release()
    return path


def write_splits(folder: Path, codes: Mapping[str, str], split: int = 1) -> None:
    """Write official split files; `codes` maps ``<class>/<clip>.avi`` to 0, 1 or 2."""
    folder.mkdir(parents=True, exist_ok=True)
    for label in sorted({name.partition("/")[0] for name in codes}):
        lines = [f"{name.partition('/')[2]} {code} " for name, code in codes.items() if name.startswith(f"{label}/")]
        (folder / f"{label}_test_split{split}.txt").write_text("\n".join(lines) + "\n")


def mutated(content: bytes, seed: int) -> bytes:
    """Damage a file: bytes, numbers of four bytes at an extreme, parts cut out, repeated or cut off."""
    rng = np.random.default_rng(seed)
    damaged = bytearray(content)
    for _ in range(int(rng.integers(1, 6))):
        # Half of the damage falls on the file's first and last kilobytes, where its tables are.
        ends = [int(rng.integers(0, 1024)), len(damaged) - int(rng.integers(1, 4096))]
        at = max(0, int(rng.choice([*ends, *rng.integers(0, len(damaged), 2)])))
        kind = int(rng.integers(5))
        if kind == 0:
            spots = (at + rng.integers(0, 256, int(rng.integers(1, 40)))) % len(damaged)
            for spot in spots:
                damaged[spot] = int(rng.integers(256))
        elif kind == 1:
            damaged[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x01"])
        elif kind == 2:
            del damaged[at : at + int(rng.integers(1, 200))]
        elif kind == 3:
            damaged[at:at] = damaged[at : at + int(rng.integers(1, 2000))]
        else:
            del damaged[int(rng.integers(len(damaged) // 4, len(damaged))) :]
        if len(damaged) < 64:
            break
    return bytes(damaged)


def read_mutated(job: tuple[Path, int, Path]) -> tuple[int, str, float, int]:
    """Read one damaged copy: its seed, "clip" or the reason, seconds, and the process's peak in MiB."""
    source, seed, folder = job
    path = folder / f"{seed}{source.suffix}"
    path.write_bytes(mutated(source.read_bytes(), seed))
    begin, modality = time.perf_counter(), VideoModality(size=(8, 8), frames=4)
    try:
        assert modality.prepare(modality.read(path)).shape == (4, 8, 8, 3)
        outcome = "clip"
    except SampleError as error:
        outcome = str(error)
    finally:
        path.unlink()
    return seed, outcome, time.perf_counter() - begin, peak_memory()


def peak_memory() -> int:
    """Most memory that this process ever held, in MiB; `getrusage` would count what its parent held when it began."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def peak_of_reading(path: Path) -> int:
    """Read one clip and give the process's peak in MiB."""
    VideoModality().prepare(VideoModality().read(path))
    return peak_memory()
