"""Published splits with a group on both sides, taken as they are: which test rows, and what the figures are without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from fusion.features.items import Items, in_both_sides
from fusion.metrics import Figures
from fusion.models.figures import Judge

__all__ = ["SharedGroups", "filled", "mark_shared", "shared_lines"]

_COLUMN, _NAME = "shared_group", "shared_group_name"


@dataclass(frozen=True)
class SharedGroups:
    """Test rows whose subject, film or recording is in the training rows too.

    Attributes
    ----------
    groups : int
        How many groups are on both sides.
    rows : int
        How many test rows are of them.
    tested : int
        How many test rows there are.
    measure : str
        What the scores are, such as "accuracy".
    score : float
        Of all test rows.
    score_without : float or None
        Of the others; None where there are none.
    """

    groups: int
    rows: int
    tested: int
    measure: str
    score: float
    score_without: float | None

    @classmethod
    def of(cls, table: pd.DataFrame, judge: Judge, whole: Figures) -> SharedGroups | None:
        """Look at a table of predictions and the figures of all of it; None where `mark_shared` found none."""
        if _COLUMN not in table:
            return None
        shared = table[_COLUMN].to_numpy(dtype=bool)
        without = None if shared.all() else judge.evaluate(table[~shared]).score
        groups = table[_NAME].nunique()
        return cls(groups, int(shared.sum()), len(table), whole.measure, whole.score, without)

    def told(self) -> str:
        """Say it in one line."""
        without = "there are no others"
        if self.score_without is not None:
            without = f"without them {self.measure} is {self.score_without:.4f} instead of {self.score:.4f}"
        return (
            f"{self.groups} groups are on both sides of the split, which was taken as it is: {self.rows:,} of "
            f"{self.tested:,} test rows are of them; {without}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and strings."""
        return {
            "groups": self.groups,
            "rows": self.rows,
            f"{self.measure}_without": self.score_without,
        }


def shared_lines(shared: SharedGroups | None) -> tuple[str, ...]:
    """Say what was found, if anything was."""
    return () if shared is None else (shared.told(),)


def mark_shared(table: pd.DataFrame, training: Items, test: Items) -> pd.DataFrame:
    """Tell in a table of the test items which are of a group that is in training too, and of which, if any are."""
    names = in_both_sides(training, test)
    shared = ~pd.isna(names)
    return table.assign(**{_COLUMN: shared, _NAME: names}) if shared.any() else table


def filled(table: pd.DataFrame) -> pd.DataFrame:
    """Say of rows of tables put together that nothing was found where nothing is said."""
    if _COLUMN not in table:
        return table
    return table.assign(**{_COLUMN: table[_COLUMN].eq(other=True)})
