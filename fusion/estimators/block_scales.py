"""How much the columns of each modality weigh in a linear fit of all of them, chosen by cross-validation.

Side by side the modality with the most columns outweighs the others. A block of columns with a larger deviation has a
smaller penalty: one scale for each block is one penalty for each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from fusion.estimators.glm import Array, Family, Losses, least_loss
from fusion.estimators.gram import RotatedRows, filled
from fusion.estimators.trainers import RowSource

__all__ = ["block_scales"]

_ROWS = 1000
_ROUNDS = 4
_GAIN = 0.02
"""Part of the loss that another scale has to save; a smaller one may be chance."""


def block_scales(
    rows: RowSource,
    targets: Array,
    folds: NDArray[np.intp],
    family: Family,
    *,
    blocks: Sequence[int],
    penalties: Sequence[float],
    losses: Callable[[NDArray[np.intp]], Losses],
    weights: Array | None = None,
    seed: int = 42,
) -> Array:
    """Return the deviation of the columns of each block, shape (blocks,); their mean square over the columns is 1.

    Parameters
    ----------
    rows : RowSource
        Shape (n, p). At most 1,000 of them are used, drawn by the seed.
    targets : NDArray of float64, shape=(n, c)
    folds : NDArray of intp, shape=(n,)
        Fold of each row; with one fold only nothing is chosen, and all scales are 1.
    family : Family
    blocks : sequence of int
        Columns of each block.
    penalties : sequence of float > 0
        As for `fit_glm`, chosen anew for each scale that is tried.
    losses : callable
        Gives, for the positions of the rows that are used, what `fit_glm` wants.
    weights : NDArray of float64, shape=(n,), optional
        How often each row counts; None = once.
    seed : int
        Of the draw.

    Notes
    -----
    Tried first are equal columns and equal blocks, then half and twice each block, as long as the loss out of fold
    falls by a fiftieth.
    """
    drawn = np.sort(np.random.default_rng(seed).permutation(len(targets))[:_ROWS])
    fold = np.unique(folds[drawn], return_inverse=True)[1]
    sizes = np.asarray(blocks, dtype=float)
    if len(sizes) < 2 or not fold.any():
        return np.ones(len(sizes))
    counts = np.ones(len(drawn)) if weights is None else weights[drawn]
    with threadpool_limits(1, user_api="blas"):
        products = _products(rows[drawn], blocks, counts)

        def loss(scales: Array) -> float:
            rotated = RotatedRows(np.tensordot(np.square(scales), products, axes=1))
            how = {"penalties": penalties, "losses": losses(drawn), "weights": counts}
            return least_loss(rotated, targets[drawn], fold, family, **how)  # type: ignore[arg-type]

        return _search(loss, sizes)


def _search(loss: Callable[[Array], float], sizes: Array) -> Array:
    best = np.ones(len(sizes))
    least = loss(best)
    tries = [_normalised(1 / np.sqrt(sizes), sizes)]
    for _ in range(_ROUNDS):
        found = [(loss(scales), scales) for scales in tries]
        lowest, scales = min(found, key=lambda entry: entry[0])
        if lowest < (1 - _GAIN) * least:
            least, best = lowest, scales
        elif len(tries) > 1:
            break
        tries = [_normalised(best * factor, sizes) for factor in _factors(len(sizes))]
    return best


def _factors(count: int) -> Array:
    halves = 1 - np.eye(count) / 2
    return np.concatenate([halves, 1 + np.eye(count)] if count > 2 else [halves])


def _normalised(scales: Array, sizes: Array) -> Array:
    return np.asarray(scales / np.sqrt(np.average(np.square(scales), weights=sizes)))


def _products(rows: NDArray[np.float32], blocks: Sequence[int], weights: Array) -> Array:
    standard = StandardScaler().fit(filled(rows), sample_weight=weights).transform(filled(rows))
    parts = np.split(standard.astype(float), np.cumsum(blocks)[:-1], axis=1)
    return np.stack([part @ part.T for part in parts])
