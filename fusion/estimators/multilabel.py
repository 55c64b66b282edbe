"""The task of predicting any number of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from fusion.errors import DataError
from fusion.estimators.averaging import LEAST, Pool, learn_number_pool
from fusion.estimators.labels import indicators, joined_labels, label_names
from fusion.estimators.task import SURE, Task, objects, or_none, side_by_side
from fusion.estimators.thresholds import label_thresholds

if TYPE_CHECKING:
    from fusion.estimators.boosted import FunctaBooster
    from fusion.features.items import Items
    from fusion.metrics import Figures

__all__ = ["Multilabel"]

SEPARATOR = ";"
"""Between the labels of a row, where nothing else is said."""


@dataclass(frozen=True)
class Multilabel(Task):
    """Any number of labels.

    Attributes
    ----------
    separator : str
        Between the labels of a row.
    thresholds : tuple of float or None
        Of each label: one that is more probable is predicted; None = 0.5 of all.
    """

    name: ClassVar[str] = "multilabel"
    measure: ClassVar[str] = "micro_f1"
    separator: str = SEPARATOR
    thresholds: tuple[float, ...] | None = field(default=None, repr=False)

    def estimator(self, parameters: Mapping[str, Any]) -> FunctaBooster:
        """Return a `FunctaLabeller`."""
        from fusion.estimators.labeller import FunctaLabeller

        return FunctaLabeller(**parameters)

    def answers(self, items: Items) -> Items:
        """Return the items with each text of labels written in one way."""
        texts = [None if text is None else self._joined(label_names(text, self.separator)) for text in items.labels]
        return replace(items, labels=objects(texts))

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
        return side_by_side(_log_odds(own, LEAST))

    def margins(self, outputs: NDArray[np.float32]) -> NDArray[np.float64]:
        """Log odds."""
        return _log_odds(outputs, SURE)

    def learn_pool(
        self,
        own: NDArray[np.float32],
        learned: NDArray[Any],
        weights: NDArray[np.float64] | None = None,  # noqa: ARG002
    ) -> Pool:
        """Learn weights of the mean, by the squared error of the probabilities."""
        return learn_number_pool(own, learned)

    def decided(self, outputs: NDArray[Any], names: Sequence[str] | NDArray[np.object_]) -> NDArray[Any]:
        """Return the labels that `chosen` tells, in one text; None where there is no answer."""
        known, chosen = np.asarray(names, dtype=object), self.chosen(outputs)
        texts = [self._joined(known[row]) for row in chosen]
        return or_none(objects(texts), outputs)

    def chosen(self, outputs: NDArray[Any]) -> NDArray[np.bool_]:
        """Those that are more probable than not, or than their thresholds."""
        return np.asarray(outputs > (0.5 if self.thresholds is None else np.array(self.thresholds)))

    def learn_thresholds(
        self, outputs: NDArray[Any], labels: NDArray[np.object_], names: NDArray[np.object_]
    ) -> NDArray[np.float64]:
        """Those with the highest F1 of each label; see `label_thresholds`."""
        return label_thresholds(outputs.astype(np.float64), indicators(labels, names, self.separator))

    def with_thresholds(self, thresholds: Sequence[float] | None) -> Self:
        """Return the task that predicts labels by these thresholds, in the order of the outputs."""
        return replace(self, thresholds=None if thresholds is None else tuple(map(float, thresholds)))

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


def _log_odds(own: NDArray[np.float32], least: float) -> NDArray[np.float64]:
    likely = np.clip(np.nan_to_num(own, nan=0.5).astype(np.float64), least, 1 - least)
    return np.asarray(np.log(likely / (1 - likely)))
