"""`link`: from stores to a link table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Literal, get_args
from unicodedata import is_normalized, normalize

import numpy as np
import pandas as pd

from fusion.errors import ConfigError, DataError
from fusion.linking.files import read_names
from fusion.linking.gathering import Gathered
from fusion.linking.group_rows import groups_held, join_to_groups
from fusion.linking.joins import (
    How,
    Joined,
    Key,
    join_by_group,
    join_by_id,
    join_by_label,
    join_by_table,
    kept_by,
    keys_by_store,
    told_of_keys,
)
from fusion.linking.labels import LabelMap, maps_of_stores, read_label_map
from fusion.linking.sides import TARGET, Side, StoreLike, named, read_sides
from fusion.linking.summary import LinkedStore, LinkSummary
from fusion.linking.table import LinkTable

__all__ = ["On", "link", "link_sides"]

On = Literal["id", "group", "table", "label"]

LABEL_WARNING = (
    "joined by label: the samples of an item share their class and nothing else, and the label was used to join the "
    "test items too, so either modality reveals it. The accuracy says that the modalities can be fused, not that they "
    "would tell more about one event."
)

_JOINED_ON = {"id": "ids", "table": "ids", "group": "groups", "label": "labels"}
_LOG = logging.getLogger(__name__)


def link(
    stores: Sequence[StoreLike] | Mapping[str, StoreLike],
    *,
    on: On = "id",
    how: How = "inner",
    key: Key | None = None,
    table: str | Path | pd.DataFrame | None = None,
    labels: str | Path | LabelMap | None = None,
    seed: int = 42,
    reuse: bool = False,
) -> LinkTable:
    """Join the samples of two or more stores to items.

    Parameters
    ----------
    stores : sequence or mapping by name of FunctaStore or path
        Open stores or paths; a column of the table is named after each (``inertial.zarr``: inertial), by the mapping's
        key, or by ``name=path``.
    on : {"id", "group", "table", "label"}
        "id" = the same ID; "group" = the same group (subject, film) and in it the same `key`, where a store whose IDs
        are the names of groups, such as plain columns of persons, is joined to every item of each; "table" = as `table`
        says; "label" = the same label, in each split by itself and in the order of a seeded hash of the IDs.
    how : {"inner", "left", "outer"}
        Which items stay: "inner" = those in all stores, "left" = those in the first, "outer" = all. A store that lacks
        an item leaves its modality missing.
    key : str, sequence of str or mapping, optional
        For "group": a regular expression that is searched in the ID, or ``column:NAME``; a mapping, or strings
        ``name=key``, give one for each store. None = the last number in the ID.
    table : DataFrame or path, optional
        For "table": a .csv or .parquet file, or a frame, with one column of IDs for each store; empty = missing.
    labels : LabelMap or path, optional
        Turns the labels of the stores into common ones: a file, the name of a map that comes with the toolkit, or the
        map itself. See `read_label_map`.
    seed : int
        Of the join by label.
    reuse : bool
        For "label": start again with the first samples of a class where a store has fewer than another.

    Raises
    ------
    DataError
        Nothing matches, or stores that say different labels, splits or groups of one item (the first five are named),
        or a group that is in two splits.
    ConfigError
        An argument that is unknown, missing, or of another kind of join.

    Notes
    -----
    Where a sample stands in its store plays no part, so shuffled stores give the same table. In a join by label the
    column ``group`` holds the groups of the store that has the fewest; training reads the others from the stores.
    Targets are carried where a store has some, and must agree; of a join by label those that all samples of an item
    share.

    Examples
    --------
    >>> import numpy as np
    >>> from store import Rows, create_store
    >>> for name, ids in {"sensor": ["b", "a"], "camera": ["b", "c"]}.items():
    ...     with create_store(f"{name}.zarr", modality=name, layout=[("w", (2,), 0)], encoder={}, state={}) as store:
    ...         store.append(Rows.build(ids, np.zeros((2, 2)), labels=["walk", "sit"]))
    >>> link(["sensor.zarr", "camera.zarr"], how="outer").frame[["link_id", "label", "sensor", "camera"]]
      link_id label sensor camera
    0       a   sit      a   None
    1       b  walk      b      b
    2       c   sit   None      c
    """
    check(on, how, key=key, table=table, reuse=reuse)
    opened = named(stores)
    renamed = renamed_labels(labels, opened)
    sides = [side.relabelled(renamed[side.name]) for side in read_sides(opened)]
    return link_sides(sides, on=on, how=how, key=key, table=table, seed=seed, reuse=reuse)


def link_sides(
    sides: Sequence[Side],
    *,
    on: On,
    how: How = "inner",
    key: Key | None = None,
    table: str | Path | pd.DataFrame | None = None,
    seed: int = 42,
    reuse: bool = False,
) -> LinkTable:
    """Join what was read of the stores already; see `link`."""
    unknown, held = 0, []
    if on == "id":
        joined = join_by_id(sides, how)
    elif on == "group":
        held = groups_held(sides, key)
        joined = join_to_groups(sides, how, key, held) if held else join_by_group(sides, how, key)
    elif on == "label":
        joined = join_by_label(sides, how, seed=seed, reuse=reuse)
    else:
        pairs = table if isinstance(table, pd.DataFrame) else read_names(Path(str(table)))
        joined, unknown = join_by_table(sides, how, pairs)
    warnings = _warnings(sides, on, unknown, held)
    keyed = [side for side in sides if side.name not in held]
    if on == "group" and len(keyed) > 1:
        firsts = {side.name: str(side.ids[0]) for side in keyed}
        warnings += told_of_keys(firsts, keys_by_store(list(firsts), key))
    return _table(sides, joined.in_order(), on, how, seed, warnings)


def renamed_labels(labels: str | Path | LabelMap | None, names: Collection[str]) -> dict[str, dict[str, str]]:
    """Return what each store has to rename; errors as those of `read_label_map` and `maps_of_stores`."""
    return maps_of_stores(read_label_map(labels) if isinstance(labels, str | Path) else labels or {}, names)


def check(on: str, how: str, *, key: object, table: object, reuse: bool) -> None:
    """Refuse arguments that are unknown, missing, or of another kind of join; ConfigError."""
    if on not in get_args(On):
        raise ConfigError(f"on is {on!r}; expected one of {', '.join(get_args(On))}.")
    if (on == "table") != (table is not None):
        verb = "needs a" if on == "table" else "takes no"
        raise ConfigError(f"a join by {on} {verb} table of pairs; give one with on='table' only.")
    if key is not None and on != "group":
        raise ConfigError(f"a join by {on} takes no key; give one with on='group' only.")
    if reuse and on != "label":
        raise ConfigError(f"a join by {on} uses every sample as it is named; reuse goes with on='label' only.")
    kept_by(np.zeros((0, 1), dtype=np.intp), how)  # type: ignore[arg-type]


def _table(sides: Sequence[Side], joined: Joined, on: str, how: str, seed: int, warnings: tuple[str, ...]) -> LinkTable:
    gathered = Gathered([side.name for side in sides], on)
    frame = gathered.rows(sides, joined)
    stores = {side.name: LinkedStore(side.path, side.fingerprint, side.modality, len(side)) for side in sides}
    shown = partial(_shown, sides, on)
    summary = concluded(gathered, stores, shown, how=how, seed=seed, warnings=warnings)
    if frame[TARGET].isna().all():
        frame = frame.drop(columns=TARGET)
    return LinkTable(frame, stores, summary)


def _shown(sides: Sequence[Side], on: str) -> dict[str, list[str | None]]:
    return {side.name: examples(side, on) for side in sides}


def concluded(
    gathered: Gathered,
    stores: Mapping[str, LinkedStore],
    shown: Callable[[], Mapping[str, Sequence[str | None]]],
    *,
    how: str,
    seed: int,
    warnings: tuple[str, ...] = (),
) -> LinkSummary:
    """Sum up a join, of which `shown` gives `examples` of each store; DataError when its items do not go together."""
    if not gathered.matched:
        raise DataError(_unmatched(shown(), gathered.on))
    gathered.require_sound({name: store.path for name, store in stores.items()})
    _LOG.info("linked %s by %s: %d items", ", ".join(stores), gathered.on, gathered.items)
    left_over = gathered.left_over({name: store.rows for name, store in stores.items()})
    return LinkSummary(gathered.on, how, seed, gathered.matched, left_over, warnings)


def _warnings(sides: Sequence[Side], on: str, unknown: int, held: Sequence[str]) -> tuple[str, ...]:
    found = [f"the rows of {name} are groups: each is joined to every item of its group." for name in held]
    if on == "label":
        found.append(LABEL_WARNING)
        known = [set(side.labels) - {None} for side in sides]
        alone = sorted(set.union(*known) - set.intersection(*known))
        if alone:
            shown = ", ".join(map(repr, alone[:5]))
            found.append(f"{len(alone)} labels are not in every store, first {shown}; see --labels.")
    if unknown:
        found.append(f"{unknown} IDs of the table of pairs are in no store; they were passed over.")
    return tuple(found)


def examples(side: Side, on: str) -> list[str | None]:
    """Give the first three names of a store that are joined on."""
    return list(dict.fromkeys(getattr(side, _JOINED_ON[on])))[:3]


def _unmatched(found: Mapping[str, Sequence[str | None]], on: str) -> str:
    """Say that nothing matches, with `examples` of each store."""
    shown = "; ".join(f"{name} has {', '.join(map(repr, names))}" for name, names in found.items())
    hint = {
        "id": "Join by group, table or label where the stores name their samples differently.",
        "group": "Give the key that tells the samples of a group apart, or join by table.",
        "table": "Fill both columns of the table, or keep what is missing with how='outer'.",
        "label": "Give a label map (--labels), and the same names of splits.",
    }[on]
    hint = _other_form(found) or hint
    return f"no item is in all {len(found)} stores, joined by {on}: {shown}; expected at least one. {hint}"


def _other_form(found: Mapping[str, Sequence[str | None]]) -> str:
    """Say in which form of Unicode each store writes its names, where they differ in nothing else; else nothing."""
    held = [{name for name in names if name is not None} for names in found.values()]
    alike = set.intersection(*({normalize("NFC", name) for name in names} for names in held))
    if not alike - {normalize("NFC", name) for name in set.intersection(*held)}:
        return ""
    forms = [[form for form in ("NFC", "NFD") if all(is_normalized(form, name) for name in names)] for names in held]
    told = ", ".join(f"{store} in {' and '.join(form) or 'both'}" for store, form in zip(found, forms, strict=True))
    return f"They differ in their form of Unicode alone ({told}): rename the files or IDs of one of them."
