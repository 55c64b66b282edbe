"""The choice of an estimator by cross-validation over training groups; test rows are never looked at."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone

from fusion.errors import DataError
from fusion.estimators.boosted import FunctaBooster
from fusion.estimators.presets import TRAINING_PRESETS
from fusion.estimators.tasks import TASKS, Task
from fusion.estimators.trainers import RowSource, Trainer, blocks_of, chunks
from fusion.splits import group_codes, stratified_folds

__all__ = ["CANDIDATES", "Tried", "Tuning", "is_linear", "plainest", "tune_classifier"]

_FOLDS = 3
_EVEN = 0.005

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
    score : float or None
        Of all training rows, each predicted by a model that saw none of its group: the higher the better. None where
        too few rows are left to learn from once others are left out.
    seconds : float
        Of all folds.
    measure : str
        What the score is: "accuracy", that of weighted rows where classes have weights, "r2" or "micro_f1".
    """

    name: str
    parameters: Mapping[str, Any]
    score: float | None
    seconds: float
    measure: str = "accuracy"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        parameters = dict(self.parameters)
        return {"name": self.name, "parameters": parameters, self.measure: self.score, "seconds": self.seconds}


@dataclass(frozen=True)
class Tuning:
    """What was tried, in that order, and the estimator chosen: untrained, with its parameters set."""

    tried: tuple[Tried, ...]
    classifier: FunctaBooster = field(compare=False)

    @property
    def chosen(self) -> Tried:
        """The plainest of those within half a point of the best."""
        return plainest(self.tried)

    @property
    def compared(self) -> bool:
        """Whether any candidate's score is known."""
        return any(one.score is not None for one in self.tried)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for a report."""
        return {"chosen": self.chosen.name, "tried": [tried.to_dict() for tried in self.tried]}


def tune_classifier(
    classifier: FunctaBooster,
    rows: RowSource,
    y: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    candidates: Mapping[str, Mapping[str, Any]] | None = None,
    task: Task = TASKS["classification"],
    trainer: Trainer | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Tuning:
    """Choose booster and parameters by three folds of whole training groups.

    Parameters
    ----------
    classifier : FunctaClassifier or its like of another task
        Where the candidates name no parameter, its own are kept: seed, threads, most rounds.
    rows : RowSource
        Training rows, float32 of shape (n, p), read when they are wanted.
    y : array_like
        Their labels, shape (n,), as the task predicts them.
    groups : array_like, optional
        Their groups, shape (n,).
    candidates : mapping of str to mapping of str to object, optional
        Parameters by name; None = `CANDIDATES`.
    task : Task
        What is predicted.
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
    names = task.names(labels)
    learned = task.learned(labels, names)
    members = None if groups is None else group_codes(groups)
    folds = stratified_folds(task.strata(labels), members, most=_FOLDS, seed=classifier.seed)
    count = int(folds.max(initial=0)) + 1
    if count < 2:
        raise DataError(_untunable(len(labels), members))
    choices = CANDIDATES if candidates is None else candidates
    made = {name: clone(classifier).set_params(**given) for name, given in choices.items()}
    tried: list[Tried] = []
    for name, candidate in made.items():
        begin, outputs = time.perf_counter(), np.full((len(labels), task.outputs(names)), np.nan)
        for number in range(count):
            held = folds == number
            outputs[held] = _outputs(candidate, rows, learned, groups, held, trainer, task, names)
            if progress is not None:
                progress(len(tried) * count + number + 1, len(made) * count)
        seconds = round(time.perf_counter() - begin, 3)
        score = _score(task, labels, outputs, names, classifier)
        tried.append(Tried(name, dict(choices[name]), score, seconds, task.measure))
    return Tuning(tuple(tried), made[plainest(tried).name])


def _untunable(rows: int, members: NDArray[np.intp] | None) -> str:
    if members is not None and not members.any():
        return (
            f"tuning needs at least two groups of training rows, got one of {rows} rows. Encode with groups "
            "(subject, film or recording), or choose the booster yourself."
        )
    return (
        f"tuning needs two training rows of some class, got one of each of {rows} classes. Add training rows, or "
        "choose the booster yourself."
    )


def is_linear(parameters: Mapping[str, Any]) -> bool:
    """Tell whether parameters of a `FunctaClassifier` ask for a linear model, alone or under trees."""
    return bool(parameters.get("booster", "gbtree") != "gbtree")


def plainest(tried: Sequence[Tried]) -> Tried:
    """Return the first of those whose score is within 0.005 of the highest: what is less is chance.

    Where no score is known the first linear one: trees do not split so few rows.
    """
    known = [(one, one.score) for one in tried if one.score is not None]
    if not known:
        return next((one for one in tried if is_linear(one.parameters)), tried[0])
    best = max(score for _, score in known)
    return next(one for one, score in known if score >= best - _EVEN)


class _Part:
    """Some rows of a source, as a source."""

    def __init__(self, rows: RowSource, positions: NDArray[np.intp]) -> None:
        self._rows, self._positions = rows, positions
        self.shape = (len(positions), rows.shape[1])
        self.blocks = blocks_of(rows)

    def __getitem__(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        return self._rows[self._positions[positions]]


def _outputs(
    candidate: FunctaBooster,
    rows: RowSource,
    learned: NDArray[Any],
    groups: ArrayLike | None,
    held: NDArray[np.bool_],
    trainer: Trainer | None,
    task: Task,
    names: NDArray[Any],
) -> NDArray[Any]:
    training, validation = np.flatnonzero(~held), np.flatnonzero(held)
    if len({tuple(np.atleast_1d(row)) for row in learned[training]}) < 2:
        return np.full((len(validation), task.outputs(names)), np.nan)
    inside = None if groups is None else np.asarray(groups, dtype=object)[training]
    model = clone(candidate).fit_rows(_Part(rows, training), learned[training], inside, trainer=trainer)
    parts: Iterable[NDArray[np.intp]] = chunks(validation, rows.shape[1])
    found = np.concatenate([model.outputs(rows[part]) for part in parts])
    return np.asarray(task.spread(found, model.classes_, names))


def _score(
    task: Task, labels: NDArray[Any], outputs: NDArray[Any], names: NDArray[Any], classifier: FunctaBooster
) -> float:
    """Score predictions out of fold; rows of weighted classes count by their weights, what has no answer is wrong."""
    predicted = task.decided(outputs, names)
    weights = task.weights(labels, classifier.get_params())
    if weights is not None:
        return task.weighted_score(labels, predicted, weights)
    known = ~np.isnan(outputs[:, 0])
    if not known.any():
        return float("-inf")
    share = 1.0 if task.name == "regression" else float(known.mean())
    return task.score(labels[known], predicted[known]) * share
