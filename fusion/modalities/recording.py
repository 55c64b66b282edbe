"""Sound as it was recorded: mono samples and their rate, read from files and brought to another rate and length."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import SampleError
from fusion.modalities.quiet import quiet_stderr

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")
RATES = (1_000, 768_000)
"""Samples per second that a file may have."""
MAX_SAMPLES = 1 << 25
"""Samples of one recording that are read, 12 minutes at 44.1 kHz; what comes after them is left in the file."""

_BLOCK_VALUES = 1 << 20
_QUIET_FORMATS = (b"RIFF", b"fLaC", b"OggS", b"FORM")


@dataclass(frozen=True, eq=False)
class Recording:
    """One sound at its own sampling rate.

    Parameters
    ----------
    samples : NDArray of float32, shape=(n,)
        Mono; the full scale of the file is -1 to 1, files of floating point numbers may go beyond.
    rate : float
        Samples per second.
    """

    samples: NDArray[np.float32]
    rate: float

    @property
    def seconds(self) -> float:
        """Duration."""
        return len(self.samples) / self.rate


def read_recording(path: Path, suffixes: tuple[str, ...] = SUFFIXES) -> Recording:
    """Read a sound file, at most `MAX_SAMPLES` of it; several channels are averaged.

    Memory follows what is decoded, block by block, not what the header of the file claims.

    Raises
    ------
    SampleError
        When it is no file of such a suffix, cannot be opened or decoded, or holds no samples.
    """
    if path.suffix.lower() not in suffixes:
        raise SampleError("read", f"{path.name} is no sound by its name; expected one of {', '.join(suffixes)}")
    _require_content(path)
    import soundfile

    try:
        # Opened here, so that what the system says (no permission, say) is not lost in the library.
        with (
            path.open("rb", buffering=0) as file,
            _quiet(file),
            soundfile.SoundFile(file.fileno(), closefd=False) as opened,
        ):
            return _read_blocks(opened, path.name)
    except OSError as error:
        raise SampleError("read", f"{path.name} cannot be opened: {error.strerror or error}") from error
    except (soundfile.SoundFileError, RuntimeError, ValueError, TypeError) as error:
        said = str(getattr(error, "error_string", error)).removeprefix("Error : ").strip().rstrip(".")
        raise SampleError(
            "read", f"{path.name} is not a sound that can be decoded: {said}; it may be damaged"
        ) from error


def _require_content(path: Path) -> None:
    found = "missing"
    if path.is_file():
        found = "" if path.stat().st_size else "empty"
    elif path.exists():
        found = "a directory" if path.is_dir() else "no regular file"
    if found:
        raise SampleError("read", f"{path.name} is {found}; expected a sound file")


@contextmanager
def _quiet(file: FileIO) -> Iterator[None]:
    """Keep the decoder of MP3 from writing what it finds odd to the standard error, past Python."""
    begin = file.read(4)
    file.seek(0)
    if begin in _QUIET_FORMATS:
        yield
        return
    with quiet_stderr():
        yield


def _read_blocks(opened: Any, name: str) -> Recording:
    rate, channels = opened.samplerate, opened.channels
    if not RATES[0] <= rate <= RATES[1]:
        raise SampleError("read", f"{name} has {rate} samples per second; expected {RATES[0]:,} to {RATES[1]:,}")
    blocks: list[NDArray[np.float32]] = []
    left = MAX_SAMPLES
    size = max(1, _BLOCK_VALUES // channels)
    while left > 0:
        block = opened.read(min(size, left), dtype="float32", always_2d=True)
        if not len(block):
            break
        blocks.append(block.mean(axis=1, dtype=np.float32))
        left -= len(block)
    if not blocks:
        raise SampleError("read", f"{name} holds no samples; expected at least one")
    return Recording(np.concatenate(blocks), float(rate))


def fitted_to(recording: Recording, rate: float, points: int) -> NDArray[np.float32]:
    """Resample a recording to `rate`, and trim its end, or pad it with silence, to `points` samples.

    Returns
    -------
    NDArray of float32, shape=(points,)

    Raises
    ------
    SampleError
        When a sample is not a finite number.
    """
    # Trimmed before it is resampled, so that the result is never much longer than what is kept of it.
    needed = math.ceil(points * recording.rate / rate) + 1
    samples = recording.samples[:needed]
    require_finite(samples)
    if rate != recording.rate:
        import soxr

        samples = soxr.resample(samples, recording.rate, rate)
        require_finite(samples)
    kept = np.zeros(points, np.float32)
    kept[: len(samples)] = samples[:points]
    return kept


def mono(array: Any) -> NDArray[np.float32]:
    """Average the channels of an array of shape (n,) or (n, channels); SampleError when it is something else."""
    samples = np.asarray(array)
    if samples.dtype.kind not in "fiu" or samples.ndim not in (1, 2) or 0 in samples.shape:
        raise SampleError(
            "prepare",
            f"sound of shape {samples.shape} and type {samples.dtype}; expected numbers of shape (samples,) or "
            "(samples, channels), none of them 0",
        )
    return samples.astype(np.float32) if samples.ndim == 1 else samples.mean(axis=1, dtype=np.float32)


def require_finite(samples: NDArray[Any]) -> None:
    """Raise SampleError when a sample is NaN or infinite, or turned so because it was too large."""
    finite = np.isfinite(samples)
    if not finite.all():
        place = int(np.argmin(finite))
        raise SampleError("prepare", f"{samples[place]} at sample {place}; expected finite numbers")
