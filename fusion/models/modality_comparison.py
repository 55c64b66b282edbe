"""A fusion and its modalities on the same rows: those that have all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.metrics import Figures
from fusion.models.figures import Judge

__all__ = ["FUSED", "Comparison", "compared", "complete_rows"]

FUSED = "fusion"
"""Under this name the fusion stands among its modalities."""
_WORSE = {
    "accuracy": "is right less often than",
    "r2": "has a lower R2 than",
    "micro_f1": "has a lower micro F1 than",
}
_OTHERS = {"early": "late or stacked", "late": "stacked or early", "stacked": "late or early"}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Who is better where all modalities are there.

    Attributes
    ----------
    rows : int
        Test rows that have all modalities.
    missing : mapping of str to int
        Test rows that lack each modality.
    evaluations : mapping of str to Figures
        Of the fusion, under `FUSED`, and of each modality alone, on those rows; empty where there are none.
    notes : tuple of str
        Where the fusion loses to a modality: that it does, and what to try.
    """

    rows: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    evaluations: Mapping[str, Figures] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def missing_in_words(self) -> str:
        """Such as "inertial 15, depth 19"; empty where none is missing."""
        return ", ".join(f"{name} {count:,}" for name, count in self.missing.items() if count)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        scores = {name: found.score for name, found in self.evaluations.items()}
        measure = next((found.measure for found in self.evaluations.values()), "accuracy")
        return {"rows_complete": self.rows, "missing_rows": dict(self.missing), f"{measure}_complete": scores}


def complete_rows(table: pd.DataFrame, names: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which rows of a table of predictions have all modalities."""
    return np.asarray(np.logical_and.reduce([_has(table, name) for name in names]))


def compared(table: pd.DataFrame, names: Sequence[str], judge: Judge, *, fusion: str | None) -> Comparison:
    """Compare a fusion with its modalities; of a model of one modality there is nothing to compare.

    Parameters
    ----------
    table : DataFrame
        As `fusion.models.scoring.score` returns it; of a cross-validation with a column ``fold``.
    names : sequence of str
        Of the modalities.
    judge : Judge
        Evaluates.
    fusion : str or None
        Its kind.
    """
    if fusion is None or len(names) < 2:
        return Comparison()
    complete = table[complete_rows(table, names)]
    missing = {name: int((~_has(table, name)).sum()) for name in names}
    if not len(complete):
        return Comparison(0, missing)
    found = {FUSED: judge.evaluate(complete)} | {name: judge.evaluate(complete, f"{name}:") for name in names}
    return Comparison(len(complete), missing, found, _losing(found, complete, fusion))


def _has(table: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    column = f"{name}:predicted"
    return table[column].notna().to_numpy() if column in table else np.zeros(len(table), bool)


def _losing(found: Mapping[str, Figures], complete: pd.DataFrame, fusion: str) -> tuple[str, ...]:
    best = max((name for name in found if name != FUSED), key=lambda name: found[name].score)
    if found[best].score <= found[FUSED].score:
        return ()
    groups = complete["group"].dropna().nunique()
    held = f" of {groups:,} held-out groups" if groups else ""
    told = (
        f"the fusion ({found[FUSED].score:.3f}) {_WORSE[found[FUSED].measure]} {best} alone ({found[best].score:.3f}) "
        f"on the {len(complete):,} test rows{held} that have all modalities; try --fusion {_OTHERS[fusion]}, "
        f"--tune, or train on {best} alone"
    )
    return (told,)
