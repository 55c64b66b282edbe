"""Simple statistics of a sample's values: the plain control beside learned representations."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.modalities import Modality

__all__ = ["simple_statistics"]

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BANDS = 16
_AT_ONCE = 64


def simple_statistics(values: NDArray[np.float32], modality: Modality) -> NDArray[np.float32]:
    """Summarise each sample.

    Parameters
    ----------
    values : NDArray of float32, shape=(n, *grid, d_out)
    modality : Modality
        Of the values. MFCC and log-mel maps count as signals over time with one channel per coefficient or band, so
        that of MFCC these are the usual MFCC statistics.

    Returns
    -------
    NDArray of float32, shape=(n, columns)
        Of each channel mean, standard deviation, least, largest, five quantiles and the mean absolute difference
        along each axis; of signals over time also the logarithm of the power in 16 bands of frequency.
    """
    parts = (values[first : first + _AT_ONCE] for first in range(0, len(values), _AT_ONCE))
    return np.concatenate([_summaries(_over_time(part, modality)) for part in parts]).astype(np.float32)


def _over_time(values: NDArray[np.float32], modality: Modality) -> NDArray[np.float32]:
    is_map = modality.name == "audio" and len(modality.grid) == 2
    return values[..., 0] if is_map else values


def _summaries(values: NDArray[np.float32]) -> NDArray[np.float32]:
    axes = tuple(range(1, values.ndim - 1))
    figures = [values.mean(axes), values.std(axes), values.min(axes), values.max(axes)]
    figures += list(np.quantile(values, _QUANTILES, axis=axes))
    figures += [np.abs(np.diff(values, axis=axis)).mean(axes) for axis in axes if values.shape[axis] > 1]
    if len(axes) == 1:
        figures += _bands(values)
    return np.concatenate(figures, axis=1)


def _bands(values: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    power = np.abs(np.fft.rfft(values - values.mean(axis=1, keepdims=True), axis=1)[:, 1:]) ** 2
    edges = np.unique(np.geomspace(1, power.shape[1] + 1, _BANDS + 1).round().astype(int)) - 1
    return [np.log10(power[:, low:high].mean(axis=1) + 1e-9) for low, high in pairwise(edges)]
