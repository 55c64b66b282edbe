"""The joins: which samples of which stores make one item.

Every join gives each sample a key; samples of equal keys belong together. Where a sample stands in its store plays no
part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.errors import ConfigError, DataError
from fusion.linking.sides import Side, keyed_by, last_number, taken
from fusion.names import name_of

__all__ = [
    "How",
    "Joined",
    "Key",
    "Repeats",
    "group_keys",
    "in_order",
    "join_by_group",
    "join_by_id",
    "join_by_key",
    "join_by_label",
    "join_by_table",
    "joined_names",
    "kept_by",
    "keys_by_store",
    "repeated",
]

How = Literal["inner", "left", "outer"]
Key = str | Sequence[str] | Mapping[str, str]
"""One key for all stores, or one for each as ``name=key`` or by name."""


@dataclass(frozen=True, eq=False)
class Joined:
    """Items as places in the sides, shape (items, stores), -1 = missing; and the ID of each, shape (items,)."""

    link_ids: NDArray[np.object_]
    places: NDArray[np.intp]

    def in_order(self) -> Joined:
        """Return the items sorted by their IDs."""
        return self.take(in_order(self.link_ids))

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> Joined:
        """Return some of the items."""
        return Joined(self.link_ids[chosen], self.places[chosen])


def in_order(names: NDArray[np.object_]) -> NDArray[np.intp]:
    """Give the positions of strings in their order, stable."""
    import pyarrow as pa
    import pyarrow.compute as pc

    # three times as fast as numpy's sort of objects; UTF-8 sorts as Python's strings do
    found: NDArray[np.intp] = pc.sort_indices(pa.array(names, type=pa.large_string())).to_numpy().astype(np.intp)
    return found


def join_by_id(sides: Sequence[Side], how: How) -> Joined:
    """Join samples of the same ID."""
    return join_by_key([side.ids for side in sides], how)


def join_by_group(sides: Sequence[Side], how: How, key: Key | None) -> Joined:
    """Join samples of the same group and, inside it, the same key; see `keyed_by`.

    Raises
    ------
    DataError
        A group holds a key twice.
    ConfigError
        The key names a store that is not there.
    """
    keys = keys_by_store([side.name for side in sides], key)
    found = [group_keys(side, keys.get(side.name)) for side in sides]
    for side, whole in zip(sides, found, strict=True):
        repeated(whole).require_none(side.path)
    return join_by_key(found, how)


def group_keys(side: Side, key: str | None) -> NDArray[np.object_]:
    """Give group and, inside it, the key of each sample as one name; None where one of them is missing."""
    inside = keyed_by(side, key)
    usable = np.flatnonzero(_present(inside) & _present(side.groups))
    whole = np.full(len(side), None, dtype=object)
    whole[usable] = joined_names([side.groups[usable], inside[usable]], "/")
    return whole


def told_of_keys(firsts: Mapping[str, str], keys: Mapping[str, str]) -> tuple[str, ...]:
    """Say by which number of their IDs stores without a key are joined inside a group, of the first ID of each."""
    found = [f"{name} {first!r} by {last_number(first)}" for name, first in firsts.items() if name not in keys]
    if not found:
        return ()
    return (f"inside a group joined by the last number of the ID: {', '.join(found)}; else give --key.",)


@dataclass(frozen=True)
class Repeats:
    """Keys that more than one sample of a store has.

    Parameters
    ----------
    samples : int
        But for the first of each key.
    shown : tuple of str
        The first five keys.
    """

    samples: int = 0
    shown: tuple[str, ...] = ()

    def __add__(self, later: Repeats) -> Repeats:
        return Repeats(self.samples + later.samples, (*self.shown, *later.shown)[:5])

    def require_none(self, store: str) -> None:
        """Refuse them; DataError."""
        if self.samples:
            raise DataError(
                f"{self.samples} samples of store {store} share group and key with another one, first "
                f"{', '.join(map(repr, self.shown))}; expected each key once in a group. Give a regular expression "
                "that tells them apart (--key)."
            )


def repeated(keys: NDArray[np.object_]) -> Repeats:
    """Find the keys that are there more than once."""
    keyed = keys[_present(keys)]
    twice = pd.Series(keyed).duplicated().to_numpy()
    return Repeats(int(twice.sum()), tuple(sorted(set(keyed[twice]))[:5]))


def join_by_label(sides: Sequence[Side], how: How, *, seed: int, reuse: bool) -> Joined:
    """Pair samples of the same label inside each split, in the order of a seeded hash of their IDs.

    Each sample is used at most once; with `reuse` the shorter side of a label starts again from its first sample.
    """
    strata = _strata(sides)
    labelled = [np.flatnonzero(codes >= 0) for codes in strata]
    most = max(int(codes.max(initial=-1)) for codes in strata) + 1
    counts = np.array([np.bincount(codes[rows], minlength=most) for codes, rows in zip(strata, labelled, strict=True)])
    lengths = _lengths(counts, how, reuse=reuse)
    items = np.repeat(np.arange(most), lengths)
    rank = np.arange(len(items)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    places = np.full((len(items), len(sides)), -1, dtype=np.intp)
    for column, (side, codes, rows) in enumerate(zip(sides, strata, labelled, strict=True)):
        in_turn = _in_turn(side.ids[rows], codes[rows], seed, column)
        count = counts[column][items]
        wanted = rank % np.maximum(count, 1) if reuse else rank
        present = wanted < count
        starts = np.cumsum(counts[column]) - counts[column]
        places[present, column] = rows[in_turn][(starts[items] + wanted)[present]]
    return Joined(_names_of(sides, places), places)


def join_by_table(sides: Sequence[Side], how: How, table: pd.DataFrame) -> tuple[Joined, int]:
    """Join as a table says that has a column of IDs for each store; return how many of its IDs no store has, too.

    Raises
    ------
    DataError
        A column is missing, an item is listed twice, or no ID of a column is in its store.
    """
    missing = [side.name for side in sides if side.name not in table.columns]
    if missing:
        raise DataError(
            f"the table of pairs has columns {', '.join(map(repr, table.columns))}; expected one for each store, but "
            f"{', '.join(map(repr, missing))} is missing. Name the columns after the stores."
        )
    found, unknown = [], 0
    for side in sides:
        wanted = np.array([name_of(cell) for cell in table[side.name]], dtype=object)
        here = pd.Index(side.ids).get_indexer(pd.Index(wanted))
        named = _present(wanted)
        if named.any() and (here < 0).all():
            shown = ", ".join(repr(name) for name in wanted[named][:5])
            raise DataError(f"none of the IDs in column {side.name!r} is in store {side.path}, first {shown}.")
        unknown += int(np.sum(named & (here < 0)))
        found.append(here)
    places = np.stack(found, axis=1).astype(np.intp)
    places = places[kept_by(places, how)]
    places = np.concatenate([places, _left_over(places, sides, how)])
    return Joined(_table_names(sides, places), places), unknown


def joined_names(parts: Sequence[NDArray[np.object_]], separator: str) -> NDArray[np.object_]:
    """Join strings row by row so that unlike parts never give the same name; None counts as empty."""
    escaped = f"%{ord(separator):02X}"
    columns = [pd.Series(part, dtype="str").fillna("") for part in parts]
    columns = [
        column.str.replace("%", "%25", regex=False).str.replace(separator, escaped, regex=False)
        if column.str.contains(f"[%{separator}]").any()
        else column
        for column in columns
    ]
    whole = columns[0]
    for column in columns[1:]:
        whole = whole + separator + column
    found: NDArray[np.object_] = whole.to_numpy(dtype=object)
    return found


def kept_by(places: NDArray[np.intp], how: How) -> NDArray[np.bool_]:
    """Tell which items stay: inner = in all stores, left = in the first, outer = in any."""
    if how not in get_args(How):
        raise ConfigError(f"how is {how!r}; expected one of {', '.join(get_args(How))}.")
    present = places >= 0
    if how == "left":
        return present[:, 0]
    return np.asarray(present.all(axis=1) if how == "inner" else present.any(axis=1))


def join_by_key(keys: Sequence[NDArray[np.object_]], how: How) -> Joined:
    """Join the samples of equal keys, one array of them for each store; those without a key (None) are in no item."""
    codes, names = pd.factorize(np.concatenate(keys))
    places = np.full((len(names), len(keys)), -1, dtype=np.intp)
    first = 0
    for column, key in enumerate(keys):
        here = codes[first : first + len(key)]
        keyed = np.flatnonzero(here >= 0)
        places[here[keyed], column] = keyed
        first += len(key)
    return Joined(np.asarray(names, dtype=object), places).take(kept_by(places, how))


def keys_by_store(names: Sequence[str], key: Key | None) -> dict[str, str]:
    """Read one key for all stores, or one for each, as a mapping or ``name=key``; by the name of the store.

    Raises
    ------
    ConfigError
        A store that is not there, or two keys for one.
    """
    if not isinstance(key, Mapping):
        return _by_store(names, [key] if isinstance(key, str) else key or [])
    unknown = sorted(set(key) - set(names))
    if unknown:
        raise ConfigError(
            f"keys are given for {', '.join(map(repr, unknown))}; the stores to link are {', '.join(names)}."
        )
    return dict(key)


def _by_store(names: Sequence[str], keys: Sequence[str]) -> dict[str, str]:
    """Read ``name=key``, or a key that is for all stores without one of their own."""
    found: dict[str, str] = {}
    for name in names:
        own = [key.removeprefix(f"{name}=") for key in keys if key.startswith(f"{name}=")]
        shared = [key for key in keys if not any(key.startswith(f"{other}=") for other in names)]
        if len(own) > 1 or len(shared) > 1:
            raise ConfigError(f"keys are {', '.join(map(repr, keys))}; expected one for each store, or one for all.")
        if own or shared:
            found[name] = (own or shared)[0]
    return found


def _present(values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(pd.notna(values), dtype=np.bool_)


def _strata(sides: Sequence[Side]) -> list[NDArray[np.intp]]:
    """Give each split and label together a number, in sorted order; -1 without a label."""
    splits, split_names = pd.factorize(np.concatenate([side.splits for side in sides]), use_na_sentinel=False)
    labels, label_names = pd.factorize(np.concatenate([side.labels for side in sides]), sort=True)
    order = np.argsort(np.argsort(["" if pd.isna(name) else f"={name}" for name in split_names]))
    codes = np.where(labels >= 0, order[splits] * max(len(label_names), 1) + labels, -1).astype(np.intp)
    return np.split(codes, np.cumsum([len(side) for side in sides])[:-1])


def _in_turn(ids: NDArray[np.object_], codes: NDArray[np.intp], seed: int, number: int) -> NDArray[np.intp]:
    """Sort rows by stratum and, inside it, by 128 bits of a hash of the ID."""
    # each store has hashes of its own, or samples that happen to have the same ID would always be paired
    keys = [blake2b(f"{seed}/{number}/{half}".encode(), digest_size=8).hexdigest() for half in range(2)]
    first, second = (pd.util.hash_array(ids, hash_key=key, categorize=False) for key in keys)
    order: NDArray[np.intp] = np.lexsort((second, first, codes))
    return order


def _lengths(counts: NDArray[np.intp], how: How, *, reuse: bool) -> NDArray[np.intp]:
    """How many items each stratum gets."""
    shortest: NDArray[np.intp] = counts.min(axis=0)
    longest: NDArray[np.intp] = counts.max(axis=0)
    if how == "outer":
        return longest
    kept: NDArray[np.intp] = shortest if how == "inner" else counts[0]
    if reuse:
        kept = np.where(kept > 0, longest, 0)
    return kept


def _names_of(sides: Sequence[Side], places: NDArray[np.intp]) -> NDArray[np.object_]:
    columns = [taken(side.ids, places[:, column]) for column, side in enumerate(sides)]
    return joined_names(columns, "+")


def _table_names(sides: Sequence[Side], places: NDArray[np.intp]) -> NDArray[np.object_]:
    names = _names_of(sides, places)
    twice = pd.Series(names).duplicated().to_numpy()
    if twice.any():
        shown = ", ".join(repr(name) for name in sorted(set(names[twice]))[:5])
        raise DataError(f"the table of pairs lists {int(twice.sum())} items twice, first {shown}; expected each once.")
    return names


def _left_over(places: NDArray[np.intp], sides: Sequence[Side], how: How) -> NDArray[np.intp]:
    """Items of one sample each, for those that `how` keeps although no other item holds them."""
    kept = {"inner": 0, "left": 1, "outer": len(sides)}[how]
    alone = []
    for column, side in enumerate(sides[:kept]):
        used = np.zeros(len(side) + 1, dtype=bool)
        used[places[:, column]] = True  # -1, missing, is the last
        rest = np.flatnonzero(~used[:-1])
        rows = np.full((len(rest), len(sides)), -1, dtype=np.intp)
        rows[:, column] = rest
        alone.append(rows)
    return np.concatenate(alone) if alone else np.zeros((0, len(sides)), dtype=np.intp)
