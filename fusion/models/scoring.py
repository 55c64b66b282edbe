"""What a model says of items whose labels are known: one table, from which every figure follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.estimators.contributions import contributions
from fusion.estimators.fused import FusedEstimator
from fusion.features.batches import batches
from fusion.features.items import Items
from fusion.features.matrix import DesignRows
from fusion.models.model import Model
from store import FunctaStore

__all__ = ["AT_THRESHOLDS", "predict_items", "score"]

AT_THRESHOLDS = "predicted_at_thresholds"
"""Column of what is predicted by the thresholds of a model."""
_EXPLAINED = 200


def predict_items(model: Model, stores: Mapping[str, FunctaStore], items: Items) -> NDArray[np.float32]:
    """Return the probability of each class or label, or the number, shape (n, outputs)."""
    rows = _rows(model, stores, items)
    found = np.zeros((len(rows), model.task.outputs(model.classes)), np.float32)
    for part in _parts(rows):
        found[part] = model.classifier.outputs(rows[part])
    return found


def score(model: Model, stores: Mapping[str, FunctaStore], items: Items, *, seed: int = 42) -> pd.DataFrame:
    """Predict items, as they are and, of several modalities, by each alone and without each.

    Parameters
    ----------
    model : Model
        Trained.
    stores : mapping of str to FunctaStore
        Of its branches; of those that no item has, none is needed.
    items : Items
        With labels.
    seed : int
        Draws the rows whose contributions are measured, 200 at most.

    Returns
    -------
    DataFrame
        One row per item: id, label (what is right), group, split, predicted, and of classes its probability; of each
        branch ``NAME:id`` and ``NAME:psnr`` (dB), and of several ``NAME:predicted`` and ``NAME:probability`` (its
        estimator alone), ``NAME:without`` (what the fusion predicts when it is missing) and ``NAME:contribution``. Of
        sets of labels ``probability:LABEL`` in place of the probability. Of a model with thresholds
        ``predicted_at_thresholds``. None or NaN where there is nothing.
    """
    columns: dict[str, Any] = {"id": items.ids, "label": items.labels, "group": items.groups, "split": items.splits}
    if isinstance(model.classifier, FusedEstimator):
        columns |= _fused(model, model.classifier, stores, items, seed)
    else:
        columns |= _answers(model, predict_items(model, stores, items))
    for name, ids in items.rows.items():
        columns[f"{name}:id"] = ids
        columns[f"{name}:psnr"] = items.psnr.get(name, np.full(len(items), np.nan, np.float32))
    return pd.DataFrame({name: _column(values) for name, values in columns.items()})


def _answers(model: Model, outputs: NDArray[np.float32]) -> dict[str, Any]:
    """Give what is predicted, and beside it what would be by the thresholds."""
    names = np.asarray(model.classes, dtype=object)
    found = model.task.cells(outputs, names)
    if model.thresholds is None:
        return found
    return {**found, AT_THRESHOLDS: model.at_thresholds().task.decided(outputs, names)}


def _fused(
    model: Model, classifier: FusedEstimator, stores: Mapping[str, FunctaStore], items: Items, seed: int
) -> dict[str, Any]:
    rows, names, classes = _rows(model, stores, items), list(classifier.columns), classifier.classes_
    fused = np.zeros((len(items), model.task.outputs(classes)), np.float32)
    own = np.full((len(names), *fused.shape), np.nan, np.float32)
    without = np.full_like(own, np.nan)
    shares = np.full((len(items), len(names)), np.nan)
    explained = _drawn(items, seed)
    for part in _parts(rows):
        matrix = rows[part]
        own[:, part] = classifier.member_outputs(matrix)
        fused[part] = classifier.combine(matrix, own[:, part])
        for number, here in enumerate(classifier.slices.values()):
            without[number, part] = _lacking(classifier, matrix, own[:, part], number, here)
        chosen = np.flatnonzero(explained[part])
        if len(chosen):
            shares[part[chosen]] = contributions(classifier, matrix[chosen], own[:, part[chosen]])
    found = _answers(model, fused)
    for number, name in enumerate(names):
        found |= {f"{name}:{column}": cells for column, cells in model.task.cells(own[number], classes).items()}
        found[f"{name}:without"] = model.task.decided(without[number], classes)
        found[f"{name}:contribution"] = shares[:, number]
    return found


def _lacking(
    classifier: FusedEstimator, matrix: NDArray[np.float32], own: NDArray[np.float32], number: int, here: slice
) -> NDArray[np.float32]:
    """Predict without one modality; NaN where no other is left."""
    less, rest = matrix.copy(), own.copy()
    less[:, here] = np.nan
    rest[number] = np.nan
    found = classifier.combine(less, rest)
    found[np.isnan(rest[:, :, 0]).all(axis=0)] = np.nan
    return found


def _rows(model: Model, stores: Mapping[str, FunctaStore], items: Items) -> DesignRows:
    return DesignRows(stores, items, {branch.name: branch.features for branch in model.branches})


def _parts(rows: DesignRows) -> Iterator[NDArray[np.intp]]:
    return (np.arange(len(rows))[batch] for batch in batches(len(rows), 4 * rows.shape[1]))


def _drawn(items: Items, seed: int) -> NDArray[np.bool_]:
    """Choose items that have all modalities, by a random draw."""
    whole = np.logical_and.reduce([items.present(name) for name in items.rows])
    places = np.random.default_rng(seed).permutation(np.flatnonzero(whole))[:_EXPLAINED]
    found = np.zeros(len(items), dtype=bool)
    found[places] = True
    return found


def _column(values: Any) -> pd.Series:
    found = np.asarray(values)
    return pd.Series(found, dtype=object if found.dtype == object else None)
