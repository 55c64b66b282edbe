"""Test rows whose data a training row has too: copies under another name, which make every figure too good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from fusion.models.marked_rows import MarkedRows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from fusion.features.items import Items

__all__ = ["SameData", "mark_same"]

_AS = "same_data_as"


@dataclass(frozen=True, kw_only=True)
class SameData(MarkedRows):
    """Test rows with the data of a training row, as `MarkedRows`.

    Attributes
    ----------
    first : tuple of str
        ID of the first of them, and of a training row with its data.
    """

    first: tuple[str, str]

    column: ClassVar[str] = "same_data"

    @classmethod
    def _seen(cls, marked: pd.DataFrame) -> dict[str, Any]:
        return {"first": (marked["id"].iloc[0], marked[_AS].iloc[0])}

    def told(self) -> str:
        """Say it in one line."""
        row, trained = self.first
        return (
            f"{self.rows:,} of {self.tested:,} test rows have the data of a training row, first {row!r} those of "
            f"{trained!r}; {self._without()}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and strings."""
        return {"first": list(self.first), **super().to_dict()}


def mark_same(table: pd.DataFrame, training: Items, test: Items) -> pd.DataFrame:
    """Tell in a table of the test items which have, in any modality, the data of a training item, and of which."""
    same = np.full(len(test), None, dtype=object)
    for name, data in test.data.items():
        _find(same, data, training.data.get(name, data[:0]), training.ids)
    found = ~pd.isna(same)
    return table.assign(**{SameData.column: found, _AS: same}) if found.any() else table


def _find(same: NDArray[np.object_], data: NDArray[Any], trained: NDArray[Any], ids: NDArray[np.object_]) -> None:
    inside = np.flatnonzero(np.isin(data, trained) & (data != b""))
    wanted = set(data[inside].tolist())
    by_data = {key: name for key, name in zip(trained.tolist(), ids, strict=True) if key in wanted} if wanted else {}
    for row in inside:
        same[row] = same[row] or by_data[data[row]]
