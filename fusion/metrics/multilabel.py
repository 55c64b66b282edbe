"""How good predicted sets of labels are: F1 over all of them and of each, and how well each label ranks the rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score

from fusion.errors import DataError
from fusion.metrics.intervals import Figures, Interval, bootstrap_intervals, numbers_of
from fusion.names import name_of

__all__ = ["LabelEvaluation", "LabelFigures", "evaluate_labels", "micro_f1"]


@dataclass(frozen=True)
class LabelFigures:
    """Precision, recall, F1 and average precision in [0, 1] of one label, and the number of rows that have it.

    The average precision is NaN where no row has the label, or no probabilities were given.
    """

    label: str
    precision: float
    recall: float
    f1: float
    average_precision: float
    support: int


@dataclass(frozen=True, eq=False)
class LabelEvaluation(Figures):
    """What `evaluate_labels` measured.

    Attributes
    ----------
    micro_f1 : float in [0, 1]
        F1 of all pairs of row and label together.
    micro_f1_intervals : mapping of str to tuple of 2 float
        95 % bootstrap intervals: over "groups" (where there are two or more) and over "rows".
    macro_f1 : float in [0, 1]
        Mean F1 of the labels that occur in the truth or in the predictions.
    mean_average_precision : float in [0, 1]
        Mean of the labels' average precision (mAP); NaN where none has one.
    exact : float in [0, 1]
        Part of the rows whose set of labels is right as a whole.
    per_label : tuple of LabelFigures
        One entry per label.
    rows : int
        Number of rows evaluated.
    """

    measure: ClassVar[str] = "micro_f1"

    micro_f1: float
    micro_f1_intervals: Mapping[str, Interval]
    macro_f1: float
    mean_average_precision: float
    exact: float
    per_label: tuple[LabelFigures, ...]
    rows: int

    @property
    def intervals(self) -> Mapping[str, Interval]:
        """Of the micro F1."""
        return self.micro_f1_intervals

    def with_score(self, score: float, intervals: Mapping[str, Interval]) -> Self:
        """Return the same figures with another micro F1 and its intervals."""
        return replace(self, micro_f1=score, micro_f1_intervals=intervals)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, strings, lists and dictionaries."""
        return {
            "micro_f1": self.micro_f1,
            "micro_f1_interval": list(self.interval),
            "micro_f1_intervals": {name: list(interval) for name, interval in self.micro_f1_intervals.items()},
            "macro_f1": self.macro_f1,
            "map": _plain(self.mean_average_precision),
            "exact": self.exact,
            "labels": [figures.label for figures in self.per_label],
            "per_label": [
                {**vars(figures), "average_precision": _plain(figures.average_precision)} for figures in self.per_label
            ],
            "rows": self.rows,
        }


def evaluate_labels(
    truth: ArrayLike,
    predicted: ArrayLike,
    names: Sequence[str],
    *,
    probabilities: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    resamples: int = 2000,
    seed: int = 42,
) -> LabelEvaluation:
    """Compare predicted sets of labels with the true ones.

    Parameters
    ----------
    truth, predicted : array_like of bool, or of 0 and 1, shape (n, labels), n > 0
        Whether each row has each label.
    names : sequence of str
        Of the labels.
    probabilities : array_like of float, shape (n, labels), optional
        Of each label, for the average precision.
    groups : array_like, optional
        Subject, film or recording of each row, shape (n,), or None; a row whose group is None stands for itself.
    resamples, seed : int
        Of the bootstrap.

    Raises
    ------
    DataError
        No rows, shapes that differ, or other values than 0 and 1.
    ConfigError
        Nothing to draw.

    Examples
    --------
    >>> truth = np.array([[1, 0], [1, 1], [0, 1]], dtype=bool)
    >>> found = evaluate_labels(truth, np.array([[1, 0], [1, 0], [0, 1]], dtype=bool), ["cat", "dog"])
    >>> round(found.micro_f1, 3), found.per_label[1].recall
    (0.857, 0.5)
    """
    has, said = _held(truth), _held(predicted)
    likely = None if probabilities is None else numbers_of(probabilities)
    _require_shapes(has, said, likely, len(names))
    hits, named, there = has & said, said.sum(axis=0), has.sum(axis=0)
    per_label = []
    for number, name in enumerate(names):
        right = int(hits[:, number].sum())
        ranked = float("nan")
        if likely is not None and there[number]:
            ranked = float(average_precision_score(has[:, number], likely[:, number]))
        per_label.append(
            LabelFigures(
                str(name_of(name)),
                right / max(int(named[number]), 1),
                right / max(int(there[number]), 1),
                _f1(right, int(named[number]), int(there[number])),
                ranked,
                int(there[number]),
            )
        )
    sums = np.stack([hits.sum(axis=1), said.sum(axis=1), has.sum(axis=1)], axis=1).astype(np.float64)
    intervals = bootstrap_intervals(sums, _micro, groups, resamples=resamples, seed=seed)
    occurring = [figures.f1 for figures, used in zip(per_label, named + there, strict=True) if used]
    ranks = [figures.average_precision for figures in per_label if not np.isnan(figures.average_precision)]
    return LabelEvaluation(
        micro_f1=micro_f1(has, said),
        micro_f1_intervals={kind: (float(found[0, 0]), float(found[0, 1])) for kind, found in intervals.items()},
        macro_f1=float(np.mean(occurring)) if occurring else 1.0,
        mean_average_precision=float(np.mean(ranks)) if ranks else float("nan"),
        exact=float((has == said).all(axis=1).mean()),
        per_label=tuple(per_label),
        rows=len(has),
    )


def micro_f1(truth: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    """Return F1 of all pairs of row and label, of arrays (n, labels); 1 where there are none and none named."""
    return _f1(int((truth & predicted).sum()), int(predicted.sum()), int(truth.sum()))


def _held(given: ArrayLike) -> NDArray[np.bool_]:
    found = numbers_of(given)
    if not ((found == 0) | (found == 1)).all():
        raise DataError("whether a row has a label is told by other values than 0 and 1; expected these, or booleans.")
    return np.asarray(found == 1, dtype=np.bool_)


def _require_shapes(
    has: NDArray[np.bool_], said: NDArray[np.bool_], likely: NDArray[np.float64] | None, labels: int
) -> None:
    if has.shape != said.shape or has.ndim != 2 or has.shape[1] != labels or not len(has):
        raise DataError(
            f"labels of shape {has.shape} and predictions of shape {said.shape}; expected as many of both, at least "
            f"one row, and {labels} labels."
        )
    if likely is not None and likely.shape != has.shape:
        raise DataError(f"probabilities of shape {likely.shape} for labels of shape {has.shape}; expected one of each.")


def _f1(right: int, named: int, there: int) -> float:
    return 2 * right / (named + there) if named + there else 1.0


def _micro(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    right, named, there = sums.T
    return np.where(named + there > 0, 2 * right / np.maximum(named + there, 1), 1.0)[:, None]


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else value
