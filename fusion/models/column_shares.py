"""How much each column, or each layer of a functa, adds to what a model says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fusion.errors import ModelError
from fusion.estimators.boosted import FunctaBooster
from fusion.estimators.contributions import column_strength
from fusion.estimators.fused import FusedEstimator
from fusion.estimators.tasks import Task
from fusion.models.model import Model, ModelBranch

__all__ = ["column_shares"]

_BYTES = 64 << 20


@dataclass(frozen=True)
class Part:
    """An estimator, the columns of the model that it reads, and the branches that these belong to."""

    classifier: FunctaBooster
    columns: slice
    branches: tuple[ModelBranch, ...]


def column_shares(model: Model, functas: ArrayLike | Mapping[str, ArrayLike]) -> dict[str, dict[str, float]]:
    """Return the mean share of each column of a row in the predictions of these rows.

    Parameters
    ----------
    model : Model
        Trained.
    functas : array_like or mapping of str to array_like
        As `Model.predict_proba` takes them.

    Returns
    -------
    dict of str to dict of str to float
        By branch, then by entry of the store's layout: a column of plain columns, with all its categories, or an array
        of a network. Shares of one modality, and of early fusion over all branches, sum to 1; of late and stacked
        fusion those of each branch do, as its own classifier weighs them. All are 0 where it found nothing to go by.

    Notes
    -----
    The SHAP values of what is predicted, without sign; see `FunctaBooster.contributions`.
    """
    matrix = model._matrix(functas)
    shares: dict[str, dict[str, float]] = {}
    for part in parts_of(model):
        shares |= _shares_of(part, matrix[:, part.columns], model.task)
    return shares


def parts_of(model: Model) -> list[Part]:
    """Give the estimators that weigh the columns of the branches, together or each its own.

    Raises
    ------
    ModelError
        One of them is not XGBoost's, and so tells no contributions.
    """
    parts = _parts(model)
    other = next((part.classifier for part in parts if not isinstance(part.classifier, FunctaBooster)), None)
    if other is not None:
        raise ModelError(f"this model is {other}, which tells no contributions of columns; expected one of XGBoost.")
    return parts


def _parts(model: Model) -> list[Part]:
    classifier = model.classifier
    if not isinstance(classifier, FusedEstimator):
        return [Part(classifier, slice(None), model.branches)]
    if classifier.fusion == "early" and classifier.head is not None:
        return [Part(classifier.head, slice(None), model.branches)]
    return [_of_member(classifier, branch) for branch in model.branches]


def _of_member(classifier: FusedEstimator, branch: ModelBranch) -> Part:
    return Part(classifier.members[branch.name], classifier.slices[branch.name], (branch,))


def _shares_of(part: Part, matrix: NDArray[np.float32], task: Task) -> dict[str, dict[str, float]]:
    strength = _strength(part.classifier, matrix[~np.isnan(matrix).all(axis=1)], task)
    total = max(float(strength.sum()), np.finfo(np.float64).tiny)
    shares: dict[str, dict[str, float]] = {}
    first = 0
    for branch in part.branches:
        own = np.zeros(branch.k)
        own[branch.features.keep_] = strength[first : first + branch.columns] / total
        first += branch.columns
        shares[branch.name] = branch.by_entry(own)
    return shares


def _strength(estimator: FunctaBooster, matrix: NDArray[np.float32], task: Task) -> NDArray[np.float64]:
    """Return the sum over rows of each column's share in what is predicted, shape (columns,)."""
    found = np.zeros(matrix.shape[1])
    step = max(1, _BYTES // (4 * task.outputs(estimator.classes_) * (matrix.shape[1] + 1)))
    for first in range(0, len(matrix), step):
        rows = matrix[first : first + step]
        added = column_strength(estimator, rows, task.chosen(estimator.outputs(rows)))
        found += (added / np.maximum(added.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)).sum(axis=0)
    return found
