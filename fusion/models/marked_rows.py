"""Test rows that a column of the predictions marks, and what the score is without them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import pandas as pd

if TYPE_CHECKING:
    from fusion.metrics import Figures
    from fusion.models.figures import Judge


@dataclass(frozen=True, kw_only=True)
class MarkedRows(ABC):
    """Test rows that make a score too good.

    Attributes
    ----------
    rows, tested : int
        How many there are, and how many test rows in all.
    measure : str
        What the scores are, such as "accuracy".
    score : float
        Of all test rows.
    score_without : float or None
        Of the others; None where there are none.
    """

    rows: int
    tested: int
    measure: str
    score: float
    score_without: float | None

    column: ClassVar[str]
    """Of the predictions, which marks them; absent where there are none."""

    @classmethod
    def of(cls, table: pd.DataFrame, judge: Judge, whole: Figures) -> Self | None:
        """Look at a table of predictions and the figures of all of it; None where nothing was marked."""
        if cls.column not in table:
            return None
        marked = table[cls.column].to_numpy(dtype=bool)
        return cls(
            rows=int(marked.sum()),
            tested=len(table),
            measure=whole.measure,
            score=whole.score,
            score_without=None if marked.all() else judge.evaluate(table[~marked]).score,
            **cls._seen(table[marked]),
        )

    @classmethod
    @abstractmethod
    def _seen(cls, marked: pd.DataFrame) -> dict[str, Any]:
        """Give what else is known of these rows, by the names of further attributes."""

    @abstractmethod
    def told(self) -> str:
        """Say it in one line."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers and strings."""
        return {"rows": self.rows, f"{self.measure}_without": self.score_without}

    def _without(self) -> str:
        """Say what the score is without them."""
        if self.score_without is None:
            return "there are no others"
        return f"without them {self.measure} is {self.score_without:.4f} instead of {self.score:.4f}"
