"""Reads what is left of damaged blocks; every row's own checksum says whether it survived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.backend import Backend
from store.columns import NO_SPLIT, Column, row_checksums
from store.commit import Commit
from store.errors import IntegrityError
from store.row_index import to_rows
from store.rows import LIVE, Rows, Status
from store.table import Table


@dataclass(frozen=True)
class SalvagedBlock:
    """The rows of one block, as they are on disk.

    Parameters
    ----------
    columns : mapping of arrays
    good : bool array
        Rows that match their checksums.
    ids_hold : bool
        Whether the IDs are what was written, also those of rows that are not good.
    in_place : bool
        Whether the block is the one that was committed in this place, so that its rows follow those before it.
    lost_extra : tuple of str
        Damaged columns of users; no row checksum covers them, so none of their values in the block is trusted.
    """

    columns: Mapping[str, NDArray[Any]]
    good: NDArray[np.bool_]
    ids_hold: bool
    in_place: bool
    lost_extra: tuple[str, ...]


def salvage_block(backend: Backend, columns: Mapping[str, Column], block: int, rows: int) -> SalvagedBlock:
    """Read a block, damaged or not; IntegrityError is never raised."""
    values: dict[str, NDArray[Any]] = {}
    lost = []
    damaged = set()
    for path, column in columns.items():
        try:
            values[path] = backend.read_chunk(column, block, rows)
        except IntegrityError:
            if path.startswith("extra/"):
                values[path] = column.empty(rows)
                lost.append(path.removeprefix("extra/"))
            else:
                damaged.add(path)
                values[path] = backend.salvage_chunk(column, block, rows)
    good = row_checksums(values) == values["row_crc"]
    in_place = backend.in_order and not damaged & {"id", "row_crc"}
    return SalvagedBlock(values, good, "id" not in damaged, in_place, tuple(lost))


class Salvage:
    """Finds the rows of a store that can be kept: the last of their ID, matching their checksums, not deleted.

    Parameters
    ----------
    table : Table

    Attributes
    ----------
    lost_ids : set of str
        IDs whose last row is not good, or that have several rows of which it is not known which is the last.
    lost_unknown : int
        Rows that are not good and whose ID is lost too.
    lost_extra : set of str
        Columns of users that lost values.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self.lost_unknown = 0
        self.lost_extra: set[str] = set()
        self._last: dict[str, int] = {}
        self._times: Counter[str] = Counter()
        self._out_of_place: set[str] = set()
        for block, start, end in table.blocks():
            self._look_at(block, start, end)
        for name in self._out_of_place:
            if self._times[name] > 1:
                self._last[name] = -1
        self.lost_ids = {name for name, row in self._last.items() if row < 0}
        self._kept = np.sort(np.array([row for row in self._last.values() if row >= 0], np.intp))

    def _look_at(self, block: int, start: int, end: int) -> None:
        found = salvage_block(self._table.backend, self._table.columns, block, end - start)
        self.lost_extra.update(found.lost_extra)
        good = found.good & named_rows(self._table.commit, found.columns)
        unset = found.columns["status"] == Status.UNSET
        for row, (name, fine, empty) in enumerate(zip(found.columns["id"], good, unset, strict=True), start):
            if fine or (found.ids_hold and name):
                self._last[name] = row if fine else -1
                self._times[name] += 1
                if not found.in_place:
                    self._out_of_place.add(name)
            elif not (empty and not name):
                self.lost_unknown += 1

    def batches(self) -> Iterator[Rows]:
        """Read the rows that can be kept, block by block."""
        for block, start, end in self._table.blocks():
            columns = salvage_block(self._table.backend, self._table.columns, block, end - start).columns
            here = self._kept[(self._kept >= start) & (self._kept < end)] - start
            here = here[np.isin(columns["status"][here], LIVE)]
            if len(here):
                yield to_rows(self._table.commit, {path: values[here] for path, values in columns.items()})


def named_rows(commit: Commit, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Tell which rows have no label, split or group but those that the commit names."""
    fine = np.ones(len(columns["id"]), bool)
    for what, none in (("label", -1), ("split", NO_SPLIT), ("group", -1)):
        codes, known = columns[what].astype(np.int64), len(getattr(commit, f"{what}_names"))
        fine &= (codes == none) | ((codes >= 0) & (codes < known))
    return fine
