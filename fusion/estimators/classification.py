"""The task of naming one of several classes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from fusion.errors import ConfigError
from fusion.estimators.averaging import Pool, centred_logs, learn_pool
from fusion.estimators.labels import require_classes
from fusion.estimators.targets import class_weights, unknown_classes
from fusion.estimators.task import SURE, Task, or_none, side_by_side
from fusion.estimators.thresholds import class_thresholds
from fusion.names import names_of

if TYPE_CHECKING:
    from fusion.estimators.boosted import FunctaBooster
    from fusion.features.items import Items
    from fusion.metrics import Figures

__all__ = ["Classification"]


@dataclass(frozen=True)
class Classification(Task):
    """One of several classes.

    Attributes
    ----------
    thresholds : tuple of float or None
        Of each class, positive: the class of the highest probability / threshold is named; None = all alike.
    """

    name: ClassVar[str] = "classification"
    measure: ClassVar[str] = "accuracy"
    thresholds: tuple[float, ...] | None = field(default=None, repr=False)

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

    def require_weighted(self, labels: NDArray[np.object_], parameters: Mapping[str, Any]) -> None:
        """Refuse names that no label has; that a fold has no row of a class is nobody's mistake."""
        classes = sorted(set(names_of([label for label in labels if label is not None])))
        if unknown := unknown_classes(parameters.get("class_weight"), classes):
            raise ConfigError(
                f"class_weight names {', '.join(map(repr, unknown))}; the classes of the labelled rows are "
                f"{', '.join(map(repr, classes[:20]))}. Correct the name."
            )

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
        return side_by_side(centred_logs(own))

    def margins(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Logarithms of the probabilities less their mean, on which no probability depends."""
        return centred_logs(outputs, SURE)

    def compared(self, added: NDArray[np.float64]) -> NDArray[np.float64]:
        """Count from the mean of the classes."""
        return np.asarray(added - added.mean(axis=0))

    def learn_pool(
        self, own: NDArray[np.float32], learned: NDArray[Any], weights: NDArray[np.float64] | None = None
    ) -> Pool:
        """Learn weights of the arithmetic or the geometric mean; see `fusion.estimators.averaging.learn_pool`."""
        return learn_pool(own, np.unique(learned.astype(str), return_inverse=True)[1], weights)

    def decided(self, outputs: NDArray[Any], names: Sequence[str] | NDArray[np.object_]) -> NDArray[Any]:
        """Return the most probable class, by its threshold, None where there is no answer."""
        return or_none(np.asarray(names, dtype=object)[self._best(outputs)], outputs)

    def chosen(self, outputs: NDArray[Any]) -> NDArray[np.bool_]:
        """Tell the most probable class, by its threshold."""
        return np.asarray(np.arange(outputs.shape[1]) == self._best(outputs)[:, None])

    def learn_thresholds(
        self, outputs: NDArray[Any], labels: NDArray[np.object_], names: NDArray[np.object_]
    ) -> NDArray[np.float64]:
        """Those with the highest mean recall of the classes; see `class_thresholds`."""
        codes = np.searchsorted(names.astype(str), labels.astype(str))
        return class_thresholds(outputs.astype(np.float64), codes)

    def with_thresholds(self, thresholds: Sequence[float] | None) -> Self:
        """Return the task that names classes by these thresholds, in the order of the outputs."""
        return replace(self, thresholds=None if thresholds is None else tuple(map(float, thresholds)))

    def ranked(self, outputs: NDArray[Any]) -> NDArray[np.intp]:
        """Return the order of the classes by probability / threshold."""
        return np.argsort(-self._by_threshold(outputs), kind="stable")

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
        best = self._best(outputs)
        return {**super().cells(outputs, names), "probability": outputs[np.arange(len(best)), best]}

    def _best(self, outputs: NDArray[Any]) -> NDArray[np.intp]:
        return np.asarray(np.nan_to_num(self._by_threshold(outputs)).argmax(axis=1))

    def _by_threshold(self, outputs: NDArray[Any]) -> NDArray[Any]:
        return outputs if self.thresholds is None else outputs / np.array(self.thresholds)
