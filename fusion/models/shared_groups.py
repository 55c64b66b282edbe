"""Published splits with a group on both sides, taken as they are: which test rows, and what the figures are without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from fusion.features.items import Items, in_both_sides
from fusion.metrics import Figures
from fusion.models.figures import Judge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SHARED_GROUP", "SharedGroups", "mark_shared", "score_without", "told_without"]

SHARED_GROUP, _NAME = "shared_group", "shared_group_name"


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
        if SHARED_GROUP not in table:
            return None
        shared = table[SHARED_GROUP].to_numpy(dtype=bool)
        groups, without = table[_NAME].nunique(), score_without(table, shared, judge)
        return cls(groups, int(shared.sum()), len(table), whole.measure, whole.score, without)

    def told(self) -> str:
        """Say it in one line."""
        return (
            f"{self.groups} groups are on both sides of the split, which was taken as it is: {self.rows:,} of "
            f"{self.tested:,} test rows are of them; {told_without(self.measure, self.score, self.score_without)}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and strings."""
        return {
            "groups": self.groups,
            "rows": self.rows,
            f"{self.measure}_without": self.score_without,
        }


def mark_shared(table: pd.DataFrame, training: Items, test: Items) -> pd.DataFrame:
    """Tell in a table of the test items which are of a group that is in training too, and of which, if any are."""
    names = in_both_sides(training, test)
    shared = ~pd.isna(names)
    return table.assign(**{SHARED_GROUP: shared, _NAME: names}) if shared.any() else table


def score_without(table: pd.DataFrame, marked: NDArray[np.bool_], judge: Judge) -> float | None:
    """Judge the rows of a table that are not marked; None where all are."""
    return None if marked.all() else judge.evaluate(table[~marked]).score


def told_without(measure: str, score: float, without: float | None) -> str:
    """Say what a score is without some rows."""
    if without is None:
        return "there are no others"
    return f"without them {measure} is {without:.4f} instead of {score:.4f}"
