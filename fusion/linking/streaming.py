"""`link_to_file`: link stores that are too large for memory, range by range of what they are joined on.

Each store is read once; its rows are sorted in runs on disk, and those of one range of keys after the other are joined
as `link` joins all of them. So the file is the one that `link` would have written.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fusion.linking.files import is_parquet, unwritable, written_in_parts
from fusion.linking.gathering import Gathered
from fusion.linking.group_rows import may_hold_groups
from fusion.linking.joins import How, Key, Repeats, group_keys, join_by_key, keys_by_store, repeated, told_of_keys
from fusion.linking.labels import LabelMap
from fusion.linking.linker import On, check, concluded, examples, link, renamed_labels
from fusion.linking.runs import KEY, SortedRuns, range_ends
from fusion.linking.sides import TARGET, Side, StoreLike, named, read_blocks
from fusion.linking.summary import LinkCounter, LinkedStore, LinkSummary
from fusion.linking.table import card_of

__all__ = ["LinkFile", "link_to_file"]

_RUN_ROWS = 1 << 19
_RANGE_ROWS = 1 << 18
_SHOWN = 3


@dataclass(frozen=True, eq=False)
class LinkFile:
    """A link table that was written, and what is in it.

    Attributes
    ----------
    path : Path
        For `read_link`.
    stores : mapping of str to LinkedStore
    summary : LinkSummary
        As of a `LinkTable`.
    """

    path: Path
    stores: Mapping[str, LinkedStore]
    summary: LinkSummary
    _counter: LinkCounter

    def __len__(self) -> int:
        return self._counter.rows

    def to_dict(self) -> dict[str, Any]:
        """Return what was matched and what was not as plain numbers, strings, lists and dictionaries."""
        return self._counter.to_dict(self.stores, self.summary)

    def facts(self) -> dict[str, str]:
        """Tell in words what was matched and what was not."""
        return self._counter.facts(self.stores, self.summary)


def link_to_file(
    stores: Sequence[StoreLike] | Mapping[str, StoreLike],
    path: str | Path,
    *,
    on: On = "id",
    how: How = "inner",
    key: Key | None = None,
    table: str | Path | pd.DataFrame | None = None,
    labels: str | Path | LabelMap | None = None,
    seed: int = 42,
    reuse: bool = False,
) -> LinkFile:
    """Join the samples of two or more stores to items in a file; the same as `link` and `LinkTable.save`.

    A join by ID or by group into ``.parquet`` keeps only a part of the rows in memory; meanwhile it takes some 30 bytes
    a row of disk beside the file. By group, rows that are groups themselves (plain columns of persons) need memory.

    Parameters
    ----------
    stores : sequence or mapping by name of FunctaStore or path
    path : path
        ``.parquet``, or ``.csv``, which gets a ``.csv.json`` beside it.
    on : {"id", "group", "table", "label"}
    how : {"inner", "left", "outer"}
    key : str, sequence of str or mapping, optional
    table : DataFrame or path, optional
    labels : LabelMap or path, optional
    seed : int
    reuse : bool
        All as of `link`.

    Raises
    ------
    DataError
        As of `link`, or the file cannot be written. Nothing is left of it.
    ConfigError
        As of `link`, or another suffix.

    Examples
    --------
    >>> import numpy as np
    >>> from store import Rows, create_store
    >>> for name, ids in {"sensor": ["b", "a"], "camera": ["b", "c"]}.items():
    ...     with create_store(f"{name}.zarr", modality=name, layout=[("w", (2,), 0)], encoder={}, state={}) as store:
    ...         store.append(Rows.build(ids, np.zeros((2, 2)), labels=["walk", "sit"]))
    >>> len(link_to_file(["sensor.zarr", "camera.zarr"], "both.parquet"))
    1
    """
    target = Path(path)
    if on in ("id", "group") and is_parquet(target):
        check(on, how, key=key, table=table, reuse=reuse)
        opened = named(stores)
        keys, renamed = keys_by_store(list(opened), key), renamed_labels(labels, opened)
        with _folder_beside(target) as folder:
            sides = [_Sorted(folder, name, given, on, keys, renamed[name]) for name, given in opened.items()]
            if not any(side.may_hold_groups for side in sides):
                return _joined(sides, target, on, how, seed, keys)
    found = link(stores, on=on, how=how, key=key, table=table, labels=labels, seed=seed, reuse=reuse)
    return LinkFile(found.save(target), found.stores, found.summary, found.counter())


def _folder_beside(path: Path) -> tempfile.TemporaryDirectory[str]:
    try:
        return tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.absolute().parent)
    except OSError as error:
        raise unwritable(path, error) from error


class _Sorted:
    """One store, its rows in sorted runs."""

    def __init__(
        self, folder: str, name: str, given: StoreLike, on: On, keys: Mapping[str, str], renamed: Mapping[str, str]
    ) -> None:
        self.name, self._on, self._key = name, on, keys.get(name)
        self.examples: list[str | None] = []
        self.first = ""
        self.rows, self.targets = 0, False
        self.may_hold_groups = on == "group" and name not in keys
        place = Path(folder) / str(len(list(Path(folder).iterdir())))
        place.mkdir()
        self.runs = SortedRuns(place)
        for side in _large(read_blocks(name, given)):
            self._add(side.relabelled(renamed))

    def _add(self, side: Side) -> None:
        self._told = side.path, side.modality, side.fingerprint
        self.first = self.first or str(side.ids[0])
        self.rows += len(side)
        self.targets = self.targets or bool(pd.notna(side.targets).any())
        self.may_hold_groups = self.may_hold_groups and may_hold_groups(side)
        if len(self.examples) < _SHOWN:
            self.examples = list(dict.fromkeys([*self.examples, *examples(side, self._on)]))[:_SHOWN]
        self.runs.add(side, side.ids if self._on == "id" else group_keys(side, self._key))

    @property
    def linked(self) -> LinkedStore:
        path, modality, fingerprint = self._told
        return LinkedStore(path, fingerprint, modality, self.rows)

    def up_to(self, end: str | None) -> tuple[Side, NDArray[np.object_]]:
        columns: dict[str, Any] = self.runs.up_to(end)
        keys = columns.pop(KEY)
        return Side(self.name, *self._told, **columns, extra={}), keys


def _large(blocks: Iterator[Side]) -> Iterator[Side]:
    waiting: list[Side] = []
    for block in blocks:
        waiting.append(block)
        if sum(map(len, waiting)) >= _RUN_ROWS:
            yield Side.concatenate(waiting)
            waiting = []
    if waiting:
        yield Side.concatenate(waiting)


def _joined(sides: Sequence[_Sorted], target: Path, on: On, how: How, seed: int, keys: Mapping[str, str]) -> LinkFile:
    stores = {side.name: side.linked for side in sides}
    gathered, counter = Gathered(list(stores), on), LinkCounter(list(stores))
    columns = [
        "link_id",
        "split",
        "label",
        "group",
        *([TARGET] if any(side.targets for side in sides) else []),
        *stores,
    ]
    repeats: dict[str, list[Repeats]] = {name: [] for name in stores}
    with written_in_parts(target, columns) as (write, end_with):
        for end in range_ends([side.runs for side in sides], _RANGE_ROWS):
            frame = _range(sides, end, how, gathered, repeats)
            if len(frame):
                counter.add(frame[columns])
                write(frame[columns])
        for side in sides:
            reduce(add, repeats[side.name], Repeats()).require_none(str(side.linked.path))
        shown = {side.name: side.examples for side in sides}
        told = told_of_keys({side.name: side.first for side in sides}, keys) if on == "group" else ()
        summary = concluded(gathered, stores, lambda: shown, how=how, seed=seed, warnings=told)
        end_with(card_of(stores, summary, target.absolute().parent))
    return LinkFile(target, stores, summary, counter)


def _range(
    sides: Sequence[_Sorted], end: str | None, how: How, gathered: Gathered, repeats: dict[str, list[Repeats]]
) -> pd.DataFrame:
    here, keys = zip(*(side.up_to(end) for side in sides), strict=True)
    for side, names in zip(here, keys, strict=True):
        repeats[side.name].append(repeated(names))
    return gathered.rows(here, join_by_key(keys, how).in_order())
