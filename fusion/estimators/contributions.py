"""What each modality adds to a prediction."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fusion.estimators.fused import FusedClassifier
from fusion.estimators.wrapped import WrappedEstimator
from fusion.estimators.xgboost import FunctaClassifier

__all__ = ["contributions"]

_BYTES = 64 << 20


def contributions(
    classifier: FusedClassifier, matrix: NDArray[np.float32], own: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Return the share of each modality in each prediction, shape (n, branches); rows sum to 1.

    Parameters
    ----------
    classifier : FusedClassifier
        Trained.
    matrix : NDArray of float32
        Rows of all modalities, shape (n, columns).
    own : NDArray of float32
        What its members say of them, shape (branches, n, classes).

    Notes
    -----
    Of early and stacked fusion the SHAP values of the predicted class (XGBoost's ``pred_contribs``; Lundberg et al.,
    "Consistent Individualized Feature Attribution for Tree Ensembles", 2018), added up over the columns of each
    modality and taken without sign; NaN of
    other models than XGBoost's. Of late fusion what a modality adds to the average: to the probability of the
    predicted class, or to its logarithm less that of the other classes.
    """
    predicted = classifier.combine(matrix, own).argmax(axis=1)
    if classifier.pool is not None:
        evidence = classifier.pool.evidence(own)[:, np.arange(len(matrix)), predicted]
        return _shares(np.abs(evidence).T)
    if classifier.head is None:
        return np.full((len(matrix), len(own)), 1 / len(own))
    if isinstance(classifier.head, WrappedEstimator):
        return np.full((len(matrix), len(own)), np.nan)
    return _shares(_of_head(classifier, classifier.head, matrix, own, predicted))


def _of_head(
    classifier: FusedClassifier,
    head: FunctaClassifier,
    matrix: NDArray[np.float32],
    own: NDArray[np.float32],
    predicted: NDArray[np.intp],
) -> NDArray[np.float64]:
    rows = classifier.fused_rows(matrix, own)
    early = list(classifier.columns.values())
    widths = early if classifier.fusion == "early" else [len(classifier.classes_)] * len(early)
    known = {str(name): code for code, name in enumerate(head.classes_)}
    codes = np.array([known.get(str(classifier.classes_[code]), 0) for code in predicted])
    starts = np.cumsum([0, *widths[:-1]])
    step = max(1, _BYTES // (4 * len(known) * (rows.shape[1] + 1)))
    found = []
    for first in range(0, len(rows), step):
        values = head.contributions(rows[first : first + step])
        chosen = values[np.arange(len(values)), codes[first : first + step], :-1].astype(np.float64)
        found.append(np.abs(np.add.reduceat(chosen, starts, axis=1)))
    return np.concatenate(found)


def _shares(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    total = parts.sum(axis=1, keepdims=True)
    return np.asarray(np.where(total > 0, parts / np.maximum(total, 1e-300), 1 / parts.shape[1]))
