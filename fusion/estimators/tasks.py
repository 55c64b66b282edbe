"""What a model is asked for: a class, a number, or a set of labels; all that differs between them is here.

Everything else - reading rows, features, boosters, fusion, evaluation, model folders, reports - asks the task.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusion.datasets.targets import number_of
from fusion.errors import ConfigError, DataError
from fusion.estimators.averaging import LEAST, Pool, centred_logs, learn_number_pool, learn_pool
from fusion.estimators.labels import indicators, joined_labels, label_names, require_classes
from fusion.estimators.targets import class_weights

if TYPE_CHECKING:
    from fusion.estimators.boosted import FunctaBooster
    from fusion.features.items import Items
    from fusion.metrics import Figures

__all__ = ["TASKS", "Classification", "Multilabel", "Regression", "Task", "task_of"]

SEPARATOR = ";"
"""Between the labels of a row, where nothing else is said."""
_SURE = 1e-7
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


@dataclass(frozen=True)
class Classification(Task):
    """One of several classes."""

    name: ClassVar[str] = "classification"
    measure: ClassVar[str] = "accuracy"

    def estimator(self, parameters: Mapping[str, Any]) -> FunctaBooster:
        """Return a `FunctaClassifier`."""
        from fusion.estimators.xgboost import FunctaClassifier

        return FunctaClassifier(**parameters)

    def answers(self, items: Items) -> Items:
        """Return them as they are."""
        return items

    def require_learnable(self, labels: NDArray[np.object_]) -> None:
        """Refuse numbers that name no classes; see `require_classes`."""
        require_classes(labels.tolist())

    def names(self, labels: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return the classes."""
        return np.array(sorted(set(labels)), dtype=object)

    def learned(self, labels: NDArray[np.object_], names: NDArray[np.object_]) -> NDArray[Any]:  # noqa: ARG002
        """Return them as they are."""
        return labels

    def strata(self, labels: NDArray[Any]) -> NDArray[np.intp]:
        """Tell the classes."""
        return np.asarray(np.unique(labels, return_inverse=True)[1], dtype=np.intp)

    def weights(self, labels: NDArray[Any], parameters: Mapping[str, Any]) -> NDArray[np.float64] | None:
        """Those of the classes; see `class_weights`."""
        return class_weights(parameters.get("class_weight"), *np.unique(labels, return_inverse=True))

    def nothing(self, names: Collection[str]) -> float:
        """As much for each."""
        return 1 / len(names)

    def spread(self, outputs: NDArray[np.float32], known: NDArray[Any], names: NDArray[np.object_]) -> NDArray[Any]:
        """Bring probabilities in the order of all classes; one that the estimator does not know gets 0."""
        found = np.zeros((len(outputs), len(names)), dtype=np.float32)
        found[:, np.searchsorted(names.astype(str), np.asarray(known).astype(str))] = outputs
        return found

    def head_rows(self, own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return log probabilities less their mean over the classes, 0 where the modality is missing."""
        return _side_by_side(centred_logs(own))

    def margins(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logarithms of the probabilities less their mean, on which no probability depends."""
        return centred_logs(outputs, _SURE)

    def compared(self, added: NDArray[np.float64]) -> NDArray[np.float64]:
        """Count from the mean of the classes."""
        return np.asarray(added - added.mean(axis=0))

    def learn_pool(
        self, own: NDArray[np.float32], learned: NDArray[Any], weights: NDArray[np.float64] | None = None
    ) -> Pool:
        """Learn weights of the arithmetic or the geometric mean; see `fusion.estimators.averaging.learn_pool`."""
        return learn_pool(own, np.unique(learned.astype(str), return_inverse=True)[1], weights)

    def decided(self, outputs: NDArray[Any], names: Sequence[str] | NDArray[np.object_]) -> NDArray[Any]:
        """Return the most probable class, None where there is no answer."""
        return _told(np.asarray(names, dtype=object)[np.nan_to_num(outputs).argmax(axis=1)], outputs)

    def chosen(self, outputs: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell the most probable class."""
        return np.asarray(np.arange(outputs.shape[1]) == outputs.argmax(axis=1)[:, None])

    def hits(self, truth: NDArray[Any], predicted: NDArray[Any]) -> NDArray[Any]:
        """Whether they are equal."""
        return np.asarray(
            np.asarray(truth, dtype=object).astype(str) == np.asarray(predicted, dtype=object).astype(str)
        )

    def score(self, truth: NDArray[Any], predicted: NDArray[Any]) -> float:
        """Accuracy."""
        return float(np.mean(self.hits(truth, predicted)))

    def evaluate(
        self,
        truth: NDArray[Any],
        predicted: NDArray[Any],
        *,
        names: Sequence[str] | None,
        groups: NDArray[np.object_],
        probabilities: NDArray[np.float64] | None = None,  # noqa: ARG002
    ) -> Figures:
        """Accuracy and what goes with it."""
        from fusion.metrics import evaluate_predictions

        return evaluate_predictions(truth, predicted, classes=names, groups=groups)

    def cells(self, outputs: NDArray[Any], names: NDArray[np.object_]) -> dict[str, Any]:
        """Return ``predicted`` and its ``probability``."""
        best = np.nan_to_num(outputs).argmax(axis=1)
        return {**super().cells(outputs, names), "probability": outputs[np.arange(len(best)), best]}


@dataclass(frozen=True)
class Regression(Task):
    """A number."""

    name: ClassVar[str] = "regression"
    measure: ClassVar[str] = "r2"

    def estimator(self, parameters: Mapping[str, Any]) -> FunctaBooster:
        """Return a `FunctaRegressor`."""
        from fusion.estimators.regressor import FunctaRegressor

        return FunctaRegressor(**parameters)

    def answers(self, items: Items) -> Items:
        """Return the items with their targets as labels, or, where no item has one, with what their labels say."""
        targets = items.targets
        if targets is not None and np.isfinite(targets).any():
            return replace(items, labels=_numbers(targets.tolist()))
        numbers = [number_of(label) for label in items.labels]
        wrong = [str(label) for label, number in zip(items.labels, numbers, strict=True) if label and number is None]
        if wrong:
            shown = ", ".join(map(repr, sorted(set(wrong))[:3]))
            raise DataError(
                f"{len(wrong)} of {len(numbers)} labels are no numbers, such as {shown}; --task regression expects a "
                "number for each row. Encode with targets (such as --reader target=COLUMN), or train without the task."
            )
        return replace(items, labels=_numbers(numbers))

    def require_learnable(self, labels: NDArray[np.object_]) -> None:
        """Refuse numbers that are all the same."""
        if len(set(labels)) < 2:
            raise DataError(
                f"all {len(labels)} training targets are {labels[0]:g}; expected numbers that differ. Add training "
                "samples with other targets."
            )

    def names(self, labels: NDArray[np.object_]) -> NDArray[np.object_]:  # noqa: ARG002
        """Return none."""
        return np.zeros(0, dtype=object)

    def learned(self, labels: NDArray[np.object_], names: NDArray[np.object_]) -> NDArray[Any]:  # noqa: ARG002
        """Return the numbers."""
        return labels.astype(np.float64)

    def outputs(self, names: Collection[str]) -> int:  # noqa: ARG002
        """One."""
        return 1

    def counts(self, labels: NDArray[np.object_]) -> dict[str, int]:  # noqa: ARG002
        """Nothing: there are no classes."""
        return {}

    def nothing(self, names: Collection[str]) -> float:  # noqa: ARG002
        """No number."""
        return float("nan")

    def spread(self, outputs: NDArray[np.float32], known: NDArray[Any], names: NDArray[np.object_]) -> NDArray[Any]:  # noqa: ARG002
        """Return them as they are."""
        return outputs

    def head_rows(self, own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the numbers; where a modality is missing, the mean of what the others say."""
        return _side_by_side(np.where(np.isnan(own), np.nanmean(own, axis=0), own))

    def margins(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Give the numbers themselves."""
        return outputs.astype(np.float64)

    def learn_pool(
        self,
        own: NDArray[np.float32],
        learned: NDArray[Any],
        weights: NDArray[np.float64] | None = None,  # noqa: ARG002
    ) -> Pool:
        """Learn the weights of the mean; see `fusion.estimators.averaging.learn_number_pool`."""
        return learn_number_pool(own, learned)

    def decided(self, outputs: NDArray[Any], names: Sequence[str] | NDArray[np.object_]) -> NDArray[Any]:  # noqa: ARG002
        """Return the number."""
        return outputs[:, 0].astype(np.float64)

    def chosen(self, outputs: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell the only one."""
        return np.ones(outputs.shape, dtype=bool)

    def hits(self, truth: NDArray[Any], predicted: NDArray[Any]) -> NDArray[Any]:
        """Squared error, negative."""
        return -np.square(np.asarray(truth, dtype=np.float64) - np.asarray(predicted, dtype=np.float64))

    def score(self, truth: NDArray[Any], predicted: NDArray[Any]) -> float:
        """R2."""
        from fusion.metrics.regression import r2_score

        return r2_score(np.asarray(truth, dtype=np.float64), np.asarray(predicted, dtype=np.float64))

    def evaluate(
        self,
        truth: NDArray[Any],
        predicted: NDArray[Any],
        *,
        names: Sequence[str] | None,  # noqa: ARG002
        groups: NDArray[np.object_],
        probabilities: NDArray[np.float64] | None = None,  # noqa: ARG002
    ) -> Figures:
        """R2, mean absolute and root mean squared error."""
        from fusion.metrics import evaluate_numbers

        return evaluate_numbers(truth, predicted, groups=groups)


@dataclass(frozen=True)
class Multilabel(Task):
    """Any number of labels.

    Attributes
    ----------
    separator : str
        Between the labels of a row.
    """

    name: ClassVar[str] = "multilabel"
    measure: ClassVar[str] = "micro_f1"
    separator: str = SEPARATOR

    def estimator(self, parameters: Mapping[str, Any]) -> FunctaBooster:
        """Return a `FunctaLabeller`."""
        from fusion.estimators.labeller import FunctaLabeller

        return FunctaLabeller(**parameters)

    def answers(self, items: Items) -> Items:
        """Return the items with each text of labels written in one way."""
        texts = [None if text is None else self._joined(label_names(text, self.separator)) for text in items.labels]
        return replace(items, labels=_objects(texts))

    def require_learnable(self, labels: NDArray[np.object_]) -> None:
        """Refuse rows that all have the same labels."""
        if len(set(labels)) < 2:
            raise DataError(
                f"all {len(labels)} training rows have the labels {labels[0]!r}; expected rows that differ. Add "
                "training samples with other labels, or none."
            )

    def names(self, labels: NDArray[np.object_]) -> NDArray[np.object_]:
        """Return the labels that some row has."""
        return np.array(sorted({name for text in labels for name in label_names(text, self.separator)}), dtype=object)

    def learned(self, labels: NDArray[np.object_], names: NDArray[np.object_]) -> NDArray[Any]:
        """Return for each label whether the row has it, shape (n, labels)."""
        return indicators(labels, names, self.separator).astype(np.float64)

    def named(self, estimator: FunctaBooster, names: NDArray[np.object_]) -> FunctaBooster:
        """Name the columns of the indicator matrix."""
        estimator.classes_ = names
        return estimator

    def counts(self, labels: NDArray[np.object_]) -> dict[str, int]:
        """Count the rows of each label."""
        return dict(sorted(Counter(name for text in labels for name in label_names(text, self.separator)).items()))

    def nothing(self, names: Collection[str]) -> float:  # noqa: ARG002
        """One half."""
        return 0.5

    def spread(self, outputs: NDArray[np.float32], known: NDArray[Any], names: NDArray[np.object_]) -> NDArray[Any]:  # noqa: ARG002
        """Return them as they are: every estimator knows all labels."""
        return outputs

    def head_rows(self, own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return log odds, 0 where the modality is missing."""
        return _side_by_side(_log_odds(own, LEAST))

    def margins(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Log odds."""
        return _log_odds(outputs, _SURE)

    def learn_pool(
        self,
        own: NDArray[np.float32],
        learned: NDArray[Any],
        weights: NDArray[np.float64] | None = None,  # noqa: ARG002
    ) -> Pool:
        """Learn weights of the mean, by the squared error of the probabilities."""
        return learn_number_pool(own, learned)

    def decided(self, outputs: NDArray[Any], names: Sequence[str] | NDArray[np.object_]) -> NDArray[Any]:
        """Return the labels that are more probable than not, in one text; None where there is no answer."""
        known, chosen = np.asarray(names, dtype=object), self.chosen(outputs)
        texts = [self._joined(known[row]) for row in chosen]
        return _told(_objects(texts), outputs)

    def chosen(self, outputs: NDArray[Any]) -> NDArray[np.bool_]:
        """Those that are more probable than not."""
        return np.asarray(outputs > 0.5)

    def hits(self, truth: NDArray[Any], predicted: NDArray[Any]) -> NDArray[Any]:
        """Whether the sets are equal."""
        return np.asarray(truth == predicted)

    def score(self, truth: NDArray[Any], predicted: NDArray[Any]) -> float:
        """F1 of all pairs of row and label."""
        from fusion.metrics.multilabel import micro_f1

        names = self.names(np.concatenate([truth, predicted]))
        return micro_f1(*(indicators(texts, names, self.separator) for texts in (truth, predicted)))

    def evaluate(
        self,
        truth: NDArray[Any],
        predicted: NDArray[Any],
        *,
        names: Sequence[str] | None,
        groups: NDArray[np.object_],
        probabilities: NDArray[np.float64] | None = None,
    ) -> Figures:
        """F1 and average precision."""
        from fusion.metrics import evaluate_labels

        known = list(names or ())
        new = [name for name in self.names(np.concatenate([truth, predicted])).tolist() if name not in known]
        there, said = (indicators(texts, [*known, *new], self.separator) for texts in (truth, predicted))
        if probabilities is not None:
            probabilities = np.pad(probabilities, ((0, 0), (0, len(new))))
        return evaluate_labels(there, said, [*known, *new], probabilities=probabilities, groups=groups)

    def cells(self, outputs: NDArray[Any], names: NDArray[np.object_]) -> dict[str, Any]:
        """Return ``predicted`` and, of each label, ``probability:LABEL``."""
        each = {f"probability:{name}": outputs[:, number] for number, name in enumerate(names)}
        return super().cells(outputs, names) | each

    def _joined(self, names: Sequence[str] | NDArray[np.object_]) -> str:
        return joined_labels(names, self.separator)


TASKS: Mapping[str, Task] = {task.name: task for task in (Classification(), Regression(), Multilabel())}
"""By name, as they are where nothing else is said."""


def task_of(name: str, *, label_separator: str | None = None) -> Task:
    """Return the task of a name.

    Raises
    ------
    ConfigError
        There is no such task, or a separator is given for one that knows none.

    Examples
    --------
    >>> task_of("multilabel", label_separator="|")
    Multilabel(separator='|')
    """
    if name not in TASKS:
        raise ConfigError(f"task is {name!r}; expected one of {', '.join(TASKS)}.")
    task = TASKS[name]
    if label_separator is None:
        return task
    if not isinstance(task, Multilabel) or not label_separator.strip():
        raise ConfigError(
            f"label_separator is {label_separator!r} and task {name!r}; expected a separator such as ';' with the task "
            "'multilabel' only."
        )
    return Multilabel(label_separator)


def _log_odds(own: NDArray[np.float32], least: float) -> NDArray[np.float64]:
    likely = np.clip(np.nan_to_num(own, nan=0.5).astype(np.float64), least, 1 - least)
    return np.asarray(np.log(likely / (1 - likely)))


def _side_by_side(parts: NDArray[Any]) -> NDArray[np.float32]:
    return np.ascontiguousarray(np.concatenate(list(parts), axis=1), dtype=np.float32)


def _told(found: NDArray[np.object_], outputs: NDArray[Any]) -> NDArray[np.object_]:
    """Put None where there is no answer."""
    found[np.isnan(outputs[:, 0])] = None
    return found


def _numbers(values: Sequence[float | None]) -> NDArray[np.object_]:
    return _objects([None if value is None or value != value else value for value in values])


def _objects(values: Sequence[Any]) -> NDArray[np.object_]:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
