"""What a fitted `FunctaFeatures` does to functas, without what fits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["FittedFeatures", "standardised"]


@dataclass(frozen=True, eq=False)
class FittedFeatures:
    """Filter and normalisation of one branch, as they were learned.

    Attributes
    ----------
    keep_ : bool array, shape (k,)
    mean_, scale_ : float64 arrays, shape (kept,)
    start : array, shape (k,), or None
        What is subtracted first.
    normalise : bool
        Whether `mean_` and `scale_` are applied.
    """

    keep_: NDArray[np.bool_]
    mean_: NDArray[np.float64]
    scale_: NDArray[np.float64]
    start: NDArray[Any] | None = None
    normalise: bool = True

    def transform(self, functas: ArrayLike) -> NDArray[np.floating[Any]]:
        """Return features of shape (n, kept) of functas of shape (n, k); a row of NaN stays NaN."""
        matrix = np.asarray(functas)
        if matrix.ndim != 2 or matrix.shape[1] != len(self.keep_):
            raise DataError(f"functas of shape {matrix.shape}; expected (n, {len(self.keep_)})")
        if matrix.dtype not in (np.float32, np.float64):
            matrix = matrix.astype(np.float64)
        limits = (self.mean_, self.scale_) if self.normalise else None
        return standardised(matrix, self.keep_, self.start, limits)


def standardised(
    matrix: NDArray[np.floating[Any]],
    keep: NDArray[np.bool_],
    start: NDArray[Any] | None,
    limits: tuple[NDArray[np.float64], NDArray[np.float64]] | None,
) -> NDArray[np.floating[Any]]:
    """Keep columns, subtract a start of shape (k,), and bring the kept ones to mean 0 and deviation 1; same type."""
    out: NDArray[np.floating[Any]] = matrix.copy() if keep.all() else matrix[:, keep]
    if start is not None:
        out -= start[keep].astype(out.dtype)
    if limits is not None:
        mean, scale = limits
        out -= mean.astype(out.dtype)
        out /= scale.astype(out.dtype)
    return out
