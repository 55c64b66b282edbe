"""What a kind of question has to answer: all that differs between classes, numbers and sets of labels."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from fusion.errors import ConfigError, DataError
from fusion.estimators.averaging import Pool

if TYPE_CHECKING:
    from fusion.estimators.boosted import FunctaBooster
    from fusion.features.items import Items
    from fusion.metrics import Figures

__all__ = ["SURE", "Task", "objects", "or_none", "side_by_side"]

SURE = 1e-7
"""A single model's probabilities are told apart down to this."""


class Task(ABC):
    """One kind of question.

    Outputs are what an estimator gives for a row, shape (n, outputs): the probability of each class or label, or the
    number itself. NaN is no answer.

    Attributes
    ----------
    name : str
        As users write it.
    measure : str
        Name of the figure that models are compared by; the higher the better.
    """

    name: ClassVar[str]
    measure: ClassVar[str]

    @abstractmethod
    def estimator(self, parameters: Mapping[str, Any]) -> FunctaBooster:
        """Return an untrained estimator."""

    @abstractmethod
    def answers(self, items: Items) -> Items:
        """Return the items with what is to be predicted as their labels, None where it is not known.

        Raises
        ------
        DataError
            Labels are of another task.
        """

    @abstractmethod
    def require_learnable(self, labels: NDArray[np.object_]) -> None:
        """Refuse training labels that nothing can be learned from, or that ask for another task, with DataError."""

    @abstractmethod
    def names(self, labels: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return the names of the outputs, sorted; none of a number."""

    @abstractmethod
    def learned(self, labels: NDArray[np.object_], names: NDArray[np.object_]) -> NDArray[Any]:
        """Return labels as an estimator is trained on them."""

    def named(self, estimator: FunctaBooster, names: NDArray[np.object_]) -> FunctaBooster:  # noqa: ARG002
        """Give a trained estimator the names of its outputs, where it does not know them."""
        return estimator

    def outputs(self, names: Collection[str]) -> int:
        """Say how many outputs a row has."""
        return len(names)

    def counts(self, labels: NDArray[np.object_]) -> dict[str, int]:
        """Count the rows of each class or label, sorted by name."""
        return dict(sorted(Counter(labels.tolist()).items()))

    def strata(self, labels: NDArray[Any]) -> NDArray[np.intp]:
        """Tell which rows are alike, shape (n,): folds hold as many of each kind as can be."""
        return np.zeros(len(labels), dtype=np.intp)

    def weights(self, labels: NDArray[Any], parameters: Mapping[str, Any]) -> NDArray[np.float64] | None:  # noqa: ARG002
        """Return how much each row counts, shape (n,), by an estimator's parameters; None = all alike."""
        return None

    def require_weighted(self, labels: NDArray[np.object_], parameters: Mapping[str, Any]) -> None:  # noqa: B027
        """Refuse weights of classes that none of a run's labels has, with ConfigError; None is no label."""

    @abstractmethod
    def nothing(self, names: Collection[str]) -> float:
        """Give each output of an item that nothing is known of."""

    @abstractmethod
    def spread(self, outputs: NDArray[np.float32], known: NDArray[Any], names: NDArray[np.object_]) -> NDArray[Any]:
        """Bring outputs of an estimator that knows some of the names in the order of all."""

    @abstractmethod
    def head_rows(self, own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what stacked fusion reads of its members' outputs (branches, n, outputs), shape (n, columns)."""

    @abstractmethod
    def margins(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Turn outputs of rows into what an estimator's contributions add up to, shape (n, outputs)."""

    def compared(self, added: NDArray[np.float64]) -> NDArray[np.float64]:
        """Leave out of what is added to the margins, shape (outputs, ...), what makes no difference to the outputs."""
        return added

    @abstractmethod
    def learn_pool(
        self, own: NDArray[np.float32], learned: NDArray[Any], weights: NDArray[np.float64] | None = None
    ) -> Pool:
        """Learn how late fusion averages its members' outputs, (branches, n, outputs), out of fold."""

    @abstractmethod
    def decided(self, outputs: NDArray[Any], names: Sequence[str] | NDArray[np.object_]) -> NDArray[Any]:
        """Return what is predicted of each row, shape (n,): a class, a number, or labels in one text."""

    @abstractmethod
    def chosen(self, outputs: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell which outputs of each row say what is predicted, shape (n, outputs)."""

    def learn_thresholds(
        self,
        outputs: NDArray[Any],  # noqa: ARG002
        labels: NDArray[np.object_],  # noqa: ARG002
        names: NDArray[np.object_],  # noqa: ARG002
    ) -> NDArray[np.float64]:
        """Choose from which probability on each class or label is named, shape (outputs,), by outputs out of fold."""
        raise ConfigError(f"the task {self.name!r} has no thresholds; expected one of classes or labels.")

    def with_thresholds(self, thresholds: Sequence[float] | None) -> Self:
        """Return the task with what `learn_thresholds` chose, or without."""
        if thresholds is not None:
            raise ConfigError(f"the task {self.name!r} has no thresholds; expected one of classes or labels.")
        return self

    def ranked(self, outputs: NDArray[Any]) -> NDArray[np.intp]:
        """Return the order of one row's outputs, shape (outputs,), with what is named first."""
        return np.argsort(-outputs, kind="stable")

    @abstractmethod
    def hits(self, truth: NDArray[Any], predicted: NDArray[Any]) -> NDArray[Any]:
        """Say how good each prediction is, shape (n,): the higher the better."""

    @abstractmethod
    def score(self, truth: NDArray[Any], predicted: NDArray[Any]) -> float:
        """Return the figure called `measure`, of what `decided` gave and what is right."""

    def weighted_score(
        self, truth: NDArray[Any], predicted: NDArray[Any], weights: NDArray[np.float64] | None
    ) -> float:
        """Return the score; of rows that count by `weights`, shape (n,), the weighted mean of `hits`.

        Raises
        ------
        DataError
            All of these rows have the weight 0.
        """
        if weights is None:
            return self.score(truth, predicted)
        if not weights.any():
            raise DataError(
                f"all {len(weights)} rows that are tested are of classes with the weight 0; expected others."
            )
        return float(np.average(self.hits(truth, predicted), weights=weights))

    @abstractmethod
    def evaluate(
        self,
        truth: NDArray[Any],
        predicted: NDArray[Any],
        *,
        names: Sequence[str] | None,
        groups: NDArray[np.object_],
        probabilities: NDArray[np.float64] | None = None,
    ) -> Figures:
        """Return all figures of what `decided` gave."""

    def cells(self, outputs: NDArray[Any], names: NDArray[np.object_]) -> dict[str, Any]:
        """Return the columns of a table of predictions: ``predicted``, and what is known beside it."""
        return {"predicted": self.decided(outputs, names)}


def side_by_side(parts: NDArray[Any]) -> NDArray[np.float32]:
    """Return the outputs of all members, (branches, n, outputs), in one row for each item."""
    return np.ascontiguousarray(np.concatenate(list(parts), axis=1), dtype=np.float32)


def or_none(found: NDArray[np.object_], outputs: NDArray[Any]) -> NDArray[np.object_]:
    """Put None where there is no answer."""
    found[np.isnan(outputs[:, 0])] = None
    return found


def objects(values: Sequence[Any]) -> NDArray[np.object_]:
    """Return an array of objects, shape (n,), whatever they are."""
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
