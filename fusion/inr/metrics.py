"""How well a network reproduces its signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PEAK_DB = 150.0


def psnr(mse: ArrayLike) -> NDArray[np.float32]:
    """Peak signal-to-noise ratio of values in [0, 1], in dB: ``-10 log10(mse)``.

    Parameters
    ----------
    mse : array_like
        Mean squared errors, >= 0. Zero gives the cap of 150 dB, NaN stays NaN.

    Returns
    -------
    NDArray of float32, the shape of `mse`

    Notes
    -----
    Malherbe, Section 4.3.

    Examples
    --------
    >>> psnr([0.01, 0.0001, 0.0])
    array([ 20.,  40., 150.], dtype=float32)
    """
    floor = 10.0 ** (-PEAK_DB / 10.0)
    decibel: NDArray[Any] = -10.0 * np.log10(np.maximum(np.asarray(mse, dtype=np.float64), floor))
    return decibel.astype(np.float32)


def mse_of_psnr(decibel: float) -> float:
    """Mean squared error at a PSNR, the inverse of `psnr`."""
    return float(10.0 ** (-decibel / 10.0))
