"""What the stores say of one item: one label, one split, one group, or an error that names the items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.errors import DataError
from fusion.linking.joins import Joined
from fusion.linking.sides import Side, taken

__all__ = ["Conflicts", "agreed", "coarsest_groups", "group_splits", "require_one_side"]

_SHOWN = 5
_HINTS = {
    "target": "Encode the stores with the same targets.",
    "label": "Give a label map that turns both into one (--labels), or correct the labels.",
    "split": "Encode the stores with the same splits.",
    "group": "Encode the stores with the same groups, or join by label.",
}


@dataclass(frozen=True)
class Conflicts:
    """Items of which the stores say different things.

    Parameters
    ----------
    items : int
    shown : tuple of str
        What is said of the first five, in the order of their IDs.
    """

    items: int = 0
    shown: tuple[str, ...] = ()

    def __add__(self, later: Conflicts) -> Conflicts:
        return Conflicts(self.items + later.items, (*self.shown, *later.shown)[:_SHOWN])

    def require_none(self, name: str) -> None:
        """Refuse items that have more than one label, split, group or target; DataError."""
        if self.items:
            raise DataError(
                f"{self.items} linked items have more than one {name}, first {'; '.join(self.shown)}; expected one. "
                f"{_HINTS[name]}"
            )


def agreed(sides: Sequence[Side], joined: Joined, name: str) -> tuple[NDArray[np.object_], Conflicts]:
    """Return the label, split, group or target of each item, shape (items,), None where no store knows one.

    Also where two stores differ.
    """
    columns = [_of_items(side, joined, column, name) for column, side in enumerate(sides)]
    found = columns[0].copy()
    differs = np.zeros(len(found), dtype=bool)
    for values in columns[1:]:
        known, told = pd.notna(found), pd.notna(values)
        differs |= known & told & (found != values)
        found[~known] = values[~known]
    return found, _conflicts(sides, joined.link_ids, columns, differs)


def coarsest_groups(sides: Sequence[Side], joined: Joined) -> NDArray[np.object_]:
    """Return the groups of the store that has the fewest, each after its store's name; of others where it has none."""
    columns = [_of_items(side, joined, column, "group") for column, side in enumerate(sides)]
    counts = [len(set(values[pd.notna(values)])) or len(values) + 1 for values in columns]
    found = np.full(len(joined.places), None, dtype=object)
    for column in np.argsort(counts, kind="stable"):
        values = columns[column]
        rows = pd.isna(found) & pd.notna(values)
        found[rows] = f"{sides[column].name}: " + values[rows]
    return found


def group_splits(groups: NDArray[np.object_], splits: NDArray[np.object_]) -> pd.DataFrame:
    """List each group with each split that it is in, columns ``group`` and ``split``."""
    pairs = pd.DataFrame({"group": groups, "split": splits}, dtype=object)
    return pairs.dropna().drop_duplicates()


def require_one_side(store: str, pairs: pd.DataFrame) -> None:
    """Refuse a group that is in two splits; see `group_splits`.

    Raises
    ------
    DataError
        Naming the first five such groups.
    """
    counts = pairs.groupby("group").size()
    shared = sorted(counts.index[counts > 1])
    if shared:
        raise DataError(
            f"{len(shared)} groups of store {store} are in more than one split, first "
            f"{', '.join(map(repr, shared[:5]))}; expected each subject, film or recording in one. Correct the splits."
        )


def _of_items(side: Side, joined: Joined, column: int, name: str) -> NDArray[np.object_]:
    return taken(getattr(side, f"{name}s"), joined.places[:, column])


def _conflicts(
    sides: Sequence[Side],
    link_ids: NDArray[np.object_],
    columns: Sequence[NDArray[np.object_]],
    differs: NDArray[np.bool_],
) -> Conflicts:
    places = np.flatnonzero(differs)
    first = places[np.argsort(link_ids[places], kind="stable")[:_SHOWN]]
    shown = (
        f"{link_ids[place]!r} ("
        + ", ".join(f"{side.name}: {values[place]!r}" for side, values in zip(sides, columns, strict=True))
        + ")"
        for place in first
    )
    return Conflicts(len(places), tuple(shown))
