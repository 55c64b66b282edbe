"""The task of naming one of several classes."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusion.estimators.averaging import Pool, centred_logs, learn_pool
from fusion.estimators.labels import require_classes
from fusion.estimators.targets import class_weights
from fusion.estimators.task import SURE, Task, or_none, side_by_side

if TYPE_CHECKING:
    from fusion.estimators.boosted import FunctaBooster
    from fusion.features.items import Items
    from fusion.metrics import Figures

__all__ = ["Classification"]


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
        """Return the most probable class, None where there is no answer."""
        return or_none(np.asarray(names, dtype=object)[np.nan_to_num(outputs).argmax(axis=1)], outputs)

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
