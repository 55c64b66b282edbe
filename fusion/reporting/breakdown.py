"""Where a model is right and wrong: by group, by how sure it is, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from fusion.estimators.tasks import Task

_MOST_GROUPS, _MOST_MISTAKES, _BINS, _QUARTERS = 100, 50, 10, 4


@dataclass(frozen=True)
class Part:
    """Some test rows, and how many of them were right; of numbers, how far off they were in the mean.

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
    """A test row that was taken for another class, or that a number is off for.

    `size` is the probability of the class, or what is off; None of sets of labels.
    """

    id: str
    group: str
    truth: str
    predicted: str
    size: float | None


def by_group(table: pd.DataFrame, task: Task) -> list[Part]:
    """Give the accuracy, or the mean absolute error, of each group, the worst first; none where rows have no groups."""
    named = table[table["group"].notna() & table["predicted"].notna()]
    found = np.abs(_off(named)) if is_number(task) else _right(named, task).astype(float)
    groups = named.assign(found=found).groupby("group")["found"]
    parts = [Part(str(name), len(rows), float(rows.mean())) for name, rows in groups]
    sign = -1 if is_number(task) else 1
    return sorted(parts, key=lambda part: (sign * part.accuracy, part.name))[:_MOST_GROUPS]


def mistakes(table: pd.DataFrame, task: Task) -> tuple[list[Mistake], int]:
    """Give the wrong rows that the model was surest of, and how many are wrong; of numbers those furthest off."""
    told = table[table["predicted"].notna()]
    if is_number(task):
        off = told.assign(size=_off(told))
        worst = off.loc[off["size"].abs().sort_values(ascending=False, kind="stable").index]
        return [_mistake(row) for _, row in worst.head(_MOST_MISTAKES).iterrows()], len(told)
    wrong = told[~_right(told, task)]
    wrong = wrong.assign(size=wrong.get("probability", np.nan))
    surest = wrong.sort_values(["size", "id"], ascending=[False, True]).head(_MOST_MISTAKES)
    return [_mistake(row) for _, row in surest.iterrows()], len(wrong)


def is_number(task: Task) -> bool:
    """Tell whether a number is predicted."""
    return task.name == "regression"


def shown(value: Any) -> str:
    """Write a class, labels or a number."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _mistake(row: pd.Series) -> Mistake:
    size = float(row["size"])
    truth, predicted = shown(row["label"]), shown(row["predicted"])
    return Mistake(str(row["id"]), str(row["group"] or ""), truth, predicted, None if np.isnan(size) else size)


def _off(table: pd.DataFrame) -> NDArray[np.float64]:
    found: NDArray[np.float64] = table["predicted"].to_numpy(dtype=float) - table["label"].to_numpy(dtype=float)
    return found


def _right(table: pd.DataFrame, task: Task) -> NDArray[Any]:
    return task.hits(*(table[name].to_numpy(dtype=object) for name in ("label", "predicted")))


def calibration(table: pd.DataFrame) -> list[Part]:
    """Give accuracy and mean probability of rows by how sure the model was, in tenths; empty tenths are left out.

    None of a model that names no class with its probability.
    """
    if "probability" not in table:
        return []
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
