"""What each modality adds to a prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fusion.estimators.boosted import FunctaBooster
from fusion.estimators.fused import FusedEstimator
from fusion.estimators.wrapped import WrappedEstimator

__all__ = ["column_strength", "contributions"]

_BYTES = 64 << 20


def contributions(fused: FusedEstimator, matrix: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the share of each modality in each prediction, shape (n, branches); rows sum to 1.

    Parameters
    ----------
    fused : FusedEstimator
        Trained.
    matrix : NDArray of float32
        Rows of all modalities, shape (n, columns).
    own : NDArray of float32
        What its members say of them, shape (branches, n, outputs).

    Notes
    -----
    Of early and stacked fusion the SHAP values of what is predicted - the class, the number, the labels - (XGBoost's
    ``pred_contribs``; Lundberg et al., "Consistent Individualized Feature Attribution for Tree Ensembles", 2018), added
    up over the columns of each modality and taken without sign; NaN of other models than XGBoost's. Of late fusion what
    a modality adds to the average: to the number, to the probability of the predicted class, or to its logarithm less
    that of the other classes.
    """
    chosen = fused.task.chosen(fused.combine(matrix, own))
    if fused.pool is not None:
        return _shares((np.abs(fused.pool.evidence(own)) * chosen).sum(axis=2).T)
    if fused.head is None:
        return np.full((len(matrix), len(own)), 1 / len(own))
    if isinstance(fused.head, WrappedEstimator):
        return np.full((len(matrix), len(own)), np.nan)
    return _shares(_of_head(fused, fused.head, matrix, own, chosen))


def column_strength(
    estimator: FunctaBooster, rows: NDArray[np.float32], chosen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return what each column adds to the chosen outputs of each row, without sign, shape (n, columns).

    Parameters
    ----------
    estimator : FunctaBooster
        Trained.
    rows : NDArray of float32, shape=(n, columns)
    chosen : NDArray of bool, shape=(n, outputs)
        In the order of the estimator's outputs.
    """
    values = estimator.contributions(rows)
    found = np.zeros((len(rows), rows.shape[1]))
    places, outputs = np.nonzero(chosen)
    np.add.at(found, places, np.abs(values[places, outputs, :-1].astype(np.float64)))
    return found


def _of_head(
    fused: FusedEstimator,
    head: FunctaBooster,
    matrix: NDArray[np.float32],
    own: NDArray[np.float32],
    chosen: NDArray[np.bool_],
) -> NDArray[np.float64]:
    rows = fused.fused_rows(matrix, own)
    early = list(fused.columns.values())
    widths = early if fused.fusion == "early" else [own.shape[2]] * len(early)
    starts = np.cumsum([0, *widths[:-1]])
    if fused.task.name == "classification":  # a head may have met fewer classes
        chosen = chosen[:, np.searchsorted(fused.classes_.astype(str), np.asarray(head.classes_).astype(str))]
    step = max(1, _BYTES // (4 * chosen.shape[1] * (rows.shape[1] + 1)))
    found = []
    for first in range(0, len(rows), step):
        part = slice(first, first + step)
        values = head.contributions(rows[part])
        places, outputs = np.nonzero(chosen[part])
        sums = np.zeros((len(values), len(starts)))
        each = values[places, outputs, :-1].astype(np.float64)
        np.add.at(sums, places, np.abs(np.add.reduceat(each, starts, axis=1)))
        found.append(sums)
    return np.concatenate(found)


def _shares(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    total = parts.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, parts / np.maximum(total, 1e-300), 1 / parts.shape[1]))
