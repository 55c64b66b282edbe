"""The estimator of several modalities: one for each alone, and what puts them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from fusion.errors import ConfigError
from fusion.estimators.averaging import Pool
from fusion.estimators.tasks import TASKS, Task

if TYPE_CHECKING:
    from fusion.estimators.boosted import FunctaBooster

__all__ = ["FUSIONS", "FusedEstimator", "Fusion", "check_fusion"]

Fusion = Literal["early", "late", "stacked"]
FUSIONS: tuple[Fusion, ...] = get_args(Fusion)


def check_fusion(fusion: str) -> None:
    """Raise ConfigError for a fusion that does not exist."""
    if fusion not in FUSIONS:
        raise ConfigError(f"fusion is {fusion!r}; expected one of {', '.join(FUSIONS)}.")


@dataclass(frozen=True, eq=False)
class FusedEstimator:
    """Trained estimators of several modalities as one; a branch of NaN is a missing modality.

    An item of which one modality is left gets what that modality's own estimator says, whatever the fusion; so a
    fusion of two modalities is never worse than the other one where one is missing.

    Attributes
    ----------
    fusion : str
        "early" = one estimator on all columns; "late" = the members' outputs, averaged; "stacked" = a second estimator
        on the members' outputs.
    columns : mapping of str to int
        Number of columns of each branch, in their order.
    members : mapping of str to FunctaBooster
        The estimator of each branch alone.
    classes_ : NDArray of object
        All classes or labels of the training rows, sorted; object array, empty where a number is predicted.
    head : FunctaBooster or None
        The estimator of "early" and "stacked".
    pool : Pool or None
        The average of "late".
    task : Task
        What is predicted.
    """

    fusion: str
    columns: Mapping[str, int]
    members: Mapping[str, FunctaBooster]
    classes_: NDArray[np.object_]
    head: FunctaBooster | None = None
    pool: Pool | None = None
    task: Task = TASKS["classification"]

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
        """Return what is predicted of each row, shape (n,)."""
        return self.task.decided(self.outputs(matrix), self.classes_)

    def outputs(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the probability of each class, or a number, shape (n, outputs), of rows of shape (n, columns)."""
        return self.combine(matrix, self.member_outputs(matrix))

    def member_outputs(self, matrix: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what each member says, shape (branches, n, outputs), NaN where its modality is missing."""
        shape = (len(self.members), len(matrix), self.task.outputs(self.classes_))
        found = np.full(shape, np.nan, dtype=np.float32)
        for out, (name, here) in zip(found, self.slices.items(), strict=True):
            branch = matrix[:, here]
            present = ~np.isnan(branch).all(axis=1)
            if present.any():
                out[present] = self._spread(self.members[name], branch[present])
        return found

    def combine(self, matrix: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put together what `member_outputs` returned for these rows, shape (n, outputs)."""
        count = (~np.isnan(own[:, :, 0])).sum(axis=0)
        fused = np.full(own.shape[1:], self.task.nothing(self.classes_), dtype=np.float32)
        alone, together = count == 1, count > 1
        fused[alone] = np.nansum(own[:, alone], axis=0)
        if together.any():
            fused[together] = self._fused(matrix[together], own[:, together])
        return fused

    def fused_rows(self, matrix: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return what the head reads: all columns, or what the task makes of the members' outputs."""
        return matrix if self.fusion == "early" else self.task.head_rows(own)

    def _fused(self, matrix: NDArray[np.float32], own: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.pool is not None:
            return self.pool(own)
        if self.head is None:
            raise ConfigError(f"an estimator of {self.fusion} fusion needs a head or a pool.")
        return self._spread(self.head, self.fused_rows(matrix, own))

    def _spread(self, estimator: FunctaBooster, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(self.task.spread(estimator.outputs(rows), estimator.classes_, self.classes_))
