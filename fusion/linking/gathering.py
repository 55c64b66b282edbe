"""From joined samples to the items of a link table, and what all of them together have to be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.linking.agreement import Conflicts, agreed, coarsest_groups, group_splits, require_one_side
from fusion.linking.joins import Joined
from fusion.linking.sides import TARGET, Side, taken

__all__ = ["Gathered"]

_AGREED = ("split", "label", "group", "target")


class Gathered:
    """What was seen of the items of a link table, which are made all at once or range by range.

    Parameters
    ----------
    names : sequence of str
        Of the stores.
    on : str
        The join.
    """

    def __init__(self, names: Sequence[str], on: str) -> None:
        self.on = on
        self._used: Counter[str] = Counter()
        self._conflicts = dict.fromkeys(_AGREED, Conflicts())
        self._pairs = {name: group_splits(np.empty(0, object), np.empty(0, object)) for name in names}
        self.items, self.matched = 0, 0

    def rows(self, sides: Sequence[Side], joined: Joined) -> pd.DataFrame:
        """Make rows of the table, with a column ``target`` whether or not there are any; see `LinkTable.frame`."""
        self.items += len(joined.link_ids)
        self.matched += int((joined.places >= 0).all(axis=1).sum())
        columns = {"link_id": joined.link_ids}
        columns |= {name: self._agreed(sides, joined, name) for name in _AGREED}
        if self.on == "label":
            columns["group"] = coarsest_groups(sides, joined)
        targets = _shared_targets(sides, joined) if self.on == "label" else columns["target"]
        columns[TARGET] = np.array([None if number is None else repr(number) for number in targets], dtype=object)
        for column, side in enumerate(sides):
            places = joined.places[:, column]
            columns[side.name] = taken(side.ids, places)
            pairs = group_splits(taken(side.groups, places), columns["split"])
            self._pairs[side.name] = pd.concat([self._pairs[side.name], pairs]).drop_duplicates()
            self._used[side.name] += int(np.count_nonzero(np.bincount(places[places >= 0])))
        return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})

    def _agreed(self, sides: Sequence[Side], joined: Joined, name: str) -> NDArray[np.object_]:
        values, conflicts = agreed(sides, joined, name)
        if self.on != "label" or name not in ("group", "target"):
            self._conflicts[name] += conflicts
        return values

    def require_sound(self, places: Mapping[str, str]) -> None:
        """Refuse items of which the stores, by name and place, say different things, and groups in two splits.

        Raises
        ------
        DataError
        """
        for name, conflicts in self._conflicts.items():
            conflicts.require_none(name)
        for name, place in places.items():
            require_one_side(place, self._pairs[name])

    def left_over(self, rows: Mapping[str, int]) -> dict[str, int]:
        """Tell how many of the samples of each store, as many as given, are in no item."""
        return {name: count - self._used[name] for name, count in rows.items()}


def _shared_targets(sides: Sequence[Side], joined: Joined) -> NDArray[np.object_]:
    """Return the target of each item, where all its samples share it."""
    columns = np.stack([taken(side.targets, joined.places[:, column]) for column, side in enumerate(sides)])
    shared: NDArray[np.object_] = columns[0].copy()
    shared[~(columns == shared).all(axis=0)] = None
    return shared
