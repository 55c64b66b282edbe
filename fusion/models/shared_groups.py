"""Published splits with a group on both sides, taken as they are: which test rows, and what the figures are without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from fusion.features.items import Items, in_both_sides
from fusion.models.marked_rows import MarkedRows

__all__ = ["SharedGroups", "mark_shared"]

_NAME = "shared_group_name"


@dataclass(frozen=True, kw_only=True)
class SharedGroups(MarkedRows):
    """Test rows whose subject, film or recording is in the training rows too, as `MarkedRows`.

    Attributes
    ----------
    groups : int
        How many groups are on both sides.
    """

    groups: int

    column: ClassVar[str] = "shared_group"

    @classmethod
    def _seen(cls, marked: pd.DataFrame) -> dict[str, Any]:
        return {"groups": marked[_NAME].nunique()}

    def told(self) -> str:
        """Say it in one line."""
        return (
            f"{self.groups} groups are on both sides of the split, which was taken as it is: {self.rows:,} of "
            f"{self.tested:,} test rows are of them; {self._without()}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and strings."""
        return {"groups": self.groups, **super().to_dict()}


def mark_shared(table: pd.DataFrame, training: Items, test: Items) -> pd.DataFrame:
    """Tell in a table of the test items which are of a group that is in training too, and of which, if any are."""
    names = in_both_sides(training, test)
    shared = ~pd.isna(names)
    return table.assign(**{SharedGroups.column: shared, _NAME: names}) if shared.any() else table
