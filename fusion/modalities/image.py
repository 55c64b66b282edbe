"""Images: two coordinates, row and column; one value for grey, three for red, green and blue (paper, Table 6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.base import Modality
from fusion.modalities.cells import numbers_in
from fusion.modalities.scaling import Scaling

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# ITU-R BT.601, as JPEG and most programs turn colour into grey.
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
_WHITE = np.float32(255.0)


@dataclass(frozen=True)
class ImageModality(Modality):
    """Images of shape (height, width) or (height, width, channels), prepared as levels from 0 to 255.

    Parameters
    ----------
    size : (height, width) or None
        Pixels of the grid; None takes those of the first training image.
    channels : {1, 3} or None
        1 makes colour grey (its luma), 3 repeats grey; None takes what the first training image has.
    resize : bool or None
        Bring every image to `size`, without keeping its proportions: by area where it gets smaller, else by cubic
        interpolation. False refuses an image of another size. None resizes where `size` was given.

    Notes
    -----
    Raw arrays are 8-bit or 16-bit levels (16-bit ones are scaled to 255), booleans, or floats that already lie between
    0 and 255; floats from 0 to 1 are refused. A fourth channel, or a second one beside grey, is opacity: the image is
    laid over white.
    """

    name: ClassVar[str] = "image"
    suffixes: ClassVar[tuple[str, ...]] = (
        *(".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"),
        *(".ppm", ".pgm", ".pbm", ".pnm"),
    )
    size: tuple[int, int] | None = None
    channels: int | None = None
    resize: bool | None = None

    def __post_init__(self) -> None:
        if self.size is not None:
            if len(self.size) != 2 or any(pixels < 1 for pixels in self.size):
                raise ConfigError(f"image size is {tuple(self.size)}; expected height and width, each 1 or more pixels")
            object.__setattr__(self, "size", (int(self.size[0]), int(self.size[1])))
            if self.resize is None:
                object.__setattr__(self, "resize", True)
        if self.channels not in (None, 1, 3):
            raise ConfigError(f"image channels is {self.channels}; expected 1 (grey) or 3 (red, green, blue)")

    @property
    def grid(self) -> tuple[int, ...]:
        if self.size is None:
            raise ConfigError("the image size is not known yet: set it, or fit the encoder on training images")
        return self.size

    @property
    def d_out(self) -> int:
        if self.channels is None:
            raise ConfigError("the image channels are not known yet: set them, or fit the encoder on training images")
        return self.channels

    @property
    def channel_names(self) -> tuple[str, ...]:
        return ("grey",) if self.d_out == 1 else ("red", "green", "blue")

    def resolved(self, raw: Any) -> ImageModality:
        levels = _levels(raw)
        size = self.size or (levels.shape[0], levels.shape[1])
        opaque = levels.shape[2] - (levels.shape[2] in (2, 4))
        return replace(self, size=size, channels=self.channels or opaque, resize=bool(self.resize))

    def prepare(self, raw: Any) -> NDArray[np.float32]:
        levels = _over_white(_levels(raw))
        height, width = self.grid
        if levels.shape[:2] != (height, width):
            if not self.resize:
                raise SampleError(
                    "prepare",
                    f"image of {levels.shape[0]} x {levels.shape[1]} pixels; expected {height} x {width}, as the first "
                    "training image has. Give a size to bring all images to",
                )
            levels = _resized(levels, height, width)
        return _with_channels(_to_255(levels), self.d_out)

    def fixed_scaling(self) -> Scaling | None:
        return Scaling(np.zeros(self.d_out, np.float32), np.full(self.d_out, _WHITE, np.float32))

    def read(self, path: Path) -> NDArray[Any]:
        from fusion.modalities.image_files import read_image

        return read_image(path)

    def write(self, prepared: NDArray[Any], path: Path) -> None:
        from PIL import Image

        if path.suffix.lower() != ".png":
            raise DataError(f"cannot write an image as {path.suffix or 'a file without suffix'}; expected .png")
        with path.open("wb") as file:
            Image.fromarray(_displayed(prepared)).save(file, format="PNG")

    def plot(self, original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:
        from fusion.modalities.plots import plot_images

        plot_images(_displayed(original), _displayed(reconstruction), path, title)


def _levels(raw: Any) -> NDArray[Any]:
    """Check an image's type and shape and give it as (height, width, 1 to 4)."""
    array = numbers_in(raw, "image")
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or 0 in array.shape or array.shape[2] > 4:
        raise SampleError(
            "prepare", f"image of shape {np.shape(raw)}; expected (height, width) or 1 to 4 channels more"
        )
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if not np.isfinite(array).all():
        row, column, _ = np.argwhere(~np.isfinite(array))[0]
        raise SampleError("prepare", f"a level at row {row}, column {column} is not finite; expected 0 to 255")
    if array.min() < 0 or array.max() > 255:
        raise SampleError("prepare", f"levels from {array.min()} to {array.max()}; expected 0 to 255")
    if array.dtype.kind == "f" and 0 < array.max() <= 1:
        # Beside images of 0 to 255 it would be black, and to brighten it would spoil one that is.
        raise SampleError(
            "prepare", f"levels from {array.min():g} to {array.max():g}; expected 0 to 255. Multiply them by 255"
        )
    return array.astype(np.float32)


def _resized(levels: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    import cv2

    smaller = height * width < levels.shape[0] * levels.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    resized: NDArray[Any] = cv2.resize(np.ascontiguousarray(levels), (width, height), interpolation=how)
    return resized.reshape(height, width, levels.shape[2])


def _to_255(levels: NDArray[Any]) -> NDArray[np.float32]:
    scale = np.float32(255.0 / 65535.0 if levels.dtype == np.uint16 else 1.0)
    scaled: NDArray[np.float32] = np.clip(levels.astype(np.float32) * scale, 0.0, 255.0)
    return scaled


def _over_white(levels: NDArray[Any]) -> NDArray[Any]:
    if levels.shape[2] in (1, 3):
        return levels
    levels = _to_255(levels)
    opacity = levels[:, :, -1:] / _WHITE
    return np.asarray(levels[:, :, :-1] * opacity + _WHITE * (1 - opacity))


def _with_channels(levels: NDArray[np.float32], channels: int) -> NDArray[np.float32]:
    if levels.shape[2] == channels:
        return levels
    if channels == 3:
        return np.repeat(levels, 3, axis=2)
    # One after the other, not as a matrix product, whose rounding differs between processors.
    red, green, blue = np.moveaxis(levels, 2, 0)
    return np.asarray(_LUMA[0] * red + _LUMA[1] * green + _LUMA[2] * blue)[:, :, None]


def _displayed(prepared: NDArray[Any]) -> NDArray[np.uint8]:
    levels: NDArray[np.uint8] = np.rint(np.clip(prepared, 0.0, 255.0)).astype(np.uint8)
    return levels[:, :, 0] if levels.shape[2] == 1 else levels
