"""Figures of a model and of each of its modalities, from the table of its predictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.estimators.tasks import Task
from fusion.metrics import Figures
from fusion.models.scoring import AT_THRESHOLDS

__all__ = ["SHARES", "Judge", "ModalityFigures"]

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Parts of the test rows in which a modality is taken away."""


@dataclass(frozen=True, eq=False)
class ModalityFigures:
    """What one modality is worth, alone and in the fusion.

    Attributes
    ----------
    alone : Figures
        Its own estimator on the rows that have it.
    score_without : float
        Of the fusion when it is missing, over the rows that another modality is left of; NaN where there are none.
    contribution : float
        Its mean share in the fusion's predictions, in [0, 1]; see `contributions`.
    missing : tuple of tuple of 2 float
        Score of the fusion when it is missing in a part of the rows, as (part, score).
    """

    alone: Figures
    score_without: float
    contribution: float
    missing: tuple[tuple[float, float], ...]

    @property
    def score(self) -> float:
        """Of its own estimator: accuracy, R2 or micro F1."""
        return self.alone.score

    @property
    def accuracy(self) -> float:
        """Of its own classifier."""
        return self._of_classes(self.score)

    @property
    def accuracy_without(self) -> float:
        """Of the fusion of classes when it is missing."""
        return self._of_classes(self.score_without)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries."""
        return {
            **self.alone.to_dict(),
            f"{self.alone.measure}_without": _plain(self.score_without),
            "contribution": _plain(self.contribution),
            "missing": [list(point) for point in self.missing],
        }

    def _of_classes(self, score: float) -> float:
        if self.alone.measure != "accuracy":
            raise AttributeError(f"the score is {self.alone.measure}; expected a model of classes")
        return score


@dataclass(frozen=True)
class Judge:
    """How a table of predictions is judged.

    Attributes
    ----------
    task : Task
        What was predicted.
    classes : sequence of str or None
        Of the model; None where each fold had its own.
    cv : bool
        The table is of a cross-validation, with a column ``fold``: the score is the mean over the folds, its interval
        Student's at 95 %.
    """

    task: Task
    classes: Sequence[str] | None
    cv: bool = False

    def evaluate(self, table: pd.DataFrame, of: str = "", column: str = "predicted") -> Figures:
        """Evaluate predictions over the rows that have one.

        Parameters
        ----------
        table : DataFrame
            As `score` returns it.
        of : str
            Name of a modality and a colon, for the predictions of its own estimator; empty for the model's.
        column : str
            What is evaluated.
        """
        told = table[table[f"{of}{column}"].notna()]
        found = self.task.evaluate(
            told["label"].to_numpy(dtype=object),
            told[f"{of}{column}"].to_numpy(dtype=object),
            names=self.classes,
            groups=told["group"].to_numpy(dtype=object),
            probabilities=_probabilities(told, of, self.classes),
        )
        return found.over_folds(self.fold_scores(told, f"{of}{column}")) if self.cv else found

    def at_thresholds(self, table: pd.DataFrame) -> Figures | None:
        """Evaluate what is predicted by the thresholds; None of a model without."""
        return self.evaluate(table, column=AT_THRESHOLDS) if AT_THRESHOLDS in table else None

    def fold_scores(self, table: pd.DataFrame, predicted: str = "predicted") -> list[float]:
        """Return the score of each fold, in the order of their names."""
        return [self._score(part, predicted) for _, part in table.groupby("fold", sort=True)]

    def modalities(self, table: pd.DataFrame, names: Sequence[str], *, seed: int = 42) -> dict[str, ModalityFigures]:
        """Return the figures of every modality that a test row has; of a model of one modality there are none."""
        told = [name for name in names if f"{name}:predicted" in table and table[f"{name}:predicted"].notna().any()]
        return {name: self._modality(table, name, seed) for name in told}

    def _modality(self, table: pd.DataFrame, name: str, seed: int) -> ModalityFigures:
        left = table[table[f"{name}:without"].notna()]
        without = self._score(left, f"{name}:without") if len(left) else float("nan")
        if self.cv and len(left):
            without = float(np.mean(self.fold_scores(left, f"{name}:without")))
        contribution = float(table[f"{name}:contribution"].mean())
        return ModalityFigures(self.evaluate(table, f"{name}:"), without, contribution, self._curve(left, name, seed))

    def _curve(self, left: pd.DataFrame, name: str, seed: int) -> tuple[tuple[float, float], ...]:
        """Take the modality away from more and more rows, in a drawn order."""
        if not len(left):
            return ()
        order = np.random.default_rng(seed).permutation(len(left))
        whole, less = (left[column].to_numpy(dtype=object) for column in ("predicted", f"{name}:without"))
        points = []
        for share in SHARES:
            predicted, gone = whole.copy(), order[: round(share * len(order))]
            predicted[gone] = less[gone]
            points.append((share, self.task.score(left["label"].to_numpy(dtype=object), predicted)))
        return tuple(points)

    def _score(self, table: pd.DataFrame, predicted: str) -> float:
        return self.task.score(table["label"].to_numpy(dtype=object), table[predicted].to_numpy(dtype=object))


def _probabilities(table: pd.DataFrame, of: str, classes: Sequence[str] | None) -> NDArray[np.float64] | None:
    columns = [f"{of}probability:{name}" for name in classes or ()]
    return table[columns].to_numpy(dtype=np.float64) if columns and set(columns) <= set(table.columns) else None


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value
