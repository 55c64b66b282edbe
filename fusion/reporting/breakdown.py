"""Where a model is right and wrong: by group, by how sure it is, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

_MOST_GROUPS, _MOST_MISTAKES, _BINS, _QUARTERS = 100, 50, 10, 4


@dataclass(frozen=True)
class Part:
    """Some test rows, and how many of them were right.

    Parameters
    ----------
    name : str
    rows : int
    accuracy : float
    sure : float
        Mean probability of the class that was named.
    """

    name: str
    rows: int
    accuracy: float
    sure: float = float("nan")


@dataclass(frozen=True)
class Mistake:
    """A test row that was taken for another class."""

    id: str
    group: str
    truth: str
    predicted: str
    probability: float


def by_group(table: pd.DataFrame) -> list[Part]:
    """Give the accuracy of each group, the worst first; none where rows have no groups."""
    named = table[table["group"].notna()]
    right = (named["predicted"] == named["label"]).groupby(named["group"])
    parts = [Part(str(name), len(rows), float(rows.mean())) for name, rows in right]
    return sorted(parts, key=lambda part: (part.accuracy, part.name))[:_MOST_GROUPS]


def mistakes(table: pd.DataFrame) -> tuple[list[Mistake], int]:
    """Give the wrong rows that the model was surest of, and how many are wrong."""
    wrong = table[(table["predicted"] != table["label"]) & table["predicted"].notna()]
    surest = wrong.sort_values(["probability", "id"], ascending=[False, True]).head(_MOST_MISTAKES)
    columns = surest[["id", "group", "label", "predicted", "probability"]].itertuples(index=False)
    told = [Mistake(str(row[0]), str(row[1] or ""), str(row[2]), str(row[3]), float(row[4])) for row in columns]
    return told, len(wrong)


def calibration(table: pd.DataFrame) -> list[Part]:
    """Give accuracy and mean probability of rows by how sure the model was, in tenths; empty tenths are left out."""
    probability = table["probability"].to_numpy(dtype=float)
    right = (table["predicted"] == table["label"]).to_numpy()
    known = np.isfinite(probability)
    probability, right = probability[known], right[known]
    tenth = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    return [
        Part(
            f"{number / _BINS:.0%} to {(number + 1) / _BINS:.0%}",
            int((tenth == number).sum()),
            float(right[tenth == number].mean()),
            float(probability[tenth == number].mean()),
        )
        for number in np.unique(tenth)
    ]


def by_quarter(values: Sequence[float], right: Sequence[bool]) -> list[Part]:
    """Give the accuracy in each quarter of values; quarters that would have the same limits are one.

    Limits are written with as many decimals as tell them apart.
    """
    measured, correct = np.asarray(values, dtype=float), np.asarray(right, dtype=bool)
    edges = np.unique(np.quantile(measured, np.linspace(0, 1, _QUARTERS + 1)))
    if len(edges) == 1:
        return [Part(f"{edges[0]:.1f}", len(measured), float(correct.mean()))]
    place = np.clip(np.searchsorted(edges, measured, side="right") - 1, 0, len(edges) - 2)
    written = _apart(edges)
    return [
        Part(f"{written[number]} to {written[number + 1]}", int(here.sum()), float(correct[here].mean()))
        for number in range(len(edges) - 1)
        if (here := place == number).any()
    ]


def _apart(edges: NDArray[Any]) -> list[str]:
    for decimals in range(1, 7):
        written = [f"{edge:.{decimals}f}" for edge in edges]
        if len(set(written)) == len(written):
            break
    return written
