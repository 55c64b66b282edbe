"""Sound as it was recorded: mono samples and their rate, read from files and brought to another rate and length."""

from __future__ import annotations

import math
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import SampleError
from fusion.modalities.cells import numbers_in
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
_WAV_HEADER, _MOST_UNSAID, _UNSAID_SIZE = 1 << 12, 1 << 30, 0x7FFF0000
_CANCELLED = 0.01
_WIDEST_SAMPLE = 4
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
    cancelled : bool
        Whether its channels are of opposite sign, so that hardly anything is left of their average.
    """

    samples: NDArray[np.float32]
    rate: float
    cancelled: bool = False

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
        with path.open("rb", buffering=0) as file, _quiet(file):
            _refuse_cut_short(file, path)
            unsaid = _with_its_size(file)
            if unsaid is not None:
                with soundfile.SoundFile(unsaid) as opened:
                    return _read_blocks(opened, path.name)
            with soundfile.SoundFile(file.fileno(), closefd=False) as opened:
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


def _refuse_cut_short(file: FileIO, path: Path) -> None:
    """Refuse a WAV file that lacks samples which its header counts, as a copy that broke off does."""
    begin = file.read(_WAV_HEADER)
    file.seek(0)
    if begin[:4] != b"RIFF" or begin[8:12] != b"WAVE":
        return
    position = 12
    while position + 8 <= len(begin):
        size = int.from_bytes(begin[position + 4 : position + 8], "little")
        if begin[position : position + 4] == b"data":
            there = path.stat().st_size - position - 8
            # Programs that write into a pipe leave the largest size there is, or half of it.
            if size < _UNSAID_SIZE and there < 0.99 * size:
                raise SampleError("read", f"{path.name} holds {there:,} of {size:,} bytes of sound; it is cut short")
            return
        position += 8 + size + size % 2


def _with_its_size(file: FileIO) -> BytesIO | None:
    """Give a WAV file whose header says that it has no samples, though they follow, with their size.

    A recorder that is cut off, or that writes into a pipe, never comes back to fill in the size. None for every other
    file.
    """
    begin = file.read(_WAV_HEADER)
    file.seek(0)
    place = begin.find(b"data\0\0\0\0") if begin[:4] == b"RIFF" and begin[8:12] == b"WAVE" else -1
    if place < 0:
        return None
    content = bytearray(file.read(_MOST_UNSAID))
    file.seek(0)
    size = len(content) - place - 8
    if not size or _is_chunks(content[place + 8 :]):
        return None
    content[place + 4 : place + 8] = size.to_bytes(4, "little")
    content[4:8] = (len(content) - 8).to_bytes(4, "little")
    return BytesIO(content)


def _is_chunks(content: bytearray) -> bool:
    """Tell whether bytes are other chunks to their very end: then there are no samples."""
    position = 0
    while position + 8 <= len(content):
        if not content[position : position + 4].decode("latin-1").isalpha():
            return False
        size = int.from_bytes(content[position + 4 : position + 8], "little")
        position += 8 + size + size % 2
    return position >= len(content) > 0


def _read_blocks(opened: Any, name: str) -> Recording:
    rate, channels = opened.samplerate, opened.channels
    if not RATES[0] <= rate <= RATES[1]:
        raise SampleError("read", f"{name} has {rate} samples per second; expected {RATES[0]:,} to {RATES[1]:,}")
    blocks: list[NDArray[np.float32]] = []
    power = 0.0
    left = MAX_SAMPLES
    size = max(1, _BLOCK_VALUES // channels)
    while left > 0:
        block = opened.read(min(size, left), dtype="float32", always_2d=True)
        if not len(block):
            break
        blocks.append(block.mean(axis=1, dtype=np.float32))
        power += 0.0 if channels == 1 else float(np.square(block, dtype=np.float64).mean(axis=1).sum())
        left -= len(block)
    if not blocks:
        raise SampleError("read", f"{name} holds no samples; expected at least one")
    samples = np.concatenate(blocks)
    cancelled = channels > 1 and float(np.square(samples, dtype=np.float64).sum()) < _CANCELLED * power
    return Recording(samples, float(rate), cancelled)


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
    """Average the channels of an array of shape (n,) or (n, channels); SampleError when it is something else.

    Whole numbers are brought to -1 to 1 by their type, as those in a file are: 8 bits without sign lie around 128.
    """
    samples = numbers_in(array, "sound")
    if samples.dtype.kind not in "fiu" or samples.ndim not in (1, 2) or 0 in samples.shape:
        raise SampleError(
            "prepare",
            f"sound of shape {samples.shape} and type {samples.dtype}; expected numbers of shape (samples,) or "
            "(samples, channels), none of them 0",
        )
    scaled = _full_scale(samples)
    return scaled if scaled.ndim == 1 else scaled.mean(axis=1, dtype=np.float32)


def _full_scale(samples: NDArray[Any]) -> NDArray[np.float32]:
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    if samples.dtype.itemsize > _WIDEST_SAMPLE:
        raise SampleError(
            "prepare",
            f"sound of type {samples.dtype}, which tells no full scale; expected floats from -1 to 1, or int16, "
            "int32 or uint8 as they were recorded",
        )
    half = np.float32(2.0 ** (8 * samples.dtype.itemsize - 1))
    centred = samples.astype(np.float32) - (half if samples.dtype.kind == "u" else 0)
    return np.asarray(centred / half, np.float32)


def require_finite(samples: NDArray[Any]) -> None:
    """Raise SampleError when a sample is NaN or infinite, or turned so because it was too large."""
    finite = np.isfinite(samples)
    if not finite.all():
        place = int(np.argmin(finite))
        raise SampleError("prepare", f"{samples[place]} at sample {place}; expected finite numbers")
