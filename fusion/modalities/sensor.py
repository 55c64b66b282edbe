"""Sensor windows: one coordinate, time; one value per channel (paper, Section 5.4 and Table 6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.arrays import MAX_BYTES, read_npy
from fusion.modalities.base import Modality
from fusion.modalities.scaling import ChannelStatistics, Scaling

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class SensorModality(Modality):
    """Windows of shape (length, channels).

    Parameters
    ----------
    length : int or None
        Readings in a window; None takes it from the first training window.
    channels : tuple of str
        Channel names, used in decoded CSV files; empty names them after the first training window's count.
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
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".npy")
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

    def resolved(self, raw: NDArray[Any]) -> SensorModality:
        window = _window(raw)
        names = self.channels or tuple(f"channel_{index}" for index in range(window.shape[1]))
        return replace(self, length=self.length or len(window), channels=names)

    def prepare(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        window = _window(raw)
        expected = (*self.grid, self.d_out)
        if self.resample and window.shape[1] == self.d_out:
            window = _resampled(window, *self.grid)
        if window.shape != expected:
            raise SampleError("prepare", f"window of shape {window.shape}; expected {expected} (readings, channels)")
        return window

    def fixed_scaling(self) -> Scaling | None:
        return None

    def learned_scaling(self, statistics: ChannelStatistics) -> Scaling:
        return statistics.scaling(self.spread)

    def read(self, path: Path) -> NDArray[Any]:
        if path.suffix.lower() == ".npy":
            return read_npy(path)
        if path.suffix.lower() == ".csv":
            return _read_csv(path)
        raise SampleError(
            "read", f"{path.name} is neither .csv nor .npy; expected a window of shape (readings, channels)"
        )

    def write(self, prepared: NDArray[Any], path: Path) -> None:
        if path.suffix.lower() != ".csv":
            raise DataError(f"cannot write a sensor window as {path.suffix or 'a file without suffix'}; expected .csv")
        table = np.column_stack([self._times(len(prepared)), prepared])
        np.savetxt(path, table, delimiter=",", header=",".join(("time", *self.channels)), comments="", fmt="%.8g")

    def plot(self, original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:
        from fusion.modalities.plots import plot_channels

        plot_channels(
            self._times(len(original)),
            original,
            self._times(len(reconstruction)),
            reconstruction,
            self.channels,
            path,
            title,
        )

    def to_dict(self) -> dict[str, Any]:
        # Stores written before the option existed go on as what they were.
        plain = super().to_dict()
        return plain if self.resample else {name: value for name, value in plain.items() if name != "resample"}

    def _times(self, readings: int) -> NDArray[np.float64]:
        # Both ends of the window keep their place at every resolution.
        length = self.grid[0]
        end = 1.0 if self.rate is None else (length - 1) / self.rate
        return np.linspace(0.0, end, readings)


def _read_csv(path: Path) -> NDArray[Any]:
    """Read comma-separated numbers with or without a line of names; a column named time is left out."""
    try:
        return _channels_of_csv(path)
    except (OSError, ValueError) as error:
        raise SampleError("read", f"{path.name} is not a table of numbers: {error}") from error


def _channels_of_csv(path: Path) -> NDArray[Any]:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES:,} bytes")
    lines = [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    names = [name.strip().lower() for name in lines[0].split(",")] if lines else []
    named = any(not _is_number(name) for name in names)
    if len(lines) <= named:
        raise ValueError("it has no rows of numbers")
    table = np.loadtxt(lines[named:], delimiter=",", dtype=np.float32, ndmin=2, comments=None)
    if len(names) != table.shape[1]:
        raise ValueError(f"{len(names)} names for {table.shape[1]} columns")
    return table[:, [column for column, name in enumerate(names) if not (named and name == "time")]]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _resampled(window: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    if len(window) == length:
        return window
    before, after = np.linspace(0.0, 1.0, len(window)), np.linspace(0.0, 1.0, length)
    return np.stack([np.interp(after, before, channel) for channel in window.T], axis=-1).astype(np.float32)


def _window(raw: NDArray[Any]) -> NDArray[np.float32]:
    array = np.asarray(raw)
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or 0 in array.shape:
        raise SampleError("prepare", f"window of shape {np.shape(raw)}; expected (readings, channels), none of them 0")
    try:
        with np.errstate(over="ignore"):
            window = array.astype(np.float32)
    except (TypeError, ValueError):
        raise SampleError("prepare", f"window of type {array.dtype}; expected numbers") from None
    if not np.isfinite(window).all():
        reading, channel = np.argwhere(~np.isfinite(window))[0]
        raise SampleError(
            "prepare", f"{window[reading, channel]} at reading {reading}, channel {channel}; expected finite numbers"
        )
    return window
