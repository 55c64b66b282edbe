"""The choice of a classifier by cross-validation over training groups; test rows are never looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from fusion.errors import DataError
from fusion.estimators.presets import TRAINING_PRESETS
from fusion.estimators.trainers import RowSource, Trainer, blocks_of, chunks
from fusion.estimators.xgboost import FunctaClassifier
from fusion.splits import group_codes, stratified_folds

__all__ = ["CANDIDATES", "Tried", "Tuning", "tune_classifier"]

CANDIDATES: Mapping[str, Mapping[str, Any]] = {
    "trees": TRAINING_PRESETS["paper"].parameters,
    "shallow trees": {"max_depth": 3, "parameters": {"colsample_bytree": 0.3}},
    "slow trees": TRAINING_PRESETS["slow"].parameters,
    "linear": TRAINING_PRESETS["linear"].parameters,
    "stacked": TRAINING_PRESETS["stacked"].parameters,
}
"""What is tried, the plainest first, as parameters of `FunctaClassifier`; the linear booster chooses its penalty."""


@dataclass(frozen=True)
class Tried:
    """What one candidate reached.

    Attributes
    ----------
    name : str
        Of `CANDIDATES`.
    parameters : mapping of str to object
        As given to `FunctaClassifier`.
    accuracy : float in [0, 1]
        Mean over all training rows, each predicted by a model that saw none of its group.
    seconds : float
        Of all folds.
    """

    name: str
    parameters: Mapping[str, Any]
    accuracy: float
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "parameters": dict(self.parameters)}


@dataclass(frozen=True)
class Tuning:
    """What was tried, in that order, and the classifier chosen: untrained, with its parameters set."""

    tried: tuple[Tried, ...]
    classifier: FunctaClassifier = field(compare=False)

    @property
    def chosen(self) -> Tried:
        """The most accurate; of equal ones the plainer."""
        return max(self.tried, key=lambda tried: tried.accuracy)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a report."""
        return {"chosen": self.chosen.name, "tried": [tried.to_dict() for tried in self.tried]}


def tune_classifier(
    classifier: FunctaClassifier,
    rows: RowSource,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    candidates: Mapping[str, Mapping[str, Any]] | None = None,
    folds: int = 3,
    trainer: Trainer | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tuning:
    """Choose booster and parameters by folds of whole training groups.

    Parameters
    ----------
    classifier : FunctaClassifier
        Where the candidates name no parameter, its own are kept: seed, threads, most rounds.
    rows : RowSource
        Training rows, float32 of shape (n, p), read when they are wanted.
    y : array_like
        Their labels, shape (n,).
    groups : array_like, optional
        Their groups, shape (n,).
    candidates : mapping of str to mapping of str to object, optional
        Parameters by name; None = `CANDIDATES`.
    folds : int
        Number of folds.
    trainer : Trainer, optional
        As for `FunctaClassifier.fit_rows`.
    progress : callable, optional
        Called after each fold of each candidate with how many are done and how many there are.

    Raises
    ------
    DataError
        There are not two groups to validate across.
    """
    labels = np.asarray(y)
    codes = np.unique(labels, return_inverse=True)[1]
    members = None if groups is None else group_codes(groups)
    dealt = stratified_folds(codes, members, most=folds, seed=classifier.seed)
    count = int(dealt.max(initial=0)) + 1
    if count < 2:
        raise DataError(
            f"tuning needs at least two groups of training rows, got one of {len(labels)} rows. Encode with groups "
            "(subject, film or recording), or choose the booster yourself."
        )
    choices = CANDIDATES if candidates is None else candidates
    made = {name: clone(classifier).set_params(**given) for name, given in choices.items()}
    tried: list[Tried] = []
    for name, candidate in made.items():
        begin, hits = time.perf_counter(), 0
        for number in range(count):
            hits += _hits(candidate, rows, labels, groups, dealt == number, trainer)
            if progress is not None:
                progress(len(tried) * count + number + 1, len(made) * count)
        seconds = round(time.perf_counter() - begin, 3)
        tried.append(Tried(name, dict(choices[name]), hits / len(labels), seconds))
    return Tuning(tuple(tried), made[max(tried, key=lambda one: one.accuracy).name])


class _Part:
    """Some rows of a source, as a source."""

    def __init__(self, rows: RowSource, positions: NDArray[np.intp]) -> None:
        self._rows, self._positions = rows, positions
        self.shape = (len(positions), rows.shape[1])
        self.blocks = blocks_of(rows)

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        return self._rows[self._positions[positions]]


def _hits(
    candidate: FunctaClassifier,
    rows: RowSource,
    labels: NDArray[Any],
    groups: ArrayLike | None,
    held: NDArray[np.bool_],
    trainer: Trainer | None,
) -> int:
    training, validation = np.flatnonzero(~held), np.flatnonzero(held)
    if len(np.unique(labels[training])) < 2:
        return 0
    inside = None if groups is None else np.asarray(groups, dtype=object)[training]
    model = clone(candidate).fit_rows(_Part(rows, training), labels[training], inside, trainer=trainer)
    parts: Iterable[NDArray[np.intp]] = chunks(validation, rows.shape[1])
    return sum(int(np.sum(model.predict(rows[part]) == labels[part])) for part in parts)
