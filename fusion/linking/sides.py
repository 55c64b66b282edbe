"""What is read of each store that is to be linked: names, labels, splits and groups, no functas."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from decimal import Decimal
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.datasets.targets import number_of
from fusion.errors import ConfigError, DataError
from fusion.settings import require
from store import FunctaStore, open_store

__all__ = [
    "RESERVED",
    "TARGET",
    "Side",
    "StoreLike",
    "keyed_by",
    "last_number",
    "named",
    "read_blocks",
    "read_sides",
    "taken",
]

TARGET = "target"
RESERVED = ("link_id", "split", "label", "group", TARGET)
"""Columns of a link table that no store can be named after."""

StoreLike = FunctaStore | str | Path
_COLUMNS = ("ids", "labels", "splits", "groups", "targets")
_SUFFIXES = (".zarr", ".h5", ".hdf5", ".functas")
_LAST_NUMBER = re.compile(r"(\d{4}-\d\d-\d\d(?:[T _]\d\d[-:.]?\d\d(?:[-:.]?\d\d)?)?)$|(\d+\.\d+)s$|(\d+)\D*$")
"""A date at the end is one, and so is the second that a window begins at, ``p0-000015.36s``."""
_NUMBERED_SUFFIX = re.compile(r"\.(?:mp[234]|m4[av]|3g[p2]|jp2|j2k|h5|hdf5)$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Side:
    """One store as the linker sees it: object arrays of shape (n,), None where there is nothing."""

    name: str
    path: str
    modality: str
    fingerprint: str
    ids: NDArray[np.object_]
    labels: NDArray[np.object_]
    splits: NDArray[np.object_]
    groups: NDArray[np.object_]
    extra: Mapping[str, NDArray[Any]]
    targets: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def concatenate(cls, parts: Sequence[Side]) -> Side:
        """Put the rows of one store, read block by block, one after the other."""
        columns: dict[str, Any] = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS}
        extra = {name: np.concatenate([part.extra[name] for part in parts]) for name in parts[0].extra}
        return replace(parts[0], **columns, extra=extra)

    def relabelled(self, names: Mapping[str, str]) -> Side:
        """Return the same samples with labels renamed; None where the new name is empty.

        A target that was the number of a label is gone with it.
        """
        if not names:
            return self
        codes, labels = pd.factorize(self.labels, use_na_sentinel=False)
        renamed = np.array([None if label is None else names.get(label, label) or None for label in labels] or [None])
        if not len(codes):
            return self
        found = renamed.astype(object)[codes]
        was = np.array([number_of(label) for label in self.labels], dtype=object)
        targets = self.targets.copy()
        targets[(found != self.labels) & (was == targets)] = None
        return replace(self, labels=found, targets=targets)


def named(stores: Sequence[StoreLike] | Mapping[str, StoreLike]) -> dict[str, StoreLike]:
    """Name the stores: as given, or ``name=path``, or after their files without suffix.

    Raises
    ------
    ConfigError
        No list of stores, fewer than two, two of one name, or a name that a link table cannot have.
    """
    if isinstance(stores, str | PathLike | FunctaStore) or not isinstance(stores, Iterable):
        raise ConfigError(f"stores are {stores!r}; expected a list of stores, or a mapping by name.")
    pairs = list(stores.items()) if isinstance(stores, Mapping) else [_name_of(store) for store in stores]
    found = dict(pairs)
    if len(pairs) < 2:
        raise ConfigError(f"linking takes two or more stores, got {len(pairs)}; name them all.")
    if len(found) < len(pairs):
        raise ConfigError(
            f"the stores are named {', '.join(repr(name) for name, _ in pairs)}; expected a name for each. Write "
            "name=path to name a store."
        )
    for name, store in found.items():
        if not isinstance(name, str) or name in RESERVED or not name.strip() or not name.isprintable():
            raise ConfigError(f"a store cannot be named {name!r} in a link table; write name=path to name it.")
        if not isinstance(store, FunctaStore):
            require(f"the store {name}", store, fspath, "a store or the path of one")
    return found


def read_sides(stores: Mapping[str, StoreLike]) -> list[Side]:
    """Read the names of all usable samples of each store.

    Raises
    ------
    DataError
        A store without any.
    """
    return [Side.concatenate(list(read_blocks(name, given))) for name, given in stores.items()]


def read_blocks(name: str, given: StoreLike) -> Iterator[Side]:
    """Read the names of all usable samples of a store, block by block; DataError when there are none."""
    # closed at once: what a store keeps of its rows is more than a side needs
    with nullcontext(given) if isinstance(given, FunctaStore) else open_store(given) as store:
        path, modality, fingerprint = str(store.path), store.modality, store.fingerprint
        empty = True
        for rows in store.iter_blocks(functas=False):
            empty = False
            names = rows.ids, rows.labels, rows.splits, rows.groups
            yield Side(name, path, modality, fingerprint, *names, rows.extra, _targets(rows.target))
        if empty:
            raise DataError(f"store {path} has no usable rows; expected at least one. Encode samples first.")


def keyed_by(side: Side, key: str | None) -> NDArray[np.object_]:
    """Return what tells the samples of one group apart, shape (n,), None where there is nothing.

    Parameters
    ----------
    side : Side
        One store.
    key : str or None
        "column:NAME" = a column that was added to the store; else a regular expression that is searched in the ID: its
        groups, or all that it matches; 007 is 7. None = the last number in the ID: of a window the second that it
        begins at, of a date the whole of it, and never one of a suffix such as ``.mp3``.

    Raises
    ------
    ConfigError
        Not a regular expression, or no such column.
    """
    if key is not None and key.startswith("column:"):
        name = key.removeprefix("column:")
        if name not in side.extra:
            known = ", ".join(sorted(side.extra)) or "none"
            raise ConfigError(f"store {side.path} has no column {name!r} of its own; it has {known}.")
        return np.array([str(value) or None for value in side.extra[name].tolist()], dtype=object)
    if key is None:
        return np.array([*map(last_number, side.ids), None], dtype=object)[:-1]
    try:
        pattern = re.compile(key)
    except re.error as error:
        raise ConfigError(f"key {key!r} is not a regular expression: {error}. Correct it.") from error
    return np.array([_matched(pattern.search(name)) for name in side.ids], dtype=object)


def taken(values: NDArray[np.object_], places: NDArray[np.intp]) -> NDArray[np.object_]:
    """Look up some places, None where the place is -1."""
    found: NDArray[np.object_] = np.concatenate([values, np.array([None], dtype=object)])[places]
    return found


def _matched(found: re.Match[str] | None) -> str | None:
    if found is None:
        return None
    parts = [part for part in found.groups() if part is not None] if found.re.groups else [found.group()]
    return "/".join(part.lstrip("0") or "0" if part.isdecimal() else part for part in parts)


def last_number(name: str) -> str | None:
    """Give the last number of an ID, written in one way, or the date that it ends with; None where there is none.

    Examples
    --------
    >>> [last_number(name) for name in ("ann/007.mp3", "ann-000015.36s", "2024-01-05", "ann")]
    ['7', '15.36', '2024-01-05', None]
    """
    found = _LAST_NUMBER.search(_NUMBERED_SUFFIX.sub("", name))
    if found is None:
        return None
    date, second, number = found.groups()
    if second:
        return f"{Decimal(second).normalize():f}"
    return date or number.lstrip("0") or "0"


def _name_of(store: StoreLike) -> tuple[str, StoreLike]:
    if isinstance(store, str) and "=" in store and "://" not in store and not Path(store).exists():
        name, _, file = store.partition("=")
        return name, file
    path = store.path if isinstance(store, FunctaStore) else store
    file = Path(str(path).rstrip("/")).name
    suffix = next((suffix for suffix in _SUFFIXES if file.endswith(suffix)), "")
    return file.removesuffix(suffix), store


def _targets(numbers: NDArray[np.float64]) -> NDArray[np.object_]:
    found = np.full(len(numbers), None, dtype=object)
    there = ~np.isnan(numbers)
    found[there] = numbers[there].tolist()
    return found
