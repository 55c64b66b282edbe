"""The codes of one sample's windows before they are pooled: what each window adds to a row, and rows without some."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fusion.encoders.local.local import ScaleCoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from fusion.encoders.local.local import LocalFunctas
    from fusion.encoders.local.windows import Pool, Windows

    Codes = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ScaleCodes:
    """Codes of all windows of one scale.

    Parameters
    ----------
    windows : Windows
    codes : NDArray of float64, shape=(w, centres)
        Triangle codes, all >= 0.
    pools : tuple of {"mean", "max", "std"}
        In the order of a row.
    root : bool
        Whether a row holds roots of what is pooled.
    """

    windows: Windows
    codes: Codes
    pools: tuple[Pool, ...]
    root: bool

    def pooled(self, kept: NDArray[np.bool_] | None = None) -> Codes:
        """Give this scale's part of the row, of all windows or of those that are `kept`, shape (w,)."""
        chosen = np.ones(len(self.codes), bool) if kept is None else kept
        parts = [_POOLS[pool](self.codes[rows & chosen]) for pool in self.pools for rows in self._cells()]
        return np.concatenate([np.sqrt(part) if self.root else part for part in parts])

    def effects(self, slopes: Codes) -> Codes:
        """Give how much of `slopes @ row` is lost when one window is left out, for each of them, shape (w,).

        Parameters
        ----------
        slopes : NDArray, shape=(pools * cells * centres,)
            Of this scale's part of the row.
        """
        found = np.zeros(len(self.codes))
        parts = slopes.reshape(len(self.pools), self.windows.cells, -1)
        for pool, by_cell in zip(self.pools, parts, strict=True):
            for rows, weights in zip(self._cells(), by_cell, strict=True):
                codes = self.codes[rows]
                if len(codes):
                    whole, less = _POOLS[pool](codes), _WITHOUT[pool](codes)
                    lost = np.sqrt(whole) - np.sqrt(less) if self.root else whole - less
                    found[rows] += lost @ weights
        return found

    def _cells(self) -> Iterator[NDArray[np.bool_]]:
        for cell in range(self.windows.cells):
            yield (self.windows.members == cell).any(axis=1)


def window_codes(encoder: LocalFunctas, values: NDArray[np.float32]) -> tuple[ScaleCodes, ...]:
    """Code the windows of one sample, of values (n, d_out) in [0, 1], without pooling them.

    The parts that `ScaleCodes.pooled` gives, one after another, are the sample's row.
    """
    config = encoder.config
    seen = np.ascontiguousarray(config.seen(np.asarray(values, np.float32)) * encoder.gains)
    found = []
    for state, windows in zip(encoder.scales, config.all_windows(), strict=True):
        z = ScaleCoder(config, state, windows).whitened(seen)[0][:, : state.centres.shape[1]].astype(np.float64)
        found.append(ScaleCodes(windows, _triangle(z, state.centres.astype(np.float64)), config.pools, config.root))
    return tuple(found)


def row_of(scales: Sequence[ScaleCodes], kept: Sequence[NDArray[np.bool_]] | None = None) -> NDArray[np.float32]:
    """Pool the windows of all scales, or those that are kept of each, into a row of shape (k,)."""
    if kept is None:
        parts = [scale.pooled() for scale in scales]
    else:
        parts = [scale.pooled(some) for scale, some in zip(scales, kept, strict=True)]
    return np.concatenate(parts).astype(np.float32)


def _triangle(z: Codes, centres: Codes) -> Codes:
    """Coates, Lee and Ng 2011, Section 3.2.1: ``max(0, mean distance - distance)``."""
    squares = np.sum(z**2, axis=1)[:, None] + np.sum(centres**2, axis=1) - 2.0 * (z @ centres.T)
    distances = np.sqrt(np.maximum(squares, 0.0))
    return np.asarray(np.maximum(distances.mean(axis=1, keepdims=True) - distances, 0.0))


def _none(codes: Codes) -> Codes:
    return np.zeros(codes.shape[1])


def _mean(codes: Codes) -> Codes:
    return np.asarray(codes.mean(axis=0)) if len(codes) else _none(codes)


def _largest(codes: Codes) -> Codes:
    return np.asarray(codes.max(axis=0)) if len(codes) else _none(codes)


def _deviation(codes: Codes) -> Codes:
    return np.asarray(codes.std(axis=0)) if len(codes) else _none(codes)


def _mean_without(codes: Codes) -> Codes:
    return np.asarray(np.maximum(codes.sum(axis=0) - codes, 0.0) / max(len(codes) - 1, 1))


def _largest_without(codes: Codes) -> Codes:
    if len(codes) == 1:
        return np.zeros_like(codes)
    second, first = np.partition(codes, len(codes) - 2, axis=0)[-2:]
    return np.asarray(np.where(codes == first, second, first))


def _deviation_without(codes: Codes) -> Codes:
    rest = max(len(codes) - 1, 1)
    mean = (codes.sum(axis=0) - codes) / rest
    squares = (np.square(codes).sum(axis=0) - np.square(codes)) / rest
    return np.asarray(np.sqrt(np.maximum(squares - mean**2, 0.0)))


_POOLS: dict[Pool, Callable[[Codes], Codes]] = {"mean": _mean, "max": _largest, "std": _deviation}
_WITHOUT: dict[Pool, Callable[[Codes], Codes]] = {
    "mean": _mean_without,
    "max": _largest_without,
    "std": _deviation_without,
}
