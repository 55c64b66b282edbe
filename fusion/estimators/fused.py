"""The classifier of several modalities: one for each alone, and what puts them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fusion.errors import ConfigError
from fusion.estimators.averaging import Pool, centred_logs

if TYPE_CHECKING:
    from fusion.estimators.xgboost import FunctaClassifier

__all__ = ["FUSIONS", "FusedClassifier", "Fusion", "check_fusion", "stacked_features"]

Fusion = Literal["early", "late", "stacked"]
FUSIONS: tuple[Fusion, ...] = get_args(Fusion)


def check_fusion(fusion: str) -> None:
    """Raise ConfigError for a fusion that does not exist."""
    if fusion not in FUSIONS:
        raise ConfigError(f"fusion is {fusion!r}; expected one of {', '.join(FUSIONS)}.")


@dataclass(frozen=True, eq=False)
class FusedClassifier:
    """Trained classifiers of several modalities as one; a branch of NaN is a missing modality.

    An item of which one modality is left gets what that modality's own classifier says, whatever the fusion; so a
    fusion of two modalities is never worse than the other one where one is missing.

    Attributes
    ----------
    fusion : str
        "early" = one classifier on all columns; "late" = the members' probabilities, averaged; "stacked" = a second
        classifier on the members' probabilities.
    columns : mapping of str to int
        Number of columns of each branch, in their order.
    members : mapping of str to FunctaClassifier
        The classifier of each branch alone.
    classes_ : NDArray of object
        All labels of the training rows, sorted; object array.
    head : FunctaClassifier or None
        The classifier of "early" and "stacked".
    pool : Pool or None
        The average of "late".
    """

    fusion: str
    columns: Mapping[str, int]
    members: Mapping[str, FunctaClassifier]
    classes_: NDArray[np.object_]
    head: FunctaClassifier | None = None
    pool: Pool | None = None

    @property
    def n_features_in_(self) -> int:
        """Number of columns of all branches."""
        return sum(self.columns.values())

    @property
    def n_rounds_(self) -> int:
        """Boosting rounds of the head, or of the longest member where there is none."""
        if self.head is not None:
            return int(self.head.n_rounds_)
        return max(int(member.n_rounds_) for member in self.members.values())

    @property
    def slices(self) -> dict[str, slice]:
        """Columns of each branch."""
        ends = list(accumulate(self.columns.values()))
        return {name: slice(end - self.columns[name], end) for name, end in zip(self.columns, ends, strict=True)}

    def predict(self, matrix: NDArray[np.float32]) -> NDArray[Any]:
        """Return the most probable class of each row, shape (n,)."""
        return np.asarray(self.classes_[self.predict_proba(matrix).argmax(axis=1)])

    def predict_proba(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability of each class, shape (n, classes), of rows of shape (n, columns)."""
        return self.combine(matrix, self.member_probabilities(matrix))

    def member_probabilities(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what each member says, shape (branches, n, classes), NaN where its modality is missing."""
        found = np.full((len(self.members), len(matrix), len(self.classes_)), np.nan, dtype=np.float32)
        for out, (name, here) in zip(found, self.slices.items(), strict=True):
            branch = matrix[:, here]
            present = ~np.isnan(branch).all(axis=1)
            if present.any():
                out[present] = spread(
                    self.members[name].predict_proba(branch[present]), self.members[name], self.classes_
                )
        return found

    def combine(self, matrix: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put together what `member_probabilities` returned for these rows, shape (n, classes)."""
        count = (~np.isnan(own[:, :, 0])).sum(axis=0)
        fused = np.full((len(matrix), len(self.classes_)), 1 / len(self.classes_), dtype=np.float32)
        alone, together = count == 1, count > 1
        fused[alone] = np.nansum(own[:, alone], axis=0)
        if together.any():
            fused[together] = self._fused(matrix[together], own[:, together])
        return fused

    def fused_rows(self, matrix: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the head reads: all columns, or what `stacked_features` makes of the members' probabilities."""
        return matrix if self.fusion == "early" else stacked_features(own)

    def _fused(self, matrix: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.pool is not None:
            return self.pool(own)
        if self.head is None:
            raise ConfigError(f"a classifier of {self.fusion} fusion needs a head or a pool.")
        return spread(self.head.predict_proba(self.fused_rows(matrix, own)), self.head, self.classes_)


def stacked_features(own: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return log probabilities less their mean over the classes, shape (n, branches * classes); 0 where missing."""
    return np.ascontiguousarray(np.concatenate(list(centred_logs(own)), axis=1), dtype=np.float32)


def spread(
    probabilities: NDArray[np.float32], classifier: FunctaClassifier, classes: NDArray[np.object_]
) -> NDArray[np.float32]:
    """Bring probabilities in the order of all classes; one that the classifier does not know gets 0."""
    found = np.zeros((len(probabilities), len(classes)), dtype=np.float32)
    found[:, np.searchsorted(classes.astype(str), np.asarray(classifier.classes_).astype(str))] = probabilities
    return found
