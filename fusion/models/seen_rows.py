"""Test rows that training has seen in another guise, in a group of theirs or under another name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fusion.models.same_data import SameData, mark_same
from fusion.models.shared_groups import SharedGroups, mark_shared

if TYPE_CHECKING:
    import pandas as pd

    from fusion.features.items import Items
    from fusion.metrics import Figures
    from fusion.models.figures import Judge


def mark_seen(table: pd.DataFrame, training: Items, test: Items) -> pd.DataFrame:
    """Tell in a table of the test items which are of a group or have data that are in training too, if any are."""
    return mark_same(mark_shared(table, training, test), training, test)


def filled(table: pd.DataFrame) -> pd.DataFrame:
    """Say of rows of tables put together that nothing was found where nothing is said."""
    marks = [kind.column for kind in (SharedGroups, SameData) if kind.column in table]
    return table.assign(**{column: table[column].eq(other=True) for column in marks})


def seen_in(
    table: pd.DataFrame, judge: Judge, whole: Figures
) -> tuple[SharedGroups | None, SameData | None, tuple[str, ...]]:
    """Look at a table of predictions and the figures of all of it; give what was found, and that in words."""
    shared, same = SharedGroups.of(table, judge, whole), SameData.of(table, judge, whole)
    return shared, same, tuple(found.told() for found in (shared, same) if found is not None)


def seen_told(shared: SharedGroups | None, same: SameData | None) -> dict[str, Any]:
    """Return what was found as plain values, under the names that documents have for it."""
    found = {"shared_groups": shared, "same_data": same}
    return {name: rows.to_dict() for name, rows in found.items() if rows is not None}
