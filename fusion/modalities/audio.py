"""Sound: samples over time, or a picture of its spectrum over time and frequency (paper, Sections 4.1.2 and 5.5)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.base import Modality
from fusion.modalities.recording import MAX_SAMPLES, RATES, SUFFIXES, Recording, fitted_to, mono, read_recording
from fusion.modalities.scaling import Scaling
from fusion.modalities.spectra import FLOOR_DB, log_mel, mfcc, mfcc_limit, plot_maps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_FRAMES = 100
_SHORTEST_WINDOW = 0.032


@dataclass(frozen=True)
class AudioModality(Modality):
    """Sounds as `Recording`s, or as arrays of shape (n,) or (n, channels) at the modality's own rate.

    A recording is averaged to mono and resampled; its end is trimmed or padded with silence, so that what begins with
    an onset stays aligned. Nothing is learned from data: samples are scaled from full scale, -1 to 1, and what lies
    beyond is clipped; log-mel from 80 dB below the clip's loudest point; MFCC from limits of the same kind.

    Parameters
    ----------
    transform : {"mfcc", "log-mel"} or None
        None fits the samples themselves: one coordinate, one value. The others fit a map over (time, coefficient) or
        (time, band): two coordinates, one value. They cannot be turned back into sound.
    rate : float or None
        Samples per second to resample to; None takes the first training clip's.
    seconds : float or None
        Length to trim or pad to; None takes the first training clip's.
    bands : int >= 1
        Mel bands, of the map log-mel and of the spectrum that MFCC are computed from.
    coefficients : int >= 2
        MFCC, at most as many as there are bands.
    hop : int or None
        Samples between frames; None takes `hop_seconds`.
    hop_seconds : float or None
        Time between frames; None makes a hundred frames of a clip. `hop` counts where both are given.
    fft : int or None
        Samples in a frame's window; None takes the smallest power of two that is two hops and 32 ms or longer.
    """

    name: ClassVar[str] = "audio"
    suffixes: ClassVar[tuple[str, ...]] = SUFFIXES
    transform: Literal["mfcc", "log-mel"] | None = None
    rate: float | None = None
    seconds: float | None = None
    bands: int = 40
    coefficients: int = 20
    hop: int | None = None
    fft: int | None = None
    hop_seconds: float | None = None

    def __post_init__(self) -> None:
        if self.hop is not None:
            object.__setattr__(self, "hop_seconds", None)
        _require(self.transform in (None, "mfcc", "log-mel"), "transform", self.transform, "mfcc, log-mel or none")
        low, high = RATES
        in_range = self.rate is None or low <= self.rate <= high
        _require(in_range, "rate", self.rate, f"{low:,} to {high:,} samples per second")
        _require(self.seconds is None or 0 < self.seconds < math.inf, "seconds", self.seconds, "a time above 0")
        _require(self.bands >= 1, "bands", self.bands, "1 or more")
        _require(self.coefficients >= 2, "coefficients", self.coefficients, "2 or more")
        if self.transform == "mfcc":
            _require(self.coefficients <= self.bands, "coefficients", self.coefficients, f"{self.bands} bands or fewer")
        _require(self.hop is None or self.hop >= 1, "hop", self.hop, "1 sample or more")
        positive = self.hop_seconds is None or 0 < self.hop_seconds < math.inf
        _require(positive, "hop_seconds", self.hop_seconds, "a time above 0")
        _require(self.fft is None or self.fft >= 2, "fft", self.fft, "2 samples or more")
        if self.rate is not None and self.seconds is not None:
            expected = f"1 to {MAX_SAMPLES:,} samples"
            _require(1 <= self.samples <= MAX_SAMPLES, "length", f"{self.samples:,} samples", expected)

    @property
    def samples(self) -> int:
        """Samples of a clip."""
        if self.rate is None or self.seconds is None:
            raise ConfigError("rate and length are not known yet: set them, or fit the encoder on training clips")
        return round(self.rate * self.seconds)

    @property
    def grid(self) -> tuple[int, ...]:
        if self.transform is None:
            return (self.samples,)
        return (math.ceil(self.samples / self._hop()), self._rows()[0])

    @property
    def d_out(self) -> int:
        return 1

    @property
    def d_in(self) -> int:
        return 1 if self.transform is None else 2

    @property
    def channel_names(self) -> tuple[str, ...]:
        return (self.transform or "amplitude",)

    def resolved(self, raw: Any) -> AudioModality:
        recording = self._recording(raw)
        try:
            known = replace(self, rate=self.rate or recording.rate, seconds=self.seconds or recording.seconds)
        except ConfigError as error:
            raise SampleError("prepare", f"{error}; set the length with seconds") from error
        return known if self.transform is None else replace(known, hop=known._hop(), fft=known._fft())

    def prepare(self, raw: Any) -> NDArray[np.float32]:
        samples = fitted_to(self._recording(raw), self.rate or 0.0, self.samples)
        if self.transform is None:
            return samples[:, None]
        spectrum = log_mel(samples, rate=self.rate or 0.0, bands=self.bands, hop=self._hop(), fft=self._fft())
        picture = spectrum if self.transform == "log-mel" else mfcc(spectrum, self.coefficients)
        return picture[..., None]

    def fixed_scaling(self) -> Scaling:
        reach = mfcc_limit(self.bands)
        low, high = {None: (-1.0, 1.0), "log-mel": (FLOOR_DB, 0.0), "mfcc": (-reach, reach)}[self.transform]
        return Scaling(np.array([low], np.float32), np.array([high], np.float32))

    def measured(self, raw: Any) -> tuple[float, bool]:
        recording = self._recording(raw)
        return recording.seconds, recording.cancelled

    def remarks(self, measured: Sequence[tuple[float, bool]]) -> tuple[str, ...]:
        usual = _usual_length(np.array([seconds for seconds, _ in measured]))
        brought = (f"{note}; --seconds {usual:g} holds nine of ten whole" for note in self._brought(measured))
        return (*brought, *(f"{note}; keep one channel, or turn one round" for note in _cancelled(measured)))

    def remarks_on_new(self, measured: Sequence[tuple[float, bool]]) -> tuple[str, ...]:
        return (*self._brought(measured), *_cancelled(measured))

    def _brought(self, measured: Sequence[tuple[float, bool]]) -> list[str]:
        """Count the clips that are cut and those that are padded."""
        seconds = np.array([seconds for seconds, _ in measured])
        length, slack = self.seconds or 0.0, 1.0 / (self.rate or 1.0)
        longer, shorter = int((seconds > length + slack).sum()), int((seconds < length - slack).sum())
        every = f"every clip is brought to {length:.3g} s: of {len(seconds)} looked at"
        return [f"{every} {longer} are longer and cut, {shorter} shorter and padded"] if longer or shorter else []

    def read(self, path: Path) -> Recording:
        return read_recording(path)

    def write(self, prepared: NDArray[Any], path: Path) -> None:
        suffix = path.suffix.lower()
        kind, expected = ("sound", ".wav") if self.transform is None else (f"map of {self.transform}", ".png")
        if suffix == ".npy":
            np.save(path, prepared[..., 0])
        elif suffix != expected:
            raise DataError(
                f"cannot write a {kind} as {path.suffix or 'a file without suffix'}; expected {expected} or .npy"
            )
        elif self.transform is None:
            self._write_wav(prepared[:, 0], path)
        else:
            plot_maps([prepared[..., 0]], [self.transform], self.seconds or 0.0, self._rows()[1], path)

    def plot(self, original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:
        if self.transform is not None:
            maps = [original[..., 0], reconstruction[..., 0]]
            plot_maps(maps, ["original", "reconstruction"], self.seconds or 0.0, self._rows()[1], path, title)
            return
        from fusion.modalities.plots import plot_channels

        times = [np.linspace(0.0, self.seconds or 0.0, len(values)) for values in (original, reconstruction)]
        plot_channels(times[0], original, times[1], reconstruction, ["amplitude over seconds"], path, title)

    def _write_wav(self, samples: NDArray[Any], path: Path) -> None:
        import soundfile

        # Twice the points of a clip that is as long as before are twice the rate.
        rate = round((self.rate or 0.0) * len(samples) / self.samples)
        with path.open("wb") as file:
            soundfile.write(file, np.clip(samples, -1.0, 1.0), max(1, rate), format="WAV", subtype="PCM_16")

    def _recording(self, raw: Any) -> Recording:
        if isinstance(raw, Recording):
            read = type(raw.samples) is np.ndarray and raw.samples.dtype == np.float32
            return raw if read and raw.samples.ndim == 1 else replace(raw, samples=mono(raw.samples))
        if self.rate is None:
            raise SampleError("prepare", "an array without a sampling rate; expected a Recording, or set the rate")
        return Recording(mono(raw), self.rate)

    def _rows(self) -> tuple[int, str]:
        return (self.coefficients, "coefficient") if self.transform == "mfcc" else (self.bands, "mel band")

    def _hop(self) -> int:
        if self.hop is not None:
            return self.hop
        if self.hop_seconds is not None:
            return max(1, round(self.hop_seconds * (self.rate or 0.0)))
        return max(1, math.ceil(self.samples / _FRAMES))

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, without a time between frames that is not given."""
        values = super().to_dict()
        return {name: value for name, value in values.items() if name != "hop_seconds" or value is not None}

    def _fft(self) -> int:
        if self.fft is not None:
            return self.fft
        shortest = max(2 * self._hop(), _SHORTEST_WINDOW * (self.rate or 0.0))
        return 1 << math.ceil(math.log2(shortest))


def _cancelled(measured: Sequence[tuple[float, bool]]) -> list[str]:
    """Count the clips that are silent where their channels are averaged."""
    count = sum(cancelled for _, cancelled in measured)
    told = f"{count} of {len(measured)} clips looked at have channels of opposite sign"
    return [f"{told}, which cancel out where they are averaged"] if count else []


def _usual_length(seconds: NDArray[np.float64]) -> float:
    """Give a round length that nine of ten clips do not exceed."""
    high = float(np.quantile(seconds, 0.9))
    step = 10.0 ** (math.floor(math.log10(high)) - 1)
    return float(f"{math.ceil(high / step - 1e-9) * step:.6g}")


def _require(holds: bool, name: str, got: object, expected: str) -> None:  # noqa: FBT001
    if not holds:
        raise ConfigError(f"audio {name} is {got}; expected {expected}")
