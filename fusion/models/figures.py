"""Figures of a model and of each of its modalities, from the table of its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.metrics import Evaluation, evaluate_predictions, mean_accuracy_interval

__all__ = ["SHARES", "ModalityFigures", "evaluate_table", "fold_accuracies", "modality_figures"]

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Parts of the test rows in which a modality is taken away."""


@dataclass(frozen=True, eq=False)
class ModalityFigures:
    """What one modality is worth, alone and in the fusion.

    Attributes
    ----------
    alone : Evaluation
        Its own classifier on the rows that have it.
    accuracy_without : float
        Of the fusion when it is missing, over the rows that another modality is left of; NaN where there are none.
    contribution : float
        Its mean share in the fusion's predictions, in [0, 1]; see `contributions`.
    missing : tuple of tuple of 2 float
        Accuracy of the fusion when it is missing in a part of the rows, as (part, accuracy).
    """

    alone: Evaluation
    accuracy_without: float
    contribution: float
    missing: tuple[tuple[float, float], ...]

    @property
    def accuracy(self) -> float:
        """Of its own classifier."""
        return self.alone.accuracy

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries."""
        return {
            **self.alone.to_dict(),
            "accuracy_without": _plain(self.accuracy_without),
            "contribution": _plain(self.contribution),
            "missing": [list(point) for point in self.missing],
        }


def evaluate_table(
    table: pd.DataFrame, classes: Sequence[str] | None, *, predicted: str = "predicted", cv: bool = False
) -> Evaluation:
    """Evaluate one column of predictions, over the rows that have one.

    Parameters
    ----------
    table : DataFrame
        As `score` returns it; of a cross-validation with a column ``fold``.
    classes : sequence of str or None
        Of the model.
    predicted : str
        Name of the column.
    cv : bool
        The accuracy is the mean over the folds, its interval Student's at 95 %.
    """
    told = table[table[predicted].notna()]
    found = evaluate_predictions(
        told["label"].to_numpy(dtype=object),
        told[predicted].to_numpy(dtype=object),
        classes=classes,
        groups=told["group"].to_numpy(dtype=object),
    )
    return _over_folds(found, fold_accuracies(told, predicted)) if cv else found


def fold_accuracies(table: pd.DataFrame, predicted: str = "predicted") -> list[float]:
    """Return the accuracy of each fold, in the order of their names."""
    correct = table[predicted] == table["label"]
    return [float(value) for _, value in correct.groupby(table["fold"]).mean().sort_index().items()]


def modality_figures(
    table: pd.DataFrame, names: Sequence[str], classes: Sequence[str] | None, *, cv: bool = False, seed: int = 42
) -> dict[str, ModalityFigures]:
    """Return the figures of every modality that a test row has."""
    told = [name for name in names if f"{name}:predicted" in table and table[f"{name}:predicted"].notna().any()]
    return {name: _modality(table, name, classes, cv=cv, seed=seed) for name in told}


def _modality(table: pd.DataFrame, name: str, classes: Sequence[str] | None, *, cv: bool, seed: int) -> ModalityFigures:
    alone = evaluate_table(table, classes, predicted=f"{name}:predicted", cv=cv)
    left = table[table[f"{name}:without"].notna()]
    label = left["label"].to_numpy(dtype=object)
    whole = left["predicted"].to_numpy(dtype=object) == label
    less = left[f"{name}:without"].to_numpy(dtype=object) == label
    without = float(np.mean(less)) if len(left) else float("nan")
    if cv and len(left):
        without = float(np.mean(fold_accuracies(left, f"{name}:without")))
    contribution = float(table[f"{name}:contribution"].mean())
    return ModalityFigures(alone, without, contribution, _curve(whole, less, seed))


def _curve(whole: NDArray[np.bool_], less: NDArray[np.bool_], seed: int) -> tuple[tuple[float, float], ...]:
    """Take the modality away from more and more rows, in a drawn order."""
    if not len(whole):
        return ()
    order = np.random.default_rng(seed).permutation(len(whole))
    points = []
    for share in SHARES:
        correct = whole.copy()
        gone = order[: round(share * len(order))]
        correct[gone] = less[gone]
        points.append((share, float(correct.mean())))
    return tuple(points)


def _over_folds(pooled: Evaluation, accuracies: Sequence[float]) -> Evaluation:
    mean = float(np.mean(accuracies))
    if len(accuracies) < 2:
        return replace(pooled, accuracy=mean)
    interval = mean_accuracy_interval(accuracies)
    intervals = {**pooled.accuracy_intervals, "folds": interval}
    return replace(pooled, accuracy=mean, accuracy_interval=interval, accuracy_intervals=intervals)


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value
