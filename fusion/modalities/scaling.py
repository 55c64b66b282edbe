"""Limits per channel that map raw values to [0, 1], and how they are learned from training samples."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

# Sums are kept as whole multiples of 2**-100, so that adding them up is exact and their order cannot matter.
_UNIT = 2.0**100


@dataclass(frozen=True, eq=False)
class Scaling:
    """Limits per channel; what lies outside is clipped.

    Parameters
    ----------
    low, high : NDArray of float32, shape=(d_out,)
        Raw units. A channel whose limits are equal maps to 0.
    """

    low: NDArray[np.float32]
    high: NDArray[np.float32]

    @property
    def span(self) -> NDArray[np.float32]:
        """Width of each channel's range; 1 where it is empty."""
        width = self.high - self.low
        span: NDArray[np.float32] = np.where(width > 0, width, np.float32(1.0))
        return span

    def normalise(self, raw: NDArray[Any]) -> NDArray[np.float32]:
        """Map raw values of shape (..., d_out) to [0, 1]."""
        return np.asarray(np.clip((raw - self.low) / self.span, 0.0, 1.0), dtype=np.float32)

    def denormalise(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Map values in [0, 1] back to raw units."""
        return (values * self.span + self.low).astype(np.float32)


@dataclass(frozen=True)
class ChannelStatistics:
    """Range, sum and sum of squares of each channel, over any number of samples.

    Parameters
    ----------
    count : int
        Values in each channel.
    low, high : tuple of float
    sums, squares : tuple of int
        In units of 2**-100.
    """

    count: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    sums: tuple[int, ...]
    squares: tuple[int, ...]

    @classmethod
    def of(cls, prepared: NDArray[Any]) -> ChannelStatistics:
        """Measure one prepared sample of shape (..., d_out)."""
        flat = prepared.reshape(-1, prepared.shape[-1]).astype(np.float64)
        return cls(
            count=len(flat),
            low=tuple(flat.min(0).tolist()),
            high=tuple(flat.max(0).tolist()),
            sums=_whole(flat.sum(0)),
            squares=_whole(np.square(flat).sum(0)),
        )

    def merged(self, other: ChannelStatistics) -> ChannelStatistics:
        """Statistics of both together."""
        return ChannelStatistics(
            self.count + other.count,
            tuple(map(min, self.low, other.low)),
            tuple(map(max, self.high, other.high)),
            tuple(map(int.__add__, self.sums, other.sums)),
            tuple(map(int.__add__, self.squares, other.squares)),
        )

    @staticmethod
    def total(parts: Iterable[ChannelStatistics]) -> ChannelStatistics | None:
        """Merge any number of statistics; None when there are none."""
        found = list(parts)
        return reduce(ChannelStatistics.merged, found) if found else None

    def scaling(self, spread: float | None) -> Scaling:
        """Limits at `spread` standard deviations around the mean, within the range seen; the range itself when None."""
        low, high = np.array(self.low), np.array(self.high)
        if spread is not None:
            mean = np.array([total / self.count / _UNIT for total in self.sums])
            square = np.array([total / self.count / _UNIT for total in self.squares])
            width = spread * np.sqrt(np.maximum(square - mean**2, 0.0))
            low, high = np.maximum(low, mean - width), np.minimum(high, mean + width)
        return Scaling(low.astype(np.float32), high.astype(np.float32))


def _whole(values: NDArray[np.float64]) -> tuple[int, ...]:
    return tuple(int(value * _UNIT) for value in values.tolist())
