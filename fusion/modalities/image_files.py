"""Read an image file that may be anything: damaged, huge when decoded, or no image at all."""

from __future__ import annotations

import warnings
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import SampleError
from fusion.modalities.quiet import quiet_stderr

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL.Image import Image

MAX_PIXELS = 1 << 26
"""Largest image that is decoded, 8,192 x 8,192: at 16 bits and four channels half a gigabyte."""

_EXIF_ORIENTATION, _BITS, _DEEPEST = 0x0112, 258, 32
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP", "PPM")


def read_image(path: Path) -> NDArray[Any]:
    """Read the first picture of an image file; its content, not its name, says the format.

    Parameters
    ----------
    path : Path
        PNG, JPEG, BMP, GIF, TIFF, WebP or PPM.

    Returns
    -------
    NDArray of uint8 or uint16, shape=(height, width) or (height, width, 3)
        Grey, or red, green, blue; with 16 bits opacity may follow, else the image lies over white. Upright, as the
        file's EXIF orientation says. Palettes, CMYK and other colour spaces become red, green, blue.

    Raises
    ------
    SampleError
        When it cannot be read. An image of more than `MAX_PIXELS` is refused by its header, before it is decoded.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        _require_content(path)
        with warnings.catch_warnings(), path.open("rb") as file:
            warnings.simplefilter("ignore")
            tiff = file.read(2) in (b"II", b"MM")
            file.seek(0)
            with quiet_stderr() if tiff else nullcontext(), Image.open(file, formats=_FORMATS) as opened:
                return _decoded(opened, path)
    except SampleError:
        raise
    except UnidentifiedImageError:
        raise SampleError(
            "read", f"{path.name} holds no image that can be read; expected {', '.join(_FORMATS)}"
        ) from None
    except Image.DecompressionBombError:
        raise SampleError("read", f"{path.name} is too large to decode; expected {_limit()}") from None
    except Exception as error:
        # The system's own words, without the whole path, where it was the system that refused.
        said = (isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__
        reason = said.splitlines()[0]
        raise SampleError("read", f"{path.name} cannot be read: {reason}; expected a whole image") from error


def picture_levels(image: Image) -> NDArray[Any]:
    """Give a picture in memory, one of Pillow's, as `read_image` gives one in a file."""
    return _levels(_upright(image), Path("a picture in memory"))


def _require_content(path: Path) -> None:
    if path.is_file():
        fault = "" if path.stat().st_size else "is empty"
    elif path.is_dir():
        fault = "is a folder"
    elif path.is_symlink() and not path.exists():
        fault = "is a link to nothing"
    else:
        fault = "is no ordinary file" if path.exists() else "does not exist"
    if fault:
        raise SampleError("read", f"{path.name} {fault}; expected an image file")


def _limit() -> str:
    return f"at most {MAX_PIXELS:,} pixels"


def _decoded(image: Image, path: Path) -> NDArray[Any]:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise SampleError("read", f"{path.name} is too large to decode, {height:,} x {width:,}; expected {_limit()}")
    if image.mode == "I" and _bits(image) == _DEEPEST:
        raise SampleError("read", f"{path.name} has {_DEEPEST} bits for each level; expected 8 or 16")
    deep_colour = _is_deep_colour(image)
    image.load()
    if deep_colour and (levels := _deep_levels(path)) is not None:
        # The decoder of TIFF turns what it reads.
        return levels if image.format == "TIFF" else _turned(levels, _orientation(image))
    return _levels(_upright(image), path)


def _is_deep_colour(image: Image) -> bool:
    # Pillow keeps 8 of 16 bits where there is more than one channel.
    return image.mode in ("RGB", "RGBA") and ";16" in str(getattr(image, "tile", ""))


def _deep_levels(path: Path) -> NDArray[Any] | None:
    import cv2

    levels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if levels is None or levels.dtype != np.uint16 or levels.ndim != 3:
        return None
    order = [2, 1, 0, 3][: levels.shape[2]]
    return np.ascontiguousarray(levels[:, :, order])


def _orientation(image: Image) -> int:
    with suppress(Exception):
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    return 1


def _turned(levels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn levels upright, as Pillow turns an image with such a note of EXIF."""
    if orientation in (5, 6, 7, 8):
        levels = levels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        levels = levels[::-1]
    if orientation in (2, 3, 6, 7):
        levels = levels[:, ::-1]
    return np.ascontiguousarray(levels)


def _upright(image: Image) -> Image:
    from PIL import ImageOps

    # A damaged note on orientation is no reason to refuse the picture.
    with suppress(Exception):
        return ImageOps.exif_transpose(image)
    return image


def _levels(image: Image, path: Path) -> NDArray[Any]:
    """Give any mode as grey of 8 or 16 bits or as RGB."""
    transparent = image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep_grey(np.asarray(image), path)
    if transparent:
        return np.asarray(_over_white(image))
    return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB"))


def _bits(image: Image) -> int:
    return int(np.max(getattr(image, "tag_v2", {}).get(_BITS, 0)))


def _over_white(image: Image) -> Image:
    from PIL.Image import new

    white = new("RGBA", image.size, "white")
    white.alpha_composite(image.convert("RGBA"))
    return white.convert("RGB")


def _deep_grey(levels: NDArray[Any], path: Path) -> NDArray[np.uint16]:
    if levels.dtype.kind not in "iu" or levels.min() < 0 or levels.max() > 65535:
        raise SampleError("read", f"{path.name} has 32 bits for each level; expected 8 or 16")
    return levels.astype(np.uint16)
