"""How good a classifier is: accuracy with an honest interval, macro F1, figures per class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from fusion.errors import DataError
from fusion.splits import group_codes

__all__ = [
    "ClassFigures",
    "Evaluation",
    "accuracy_interval",
    "evaluate_predictions",
    "mean_accuracy_interval",
    "mean_interval",
]

_DRAWS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class ClassFigures:
    """Precision, recall and F1 in [0, 1] of one class, and its number of rows."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What `evaluate_predictions` measured.

    Attributes
    ----------
    accuracy : float in [0, 1]
    accuracy_interval : tuple of two floats
        95 % bootstrap interval: over groups where there are two or more, else over rows (see `accuracy_intervals`).
    accuracy_intervals : mapping of str to tuple of 2 float
        The interval of either kind: "groups" (where there are two or more) and "rows".
    macro_f1 : float in [0, 1]
        Mean F1 of the classes that occur in the labels or in the predictions.
    classes : tuple of str
        The classes, in the order of `confusion`: those of the model, then those it does not know.
    per_class : tuple of ClassFigures
        One entry per class.
    confusion : int array, shape (classes, classes)
        Rows are the true classes, columns the predicted ones.
    rows : int
        Number of rows evaluated.
    """

    accuracy: float
    accuracy_interval: tuple[float, float]
    accuracy_intervals: Mapping[str, tuple[float, float]]
    macro_f1: float
    classes: tuple[str, ...]
    per_class: tuple[ClassFigures, ...]
    confusion: NDArray[np.int64] = field(repr=False)
    rows: int

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries."""
        return {
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.accuracy_interval),
            "accuracy_intervals": {name: list(interval) for name, interval in self.accuracy_intervals.items()},
            "macro_f1": self.macro_f1,
            "classes": list(self.classes),
            "per_class": [dict(vars(figures)) for figures in self.per_class],
            "confusion": self.confusion.tolist(),
            "rows": self.rows,
        }


def evaluate_predictions(
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    classes: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 42,
) -> Evaluation:
    """Compare predicted labels with the true ones.

    Parameters
    ----------
    truth, predicted : array_like
        Labels, shape (n,), n > 0.
    classes : array_like, optional
        Classes of the model; None = those that occur. A true label outside them counts as a wrong prediction.
    groups : array_like, optional
        Subject, film or recording of each row, shape (n,), or None; a row whose group is None stands for itself.
    resamples, seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        No rows, or lengths that differ.

    Examples
    --------
    >>> found = evaluate_predictions(["sit", "sit", "walk", "walk"], ["sit", "walk", "walk", "walk"])
    >>> found.accuracy
    0.75
    >>> found.confusion
    array([[1, 1],
           [0, 2]])
    """
    true, guess = (np.asarray(labels, dtype=object).astype(str).astype(object) for labels in (truth, predicted))
    if len(true) != len(guess) or not len(true):
        raise DataError(f"{len(true)} labels and {len(guess)} predictions; expected as many of both, at least one.")
    known = _all_classes(classes, true, guess)
    intervals = accuracy_interval(true == guess, groups, resamples=resamples, seed=seed)
    precision, recall, f1, support = precision_recall_fscore_support(true, guess, labels=known, zero_division=0)
    figures = zip(known, precision.tolist(), recall.tolist(), f1.tolist(), support.tolist(), strict=True)
    return Evaluation(
        accuracy=float(np.mean(true == guess)),
        accuracy_interval=intervals.get("groups", intervals["rows"]),
        accuracy_intervals=intervals,
        macro_f1=float(f1_score(true, guess, average="macro", zero_division=0)),
        classes=tuple(known),
        per_class=tuple(ClassFigures(*row) for row in figures),
        confusion=confusion_matrix(true, guess, labels=known),
        rows=len(true),
    )


def accuracy_interval(
    correct: ArrayLike,
    groups: ArrayLike | None = None,
    *,
    resamples: int = 2000,
    seed: int = 42,
) -> dict[str, tuple[float, float]]:
    """Return the 95 % bootstrap intervals of the accuracy, by "rows" and, for two or more groups, by "groups".

    Parameters
    ----------
    correct : bool array, shape (n,)
        Whether each row was predicted correctly.
    groups : array_like, optional
        Group of each row, shape (n,), or None.

    Notes
    -----
    Rows of one subject or film are alike, so they are not so many independent trials: the interval over rows says how
    the accuracy would vary over other rows of the *same* subjects, the one over groups over *other* subjects, which is
    what a split by subject asks for. It resamples whole groups with replacement (cluster bootstrap, percentile
    method; Efron and Tibshirani, "An Introduction to the Bootstrap", chapters 8 and 13). With fewer than some twenty
    groups it is somewhat too narrow still.
    """
    right = np.asarray(correct, dtype=bool)
    random = np.random.default_rng(seed)
    # the number of hits among n rows drawn with replacement is binomial, so no row needs to be drawn
    intervals = {"rows": _percentiles(random.binomial(len(right), right.mean(), size=resamples) / len(right))}
    members = None if groups is None else group_codes(groups)
    if members is not None and members.max() > 0:
        hits, sizes = np.bincount(members, weights=right.astype(np.float64)), np.bincount(members)
        intervals["groups"] = _percentiles(_resampled_accuracies(hits, sizes, resamples, random))
    return intervals


def mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Return Student's interval of the mean of two or more independent values, such as accuracies of folds."""
    found = np.asarray(values, dtype=np.float64)
    reach = float(stdtrit(len(found) - 1, (1 + level) / 2)) * float(np.std(found, ddof=1)) / len(found) ** 0.5
    return float(np.mean(found)) - reach, float(np.mean(found)) + reach


def mean_accuracy_interval(accuracies: ArrayLike) -> tuple[float, float]:
    """Return `mean_interval` of accuracies, within what an accuracy can be."""
    low, high = mean_interval(accuracies)
    return max(low, 0.0), min(high, 1.0)


def _resampled_accuracies(
    hits: NDArray[Any], sizes: NDArray[np.intp], resamples: int, random: np.random.Generator
) -> NDArray[np.float64]:
    count = len(sizes)
    step = max(1, _DRAWS_AT_ONCE // count)
    shares = np.full(count, 1 / count)
    draws = (
        random.multinomial(count, shares, size=min(step, resamples - first)) for first in range(0, resamples, step)
    )
    return np.concatenate([(draw @ hits) / (draw @ sizes) for draw in draws])


def _percentiles(values: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _all_classes(classes: ArrayLike | None, true: NDArray[np.object_], guess: NDArray[np.object_]) -> list[str]:
    known = [] if classes is None else [str(name) for name in np.asarray(classes, dtype=object)]
    return known + sorted({*true, *guess} - set(known))
