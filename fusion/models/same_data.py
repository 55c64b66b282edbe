"""Test rows whose data a training row has too: copies under another name, which make every figure too good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from fusion.models.shared_groups import score_without, told_without

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.features.items import Items
    from fusion.metrics import Figures
    from fusion.models.figures import Judge

__all__ = ["SAME_DATA", "SameData", "mark_same"]

SAME_DATA, _AS = "same_data", "same_data_as"


@dataclass(frozen=True)
class SameData:
    """Test rows with the data of a training row.

    Attributes
    ----------
    rows, tested : int
        How many there are, and how many test rows in all.
    first : tuple of str
        ID of the first of them, and of a training row with its data.
    measure : str
        What the scores are, such as "accuracy".
    score : float
        Of all test rows.
    score_without : float or None
        Of the others; None where there are none.
    """

    rows: int
    tested: int
    first: tuple[str, str]
    measure: str
    score: float
    score_without: float | None

    @classmethod
    def of(cls, table: pd.DataFrame, judge: Judge, whole: Figures) -> SameData | None:
        """Look at a table of predictions and the figures of all of it; None where `mark_same` found none."""
        if SAME_DATA not in table:
            return None
        same = table[SAME_DATA].to_numpy(dtype=bool)
        first = table[same].iloc[0]
        without = score_without(table, same, judge)
        return cls(int(same.sum()), len(table), (first["id"], first[_AS]), whole.measure, whole.score, without)

    def told(self) -> str:
        """Say it in one line."""
        row, trained = self.first
        return (
            f"{self.rows:,} of {self.tested:,} test rows have the data of a training row, first {row!r} those of "
            f"{trained!r}; {told_without(self.measure, self.score, self.score_without)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and strings."""
        return {"rows": self.rows, "first": list(self.first), f"{self.measure}_without": self.score_without}


def mark_same(table: pd.DataFrame, training: Items, test: Items) -> pd.DataFrame:
    """Tell in a table of the test items which have, in any modality, the data of a training item, and of which."""
    same = np.full(len(test), None, dtype=object)
    for name, data in test.data.items():
        _find(same, data, training.data.get(name, data[:0]), training.ids)
    found = ~pd.isna(same)
    return table.assign(**{SAME_DATA: found, _AS: same}) if found.any() else table


def _find(same: NDArray[np.object_], data: NDArray[Any], trained: NDArray[Any], ids: NDArray[np.object_]) -> None:
    inside = np.flatnonzero(np.isin(data, trained) & (data != b""))
    wanted = set(data[inside].tolist())
    by_data = {key: name for key, name in zip(trained.tolist(), ids, strict=True) if key in wanted} if wanted else {}
    for row in inside:
        same[row] = same[row] or by_data[data[row]]
