"""Vectors made elsewhere, such as embeddings of a pretrained network: kept as they are, without coordinates."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from fusion.errors import ConfigError, DataError, SampleError
from fusion.modalities.arrays import read_npy
from fusion.modalities.base import Modality
from fusion.modalities.cells import numbers_in
from fusion.modalities.scaling import Scaling

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True)
class VectorsModality(Modality):
    """Vectors of one length.

    Parameters
    ----------
    dimensions : int or None
        Numbers in a vector; None takes those of the first training vector.
    """

    name: ClassVar[str] = "vectors"
    suffixes: ClassVar[tuple[str, ...]] = (".npy",)
    encoder: ClassVar[str] = "vectors"
    dimensions: int | None = None

    def __post_init__(self) -> None:
        if self.dimensions is not None and self.dimensions < 1:
            raise ConfigError(f"vectors of {self.dimensions} dimensions; expected 1 or more")

    @property
    def grid(self) -> tuple[int, ...]:
        return ()

    @property
    def d_out(self) -> int:
        if self.dimensions is None:
            raise ConfigError("the length of the vectors is not known yet: set it, or look at a training vector")
        return self.dimensions

    @property
    def channel_names(self) -> tuple[str, ...]:
        return tuple(map(str, range(self.d_out)))

    def resolved(self, raw: Any) -> VectorsModality:
        return replace(self, dimensions=self.dimensions or len(_vector(raw)))

    def prepare(self, raw: Any) -> NDArray[np.float32]:
        vector = _vector(raw)
        if len(vector) != self.d_out:
            raise SampleError("prepare", f"a vector of {len(vector)} numbers; expected {self.d_out}")
        finite = np.isfinite(vector)
        if not finite.all():
            place = int(np.argmin(finite))
            raise SampleError("prepare", f"{vector[place]} at place {place}; expected finite numbers")
        return vector

    def fixed_scaling(self) -> Scaling:
        return Scaling(np.zeros(self.d_out, np.float32), np.ones(self.d_out, np.float32))

    def read(self, path: Path) -> NDArray[Any]:
        return read_npy(path)

    def write(self, prepared: NDArray[Any], path: Path) -> None:
        if path.suffix.lower() != ".npy":
            raise DataError(f"cannot write a vector as {path.suffix or 'a file without suffix'}; expected .npy")
        with path.open("wb") as file:
            np.save(file, prepared)

    def plot(self, original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:  # noqa: ARG002
        raise DataError("vectors have no picture to compare; write them with --out vector.npy")


def _vector(raw: Any) -> NDArray[np.float32]:
    array = numbers_in(raw, "vector")
    if array.ndim != 1 or not len(array):
        raise SampleError("prepare", f"an array of shape {array.shape}; expected a vector")
    with np.errstate(over="ignore"):
        return array.astype(np.float32)
