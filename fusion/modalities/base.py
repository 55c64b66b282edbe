"""What every modality promises, and the pieces they share: coordinate grids, scaling to [0, 1], source hashes."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from fusion.errors import ConfigError
from fusion.modalities.scaling import ChannelStatistics, Scaling
from fusion.settings import STRICT, plain_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray


class Modality(ABC):
    """One kind of raw data, as a frozen dataclass of options.

    Sizes that the user left open are None until `resolved` reads them from the first training sample.
    """

    __pydantic_config__ = STRICT
    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Of the files that `read` takes, in lower case with their dot."""
    encoder: ClassVar[str] = ""
    """The one kind of encoder that takes it; empty: those that fit networks."""
    looks_at_all: ClassVar[bool] = False
    """Whether sizes are taken from all training samples, and remarks made on all samples, not on the first."""

    @property
    def preset(self) -> str:
        """Name under which the encoders' presets know it: the modality's, with its transform where it has one."""
        transform = getattr(self, "transform", None)
        return f"{self.name}-{transform}" if transform else self.name

    @property
    @abstractmethod
    def grid(self) -> tuple[int, ...]:
        """Number of points along each coordinate."""

    @property
    @abstractmethod
    def d_out(self) -> int:
        """Number of values at each point."""

    @property
    def channel_names(self) -> tuple[str, ...]:
        """Names of the values at a point, in their order."""
        return tuple(f"channel_{place}" for place in range(self.d_out))

    def turned(self, axis: int) -> tuple[int, ...]:  # noqa: ARG002 - of use to those that override it
        """Values at a point that change their sign where the sample is mirrored along an axis."""
        return ()

    @property
    def d_in(self) -> int:
        """Number of coordinates."""
        return len(self.grid)

    @property
    def points(self) -> int:
        """Number of points of the whole grid."""
        return int(np.prod(self.grid))

    @abstractmethod
    def resolved(self, raw: Any) -> Self:
        """Fill in the sizes that were left open; raises SampleError when `raw` cannot be used.

        What `raw` is, the modality says: an array for most, a `Recording` (samples and their rate) for audio.
        """

    def resolved_from(self, raws: Iterable[Any]) -> Self:
        """Fill in the sizes from all training samples; only asked where `looks_at_all`."""
        return self.resolved(next(iter(raws)))

    @property
    def columns_left_out(self) -> dict[str, str]:
        """Columns of the source that were left out when the sizes were filled in, and why."""
        return {}

    @abstractmethod
    def prepare(self, raw: Any) -> NDArray[np.float32]:
        """Bring a raw sample to shape (*grid, d_out) in raw units; raises SampleError when it cannot be used."""

    @abstractmethod
    def fixed_scaling(self) -> Scaling | None:
        """Limits known without looking at data, or None when they are learned from the training samples."""

    def learned_scaling(self, statistics: ChannelStatistics) -> Scaling:
        """Limits from what was measured on all training samples."""
        return statistics.scaling(spread=None)

    @abstractmethod
    def read(self, path: Path) -> Any:
        """Read one raw sample from a file; raises SampleError when it cannot be read."""

    @abstractmethod
    def write(self, prepared: NDArray[Any], path: Path) -> None:
        """Write decoded data in the format of the suffix; raises DataError when the suffix is not one of `suffixes`."""

    @abstractmethod
    def plot(self, original: NDArray[Any], reconstruction: NDArray[Any], path: Path, title: str) -> None:
        """Draw original beside reconstruction as a PNG."""

    def plot_scaled(
        self,
        original: NDArray[Any],
        reconstruction: NDArray[Any],
        path: Path,
        title: str,
        *,
        scaling: Scaling,  # noqa: ARG002 - of use to those that override it
        titles: Sequence[str],  # noqa: ARG002
    ) -> None:
        """Draw as `plot` does; where channels have axes, on the range of the training, each under its title."""
        self.plot(original, reconstruction, path, title)

    def measured(self, raw: Any) -> Any:  # noqa: ARG002 - of use to those that override it
        """Measure what is worth telling of many raw samples together; small, as it is kept for each."""
        return None

    def remarks(self, measured: Sequence[Any]) -> tuple[str, ...]:  # noqa: ARG002
        """Say what the sizes that were chosen do to samples, of which `measured` told."""
        return ()

    def remarks_on_new(self, measured: Sequence[Any]) -> tuple[str, ...]:  # noqa: ARG002
        """Say what sizes that are fixed do to new samples that are predicted, without advice to choose others."""
        return ()

    def coordinates(self, scale: float = 1.0) -> NDArray[np.float32]:
        """Coordinates of the grid, or of one `scale` times as fine, shape (n, d_in)."""
        return coordinate_grid(self.scaled_grid(scale))

    def scaled_grid(self, scale: float) -> tuple[int, ...]:
        """Count the points along each coordinate at another resolution, at least one; ConfigError where it is none."""
        given: Any = scale
        if not isinstance(given, Real) or not 0 < scale < np.inf:
            raise ConfigError(f"scale is {scale!r}; expected a number above 0, such as 2 for twice the points")
        return tuple(max(1, round(points * scale)) for points in self.grid)

    def restore(self, values: NDArray[Any], scaling: Scaling, grid: Sequence[int]) -> NDArray[np.float32]:
        """Bring values of shape (n, d_out) on a grid back to raw units, shape (*grid, d_out)."""
        return scaling.denormalise(values).reshape(*grid, self.d_out)

    def to_dict(self) -> dict[str, Any]:
        """Name and options as plain JSON values; `modality_from_dict` reads them back."""
        return {"name": self.name, **plain_values(self)}


def coordinate_grid(grid: Sequence[int]) -> NDArray[np.float32]:
    """Points of a regular grid, first axis slowest, both ends included.

    Parameters
    ----------
    grid : sequence of int >= 1

    Returns
    -------
    NDArray of float32, shape=(prod(grid), len(grid))
        In [-1, 1]; an axis of one point stands at 0.
    """
    axes = [np.linspace(-1.0, 1.0, points) if points > 1 else np.zeros(1) for points in grid]
    mesh = np.meshgrid(*axes, indexing="ij")
    return np.stack([axis.ravel() for axis in mesh], axis=-1).astype(np.float32)


def source_hash(prepared: NDArray[Any]) -> NDArray[np.uint8]:
    """Hash 16 bytes of a prepared sample, so that changed data under a known ID is noticed."""
    digest = hashlib.blake2b(repr(prepared.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(prepared, dtype="<f4").tobytes())
    return np.frombuffer(digest.digest(), np.uint8)
