"""Sensor windows: one coordinate, time; one value per channel (paper, Section 5.4 and Table 6)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.arrays import read_npy
from fusion.modalities.base import Modality
from fusion.modalities.cells import numbers_in
from fusion.modalities.scaling import ChannelStatistics, Scaling
from fusion.modalities.sensor_files import Readings, read_readings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_PLACE = "channel_"
_OTHER_LENGTH = "Bring all windows to one length with --reader length=128"
_UNSTEADY = "Let them be interpolated with --reader resample=true, or leave the column of times out"


@dataclass(frozen=True)
class SensorModality(Modality):
    """Windows of shape (length, channels).

    A file with names gives its columns by name, in whatever order they stand; an array, or a file without names, by
    place.

    Parameters
    ----------
    length : int or None
        Readings in a window; None takes it from the first training window.
    channels : tuple of str
        Channel names, by which the columns of files are taken; empty takes those of the first training window.
    rate : float or None
        Readings per second, only to write times in seconds; None writes them as a part of the window, from 0 to 1.
    spread : float or None
        Values are scaled from this many training standard deviations around each channel's mean; None takes the whole
        range seen. Rare peaks are clipped, and everything else moves the network more.
    resample : bool
        Take windows of any length and bring them to `length` by linear interpolation, over time scaled to [0, 1] in
        each; what is faster than the new readings can follow is lost. False refuses another length.
    """

    name: ClassVar[str] = "sensor"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".npy", ".parquet", ".tsv")
    length: int | None = None
    channels: tuple[str, ...] = ()
    rate: float | None = None
    spread: float | None = 4.0
    resample: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "channels", tuple(self.channels))
        if self.length is not None and self.length < 1:
            raise ConfigError(f"sensor length is {self.length}; expected 1 or more readings")
        if self.rate is not None and not self.rate > 0:
            raise ConfigError(f"sensor rate is {self.rate}; expected readings per second above 0")
        if self.spread is not None and not self.spread > 0:
            raise ConfigError(f"sensor spread is {self.spread}; expected standard deviations above 0, or none")

    @property
    def grid(self) -> tuple[int, ...]:
        if self.length is None:
            raise ConfigError("the window length is not known yet: set it, or fit the encoder on training windows")
        return (self.length,)

    @property
    def d_out(self) -> int:
        return len(self.channels)

    @property
    def channel_names(self) -> tuple[str, ...]:
        return self.channels

    def resolved(self, raw: Any) -> SensorModality:
        window = _window(self._taken(raw))
        if len(window) < 2:
            raise SampleError(
                "prepare",
                "it has one reading; expected readings over time. Numbers without time are --modality columns",
            )
        named = raw.channels if isinstance(raw, Readings) else ()
        names = self.channels or named or tuple(f"{_PLACE}{index}" for index in range(window.shape[1]))
        return replace(self, length=self.length or len(window), channels=names)

    def prepare(self, raw: Any) -> NDArray[np.float32]:
        window = _window(self._taken(raw))
        expected = (*self.grid, self.d_out)
        if self.resample and window.shape[1] == self.d_out:
            window = _resampled(window, self.grid[0], _uneven_times(raw))
        if window.shape != expected:
            advice = "" if len(window) == expected[0] else f". {_OTHER_LENGTH}"
            raise SampleError(
                "prepare", f"window of shape {window.shape}; expected {expected} (readings, channels){advice}"
            )
        return window

    def _taken(self, raw: Any) -> Any:
        """Give the channels of a window by their names, where it has names and those of the channels are known."""
        if not isinstance(raw, Readings):
            return raw
        if raw.unsteady and not (self.resample and raw.times is not None and "before" not in raw.unsteady):
            raise SampleError("read", f"{raw.unsteady}. {_UNSTEADY}")
        return raw.take(self.channels) if self._by_name else np.asarray(raw)

    @property
    def _by_name(self) -> bool:
        return any(name != f"{_PLACE}{index}" for index, name in enumerate(self.channels))

    def measured(self, raw: Any) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """Give the columns of a file that might be channels, and the channels that are constant in it."""
        if not isinstance(raw, Readings):
            return None
        known = [name for name in self.channels if name in raw.channels]
        still = np.ptp(raw.take(known), axis=0) == 0
        return raw.channels, tuple(np.array(known, dtype=object)[still].tolist())

    def remarks(self, measured: Sequence[Any]) -> tuple[str, ...]:
        files = [found for found in measured if found is not None]
        columns, constant = Counter[str](), Counter[str]()
        for names, still in files:
            columns.update(name for name in names if name not in self.channels)
            constant.update(still)
        some = [f"{name} in {count}" for name, count in columns.items() if count < len(files)]
        said = [f"columns that are not in every file are not taken: of {len(files)} looked at {', '.join(some)}"]
        stay = [name for name, count in constant.items() if count == len(files) > 1]
        told = [f"constant in every file looked at: {', '.join(stay)}; leave such out with --reader columns="]
        return (*(said if some and self._by_name else ()), *(told if stay else ()))

    def fixed_scaling(self) -> Scaling | None:
        return None

    def learned_scaling(self, statistics: ChannelStatistics) -> Scaling:
        return statistics.scaling(self.spread)

    def read(self, path: Path) -> Any:
        if path.suffix.lower() == ".npy":
            return read_npy(path)
        if path.suffix.lower() in self.suffixes:
            return read_readings(path)
        raise SampleError(
            "read",
            f"{path.name} is of a kind that is not read; expected a window of shape (readings, channels) as "
            f"{', '.join(self.suffixes)}",
        )

    def write(self, prepared: NDArray[Any], path: Path) -> None:
        if path.suffix.lower() != ".csv":
            raise DataError(f"cannot write a sensor window as {path.suffix or 'a file without suffix'}; expected .csv")
        table = np.column_stack([self._times(len(prepared)), prepared])
        np.savetxt(path, table, delimiter=",", header=",".join(("time", *self.channels)), comments="", fmt="%.8g")

    def plot(self, original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:
        self._plot(original, reconstruction, path, title, self.channels)

    def plot_scaled(
        self,
        original: NDArray[Any],
        reconstruction: NDArray[Any],
        path: Path,
        title: str,
        *,
        scaling: Scaling,
        titles: Sequence[str],
    ) -> None:
        limits = np.stack([scaling.low, scaling.high], axis=-1)
        self._plot(original, reconstruction, path, title, titles, limits)

    def _plot(
        self,
        original: NDArray[Any],
        reconstruction: NDArray[Any],
        path: Path,
        title: str,
        titles: Sequence[str],
        limits: NDArray[Any] | None = None,
    ) -> None:
        from fusion.modalities.plots import plot_channels

        times = self._times(len(original)), self._times(len(reconstruction))
        plot_channels(times[0], original, times[1], reconstruction, titles, path, title, limits=limits)

    def to_dict(self) -> dict[str, Any]:
        # Stores written before the option existed go on as what they were.
        plain = super().to_dict()
        return plain if self.resample else {name: value for name, value in plain.items() if name != "resample"}

    def _times(self, readings: int) -> NDArray[np.float64]:
        # Both ends of the window keep their place at every resolution.
        length = self.grid[0]
        end = 1.0 if self.rate is None else (length - 1) / self.rate
        return np.linspace(0.0, end, readings)


def _uneven_times(raw: Any) -> NDArray[np.float64] | None:
    return raw.times if isinstance(raw, Readings) and raw.unsteady else None


def _resampled(
    window: NDArray[np.float32], length: int, times: NDArray[np.float64] | None = None
) -> NDArray[np.float32]:
    """Interpolate over time scaled to [0, 1]; evenly spaced where no times are given."""
    if times is None and len(window) == length:
        return window
    before = np.linspace(0.0, 1.0, len(window)) if times is None else times / times[-1]
    after = np.linspace(0.0, 1.0, length)
    return np.stack([np.interp(after, before, channel) for channel in window.T], axis=-1).astype(np.float32)


def _window(raw: NDArray[Any]) -> NDArray[np.float32]:
    array = numbers_in(raw, "window")
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or 0 in array.shape:
        raise SampleError("prepare", f"window of shape {np.shape(raw)}; expected (readings, channels), none of them 0")
    with np.errstate(over="ignore"):
        window = array.astype(np.float32)
    if not np.isfinite(window).all():
        reading, channel = np.argwhere(~np.isfinite(window))[0]
        raise SampleError(
            "prepare", f"{window[reading, channel]} at reading {reading}, channel {channel}; expected finite numbers"
        )
    return window
