"""The task of predicting a number."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusion.datasets.targets import number_of
from fusion.errors import DataError
from fusion.estimators.averaging import Pool, learn_number_pool
from fusion.estimators.task import Task, objects, side_by_side
from fusion.modalities.dialect import MISSING_NUMBERS

if TYPE_CHECKING:
    from fusion.estimators.boosted import FunctaBooster
    from fusion.features.items import Items
    from fusion.metrics import Figures

__all__ = ["Regression"]


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
        if items.targets is not None:
            _refuse_infinite(items.targets, items.ids)
            return replace(items, labels=_numbers(items.targets.tolist()))
        numbers = [number_of(label) for label in items.labels]
        wrong = [
            str(label)
            for label, number in zip(items.labels, numbers, strict=True)
            if label and number is None and label not in MISSING_NUMBERS
        ]
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
        return side_by_side(np.where(np.isnan(own), np.nanmean(own, axis=0), own))

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


def _numbers(values: Sequence[float | None]) -> NDArray[np.object_]:
    return objects([None if value is None or value != value else value for value in values])


def _refuse_infinite(targets: NDArray[np.float64], ids: NDArray[np.object_]) -> None:
    infinite = np.isinf(targets)
    if infinite.any():
        raise DataError(
            f"{int(infinite.sum())} of {len(targets)} targets are infinite, such as that of {ids[infinite][0]!r}; "
            "expected finite numbers, or none. Correct them and encode again."
        )
