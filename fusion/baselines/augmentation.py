"""Copies of training samples that a network sees in their place, as networks of each field are trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fusion.encoders.presets import FLIPPED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.modalities import Modality

__all__ = ["Augmentation"]

_SHIFT = 8
_JITTER = 0.05


@dataclass(frozen=True)
class Augmentation:
    """Change samples at random, each on its own.

    Parameters
    ----------
    flip : int or None
        Axis that half of the samples are mirrored along.
    shifted : int
        So many of the first axes are shifted by up to an eighth of their length; edges are repeated.
    jitter : float >= 0
        Deviation of Gaussian noise, as a part of each channel's own deviation.

    Notes
    -----
    Images: mirrored and shifted, as for residual networks on CIFAR-10 (He et al., 2016, Section 4.2). Films: mirrored.
    Signals and maps of sound: shifted in time; signals of sensors with noise as well (Um et al., 2017, "Data
    augmentation of wearable sensor data").
    """

    flip: int | None = None
    shifted: int = 0
    jitter: float = 0.0

    @classmethod
    def of(cls, modality: Modality) -> Augmentation:
        """Give what networks of a modality are trained with."""
        shifted = {"image": 2, "audio": 1, "sensor": 1}.get(modality.name, 0)
        return cls(FLIPPED.get(modality.name), shifted, _JITTER if modality.name == "sensor" else 0.0)

    def __call__(self, values: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        """Change a batch of values (b, *grid, d_out); gives as many."""
        changed = np.array(values, np.float32)
        if self.flip is not None:
            mirrored = rng.random(len(changed)) < 0.5
            changed[mirrored] = np.flip(changed[mirrored], axis=1 + self.flip)
        for axis in range(self.shifted):
            changed = _shifted(changed, axis, rng)
        if self.jitter:
            deviation = changed.std(axis=tuple(range(changed.ndim - 1)), dtype=np.float32)
            changed += self.jitter * deviation * rng.standard_normal(changed.shape, dtype=np.float32)
        return changed


def _shifted(values: NDArray[np.float32], axis: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Move each sample along an axis of its grid."""
    size = values.shape[1 + axis]
    by = rng.integers(-(size // _SHIFT), size // _SHIFT, len(values), endpoint=True)
    places = np.clip(np.arange(size) + by[:, None], 0, size - 1)
    shape = [len(values), *(size if one == axis else 1 for one in range(values.ndim - 1))]
    return np.asarray(np.take_along_axis(values, places.reshape(shape), axis=1 + axis))
