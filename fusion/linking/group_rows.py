"""Stores whose rows are groups: one row of a person beside many windows of that person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.linking.joins import How, Joined, Key, join_by_group, kept_by
from fusion.linking.sides import Side

__all__ = ["groups_held", "join_to_groups", "may_hold_groups"]


def groups_held(sides: Sequence[Side], key: Key | None) -> list[str]:
    """Name the stores whose rows are groups: their IDs are names of groups in other stores.

    Such a row has no group, or its ID is its group. A store with a key of its own is none, and neither is any where no
    other store would be left.
    """
    groups = {side.name: set(side.groups) - {None} for side in sides}

    def holds_groups(side: Side) -> bool:
        others = set().union(*(found for name, found in groups.items() if name != side.name))
        return may_hold_groups(side) and not _has_key(side, key) and not others.isdisjoint(side.ids)

    found = [side.name for side in sides if holds_groups(side)]
    return found if len(found) < len(sides) else []


def may_hold_groups(side: Side) -> bool:
    """Tell whether each of these rows has no group, or is its own group."""
    return all(group is None or group == name for group, name in zip(side.groups, side.ids, strict=True))


def join_to_groups(sides: Sequence[Side], how: How, key: Key | None, held: Sequence[str]) -> Joined:
    """Join by group and key, and give every item the rows of its group in the stores `held`; see `groups_held`.

    Where one store is left beside those, its samples are the items, and need no key.
    What is left over there is an item of its own, named after the group, where `how` keeps it.
    """
    keyed = [side for side in sides if side.name not in held]
    joined = _each(keyed[0]) if len(keyed) == 1 else join_by_group(keyed, "outer", key)
    groups = _groups_of(keyed, joined)
    columns = dict(zip([side.name for side in keyed], joined.places.T, strict=True))
    own = [side for side in sides if side.name in held]
    alone = np.array(sorted(set().union(*(side.ids for side in own)) - set(groups)), dtype=object)
    places = []
    for side in sides:
        if side.name in held:
            places.append(pd.Index(side.ids).get_indexer(pd.Index(np.concatenate([groups, alone]), dtype=object)))
        else:
            places.append(np.concatenate([columns[side.name], np.full(len(alone), -1)]))
    every = Joined(np.concatenate([joined.link_ids, alone]), np.stack(places, axis=1).astype(np.intp))
    return every.take(kept_by(every.places, how))


def _each(side: Side) -> Joined:
    return Joined(side.ids, np.arange(len(side))[:, None])


def _groups_of(sides: Sequence[Side], joined: Joined) -> NDArray[np.object_]:
    groups = np.full(len(joined.link_ids), None, dtype=object)
    for side, places in zip(sides, joined.places.T, strict=True):
        groups[places >= 0] = side.groups[places[places >= 0]]
    return groups


def _has_key(side: Side, key: Key | None) -> bool:
    if isinstance(key, Mapping):
        return side.name in key
    return any(part.startswith(f"{side.name}=") for part in ([key] if isinstance(key, str) else key or []))
