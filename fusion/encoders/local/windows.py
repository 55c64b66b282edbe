"""Where windows lie in a grid of any number of axes, and in which cells their middles are."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_FEW = 32
Pool = Literal["mean", "max", "std"]


class Scale(NamedTuple):
    """Points of a window along each axis, the distance of neighbouring windows, and that of a window's points."""

    size: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...] = ()

    def within(self, grid: Sequence[int]) -> tuple[int, ...]:
        """Return the points of a window along each axis, as many as fit into the grid."""
        steps = self.dilation or (1,) * len(grid)
        return tuple(
            min(size, (points - 1) // step + 1) for size, points, step in zip(self.size, grid, steps, strict=True)
        )

    def for_short(self, grid: Sequence[int], parts: int) -> Scale:
        """Give the scale for one axis that may be short: windows of one of its parts at most, closer where few."""
        if len(grid) > 1:
            return self
        size, stride = min(self.size[0], max(grid[0] // parts, min(4, grid[0] // 2))), self.stride[0]
        while stride > 1 and (grid[0] - size) // stride + 1 < _FEW:
            stride //= 2
        return self._replace(size=(size,), stride=(stride,))


@dataclass(frozen=True, eq=False)
class Windows:
    """The windows of one scale as places in a flat array of the grid's values, channels last.

    Parameters
    ----------
    size : tuple of int
        Points of a window along each axis.
    origins : NDArray of int64, shape=(w,)
        Place of each window's first value.
    offsets : NDArray of int64, shape=(v,)
        From there to each of its values, channels fastest.
    members : NDArray of int64, shape=(w, levels)
        Cells that each window belongs to, one of each level.
    counts : NDArray of int64, shape=(cells,)
        Windows in each cell; a cell may be empty.
    sources : NDArray of int64, shape=(n,)
        Point of the grid that each of the values' points is, or is a mirrored copy of.
    channels : slice
        Of the values' channels those that windows are cut from.
    of_channels : int
        Channels of the values.
    """

    size: tuple[int, ...]
    origins: NDArray[np.int64]
    offsets: NDArray[np.int64]
    members: NDArray[np.int64]
    counts: NDArray[np.int64]
    sources: NDArray[np.int64]
    channels: slice
    of_channels: int

    @property
    def cells(self) -> int:
        """Number of cells of all levels."""
        return len(self.counts)

    @property
    def width(self) -> int:
        """Number of channels of a window."""
        return int(self.channels.stop - self.channels.start)

    def points(self) -> NDArray[np.int64]:
        """Give the points of the grid that each window covers, shape (w, points of a window)."""
        first = self.offsets[:: self.width] - self.channels.start
        covered: NDArray[np.int64] = self.sources[(self.origins[:, None] + first) // self.of_channels]
        return covered

    def cut(self, values: NDArray[Any], chosen: NDArray[np.int64] | None = None) -> NDArray[Any]:
        """Cut windows of shape (w, v) out of values (n, channels), all or some of them."""
        origins = self.origins if chosen is None else self.origins[chosen]
        cut: NDArray[Any] = np.ascontiguousarray(values).reshape(-1)[origins[:, None] + self.offsets]
        return cut


@lru_cache(maxsize=64)
def windows_of(
    scale: Scale,
    grid: tuple[int, ...],
    channels: int,
    levels: tuple[tuple[int, ...], ...] = (),
    mirrored: tuple[int, ...] = (),
    view: tuple[int, int] | None = None,
) -> Windows:
    """Lay windows over a grid, from its first point on and as far as whole windows go.

    Parameters
    ----------
    scale : Scale
    grid : tuple of int
        Points along each axis; windows are cut to it.
    channels : int
    levels : tuple of tuple of int
        Parts along each axis, for each level of the pyramid; none: one cell.
    mirrored : tuple of int
        Axes whose mirrored copies follow the values, as `with_mirrored` appends them. The windows of a copy are in the
        cells of where they are in it.
    view : tuple of int, optional
        First and last channel, exclusive, that windows are cut from; None for all.
    """
    view = view or (0, channels)
    size, spacing = scale.within(grid), scale.dilation or (1,) * len(grid)
    spans = [(length - 1) * step + 1 for length, step in zip(size, spacing, strict=True)]
    steps = np.cumprod([channels, *grid[:0:-1]])[::-1]
    axes = list(zip(grid, spans, scale.stride, strict=True))
    firsts = [np.arange(0, points - length + 1, step) for points, length, step in axes]
    origins = _places(firsts, steps)
    offsets = _places([np.arange(length) * step for length, step in zip(size, spacing, strict=True)], steps)
    members = []
    cells = 0
    for parts in levels or ((1,) * len(grid),):
        middles = [first + span / 2 for first, span in zip(firsts, spans, strict=True)]
        inside = [_parts(middle, *axis) for middle, *axis in zip(middles, grid, parts, strict=True)]
        members.append(cells + _places(inside, np.cumprod([1, *parts[:0:-1]])[::-1]))
        cells += int(np.prod(parts))
    sources = with_mirrored(np.arange(np.prod(grid))[:, None], grid, mirrored)[:, 0]
    copies = range(0, channels * len(sources), channels * int(np.prod(grid)))
    origins = np.concatenate([origins + begin for begin in copies])
    table = np.tile(np.stack(members, axis=1), (len(copies), 1))
    return Windows(
        size,
        origins,
        (offsets[:, None] + np.arange(*view)).ravel(),
        table,
        np.bincount(table.ravel(), minlength=cells),
        sources,
        slice(*view),
        channels,
    )


class Turn(NamedTuple):
    """What becomes of a mirrored copy's channels: each times its sign, plus its rest; both shape (channels,)."""

    signs: NDArray[np.float32]
    rest: NDArray[np.float32]


def with_mirrored(
    values: NDArray[Any], grid: Sequence[int], axes: Sequence[int], turns: Sequence[Turn | None] = ()
) -> NDArray[Any]:
    """Append to values, shape (n, channels), their mirrored copies along each axis, one axis after the other.

    Parameters
    ----------
    values : NDArray, shape=(n, channels)
    grid : sequence of int
        Points along each axis, n together.
    axes : sequence of int
    turns : sequence of Turn or None
        For each axis, where channels have a direction; empty for none.
    """
    copies = values.reshape(1, *grid, -1)
    for axis, turn in zip(axes, turns or [None] * len(axes), strict=True):
        flipped = np.flip(copies, axis + 1)
        copies = np.concatenate([copies, flipped if turn is None else flipped * turn.signs + turn.rest])
    return copies.reshape(-1, values.shape[1])


def with_differences(values: NDArray[np.float32], grid: Sequence[int], lags: Sequence[int]) -> NDArray[np.float32]:
    """Add the differences along the first axis as further channels; they are 0 where there is no earlier point.

    Parameters
    ----------
    values : NDArray, shape=(n, channels)
    grid : sequence of int
        Points along each axis, n together.
    lags : sequence of int >= 1

    Returns
    -------
    NDArray of float32, shape=(n, channels * (1 + len(lags)))
    """
    if not lags:
        return values
    inner = int(np.prod(grid[1:]))
    parts = [values]
    for lag in lags:
        difference = np.zeros_like(values)
        difference[lag * inner :] = values[lag * inner :] - values[: -lag * inner]
        parts.append(difference)
    return np.concatenate(parts, axis=1)


def compressed(values: NDArray[np.float32], unit: float) -> NDArray[np.float32]:
    """Compress each channel's deviations from its mean over the sample, so that small ones are seen beside large ones.

    Parameters
    ----------
    values : NDArray, shape=(n, channels)
        In [0, 1].
    unit : float > 0
        Deviations well below it stay in proportion, those well above count by their logarithm.

    Returns
    -------
    NDArray of float32, shape=(n, channels)
        In [-0.5, 0.5].
    """
    deviations = values - values.mean(axis=0, dtype=np.float64).astype(np.float32)
    largest = np.float32(2.0 * np.arcsinh(1.0 / unit))
    return np.asarray(np.arcsinh(deviations / np.float32(unit)) / largest, np.float32)


def _places(axes: Sequence[NDArray[Any]], steps: NDArray[Any]) -> NDArray[np.int64]:
    mesh = np.meshgrid(*axes, indexing="ij")
    places = np.sum([axis.astype(np.int64) * step for axis, step in zip(mesh, steps, strict=True)], axis=0)
    return np.asarray(places, np.int64).ravel()


def _parts(middles: NDArray[Any], points: int, parts: int) -> NDArray[np.int64]:
    return np.minimum((middles * parts / points).astype(np.int64), parts - 1)
