"""Arrays of any shape: one to four coordinates, any number of values at each point, such as volumes and fields."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.arrays import npz_names, read_npy, read_npz
from fusion.modalities.base import Modality
from fusion.modalities.cells import numbers_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from fusion.modalities.scaling import Scaling

MAX_AXES = 4
_FEW_CHANNELS = 4
_NIFTI = (".nii", ".gz")
_LEVELS = 100


@dataclass(frozen=True)
class ArrayModality(Modality):
    """Arrays of one shape, prepared as shape (*axes, channels).

    Parameters
    ----------
    shape : tuple of int
        Points along each of one to four coordinates; empty takes those of the first training array.
    values : int or None
        Values at each point; None takes those of the first training array.
    channels : {"last", "first", "none"} or None
        Which axis holds the values at a point; ``none``: every axis is a coordinate, and there is one value. None is
        told from the first training array: the last axis, if it has at most four places and there are others.
    key : str or None
        Of a ``.npz`` file with several arrays, the one to read.
    """

    name: ClassVar[str] = "array"
    suffixes: ClassVar[tuple[str, ...]] = (".npy", ".npz", *_NIFTI)
    shape: tuple[int, ...] = ()
    values: int | None = None
    channels: str | None = None
    key: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(int(points) for points in self.shape))
        if len(self.shape) > MAX_AXES or min(self.shape, default=1) < 1:
            raise ConfigError(f"array shape is {self.shape}; expected 1 to {MAX_AXES} axes of 1 or more points")
        if self.values is not None and self.values < 1:
            raise ConfigError(f"array values is {self.values}; expected 1 or more at each point")
        if self.channels not in (None, "last", "first", "none"):
            raise ConfigError(f"array channels is {self.channels!r}; expected last, first or none")

    @property
    def grid(self) -> tuple[int, ...]:
        if not self.shape:
            raise ConfigError("the shape of the arrays is not known yet: set it, or fit the encoder on training arrays")
        return self.shape

    @property
    def d_out(self) -> int:
        if self.values is None:
            raise ConfigError("the values at a point are not known yet: fit the encoder on training arrays")
        return self.values

    def resolved(self, raw: Any) -> ArrayModality:
        array = _numbers(raw)
        channels = self.channels or _told_channels(array.shape)
        laid = _channels_last(array, channels)
        if not 2 <= laid.ndim <= MAX_AXES + 1:
            raise SampleError(
                "prepare", f"array of shape {array.shape}; expected 1 to {MAX_AXES} axes besides that of the channels"
            )
        return replace(
            self, shape=self.shape or laid.shape[:-1], values=self.values or laid.shape[-1], channels=channels
        )

    def prepare(self, raw: Any) -> NDArray[np.float32]:
        array = _numbers(raw)
        laid, expected = _channels_last(array, self.channels or "none"), (*self.grid, self.d_out)
        if laid.shape != expected:
            raise SampleError(
                "prepare",
                f"array of shape {array.shape}, with channels {self.channels}; expected {self._original(expected)}, "
                "as the first training array has",
            )
        finite = np.isfinite(laid)
        if not finite.all():
            place = tuple(np.argwhere(~finite)[0].tolist())
            raise SampleError("prepare", f"{laid[place]} at {place}; expected finite numbers")
        return laid

    def fixed_scaling(self) -> Scaling | None:
        return None

    def read(self, path: Path) -> NDArray[Any]:
        suffix = path.suffix.lower()
        if suffix in _NIFTI:
            from fusion.modalities.nifti import read_nifti

            return read_nifti(path)
        return read_npz(path, self.key or _only_name(path)) if suffix == ".npz" else read_npy(path)

    def write(self, prepared: NDArray[Any], path: Path) -> None:
        array = self._as_read(prepared)
        if path.suffix.lower() in _NIFTI:
            from fusion.modalities.nifti import write_nifti

            write_nifti(array, path)
            return
        if path.suffix.lower() != ".npy":
            raise DataError(f"cannot write an array as {path.suffix or 'a file without suffix'}; expected .npy or .nii")
        with path.open("wb") as file:
            np.save(file, array)

    def plot(self, original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:
        from fusion.modalities.plots import plot_channels, plot_images

        if len(self.grid) == 1:
            times = [np.linspace(0.0, 1.0, len(array)) for array in (original, reconstruction)]
            plot_channels(times[0], original, times[1], reconstruction, self.channel_names, path, title)
            return
        low, high = float(original.min()), float(original.max())
        title = title if len(self.grid) == 2 else f"{title}; middle slice of the first axes"
        plot_images(_middle(original, low, high), _middle(reconstruction, low, high), path, title)

    def measured(self, raw: Any) -> tuple[tuple[int, ...], float, float]:
        array = numbers_in(raw, "array")
        return array.shape, float(array.min()), float(array.max())

    def remarks(self, measured: Sequence[tuple[tuple[int, ...], float, float]]) -> tuple[str, ...]:
        shape = " x ".join(map(str, self.grid))
        each = "1 value" if self.d_out == 1 else f"{self.d_out} values"
        said = f"arrays of shape {measured[0][0]} are {shape} points with {each} at each: channels={self.channels}"
        return (said, *_two_units([(low, high) for _, low, high in measured]))

    def _original(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return {"none": shape[:-1], "first": (shape[-1], *shape[:-1])}.get(str(self.channels), shape)

    def _as_read(self, prepared: NDArray[Any]) -> NDArray[Any]:
        if self.channels == "none":
            return prepared[..., 0]
        return np.moveaxis(prepared, -1, 0) if self.channels == "first" else prepared


def _numbers(raw: Any) -> NDArray[np.float32]:
    array = numbers_in(raw, "array")
    if not array.ndim or 0 in array.shape:
        raise SampleError("prepare", f"array of shape {array.shape}; expected numbers, some of them along each axis")
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def _told_channels(shape: Sequence[int]) -> str:
    return "last" if len(shape) > 1 and shape[-1] <= _FEW_CHANNELS else "none"


def _channels_last(array: NDArray[np.float32], channels: str) -> NDArray[np.float32]:
    if channels == "none":
        return array[..., None]
    return np.ascontiguousarray(np.moveaxis(array, 0, -1)) if channels == "first" else array


def _two_units(ranges: Sequence[tuple[float, float]]) -> Iterator[str]:
    """Say where some arrays lie between 0 and 1 and others reach far beyond, as levels of 8 bits do."""
    parts = sum(low >= 0 and 0 < high <= 1 for low, high in ranges)
    most = max(high for _, high in ranges)
    if parts and most >= _LEVELS:
        yield (
            f"{parts:,} of {len(ranges):,} arrays looked at lie between 0 and 1, and others reach {most:g}. Check that "
            "all are in one unit"
        )


def _only_name(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = npz_names(archive)
    except (OSError, zipfile.BadZipFile) as error:
        raise SampleError("read", f"{path.name} is not a readable .npz file: {error}") from error
    if len(names) != 1:
        listed = ", ".join(names[:5]) or "none"
        raise SampleError("read", f"{path.name} holds the arrays {listed}; expected one, or its name: --reader key=")
    return names[0]


def _middle(array: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    """Give the last two axes in the middle of the others as grey levels, or in colour where there are three values."""
    while array.ndim > 3:
        array = array[len(array) // 2]
    levels = np.rint(np.clip((array - low) / max(high - low, 1e-12), 0.0, 1.0) * 255.0).astype(np.uint8)
    return levels if levels.shape[-1] == 3 else levels.mean(axis=-1).astype(np.uint8)
