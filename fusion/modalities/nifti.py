"""Volumes in NIfTI files, as scanners of heads and bodies give them; needs the extra ``nifti`` (nibabel)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import ConfigError, SampleError
from fusion.modalities.arrays import MAX_BYTES

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def read_nifti(path: Path) -> NDArray[np.float32]:
    """Read the values of a NIfTI file, scaled as its header says; where they lie in space is left out.

    Raises
    ------
    ConfigError
        When nibabel is not installed.
    SampleError
        When it is missing, damaged, no NIfTI file, or holds more than `MAX_BYTES`.
    """
    nibabel = _nibabel()
    if not path.is_file():
        raise SampleError("read", f"{path.name} does not exist")
    try:
        image = nibabel.load(path)
        _refuse_large(image.shape)
        _refuse_complex(image)
        values: NDArray[np.float32] = image.get_fdata(dtype=np.float32, caching="unchanged")
    except Exception as error:
        said = str(error).strip().split("\n")[0] or type(error).__name__
        raise SampleError(
            "read", f"{path.name} is not a readable NIfTI file: {said.replace(str(path), path.name)}"
        ) from error
    return values


def write_nifti(array: NDArray[Any], path: Path) -> None:
    """Write values as float32, a unit apart: a functa does not know where they lay in space."""
    nibabel = _nibabel()
    nibabel.save(nibabel.Nifti1Image(np.asarray(array, np.float32), np.eye(4)), path)


def _refuse_complex(image: Any) -> None:
    if image.get_data_dtype().kind == "c":
        raise ValueError("its values are complex; expected real numbers")


def _refuse_large(shape: tuple[int, ...]) -> None:
    needed = 4 * math.prod(shape)
    if needed > MAX_BYTES:
        raise ValueError(f"shape {shape} takes {needed:,} bytes; expected at most {MAX_BYTES:,}")


def _nibabel() -> Any:
    try:
        import nibabel
    except ImportError:
        raise ConfigError("NIfTI files need nibabel; install it with pip install 'functa-fusion[nifti]'") from None
    return nibabel
