"""Functas as a matrix, where a table asks for what training itself does not do: other filters, fewer rows."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fusion.estimators.xgboost import FunctaClassifier
from fusion.features.items import labelled_items, read_items, require_disjoint_groups
from fusion.features.transformer import FunctaFeatures
from fusion.metrics import Evaluation, evaluate_predictions
from store import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Matrices:
    """Functas of training and test rows, shape (n, k), with labels and groups, shape (n,), sorted by ID."""

    training: NDArray[np.float32]
    test: NDArray[np.float32]
    labels: NDArray[Any]
    truth: NDArray[Any]
    groups: NDArray[Any]
    test_groups: NDArray[Any]
    start: NDArray[np.float32] | None

    @classmethod
    def of_store(cls, store: Path, train_split: str = "train", test_split: str = "test") -> Matrices:
        """Read the labelled rows of two splits whole; for stores that fit in memory."""
        with open_store(store) as opened:
            items = read_items(opened)
            training = labelled_items(items, (train_split,), "training")
            test = labelled_items(items, (test_split,), "test")
            require_disjoint_groups(training, test)
            return cls(
                opened.read(list(training.ids)).functas,
                opened.read(list(test.ids)).functas,
                training.labels.astype(str),
                test.labels.astype(str),
                training.groups,
                test.groups,
                opened.state.get("start"),
            )


def fit_and_test(
    matrices: Matrices,
    *,
    features: Mapping[str, Any] | None = None,
    classifier: FunctaClassifier | None = None,
    rows: NDArray[np.intp] | None = None,
) -> tuple[Evaluation, float]:
    """Train on some of the training rows, test on all test rows; give the evaluation and the seconds.

    Parameters
    ----------
    matrices : Matrices
    features : mapping, optional
        Options of `FunctaFeatures`.
    classifier : FunctaClassifier, optional
        Untrained; None is the paper's.
    rows : NDArray of int, optional
        Which training rows; None is all of them.
    """
    begin = time.perf_counter()
    chosen = np.arange(len(matrices.training)) if rows is None else rows
    transformer = FunctaFeatures(start=matrices.start, **(features or {}))
    design = transformer.fit_transform(matrices.training[chosen])
    model = (classifier or FunctaClassifier()).fit(design, matrices.labels[chosen], groups=matrices.groups[chosen])
    predicted = model.predict(transformer.transform(matrices.test))
    evaluation = evaluate_predictions(matrices.truth, predicted, groups=matrices.test_groups)
    return evaluation, time.perf_counter() - begin
