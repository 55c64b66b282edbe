"""How good a classifier is: accuracy with an honest interval, balanced accuracy, macro F1, figures per class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from fusion.errors import DataError
from fusion.metrics.intervals import Figures, Interval, generator, members_of, multinomial_draws
from fusion.names import names_of

__all__ = ["ClassFigures", "Evaluation", "accuracy_interval", "evaluate_predictions"]


@dataclass(frozen=True)
class ClassFigures:
    """Precision, recall and F1 in [0, 1] of one class, and its number of rows."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, eq=False)
class Evaluation(Figures):
    """What `evaluate_predictions` measured.

    Attributes
    ----------
    accuracy : float in [0, 1]
    accuracy_intervals : mapping of str to tuple of 2 float
        95 % bootstrap intervals: over "groups" (where there are two or more) and over "rows".
    balanced_accuracy : float in [0, 1]
        Mean recall of the classes that occur in the labels: a rare class counts as much as a frequent one.
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

    measure: ClassVar[str] = "accuracy"

    accuracy: float
    accuracy_intervals: Mapping[str, Interval]
    balanced_accuracy: float
    macro_f1: float
    classes: tuple[str, ...]
    per_class: tuple[ClassFigures, ...]
    confusion: NDArray[np.int64] = field(repr=False)
    rows: int

    @property
    def accuracy_interval(self) -> Interval:
        """95 % interval: over folds or groups where there are two or more, else over rows."""
        return self.interval

    @property
    def intervals(self) -> Mapping[str, Interval]:
        """Of the accuracy."""
        return self.accuracy_intervals

    def with_score(self, score: float, intervals: Mapping[str, Interval]) -> Self:
        """Return the same figures with another accuracy and its intervals."""
        return replace(self, accuracy=score, accuracy_intervals=intervals)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries."""
        return {
            "accuracy": self.accuracy,
            "accuracy_interval": list(self.accuracy_interval),
            "accuracy_intervals": {name: list(interval) for name, interval in self.accuracy_intervals.items()},
            "balanced_accuracy": self.balanced_accuracy,
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
        Labels, shape (n,), n > 0; numbers are called as data sets call them, 1.0 as 1.
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
    ConfigError
        Nothing to draw.

    Examples
    --------
    >>> found = evaluate_predictions(["sit", "sit", "walk", "walk"], ["sit", "walk", "walk", "walk"])
    >>> found.accuracy
    0.75
    >>> found.confusion
    array([[1, 1],
           [0, 2]])
    """
    true, guess = names_of(truth), names_of(predicted)
    if len(true) != len(guess) or not len(true):
        raise DataError(f"{len(true)} labels and {len(guess)} predictions; expected as many of both, at least one.")
    known = _all_classes(classes, true, guess)
    precision, recall, f1, support = precision_recall_fscore_support(true, guess, labels=known, zero_division=0)
    figures = zip(known, precision.tolist(), recall.tolist(), f1.tolist(), support.tolist(), strict=True)
    return Evaluation(
        accuracy=float(np.mean(true == guess)),
        accuracy_intervals=accuracy_interval(true == guess, groups, resamples=resamples, seed=seed),
        balanced_accuracy=float(np.mean(recall[support > 0])),
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
) -> dict[str, Interval]:
    """Return the 95 % bootstrap intervals of the accuracy, by "rows" and, for two or more groups, by "groups".

    Parameters
    ----------
    correct : bool array, shape (n,)
        Whether each row was predicted correctly.
    groups : array_like, optional
        Group of each row, shape (n,), or None.

    Raises
    ------
    DataError
        No rows, or not one group for each.
    ConfigError
        Nothing to draw.

    Notes
    -----
    Rows of one subject or film are alike, so they are not so many independent trials: the interval over rows says how
    the accuracy would vary over other rows of the *same* subjects, the one over groups over *other* subjects, which is
    what a split by subject asks for. It resamples whole groups with replacement (cluster bootstrap, percentile
    method; Efron and Tibshirani, "An Introduction to the Bootstrap", chapters 8 and 13). With fewer than some twenty
    groups it is somewhat too narrow still.
    """
    right = np.asarray(correct, dtype=bool)
    members, random = members_of(groups, len(right)), generator(resamples, seed)
    # the number of hits among n rows drawn with replacement is binomial, so no row needs to be drawn
    intervals = {"rows": _percentiles(random.binomial(len(right), right.mean(), size=resamples) / len(right))}
    if members is not None:
        hits, sizes = np.bincount(members, weights=right.astype(np.float64)), np.bincount(members)
        intervals["groups"] = _percentiles(_resampled_accuracies(hits, sizes, resamples, random))
    return intervals


def _resampled_accuracies(
    hits: NDArray[Any], sizes: NDArray[np.intp], resamples: int, random: np.random.Generator
) -> NDArray[np.float64]:
    draws = multinomial_draws(len(sizes), resamples, random)
    return np.concatenate([(draw @ hits) / (draw @ sizes) for draw in draws])


def _percentiles(values: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _all_classes(classes: ArrayLike | None, true: NDArray[np.object_], guess: NDArray[np.object_]) -> list[str]:
    known = [] if classes is None else names_of(classes).tolist()
    return known + sorted({*true, *guess} - set(known))
