"""A fusion and its modalities on the same rows: those that have all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.metrics import Evaluation
from fusion.models.figures import evaluate_table

__all__ = ["FUSED", "Comparison", "compared", "complete_rows"]

FUSED = "fusion"
"""Under this name the fusion stands among its modalities."""
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
    evaluations : mapping of str to Evaluation
        Of the fusion, under `FUSED`, and of each modality alone, on those rows; empty where there are none.
    notes : tuple of str
        Where the fusion loses to a modality: that it does, and what to try.
    """

    rows: int = 0
    missing: Mapping[str, int] = field(default_factory=dict)
    evaluations: Mapping[str, Evaluation] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def missing_in_words(self) -> str:
        """Such as "inertial 15, depth 19"; empty where none is missing."""
        return ", ".join(f"{name} {count:,}" for name, count in self.missing.items() if count)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        accuracies = {name: found.accuracy for name, found in self.evaluations.items()}
        return {"rows_complete": self.rows, "missing_rows": dict(self.missing), "accuracy_complete": accuracies}


def complete_rows(table: pd.DataFrame, names: Sequence[str]) -> NDArray[np.bool_]:
    """Tell which rows of a table of predictions have all modalities."""
    return np.asarray(np.logical_and.reduce([_has(table, name) for name in names]))


def compared(
    table: pd.DataFrame, names: Sequence[str], classes: Sequence[str] | None, *, fusion: str | None, cv: bool = False
) -> Comparison:
    """Compare a fusion with its modalities; of a model of one modality there is nothing to compare.

    Parameters
    ----------
    table : DataFrame
        As `fusion.models.scoring.score` returns it; of a cross-validation with a column ``fold``.
    names : sequence of str
        Of the modalities.
    classes : sequence of str or None
        Of the model.
    fusion : str or None
        Its kind.
    cv : bool
        As for `evaluate_table`.
    """
    if fusion is None or len(names) < 2:
        return Comparison()
    complete = table[complete_rows(table, names)]
    missing = {name: int((~_has(table, name)).sum()) for name in names}
    if not len(complete):
        return Comparison(0, missing)
    columns = {FUSED: "predicted"} | {name: f"{name}:predicted" for name in names}
    found = {name: evaluate_table(complete, classes, predicted=column, cv=cv) for name, column in columns.items()}
    return Comparison(len(complete), missing, found, _losing(found, complete, fusion))


def _has(table: pd.DataFrame, name: str) -> NDArray[np.bool_]:
    column = f"{name}:predicted"
    return table[column].notna().to_numpy() if column in table else np.zeros(len(table), bool)


def _losing(found: Mapping[str, Evaluation], complete: pd.DataFrame, fusion: str) -> tuple[str, ...]:
    best = max((name for name in found if name != FUSED), key=lambda name: found[name].accuracy)
    if found[best].accuracy <= found[FUSED].accuracy:
        return ()
    groups = complete["group"].dropna().nunique()
    held = f" of {groups:,} held-out groups" if groups else ""
    told = (
        f"the fusion ({found[FUSED].accuracy:.3f}) is right less often than {best} alone ({found[best].accuracy:.3f}) "
        f"on the {len(complete):,} test rows{held} that have all modalities; try --fusion {_OTHERS[fusion]}, "
        f"--tune, or train on {best} alone"
    )
    return (told,)
